//! Bodies of each provider with canaries in them.

use serde_json::{Map, Value, json};

use super::plants::{Canary, DECLARED};
use super::{base64, percent};
use crate::harness::now;

/// How canaries are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrap {
    /// As values, some levels down.
    Nested,
    /// As JSON in a string.
    Escaped,
    /// As JSON in a string of JSON in a string.
    EscapedTwice,
    /// As JSON in percent encoding, in an address.
    Percent,
    /// As JSON in base64.
    Base64,
    /// As pairs of a form in a string.
    Form,
    /// As keys of an object and, where they are numbers, as numbers.
    Keys,
}

impl Wrap {
    pub(super) const ALL: [Self; 7] = [
        Self::Nested,
        Self::Escaped,
        Self::EscapedTwice,
        Self::Percent,
        Self::Base64,
        Self::Form,
        Self::Keys,
    ];
}

/// The keys a provider's manifest declares, or one that is sensitive everywhere.
pub(super) fn declared_keys(provider: &str) -> Vec<String> {
    let registry = lk_providers::registry().expect("valid");
    let keys = registry.get(provider).expect("known").manifest().redact.keys.clone();
    if keys.is_empty() {
        vec!["surname".to_owned()]
    } else {
        keys
    }
}

/// A canary as an object: under its key, or in a sentence.
fn object(canary: &Canary, n: usize, declared: &[String]) -> Value {
    let Some(key) = canary.key else {
        return json!({ "note": format!("Told by support: {}, please check", canary.text) });
    };
    let key = if key == DECLARED {
        &declared[n % declared.len()]
    } else {
        key
    };
    let (parent, key) = key.rsplit_once('.').unwrap_or(("record", key));
    json!({ parent: { key: canary.text } })
}

fn wrapped(wrap: Wrap, canary: &Canary, n: usize, declared: &[String]) -> Value {
    let plain = object(canary, n, declared);
    match wrap {
        Wrap::Nested => json!({ "details": [{ "rows": [plain] }] }),
        Wrap::Escaped => json!({ "raw": plain.to_string() }),
        Wrap::EscapedTwice => json!({ "raw": json!({ "inner": plain.to_string() }).to_string() }),
        Wrap::Percent => json!({ "link": format!("https://app.example.com/go?state={}", percent(&plain.to_string())) }),
        Wrap::Base64 => json!({ "blob": base64(&plain.to_string()) }),
        Wrap::Form => match canary.key {
            None => json!({ "raw": format!("a=1&note={}&z=2", percent(&canary.text)) }),
            // A parent cannot be told in a form.
            Some(key) if key != DECLARED => json!({ "raw": format!("a=1&{key}={}&z=2", percent(&canary.text)) }),
            Some(_) => plain,
        },
        Wrap::Keys if canary.key.is_some() => plain,
        Wrap::Keys => {
            let mut map = Map::new();
            map.insert(canary.text.clone(), json!(1));
            if canary.kind == "card" {
                map.insert(
                    "reference".to_owned(),
                    json!(canary.text.parse::<u64>().unwrap_or_default()),
                );
            }
            Value::Object(map)
        }
    }
}

/// Canaries to be put into a body.
pub(super) fn extra(wrap: Wrap, canaries: &[Canary], declared: &[String]) -> Value {
    let all = canaries.iter().enumerate();
    all.map(|(n, canary)| wrapped(wrap, canary, n, declared)).collect()
}

/// The event `n` of a provider with `extra` in it; a failure when there is a message.
pub(super) fn event(provider: &str, n: usize, extra: Value, failed: Option<&str>) -> Value {
    let at = now().0 / 1_000;
    let iso = "2026-11-20T07:31:02Z";
    let error = failed.map(|message| json!({ "code": format!("refused_{}", n % 7), "message": message }));
    let word = if failed.is_some() { "failed" } else { "succeeded" };
    let mut event = match provider {
        "stripe" => json!({
            "id": format!("evt_{n}"), "created": at,
            "type": if failed.is_some() { "payment_intent.payment_failed" } else { "payment_intent.succeeded" },
            "data": { "object": { "last_payment_error": error, "metadata": extra } },
        }),
        "gusto" => json!({
            "uuid": format!("8f2c1a6e-{n}"), "event_type": format!("payroll.{word}"), "timestamp": at,
            "resource_uuid": "0f5e3c1a", "payload": extra,
        }),
        "quickbooks" => json!({
            "specversion": "1.0", "id": format!("ce-{n}"), "source": "intuit.test", "type": "bill.update", "time": iso,
            "intuitentityid": "12", "intuitaccountid": "34", "data": extra,
        }),
        "procore" => json!({
            "ulid": format!("ULID{n}"), "timestamp": iso, "company_id": 5, "event_type": "create",
            "resource_name": "Timecard Entries", "resource_id": n, "metadata": extra,
        }),
        "slack" => json!({
            "type": "event_callback", "event_id": format!("Ev{n}"), "event_time": at, "team_id": "T0DEMO123",
            "event": { "type": "message", "blocks": extra },
        }),
        "github" => json!({
            "action": "completed", "sender": { "login": "octo" }, "repository": { "full_name": "ridgeline/site" },
            "workflow_run": {
                "name": failed.unwrap_or("CI"), "head_branch": "main", "updated_at": iso,
                "conclusion": if failed.is_some() { "failure" } else { "success" },
            },
            "inputs": extra,
        }),
        _ => json!({ "type": format!("invoice.{word}"), "timestamp": iso, "data": extra }),
    };
    if let Some(error) = error
        && !matches!(provider, "stripe" | "github")
    {
        event["status"] = "failure".into();
        event["error"] = error;
    }
    if provider == "quickbooks" {
        json!([event])
    } else {
        event
    }
}

/// A failure whose type, code, operation and account are made of a canary.
pub(super) fn called_by_it(text: &str) -> Value {
    json!({
        "event": format!("sync of {text}"), "account": text, "user": text, "status": "failure",
        "error": { "code": text, "message": "It did not work", "field": text,
                   "context": { "operation": format!("GET /people/{text}/pay"), "httpStatus": 422 } },
    })
}

/// Form bodies: pairs, and JSON in a pair.
pub(super) fn forms(canaries: &[Canary], declared: &[String], n: usize) -> [String; 2] {
    let mut pairs = format!("command=%2Fdeploy&team_id=T0DEMO123&trigger_id=t.{n}");
    for (at, canary) in canaries.iter().enumerate() {
        let key = match canary.key {
            None => "text",
            Some(DECLARED) => &declared[at % declared.len()],
            Some(key) => key,
        };
        pairs = format!("{pairs}&{key}={}", percent(&canary.text));
    }
    let payload = json!({
        "type": "block_actions", "trigger_id": format!("p.{n}"), "team": { "id": "T0DEMO123" },
        "actions": extra(Wrap::Nested, canaries, declared),
    });
    [pairs, format!("payload={}", percent(&payload.to_string()))]
}
