//! Shapes of tokens, keys and credentials.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::{Captures, Regex};

use super::pairs::replace_some;
use super::{pattern, placeholder};

/// A text without any of these holds no token: one pass decides.
const LITERALS: &[&str] = &[
    "sk_",
    "rk_",
    "whsec_",
    "whpk_",
    "xox",
    "xapp-",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "_pat_",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "eyJ",
    "sk-",
    "SG.",
    "glpat-",
    "npm_",
    "_api_key_",
    "sbp_",
    "shpat_",
    "shpss_",
    "bearer",
    "basic ",
    "-----BEGIN",
    "://",
    "sig=",
    "/services/T",
    "/webhookb2/",
    "/IncomingWebhook/",
    "password",
    "passwd",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "api key",
    "authorization",
    "ssn",
    "social security",
    "ak_live",
    "key-",
];

static PREFILTER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(LITERALS).ok());

/// Label and shape. The first group, where there is one, is kept.
static SHAPES: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    [
        ("pem", r"-----BEGIN [A-Z0-9 ]{2,40}-----[^-]*(?:-----END [A-Z0-9 ]{2,40}-----)?"),
        ("credentials", r"(\b[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://)[^\s/@:\[\]]{0,200}:[^\s/@\[\]]{1,400}@"),
        ("token", r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{4,}(?:\.[A-Za-z0-9_\-]*)?"),
        ("token", r"\b(?:sk|rk|ak)_(?:live|test|prod)_[A-Za-z0-9]{8,}"),
        ("token", r"\bwh(?:sec|pk)_[A-Za-z0-9+/=_\-]{8,}"),
        ("token", r"\bxox[a-z](?:[.\-][A-Za-z0-9]+)*-[A-Za-z0-9\-]{8,}|\bxapp-[A-Za-z0-9\-]{8,}"),
        ("token", r"\bgh[pousr]_[A-Za-z0-9]{16,}|\b[a-z]{2,12}_pat_[A-Za-z0-9_]{16,}"),
        ("token", r"\b(?:AKIA|ASIA)[A-Z0-9]{12,20}\b|\bAIza[A-Za-z0-9_\-]{28,}|\bya29\.[A-Za-z0-9_\-.]{10,}"),
        ("token", r"\bsk-[A-Za-z0-9_\-]{16,}|\bSG\.[A-Za-z0-9_\-]{12,}\.[A-Za-z0-9_\-]{12,}"),
        ("token", r"\bglpat-[A-Za-z0-9_\-]{12,}|\bnpm_[A-Za-z0-9]{30,}|\bsbp_[a-f0-9]{20,}|\bshp(?:at|ss)_[a-f0-9]{20,}"),
        ("token", r"\b[a-z]{1,8}_api_key_[A-Za-z0-9]{8,}|\bkey-[a-f0-9]{24,}"),
        ("token", r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=\-]{12,}|\b(basic\s+)[A-Za-z0-9+/]{12,}={0,2}"),
        ("token", r"((?:[?&]|%26)sig(?:=|%3D))[A-Za-z0-9%_\-]{12,}"),
        ("webhook", r"(/services/)T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{12,}"),
        ("webhook", r"(/webhookb2/)[A-Za-z0-9@\-]{20,}(?:/[A-Za-z0-9\-]+)*|(/IncomingWebhook/)[A-Za-z0-9]{16,}(?:/[A-Za-z0-9\-]+)*"),
    ]
    .into_iter()
    .map(|(label, text)| (label, pattern(text)))
    .collect()
});

/// Whether any shape could be there.
pub(super) fn possible(text: &str) -> bool {
    // Shorter texts cannot hold a token of any shape.
    text.len() >= 12 && PREFILTER.as_ref().is_none_or(|filter| filter.is_match(text))
}

/// Replaces every shape; nothing when there is none.
pub(super) fn redact(text: &str) -> Option<String> {
    let mut current: Option<String> = None;
    for (label, shape) in SHAPES.iter() {
        let replace = |found: &Captures<'_>| {
            let kept = found.iter().skip(1).flatten().next().map_or("", |group| group.as_str());
            if kept.ends_with(char::is_whitespace) && !token_like(&found[0][kept.len()..]) {
                return None;
            }
            let tail = if *label == "credentials" { "@" } else { "" };
            Some(format!("{kept}{}{tail}", placeholder(label)))
        };
        let source = current.as_deref().unwrap_or(text);
        if let Some(clean) = replace_some(shape, source, &replace) {
            current = Some(clean);
        }
    }
    current
}

/// Whether what stands after `Bearer` or `Basic` is a token and not a word.
fn token_like(word: &str) -> bool {
    let inner_capital = word.bytes().skip(1).any(|b| b.is_ascii_uppercase());
    inner_capital || word.bytes().any(|b| b.is_ascii_digit() || b == b'=')
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_shape_compiles() {
        assert_eq!(super::SHAPES.len(), 15);
        assert!(super::PREFILTER.is_some());
    }
}
