use lk_core::Time;

use super::*;
use crate::check::{Call, Probe, probes};

const NOW: Time = Time(1_795_176_000_000);
const MANIFEST: &str = r#"
key = "acme"
name = "Acme"
summary = "s"
capabilities = ["check"]
[[fields]]
key = "token"
label = "Token"
kind = "secret"
[[auth]]
kind = "api_key"
label = "Token"
token_field = "token"
[check]
base_url = "https://api.acme.example"
[[check.probe]]
name = "me"
rung = "capability"
path = "/me"
require = ["/login", { pointer = "/total", is = "number" }]
fail_when = [
    { pointer = "/error", in = ["missing_scope"], rung = "scopes" },
    { pointer = "/error", equals = "token_revoked", rung = "credential", credential = "revoked" },
    { pointer = "/errors", exists = true },
]
warn_when = [{ pointer = "/archived", equals = "true", note = "{/login} is archived." }]
account = "{/login}"
scopes_header = "x-oauth-scopes"
needs_scopes = ["read", ["write", "admin"]]
expires_header = "x-expires"
"#;

fn judge(status: u16, headers: &[(&str, &str)], body: &str) -> Reading {
    judge_by(MANIFEST, &[("token", "t")], status, headers, body)
}

fn judge_by(manifest: &str, settings: &[(&str, &str)], status: u16, headers: &[(&str, &str)], body: &str) -> Reading {
    let manifest = Manifest::parse(manifest).unwrap();
    let settings: Settings = settings.iter().copied().collect();
    let asked = probes(&manifest, &settings);
    let response = HttpResponse {
        status,
        headers: headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        body: body.as_bytes().to_vec(),
    };
    let answer = Answer {
        probe: &asked[0],
        response: &response,
        now: NOW,
    };
    read(&manifest, &answer, &settings)
}

fn rung(status: u16, headers: &[(&str, &str)], body: &str) -> Option<Rung> {
    judge(status, headers, body).failed.map(|failed| failed.rung)
}

const GOOD: &str = r#"{"login":"ada","total":3}"#;

#[test]
fn a_good_answer_tells_account_scopes_and_standing() {
    let reading = judge(
        200,
        &[("x-oauth-scopes", "read, admin"), ("x-ratelimit-remaining", "9")],
        GOOD,
    );
    assert_eq!(reading.failed, None);
    assert_eq!(reading.account.as_deref(), Some("ada"));
    assert_eq!(
        reading.scopes.as_deref(),
        Some(&["read".to_owned(), "admin".to_owned()][..])
    );
    assert!(reading.missing_scopes.is_empty() && reading.warnings.is_empty());
    assert_eq!(reading.credential, Some(CredentialState::Active));
    assert_eq!(reading.quotas[0].remaining, 9);
}

#[test]
fn a_missing_scope_is_a_warning_and_silence_is_not() {
    let reading = judge(200, &[("x-oauth-scopes", "other")], GOOD);
    assert_eq!(reading.missing_scopes, ["read", "write"]);
    assert!(reading.failed.is_none() && reading.warnings.has(Warnings::SCOPES));
    let silent = judge(200, &[], GOOD);
    assert!(silent.missing_scopes.is_empty() && silent.scopes.is_none());
    let more = [("token", "t"), ("needs_scopes", "read chat,read")];
    let reading = judge_by(MANIFEST, &more, 200, &[("x-oauth-scopes", "read,write")], GOOD);
    assert_eq!(reading.missing_scopes, ["chat"]);
}

#[test]
fn a_credential_that_ends_soon_is_told() {
    let ends = |at| judge(200, &[("x-expires", at)], GOOD);
    let soon = ends("2026-11-25 12:00:00 UTC");
    assert_eq!(soon.credential_ends, Some(Time(NOW.ms() + 5 * DAY)));
    assert!(soon.warnings.has(Warnings::CREDENTIAL));
    assert_eq!(soon.credential, Some(CredentialState::Expiring));
    let late = ends("2027-11-25 12:00:00 +0000");
    assert!(late.credential_ends.is_some() && late.warnings.is_empty());
    assert_eq!(ends("never").credential_ends, None);
}

