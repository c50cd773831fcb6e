//! Patterns in text.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::{MAX_TEXT, Redactor, number, pairs, placeholder, token, wrapped};
use crate::observe::cut;

/// How often wrapped text is unwrapped (base64 of JSON of base64 ...).
pub(super) const MAX_WRAPS: usize = 3;
/// A replacement may uncover another; it settles after very few rounds.
const MAX_ROUNDS: usize = 4;

/// What a text contains that could matter, found in one cheap pass.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signs {
    pub(super) at: bool,
    pub(super) percent: bool,
    pub(super) equals: bool,
    pub(super) quoted_colon: bool,
    pub(super) tag: bool,
    pub(super) brace: bool,
    /// At least nine digits in all.
    pub(super) digits: bool,
    /// A run of 16 or more characters of the base64 alphabets.
    pub(super) long_word: bool,
    /// Two capitals and two digits in a row.
    pub(super) iban: bool,
}

impl Signs {
    fn any(self) -> bool {
        self.at
            || self.percent
            || self.equals
            || self.quoted_colon
            || self.tag
            || self.brace
            || self.digits
            || self.long_word
            || self.iban
    }
}

const AT: u16 = 1;
const PERCENT: u16 = 2;
const EQUALS: u16 = 4;
const QUOTE: u16 = 8;
const LESS: u16 = 16;
const BRACE: u16 = 32;
const DIGIT: u16 = 64;
const WORD: u16 = 128;
const UPPER: u16 = 256;

static CLASS: [u16; 256] = {
    let mut table = [0_u16; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = match b {
            b'@' => AT,
            b'%' => PERCENT,
            b'=' => EQUALS,
            b'"' => QUOTE,
            b'<' => LESS,
            b'{' | b'[' => BRACE,
            b'0'..=b'9' => DIGIT | WORD,
            b'A'..=b'Z' => UPPER | WORD,
            b'a'..=b'z' | b'+' | b'/' | b'-' | b'_' => WORD,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// One pass over the bytes.
pub(super) fn signs(text: &str) -> Signs {
    let (mut seen, mut digits, mut run, mut longest) = (0_u16, 0_u32, 0_u32, 0_u32);
    let mut recent = 0_u16;
    let mut iban = false;
    for byte in text.bytes() {
        let class = CLASS[byte as usize];
        seen |= class;
        digits += u32::from(class & DIGIT != 0);
        run = if class & WORD != 0 { run + 1 } else { 0 };
        longest = longest.max(run);
        // Two bits for each of the last four characters: capital, digit.
        let bits = u16::from(class & UPPER != 0) << 1 | u16::from(class & DIGIT != 0);
        recent = (recent << 2 | bits) & 0xff;
        iban |= recent == 0b10_10_01_01;
    }
    Signs {
        at: seen & AT != 0,
        percent: seen & PERCENT != 0,
        equals: seen & EQUALS != 0,
        quoted_colon: seen & QUOTE != 0,
        tag: seen & LESS != 0,
        brace: seen & BRACE != 0,
        digits: digits >= 9,
        long_word: longest >= 16,
        iban,
    }
}

/// Whether a key of an object deserves a look at all.
pub(super) fn suspicious(key: &str) -> bool {
    let signs = signs(key);
    signs.at || signs.percent || signs.digits || signs.long_word
}

static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| super::pattern(r"(?i)[\p{L}\p{N}._%+'\-]+(?:@|%40)(?:[\p{L}\p{N}\-]+\.)+\p{L}{2,}"));

/// Redacts a text; borrowed when nothing had to be replaced.
pub(super) fn redact<'a>(redactor: &Redactor, text: &'a str, wraps: usize) -> Cow<'a, str> {
    let text = cut(text, MAX_TEXT);
    let mut current = Cow::Borrowed(text);
    for _ in 0..MAX_ROUNDS {
        let next = match once(redactor, &current, wraps) {
            Cow::Owned(next) if next != current => next,
            _ => return current,
        };
        current = Cow::Owned(next);
    }
    current
}

fn once<'a>(redactor: &Redactor, text: &'a str, wraps: usize) -> Cow<'a, str> {
    let signs = signs(text);
    let secrets = token::possible(text);
    if !signs.any() && secrets.none() {
        return Cow::Borrowed(text);
    }
    if signs.brace
        && wraps < MAX_WRAPS
        && let Some(clean) = wrapped::json(redactor, text)
    {
        return clean;
    }
    let mut out = Cow::Borrowed(text);
    if signs.equals || signs.quoted_colon || signs.tag || secrets.prose() {
        apply(&mut out, |text| {
            pairs::redact(&redactor.keys, text, signs, secrets.prose())
        });
    }
    if secrets.shaped() {
        apply(&mut out, |text| token::redact(text, secrets));
    }
    if signs.at {
        apply(&mut out, token::credentials);
    }
    if signs.at || signs.percent {
        apply(&mut out, emails);
    }
    if signs.digits {
        apply(&mut out, number::redact);
    }
    if signs.iban {
        apply(&mut out, number::ibans);
    }
    if wraps < MAX_WRAPS && signs.percent {
        apply(&mut out, |text| wrapped::percent(redactor, text, wraps));
    }
    if wraps < MAX_WRAPS && signs.long_word {
        apply(&mut out, |text| wrapped::base64(redactor, text, wraps));
    }
    out
}

/// Runs one replacement over the text so far.
fn apply(text: &mut Cow<'_, str>, replace: impl FnOnce(&str) -> Option<String>) {
    if let Some(clean) = replace(text) {
        *text = Cow::Owned(clean);
    }
}

fn emails(text: &str) -> Option<String> {
    match EMAIL.replace_all(text, placeholder("email")) {
        Cow::Borrowed(_) => None,
        Cow::Owned(clean) => Some(clean),
    }
}
