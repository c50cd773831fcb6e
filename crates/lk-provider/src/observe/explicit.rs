//! Explicit outcomes in a payload, whatever the provider: an application that forwards its own
//! integration failures says `status: "failure"` with an error object, an HTTP status or errors.

use lk_core::Time;
use lk_core::words::Outcome;
use serde_json::Value;

use super::{Found, moment};
use crate::template::scalar;

const ID_KEYS: &[&str] = &[
    "id",
    "uuid",
    "event_id",
    "eventId",
    "delivery_id",
    "deliveryId",
    "message_id",
    "messageId",
];
const TYPE_KEYS: &[&str] = &["event_type", "eventType", "type", "event", "topic", "action"];
const TIME_KEYS: &[&str] = &[
    "timestamp",
    "occurred_at",
    "occurredAt",
    "created_at",
    "createdAt",
    "created",
    "time",
    "event_time",
];
const STATUS_KEYS: &[&str] = &["status", "outcome", "result", "state"];
const HTTP_KEYS: &[&str] = &[
    "http_status",
    "httpStatus",
    "status_code",
    "statusCode",
    "http_code",
    "httpCode",
    "status",
    "code",
];
const MESSAGE_KEYS: &[&str] = &[
    "message",
    "Message",
    "error_description",
    "errorMessage",
    "error_message",
    "detail",
    "Detail",
    "details",
    "description",
    "title",
    "reason",
    "text",
    "msg",
];
const CODE_KEYS: &[&str] = &[
    "code",
    "error_code",
    "errorCode",
    "reason_code",
    "category",
    "error",
    "type",
    "name",
    "kind",
];
const FIELD_KEYS: &[&str] = &["field", "param", "path", "pointer", "element", "error_key", "column"];
const OPERATION_KEYS: &[&str] = &["operation", "endpoint", "request", "method"];

const FAILED: &[&str] = &[
    "failure",
    "failed",
    "error",
    "errored",
    "rejected",
    "declined",
    "denied",
    "timed_out",
    "timeout",
    "fatal",
];
const WORKED: &[&str] = &[
    "success",
    "succeeded",
    "successful",
    "ok",
    "completed",
    "complete",
    "accepted",
    "approved",
    "processed",
];

/// Last words of event types: fewer than statuses, because `completed` or `accepted` tell of a
/// step as often as of an outcome.
const TYPE_FAILED: &[&str] = &["failure", "failed", "error", "errored", "rejected"];
const TYPE_WORKED: &[&str] = &["success", "succeeded"];

/// The item's own id.
pub(super) fn id(body: &Value) -> Option<String> {
    ID_KEYS.iter().find_map(|key| scalar(body.get(key)?))
}

/// The item's own type.
pub(super) fn event_type(body: &Value) -> Option<String> {
    TYPE_KEYS
        .iter()
        .find_map(|key| body.get(key)?.as_str().filter(|t| !t.is_empty()).map(str::to_owned))
}

/// The item's own time.
pub(super) fn occurred_at(body: &Value) -> Option<Time> {
    TIME_KEYS.iter().find_map(|key| moment::read(body.get(key)?, None))
}

/// Decides the outcome of an item that no match of the manifest decided.
pub(super) fn apply(body: &Value, found: &mut Found) {
    let places = places(body);
    let failed = places.iter().any(|place| failed(place)) || type_says(&found.event_type, TYPE_FAILED);
    let worked = places.iter().any(|place| worked(place)) || type_says(&found.event_type, TYPE_WORKED);
    if failed {
        found.outcome = Some(Outcome::Failure);
        details(body, found);
    } else if worked {
        found.outcome = Some(Outcome::Success);
    }
}

/// Fills message, codes, field, status and operation from error objects in the payload.
pub(super) fn details(body: &Value, found: &mut Found) {
    for place in places(body) {
        if let Some(error) = error_of(place) {
            from_error(error, found, 0);
        }
        if found.http_status.is_none() {
            found.http_status = http_status(place);
        }
        if found.operation.is_none() {
            found.operation = text_of(place, OPERATION_KEYS).or_else(|| text_of(place.get("context")?, OPERATION_KEYS));
        }
        if found.message.is_none() && place.get("status").is_some() {
            found.message = text_of(place, &["message", "reason", "detail", "description", "error_message"]);
        }
        if found.codes.is_empty()
            && let Some(code) = text_of(place, &["error_code", "errorCode", "reason_code"])
        {
            found.codes.push(code);
        }
    }
}

