//! Codes and words in a JSON body, whatever its envelope.

use serde_json::Value;

use super::{Extract, Parts, text};

/// Deepest nesting that is followed.
const MAX_DEPTH: usize = 8;
/// Most values looked at: error bodies are small, echoed requests are not.
const MAX_VALUES: usize = 600;

/// What is known on the way down.
#[derive(Clone, Copy)]
struct Place<'a> {
    depth: usize,
    /// Key of the object or list that holds the value.
    parent: &'a str,
}

/// Reads a body: the provider's own pointers first, then the usual keys anywhere.
pub(super) fn read(value: &Value, extract: &Extract, parts: &mut Parts) {
    for (weight, pointer) in extract.code.iter().enumerate() {
        for found in pointer.values(value) {
            code(found, weight as u16, parts);
        }
    }
    for pointer in &extract.message {
        for found in pointer.values(value).into_iter().filter_map(Value::as_str) {
            parts.message(found);
        }
    }
    for pointer in &extract.field {
        if let Some(found) = pointer.first(value).and_then(Value::as_str) {
            parts.field.get_or_insert_with(|| found.to_owned());
        }
    }
    let mut left = MAX_VALUES;
    walk(value, Place { depth: 0, parent: "" }, parts, &mut left);
}

fn walk(value: &Value, place: Place<'_>, parts: &mut Parts, left: &mut usize) {
    if place.depth > MAX_DEPTH || *left == 0 {
        return;
    }
    *left -= 1;
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                member(key, inner, place, parts, left);
            }
        }
        Value::Array(items) => {
            for item in items {
                if let (Value::String(text), true) = (item, is_error_list(place.parent)) {
                    words_or_code(text, 40, parts);
                }
                walk(
                    item,
                    Place {
                        depth: place.depth + 1,
                        ..place
                    },
                    parts,
                    left,
                );
            }
        }
        Value::String(text) if text.len() > 2 && text.starts_with(['{', '[']) => {
            if let Ok(inner) = serde_json::from_str::<Value>(text) {
                walk(
                    &inner,
                    Place {
                        depth: place.depth + 1,
                        ..place
                    },
                    parts,
                    left,
                );
            }
        }
        _ => {}
    }
}

fn member(key: &str, value: &Value, place: Place<'_>, parts: &mut Parts, left: &mut usize) {
    let name: String = key
        .chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    let inner = Place {
        depth: place.depth + 1,
        parent: &name,
    };
    // Deeper codes say more: a reason inside an envelope, an inner error.
    let depth = place.depth.min(MAX_DEPTH) as u16;
    if let Some(base) = weight(&name, place.parent) {
        match value {
            Value::Number(n) if matches!(name.as_str(), "code" | "status" | "statuscode" | "httpstatus") => {
                match n.as_u64() {
                    Some(s) if (100..600).contains(&s) => parts.status(s),
                    _ => parts.code(base - depth, &n.to_string()),
                }
            }
            Value::String(s) if s.parse::<u64>().is_ok() && name.starts_with("status") => {
                parts.status(s.parse().unwrap_or(0));
            }
            // A sentence there is a reason to decline, whatever its words.
            Value::String(s) if name.starts_with("decline") && s.contains(' ') => {
                parts.message(&format!("Declined: {s}"));
            }
            Value::String(s) => words_or_code(s, base - depth, parts),
            Value::Array(items) => items.iter().for_each(|v| code(v, base - depth, parts)),
            _ => {}
        }
    } else if is_words(&name) {
        match value {
            Value::String(s) => {
                parts.message(s);
                if s.starts_with(['{', '[']) {
                    walk(value, inner, parts, left);
                }
            }
            // Lists of sentences; objects are followed below.
            Value::Array(items) => items.iter().filter_map(Value::as_str).for_each(|s| parts.message(s)),
            _ => {}
        }
    } else if is_status(&name) {
        match value {
            Value::Number(n) => parts.status(n.as_u64().unwrap_or(0)),
            Value::String(s) => parts.status(s.parse().unwrap_or(0)),
            _ => {}
        }
    } else if is_field(&name) && place.depth > 0 {
        if let Some(s) = value
            .as_str()
            .filter(|s| !s.is_empty() && *s != "base" && s.len() <= 200)
        {
            parts.field.get_or_insert_with(|| s.to_owned());
        }
    } else if is_error_list(place.parent) && place.depth > 0 {
        by_field(key, value, parts);
    }
    if value.is_object() || value.is_array() || (value.is_string() && is_wrapper(&name)) {
        walk(value, inner, parts, left);
    }
}

