//! Any HTTP address: what is asked and what is right are the integration's settings, so the probe is
//! made here and not in the manifest.

use lk_core::Time;
use lk_core::words::Rung;
use lk_provider::check::{Answer, Call, Failed, Probe, Reading, blamed, error_text, limits};
use lk_provider::manifest::ManifestError;
use lk_provider::pointer::Pointer;
use lk_provider::template::scalar;
use lk_provider::{Described, Folder, HttpRequest, Settings, auth};
use serde_json::Value;

/// The provider.
#[derive(Debug)]
pub(crate) struct Provider(Described);

impl Provider {
    pub(crate) fn load(folder: Folder) -> Result<Self, ManifestError> {
        Described::load(folder).map(Self)
    }
}

impl lk_provider::Provider for Provider {
    fn described(&self) -> &Described {
        &self.0
    }

    fn probes(&self, settings: &Settings, _now: Time) -> Vec<Probe> {
        let Some(url) = settings.get("url") else {
            return Vec::new();
        };
        let body = settings.get("body").unwrap_or_default();
        let mut request = HttpRequest {
            method: settings.get("method").unwrap_or("GET").to_owned(),
            url: url.to_owned(),
            headers: headers(settings),
            body: body.as_bytes().to_vec(),
        };
        let typed = request
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !typed && serde_json::from_str::<Value>(body).is_ok() {
            let json = ("content-type".to_owned(), "application/json".to_owned());
            request.headers.push(json);
        }
        auth::put_on(&mut request, self.0.manifest(), settings);
        vec![Probe {
            rung: Rung::Capability,
            name: "request".to_owned(),
            operation: format!("{} {}", request.method, path(url)),
            call: Call::Http(request),
        }]
    }

    fn read_probe(&self, answer: Answer<'_>, settings: &Settings) -> Reading {
        let failed = judge(&answer, settings);
        Reading {
            quotas: limits::quotas(None, answer.response, answer.now),
            not_before: limits::not_before(answer.response, answer.now).filter(|_| failed.is_some()),
            failed,
            ..Reading::default()
        }
    }
}

fn judge(answer: &Answer<'_>, settings: &Settings) -> Option<Failed> {
    let status = answer.response.status;
    let text = error_text(answer.response);
    let failed = |rung, body| {
        Some(Failed {
            rung,
            http_status: Some(status),
            body,
        })
    };
    if !is_right(status, settings.get("expect_status").unwrap_or("200-299")) {
        let told = if status < 400 {
            ours(
                "unexpected_status",
                &format!("The status is {status}, which is not among the right ones."),
            )
        } else {
            text
        };
        return failed(blamed(status, &told, Rung::Http), told);
    }
    let pointer = Pointer::parse(settings.get("assert_pointer")?).ok()?;
    let Ok(json) = serde_json::from_slice::<Value>(&answer.response.body) else {
        let told = ours(
            "not_json",
            "The answer is not JSON, so that the assertion cannot be looked at.",
        );
        return failed(Rung::Http, if text.trim_start().starts_with('<') { text } else { told });
    };
    let found = pointer.first(&json).filter(|value| !value.is_null());
    let wanted = settings.get("assert_equals");
    let holds = match (found, wanted) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(value), Some(wanted)) => scalar(value).as_deref() == Some(wanted),
    };
    if holds {
        return None;
    }
    let at = settings.get("assert_pointer").unwrap_or_default();
    let is = found.map_or_else(
        || "nothing".to_owned(),
        |value| scalar(value).unwrap_or_else(|| "an object".into()),
    );
    let told = match wanted {
        Some(wanted) => format!("The assertion does not hold: at {at} there is {is}, not {wanted}."),
        None => format!("The assertion does not hold: at {at} there is nothing."),
    };
    failed(Rung::Capability, ours("assertion_failed", &told))
}

fn ours(code: &str, message: &str) -> String {
    serde_json::json!({ "error": { "code": code, "message": message } }).to_string()
}

/// Whether a status is among numbers and ranges such as `200-299, 404`.
fn is_right(status: u16, right: &str) -> bool {
    right.split(',').map(str::trim).any(|part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let bounds = from.trim().parse::<u16>().ok().zip(to.trim().parse::<u16>().ok());
        bounds.is_some_and(|(from, to)| (from..=to).contains(&status))
    })
}

fn headers(settings: &Settings) -> Vec<(String, String)> {
    let object = settings
        .get("headers")
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    let pairs = object.as_ref().and_then(Value::as_object).into_iter().flatten();
    pairs
        .filter_map(|(name, value)| Some((name.clone(), scalar(value)?)))
        .collect()
}

/// The path of an address, for the operation: hosts and queries are the integration's own.
fn path(url: &str) -> &str {
    let after_host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_host.find('/').map_or("/", |at| &after_host[at..]);
    path.split(['?', '#']).next().unwrap_or("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_numbers_and_ranges() {
        assert!(is_right(204, "200-299") && is_right(404, "200-299, 404"));
        assert!(!is_right(301, "200-299") && !is_right(200, "nonsense") && !is_right(200, ""));
        assert_eq!(path("https://api.example.test/v1/health?x=1"), "/v1/health");
        assert_eq!(path("https://api.example.test"), "/");
    }
}
