//! Bodies that are text: JSON in disguise, markup, forms, exceptions printed by a program.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::{Explainer, Parts, json, markup, network};

/// How many `{` in a text are tried as the beginning of JSON.
const MAX_TRIES: usize = 6;

static LOOSE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)\b["'\\]*(decline_?code|error_?code|errorcode|code|reason|error|category|status|type|suberror)["'\\]*\s*[:=]>?\s*["'\\]+([A-Za-z][A-Za-z0-9_.:/-]{1,80})["'\\]"#,
    )
    .ok()
});

/// `Code: DEPLOYMENT_PAUSED`, as programs and pages print it.
static LABELLED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?i:code|error|reason)\s*[:=]\s*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b").ok());

/// Reads any body.
pub(super) fn read(body: &str, rules: &Explainer, parts: &mut Parts) {
    let body = body.trim().trim_start_matches('\u{feff}').trim();
    if body.starts_with(['{', '[', '"'])
        && let Ok(value) = serde_json::from_str::<Value>(body)
    {
        match value {
            // A string that holds a whole body.
            Value::String(inner) if inner.len() < body.len() => return read_text(&inner, rules, parts),
            value => return read_value(&value, body, rules, parts),
        }
    }
    read_text(body, rules, parts);
}

fn read_value(value: &Value, body: &str, rules: &Explainer, parts: &mut Parts) {
    json::read(value, &rules.extract, parts);
    // Tools print `"MCP error -32601: ..."` and `Error: 404 ...` into a message.
    if parts.status.is_none() {
        let told = parts.messages.iter().find_map(|m| network::status(m));
        parts.status = told;
    }
    if parts.codes.is_empty() && parts.messages.is_empty() {
        parts.message(body);
    }
}

fn read_text(body: &str, rules: &Explainer, parts: &mut Parts) {
    let body = without_stack(body);
    let body = body.trim();
    if body.starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<Value>(body)
    {
        return read_value(&value, body, rules, parts);
    }
    parts.status = network::status(body);
    if markup::read(body, parts) || markup::form(body, parts) {
        return;
    }
    let (before, inner) = embedded(body);
    if let Some(value) = inner {
        json::read(&value, &rules.extract, parts);
        let words = std::mem::take(&mut parts.messages);
        parts.message(before);
        for word in &words {
            parts.message(word);
        }
    } else {
        parts.message(body);
    }
    for found in LOOSE.iter().flat_map(|p| p.captures_iter(body)).take(12) {
        let key = found.get(1).map_or("", |m| m.as_str()).to_ascii_lowercase();
        let code = found.get(2).map_or("", |m| m.as_str());
        let weight = match key.as_str() {
            "decline_code" | "declinecode" | "error_code" | "errorcode" | "suberror" => 120,
            "code" | "reason" => 140,
            "error" | "category" => 160,
            _ => 180,
        };
        parts.code(weight, code);
    }
    for found in LABELLED.iter().flat_map(|p| p.captures_iter(body)).take(6) {
        parts.code(138, found.get(1).map_or("", |m| m.as_str()));
    }
    for token in tokens(body) {
        let alone = token.len() == body.len();
        let known = |t: &str| rules.rules.knows_code(t) || (is_code_like(t) && rules.rules.knows_family(t));
        if (alone || is_code_like(token)) && known(token) {
            parts.code(if token.contains('_') || alone { 145 } else { 155 }, token);
        }
    }
}

/// A text without the lines that only say where in a program it was thrown.
fn without_stack(body: &str) -> Cow<'_, str> {
    let frame = |line: &str| {
        let line = line.trim_start();
        let place = |rest: &str| rest.contains(['(', '/', '\\']) || rest.starts_with("async ") || rest.contains(':');
        line.strip_prefix("at ").is_some_and(place)
            || (line.starts_with("File \"") && line.contains("\", line "))
            || line.starts_with("Traceback (most recent call last)")
    };
    if body.lines().skip(1).any(frame) || body.starts_with("Traceback ") {
        let kept: Vec<&str> = body.lines().filter(|line| !frame(line)).collect();
        return Cow::Owned(kept.join("\n"));
    }
    Cow::Borrowed(body)
}

/// JSON (or a printed Python dictionary) inside a text, and the text before it.
fn embedded(body: &str) -> (&str, Option<Value>) {
    for (at, _) in body.match_indices('{').take(MAX_TRIES) {
        let rest = &body[at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        if let Some(Ok(value @ Value::Object(_))) = values.next() {
            return (&body[..at], Some(value));
        }
        if rest.starts_with("{'") || rest.starts_with("{\\\"") {
            let end = rest.rfind('}').map_or(rest.len(), |e| e + 1);
            let plain = rest[..end]
                .replace("\\\"", "\"")
                .replace('\'', "\"")
                .replace(": None", ": null")
                .replace(": True", ": true")
                .replace(": False", ": false");
            if let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(&plain) {
                return (&body[..at], Some(value));
            }
        }
    }
    (body, None)
}

/// Words of a text that could be codes, in order.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
        .map(|t| t.trim_matches(['.', '-']))
        .filter(|t| t.len() >= 3 && t.len() <= 80)
        .take(200)
}

/// Whether a word looks like a code rather than a word of the language: it has an underscore,
/// capitals with digits, or capitals inside.
pub(super) fn is_code_like(token: &str) -> bool {
    let upper = token.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = token.bytes().any(|b| b.is_ascii_lowercase());
    let digit = token.bytes().any(|b| b.is_ascii_digit());
    let inner = token.bytes().skip(1).any(|b| b.is_ascii_uppercase());
    token.contains('_') || (digit && upper > 0) || (upper > 3 && !lower) || (inner && lower)
}
