//! Every provider passes the conformance suite, with the fixtures of its folder.

use std::path::Path;

use lk_core::Time;
use lk_provider::conformance::{self, Fixture};
use lk_provider::{Headers, Inbound, Settings};
use serde_json::json;

fn fixtures(key: &str) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(key)
        .join("fixtures");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            Fixture::parse(&name, &std::fs::read_to_string(path).unwrap()).unwrap()
        })
        .collect()
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
        findings.extend(conformance::check(provider.as_ref(), &fixtures(key)));
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
