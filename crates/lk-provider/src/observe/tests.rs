use lk_core::words::Outcome;
use serde_json::{Value, json};

use super::*;
use crate::{Headers, Manifest};

const MANIFEST: &str = r#"
key = "sample"
name = "Sample"
summary = "For tests."
capabilities = ["webhook"]

[webhook.signature]
scheme = "hmac"
header = "x-sig"

[webhook.secret]
label = "Secret"
hint = "Anywhere."

[webhook.body]
batch = ["/items/[*]"]
delivery_key = ["{/uid}", "{header:x-delivery}"]

[[webhook.match]]
type = ["card.*"]
pointer = "/approved"
in = ["false"]
outcome = "failure"
message = "Declined: {/why}"
code = ["{/why}", "declined"]

[[webhook.match]]
type = ["card.*"]
outcome = "success"
"#;

fn described() -> Described {
    Described::from_manifest(Manifest::parse(MANIFEST).unwrap())
}

fn read_with(headers: Headers, body: &[u8]) -> Result<Vec<Item>, Unreadable> {
    let described = described();
    let inbound = Inbound::post("/", headers, body.to_vec(), Time(0));
    let batch = described.manifest().webhook.as_ref().unwrap().body.batch.clone();
    observe(
        &described,
        &inbound,
        &Settings::new(),
        &|body| split(&batch, body),
        &|_, _| {},
    )
}

fn read(body: Value) -> Vec<Item> {
    read_with(Headers::new(), body.to_string().as_bytes()).unwrap()
}

#[test]
fn matches_are_asked_in_order() {
    let items = read(json!({"items": [
        {"type": "card.used", "approved": false, "why": "limit"},
        {"type": "card.used", "approved": true},
        {"type": "other", "approved": false},
    ]}));
    let told: Vec<_> = items.iter().map(|item| item.outcome).collect();
    assert_eq!(told, [Some(Outcome::Failure), Some(Outcome::Success), None]);
    let failure = items[0].failure.as_ref().unwrap();
    assert_eq!(failure.message, "Declined: limit");
    assert_eq!(failure.codes, ["limit", "declined"]);
    assert_eq!(failure.operation, "card.used");
}

#[test]
fn explicit_outcomes() {
    let cases = [
        (json!({"status": "failure"}), Some(Outcome::Failure), None, None),
        (
            json!({"status": "FAILED", "message": "m"}),
            Some(Outcome::Failure),
            Some("m"),
            None,
        ),
        (
            json!({"ok": false, "error": "not_authed"}),
            Some(Outcome::Failure),
            Some("not_authed"),
            None,
        ),
        (
            json!({"errors": ["first", "second"]}),
            Some(Outcome::Failure),
            Some("first"),
            None,
        ),
        (
            json!({"errors": {"name": ["required"]}}),
            Some(Outcome::Failure),
            Some("name: required"),
            None,
        ),
        (json!({"statusCode": 503}), Some(Outcome::Failure), None, Some(503)),
        (
            json!({"http_status": "401", "error": {"message": "m"}}),
            Some(Outcome::Failure),
            Some("m"),
            Some(401),
        ),
        (
            json!({"data": {"status": "rejected", "reason": "r"}}),
            Some(Outcome::Failure),
            Some("r"),
            None,
        ),
        (
            json!({"fault": {"error": [{"message": "m", "code": "3200"}]}}),
            Some(Outcome::Failure),
            Some("m"),
            None,
        ),
        (
            json!({"status": "success", "error": null, "errors": []}),
            Some(Outcome::Success),
            None,
            None,
        ),
        (json!({"success": true}), Some(Outcome::Success), None, None),
        (json!({"status": 200}), Some(Outcome::Success), None, None),
        (json!({"type": "sync.failed"}), Some(Outcome::Failure), None, None),
        (json!({"type": "check.completed"}), None, None, None),
        (json!({"status": "pending"}), None, None, None),
        (json!({"error": ""}), None, None, None),
        (json!([1, 2]), None, None, None),
    ];
    for (body, outcome, message, status) in cases {
        let items = read(body.clone());
        assert_eq!(items[0].outcome, outcome, "{body}");
        let failure = items[0].failure.as_ref();
        if let Some(message) = message {
            assert_eq!(failure.unwrap().message, message, "{body}");
        }
        assert_eq!(failure.and_then(|f| f.http_status), status, "{body}");
    }
}