#[test]
fn refusals_blame_their_rung() {
    for (status, body, blamed) in [
        (401, r#"{"message":"Bad credentials"}"#, Rung::Credential),
        (401, "<html>401</html>", Rung::Credential),
        (403, r#"{"message":"Resource not accessible by token"}"#, Rung::Scopes),
        (403, r#"{"message":"insufficient permissions"}"#, Rung::Scopes),
        (403, r#"{"message":"API rate limit exceeded"}"#, Rung::Quota),
        (403, r#"{"message":"account is suspended"}"#, Rung::Credential),
        (404, r#"{"message":"Not Found"}"#, Rung::Capability),
        (422, "{}", Rung::Capability),
        (429, "slow down", Rung::Quota),
        (429, "<html>slow down</html>", Rung::Quota),
        (408, "", Rung::Http),
        (301, "", Rung::Http),
        (500, "oops", Rung::Http),
        (503, "<!DOCTYPE html><title>503</title>", Rung::Http),
        (404, "<!DOCTYPE html><title>Not here</title>", Rung::Http),
    ] {
        assert_eq!(rung(status, &[], body), Some(blamed), "{status} {body}");
    }
    let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "60")];
    let reading = judge(403, &spent, r#"{"message":"Forbidden"}"#);
    assert_eq!(reading.failed.unwrap().rung, Rung::Quota);
    assert_eq!(reading.not_before, Some(Time(NOW.ms() + 60_000)));
}

#[test]
fn pages_and_broken_json_are_of_the_wrong_form() {
    let page = judge(
        200,
        &[("content-type", "text/html")],
        "<!doctype html><title>Docs</title>",
    );
    let failed = page.failed.unwrap();
    assert_eq!((failed.rung, failed.body.contains("<title>Docs")), (Rung::Http, true));
    for broken in ["", "OK", "{\"login\":", "\u{1f4a5}\u{1f4a5}\u{1f4a5}\u{1f4a5}\u{1f4a5}"] {
        let failed = judge(200, &[], broken).failed.unwrap();
        assert_eq!(failed.rung, Rung::Http, "{broken}");
        assert!(failed.body.contains("not_json"), "{broken}");
    }
    assert_eq!(rung(200, &[("content-type", "text/html")], GOOD), None);
}

#[test]
fn a_200_can_be_a_failure() {
    let revoked = judge(200, &[], r#"{"error":"token_revoked"}"#);
    assert_eq!(revoked.credential, Some(CredentialState::Revoked));
    assert_eq!(revoked.failed.unwrap().rung, Rung::Credential);
    assert_eq!(rung(200, &[], r#"{"error":"missing_scope"}"#), Some(Rung::Scopes));
    assert_eq!(
        rung(200, &[], r#"{"login":"a","total":1,"errors":[{"m":1}]}"#),
        Some(Rung::Capability)
    );
    assert_eq!(rung(200, &[], r#"{"login":"a","total":1,"errors":[]}"#), None);
}

#[test]
fn a_changed_shape_names_what_is_missing() {
    for (body, words) in [
        (r#"{"total":1}"#, "no login"),
        (r#"{"login":null,"total":1}"#, "no login"),
        (r#"{"login":"a","total":"1"}"#, "total of another kind than number"),
        ("[]", "no login"),
    ] {
        let failed = judge(200, &[], body).failed.unwrap();
        assert_eq!(failed.rung, Rung::Capability);
        assert!(
            failed.body.contains("unexpected_shape") && failed.body.contains(words),
            "{}",
            failed.body
        );
    }
}

#[test]
fn a_refused_key_needs_a_person_a_refused_token_its_refresh() {
    assert_eq!(judge(401, &[], "").credential, Some(CredentialState::NeedsReauth));
    let oauth = MANIFEST.replace(
        "kind = \"api_key\"\nlabel = \"Token\"\ntoken_field = \"token\"",
        "kind = \"client_credentials\"\nlabel = \"l\"\ntoken_url = \"https://a.example/t\"\nclient_id_field = \"token\"\nclient_secret_field = \"token\"",
    );
    let refused = judge_by(&oauth, &[("access_token", "t")], 401, &[], "");
    assert_eq!(
        (refused.credential, refused.failed.unwrap().rung),
        (None, Rung::Credential)
    );
}

#[test]
fn an_empty_refusal_is_told_by_its_challenge() {
    let challenge = [("www-authenticate", "Bearer error=\"invalid_token\"")];
    assert!(
        judge(401, &challenge, "")
            .failed
            .unwrap()
            .body
            .contains("invalid_token")
    );
    assert_eq!(judge(404, &[], "").failed.unwrap().body, "HTTP 404 without a body");
    assert!(judge(302, &[], "").failed.unwrap().body.contains("unexpected_status"));
}

#[test]
fn notices_and_optional_questions_warn() {
    let archived = judge(200, &[], r#"{"login":"ada","total":3,"archived":true}"#);
    assert!(archived.failed.is_none() && archived.warnings.has(Warnings::NOTICE));
    assert_eq!(archived.notes, ["ada is archived."]);
    let optional = MANIFEST.replace("path = \"/me\"", "path = \"/me\"\noptional = true");
    let refused = judge_by(&optional, &[("token", "t")], 404, &[], "{}");
    assert!(refused.failed.is_none() && refused.warnings.has(Warnings::NOTICE) && refused.credential.is_none());
}

#[test]
fn debug_of_probes_and_readings_shows_no_credential() {
    let manifest = Manifest::parse(MANIFEST).unwrap();
    let settings: Settings = [("token", "not-a-real-token")].into_iter().collect();
    let asked: Vec<Probe> = probes(&manifest, &settings);
    assert!(
        matches!(&asked[0].call, Call::Http(request) if request.headers.iter().any(|(_, v)| v.contains("not-a-real")))
    );
    assert!(!format!("{asked:?}").contains("not-a-real"));
}
