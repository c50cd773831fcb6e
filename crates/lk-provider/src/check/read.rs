//! What an answer says, by the manifest: whether it is the expected one, whom it is for, what it
//! warns of; and which rung a refusal blames.

use lk_core::check::Warnings;
use lk_core::time::DAY;
use lk_core::words::{CredentialState, Rung};
use serde_json::{Value, json};

use super::{Answer, Failed, Reading, limits};
use crate::manifest::{Auth, AuthKind, JsonKind, Need, ProbeRule, Require, When};
use crate::template::{Scope, scalar};
use crate::{Headers, HttpResponse, Manifest, Settings};

/// The setting that lists further scopes an integration needs, with commas or spaces between them.
pub const NEEDS_SCOPES: &str = "needs_scopes";

/// Bytes of a body that a failure carries; the error rules read no more.
const MAX_BODY: usize = 64 * 1024;
/// A credential that ends within this time is worth a warning.
const ENDS_SOON: i64 = 14 * DAY;

/// What an answer to a probe of the manifest says.
pub fn read(manifest: &Manifest, answer: &Answer<'_>, settings: &Settings) -> Reading {
    let rules = manifest.check.iter().flat_map(|check| &check.probes);
    match rules.into_iter().find(|rule| rule.name == answer.probe.name) {
        Some(rule) => read_by(rule, manifest, answer, settings),
        None => Reading::default(),
    }
}

/// The same by a rule that need not be in the manifest.
pub fn read_by(rule: &ProbeRule, manifest: &Manifest, answer: &Answer<'_>, settings: &Settings) -> Reading {
    let settings = manifest.with_defaults(settings);
    let headers: Headers = answer.response.headers.iter().map(|(n, v)| (n, v)).collect();
    let now = answer.now;
    let mut reading = Reading {
        quotas: limits::quotas(&manifest.limits, &headers, now),
        ..Reading::default()
    };
    let kind = manifest.auth_of(&settings).map(Auth::kind);
    let body = match body_of(rule, answer.response) {
        Ok(body) => body,
        Err(mut failed) => {
            if failed.rung != Rung::Quota && answer.response.status == 403 && exhausted(&reading) {
                failed.rung = Rung::Quota;
            }
            reading.not_before = limits::not_before(&headers, &answer.response.body, failed.rung, &reading.quotas, now);
            if failed.http_status == Some(401) && kind.is_some_and(AuthKind::is_static) {
                reading.credential = Some(CredentialState::NeedsReauth);
            }
            return fail(rule, reading, failed);
        }
    };
    if let Some((failed, standing)) = refused(rule, answer.response, &body) {
        reading.not_before = limits::not_before(&headers, &answer.response.body, failed.rung, &reading.quotas, now);
        reading.credential = standing;
        return fail(rule, reading, failed);
    }
    let scope = Scope {
        body: &body,
        headers: &headers,
        query: &[],
        settings: &settings,
    };
    if rule.rung >= Rung::Credential && kind.is_some_and(|kind| kind != AuthKind::None) {
        reading.credential = Some(CredentialState::Active);
    }
    reading.account = rule.account.render(&scope);
    granted(rule, &headers, &body, &settings, &mut reading);
    if let Some(ends) = rule
        .expires_header
        .as_deref()
        .and_then(|name| limits::moment(headers.text(name)?))
    {
        reading.credential_ends = Some(ends);
        if ends.ms() - now.ms() < ENDS_SOON {
            reading.warnings = reading.warnings.with(Warnings::CREDENTIAL);
            reading.credential = Some(CredentialState::Expiring);
        }
    }
    for when in rule.warn_when.iter().filter(|when| holds(when, &body)) {
        reading.warnings = reading.warnings.with(Warnings::NOTICE);
        reading.notes.extend(when.note.render(&scope));
    }
    reading
}

/// The failure, or a warning of it where the probe is optional.
fn fail(rule: &ProbeRule, mut reading: Reading, failed: Failed) -> Reading {
    if rule.optional {
        reading.warnings = reading.warnings.with(Warnings::NOTICE);
        let status = failed
            .http_status
            .map_or_else(String::new, |status| format!(" (HTTP {status})"));
        reading
            .notes
            .push(format!("The optional question {} was refused{status}.", rule.name));
        reading.credential = None;
    } else {
        reading.failed = Some(failed);
    }
    reading
}

fn exhausted(reading: &Reading) -> bool {
    reading.quotas.iter().any(|quota| quota.remaining == 0)
}

/// The answer's JSON (null where none is expected), or why it is not the expected one.
fn body_of(rule: &ProbeRule, response: &HttpResponse) -> Result<Value, Failed> {
    let status = response.status;
    let text = String::from_utf8_lossy(&response.body[..response.body.len().min(MAX_BODY)]);
    let json = rule.accept.contains("json");
    let page = is_page(response, &text);
    let failed = |rung, body: String| Failed {
        rung,
        http_status: Some(status),
        body,
    };
    if !rule.expect_status.contains(&status) {
        let rung = match blamed(status, &text) {
            Some(rung) if status == 401 || status == 429 || !(page && json) => rung,
            _ if page && json => Rung::Http,
            _ => rule.rung,
        };
        return Err(failed(rung, error_text(response, &text, page)));
    }
    if !json || rule.method == "HEAD" || status == 204 {
        return Ok(Value::Null);
    }
    if page {
        return Err(failed(Rung::Http, text.into_owned()));
    }
    serde_json::from_slice(&response.body).map_err(|_| {
        let head: String = text.chars().take(200).collect();
        failed(Rung::Http, own("not_json", &format!("The answer is not JSON: {head}")))
    })
}