#[test]
fn a_providers_own_three_digit_code_is_kept() {
    let items =
        read(json!({"status": "failure", "Fault": {"Error": [{"Message": "m", "code": "610"}, {"code": 500}]}}));
    assert_eq!(items[0].failure.as_ref().unwrap().codes, ["610"]);
}

#[test]
fn delivery_keys_are_stable_and_distinct() {
    let key = |headers: &[(&str, &str)], body: &str| -> Vec<String> {
        let headers: Headers = headers.iter().copied().collect();
        read_with(headers, body.as_bytes())
            .unwrap()
            .into_iter()
            .map(|item| item.delivery_key)
            .collect()
    };
    assert_eq!(key(&[], r#"{"uid": "u1"}"#), ["u1"]);
    assert_eq!(key(&[("x-delivery", "d1")], r#"{"n": 1}"#), ["d1"]);
    assert_eq!(key(&[], r#"{"id": 7}"#), ["7"]);
    let hashed = key(&[], r#"{"n": 1}"#);
    assert!(hashed[0].starts_with("hash:"));
    assert_eq!(hashed, key(&[], r#"{ "n": 1 }"#));
    let batch = key(
        &[("x-delivery", "d1")],
        r#"{"items": [{"n": 1}, {"n": 2}, {"uid": "u3"}]}"#,
    );
    assert!(batch[0].starts_with("d1:hash:") && batch[0] != batch[1]);
    assert!(key(&[], &json!({"uid": "x".repeat(500)}).to_string())[0].starts_with("hash:"));
}

#[test]
fn unreadable_bodies_are_kept_redacted() {
    let cause = |body: &[u8]| read_with(Headers::new(), body).map(|_| ()).unwrap_err().cause;
    assert_eq!(cause(b"{\"a\": "), UnreadableCause::Syntax);
    assert_eq!(cause(b"{\"a\": \"\xff\"}"), UnreadableCause::Encoding);
    assert_eq!(cause(b" \n"), UnreadableCause::Empty);
    assert_eq!(cause("[".repeat(100_000).as_bytes()), UnreadableCause::TooDeep);
    let many = json!({"items": vec![1; MAX_ITEMS + 1]}).to_string();
    assert_eq!(cause(many.as_bytes()), UnreadableCause::TooMany);
    let kept = read_with(Headers::new(), b"{\"card\": \"4242424242424242\", ").unwrap_err();
    assert!(kept.head.get().contains("[redacted:card]") && !kept.head.get().contains("4242"));
    assert_eq!(kept.body_hash.len(), 64);
    let long = "x".repeat(10_000);
    assert_eq!(
        read_with(Headers::new(), long.as_bytes()).unwrap_err().head.get().len(),
        HEAD_BYTES
    );
}

#[test]
fn nesting_is_counted_outside_strings() {
    assert!(!deeper_than(br#"{"a": "[[[[[[\"[[["}"#, 1));
    assert!(deeper_than(b"[[1]]", 1) && !deeper_than(b"[[1],[2]]", 2));
    let deepest = format!("{}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(read_with(Headers::new(), deepest.as_bytes()).is_ok());
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(200))]

    #[test]
    fn any_body_is_read_or_quarantined(body in proptest::prelude::any::<Vec<u8>>()) {
        let _ = read_with(Headers::new(), &body);
    }

    #[test]
    fn any_json_is_read(keys in proptest::collection::vec("(error|errors|status|code|message|data|id|context|[a-z]{1,5})", 1..5), leaf in "[0-9a-z ]{0,8}") {
        let mut body = json!(leaf);
        for (at, key) in keys.iter().enumerate() {
            body = if at % 2 == 0 { json!({ key: body }) } else { json!([{ key: body }, 404, null]) };
        }
        let body = json!({ "top": 1, "error": body });
        proptest::prop_assert_eq!(read(body).len(), 1);
    }
}
