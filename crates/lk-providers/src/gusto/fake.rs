//! Gusto as the demo's contractor sees it: employees change, payroll runs, and at payroll time the
//! access token has expired.

#[path = "fake_api.rs"]
pub mod api;

use lk_core::Time;
use lk_fakes::people::person;
use lk_fakes::report::{Refusal, date, epoch_s, failure, success};
use lk_fakes::{Composed, Fake, Happening, Rng};
use serde_json::{Value, json};

const COMPANY: &str = "0f5e3c1a-7d8b-4b52-9c46-2a1d8e90b7f3";
const THIN_EVENTS: [(&str, &str); 5] = [
    ("employee.created", "Employee"),
    ("employee.updated", "Employee"),
    ("employee_job_compensation.updated", "Employee"),
    ("pay_schedule.updated", "Company"),
    ("contractor_payment.created", "Contractor"),
];

/// The fake.
pub(crate) fn fake() -> Box<dyn Fake> {
    Box::new(Gusto { payroll: None })
}

/// Remembers the payroll that could not be submitted, so that it is the one submitted later.
struct Gusto {
    payroll: Option<String>,
}

impl Gusto {
    fn payroll(&mut self, rng: &mut Rng) -> String {
        self.payroll.get_or_insert_with(|| rng.uuid()).clone()
    }
}

fn envelope(rng: &mut Rng, at: Time, event_type: &str, entity: (&str, &str)) -> Value {
    json!({
        "uuid": rng.uuid(),
        "event_type": event_type,
        "resource_type": "Company",
        "resource_uuid": COMPANY,
        "entity_type": entity.0,
        "entity_uuid": entity.1,
        "timestamp": epoch_s(at),
    })
}

/// Timecards of a pay period as the middleware pushes them, with what must not be stored as it is.
fn timecards(rng: &mut Rng, at: Time) -> Value {
    let worker = person(rng);
    json!({
        "pay_period_end": date(at),
        "employee_count": rng.between(18, 64),
        "sample": {
            "first_name": worker.first_name,
            "last_name": worker.last_name,
            "ssn": worker.ssn,
            "email": worker.email,
            "home_address": worker.address,
            "hours": rng.between(24, 52),
        },
    })
}

impl Fake for Gusto {
    fn provider(&self) -> &'static str {
        "gusto"
    }

    fn troubles(&self) -> &'static [Happening] {
        &[Happening::ExpiredToken]
    }

    fn compose(&mut self, what: Happening, rng: &mut Rng, at: Time) -> Composed {
        let body = match what {
            Happening::ExpiredToken => {
                let payroll = self.payroll(rng);
                let mut report = envelope(rng, at, "payroll.submit", ("Payroll", &payroll));
                report["payload"] = timecards(rng, at);
                let refusal = Refusal {
                    operation: "payroll.submit",
                    http_status: 401,
                    code: "invalid_token",
                    message: "The token is invalid, expired, or has not been included in the request.",
                };
                failure(report, refusal)
            }
            Happening::Recovered => {
                let payroll = self.payroll(rng);
                self.payroll = None;
                success(envelope(rng, at, "payroll.submitted", ("Payroll", &payroll)))
            }
            _ if rng.below(2) == 0 => {
                let employee = rng.uuid();
                let mut report = envelope(rng, at, "timecard.sync", ("Employee", &employee));
                report["payload"] = timecards(rng, at);
                success(report)
            }
            _ => {
                let (event_type, entity) = *rng.pick(&THIN_EVENTS);
                let uuid = rng.uuid();
                envelope(rng, at, event_type, (entity, &uuid))
            }
        };
        Composed::json("Gusto-Webhooks/1.0", body)
    }
}
