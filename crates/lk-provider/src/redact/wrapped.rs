//! Text inside text: JSON in strings, percent encoding, base64.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::pairs::replace_some;
use super::{Redactor, placeholder, text};
use crate::manifest::Encoding;
use crate::observe::{MAX_DEPTH, deeper_than};
use crate::signature::decode;

/// Nesting of JSON inside strings; the outer depth counts separately.
const MAX_INNER_DEPTH: usize = MAX_DEPTH / 2;
/// Longest word that is decoded.
const MAX_WORD: usize = 65_536;

static PERCENT_WORD: LazyLock<Regex> = LazyLock::new(|| super::pattern(r#"[^\s"'<>]*%[0-9A-Fa-f]{2}[^\s"'<>]*"#));
static BASE64_WORD: LazyLock<Regex> = LazyLock::new(|| super::pattern(r"[A-Za-z0-9+/_\-]{16,}={0,2}"));

/// The text as JSON, redacted by structure; nothing when it is no JSON object or array.
pub(super) fn json<'a>(redactor: &Redactor, content: &'a str) -> Option<Cow<'a, str>> {
    let trimmed = content.trim();
    if !trimmed.starts_with(['{', '[']) || deeper_than(trimmed.as_bytes(), MAX_INNER_DEPTH) {
        return None;
    }
    let mut value: Value = serde_json::from_str(trimmed).ok()?;
    Some(
        if super::json::redact(redactor, &mut value, MAX_DEPTH - MAX_INNER_DEPTH) {
            Cow::Owned(value.to_string())
        } else {
            Cow::Borrowed(content)
        },
    )
}

/// Words whose percent-decoded form holds something; they are then shown decoded.
pub(super) fn percent(redactor: &Redactor, content: &str, wraps: usize) -> Option<String> {
    replace_some(&PERCENT_WORD, content, &|found| {
        let decoded = lenient(found.get(0)?.as_str());
        let clean = text::redact(redactor, &decoded, wraps + 1);
        (clean != decoded).then(|| clean.into_owned())
    })
}

/// Undoes every complete escape and leaves the rest; `+` stays, it may be a phone's.
fn lenient(word: &str) -> String {
    let bytes = word.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|b| char::from(*b).to_digit(16));
        if bytes[at] == b'%'
            && let (Some(high), Some(low)) = (digit(1), digit(2))
        {
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Words that are base64 of readable text which holds something; they are replaced whole.
pub(super) fn base64(redactor: &Redactor, content: &str, wraps: usize) -> Option<String> {
    replace_some(&BASE64_WORD, content, &|found| {
        let word = found.get(0)?.as_str();
        if word.len() > MAX_WORD {
            return None;
        }
        let encoding = if word.contains(['-', '_']) {
            Encoding::Base64url
        } else {
            Encoding::Base64
        };
        let inner = String::from_utf8(decode(encoding, word)?).ok()?;
        let readable = inner.chars().all(|c| !c.is_control() || c.is_ascii_whitespace());
        (readable && text::redact(redactor, &inner, wraps + 1) != inner).then(|| placeholder("encoded"))
    })
}
