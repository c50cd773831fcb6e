//! Procore as the demo's contractor sees it: daily logs and cost codes of its projects.

use lk_core::Time;
use lk_fakes::people::{PROJECTS, person};
use lk_fakes::report::{Refusal, failure, iso, success};
use lk_fakes::{Composed, Fake, Happening, Rng};
use serde_json::{Value, json};

const COMPANY: i64 = 562_949_953_427_114;
const RESOURCES: [(&str, &str); 6] = [
    ("Daily Logs", "create"),
    ("Daily Logs", "update"),
    ("Timecard Entries", "create"),
    ("RFIs", "create"),
    ("Commitments", "update"),
    ("Projects", "update"),
];
const COST_CODES: [&str; 5] = ["03-31-00", "05-12-23", "09-29-00", "26-05-19", "31-23-16"];

/// The fake.
pub(crate) fn fake() -> Box<dyn Fake> {
    Box::new(Procore { delivery: 88_120_400 })
}

struct Procore {
    delivery: i64,
}

impl Procore {
    fn envelope(&mut self, rng: &mut Rng, at: Time, event_type: &str, resource: &str) -> Value {
        self.delivery += 1;
        let project = rng.below(PROJECTS.len() as u64) as usize;
        json!({
            "id": self.delivery,
            "ulid": rng.ulid(at),
            "timestamp": iso(at),
            "metadata": { "source_application_id": null, "source_user_id": rng.between(9_000, 9_999) },
            "user_id": rng.between(100_000, 999_999),
            "company_id": COMPANY,
            "project_id": COMPANY + 1_000 + project as i64,
            "api_version": "v2",
            "event_type": event_type,
            "resource_name": resource,
            "resource_id": rng.between(1_000_000, 9_999_999),
            "data": { "project": { "name": PROJECTS[project] } },
        })
    }

    fn cost_codes(&mut self, rng: &mut Rng, at: Time) -> Value {
        let mut report = self.envelope(rng, at, "sync", "Cost Codes");
        report["data"]["synced"] = json!(rng.between(4, 60));
        success(report)
    }

    fn refused(&mut self, rng: &mut Rng, at: Time, refusal: Refusal<'_>) -> Value {
        let mut report = self.envelope(rng, at, "create", "Timecard Entries");
        let worker = person(rng);
        report["data"]["timecard_entry"] = json!({
            "hours": rng.between(2, 10),
            "party": { "name": worker.name(), "email_address": worker.email, "mobile_phone": worker.phone },
        });
        failure(report, refusal)
    }
}

impl Fake for Procore {
    fn provider(&self) -> &'static str {
        "procore"
    }

    fn troubles(&self) -> &'static [Happening] {
        &[Happening::InvalidReference, Happening::Outage]
    }

    fn compose(&mut self, what: Happening, rng: &mut Rng, at: Time) -> Composed {
        let body = match what {
            Happening::InvalidReference => {
                let code = *rng.pick(&COST_CODES);
                let message = format!("Cost code {code} is not valid: it does not exist in this project's cost codes");
                let refusal = Refusal {
                    operation: "timecard_entry.create",
                    http_status: 422,
                    code: "INVALID_COST_CODE",
                    message: &message,
                };
                self.refused(rng, at, refusal)
            }
            Happening::Outage => {
                let refusal = Refusal {
                    operation: "daily_log.sync",
                    http_status: 503,
                    code: "SERVICE_UNAVAILABLE",
                    message: "Service Unavailable: the API is temporarily overloaded, retry later",
                };
                self.refused(rng, at, refusal)
            }
            Happening::Recovered => self.cost_codes(rng, at),
            _ if rng.below(3) > 0 => self.cost_codes(rng, at),
            _ => {
                let (resource, event_type) = *rng.pick(&RESOURCES);
                self.envelope(rng, at, event_type, resource)
            }
        };
        Composed::json("Procore Webhooks", body)
    }
}
