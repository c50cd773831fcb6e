//! Structural redaction of parsed JSON.

use serde_json::{Map, Value};

use super::{Redactor, is_placeholder, number, placeholder, text};
use crate::observe::MAX_DEPTH;

/// Redacts in place; true when something was replaced. Depth is bounded by the callers' parsers
/// and again here: what lies deeper is replaced whole.
pub(super) fn redact(redactor: &Redactor, value: &mut Value, depth: usize) -> bool {
    below(redactor, "", value, depth)
}

/// The same for what is under the key `parent`; elements of an array are under its key.
fn below(redactor: &Redactor, parent: &str, value: &mut Value, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        *value = Value::String(placeholder("depth"));
        return true;
    }
    match value {
        Value::String(content) => match text::redact(redactor, content, 0) {
            std::borrow::Cow::Borrowed(_) => false,
            std::borrow::Cow::Owned(clean) => {
                let changed = clean != *content;
                *content = clean;
                changed
            }
        },
        Value::Number(n) => {
            let found = number::card_number(n);
            if found {
                *value = Value::String(placeholder("card"));
            }
            found
        }
        Value::Array(items) => items.iter_mut().fold(false, |changed, item| {
            below(redactor, parent, item, depth + 1) | changed
        }),
        Value::Object(map) => object(redactor, parent, map, depth),
        Value::Null | Value::Bool(_) => false,
    }
}

fn object(redactor: &Redactor, parent: &str, map: &mut Map<String, Value>, depth: usize) -> bool {
    let mut changed = false;
    let mut rename = false;
    for (key, value) in map.iter_mut() {
        changed |= match redactor.keys.label_in(parent, key) {
            Some(label) => mask(value, label, depth + 1),
            None => below(redactor, key, value, depth + 1),
        };
        rename |= text::suspicious(key);
    }
    if rename {
        let old = std::mem::take(map);
        for (key, value) in old {
            let clean = text::redact(redactor, &key, 0).into_owned();
            changed |= clean != key;
            map.insert(clean, value);
        }
    }
    changed
}

/// Replaces every text and number below a sensitive key.
fn mask(value: &mut Value, label: &str, depth: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::String(content) if content.is_empty() || is_placeholder(content) => false,
        Value::String(_) | Value::Number(_) => {
            *value = Value::String(placeholder(label));
            true
        }
        _ if depth > MAX_DEPTH => {
            *value = Value::String(placeholder("depth"));
            true
        }
        Value::Array(items) => items
            .iter_mut()
            .fold(false, |changed, item| mask(item, label, depth + 1) | changed),
        Value::Object(map) => map
            .values_mut()
            .fold(false, |changed, item| mask(item, label, depth + 1) | changed),
    }
}
