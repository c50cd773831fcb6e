use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::observe::MAX_DEPTH;

fn redactor() -> Redactor {
    Redactor::new(&[
        "employee_name".to_owned(),
        "salary".to_owned(),
        "holder.name".to_owned(),
    ])
}

fn clean(text: &str) -> String {
    redactor().text(text).into_inner()
}

/// Fake secrets are put together at run time, so that scanners of this repository stay quiet.
fn tokens() -> Vec<String> {
    let long = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6";
    vec![
        format!("sk_{}_{long}", "live"),
        format!("rk_{}_{long}", "test"),
        format!("wh{}_{long}", "sec"),
        format!("xo{}-123456789012-{long}", "xb"),
        format!("gh{}_{long}", "p"),
        format!("github{}_{long}", "_pat"),
        format!("AK{}ABCDEFGHIJKLMNOP", "IA"),
        format!("AI{}{long}", "za"),
        format!("ya{}.{long}", "29"),
        format!("ey{}.{long}.{long}", "JhbGciOiJIUzI1NiJ9"),
        format!("sk{}{long}", "-"),
        format!("Bearer {long}"),
        format!("Basic {long}=="),
        format!("https://hooks.example.com/services/T{0}/B{0}/{long}", "0ABCDEF12"),
        format!("https://x.example.com/workflows/abc?api-version=1&sp=run&sig={long}"),
        "postgres://app:hunter2hunter2@db.internal:5432/x".to_owned(),
        format!(
            "-----BEGIN {} KEY-----\nMIIBVgIBADANBgkq\n-----END {0} KEY-----",
            "PRIVATE"
        ),
        format!("password={long}"),
        format!("client_secret: {long}"),
        format!("aws_secret_access_key={long}"),
        format!("GOC{}-{long}", "SPX"),
        format!("hf{}{long}", "_"),
        format!("py{}-{long}", "pi"),
        format!("sb_sec{}_{long}", "ret"),
        format!("https://chat.example.com/api/webhooks/123456789012345678/{long}"),
        format!("DefaultEndpointsProtocol=https;AccountKey={long}=="),
        format!("xa{}-1-A0ABCDEF-123456-{long}", "pp"),
        format!("np{}_{long}{long}", "m"),
        format!("dl_api{}_{long}", "_key"),
    ]
}

const PERSONAL: &[&str] = &[
    "4242424242424242",
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "378282246310005",
    "3782 822463 10005",
    "6011111111111117",
    "30569309025904",
    "5555555555554444",
    "219-09-9999",
    "078 05 1120",
    "jane.doe+payroll@example.co.uk",
    "jane%40example.com",
    "(415) 555-0132",
    "415-555-0132",
    "+1 415 555 0132",
    "+442079460958",
    "1-415-555-0132",
    "415.555.0132",
    "(415)555-0132",
    "1 (415) 555-0132",
    "+1-415-555-0132",
    "+44 20 7946 0958",
    "+49 (0)30 901820",
    "account number 000123456789",
    "Routing number: 110000000",
    "4000056655665556",
    "2223003122003222",
    "6200000000000005",
    "3566002020360505",
    "O'Brien.x@sub.example.org",
    "jürgen@exämple.de",
    "FR14 2004 1010 0505 0001 3M02 606",
    "NL91ABNA0417164300",
    "GB82 WEST 1234 5698 7654 32",
    "DE89370400440532013000",
];

