//! What an answer to a manifest's probe says.

use lk_core::Time;
use lk_core::words::Rung;
use serde_json::Value;

use super::request::base_url;
use super::{Answer, Failed, Reading, limits};
use crate::manifest::{Check, Manifest, ProbeRule};
use crate::message::HttpResponse;
use crate::template::{Scope, scalar};
use crate::{Headers, Settings};

/// Bytes of a body that are handed on as an error text.
const MAX_ERROR_TEXT: usize = 64 * 1024;

/// The rung that an answer's status blames; `None` where the status is right.
pub fn blamed(status: u16, body: &str, own: Rung) -> Rung {
    let about_scope = || {
        let text = body.to_ascii_lowercase();
        ["scope", "permission", "not_allowed", "forbidden for"]
            .iter()
            .any(|word| text.contains(word))
    };
    match status {
        401 => Rung::Credential,
        403 if about_scope() => Rung::Scopes,
        403 => Rung::Credential,
        429 => Rung::Quota,
        500.. => Rung::Http,
        _ => own.max(Rung::Http),
    }
}

/// The body as text, cut.
pub fn error_text(response: &HttpResponse) -> String {
    let cut = &response.body[..response.body.len().min(MAX_ERROR_TEXT)];
    String::from_utf8_lossy(cut).into_owned()
}

/// Reads an answer by the rule of its probe.
pub(crate) fn read(manifest: &Manifest, answer: Answer<'_>, settings: &Settings) -> Reading {
    let Some((check, rule)) = manifest.check.as_ref().and_then(|check| {
        let rule = check.probe.iter().find(|rule| rule.name == answer.probe.name)?;
        Some((check, rule))
    }) else {
        return Reading::default();
    };
    let response = answer.response;
    let mut reading = Reading {
        quotas: limits::quotas(manifest.limits.as_ref(), response, answer.now),
        not_before: limits::not_before(response, answer.now),
        ..Reading::default()
    };
    let json = serde_json::from_slice::<Value>(&response.body).ok();
    reading.failed = failure(check, rule, response, json.as_ref(), settings);
    if reading.failed.is_none() {
        // A success that names a wait names it for later calls, not for this one.
        reading.not_before = None;
        learn(&mut reading, rule, response, json.as_ref(), answer.now);
    }
    reading
}

fn failure(
    check: &Check,
    rule: &ProbeRule,
    response: &HttpResponse,
    json: Option<&Value>,
    settings: &Settings,
) -> Option<Failed> {
    let status = response.status;
    let failed = |rung: Rung, body: String| {
        Some(Failed {
            rung,
            http_status: Some(status),
            body,
        })
    };
    let text = error_text(response);
    if json.is_none()
        && status < 500
        && let Some(trap) = sprung(check, settings)
    {
        return failed(Rung::Http, ours("wrong_base_url", trap));
    }
    let expected = if rule.expect_status.is_empty() {
        (200..300).contains(&status)
    } else {
        rule.expect_status.contains(&status)
    };
    if !expected {
        return failed(blamed(status, &text, rule.rung), text);
    }
    // Of an answer in a form that is not expected, what it says instead is told by the error rules.
    let Some(json) = json else {
        return failed(Rung::Http, unreadable(&text, response));
    };
    if let Some(marked) = rule.fail_when.iter().find(|when| marks(when, json)) {
        let said = marked.pointer.first(json).and_then(scalar).unwrap_or_default();
        let body = if text.is_empty() { said } else { text };
        return failed(blamed_in_body(json, rule.rung), body);
    }
    let missing = rule.require.iter().find(|pointer| pointer.first(json).is_none());
    missing.and_then(|pointer| {
        let what = pointer.last_key().unwrap_or("a value");
        failed(
            Rung::Capability,
            ours(
                "unexpected_shape",
                &format!("The answer has no `{what}`, although its status is {status}."),
            ),
        )
    })
}

/// A failure told by the body of an answer whose status is right: which rung, by its words.
fn blamed_in_body(json: &Value, own: Rung) -> Rung {
    let text = json.to_string().to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["missing_scope", "no_permission", "insufficient"]) {
        Rung::Scopes
    } else if says(&["ratelimited", "rate_limited", "too many requests"]) {
        Rung::Quota
    } else if says(&["auth", "token", "credential", "account_inactive"]) {
        Rung::Credential
    } else {
        own
    }
}

fn marks(when: &crate::manifest::FailWhen, json: &Value) -> bool {
    let Some(found) = when.pointer.first(json).filter(|value| !value.is_null()) else {
        return false;
    };
    when.any_of.is_empty() || scalar(found).is_some_and(|text| when.any_of.contains(&text))
}

/// What is told where JSON was expected: the page itself when it is one, so that its title is read.
fn unreadable(text: &str, response: &HttpResponse) -> String {
    if text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let media = response.headers.iter().find(|(name, _)| name == "content-type");
    let media = media.map_or("no content type", |(_, value)| value.as_str());
    if text.trim().is_empty() {
        ours(
            "empty_answer",
            &format!("The answer has no body ({media}) where JSON was expected."),
        )
    } else {
        ours("not_json", &format!("The answer is not JSON ({media})."))
    }
}

/// A finding of our own in the form in which the error rules find code and message.
fn ours(code: &str, message: &str) -> String {
    serde_json::json!({ "error": { "code": code, "message": message } }).to_string()
}

/// The advice of the trap that the base URL has fallen into.
fn sprung<'a>(check: &'a Check, settings: &Settings) -> Option<&'a str> {
    let base = base_url(check, settings).to_ascii_lowercase();
    let trap = check.trap.iter().find(|trap| base.contains(&trap.contains));
    trap.map(|trap| trap.tell.as_str())
}

/// What a good answer tells besides being good.
fn learn(reading: &mut Reading, rule: &ProbeRule, response: &HttpResponse, json: Option<&Value>, now: Time) {
    let mut headers = Headers::new();
    for (name, value) in &response.headers {
        headers.push(name, value.as_bytes().to_vec());
    }
    let (query, settings) = (Vec::new(), Settings::new());
    let scope = Scope {
        body: json.unwrap_or(&Value::Null),
        headers: &headers,
        query: &query,
        settings: &settings,
    };
    reading.account = rule.account.render(&scope);
    let told = rule.scopes_header.as_deref().and_then(|name| headers.text(name));
    let in_body = || {
        let found = rule.scopes.as_ref()?.first(json?)?;
        Some(match found {
            Value::Array(items) => items.iter().filter_map(scalar).collect::<Vec<_>>().join(" "),
            other => scalar(other)?,
        })
    };
    let granted = told.map(str::to_owned).or_else(in_body).map(|text| split(&text));
    if let Some(granted) = &granted {
        let lacks = |scope: &&String| !granted.contains(scope);
        reading.missing_scopes = rule.needs_scopes.iter().filter(lacks).cloned().collect();
        if !reading.missing_scopes.is_empty() {
            reading
                .notes
                .push(format!("Not granted: {}.", reading.missing_scopes.join(", ")));
        }
    }
    reading.scopes = granted;
    let seconds = rule.expires_in.as_ref().and_then(|pointer| pointer.first(json?));
    let seconds = seconds.and_then(|value| scalar(value)?.parse::<i64>().ok());
    reading.credential_ends = seconds.map(|seconds| now + seconds.saturating_mul(1_000));
}

fn split(text: &str) -> Vec<String> {
    let parts = text.split([',', ' ']).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
