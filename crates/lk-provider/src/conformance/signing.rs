//! A good signature passes; everything else is refused with the right words.

use lk_core::Time;

use crate::manifest::{Encoding, Scheme};
use crate::signature::{encode, sign};
use crate::{Headers, Inbound, Provider, Rejection, Secret, Settings, Verified};

/// Some day, so that no clock is asked.
pub(super) const NOW: Time = Time(1_763_600_000_000);
const BODY: &[u8] = br#"{"id":"conformance-1","type":"conformance.checked"}"#;

/// A secret of the form every scheme can use: text, and base64 behind its prefix.
pub(super) fn secret(fill: u8) -> Secret {
    Secret::new(format!("whsec_{}", encode(Encoding::Base64, &[fill; 24])))
}

struct Case<'a> {
    provider: &'a dyn Provider,
    settings: &'a Settings,
    findings: Vec<String>,
}

impl Case<'_> {
    fn verify(&self, headers: &Headers, body: &[u8], secrets: &[Secret], now: Time) -> Result<Verified, Rejection> {
        let inbound = Inbound::post("/", headers.clone(), body.to_vec(), now);
        self.provider.verify(&inbound, self.settings, secrets, now)
    }

    fn expect(&mut self, what: &str, got: Result<Verified, Rejection>, wanted: &str) {
        let said = match &got {
            Ok(verified) => format!("{verified:?}"),
            Err(rejection) => {
                format!("{rejection:?} {rejection} {} {}", rejection.hint(), rejection.detail())
            }
        };
        if [1, 2].iter().any(|fill| said.contains(secret(*fill).expose())) {
            self.findings.push(format!("{what}: the verdict tells the secret"));
        }
        let got = match &got {
            Ok(verified) => format!("ok {}", verified.secret_index),
            Err(rejection) => rejection.code().to_owned(),
        };
        if got != wanted {
            self.findings.push(format!("{what}: {got} instead of {wanted}"));
        }
    }
}

pub(super) fn check(provider: &dyn Provider, settings: &Settings) -> Vec<String> {
    let Some(webhook) = &provider.manifest().webhook else {
        return Vec::new();
    };
    let settings = provider.manifest().with_defaults(settings);
    let Some(headers) = sign(&webhook.signature, &settings, &secret(1), "msg_1", NOW, BODY) else {
        return vec!["its scheme cannot sign".to_owned()];
    };
    let mut case = Case {
        provider,
        settings: &settings,
        findings: Vec::new(),
    };
    let good = [secret(1)];
    let verdict = case.verify(&headers, BODY, &good, NOW);
    case.expect("a good signature", verdict, "ok 0");
    let verdict = case.verify(&headers, BODY, &[secret(2), secret(1)], NOW);
    case.expect("the second of two secrets", verdict, "ok 1");
    let verdict = case.verify(&headers, BODY, &[secret(2)], NOW);
    case.expect("a wrong secret", verdict, "wrong_secret");
    for (what, secrets) in [("no secret", vec![]), ("a blank secret", vec![Secret::new(" ")])] {
        let verdict = case.verify(&headers, BODY, &secrets, NOW);
        case.expect(what, verdict, "no_secret");
    }
    bodies(&mut case, &webhook.signature, &headers);
    times(&mut case, &webhook.signature, &headers);
    one_header_at_a_time(&mut case, &headers);
    case.findings
}

/// A flipped byte; a shared header signs no body.
fn bodies(case: &mut Case<'_>, scheme: &Scheme, headers: &Headers) {
    let shared = matches!(scheme, Scheme::SharedHeader { .. })
        || (matches!(scheme, Scheme::Configured {}) && case.settings.get("signature_scheme") == Some("header"));
    if shared {
        return;
    }
    let mut body = BODY.to_vec();
    for at in [0, body.len() / 2, body.len() - 1] {
        body[at] ^= 1;
        let verdict = case.verify(headers, &body, &[secret(1)], NOW);
        case.expect("a flipped byte", verdict, "wrong_secret");
        body[at] ^= 1;
    }
}

/// 300 seconds both ways, for schemes that sign a time.
fn times(case: &mut Case<'_>, scheme: &Scheme, headers: &Headers) {
    let tolerance_s = match scheme {
        Scheme::TimestampedList { tolerance_s, .. }
        | Scheme::Versioned { tolerance_s, .. }
        | Scheme::StandardWebhooks { tolerance_s, .. } => *tolerance_s,
        _ => return,
    };
    for (seconds, wanted) in [
        (tolerance_s, "ok 0"),
        (-tolerance_s, "ok 0"),
        (tolerance_s + 1, "timestamp_too_old"),
        (-tolerance_s - 1, "timestamp_in_future"),
    ] {
        let verdict = case.verify(headers, BODY, &[secret(1)], NOW + seconds * 1_000);
        case.expect(&format!("{seconds} s later"), verdict, wanted);
    }
}

/// Each header of the scheme missing, doubled, emptied, broken.
fn one_header_at_a_time(case: &mut Case<'_>, headers: &Headers) {
    let names: Vec<String> = headers.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let mut missing = headers.clone();
        missing.remove(&name);
        let verdict = case.verify(&missing, BODY, &[secret(1)], NOW);
        case.expect(&format!("without {name}"), verdict, "missing_header");
        let mut doubled = headers.clone();
        doubled.push(&name, headers.text(&name).unwrap_or_default());
        let verdict = case.verify(&doubled, BODY, &[secret(1)], NOW);
        case.expect(&format!("with {name} twice"), verdict, "duplicate_header");
        let mut binary = missing.clone();
        binary.push(&name, vec![0xff, 0xfe, 0x01]);
        let verdict = case.verify(&binary, BODY, &[secret(1)], NOW);
        case.expect(&format!("with {name} as bytes"), verdict, "malformed_header");
        let mut other = missing;
        other.push(&name, "");
        if case.verify(&other, BODY, &[secret(1)], NOW).is_ok() {
            case.findings.push(format!("an empty {name} passes"));
        }
    }
}