#[test]
fn personal_data_and_tokens_go_in_every_wrapping() {
    let mut all: Vec<String> = PERSONAL.iter().map(|text| (*text).to_owned()).collect();
    all.extend(tokens());
    for secret in &all {
        let kernel = secret
            .split_once("@db.")
            .map_or(secret.as_str(), |(head, _)| head)
            .rsplit(['=', ' ', '/', ':'])
            .find(|part| part.len() >= 4)
            .unwrap_or(secret);
        let wraps: Vec<String> = vec![
            secret.clone(),
            format!("Could not charge {secret}, try again."),
            json!({"note": secret}).to_string(),
            json!({"note": json!({"inner": secret}).to_string()}).to_string(),
            format!("a=1&note={}&z=2", percent(secret)),
            format!(
                "blob {} end",
                crate::signature::encode(
                    crate::manifest::Encoding::Base64,
                    format!("user says: {secret} ok").as_bytes()
                )
            ),
            format!("{{\"note\": \"{secret}\", \"cut\": "),
        ];
        for wrap in wraps {
            let out = clean(&wrap);
            assert!(out.contains("[redacted:"), "{wrap}\n-> {out}");
            assert!(
                !out.contains(secret.as_str()) && !out.contains(&percent(secret)),
                "{wrap}\n-> {out}"
            );
            assert!(!out.contains(kernel), "kernel {kernel}: {wrap}\n-> {out}");
        }
    }
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[test]
fn identifiers_times_and_amounts_stay() {
    for text in [
        "evt_1NG8Du2eZvKYlo2CUI79vXWy",
        "cus_9s6XKzkNRiz8i3",
        "acct_1032D82eZvKYlo2C",
        "req_abcDEF1234567890",
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "12345678-1234-1234-1234-123456789012",
        "2026-11-20T07:31:02.123456789Z",
        "2026-11-20 07:31:02 +0000",
        "1671058841",
        "1671058841123",
        "1671058841123456",
        "1671058841123456789",
        "order 4111111111111112 shipped",
        "INV-2024-123-45-6789",
        "PO 123456789",
        "commit 8f14e45fceea167a5a36dedd4bea2543c1f0a9d2",
        "version 1.12.303-rc1",
        "10.20.30.40:5432",
        "payroll 2026-11-20 to 2026-12-03 failed for 12 employees",
        "Amount 12,345,678.90 exceeds 10,000,000.00",
        "error code 6240 errorCode=003200; statusCode=401",
        "GET /v3/company/9130347798120106/invoice/1234 returned 400",
        "npm install left-pad@1.3.0",
        "Invalid API Key provided",
        "token expired",
        "The access token is invalid",
        "password is required",
        "refresh_token is missing",
        "SyncToken=3",
        "cost code 03-300-1234 not found",
        "01-460-0000",
        "000-12-3456",
        "666-12-3456",
        "912-34-5678",
        "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        "https://example.com/a/b?page=2&per_page=100&status=active",
        "AB12CDEF34567890",
        "Basic authentication is not supported",
        "Bearer token required",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn keys_decide_whatever_the_value_looks_like() {
    let body = json!({
        "employee_name": "Quentin Zebra", "salary": 91000, "SyncToken": "4", "id": 4_242_424_242_424_242_u64,
        "address": {"street1": "1 Long Road", "city": "Springfield"},
        "bank": {"account_number": ["12345"], "routing-number": 110_000_000, "verified": true},
        "headers": {"Authorization": "x", "X-Some-Signature": "y", "ok": null},
        "holder": {"name": "Quentin", "id": 1}, "merchant": {"name": "Depot"}, "jane@example.com": 1,
        "inner": "{\"ssn\":\"1\",\"n\":1}",
    });
    let out: Value = serde_json::from_str(redactor().json(body).get()).unwrap();
    assert_eq!(out["employee_name"], "[redacted:personal]");
    assert_eq!(out["salary"], "[redacted:personal]");
    assert_eq!(out["SyncToken"], "4");
    assert_eq!(out["id"], "[redacted:card]");
    assert_eq!(out["address"]["street1"], "[redacted:personal]");
    assert_eq!(out["address"]["city"], "Springfield");
    assert_eq!(
        out["bank"],
        json!({"account_number": ["[redacted:account]"], "routing-number": "[redacted:account]", "verified": true})
    );
    assert_eq!(
        out["headers"],
        json!({"Authorization": "[redacted:secret]", "X-Some-Signature": "[redacted:secret]", "ok": null})
    );
    assert_eq!(out["holder"], json!({"name": "[redacted:personal]", "id": 1}));
    assert_eq!(out["merchant"]["name"], "Depot");
    assert_eq!(out["[redacted:email]"], 1);
    assert_eq!(out["inner"], "{\"ssn\":\"[redacted:ssn]\",\"n\":1}");
}

#[test]
fn keys_count_in_text_that_cannot_be_parsed() {
    assert_eq!(
        clean(r#"{"employee_name": "Quentin Z", "ssn": 123, "cut"#),
        r#"{"employee_name": "[redacted:personal]", "ssn": "[redacted:ssn]", "cut"#
    );
    assert_eq!(
        clean("user[ssn]=123&employee_name=Quentin&x=1"),
        "user[ssn]=[redacted:ssn]&employee_name=[redacted:personal]&x=1"
    );
    assert_eq!(
        clean("<a:SSN type=\"x\">123</a:SSN><b>ok</b>"),
        "<a:SSN type=\"x\">[redacted:ssn]</a:SSN><b>ok</b>"
    );
    assert_eq!(
        clean(r#"failed: {\"password\":\"abc\"}"#),
        r#"failed: {\"password\":\"[redacted:secret]\"}"#
    );
    assert_eq!(clean("ssn 123456789 is taken"), "ssn [redacted:ssn] is taken");
}

#[test]
fn a_key_of_some_object_counts_in_any_that_is_cut_off() {
    let cut = r#"{"rows": [{"holder": {"id": 1, "name": "Quentin Vole"}}, "{\"holder\": {\"name\": \"Ada Moss\"}}", "#;
    let out = clean(cut);
    assert!(!out.contains("Quentin") && !out.contains("Moss"), "{out}");
    assert!(
        clean("job name=nightly ended").contains("nightly"),
        "a log line stays readable"
    );
}

#[test]
fn encoded_text_that_is_cut_off_or_very_long_hides_nothing() {
    let encode = |text: &str| crate::signature::encode(crate::manifest::Encoding::Base64, text.as_bytes());
    let word = encode(r#"{"note": "her number is 219-09-9999, she said", "city": "Köln", "more": "x"}"#);
    for missing in 0..24 {
        let cut = &word[..word.len() - missing];
        assert_eq!(
            clean(&format!("blob {cut}")),
            "blob [redacted:encoded]",
            "without {missing}"
        );
    }
    let long = encode(&format!("{} 219-09-9999", "nothing of interest. ".repeat(4_000)));
    assert_eq!(clean(&long), "[redacted:encoded]");
}

#[test]
fn a_head_ends_before_what_it_saw_only_half_of() {
    let key = format!("-----BEGIN {} KEY-----", "PRIVATE");
    for at in 20..60 {
        let text = format!(
            "{key}{}-----END X-----{}4242 4242 4242 4242 and more",
            "A".repeat(120),
            ".".repeat(at)
        );
        let out = redactor().head(&text, 105).into_inner();
        assert!(!out.contains("4242"), "{at}: {out}");
    }
    assert_eq!(redactor().head("short", 105).into_inner(), "short");
}

#[test]
fn headers_are_kept_masked_or_left_out() {
    let headers: Headers = [
        ("Content-Type", "application/json"),
        ("X-Some-Event", "push"),
        ("X-Some-Delivery", "7f1c"),
        ("Authorization", "Bearer abc"),
        ("X-Some-Signature-256", "sha256=00"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("User-Agent", "Hook/1 (ops@example.com)"),
    ]
    .into_iter()
    .collect();
    let out = redactor().headers(&headers).into_inner();
    let text: Vec<String> = out.iter().map(|(n, v)| format!("{n}: {v}")).collect();
    assert_eq!(
        text,
        [
            "content-type: application/json",
            "x-some-event: push",
            "x-some-delivery: 7f1c",
            "authorization: [redacted:header]",
            "x-some-signature-256: [redacted:header]",
            "user-agent: Hook/1 ([redacted:email])",
        ]
    );
}

#[test]
fn deep_values_do_not_overflow() {
    let mut value = json!("4242424242424242");
    for _ in 0..MAX_DEPTH + 20 {
        value = Value::Array(vec![value]);
    }
    assert!(redactor().json_value(&mut value));
    assert!(!value.to_string().contains("4242"));
    let wrapped = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(clean(&wrapped), wrapped);
}

#[test]
fn hostile_texts_cost_linear_time() {
    for piece in [
        "code=",
        "ssn= ",
        "ssn=[redacted:",
        "a@",
        "a.",
        "1-",
        "4242 ",
        "1 ",
        "{\"a\":\"",
        "\\\"ssn\\\":\\\"",
        "<ssn>",
        "%40",
        "%2525",
        "Bearer ",
        "://a:",
        "eyJ",
        "-----BEGIN A-----",
        "GB82",
        "QUJD",
        "sig=",
        "token: ",
        "[",
        "(",
    ] {
        let text = piece.repeat(150_000 / piece.len());
        let out = clean(&text);
        assert!(out.len() <= text.len() * 8, "{piece}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn text_is_idempotent(text in r#"([a-zA-Z0-9@.%=&?{}":<>/ _+-]{0,30}(4242 4242 4242 4242|219-09-9999|a@b\.co|password=|"ssn": "|sig=|Bearer )?){0,6}"#) {
        let first = clean(&text);
        prop_assert_eq!(clean(&first), first);
    }

    #[test]
    fn any_text_is_idempotent(text in any::<String>()) {
        let first = clean(&text);
        prop_assert_eq!(clean(&first), first);
    }

    #[test]
    fn canaries_never_survive(at in 0_usize..PERSONAL.len(), left in "[a-z ]{0,20}[ :\"(>=]", right in "[ ,;\")<][a-z ]{0,20}") {
        let text = format!("{left}{}{right}", PERSONAL[at]);
        prop_assert!(!clean(&text).contains(PERSONAL[at]), "{}", text);
        let body = json!({"outer": [{"free_text": text}]});
        prop_assert!(!redactor().json(body).get().contains(PERSONAL[at]));
    }
}
