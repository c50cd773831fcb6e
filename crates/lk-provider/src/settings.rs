//! An integration's settings, as the forms of the manifest fill them.

use std::collections::BTreeMap;
use std::fmt;

/// Flat settings: key to text.
///
/// Storage keeps the values of secret fields apart, sealed; the settings that the engine holds in
/// memory include them, opened, because requests are made of them. So `Debug` shows keys alone.
#[derive(Clone, Default, PartialEq, Eq)]
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

    /// Sets the value of `key`.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), value.into());
    }

    /// The non-empty value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Every key with its value, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
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

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Settings {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_keys_alone() {
        let mut settings = Settings::from_iter([("base_url", "https://api.example.test")]);
        settings.set("api_token", "not-a-real-token");
        assert_eq!(format!("{settings:?}"), r#"{"api_token", "base_url"}"#);
    }
}
