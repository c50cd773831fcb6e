//! Pages, XML faults and form bodies.

use std::sync::LazyLock;

use regex::Regex;

use super::Parts;

fn pattern(source: &str) -> Option<Regex> {
    Regex::new(source).ok()
}

static TITLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"(?is)<(?:title|h1)[^>]*>\s*([^<]{1,200}?)\s*</(?:title|h1)>"));
static ATTRIBUTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r#"(?i)\b(code|element|type|errorcode)\s*=\s*["']([^"'<>]{1,120})["']"#));
static ELEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?is)<(?:[a-z0-9-]+:)?(message|detail|code|faultcode|faultstring|reason|description|error|errorcode|errormessage)(?: [^>]*)?>\s*([^<]{1,600}?)\s*</",
    )
});
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"<[^>]{0,400}>"));

/// Reads a page or an XML fault; false when the text is neither.
pub(super) fn read(body: &str, parts: &mut Parts) -> bool {
    let lower = super::head(body, 4096).to_ascii_lowercase();
    if lower.contains("<!doctype html") || lower.contains("<html") || lower.contains("<head>") {
        page(body, &lower, parts);
        return true;
    }
    let xml =
        lower.starts_with("<?xml") || lower.contains("<fault") || lower.contains(":fault") || lower.contains("<error");
    if xml && lower.contains("</") {
        fault(body, parts);
        return true;
    }
    false
}

fn page(body: &str, lower: &str, parts: &mut Parts) {
    parts.html = true;
    let opening = lower.find('<').unwrap_or(0);
    // What a program printed before the page, such as the call and its status.
    parts.message(body.get(..opening).unwrap_or_default());
    for title in TITLE.iter().flat_map(|p| p.captures_iter(body)).take(3) {
        let title = title
            .get(1)
            .map_or("", |m| m.as_str())
            .replace("&middot;", "-")
            .replace("&amp;", "&");
        if parts.status.is_none() {
            parts.status = title
                .split(|c: char| !c.is_ascii_digit())
                .find_map(|n| n.parse().ok())
                .filter(|s| (400..600).contains(s));
        }
        parts.message(&title);
    }
}

fn fault(body: &str, parts: &mut Parts) {
    for found in ATTRIBUTE.iter().flat_map(|p| p.captures_iter(body)).take(20) {
        let value = found.get(2).map_or("", |m| m.as_str());
        match found.get(1).map_or("", |m| m.as_str()).to_ascii_lowercase().as_str() {
            "element" => {
                parts.field.get_or_insert_with(|| value.to_owned());
            }
            "type" => parts.code(180, value),
            _ => parts.code(140, value),
        }
    }
    for found in ELEMENT.iter().flat_map(|p| p.captures_iter(body)).take(20) {
        let value = found.get(2).map_or("", |m| m.as_str());
        match found.get(1).map_or("", |m| m.as_str()).to_ascii_lowercase().as_str() {
            "code" | "errorcode" => parts.code(140, value),
            "faultcode" => parts.code(150, value.rsplit(':').next().unwrap_or(value)),
            _ => parts.message(value),
        }
    }
    if parts.messages.is_empty() {
        let plain = TAG
            .as_ref()
            .map_or_else(|| body.to_owned(), |p| p.replace_all(body, " ").into_owned());
        parts.message(&plain.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

/// Reads `error=invalid_grant&error_description=...`; false when the text is no such form.
pub(super) fn form(body: &str, parts: &mut Parts) -> bool {
    if body.contains(char::is_whitespace) || !body.contains("error") || !body.contains('=') || body.starts_with("http")
    {
        return false;
    }
    let mut found = false;
    for (key, value) in body.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = decode(value);
        match key {
            "error" | "error_code" | "code" => {
                parts.code(140, &value);
                found = true;
            }
            "error_description" | "error_reason" | "message" | "error_message" => {
                parts.message(&value);
                found = true;
            }
            _ => {}
        }
    }
    found
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let mut ahead = bytes.clone();
                let hex = [ahead.next(), ahead.next()].map(|h| h.and_then(|h| (h as char).to_digit(16)));
                if let [Some(high), Some(low)] = hex {
                    out.push((high * 16 + low) as u8);
                    bytes = ahead;
                } else {
                    out.push(b'%');
                }
            }
            b => out.push(b),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
