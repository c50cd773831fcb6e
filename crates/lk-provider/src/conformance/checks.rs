//! What every checked provider makes of refusals, and `checks/*.json`: an answer and what has to
//! be read from it.

use lk_core::Time;
use lk_core::words::Rung;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fixture::{FixtureError, compare};
use super::signing::NOW;
use crate::auth::ACCESS_TOKEN;
use crate::check::{Answer, Call, Probe, Quota, Reading};
use crate::manifest::{AUTH, Capability, FieldKind};
use crate::{HttpResponse, Provider, Settings};

/// Stands for every secret; must be seen nowhere.
const CANARY: &str = "canary-credential-1234";

/// A parsed fixture.
#[derive(Debug, Clone)]
pub struct CheckFixture {
    name: String,
    file: File,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Where the answer comes from: documentation, or the shape it stands for.
    #[serde(default, rename = "about")]
    _about: String,
    #[serde(default)]
    settings: Map<String, Value>,
    /// The probe that was asked.
    probe: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    /// JSON, sent compact; or `text`, sent as it is.
    body: Option<Value>,
    text: Option<String>,
    expect: Map<String, Value>,
}

const fn ok() -> u16 {
    200
}

impl CheckFixture {
    /// Parses the text of a fixture.
    pub fn parse(name: &str, text: &str) -> Result<Self, FixtureError> {
        let file: File = serde_json::from_str(text).map_err(|error| FixtureError::new(name, error.to_string()))?;
        if file.body.is_some() == file.text.is_some() {
            return Err(FixtureError::new(name, "it needs either `body` or `text`".to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            file,
        })
    }

    /// The document that the failure has to lead to, if the fixture says.
    pub fn doc(&self) -> Option<&str> {
        self.file.expect.get("doc")?.as_str()
    }

    /// The probe's operation and what the provider reads from the answer; nothing when the
    /// provider does not ask this.
    pub fn read(&self, provider: &dyn Provider) -> Option<(String, Reading)> {
        let mut settings = filled(provider);
        for (key, value) in &self.file.settings {
            settings.set(key.clone(), value.as_str().unwrap_or_default());
        }
        let settings = provider.manifest().with_defaults(&settings);
        let probe = provider
            .probes(&settings, NOW)
            .into_iter()
            .find(|probe| probe.name == self.file.probe)?;
        let headers = self.file.headers.iter().map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text)
        });
        let mut response = HttpResponse {
            status: self.file.status,
            headers: headers.collect(),
            body: Vec::new(),
        };
        response.body = match (&self.file.body, &self.file.text) {
            (Some(body), _) => {
                response
                    .headers
                    .push(("content-type".to_owned(), "application/json".to_owned()));
                body.to_string().into_bytes()
            }
            (None, text) => text.clone().unwrap_or_default().into_bytes(),
        };
        let reading = provider.read_probe(answer(&probe, &response), &settings);
        Some((probe.operation, reading))
    }

    /// What differs from the expectation.
    pub(super) fn check(&self, provider: &dyn Provider) -> Vec<String> {
        let mut expected = self.file.expect.clone();
        expected.remove("doc");
        let findings = match self.read(provider) {
            None => vec![format!("probe {} is not asked", self.file.probe)],
            Some((_, reading)) => compare(&facts(&reading), &expected, ""),
        };
        findings
            .into_iter()
            .map(|finding| format!("check {}: {finding}", self.name))
            .collect()
    }
}

fn facts(reading: &Reading) -> Value {
    let failed = reading.failed.as_ref();
    let seconds = |at: Time| (at.ms() - NOW.ms()) / 1_000;
    let quota = |q: &Quota| {
        json!({
            "name": q.name, "limit": q.limit, "remaining": q.remaining,
            "resets_in_s": q.resets_at.map(seconds), "own_count": q.own_count,
        })
    };
    json!({
        "rung": failed.map(|failed| failed.rung.as_str()),
        "http_status": failed.and_then(|failed| failed.http_status),
        "account": reading.account,
        "scopes": reading.scopes,
        "missing_scopes": reading.missing_scopes,
        "quotas": reading.quotas.iter().map(quota).collect::<Vec<_>>(),
        "wait_s": reading.not_before.map(seconds),
        "credential_ends_in_s": reading.credential_ends.map(seconds),
        "credential": reading.credential.map(lk_core::words::CredentialState::as_str),
        "warnings": reading.warnings.each().map(|(name, _)| name).collect::<Vec<_>>(),
        "notes": reading.notes,
    })
}