/// The rung that a refusing status blames whatever was asked; `None` is the probe's own.
pub fn blamed(status: u16, body: &str) -> Option<Rung> {
    let lower = body.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    match status {
        403 if says(&[
            "rate limit",
            "ratelimit",
            "quota",
            "too many request",
            "throttl",
            "limitexceeded",
        ]) =>
        {
            Some(Rung::Quota)
        }
        403 if says(&["scope", "permission", "not accessible", "insufficient", "privilege"]) => Some(Rung::Scopes),
        401 | 403 => Some(Rung::Credential),
        429 => Some(Rung::Quota),
        300..=399 | 407 | 408 | 500.. => Some(Rung::Http),
        _ => None,
    }
}

/// Whether the answer is a page for people.
fn is_page(response: &HttpResponse, text: &str) -> bool {
    let typed = response.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.to_ascii_lowercase().contains("text/html")
    });
    let start = text
        .trim_start()
        .get(..14)
        .unwrap_or_else(|| text.trim_start())
        .to_ascii_lowercase();
    let marked = start.starts_with("<!doctype html") || start.starts_with("<html");
    // Some APIs call their JSON a page.
    marked || (typed && !text.trim_start().starts_with(['{', '[']))
}

/// What the error rules are given of a refusal.
fn error_text(response: &HttpResponse, text: &str, page: bool) -> String {
    if response.status < 400 && !page {
        let sentence = format!("The answer has the unexpected status {}.", response.status);
        return own("unexpected_status", &sentence);
    }
    if !text.trim().is_empty() {
        return text.to_owned();
    }
    let challenge = response
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
    match challenge {
        Some((_, challenge)) if challenge.contains("error") => challenge.clone(),
        _ => format!("HTTP {} without a body", response.status),
    }
}

/// A failure that we found, in the form of the error bodies that the rules read.
pub fn own(code: &str, sentence: &str) -> String {
    json!({"error": {"code": code, "message": sentence}}).to_string()
}

/// What makes an answer of a good status a failure.
fn refused(rule: &ProbeRule, response: &HttpResponse, body: &Value) -> Option<(Failed, Option<CredentialState>)> {
    let failed = |rung, body: String| Failed {
        rung,
        http_status: Some(response.status),
        body,
    };
    if let Some(when) = rule.fail_when.iter().find(|when| holds(when, body)) {
        let text = String::from_utf8_lossy(&response.body[..response.body.len().min(MAX_BODY)]);
        return Some((
            failed(when.rung.unwrap_or(rule.rung), text.into_owned()),
            when.credential,
        ));
    }
    let lacking = rule.require.iter().find_map(|required| lacking(required, body))?;
    let sentence = format!("The answer does not have the expected form: {lacking}.");
    Some((failed(rule.rung, own("unexpected_shape", &sentence)), None))
}

/// What is wrong with a value that has to be there.
fn lacking(required: &Require, body: &Value) -> Option<String> {
    let (pointer, kind) = match required {
        Require::Present(pointer) => (pointer, None),
        Require::Kind(typed) => (&typed.pointer, Some(typed.is)),
    };
    let name = pointer.last_key().unwrap_or("the whole");
    match (pointer.first(body).filter(|value| !value.is_null()), kind) {
        (None, _) => Some(format!("no {name}")),
        (Some(value), Some(kind)) if !is(value, kind) => Some(format!("{name} of another kind than {}", kind.as_str())),
        _ => None,
    }
}

fn is(value: &Value, kind: JsonKind) -> bool {
    match kind {
        JsonKind::Number => value.is_number(),
        JsonKind::String => value.is_string(),
        JsonKind::Boolean => value.is_boolean(),
        JsonKind::Array => value.is_array(),
        JsonKind::Object => value.is_object(),
    }
}

fn holds(when: &When, body: &Value) -> bool {
    let values = when.pointer.values(body);
    if let Some(exists) = when.exists {
        let there = values.iter().any(|value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => true,
        });
        return there == exists;
    }
    let wanted = |text: &String| when.equals.as_ref() == Some(text) || when.any_of.contains(text);
    values.into_iter().filter_map(scalar).any(|text| wanted(&text))
}

/// What was granted and what of it is missing. An answer that does not tell is not held against it.
fn granted(rule: &ProbeRule, headers: &Headers, body: &Value, settings: &Settings, reading: &mut Reading) {
    let told = match (&rule.scopes_header, &rule.scopes) {
        (Some(name), _) => headers.text(name).map(words),
        (None, Some(pointer)) => pointer.first(body).map(|value| match value {
            Value::Array(items) => items.iter().filter_map(scalar).collect(),
            other => words(&scalar(other).unwrap_or_default()),
        }),
        (None, None) => None,
    };
    let Some(granted) = told else { return };
    let has = |scope: &String| granted.contains(scope);
    let further = words(settings.get(NEEDS_SCOPES).unwrap_or_default());
    let declared = rule.needs_scopes.iter().map(Need::alternatives);
    let lacking = declared
        .filter(|any| !any.iter().any(has))
        .filter_map(<[_]>::first)
        .cloned();
    reading.missing_scopes = lacking.chain(further.into_iter().filter(|scope| !has(scope))).collect();
    if !reading.missing_scopes.is_empty() {
        reading.warnings = reading.warnings.with(Warnings::SCOPES);
    }
    reading.scopes = Some(granted);
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c == ',' || c.is_whitespace());
    parts.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
