use proptest::prelude::*;

use super::*;
use crate::rejection::NearMiss;

const NOW: Time = Time(1_700_000_000_000);
const BODY: &[u8] = br#"{"hello":"world"}"#;

fn scheme(toml_text: &str) -> Scheme {
    toml::from_str(toml_text).unwrap()
}

fn list() -> Scheme {
    scheme("scheme = 'timestamped_list'\nheader = 'x-list'")
}

fn standard() -> Scheme {
    scheme("scheme = 'standard_webhooks'")
}

fn hmac_hex() -> Scheme {
    scheme("scheme = 'hmac'\nheader = 'x-sig'\nprefix = 'sha256='")
}

fn versioned() -> Scheme {
    scheme("scheme = 'versioned'\nheader = 'x-v'\ntimestamp_header = 'x-t'\nversion = 'v0'")
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

/// A Standard Webhooks secret of 24 bytes.
fn base64_secret() -> Secret {
    Secret::new(format!(
        "wh{}_{}",
        "sec",
        encode(Encoding::Base64, b"0123456789abcdef01234567")
    ))
}

fn check(scheme: &Scheme, headers: Headers, body: &[u8], secrets: &[Secret], now: Time) -> Result<Verified, Rejection> {
    verify(
        scheme,
        &Inbound::post("/", headers, body.to_vec(), now),
        &Settings::new(),
        secrets,
        now,
    )
}

fn signed(scheme: &Scheme, secret: &Secret, now: Time, body: &[u8]) -> Headers {
    sign(scheme, &Settings::new(), secret, "msg_1", now, body).unwrap()
}

fn with(headers: &Headers, name: &str, value: &str) -> Headers {
    let mut out = headers.clone();
    out.remove(name);
    out.push(name, value);
    out
}

#[test]
fn published_and_recomputed_vectors() {
    let cases = [
        (
            scheme("scheme = 'hmac'\nheader = 'h'\nprefix = 'sha256='"),
            "h",
            "sha256=84cc33df716ed0b0598f07437c94069ace3730358778a592bd6bbd1423d111f3",
        ),
        (
            scheme("scheme = 'hmac'\nheader = 'h'\nalgorithm = 'sha1'"),
            "h",
            "60c9e01611510b5587ed9434904b37190168c25c",
        ),
        (
            versioned(),
            "x-v",
            "v0=8429be9e0d7bdcafb444236fd24e321fcf4ec3f1d460db5a392366a784b25574",
        ),
        (
            scheme("scheme = 'timestamped_list'\nheader = 'h'\nencoding = 'base64url'\nunit = 'ms'"),
            "h",
            "t=1700000000000,v1=UkX728bA1EAPiKgq3ieMa9louftppO80d_hrj5JBq6s",
        ),
        (
            scheme("scheme = 'standard_webhooks'\nkey = 'text'"),
            "webhook-signature",
            "v1,r+cHjRz0XErrHiJRQ/FAKXtxWEOStdPNWyScMeVfOG8=",
        ),
    ];
    for (scheme, header, expected) in cases {
        let headers = signed(&scheme, &secret("test-secret"), NOW, BODY);
        assert_eq!(headers.text(header), Some(expected));
        assert_eq!(
            check(&scheme, headers, BODY, &[secret("test-secret")], NOW),
            Ok(Verified { secret_index: 0 })
        );
    }
    let headers: Headers = [(
        "x-sig",
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    )]
    .into_iter()
    .collect();
    check(
        &hmac_hex(),
        headers,
        b"Hello, World!",
        &[secret("It's a Secret to Everybody")],
        NOW,
    )
    .unwrap();
}

#[test]
fn time_is_tolerated_for_300_seconds_both_ways() {
    for scheme in [list(), versioned(), standard()] {
        let secret = if matches!(scheme, Scheme::StandardWebhooks { .. }) {
            base64_secret()
        } else {
            secret("abc")
        };
        let headers = signed(&scheme, &secret, NOW, BODY);
        let at = |offset_s: i64| {
            check(
                &scheme,
                headers.clone(),
                BODY,
                std::slice::from_ref(&secret),
                NOW + offset_s * 1_000,
            )
        };
        assert!(at(300).is_ok() && at(-300).is_ok());
        assert_eq!(at(301), Err(Rejection::TimestampTooOld { skew_s: 301 }));
        assert_eq!(at(-301), Err(Rejection::TimestampInFuture { skew_s: 301 }));
    }
}

#[test]
fn list_header_table() {
    let key = secret("abc");
    let good = signed(&list(), &key, NOW, BODY).text("x-list").unwrap().to_owned();
    let hex = good.split_once("v1=").unwrap().1.to_owned();
    let zero = "0".repeat(64);
    let verdict = |header: &str| {
        let headers: Headers = [("x-list", header)].into_iter().collect();
        check(&list(), headers, BODY, &[secret("abc")], NOW).map_or_else(|r| r.code(), |_| "ok")
    };
    let cases = [
        (good.clone(), "ok"),
        (format!("t=1700000000,v1={zero},v1={hex}"), "ok"),
        (format!("t=1700000000, v1={hex}"), "ok"),
        (format!("t=1700000000,v1={}", hex.to_uppercase()), "ok"),
        (format!("v1={hex},t=1700000000"), "ok"),
        (format!("t=1700000000,v0={hex}"), "malformed_header"),
        (format!("t=1700000000,v0={zero},v1={hex}"), "ok"),
        (format!("t=1700000000,v1={}", &hex[..62]), "wrong_secret"),
        (format!("t=1700000000,v1={}", &hex[..63]), "wrong_secret"),
        (format!("t=1700000000,v1={hex}00"), "wrong_secret"),
        ("t=1700000000,v1=".to_owned(), "malformed_header"),
        ("t=1700000000".to_owned(), "malformed_header"),
        (format!("v1={hex}"), "malformed_header"),
        (format!("t=,v1={hex}"), "malformed_header"),
        (format!("t=1700000000,t=1700000000,v1={hex}"), "malformed_header"),
        (format!("t=-1700000000,v1={hex}"), "malformed_header"),
        (format!("t=1.7e9,v1={hex}"), "malformed_header"),
        (format!("t=99999999999999999999999999,v1={hex}"), "malformed_header"),
        (format!("t=999999999999999,v1={hex}"), "wrong_secret"),
        (String::new(), "malformed_header"),
        (
            format!("t=1700000000,v1={hex},{}", "x".repeat(5_000)),
            "malformed_header",
        ),
    ];
    for (header, expected) in cases {
        assert_eq!(verdict(&header), expected, "{header:.200}");
    }
}

#[test]
fn standard_header_table() {
    let key = base64_secret();
    let good = signed(&standard(), &key, NOW, BODY);
    let signature = good.text("webhook-signature").unwrap().to_owned();
    let verdict = |headers: Headers| {
        check(&standard(), headers, BODY, std::slice::from_ref(&key), NOW).map_or_else(|r| r.code(), |_| "ok")
    };
    let one = |value: &str| verdict(with(&good, "webhook-signature", value));
    assert_eq!(verdict(good.clone()), "ok");
    assert_eq!(one(&format!("v1,AAAA v2,x {signature}")), "ok");
    assert_eq!(one(&format!("v1a,AAAA {signature}")), "ok");
    assert_eq!(one(signature.trim_start_matches("v1,")), "malformed_header");
    assert_eq!(one("v1,"), "malformed_header");
    assert_eq!(one(&signature.replace("v1,", "v2,")), "malformed_header");
    assert_eq!(one(&signature[..20]), "wrong_secret");
    assert_eq!(verdict(with(&good, "webhook-id", "msg_2")), "wrong_secret");
    assert_eq!(verdict(with(&good, "webhook-timestamp", "hello")), "malformed_header");
    assert_eq!(
        verdict(with(&good, "webhook-timestamp", "9223372036854775808")),
        "malformed_header"
    );
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut missing = good.clone();
        missing.remove(name);
        assert_eq!(verdict(missing), "missing_header");
        let mut twice = good.clone();
        twice.push(name, good.text(name).unwrap());
        assert_eq!(verdict(twice), "duplicate_header");
    }
    let svix: Headers = good
        .iter()
        .map(|(name, value)| {
            (
                name.replace("webhook", "svix"),
                String::from_utf8_lossy(value).into_owned(),
            )
        })
        .collect();
    assert_eq!(verdict(svix), "ok");
}

