//! Numbers that name people: cards, social security numbers, phones, IBANs.

use std::sync::LazyLock;

use regex::Regex;

use super::pairs::replace_some;
use super::placeholder;

/// A run of digits: where it is in the text.
#[derive(Debug, Clone, Copy)]
struct Group {
    start: usize,
    end: usize,
}

impl Group {
    const fn len(self) -> usize {
        self.end - self.start
    }
}

/// Replaces cards, social security numbers and phones; nothing when there are none.
pub(super) fn redact(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let groups = groups(bytes);
    let mut out: Option<String> = None;
    let (mut copied, mut at) = (0, 0);
    while at < groups.len() {
        let Some((count, start, label)) = longest(bytes, &groups[at..]) else {
            at += 1;
            continue;
        };
        let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[copied..start.max(copied)]);
        out.push_str(&placeholder(label));
        at += count;
        copied = groups[at - 1].end;
    }
    out.map(|mut out| {
        out.push_str(&text[copied..]);
        out
    })
}

fn groups(bytes: &[u8]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_digit() {
            let start = at;
            while at < bytes.len() && bytes[at].is_ascii_digit() {
                at += 1;
            }
            groups.push(Group { start, end: at });
        } else {
            at += 1;
        }
    }
    groups
}

/// The longest window of groups from the first on that is one of the kinds:
/// number of groups, where the replacement begins, what it is.
fn longest(bytes: &[u8], groups: &[Group]) -> Option<(usize, usize, &'static str)> {
    let joined = 1 + groups
        .windows(2)
        .take(5)
        .take_while(|pair| separator(&bytes[pair[0].end..pair[1].start]))
        .count();
    (1..=joined.min(groups.len())).rev().find_map(|count| {
        let window = &groups[..count];
        let (start, end) = (window[0].start, window[count - 1].end);
        let lengths: Vec<usize> = window.iter().map(|group| group.len()).collect();
        let digits: Vec<u8> = window
            .iter()
            .flat_map(|g| &bytes[g.start..g.end])
            .map(|d| d - b'0')
            .collect();
        if !bounded_right(bytes, end) {
            return None;
        }
        let plain = bounded_left(bytes, start);
        if plain && is_card(&lengths, &digits, &bytes[start..end]) {
            return Some((count, start, "card"));
        }
        if plain && is_ssn(&lengths, &digits, &bytes[start..end], before(bytes, start)) {
            return Some((count, start, "ssn"));
        }
        if plain && told_account(&lengths, bytes, start) {
            return Some((count, start, "account"));
        }
        is_phone(bytes, start, &lengths, &digits, &bytes[start..end]).map(|start| (count, start, "phone"))
    })
}

/// What may stand between two groups of one number.
fn separator(between: &[u8]) -> bool {
    matches!(
        between,
        b"-" | b" " | b"." | b") " | b")" | b" (" | b")-" | b" - " | b"(" | b"-(" | b"\xc2\xa0"
    )
}

fn bounded_left(bytes: &[u8], start: usize) -> bool {
    let Some(previous) = start.checked_sub(1).map(|at| bytes[at]) else {
        return true;
    };
    let digit_before = start >= 2 && bytes[start - 2].is_ascii_digit();
    match previous {
        b'-' | b'_' | b'+' => false,
        b'.' | b',' => !digit_before,
        other => !other.is_ascii_alphanumeric(),
    }
}

fn bounded_right(bytes: &[u8], end: usize) -> bool {
    let Some(next) = bytes.get(end) else { return true };
    let digit_after = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
    match next {
        b'-' | b'.' | b',' => {
            !digit_after && (*next != b'-' || !bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric))
        }
        b'_' => false,
        other => !other.is_ascii_alphanumeric(),
    }
}

/// The text shortly before a number, lowercase.
fn before(bytes: &[u8], start: usize) -> String {
    let from = start.saturating_sub(28);
    String::from_utf8_lossy(&bytes[from..start]).to_ascii_lowercase()
}

fn is_card(lengths: &[usize], digits: &[u8], raw: &[u8]) -> bool {
    let grouped = matches!(lengths, [_] | [4, 4, 4, 1..=4] | [4, 4, 4, 4, 1..=4] | [4, 6, 4 | 5]);
    grouped && !raw.contains(&b'.') && !raw.contains(&b'(') && is_card_digits(digits)
}

