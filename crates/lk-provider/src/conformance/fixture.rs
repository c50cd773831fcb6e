//! `fixtures/*.json`: a delivery and what has to be read from it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::signing::{NOW, secret};
use crate::item::Item;
use crate::receive::{Accepted, receive};
use crate::signature::sign;
use crate::{Handshake, Headers, Inbound, Provider, Settings, Trust};

/// A parsed fixture.
#[derive(Debug, Clone)]
pub struct Fixture {
    name: String,
    file: File,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Where the body comes from: documentation, or the shape it stands for.
    #[serde(default, rename = "about")]
    _about: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    settings: Map<String, Value>,
    /// JSON, sent compact; or `text`, sent as it is.
    body: Option<Value>,
    text: Option<String>,
    /// Send it unsigned, before any secret is known.
    #[serde(default)]
    first_contact: bool,
    expect: Expect,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    items: Option<Vec<Map<String, Value>>>,
    handshake: Option<Map<String, Value>>,
}

/// Why a fixture cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("fixture {name}: {message}")]
pub struct FixtureError {
    name: String,
    message: String,
}

impl FixtureError {
    pub(super) fn new(name: &str, message: String) -> Self {
        Self {
            name: name.to_owned(),
            message,
        }
    }
}

impl Fixture {
    /// Parses the text of a fixture.
    pub fn parse(name: &str, text: &str) -> Result<Self, FixtureError> {
        let fail = |message: String| FixtureError::new(name, message);
        let file: File = serde_json::from_str(text).map_err(|error| fail(error.to_string()))?;
        if file.body.is_some() == file.text.is_some() {
            return Err(fail("it needs either `body` or `text`".to_owned()));
        }
        if file.expect.items.is_some() == file.expect.handshake.is_some() {
            return Err(fail("it expects either `items` or a `handshake`".to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            file,
        })
    }

    /// The exact body it sends.
    pub fn body(&self) -> Vec<u8> {
        match (&self.file.body, &self.file.text) {
            (Some(body), _) => body.to_string().into_bytes(),
            (None, text) => text.clone().unwrap_or_default().into_bytes(),
        }
    }

    /// The headers it sends besides the signature.
    pub fn headers(&self) -> Headers {
        let given = self
            .file
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
        let mut headers: Headers = given.collect();
        if !headers.contains("content-type") {
            headers.push("content-type", "application/json");
        }
        headers
    }

    /// What differs from the expectation when the provider receives it, signed.
    pub(super) fn check(&self, provider: &dyn Provider) -> Vec<String> {
        let settings = Settings::from_json(&Value::Object(self.file.settings.clone()));
        let mut headers = self.headers();
        let body = self.body();
        let secrets = if self.file.first_contact {
            Vec::new()
        } else {
            vec![secret(1)]
        };
        if let (Some(webhook), Some(secret)) = (&provider.manifest().webhook, secrets.first()) {
            let settings = provider.manifest().with_defaults(&settings);
            for (name, value) in sign(&webhook.signature, &settings, secret, "msg_1", NOW, &body)
                .iter()
                .flat_map(Headers::iter)
            {
                headers.push(name, value);
            }
        }
        let settings = provider.manifest().with_defaults(&settings);
        let accepted = receive(
            provider,
            &Inbound::post("/", headers, body, NOW),
            &settings,
            &secrets,
            NOW,
        );
        let findings = match (&accepted, &self.file.expect.items, &self.file.expect.handshake) {
            (Ok(Accepted::Items { items, .. }), Some(expected), _) => compare_items(items, expected),
            (Ok(Accepted::Handshake(handshake)), _, Some(expected)) => compare(&shake_facts(handshake), expected, ""),
            (other, ..) => vec![format!("became {other:?}")],
        };
        findings
            .into_iter()
            .map(|finding| format!("fixture {}: {finding}", self.name))
            .collect()
    }
}

fn compare_items(items: &[Item], expected: &[Map<String, Value>]) -> Vec<String> {
    if items.len() != expected.len() {
        return vec![format!("{} items instead of {}", items.len(), expected.len())];
    }
    items
        .iter()
        .zip(expected)
        .enumerate()
        .flat_map(|(at, (item, expected))| compare(&item_facts(item), expected, &format!("item {at}: ")))
        .collect()
}

/// Each expected member has to be equal; others are not looked at.
pub(super) fn compare(facts: &Value, expected: &Map<String, Value>, at: &str) -> Vec<String> {
    expected
        .iter()
        .filter(|(key, value)| facts.get(key.as_str()) != Some(*value))
        .map(|(key, value)| {
            format!(
                "{at}{key} is {} instead of {value}",
                facts.get(key).unwrap_or(&Value::Null)
            )
        })
        .collect()
}

fn item_facts(item: &Item) -> Value {
    let failure = item.failure.as_ref();
    json!({
        "key": item.delivery_key,
        "type": item.event_type,
        "account": item.account,
        "outcome": item.outcome.map(lk_core::words::Outcome::as_str),
        "occurred_at": item.occurred_at.map(lk_core::Time::ms),
        "summary": item.summary,
        "operation": failure.map(|f| f.operation.clone()),
        "codes": failure.map(|f| f.codes.clone()),
        "field": failure.and_then(|f| f.field.clone()),
        "message": failure.map(|f| f.message.clone()),
        "http_status": failure.and_then(|f| f.http_status),
        "payload": item.payload.get(),
    })
}

fn shake_facts(handshake: &Handshake) -> Value {
    let confirm = handshake.confirm.as_ref().map(|request| {
        json!({
            "method": request.method,
            "url": request.url,
            "headers": request.headers.iter().cloned().map(|(n, v)| (n, Value::String(v))).collect::<Map<_, _>>(),
            "body": String::from_utf8_lossy(&request.body),
        })
    });
    json!({
        "trust": match handshake.trust {
            Trust::Signed => "signed",
            Trust::FirstContact => "first_contact",
            Trust::Harmless => "harmless",
        },
        "status": handshake.response.status,
        "answer": String::from_utf8_lossy(&handshake.response.body),
        "stores_secret": handshake.store_secret.is_some(),
        "confirm": confirm,
        "missing": handshake.missing,
    })
}