#[test]
fn public_keys_verify_v1a() {
    use ring::signature::KeyPair;
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let key = secret(&format!(
        "whpk_{}",
        encode(Encoding::Base64, pair.public_key().as_ref())
    ));
    let message = [b"msg_1.1700000000.".as_slice(), BODY].concat();
    let signature = encode(Encoding::Base64, pair.sign(&message).as_ref());
    let headers = |signature: &str| -> Headers {
        [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", "1700000000"),
            ("webhook-signature", signature),
        ]
        .into_iter()
        .collect()
    };
    check(
        &standard(),
        headers(&format!("v1a,{signature}")),
        BODY,
        std::slice::from_ref(&key),
        NOW,
    )
    .unwrap();
    assert!(
        check(
            &standard(),
            headers(&format!("v1,{signature}")),
            BODY,
            std::slice::from_ref(&key),
            NOW
        )
        .is_err()
    );
    assert!(
        check(
            &standard(),
            headers(&format!("v1a,{signature}")),
            b"{}",
            std::slice::from_ref(&key),
            NOW
        )
        .is_err()
    );
    // A public key signs nothing, in particular not as an HMAC key.
    assert!(sign(&standard(), &Settings::new(), &key, "msg_1", NOW, BODY).is_none());
}

#[test]
fn several_secrets_and_which_one_fitted() {
    let headers = signed(&hmac_hex(), &secret("new"), NOW, BODY);
    let secrets = [secret("old"), secret("  "), secret("new")];
    assert_eq!(
        check(&hmac_hex(), headers.clone(), BODY, &secrets, NOW),
        Ok(Verified { secret_index: 2 })
    );
    let rejected = check(&hmac_hex(), headers, BODY, &[secret("x"), secret("y")], NOW);
    assert_eq!(
        rejected,
        Err(Rejection::WrongSecret {
            tried: 2,
            near_miss: None
        })
    );
    let joined = secret(&format!(
        "{}|{}",
        "v1,whsec_AAAAAAAAAAAAAAAAAAAAAAAA",
        base64_secret().expose()
    ));
    let headers = signed(&standard(), &base64_secret(), NOW, BODY);
    check(&standard(), headers, BODY, &[joined], NOW).unwrap();
}

