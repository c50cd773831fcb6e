//! Shapes of tokens, keys and credentials.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Captures, Regex};

use super::pairs::replace_some;
use super::{pattern, placeholder};

/// Name, literals of which one is in every such text, and the shape. The first group, where there
/// is one, is kept. Words that make a key in prose have no shape here: `pairs` reads them.
const SHAPES: &[(&str, &[&str], &str)] = &[
    (
        "pem",
        &["-----BEGIN"],
        r"-----BEGIN [A-Z0-9 ]{2,40}-----[^-]*(?:-----END [A-Z0-9 ]{2,40}-----)?",
    ),
    (
        "token",
        &["eyJ"],
        r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{4,}(?:\.[A-Za-z0-9_\-]*)?",
    ),
    (
        "token",
        &["sk_", "rk_", "ak_"],
        r"\b(?:sk|rk|ak)_(?:live|test|prod)_[A-Za-z0-9]{8,}",
    ),
    ("token", &["whsec_", "whpk_"], r"\bwh(?:sec|pk)_[A-Za-z0-9+/=_\-]{8,}"),
    ("token", &["xox"], r"\bxox[a-z](?:[.\-][A-Za-z0-9]+)*-[A-Za-z0-9\-]{8,}"),
    ("token", &["xapp-"], r"\bxapp-[A-Za-z0-9\-]{8,}"),
    (
        "token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"\bgh[pousr]_[A-Za-z0-9]{16,}",
    ),
    ("token", &["_pat_"], r"\b[a-z]{2,12}_pat_[A-Za-z0-9_]{16,}"),
    ("token", &["AKIA", "ASIA"], r"\b(?:AKIA|ASIA)[A-Z0-9]{12,20}\b"),
    ("token", &["AIza"], r"\bAIza[A-Za-z0-9_\-]{28,}"),
    ("token", &["ya29."], r"\bya29\.[A-Za-z0-9_\-.]{10,}"),
    ("token", &["sk-"], r"\bsk-[A-Za-z0-9_\-]{16,}"),
    ("token", &["SG."], r"\bSG\.[A-Za-z0-9_\-]{12,}\.[A-Za-z0-9_\-]{12,}"),
    ("token", &["glpat-"], r"\bglpat-[A-Za-z0-9_\-]{12,}"),
    ("token", &["npm_"], r"\bnpm_[A-Za-z0-9]{30,}"),
    ("token", &["sbp_"], r"\bsbp_[a-f0-9]{20,}"),
    ("token", &["shpat_", "shpss_"], r"\bshp(?:at|ss)_[a-f0-9]{20,}"),
    ("token", &["_api_key_"], r"\b[a-z]{1,8}_api_key_[A-Za-z0-9]{8,}"),
    ("token", &["key-"], r"\bkey-[a-f0-9]{24,}"),
    ("token", &["bearer"], r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=\-]{12,}"),
    ("token", &["basic "], r"(?i)\b(basic\s+)[A-Za-z0-9+/]{12,}={0,2}"),
    (
        "token",
        &["sig=", "sig%3D"],
        r"((?:[?&]|%26)sig(?:=|%3D))[A-Za-z0-9%_\-]{12,}",
    ),
    ("token", &["GOCSPX-"], r"\bGOCSPX-[A-Za-z0-9_\-]{16,}"),
    ("token", &["hf_"], r"\bhf_[A-Za-z0-9]{24,}"),
    ("token", &["pypi-"], r"\bpypi-[A-Za-z0-9_\-]{24,}"),
    ("token", &["sb_secret_"], r"\bsb_secret_[A-Za-z0-9_\-]{16,}"),
    (
        "webhook",
        &["/api/webhooks/"],
        r"(/api/webhooks/)[0-9]{10,}/[A-Za-z0-9_\-]{20,}",
    ),
    (
        "webhook",
        &["/services/T"],
        r"(/services/)T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{12,}",
    ),
    (
        "webhook",
        &["/webhookb2/"],
        r"(/webhookb2/)[A-Za-z0-9@\-]{20,}(?:/[A-Za-z0-9\-]+)*",
    ),
    (
        "webhook",
        &["/IncomingWebhook/"],
        r"(/IncomingWebhook/)[A-Za-z0-9]{16,}(?:/[A-Za-z0-9\-]+)*",
    ),
];

/// Keys that may be followed by a secret in prose.
const PROSE: &[&str] = &[
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
];

/// Bit of [`PROSE`] in a [`Possible`].
const PROSE_BIT: u32 = 1 << 31;

/// Which shapes a text may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Possible(u32);

impl Possible {
    /// None at all.
    pub(super) const fn none(self) -> bool {
        self.0 == 0
    }

    /// A key in prose.
    pub(super) const fn prose(self) -> bool {
        self.0 & PROSE_BIT != 0
    }

    /// A token by its shape.
    pub(super) const fn shaped(self) -> bool {
        self.0 & !PROSE_BIT != 0
    }
}

struct Prefilter {
    automaton: AhoCorasick,
    /// Bit of each literal.
    bits: Vec<u32>,
}

static PREFILTER: LazyLock<Prefilter> = LazyLock::new(|| {
    let shapes = SHAPES
        .iter()
        .enumerate()
        .flat_map(|(at, (_, literals, _))| literals.iter().map(move |l| (*l, 1 << at)));
    let (literals, bits): (Vec<&str>, Vec<u32>) = shapes.chain(PROSE.iter().map(|l| (*l, PROSE_BIT))).unzip();
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(literals);
    match automaton {
        Ok(automaton) => Prefilter { automaton, bits },
        Err(error) => panic!("constant redaction literals: {error}"),
    }
});

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| SHAPES.iter().map(|(_, _, text)| pattern(text)).collect());

/// Which shapes could be in a text: one pass over it.
pub(super) fn possible(text: &str) -> Possible {
    // Shorter texts cannot hold a token of any shape.
    if text.len() < 12 {
        return Possible(0);
    }
    let filter = &*PREFILTER;
    let found = filter.automaton.find_overlapping_iter(text);
    Possible(found.fold(0, |bits, literal| bits | filter.bits[literal.pattern().as_usize()]))
}

/// Replaces every possible shape; nothing when there is none.
pub(super) fn redact(text: &str, possible: Possible) -> Option<String> {
    let mut current: Option<String> = None;
    for (at, (label, ..)) in SHAPES.iter().enumerate() {
        if possible.0 & (1 << at) == 0 {
            continue;
        }
        let replace = |found: &Captures<'_>| {
            let kept = found.get(1).map_or("", |group| group.as_str());
            if kept.ends_with(char::is_whitespace) && !token_like(&found[0][kept.len()..]) {
                return None;
            }
            Some(format!("{kept}{}", placeholder(label)))
        };
        let source = current.as_deref().unwrap_or(text);
        if let Some(clean) = replace_some(&PATTERNS[at], source, &replace) {
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

static CREDENTIALS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(\b[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://)[^\s/@:\[\]]{0,200}:[^\s/@\[\]]{1,400}@"));

/// Replaces user and password in addresses.
pub(super) fn credentials(text: &str) -> Option<String> {
    if !text.contains("://") {
        return None;
    }
    replace_some(&CREDENTIALS, text, &|found| {
        Some(format!("{}{}@", &found[1], placeholder("credentials")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_compiles_and_has_its_bit() {
        assert_eq!(PATTERNS.len(), SHAPES.len());
        assert!(SHAPES.len() < 31);
        assert!(possible("nothing of interest").none());
        assert!(possible("the token is gone").prose() && !possible("the token is gone").shaped());
    }
}