/// Where a payload may speak of its outcome: at its root and one level down in an envelope.
fn places(body: &Value) -> Vec<&Value> {
    let mut places = vec![body];
    places.extend(
        ["data", "payload", "event"]
            .iter()
            .filter_map(|key| body.get(key))
            .filter(|v| v.is_object()),
    );
    places
}

fn type_says(event_type: &str, words: &[&str]) -> bool {
    let last = event_type.rsplit(['.', '_', '/', ':']).next().unwrap_or_default();
    words.contains(&last.to_ascii_lowercase().as_str())
}

fn failed(place: &Value) -> bool {
    let word = |key: &&str| {
        place
            .get(*key)
            .and_then(Value::as_str)
            .is_some_and(|text| is_word(text, FAILED))
    };
    let no = |key: &&str| place.get(*key) == Some(&Value::Bool(false));
    STATUS_KEYS.iter().any(word)
        || ["ok", "success", "successful", "successfull"].iter().any(no)
        || error_of(place).is_some()
        || http_status(place).is_some_and(|status| status >= 400)
}

fn worked(place: &Value) -> bool {
    let word = |key: &&str| {
        place
            .get(*key)
            .and_then(Value::as_str)
            .is_some_and(|text| is_word(text, WORKED))
    };
    let yes = |key: &&str| place.get(*key) == Some(&Value::Bool(true));
    STATUS_KEYS.iter().any(word)
        || ["ok", "success", "successful"].iter().any(yes)
        || http_status(place).is_some_and(|status| (200..400).contains(&status))
}

fn is_word(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The error a place carries: an object, a text, or a list of either, in either casing.
fn error_of(place: &Value) -> Option<&Value> {
    let present = |value: &&Value| match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    };
    ["error", "Error", "errors", "Errors", "fault", "Fault"]
        .iter()
        .filter_map(|key| place.get(key))
        .find(present)
}

/// Reads an error, at most four levels down; what is already known is not overwritten.
fn from_error(error: &Value, found: &mut Found, depth: usize) {
    if depth > 3 {
        return;
    }
    match error {
        Value::String(text) => {
            found.message.get_or_insert_with(|| text.clone());
        }
        Value::Array(items) => {
            for item in items.iter().take(3) {
                from_error(item, found, depth + 1);
            }
        }
        Value::Object(map) => {
            if let Some(inner) = error_of(error).filter(|inner| !inner.is_string()) {
                from_error(inner, found, depth + 1);
            }
            if found.message.is_none() {
                found.message = text_of(error, MESSAGE_KEYS);
            }
            push_codes(error, found);
            if found.field.is_none() {
                found.field = text_of(error, FIELD_KEYS);
            }
            let context = error.get("context").unwrap_or(&Value::Null);
            found.http_status = found
                .http_status
                .or_else(|| http_status(error))
                .or_else(|| http_status(context));
            if found.operation.is_none() {
                found.operation = text_of(context, OPERATION_KEYS);
            }
            if found.message.is_none()
                && let Some((key, value)) = map.iter().next()
            {
                let said = value.as_array().and_then(|list| list.first()).unwrap_or(value);
                found.message = scalar(said).map(|text| format!("{key}: {text}"));
                found.field.get_or_insert_with(|| key.clone());
            }
        }
        _ => {}
    }
}

fn push_codes(error: &Value, found: &mut Found) {
    for key in CODE_KEYS {
        let Some(value) = error.get(*key) else { continue };
        let Some(code) = scalar(value) else { continue };
        // A sentence under `error` or `type` is a message, and the number of an HTTP status no code.
        let is_status = value.as_u64().is_some_and(|n| (100..600).contains(&n));
        let fits = code.len() <= 80 && !code.contains(' ') && !value.is_boolean();
        if fits && !is_status && !found.codes.contains(&code) {
            found.codes.push(code);
        }
    }
}

fn text_of(place: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| scalar(place.get(key)?))
}

fn http_status(place: &Value) -> Option<u16> {
    HTTP_KEYS.iter().find_map(|key| {
        let value = place.get(key)?;
        let number = match value {
            Value::Number(n) => n.as_u64(),
            Value::String(text) if text.len() == 3 && *key != "code" => text.parse().ok(),
            _ => None,
        }?;
        u16::try_from(number).ok().filter(|status| (100..600).contains(status))
    })
}
