//! Every provider passes the conformance suite, with the fixtures of its folder.

use std::path::Path;

use lk_core::Time;
use lk_provider::conformance::{self, CheckFixture, Fixture};
use lk_provider::{Headers, Inbound, Settings};
use serde_json::json;

/// The files of a provider's `folder`, read by `parse`.
fn files<T, E: std::fmt::Debug>(key: &str, folder: &str, parse: impl Fn(&str, &str) -> Result<T, E>) -> Vec<T> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(key).join(folder);
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        parse(&name, &std::fs::read_to_string(path).unwrap()).unwrap()
    };
    paths.iter().map(read).collect()
}

fn fixtures(key: &str) -> Vec<Fixture> {
    files(key, "fixtures", Fixture::parse)
}

fn checks(key: &str) -> Vec<CheckFixture> {
    files(key, "checks", CheckFixture::parse)
}

#[test]
fn every_provider_conforms() {
    let registry = crate::registry().unwrap();
    assert!(registry.len() >= 22);
    let mut findings = Vec::new();
    for provider in registry.iter() {
        let key = &provider.manifest().key;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(key);
        assert!(folder.join("manifest.toml").is_file(), "folder and key differ: {key}");
        findings.extend(conformance::check(provider.as_ref(), &fixtures(key), &checks(key)));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// A program that forwards its own failures: what it says is classified like the provider's answer.
#[test]
fn forwarded_failures_are_classified() {
    use lk_core::words::Category;
    let registry = crate::registry().unwrap();
    let explainers = crate::explainers(&registry).unwrap();
    let cases = [
        (
            "generic",
            json!({"message": "connect ECONNREFUSED 192.0.2.7:443"}),
            Category::Network,
        ),
        (
            "generic",
            json!({"message": "connect ETIMEDOUT", "code": "ETIMEDOUT"}),
            Category::Network,
        ),
        (
            "generic",
            json!({"message": "Too Many Requests", "context": {"httpStatus": 429}}),
            Category::RateLimit,
        ),
        (
            "gusto",
            json!({"message": "The token is invalid", "code": "invalid_token"}),
            Category::Auth,
        ),
        (
            "quickbooks",
            json!({"message": "Stale Object Error", "code": "5010"}),
            Category::DataStateMismatch,
        ),
        (
            "lcptracker",
            json!({"message": "Prevailing wage violation", "code": "CPR_RATE_BELOW_WD"}),
            Category::Compliance,
        ),
        (
            "stripe",
            json!({"message": "Your card was declined.", "code": "card_declined"}),
            Category::SpendingControl,
        ),
        (
            "procore",
            json!({"message": "Service Unavailable", "context": {"httpStatus": 503}}),
            Category::ProviderOutage,
        ),
    ];
    for (key, error, category) in cases {
        let provider = registry.get(key).unwrap();
        let body = json!({"id": "1", "eventType": "record.sync", "status": "failure", "error": error});
        let inbound = Inbound::post("/", Headers::new(), body.to_string(), Time(0));
        let items = provider.observe(&inbound, &Settings::new()).unwrap();
        let failure = items[0].failure.as_ref().unwrap();
        let verdict = explainers.of(key).rules().classify(failure);
        assert_eq!(verdict.category, category, "{key}: {failure:?}");
    }
}

/// What the fixtures of a provider tell as failures is understood: its own codes are in its rules.
#[test]
fn failures_of_fixtures_are_known() {
    use lk_core::words::{Category, Outcome};
    let registry = crate::registry().unwrap();
    let explainers = crate::explainers(&registry).unwrap();
    let mut unknown = Vec::new();
    for provider in registry.iter() {
        let key = &provider.manifest().key;
        for fixture in fixtures(key) {
            let inbound = Inbound::post("/", fixture.headers(), fixture.body(), Time(0));
            for item in provider.observe(&inbound, &Settings::new()).unwrap_or_default() {
                let Some(failure) = item.failure.filter(|_| item.outcome == Some(Outcome::Failure)) else {
                    continue;
                };
                let verdict = explainers.of(key).rules().classify(&failure);
                if verdict.category == Category::Unknown {
                    unknown.push(format!("{key}: {:?} {}", failure.codes, failure.message));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// A failed check leads to its document: those that its fixture names, and none to nowhere.
#[test]
fn failures_of_checks_lead_to_their_documents() {
    use lk_provider::errors::Call;
    let registry = crate::registry().unwrap();
    let explainers = crate::explainers(&registry).unwrap();
    let mut wrong = Vec::new();
    for provider in registry.iter() {
        let manifest = provider.manifest();
        for fixture in checks(&manifest.key) {
            let Some((operation, reading)) = fixture.read(provider.as_ref()) else {
                continue;
            };
            let Some(failed) = reading.failed else { continue };
            let call = Call {
                provider: &manifest.key,
                provider_name: &manifest.name,
                operation: &operation,
                http_status: failed.http_status,
            };
            let explained = explainers.of(&manifest.key).explain(&call, &failed.body, |text| text);
            let doc = explained.verdict.doc.as_str();
            if doc == "unknown.unclassified" || fixture.doc().is_some_and(|wanted| wanted != doc) {
                wrong.push(format!(
                    "{}: {:?} became {doc}: {}",
                    manifest.key,
                    fixture.doc(),
                    failed.body
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A check that gets no answer in time is a timeout with every provider, whatever its own rules say.
#[test]
fn no_answer_in_time_is_a_timeout() {
    use lk_provider::errors::Call;
    use lk_provider::manifest::Capability;
    let registry = crate::registry().unwrap();
    let explainers = crate::explainers(&registry).unwrap();
    for provider in registry.iter().filter(|p| p.manifest().can(Capability::Check)) {
        let key = &provider.manifest().key;
        let call = Call {
            provider: key,
            provider_name: key,
            operation: "GET /x",
            http_status: None,
        };
        let body = r#"{"error":{"code":"ETIMEDOUT","message":"no answer within 5 s"}}"#;
        let explained = explainers.of(key).explain(&call, body, |text| text);
        assert_eq!(explained.verdict.doc.as_str(), "network.timeout", "{key}");
    }
}
