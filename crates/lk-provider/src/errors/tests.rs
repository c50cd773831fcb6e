//! Bodies of every shape.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

fn explainer() -> Explainer {
    let generic = ErrorRules::parse(
        "[[rule]]\ncode=[\"invalid_grant\"]\ndoc=\"auth.refresh_token_invalid\"\n\
         [[rule]]\nmatch=\"already exists\"\ndoc=\"data_state_mismatch.duplicate\"\n",
    )
    .expect("generic rules");
    let own = ErrorRules::parse(
        "docs=\"https://example.com/errors\"\n[extract]\ncode=[\"/outer/[*]/inner\"]\n\
         [[rule]]\ncode=[\"token_revoked\", \"AADSTS50057\", \"610\"]\ndoc=\"auth.account_disabled\"\n",
    )
    .expect("own rules");
    let generic = Arc::new(generic.compile().expect("generic layer"));
    Explainer::new(&own, &generic).expect("explainer")
}

fn read(status: Option<u16>, body: &str) -> Failure {
    let call = Call {
        provider: "p",
        provider_name: "P",
        operation: "x",
        http_status: status,
    };
    explainer().extract(&call, body, |text| text)
}

#[test]
fn codes_are_found_in_every_envelope() {
    let cases: &[(&str, &str)] = &[
        (
            r#"{"error":{"type":"card_error","code":"card_declined","decline_code":"lost_card","message":"m"}}"#,
            "lost_card",
        ),
        (
            r#"{"errors":[{"error_key":"base","category":"payroll_blocker","message":"m","metadata":{"key":"missing_forms"}}]}"#,
            "missing_forms",
        ),
        (
            r#"{"errors":[{"error_key":"a","category":"nested_errors","errors":[{"error_key":"b","category":"invalid_attribute_value","message":"m"}]}]}"#,
            "invalid_attribute_value",
        ),
        (
            r#"{"Fault":{"Error":[{"Message":"m","Detail":"d","code":"610"}],"type":"ValidationFault"}}"#,
            "610",
        ),
        (
            r#"{"fault":{"error":[{"message":"m","code":"3200"}],"type":"AUTHENTICATION"}}"#,
            "3200",
        ),
        (
            r#"{"error":"invalid_grant","error_description":"Token expired."}"#,
            "invalid_grant",
        ),
        (
            r#"{"error":"invalid_grant","error_description":"AADSTS50057: UserDisabled"}"#,
            "AADSTS50057",
        ),
        (
            r#"{"error":{"errors":[{"reason":"backendError"}],"code":500,"status":"INTERNAL"}}"#,
            "backendError",
        ),
        (
            r#"{"errors":[{"message":"m","extensions":{"code":"THROTTLED"}}]}"#,
            "THROTTLED",
        ),
        (
            r#"{"error_summary":"path/not_found/.","error":{".tag":"path","path":{".tag":"not_found"}}}"#,
            "path/not_found",
        ),
        (
            r#"{"error":{"code":"accessDenied","innerError":{"code":"tokenExpired"}}}"#,
            "tokenExpired",
        ),
        (r#"{"outer":[{"inner":"first"}],"code":"second"}"#, "first"),
        (r#""{\"error\":\"invalid_grant\"}""#, "invalid_grant"),
        (
            "SlackApiError: The server responded with: {'ok': False, 'error': 'missing_scope'}",
            "missing_scope",
        ),
        ("error=invalid_grant&error_description=expired+token", "invalid_grant"),
        ("token_revoked", "token_revoked"),
        ("Web API failed (token_revoked)", "token_revoked"),
        ("503: SERVICE_UNAVAILABLE\nCode: SITE_ASLEEP", "SITE_ASLEEP"),
        (
            r#"<Fault type="AuthenticationFault"><Error code="100"><Message>General</Message></Error></Fault>"#,
            "100",
        ),
    ];
    for (body, code) in cases {
        assert_eq!(read(None, body).code(), Some(*code), "{body}");
    }
}

#[test]
fn statuses_are_read_from_text() {
    let cases = [
        (r#"<HttpError 403 when requesting https://x returned "no">"#, 403),
        ("Error: HTTP Status 403 for request POST https://x", 403),
        ("Octokit::ServerError: POST https://x: 504 - oops", 504),
        ("429: Too Many Requests", 429),
        ("PUT /x failed (422): no", 422),
        ("Request failed with status code 401", 401),
        ("Unexpected server response: 408", 408),
        (r#"{"statusCode":409,"error":"Conflict"}"#, 409),
    ];
    for (body, status) in cases {
        assert_eq!(read(None, body).http_status, Some(status), "{body}");
    }
    assert_eq!(read(Some(418), "429: Too Many Requests").http_status, Some(418));
    assert_eq!(read(Some(200), r#"{"ok":false}"#).http_status, Some(200));
}

#[test]
fn network_failures_are_recognised() {
    let cases = [
        ("connect ECONNREFUSED 10.0.0.1:443", Transport::Connect),
        ("getaddrinfo ENOTFOUND api.example.com", Transport::Dns),
        ("x509: certificate signed by unknown authority", Transport::Tls),
        ("SSLError(SSLV3_ALERT_HANDSHAKE_FAILURE)", Transport::Tls),
        ("Error: socket hang up", Transport::Reset),
        (
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            Transport::Timeout,
        ),
        (
            r#"{"raw":{"message":"m","detail":{"code":"ECONNRESET"}}}"#,
            Transport::Reset,
        ),
    ];
    for (body, kind) in cases {
        assert_eq!(read(None, body).transport, Some(kind), "{body}");
    }
    assert_eq!(read(Some(504), "timed out").transport, None);
    assert_eq!(read(None, "Name already exists").transport, None);
}

#[test]
fn where_a_program_threw_is_no_part_of_the_words() {
    let node = "Error: no luck\n    at Object.send (/srv/app/status.js:4:2)\n    at async main (/srv/app/index.js:1:1)";
    assert_eq!(read(None, node).message, "Error: no luck");
    let python =
        "Traceback (most recent call last):\n  File \"/srv/app/main.py\", line 4, in send\nValueError: no luck";
    assert_eq!(read(None, python).message, "ValueError: no luck");
    let prose = "Failed\nat checkout";
    assert_eq!(read(None, prose).message, prose);
}

#[test]
fn a_reason_to_decline_is_told_as_one() {
    let body = r#"{"status":"denied","decline_reason":"Card Not Active"}"#;
    assert_eq!(read(None, body).message, "Declined: Card Not Active");
}

#[test]
fn pages_are_pages() {
    let page = read(
        Some(200),
        "<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
    );
    assert!(page.html);
    assert_eq!(page.message, "Sign in");
    let page = read(None, "<html><head><title>502 Bad Gateway</title></head></html>");
    assert_eq!(page.http_status, Some(502));
}

#[test]
fn the_redactor_sees_the_words_alone() {
    let call = Call {
        provider: "p",
        provider_name: "Acme",
        operation: "customer.create",
        http_status: Some(400),
    };
    let body = r#"{"error":{"code":"token_revoked","message":"ann@example.com is gone"}}"#;
    let explained = explainer().explain(&call, body, |text| text.replace("ann@example.com", "<email>"));
    assert_eq!(explained.failure.message, "<email> is gone");
    assert_eq!(explained.failure.code(), Some("token_revoked"));
    assert!(explained.explanation.title.contains("Acme"));
    assert_eq!(
        explained.explanation.link.as_deref(),
        Some("https://example.com/errors")
    );
}

#[test]
fn unknown_keys_and_words_are_refused() {
    assert!(ErrorRules::parse("[[rule]]\ncodes=[\"x\"]\ndoc=\"auth.token_expired\"\n").is_err());
    let rules =
        ErrorRules::parse("[[rule]]\ncode=[\"x\"]\ndoc=\"auth.token_expired\"\nseverity=\"huge\"\n").expect("parses");
    assert!(matches!(rules.compile(), Err(ErrorRulesError::Word { .. })));
}

#[test]
fn rules_that_do_not_compile_are_told_by_check_and_leave_the_generic_ones() {
    let generic = "[[rule]]\nmatch=\"already exists\"\ndoc=\"data_state_mismatch.duplicate\"\n";
    let broken = "[[rule]]\nmatch=\"(\"\ndoc=\"auth.token_expired\"\n";
    let large = "[[rule]]\nmatch=\"(.{0,1000}){1000}x\"\ndoc=\"auth.token_expired\"\n";
    for (source, fine) in [(generic, true), (broken, false), (large, false)] {
        let all = Explainers::load(generic, [("p", source)]).expect("parses");
        assert_eq!(all.check().is_ok(), fine, "{source}");
        let call = Call {
            provider: "p",
            provider_name: "P",
            operation: "x",
            http_status: None,
        };
        let explained = all.of("p").explain(&call, "It already exists", |text| text);
        assert_eq!(explained.verdict.doc.as_str(), "data_state_mismatch.duplicate");
    }
    assert!(Explainers::load("[[rule]]\nx=1\n", []).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_body_is_read(body in any::<String>(), status in prop::option::of(any::<u16>())) {
        let call = Call { provider: "p", provider_name: "P", operation: "x", http_status: status };
        explainer().explain(&call, &body, |text| text);
    }

    #[test]
    fn any_json_like_body_is_read(body in "([{}\\[\\]\":,<>/'= ]|error|code|message|[a-z]{1,4}|[0-9]{1,3}){0,60}") {
        read(None, &body);
    }
}
