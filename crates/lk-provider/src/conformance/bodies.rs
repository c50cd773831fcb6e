//! Whatever its own events look like, every provider reads explicit outcomes, quarantines what
//! cannot be read, and lets nothing through that has to be redacted.

use lk_core::words::Outcome;
use serde_json::{Value, json};

use super::signing::NOW;
use crate::item::{Item, Unreadable};
use crate::{Headers, Inbound, Provider, Settings};

/// Data that must never be seen again: a test card, an example number, an example address.
const CANARIES: [&str; 4] = [
    "4242424242424242",
    "219-09-9999",
    "canary.person@example.com",
    "canary-pass-1234",
];

fn observe(provider: &dyn Provider, body: &[u8]) -> Result<Vec<Item>, Unreadable> {
    let headers: Headers = [("content-type", "application/json")].into_iter().collect();
    provider.observe(&Inbound::post("/", headers, body.to_vec(), NOW), &Settings::new())
}

pub(super) fn check(provider: &dyn Provider) -> Vec<String> {
    let mut findings = Vec::new();
    findings.extend(explicit(provider));
    findings.extend(unreadable(provider));
    findings.extend(redacted(provider));
    findings
}

fn report(status: &str) -> Value {
    json!({
        "id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "eventType": "employee.sync",
        "status": status,
        "timestamp": "2026-11-20T07:31:02Z",
        "payload": {"batch": 7},
    })
}

/// An application that forwards its own integration failures.
fn explicit(provider: &dyn Provider) -> Vec<String> {
    let mut findings = Vec::new();
    let mut failure = report("failure");
    failure["error"] = json!({
        "message": "The request was refused", "code": "refused_here",
        "context": {"operation": "employee.update", "httpStatus": 422},
    });
    match observe(provider, failure.to_string().as_bytes()).as_deref() {
        Ok([item]) => {
            let said = item.failure.as_ref().is_some_and(|f| {
                f.message == "The request was refused"
                    && f.code() == Some("refused_here")
                    && f.operation == "employee.update"
                    && f.http_status == Some(422)
            });
            if item.outcome != Some(Outcome::Failure) || !said {
                findings.push(format!("an explicit error is not read: {:?}", item.failure));
            }
            if item.occurred_at.is_none_or(|at| at.ms() != 1_795_159_862_000) {
                findings.push("an explicit report's time is not read".to_owned());
            }
        }
        other => findings.push(format!("an explicit error is not one item: {other:?}")),
    }
    match observe(provider, report("success").to_string().as_bytes()).as_deref() {
        Ok([item]) if item.outcome == Some(Outcome::Success) => {}
        other => findings.push(format!("an explicit success is not read: {other:?}")),
    }
    findings
}

fn unreadable(provider: &dyn Provider) -> Vec<String> {
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let cases: [(&str, &[u8]); 5] = [
        (
            "truncated JSON",
            b"{\"id\": \"1\", \"card\": \"4242424242424242\", \"x\":",
        ),
        ("invalid UTF-8", b"{\"id\": \"\xff\xfe\"}"),
        ("deep nesting", deep.as_bytes()),
        ("an empty body", b""),
        ("plain words", b"hello"),
    ];
    let mut findings = Vec::new();
    for (what, body) in cases {
        match observe(provider, body) {
            Ok(_) => findings.push(format!("{what} is read as if it were whole")),
            Err(unreadable) => {
                let kept = unreadable.head.get();
                if kept.contains(CANARIES[0])
                    || unreadable.body_bytes != body.len()
                    || unreadable.delivery_key.is_empty()
                {
                    findings.push(format!("{what} is not quarantined as it should"));
                }
            }
        }
    }
    findings
}

/// Canaries under harmless and sensitive keys, in texts, and in headers.
fn redacted(provider: &dyn Provider) -> Vec<String> {
    let text = CANARIES.join(" and ");
    let mut body = report("failure");
    body["error"] = json!({"message": format!("Failed for {} and {}", CANARIES[0], CANARIES[2]), "code": "x"});
    body["note"] = json!(text.replace(CANARIES[3], &format!("password={}", CANARIES[3])));
    body["data"] = json!({"list": [{"ssn": CANARIES[1]}, {"n": 4_242_424_242_424_242_u64}], "password": CANARIES[3]});
    let mut headers: Headers = [("authorization", CANARIES[3]), ("x-some-id", CANARIES[2])]
        .into_iter()
        .collect();
    headers.push("x-some-signature", CANARIES[3]);
    let inbound = Inbound::post("/", headers.clone(), body.to_string(), NOW);
    let seen = match provider.observe(&inbound, &Settings::new()) {
        Ok(items) => format!("{items:?} {:?}", provider.redactor().headers(&headers)),
        Err(unreadable) => format!("{unreadable:?}"),
    };
    CANARIES
        .iter()
        .filter(|canary| seen.contains(**canary))
        .map(|canary| format!("`{canary}` got through"))
        .collect()
}
