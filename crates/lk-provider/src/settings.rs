//! An integration's settings, as the forms of the manifest fill them.

use std::collections::BTreeMap;

/// Flat settings: key to text. Secrets are not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// No settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Settings from the JSON object that storage keeps. Numbers and booleans become text; null,
    /// arrays and objects are left out, because no form field makes them.
    pub fn from_json(object: &serde_json::Value) -> Self {
        let mut out = BTreeMap::new();
        for (key, value) in object.as_object().into_iter().flatten() {
            let text = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Number(number) => number.to_string(),
                serde_json::Value::Bool(flag) => flag.to_string(),
                _ => continue,
            };
            out.insert(key.clone(), text);
        }
        Self(out)
    }

    /// The non-empty value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The same settings with `defaults` where a value is absent or empty.
    #[must_use]
    pub fn or(mut self, defaults: impl Iterator<Item = (String, String)>) -> Self {
        for (key, value) in defaults {
            if self.get(&key).is_none() {
                self.0.insert(key, value);
            }
        }
        self
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Settings {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}
