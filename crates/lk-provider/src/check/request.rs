//! Probes made of a manifest's `[check]`.

use serde_json::Value;
use url::Url;

use super::{Call, Probe};
use crate::manifest::{Check, Manifest, ProbeRule};
use crate::template::Scope;
use crate::{Headers, HttpRequest, Settings, auth};

/// The base URL of an integration: its own, or the provider's.
pub fn base_url<'a>(check: &'a Check, settings: &'a Settings) -> &'a str {
    settings
        .get("base_url")
        .unwrap_or(&check.base_url)
        .trim_end_matches('/')
}

/// The probes of a manifest. A probe whose address needs a setting that is not filled in is left
/// out.
pub(crate) fn probes(manifest: &Manifest, settings: &Settings) -> Vec<Probe> {
    let Some(check) = &manifest.check else {
        return Vec::new();
    };
    let settings = manifest.with_defaults(settings);
    let probes = check.probe.iter();
    probes
        .filter_map(|rule| probe(manifest, check, rule, &settings))
        .collect()
}

fn probe(manifest: &Manifest, check: &Check, rule: &ProbeRule, settings: &Settings) -> Option<Probe> {
    let (headers, query) = (Headers::new(), Vec::new());
    let scope = Scope {
        body: &Value::Null,
        headers: &headers,
        query: &query,
        settings,
    };
    let path = rule.path.render_address(&scope)?;
    let mut url = Url::parse(&format!("{}{path}", base_url(check, settings))).ok()?;
    for (key, value) in &rule.query {
        let value = value.render(&scope)?;
        url.query_pairs_mut().append_pair(key, &value);
    }
    let mut request = HttpRequest {
        method: rule.method.clone(),
        url: url.into(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: rule.body.render(&scope).unwrap_or_default().into_bytes(),
    };
    if !request.body.is_empty() {
        let json = ("content-type".to_owned(), "application/json".to_owned());
        request.headers.push(json);
    }
    for (name, value) in &rule.headers {
        let value = value.render(&scope)?;
        request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        request.headers.push((name.clone(), value));
    }
    auth::put_on(&mut request, manifest, settings);
    Some(Probe {
        rung: rule.rung,
        name: rule.name.clone(),
        operation: format!("{} {}", rule.method, operation_path(&path)),
        call: Call::Http(request),
    })
}

/// The path as an operation: without the query.
fn operation_path(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}
