//! Any HTTP service: its one question is made of the settings, and so is what the answer has to be.

use lk_core::Time;
use lk_core::words::Rung;
use lk_provider::check::{self, Answer, BASE_URL, Call, Failed, Probe, Reading};
use lk_provider::manifest::{ManifestError, ProbeRule};
use lk_provider::pointer::Pointer;
use lk_provider::template::scalar;
use lk_provider::{Described, Folder, HttpRequest, Settings};
use serde_json::Value;

/// The name of its question.
const NAME: &str = "request";
/// Statuses of HTTP.
const STATUSES: std::ops::RangeInclusive<u16> = 100..=599;

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
        let settings = self.manifest().with_defaults(settings);
        let Some(url) = address(&settings) else {
            return Vec::new();
        };
        let rule = rule(&settings);
        let mut request = HttpRequest {
            method: rule.method.clone(),
            url,
            headers: vec![("accept".to_owned(), rule.accept)],
            body: Vec::new(),
        };
        for (name, value) in headers(settings.get("headers").unwrap_or_default()) {
            request.headers.retain(|(known, _)| *known != name);
            request.headers.push((name, value));
        }
        if request.method == "POST" {
            request.body = settings.get("body").unwrap_or_default().as_bytes().to_vec();
            if !request.headers.iter().any(|(name, _)| name == "content-type") {
                request
                    .headers
                    .push(("content-type".to_owned(), "application/json".to_owned()));
            }
        }
        check::authorize(&mut request, self.manifest(), &settings);
        vec![Probe {
            rung: rule.rung,
            name: NAME.to_owned(),
            operation: format!("{} {{url}}", rule.method),
            call: Call::Http(request),
        }]
    }

    fn read_probe(&self, answer: Answer<'_>, settings: &Settings) -> Reading {
        let settings = self.manifest().with_defaults(settings);
        let mut reading = check::read_by(&rule(&settings), self.manifest(), &answer, &settings);
        if reading.failed.is_none()
            && let Some(sentence) = disagreement(&answer.response.body, &settings)
        {
            reading.failed = Some(Failed {
                rung: Rung::Capability,
                http_status: Some(answer.response.status),
                body: check::own("assertion_failed", &sentence),
            });
        }
        reading
    }
}

/// What is asked. `base_url` stands in for scheme, host and port, as it does everywhere.
fn address(settings: &Settings) -> Option<String> {
    let url = settings.get("url")?;
    let Some(base) = settings.get(BASE_URL) else {
        return Some(url.to_owned());
    };
    let (_, rest) = url.split_once("://")?;
    let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
    Some(format!("{}{path}", base.trim_end_matches('/')))
}

/// What the answer has to be, as the settings say.
fn rule(settings: &Settings) -> ProbeRule {
    let asserts = settings.get("assert_pointer").is_some();
    let method = settings.get("method").unwrap_or("GET");
    ProbeRule {
        method: method.to_owned(),
        accept: if asserts { "application/json" } else { "*/*" }.to_owned(),
        expect_status: statuses(settings.get("expected_status").unwrap_or_default()),
        ..ProbeRule::new(NAME, Rung::Capability)
    }
}

/// `200-299, 404`; a part that is neither number nor range says nothing.
fn statuses(text: &str) -> Vec<u16> {
    let parts = text.split(',').map(str::trim);
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        Some(first..=last)
    };
    let all = parts
        .filter_map(range)
        .flatten()
        .filter(|status| STATUSES.contains(status));
    all.collect()
}

/// `Name: value | Other: value`; names in lowercase.
fn headers(text: &str) -> Vec<(String, String)> {
    let lines = text.split(['|', '\n']).filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

/// How the answer differs from what the settings expect of it, in a sentence.
fn disagreement(body: &[u8], settings: &Settings) -> Option<String> {
    let place = settings.get("assert_pointer")?;
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let found = Pointer::parse(place).ok().and_then(|pointer| pointer.first(&body));
    let found = found.filter(|value| !value.is_null());
    match (found, settings.get("assert_value")) {
        (None, _) => Some(format!("{place} is not in the answer")),
        (Some(_), None) => None,
        (Some(value), Some(wanted)) if is_same(value, wanted) => None,
        (Some(value), Some(wanted)) => {
            let told = scalar(value).unwrap_or_else(|| "no text, number or truth value".to_owned());
            let told: String = told.chars().take(100).collect();
            Some(format!("{place} is {told} and not {wanted}"))
        }
    }
}

fn is_same(value: &Value, wanted: &str) -> bool {
    let numbers = value.as_f64().zip(wanted.parse::<f64>().ok());
    numbers.map_or_else(
        || scalar(value).as_deref() == Some(wanted),
        |(a, b)| (a - b).abs() < f64::EPSILON,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_numbers_and_ranges() {
        assert_eq!(statuses("200-202, 404"), [200, 201, 202, 404]);
        assert_eq!(statuses("nonsense, 99, 700"), [0_u16; 0]);
        assert!(statuses("0-65535").len() == 500);
    }

    #[test]
    fn headers_have_names_and_values() {
        let found = headers("X-Key: a:b | Accept:text/plain\nnonsense|: x");
        assert_eq!(
            found,
            [
                ("x-key".to_owned(), "a:b".to_owned()),
                ("accept".to_owned(), "text/plain".to_owned())
            ]
        );
    }

    #[test]
    fn a_base_address_stands_in_for_the_host_alone() {
        let address = |url: &str, base: &str| {
            let settings: Settings = [("url", url), ("base_url", base)].into_iter().collect();
            address(&settings)
        };
        assert_eq!(
            address("https://a.example/x?y=1", "").as_deref(),
            Some("https://a.example/x?y=1")
        );
        assert_eq!(
            address("https://a.example/x?y=1", "http://b:1/").as_deref(),
            Some("http://b:1/x?y=1")
        );
        assert_eq!(
            address("https://a.example?y=1", "http://b:1").as_deref(),
            Some("http://b:1?y=1")
        );
    }

    #[test]
    fn values_are_compared_as_people_write_them() {
        let differs = |pointer: &str, wanted: &str| {
            let settings: Settings = [("assert_pointer", pointer), ("assert_value", wanted)]
                .into_iter()
                .collect();
            disagreement(
                br#"{"status":"ok","n":1.0,"up":true,"gone":null,"list":[1]}"#,
                &settings,
            )
        };
        for (pointer, wanted) in [
            ("/status", "ok"),
            ("/n", "1"),
            ("/up", "true"),
            ("/list", ""),
            ("/list/0", "1"),
        ] {
            assert_eq!(differs(pointer, wanted), None, "{pointer}");
        }
        assert_eq!(
            differs("/status", "fine").as_deref(),
            Some("/status is ok and not fine")
        );
        assert!(differs("/gone", "").is_some() && differs("/list", "1").is_some() && differs("/x", "").is_some());
    }
}
