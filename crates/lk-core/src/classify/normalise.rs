//! Messages without what changes from one occurrence to the next.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::patterns::ascii_classes;

/// Bytes of a message that are looked at.
const MAX_IN: usize = 4096;
/// Bytes of a normalised message.
const MAX_OUT: usize = 512;
/// A longer word is data, bytes.
const MAX_WORD: usize = 128;
/// Non-empty lines that count; what follows is a stack trace or a page.
const LINES: usize = 2;

/// The classes, in order: the first that matches at a place wins.
const CLASSES: [(&str, &str); 19] = [
    ("email", r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+"),
    ("url", r#"[a-z][a-z0-9+.-]{1,9}://[^\s"'<>)\]}]+"#),
    ("trace", r"\b[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b"),
    (
        "uuid",
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    ),
    ("jwt", r"\bey[a-z0-9_-]{8,}\.[a-z0-9_-]+(?:\.[a-z0-9_-]*)?"),
    ("ssn", r"\b\d{3}-\d{2}-\d{4}\b"),
    (
        "date",
        r"\b(?:\d{4}-\d{2}-\d{2}(?:[t ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:z|[+-]\d{2}:?\d{2})?)?|\d{4}-w\d{2}|\d{1,2}/\d{1,2}/\d{2,4}|(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?(?:\d{1,2}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d{1,2}),?[ -]\d{4}(?: \d{1,2}:\d{2}(?::\d{2})?(?: (?:gmt|utc|[+-]\d{4}))?)?|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]m)?)\b",
    ),
    (
        "ip",
        r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b|\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b",
    ),
    (
        "phone",
        r"\+\d[\d -]{7,16}\d\b|\(\d{3}\) ?\d{3}-\d{4}\b|\b\d{3}-\d{3}-\d{4}\b",
    ),
    (
        "amount",
        r"[$€£] ?\d[\d,]*(?:\.\d+)?|\b\d[\d,]*(?:\.\d+)? ?(?:usd|eur|gbp|cad|aud)\b",
    ),
    (
        "duration",
        r"\b\d+(?:\.\d+)? ?(?:ms|msec|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|days?)\b",
    ),
    ("id", r"\b[a-z]{2,8}_(?:(?:test|live)_)?[a-z0-9]{8,}\b"),
    (
        "host",
        r"\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|app|co|ai|gov|edu|us|uk|de|eu|cloud|internal|local)\b(?::\d{1,5}\b)?",
    ),
    ("path", r"(?:/[a-z0-9_.%~{}-]+){2,}/?"),
    ("hex", r"\b0x[0-9a-f]+\b|\b[0-9a-f]{8,128}\b"),
    ("token", r"\b[a-z0-9_-]{24,}={0,2}"),
    ("str", r#"(?P<lead>[:=] ?)(?:"[^"]*"|'[^']*')"#),
    ("float", r"\b\d+(?:,\d{3})*\.\d+\b"),
    ("int", r"\b\d+(?:,\d{3})*\b"),
];

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let all: Vec<String> = CLASSES
        .iter()
        .map(|(name, pattern)| format!("(?P<{name}>{})", ascii_classes(pattern)))
        .collect();
    Regex::new(&all.join("|")).ok()
});

/// Lower case, at most two lines, with identifiers, numbers, dates, names and addresses replaced
/// by `<class>`. Linear in the message, never panics, and `normalise(normalise(x)) == normalise(x)`.
pub fn normalise(message: &str) -> String {
    let mut text = collapse(message);
    // One replacement can put two pieces side by side; a second look settles them.
    for _ in 0..4 {
        let next = shorten(&replace(&text));
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// The first lines in lower case with single spaces, capped.
fn collapse(message: &str) -> String {
    let mut text = String::new();
    for line in message.lines().filter(|l| !l.trim().is_empty()).take(LINES) {
        for word in line.split_whitespace() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.extend(word.chars().take(MAX_IN).flat_map(char::to_lowercase));
            if text.len() > MAX_IN {
                return text;
            }
        }
    }
    text
}

fn replace(text: &str) -> String {
    let Some(pattern) = PATTERN.as_ref() else {
        return text.to_owned();
    };
    pattern.replace_all(text, class_of).into_owned()
}

fn class_of(found: &Captures<'_>) -> String {
    let whole = found.get(0).map_or("", |m| m.as_str());
    let Some((name, _)) = CLASSES.iter().find(|(name, _)| found.name(name).is_some()) else {
        return whole.to_owned();
    };
    match *name {
        // Words without a digit are words, however long.
        "id" | "hex" | "token" if !whole.bytes().any(|b| b.is_ascii_digit()) => whole.to_owned(),
        "str" => format!("{}<str>", found.name("lead").map_or("", |m| m.as_str())),
        name => format!("<{name}>"),
    }
}

/// Replaces words that are too long and cuts at a space.
fn shorten(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_OUT));
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let word = if word.len() > MAX_WORD { "<text>" } else { word };
        if out.len() + word.len() >= MAX_OUT {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_compiles() {
        assert!(PATTERN.is_some());
    }

    #[test]
    fn what_varies_is_replaced() {
        let cases = [
            ("No such customer: 'cus_4cZVRZAFBY0NUj'", "no such customer: <str>"),
            (
                "No such customer: cus_4cZVRZAFBY0NUj; see",
                "no such customer: <id>; see",
            ),
            ("Try again in 48 minutes", "try again in <duration>"),
            ("connect ETIMEDOUT 172.217.21.138:443", "connect etimedout <ip>"),
            (
                "Mail to ann@example.com failed on 2026-11-21T03:00:00Z",
                "mail to <email> failed on <date>",
            ),
            ("Amount $1,250.00 exceeds 99.50 EUR", "amount <amount> exceeds <amount>"),
            ("R01: Insufficient funds", "r01: insufficient funds"),
            (
                "GET https://api.example.com/v1/x?y=1 took 1.5s",
                "get <url> took <duration>",
            ),
            ("request 7ad0c6c8-3f5a-4b1e-9f6e-0d6c1c9b7e2a", "request <uuid>"),
            ("line one\n\nline two\nline three", "line one line two"),
            ("", ""),
        ];
        for (from, to) in cases {
            assert_eq!(normalise(from), to, "{from}");
            assert_eq!(normalise(to), to);
        }
    }
}