/// Settings with every field filled: an example, a default or a canary.
fn filled(provider: &dyn Provider) -> Settings {
    let mut settings = Settings::new();
    for field in &provider.manifest().fields {
        let value = match (field.kind, &field.default) {
            (FieldKind::Secret, _) => CANARY,
            (_, Some(default)) => default,
            (FieldKind::Url, None) => "https://service.example/path",
            (FieldKind::Number, None) => "1",
            _ if field.required => "x",
            _ => continue,
        };
        settings.set(field.key.clone(), value);
    }
    settings.set(ACCESS_TOKEN, CANARY);
    settings
}

fn answer<'a>(probe: &'a Probe, response: &'a HttpResponse) -> Answer<'a> {
    Answer {
        probe,
        response,
        now: NOW,
    }
}

/// Every way to prove itself, each with every refusal.
pub(super) fn refusals(provider: &dyn Provider) -> Vec<String> {
    let manifest = provider.manifest();
    let mut findings = Vec::new();
    if !manifest.can(Capability::Check) {
        return findings;
    }
    let mut variants: Vec<Option<&str>> = manifest.auth.iter().map(|auth| Some(auth.kind().as_str())).collect();
    if variants.is_empty() {
        variants.push(None);
    }
    for kind in variants {
        let mut settings = filled(provider);
        if let Some(kind) = kind {
            settings.set(AUTH, kind);
        }
        let settings = manifest.with_defaults(&settings);
        let probes = provider.probes(&settings, NOW);
        if probes.is_empty() {
            findings.push("nothing is asked".to_owned());
        }
        if format!("{probes:?}").contains(CANARY) {
            findings.push("a probe shows its credential in Debug".to_owned());
        }
        for probe in &probes {
            let url = match &probe.call {
                Call::Http(request) => &request.url,
                Call::Mcp(call) => &call.url,
                Call::Connect { .. } => continue,
            };
            findings.extend(elsewhere(provider, url));
            findings.extend(refused(provider, probe, &settings));
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

/// A request that leaves the declared hosts.
fn elsewhere(provider: &dyn Provider, url: &str) -> Option<String> {
    let check = provider.manifest().check.as_ref()?;
    let declared = check.probes.iter().filter_map(|probe| probe.auth_base_url.as_ref());
    let mut allowed = declared.chain(&check.base_url).peekable();
    allowed.peek()?;
    let within = allowed.any(|base| {
        url.strip_prefix(base.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
    });
    (!within).then(|| {
        format!(
            "a probe leaves the declared hosts: {}",
            url.split('?').next().unwrap_or_default()
        )
    })
}

fn refused(provider: &dyn Provider, probe: &Probe, settings: &Settings) -> Vec<String> {
    let rules = provider.manifest().check.iter().flat_map(|check| &check.probes);
    let rule = rules.into_iter().find(|rule| rule.name == probe.name);
    let optional = rule.is_some_and(|rule| rule.optional);
    let accepts = |(name, value): &(String, String)| name == "accept" && value.contains("json");
    let wants_json = match &probe.call {
        Call::Http(request) => request.headers.iter().any(accepts),
        Call::Mcp(_) => true,
        Call::Connect { .. } => return Vec::new(),
    };
    let mut findings = Vec::new();
    let page = "<!DOCTYPE html><html><head><title>x</title></head></html>";
    let wait = [("retry-after", "30")];
    for (what, status, headers, body, rung, waits) in [
        ("401", 401, &[][..], "{}", Rung::Credential, None),
        ("429 with a wait", 429, &wait[..], "{}", Rung::Quota, Some(30_000)),
        ("429 without a wait", 429, &[], "{}", Rung::Quota, None),
        ("500", 500, &[], "{}", Rung::Http, None),
        ("503 as a page", 503, &[], page, Rung::Http, None),
        ("a page", 200, &[], page, Rung::Http, None),
        ("broken JSON", 200, &[], "{\"a\":", Rung::Http, None),
    ] {
        if status == 200 && !wants_json {
            continue;
        }
        let response = HttpResponse {
            status,
            headers: headers
                .iter()
                .map(|(n, v): &(&str, &str)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
        };
        let reading = provider.read_probe(answer(probe, &response), settings);
        let told = match &reading.failed {
            Some(failed) => failed.rung == rung,
            None => optional && !reading.warnings.is_empty(),
        };
        if !told {
            findings.push(format!("probe {}: {what} became {:?}", probe.name, reading.failed));
        }
        let waited = reading.not_before.map(|at| at.ms() - NOW.ms());
        if waited != waits {
            findings.push(format!("probe {}: after {what} it waits {waited:?} ms", probe.name));
        }
    }
    findings
}
