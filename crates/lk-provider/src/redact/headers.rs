//! Which headers of a delivery are kept.

use super::{Redactor, placeholder};
use crate::Headers;
use crate::observe::cut;

const MAX_HEADERS: usize = 64;
const MAX_VALUE: usize = 512;

/// Kept with their values.
const KEPT: &[&str] = &[
    "accept",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "idempotency-key",
    "request-id",
    "traceparent",
    "user-agent",
    "x-correlation-id",
    "x-request-id",
];
/// Kept when the name ends so: event names, delivery ids and times of every provider.
const KEPT_ENDINGS: &[&str] = &[
    "-event",
    "-event-id",
    "-event-type",
    "-delivery",
    "-delivery-id",
    "-topic",
    "-id",
    "-timestamp",
    "-retry-num",
    "-retry-reason",
    "-version",
    "-type",
    "-attempt",
    "-resource-state",
    "-message-number",
];
/// Masked when the name contains one of these.
const SECRET: &[&str] = &[
    "auth",
    "cookie",
    "token",
    "secret",
    "signature",
    "hmac",
    "key",
    "password",
    "credential",
    "session",
];

pub(super) fn redact(redactor: &Redactor, headers: &Headers) -> Vec<(String, String)> {
    let mut out = Vec::new();
    for (name, value) in headers.iter() {
        if out.len() == MAX_HEADERS {
            break;
        }
        let kept = KEPT.contains(&name);
        if !kept && (SECRET.iter().any(|word| name.contains(word)) || redactor.keys.label(name).is_some()) {
            out.push((cut(name, 100).to_owned(), placeholder("header")));
        } else if kept || name.starts_with("ce-") || KEPT_ENDINGS.iter().any(|end| name.ends_with(end)) {
            let Ok(text) = std::str::from_utf8(value) else { continue };
            out.push((cut(name, 100).to_owned(), redactor.head(text, MAX_VALUE).into_inner()));
        }
    }
    out
}