#[test]
fn blank_and_unusable_secrets_fail_closed() {
    for scheme in [
        hmac_hex(),
        list(),
        versioned(),
        standard(),
        scheme("scheme = 'shared_header'\nheader = 'authorization'"),
    ] {
        let mut headers: Headers = [("authorization", "")].into_iter().collect();
        for (name, value) in signed(&scheme, &base64_secret(), NOW, BODY).iter() {
            headers = with(&headers, name, std::str::from_utf8(value).unwrap());
        }
        for secrets in [vec![], vec![secret("")], vec![secret(" \t\n")]] {
            assert_eq!(
                check(&scheme, headers.clone(), BODY, &secrets, NOW),
                Err(Rejection::NoSecret)
            );
        }
    }
    // An HMAC under the empty key, offered against a secret that decodes to nothing.
    let empty = ring::hmac::sign(
        &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b""),
        b"msg_1.1700000000.{}",
    );
    let headers: Headers = [
        ("webhook-id", "msg_1".to_owned()),
        ("webhook-timestamp", "1700000000".to_owned()),
        (
            "webhook-signature",
            format!("v1,{}", encode(Encoding::Base64, empty.as_ref())),
        ),
    ]
    .into_iter()
    .collect();
    for text in ["whsec_", "whsec_***", "whpk_", "|"] {
        assert!(
            check(&standard(), headers.clone(), b"{}", &[secret(text)], NOW).is_err(),
            "{text}"
        );
    }
}

#[test]
fn shared_header_accepts_the_bare_value_or_the_prefixed_one() {
    let scheme = scheme("scheme = 'shared_header'\nheader = 'Authorization'\nprefixes = ['Bearer ']");
    let verdict = |value: &str, stored: &str| {
        let headers: Headers = [("authorization", value)].into_iter().collect();
        check(&scheme, headers, BODY, &[secret(stored)], NOW)
    };
    assert!(verdict("Bearer token-1", "token-1").is_ok());
    assert!(verdict("token-1", "token-1").is_ok());
    assert!(verdict("Bearer token-1", "Bearer token-1").is_ok());
    assert!(verdict("Bearer token-", "token-1").is_err());
    assert!(verdict("Bearer token-12", "token-1").is_err());
    assert_eq!(
        verdict("Bearer token-1", "token-1\n"),
        Err(Rejection::WrongSecret {
            tried: 1,
            near_miss: Some(NearMiss::SecretWhitespace)
        })
    );
}

#[test]
fn configured_scheme_follows_the_settings() {
    let configured = Scheme::Configured {};
    let settings: Settings = [
        ("signature_header", "X-Mine"),
        ("signature_encoding", "base64"),
        ("signature_algorithm", "sha512"),
        ("signature_prefix", "v="),
    ]
    .into_iter()
    .collect();
    let headers = sign(&configured, &settings, &secret("k"), "", NOW, BODY).unwrap();
    assert!(headers.text("x-mine").unwrap().starts_with("v="));
    let inbound = Inbound::post("/", headers, BODY, NOW);
    assert!(verify(&configured, &inbound, &settings, &[secret("k")], NOW).is_ok());
    let unknown: Settings = [("signature_scheme", "none")].into_iter().collect();
    assert_eq!(
        verify(&configured, &inbound, &unknown, &[secret("k")], NOW),
        Err(Rejection::NotReceivable)
    );
}

