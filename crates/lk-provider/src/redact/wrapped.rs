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
/// Shortest word that is decoded.
const MIN_WORD: usize = 16;
/// Longest word that is decoded.
const MAX_WORD: usize = 65_536;

static PERCENT_WORD: LazyLock<Regex> = LazyLock::new(|| super::pattern(r#"[^\s"'<>]*%[0-9A-Fa-f]{2}[^\s"'<>]*"#));

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
    let mut out: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    for word in content.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || "+/_-".contains(c))) {
        let start = at;
        at += word.len();
        let word = word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || "+/_-".contains(c)));
        // What is too long to be looked into is not kept either.
        let encoded = word.len() >= MIN_WORD
            && maybe_text(word.as_bytes())
            && (word.len() > MAX_WORD || hides(redactor, word, wraps));
        if !encoded {
            continue;
        }
        let out = out.get_or_insert_with(|| String::with_capacity(content.len()));
        out.push_str(&content[copied..start]);
        out.push_str(&placeholder("encoded"));
        let padding = content[start + word.len()..]
            .bytes()
            .take(2)
            .take_while(|byte| *byte == b'=')
            .count();
        copied = start + word.len() + padding;
    }
    out.map(|mut out| {
        out.push_str(&content[copied..]);
        out
    })
}

/// Whether the word, as far as it is whole, decodes to readable text in which something is redacted.
fn hides(redactor: &Redactor, word: &str, wraps: usize) -> bool {
    let encoding = if word.contains(['-', '_']) {
        Encoding::Base64url
    } else {
        Encoding::Base64
    };
    // A word that was cut off may end within a group of four letters, and within a character.
    let whole = &word[..word.len() / 4 * 4];
    let Some(bytes) = decode(encoding, word).or_else(|| decode(encoding, whole)) else {
        return false;
    };
    let inner = match std::str::from_utf8(&bytes) {
        Ok(inner) => inner,
        Err(error) if error.error_len().is_none() => &String::from_utf8_lossy(&bytes[..error.valid_up_to()]),
        Err(_) => return false,
    };
    let readable = inner.chars().all(|c| !c.is_control() || c.is_ascii_whitespace());
    readable && text::redact(redactor, inner, wraps + 1) != inner
}

/// Whether most of the first twelve bytes could be ASCII: the bits that say so are at fixed places
/// in the letters. Identifiers fail this without being decoded.
fn maybe_text(word: &[u8]) -> bool {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    };
    let masks = [0b10_0000, 0b00_1000, 0b00_0010];
    let ascii = word[..MIN_WORD]
        .chunks_exact(4)
        .flat_map(|four| masks.iter().zip(four))
        .filter(|(mask, letter)| value(**letter) & **mask == 0)
        .count();
    ascii >= 9
}
