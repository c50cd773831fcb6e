//! Keys and values in text: forms, query strings, JSON that cannot be parsed, XML, log lines.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::keys::Keys;
use super::text::Signs;
use super::{is_placeholder, placeholder};

/// `"key": "value"` or a number, also with escaped quotes.
static JSON: LazyLock<Regex> = LazyLock::new(|| {
    super::pattern(
        r#"(\\*["']([A-Za-z0-9_\-. ]{2,48})\\*["']\s*:\s*)(?:(\\*["'])((?:[^"'\\]|\\[^"'])*)|(-?[0-9][0-9.]*))"#,
    )
});
/// `<key>value<`.
static XML: LazyLock<Regex> = LazyLock::new(|| {
    super::pattern(r"(<(?:[A-Za-z0-9_\-]{1,24}:)?([A-Za-z0-9_\-]{2,48})(?:\s[^<>]{0,200})?>)([^<>]+)<")
});
/// `key: value` of the few keys that are secret wherever they stand; the value has a digit.
static PROSE: LazyLock<Regex> = LazyLock::new(|| {
    super::pattern(
        r"(?i)\b((?:password|passwd|secret|token|api[_\- ]?key|access[_\- ]?token|refresh[_\- ]?token|client[_\- ]?secret|authorization|ssn|social security number)\s*(?::|\bis\b)\s*)([A-Za-z0-9_\-./+=~]{8,})",
    )
});

/// Masks values under sensitive keys; nothing when there are none.
pub(super) fn redact(keys: &Keys, text: &str, signs: Signs, prose: bool) -> Option<String> {
    let mut current = if signs.equals { form(keys, text) } else { None };
    let mut run = |pattern: &Regex, replace: &dyn Fn(&Captures<'_>) -> Option<String>| {
        let source = current.as_deref().unwrap_or(text);
        if let Some(clean) = replace_some(pattern, source, replace) {
            current = Some(clean);
        }
    };
    if signs.quoted_colon {
        run(&JSON, &|found| json_pair(keys, found));
    }
    if signs.tag {
        run(&XML, &|found| {
            let label = keys.label_in_any(found.get(2)?.as_str())?;
            let value = found.get(3)?.as_str();
            (!is_placeholder(value)).then(|| format!("{}{}<", &found[1], placeholder(label)))
        });
    }
    if prose {
        run(&PROSE, &|found| {
            let value = found.get(2)?.as_str();
            let secretive = value.bytes().any(|b| b.is_ascii_digit()) && !value.starts_with("http");
            secretive.then(|| format!("{}{}", &found[1], placeholder("secret")))
        });
    }
    current
}

/// `key=value` of forms, query strings and log lines. The last part of `user[ssn]` or
/// `employee.ssn` names the value.
fn form(keys: &Keys, text: &str) -> Option<String> {
    const MAX_KEY: usize = 48;
    let in_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(byte);
    let bytes = text.as_bytes();
    let mut out: Option<String> = None;
    let mut copied = 0;
    for (at, _) in text.match_indices('=') {
        if at < copied {
            continue;
        }
        let length = bytes[..at]
            .iter()
            .rev()
            .take(MAX_KEY)
            .take_while(|byte| in_key(byte))
            .count();
        let key = text[at - length..at].trim_end_matches(']');
        let name = key.rsplit(['[', '.']).next().unwrap_or(key);
        let rest = &text[at + 1..];
        let ends = |c: char| c.is_whitespace() || "&;,\"'<>\\".contains(c);
        let label = match keys.label(name) {
            Some(label) => label,
            // An authorisation code in a redirect; short codes are error codes.
            None if name == "code" => {
                let short = rest
                    .bytes()
                    .take(16)
                    .take_while(|b| b.is_ascii_graphic() && !b"&;,\"'<>\\".contains(b));
                if short.clone().count() < 16 || !short.into_iter().any(|b| b.is_ascii_digit()) {
                    continue;
                }
                "secret"
            }
            None => continue,
        };
        if rest.starts_with("[redacted:") || rest.starts_with(ends) || rest.is_empty() {
            continue;
        }
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[copied..=at]);
        out.push_str(&placeholder(label));
        copied = at + 1 + word.len();
    }
    out.map(|mut out| {
        out.push_str(&text[copied..]);
        out
    })
}

fn json_pair(keys: &Keys, found: &Captures<'_>) -> Option<String> {
    let label = keys.label_in_any(found.get(2)?.as_str())?;
    if let Some(number) = found.get(5) {
        return (!number.as_str().is_empty()).then(|| format!("{}\"{}\"", &found[1], placeholder(label)));
    }
    let value = found.get(4)?.as_str();
    (!value.is_empty() && !value.starts_with("[redacted:"))
        .then(|| format!("{}{}{}", &found[1], &found[3], placeholder(label)))
}

/// Like `replace_all`, where the closure may leave a match as it is; nothing when it always does.
pub(super) fn replace_some(
    pattern: &Regex,
    text: &str,
    replace: &dyn Fn(&Captures<'_>) -> Option<String>,
) -> Option<String> {
    let mut out: Option<String> = None;
    let mut copied = 0;
    for found in pattern.captures_iter(text) {
        let Some(all) = found.get(0) else { continue };
        if let Some(replacement) = replace(&found) {
            let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
            out.push_str(&text[copied..all.start()]);
            out.push_str(&replacement);
            copied = all.end();
        }
    }
    out.map(|mut out| {
        out.push_str(&text[copied..]);
        out
    })
}