fn near(scheme: &Scheme, headers: Headers, body: &[u8], stored: Secret) -> Option<NearMiss> {
    match check(scheme, headers, body, &[stored], NOW) {
        Err(Rejection::WrongSecret { near_miss, .. }) => near_miss,
        other => panic!("{other:?}"),
    }
}

#[test]
fn changed_bodies_are_explained_and_never_accepted() {
    let compact = br#"{"a":1,"b":[true,null]}"#;
    let spaced = br#"{"a": 1, "b": [true, null]}"#;
    let indented = serde_json::to_vec_pretty(&serde_json::json!({"a": 1, "b": [true, null]})).unwrap();
    let cases: [(&[u8], &[u8], Option<NearMiss>); 6] = [
        (compact, spaced, Some(NearMiss::CompactJson)),
        (spaced, compact, Some(NearMiss::CompactJson)),
        (&indented, compact, Some(NearMiss::IndentedJson)),
        (b"{}", b"{}\n", Some(NearMiss::TrailingNewline)),
        (b"{}\n", b"{}", Some(NearMiss::TrailingNewline)),
        (b"{}", b"{\"a\":1}", None),
    ];
    for (sent, arrived, expected) in cases {
        let headers = signed(&hmac_hex(), &secret("k"), NOW, sent);
        assert_eq!(near(&hmac_hex(), headers, arrived, secret("k")), expected);
    }
}

#[test]
fn misread_secrets_and_schemes_are_explained_and_never_accepted() {
    let headers = signed(&hmac_hex(), &secret("k"), NOW, BODY);
    let hex = headers.text("x-sig").unwrap().trim_start_matches("sha256=").to_owned();
    assert_eq!(
        near(&hmac_hex(), headers.clone(), BODY, secret(" k\n")),
        Some(NearMiss::SecretWhitespace)
    );
    let tag = decode(Encoding::Hex, &hex).unwrap();
    let encoded = with(&headers, "x-sig", &format!("sha256={}", encode(Encoding::Base64, &tag)));
    assert_eq!(
        near(&hmac_hex(), encoded, BODY, secret("k")),
        Some(NearMiss::OtherEncoding)
    );
    let text_key = scheme("scheme = 'standard_webhooks'\nkey = 'text'");
    let raw = signed(&text_key, &base64_secret(), NOW, BODY);
    assert_eq!(
        near(&standard(), raw, BODY, base64_secret()),
        Some(NearMiss::SecretDecoding)
    );
    let decoded = signed(&standard(), &base64_secret(), NOW, BODY);
    assert_eq!(
        near(&text_key, decoded, BODY, base64_secret()),
        Some(NearMiss::SecretDecoding)
    );
    let headers: Headers = [("x-list", format!("t=1700000000,v1={hex}"))].into_iter().collect();
    assert_eq!(
        near(&list(), headers, BODY, secret("k")),
        Some(NearMiss::OtherSignedString)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn verify_never_panics(value in any::<String>(), time in any::<String>(), body in any::<Vec<u8>>(), key in any::<String>()) {
        for scheme in [hmac_hex(), list(), versioned(), standard()] {
            let mut headers = Headers::new();
            for name in ["x-sig", "x-list", "x-v", "webhook-signature", "webhook-id"] {
                headers.push(name, value.clone());
            }
            headers.push("x-t", time.clone());
            headers.push("webhook-timestamp", time.clone());
            prop_assert!(check(&scheme, headers, &body, &[secret(&key)], NOW).is_err());
        }
    }

    #[test]
    fn what_is_signed_verifies_and_a_flipped_bit_does_not(
        body in prop::collection::vec(any::<u8>(), 1..200), key in "[!-~]{1,40}", at in any::<prop::sample::Index>(), bit in 0_u8..8,
    ) {
        for scheme in [hmac_hex(), list(), versioned()] {
            let headers = signed(&scheme, &secret(&key), NOW, &body);
            prop_assert!(check(&scheme, headers.clone(), &body, &[secret(&key)], NOW).is_ok());
            let mut tampered = body.clone();
            tampered[at.index(body.len())] ^= 1 << bit;
            prop_assert!(check(&scheme, headers, &tampered, &[secret(&key)], NOW).is_err());
        }
    }
}
