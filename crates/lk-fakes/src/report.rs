//! Failures that a provider never sends a webhook about (an expired token, a refused call) reach
//! Linekeeper as the company's own sync middleware reports them: the delivery says `status` and,
//! for failures, carries an `error` with message, code and context.

use lk_core::Time;
use serde_json::{Value, json};

/// A refused call.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// What was attempted (`payroll.submit`).
    pub operation: &'a str,
    /// The answer's status.
    pub http_status: u16,
    /// The provider's code.
    pub code: &'a str,
    /// What the provider said.
    pub message: &'a str,
}

/// `envelope` as the report of a success.
pub fn success(mut envelope: Value) -> Value {
    envelope["status"] = json!("success");
    envelope
}

/// `envelope` as the report of a refused call.
pub fn failure(mut envelope: Value, refusal: Refusal<'_>) -> Value {
    envelope["status"] = json!("failure");
    envelope["error"] = json!({
        "message": refusal.message,
        "code": refusal.code,
        "context": { "httpStatus": refusal.http_status, "operation": refusal.operation },
    });
    envelope
}

/// Seconds since the epoch, as many providers write times.
pub const fn epoch_s(at: Time) -> i64 {
    at.ms().div_euclid(1_000)
}

/// ISO 8601 in UTC; the epoch where `at` is no date.
pub fn iso(at: Time) -> String {
    jiff::Timestamp::from_millisecond(at.ms())
        .unwrap_or_default()
        .to_string()
}

/// The date in UTC (`2026-11-21`).
pub fn date(at: Time) -> String {
    iso(at).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_say_how_it_ended() {
        assert_eq!(success(json!({"id": 1}))["status"], "success");
        let refusal = Refusal {
            operation: "payroll.submit",
            http_status: 401,
            code: "invalid_token",
            message: "no",
        };
        let report = failure(json!({"id": 1}), refusal);
        assert_eq!(report["error"]["context"]["httpStatus"], 401);
        assert_eq!((&report["status"], &report["id"]), (&json!("failure"), &json!(1)));
    }

    #[test]
    fn times_have_their_forms() {
        let at = Time(1_763_694_000_250);
        assert_eq!(
            (epoch_s(at), iso(at).as_str()),
            (1_763_694_000, "2025-11-21T03:00:00.25Z")
        );
        assert_eq!(date(at), "2025-11-21");
    }
}