/// Length and first digits of a card brand, and the check digit.
fn is_card_digits(digits: &[u8]) -> bool {
    if !(13..=19).contains(&digits.len()) {
        return false;
    }
    let head = |count: usize| digits[..count].iter().fold(0_u32, |sum, d| sum * 10 + u32::from(*d));
    let length = digits.len();
    // Visa of 19 digits hardly exists, identifiers of 19 digits that begin with 4 do.
    let brand = match (head(1), head(2), head(4)) {
        (4, ..) => matches!(length, 13 | 16),
        (_, 34 | 37, _) => length == 15,
        (_, 36 | 38 | 39, _) | (_, _, 3000..=3059) => matches!(length, 14..=19),
        (_, 35 | 51..=55, _) | (_, _, 2221..=2720) => length == 16,
        (_, 50 | 56..=58 | 60 | 62..=65 | 67, _) | (_, _, 2200..=2204) => (16..=19).contains(&length),
        _ => false,
    };
    let repeated = digits.iter().all(|digit| *digit == digits[0]);
    brand && !repeated && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(*digit) << (at % 2);
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_ssn(lengths: &[usize], digits: &[u8], raw: &[u8], before: String) -> bool {
    if digits.len() != 9 {
        return false;
    }
    let number = |range: std::ops::Range<usize>| digits[range].iter().fold(0_u32, |sum, d| sum * 10 + u32::from(*d));
    let area = number(0..3);
    let issued = area != 0 && area != 666 && area < 900 && number(3..5) != 0 && number(5..9) != 0;
    let written = lengths == [3, 2, 4] && raw.get(3) == raw.get(6) && matches!(raw.get(3), Some(b'-' | b' '));
    let told = lengths == [9]
        && (before.contains("ssn") || before.contains("social security") || before.contains("social-security"));
    (written && issued) || told
}

/// Where a phone number's replacement begins, when the window is one.
fn is_phone(bytes: &[u8], start: usize, lengths: &[usize], digits: &[u8], raw: &[u8]) -> Option<usize> {
    let opened = |at: usize| if at > 0 && bytes[at - 1] == b'(' { at - 1 } else { at };
    let begin = opened(start);
    let plus = begin.checked_sub(1).filter(|at| bytes[*at] == b'+');
    if let Some(plus) = plus {
        let alone = plus == 0 || !bytes[plus - 1].is_ascii_alphanumeric();
        return (alone && (8..=15).contains(&digits.len()) && digits[0] != 0).then_some(plus);
    }
    if begin == start && !bounded_left(bytes, begin) {
        return None;
    }
    let national = match lengths {
        [3, 3, 4] => Some(digits),
        [1, 3, 3, 4] if digits[0] == 1 => Some(&digits[1..]),
        [10] => told_phone(bytes, begin).then_some(digits),
        [11] if digits[0] == 1 => told_phone(bytes, begin).then_some(&digits[1..]),
        _ => None,
    }?;
    // Separators of one kind, or brackets: `404 200.1234` is no phone.
    let kinds = [b' ', b'-', b'.'].iter().filter(|kind| raw.contains(kind)).count();
    let bracketed = raw.contains(&b')') || raw.contains(&b'(');
    (national[0] >= 2 && national[3] >= 2 && (kinds <= 1 || bracketed)).then_some(begin)
}

/// A bare number of 8 to 17 digits that the words before it call a bank account.
fn told_account(lengths: &[usize], bytes: &[u8], start: usize) -> bool {
    matches!(lengths, [8..=17]) && {
        let before = before(bytes, start);
        let before = before.trim_end_matches([' ', ':', '#', '=', '"', '\'']);
        [
            "account number",
            "routing number",
            "account no",
            "account no.",
            "acct",
            "account num",
            "bank account",
        ]
        .iter()
        .any(|word| before.ends_with(word))
    }
}

fn told_phone(bytes: &[u8], start: usize) -> bool {
    let before = before(bytes, start);
    ["phone", "mobile", "tel:", "tel ", "call ", "sms", "fax"]
        .iter()
        .any(|word| before.contains(word))
}

/// Whether a JSON number is a card: cards arrive as numbers too.
pub(super) fn card_number(number: &serde_json::Number) -> bool {
    let Some(mut rest) = number.as_u64().filter(|n| *n >= 10_u64.pow(13)) else {
        return false;
    };
    let mut digits = Vec::with_capacity(20);
    while rest > 0 {
        digits.push((rest % 10) as u8);
        rest /= 10;
    }
    digits.reverse();
    is_card_digits(&digits)
}

static IBAN: LazyLock<Regex> =
    LazyLock::new(|| super::pattern(r"\b[A-Z]{2}[0-9]{2}(?:[ \-]?[A-Z0-9]{4}){2,7}(?:[ \-]?[A-Z0-9]{1,3})?\b"));

/// Country and length of its IBANs.
const IBAN_LENGTHS: &str = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

/// Replaces IBANs whose length and check digits are right.
pub(super) fn ibans(text: &str) -> Option<String> {
    replace_some(&IBAN, text, &|found| {
        let compact: String = found
            .get(0)?
            .as_str()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        is_iban(&compact).then(|| placeholder("iban"))
    })
}

fn is_iban(compact: &str) -> bool {
    let entry = IBAN_LENGTHS
        .as_bytes()
        .chunks_exact(4)
        .find(|entry| compact.as_bytes().starts_with(&entry[..2]));
    let right_length =
        entry.is_some_and(|entry| usize::from(entry[2] - b'0') * 10 + usize::from(entry[3] - b'0') == compact.len());
    let (head, tail) = compact.split_at(4.min(compact.len()));
    let remainder = tail
        .chars()
        .chain(head.chars())
        .filter_map(|c| c.to_digit(36))
        .fold(0_u32, |rest, value| {
            let base = if value > 9 { 100 } else { 10 };
            (rest * base + value) % 97
        });
    right_length && remainder == 1
}
