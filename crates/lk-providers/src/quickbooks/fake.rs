//! QuickBooks Online as the demo's contractor sees it: bills, invoices and journal entries, record
//! versions that go stale, and a throttle.

use lk_core::Time;
use lk_fakes::report::{Refusal, failure, iso, success};
use lk_fakes::{Composed, Fake, Happening, Rng};
use serde_json::{Value, json};

const REALM: &str = "9341453908059217";
const ENTITIES: [&str; 5] = ["bill", "invoice", "journalentry", "purchase", "customer"];
const STALE: &str = "Stale Object Error: You and another user were working on this at the same time. \
    The other user finished before you did, so your work was not saved.";

/// The fake.
pub(crate) fn fake() -> Box<dyn Fake> {
    Box::new(QuickBooks { record: 4_120 })
}

struct QuickBooks {
    record: i64,
}

impl QuickBooks {
    /// One CloudEvent.
    fn event(&mut self, rng: &mut Rng, at: Time, event_type: &str) -> Value {
        self.record += rng.between(0, 3);
        json!({
            "specversion": "1.0",
            "id": rng.uuid(),
            "source": format!("intuit.{}", rng.alphanumeric(22)),
            "type": event_type,
            "datacontenttype": "application/json",
            "time": iso(at),
            "intuitentityid": self.record.to_string(),
            "intuitaccountid": REALM,
            "data": {},
        })
    }

    fn changed(&mut self, rng: &mut Rng, at: Time) -> Value {
        let entity = *rng.pick(&ENTITIES);
        let change = *rng.pick(&["created", "updated"]);
        self.event(rng, at, &format!("qbo.{entity}.{change}.v1"))
    }

    fn synced(&mut self, rng: &mut Rng, at: Time) -> Value {
        let mut report = self.event(rng, at, "job_cost.sync");
        report["data"] = json!({ "posted": rng.between(3, 40), "amount": format!("{}.00", rng.between(900, 48_000)) });
        success(report)
    }

    fn refused(&mut self, rng: &mut Rng, at: Time, refusal: Refusal<'_>) -> Value {
        let mut report = self.event(rng, at, refusal.operation);
        report["data"] = json!({ "SyncToken": rng.between(0, 9).to_string(), "DocNumber": rng.between(1_000, 9_999) });
        failure(report, refusal)
    }
}

impl Fake for QuickBooks {
    fn provider(&self) -> &'static str {
        "quickbooks"
    }

    fn troubles(&self) -> &'static [Happening] {
        &[Happening::StaleVersion, Happening::RateLimited, Happening::Outage]
    }

    fn compose(&mut self, what: Happening, rng: &mut Rng, at: Time) -> Composed {
        let refuse = |operation, http_status, code, message| Refusal {
            operation,
            http_status,
            code,
            message,
        };
        let items = match what {
            Happening::StaleVersion => {
                let operation = *rng.pick(&["bill.update", "invoice.update"]);
                vec![self.refused(rng, at, refuse(operation, 400, "5010", STALE))]
            }
            Happening::RateLimited => {
                let message = "message=ThrottleExceeded; errorCode=003001; statusCode=429";
                vec![self.refused(rng, at, refuse("journal_entry.create", 429, "3001", message))]
            }
            Happening::Outage => {
                let message = "The service is temporarily unavailable. Please try again later.";
                vec![self.refused(
                    rng,
                    at,
                    refuse("company_info.read", 503, "SERVICE_UNAVAILABLE", message),
                )]
            }
            Happening::Recovered => vec![self.synced(rng, at)],
            _ if rng.below(3) > 0 => vec![self.synced(rng, at)],
            _ => (0..rng.between(1, 3)).map(|_| self.changed(rng, at)).collect(),
        };
        let mut composed = Composed::json("Intuit-Webhooks/1.0", Value::from(items));
        if let Some((_, content_type)) = composed.headers.first_mut() {
            "application/cloudevents-batch+json".clone_into(content_type);
        }
        composed
    }
}
