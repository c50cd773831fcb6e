//! Redaction: nothing is stored, logged or sent on before it went through here.
//!
//! Two layers. Structure: values under sensitive keys go whole, whatever they look like. Patterns:
//! every remaining text is searched for cards, social security numbers, e-mail addresses, phones,
//! IBANs, token shapes and credentials in addresses, also inside JSON in strings, forms, percent
//! encoding and base64. Linear in the input, bounded in depth and size, idempotent. Identifiers,
//! times and order numbers stay readable: a redaction nobody can work with gets switched off.

mod headers;
mod json;
mod keys;
mod number;
mod pairs;
mod text;
mod token;
mod wrapped;

use serde_json::Value;

use crate::Headers;
use keys::Keys;

/// Longest text that is searched; the rest is cut off.
pub const MAX_TEXT: usize = 1 << 20;

/// Bytes before the end of what was searched that may belong to something longer.
const HALF_SEEN: usize = 128;

/// A value that went through redaction. Only this module can make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// The redacted value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The redacted value, owned.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Redacts payloads, headers and text of one provider.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    keys: Keys,
}

impl Redactor {
    /// A redactor that also masks the values under `keys`, besides those that are sensitive
    /// everywhere. Keys are compared without case and separators.
    pub fn new(keys: &[String]) -> Self {
        Self { keys: Keys::new(keys) }
    }

    /// Redacts a JSON value and renders it as text.
    pub fn json(&self, mut value: Value) -> Redacted<String> {
        json::redact(self, &mut value, 0);
        Redacted(value.to_string())
    }

    /// Redacts a JSON value in place; true when something was replaced.
    pub fn json_value(&self, value: &mut Value) -> bool {
        json::redact(self, value, 0)
    }

    /// Redacts free text, forms, or JSON that cannot be parsed.
    pub fn text(&self, text: &str) -> Redacted<String> {
        Redacted(text::redact(self, text, 0).into_owned())
    }

    /// Redacts a text and keeps at most its first `max` bytes. What a cut would split is searched
    /// before it is cut; what the search itself saw only half of is not kept.
    pub fn head(&self, text: &str, max: usize) -> Redacted<String> {
        let near = crate::observe::cut(text, max.saturating_mul(2));
        let clean = text::redact(self, near, 0);
        let half_seen = if near.len() < text.len() { HALF_SEEN } else { 0 };
        let keep = max.min(clean.len().saturating_sub(half_seen));
        Redacted(crate::observe::cut(&clean, keep).to_owned())
    }

    /// The headers worth keeping, redacted: known harmless ones with their values, credentials and
    /// signatures masked, others left out.
    pub fn headers(&self, headers: &Headers) -> Redacted<Vec<(String, String)>> {
        Redacted(headers::redact(self, headers))
    }
}

/// A constant pattern. Redaction must not go on without one of its patterns, so a broken one stops
/// the process at first use; a test compiles them all.
fn pattern(text: &str) -> regex::Regex {
    match regex::Regex::new(text) {
        Ok(regex) => regex,
        Err(error) => panic!("constant redaction pattern: {error}"),
    }
}

/// What stands where something was.
fn placeholder(label: &str) -> String {
    format!("[redacted:{label}]")
}

/// Whether a text is nothing but a placeholder.
fn is_placeholder(text: &str) -> bool {
    text.starts_with("[redacted:") && text.ends_with(']')
}

#[cfg(test)]
mod tests;