/// `{"errors": {"assignees": ["required"]}}`: the key is the field, the text its fault.
fn by_field(key: &str, value: &Value, parts: &mut Parts) {
    let texts: Vec<&str> = match value {
        Value::String(s) => vec![s.as_str()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    for text in texts.into_iter().filter(|t| t.len() < 400) {
        parts.field.get_or_insert_with(|| key.to_owned());
        parts.message(&format!("{key} {text}"));
    }
}

/// A value under a code's key: a token is a code, a sentence is words.
fn words_or_code(s: &str, weight: u16, parts: &mut Parts) {
    let s = s.trim();
    if s.contains(' ') || s.len() > 120 {
        parts.message(s);
    } else if s.contains('/') && !s.contains("://") {
        // `path/not_found/...`: the last part says most.
        let whole = s.trim_end_matches(['.', '/']);
        parts.code(weight, whole);
        for part in whole.rsplit('/') {
            parts.code(weight, part);
        }
    } else {
        parts.code(weight, s);
    }
    if s.contains(' ')
        && let Some(first) = s.split([':', ' ']).next().filter(|t| text::is_code_like(t))
    {
        parts.code(weight + 2, first);
    }
}

fn code(value: &Value, weight: u16, parts: &mut Parts) {
    match value {
        Value::String(s) => words_or_code(s, weight, parts),
        Value::Number(n) => parts.code(weight, &n.to_string()),
        _ => {}
    }
}

/// How specific the code under this key is, smaller first; leaves room for the depth.
fn weight(name: &str, parent: &str) -> Option<u16> {
    Some(match name {
        "declinecode" | "declinereason" | "declinedreason" | "carddeclinedreason" | "reasoncode"
        | "detailedresults" | "networkdeclinecode" | "failurecode" | "returncode" | "disabledreason" | "oomreport" => {
            100
        }
        "errorcode" | "errorsubcode" | "suberror" | "subcode" | "errorcodes" | "faultcode" | "xvercelerror" => 120,
        "key" if parent == "metadata" || parent == "errors" => 110,
        "code" | "reason" | "violation" => 140,
        "error" | "status" | "tag" | ".tag" | "result" | "errorsummary" | "statuscode" | "errorstatus"
        | "authstatus" => 160,
        "conflict" if parent == "reason" => 170,
        "type" | "category" | "errortype" | "exceptiontype" | "fault" | "event" => 180,
        "name" if !parent.is_empty() => return None,
        _ => return None,
    })
}

fn is_words(name: &str) -> bool {
    name.ends_with("message")
        || name.ends_with("description")
        || name.ends_with("details")
        || matches!(
            name,
            "message"
                | "msg"
                | "errordescription"
                | "detail"
                | "details"
                | "description"
                | "title"
                | "responsemessage"
                | "usermessage"
                | "hint"
                | "faultstring"
                | "errormessage"
                | "exceptionmessage"
                | "statusreason"
                | "reasonmessage"
                | "failuremessage"
                | "failurereason"
                | "errormsg"
                | "statustext"
                | "displaymessage"
                | "statusmessage"
                | "info"
                | "explanation"
                | "comment"
                | "rejectionreason"
                | "errordetail"
                | "errordetails"
                | "text"
                | "body"
                | "note"
                | "returnreason"
                | "developermessage"
                | "internalmessage"
                | "summary"
                | "memo"
                | "warning"
        )
}

fn is_status(name: &str) -> bool {
    matches!(
        name,
        "httpstatus" | "httpcode" | "httpstatuscode" | "statuscode" | "responsecode" | "responsestatus"
    )
}

fn is_field(name: &str) -> bool {
    matches!(
        name,
        "param"
            | "field"
            | "errorkey"
            | "element"
            | "path"
            | "pointer"
            | "property"
            | "fieldname"
            | "attribute"
            | "column"
    )
}

fn is_error_list(parent: &str) -> bool {
    matches!(
        parent,
        "errors" | "error" | "messages" | "fielderrors" | "nonfielderrors" | "validationerrors" | "failures"
    )
}

/// Strings under these keys may themselves be a body.
fn is_wrapper(name: &str) -> bool {
    matches!(
        name,
        "body" | "response" | "error" | "data" | "content" | "raw" | "result" | "payload"
    )
}
