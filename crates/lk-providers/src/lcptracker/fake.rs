//! LCPtracker as the demo's contractor sees it: weekly certified payroll (WH-347), accepted or sent
//! back. LCPtracker itself sends no webhooks; the contractor's mail gateway forwards its notices.

use lk_core::Time;
use lk_core::time::DAY;
use lk_fakes::people::{PROJECTS, person};
use lk_fakes::report::{date, iso};
use lk_fakes::{Composed, Fake, Happening, Rng};
use serde_json::{Value, json};

const CRAFTS: [&str; 5] = [
    "Carpenter",
    "Laborer Group 3",
    "Operating Engineer Group 4",
    "Electrician",
    "Ironworker",
];
const REJECTIONS: [(&str, &str); 3] = [
    (
        "CPR_RATE_BELOW_WD",
        "Prevailing wage violation: base rate plus fringe paid is below the wage determination for this classification",
    ),
    (
        "CPR_CLASS_NOT_ON_WD",
        "Classification is not listed on the wage determination for this project",
    ),
    (
        "CPR_OT_RATE",
        "Overtime over 40 hours was not paid at one and a half times the base rate",
    ),
];

/// The fake.
pub(crate) fn fake() -> Box<dyn Fake> {
    Box::new(LcpTracker { payroll_number: 31 })
}

struct LcpTracker {
    payroll_number: i64,
}

impl LcpTracker {
    fn report(&mut self, rng: &mut Rng, at: Time, event: &str, status: &str) -> Value {
        self.payroll_number += 1;
        let worker = person(rng);
        json!({
            "id": rng.uuid(),
            "event": event,
            "timestamp": iso(at),
            "status": status,
            "report": {
                "form": "WH-347",
                "payroll_number": self.payroll_number,
                "week_ending": date(at - 5 * DAY),
                "project": rng.pick(&PROJECTS),
                "contractor": "Ridgeline Builders",
                "process_status": "CERTIFIED",
                "lines": rng.between(6, 31),
            },
            "line": {
                "employee_name": worker.name(),
                "employee_ssn": worker.ssn,
                "employee_address": worker.address,
                "classification": rng.pick(&CRAFTS),
                "hours": rng.between(16, 48),
            },
        })
    }
}

impl Fake for LcpTracker {
    fn provider(&self) -> &'static str {
        "lcptracker"
    }

    fn troubles(&self) -> &'static [Happening] {
        &[Happening::ReportRejected]
    }

    fn compose(&mut self, what: Happening, rng: &mut Rng, at: Time) -> Composed {
        let body = if what == Happening::ReportRejected {
            let (code, message) = *rng.pick(&REJECTIONS);
            let mut body = self.report(rng, at, "cpr.rejected", "rejected");
            body["error"] = json!({
                "message": message,
                "code": code,
                "context": { "operation": "cpr.review" },
            });
            body
        } else {
            self.report(rng, at, "cpr.accepted", "accepted")
        };
        Composed::json("certified-payroll-gateway/2", body)
    }
}
