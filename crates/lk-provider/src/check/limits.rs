//! What headers tell of limits, and how long a refused caller has to wait.
//!
//! "Now" is the response's own `Date` where it has one: reset times are told by the provider's
//! clock, not by ours.

use lk_core::Time;
use lk_core::time::{DAY, SECOND};
use lk_core::words::Rung;
use serde_json::Value;

use super::Quota;
use crate::Headers;
use crate::manifest::{HeaderFamily, Limits, ResetUnit};
use crate::observe::parse_iso;
use crate::pointer::Pointer;

/// The least time worth waiting.
const LEAST: i64 = SECOND;
/// The longest that a provider can make us wait.
const LONGEST: i64 = DAY;
/// Quotas that one answer can tell of.
const MAX_QUOTAS: usize = 8;
/// What the quota of a family without names is called.
const UNNAMED: &str = "requests";
/// Header prefixes that many providers share: `{prefix}limit`, `{prefix}remaining`, `{prefix}reset`,
/// each also with `-{name}` at its end.
const PREFIXES: [&str; 3] = ["x-ratelimit-", "x-rate-limit-", "ratelimit-"];

/// What an answer's headers tell of limits: the manifest's own families first, then those that many
/// providers share.
pub fn quotas(limits: &Limits, headers: &Headers, now: Time) -> Vec<Quota> {
    let clock = Clock::of(headers, now);
    let mut found: Vec<Quota> = Vec::new();
    for family in &limits.headers {
        found.extend(declared(family, headers, clock));
    }
    let mut add = |quota: Quota| {
        if !found.iter().any(|known| known.name == quota.name) {
            found.push(quota);
        }
    };
    if limits.headers.is_empty() {
        structured(headers, clock).into_iter().for_each(&mut add);
        for prefix in PREFIXES {
            shared(prefix, headers, clock).into_iter().for_each(&mut add);
        }
    }
    found.truncate(MAX_QUOTAS);
    found
}

/// The provider's clock and ours, at the moment of the answer.
#[derive(Debug, Clone, Copy)]
struct Clock {
    theirs: Time,
    ours: Time,
}

impl Clock {
    fn of(headers: &Headers, ours: Time) -> Self {
        let theirs = headers.text("date").and_then(http_date).unwrap_or(ours);
        Self { theirs, ours }
    }

    /// Our time of what is `ms` away.
    fn ahead(self, ms: i64) -> Time {
        self.ours + ms.clamp(0, 400 * DAY)
    }

    /// Our time of a moment by their clock.
    fn moment(self, theirs: Time) -> Time {
        self.ahead(theirs.ms().saturating_sub(self.theirs.ms()))
    }

    /// When a reset header says. A number without a unit is judged by its size.
    fn reset(self, text: &str, unit: Option<ResetUnit>) -> Option<Time> {
        let text = text.trim();
        let number = || text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
        let epoch_ms = |ms: f64| Some(self.moment(Time(ms as i64)));
        match unit {
            Some(ResetUnit::EpochS) => epoch_ms(number()? * 1_000.0),
            Some(ResetUnit::EpochMs) => epoch_ms(number()?),
            Some(ResetUnit::DeltaS) => Some(self.ahead((number()? * 1_000.0) as i64)),
            Some(ResetUnit::Iso) => moment(text).map(|at| self.moment(at)),
            Some(ResetUnit::Duration) => duration(text).map(|ms| self.ahead(ms)),
            None => match number() {
                Some(n) if n > 1e12 => epoch_ms(n),
                Some(n) if n > 1e9 => epoch_ms(n * 1_000.0),
                Some(n) => Some(self.ahead((n * 1_000.0) as i64)),
                None => duration(text)
                    .map(|ms| self.ahead(ms))
                    .or_else(|| moment(text).map(|at| self.moment(at))),
            },
        }
    }
}

fn declared(family: &HeaderFamily, headers: &Headers, clock: Clock) -> Option<Quota> {
    let text = |name: &Option<String>| headers.text(name.as_deref()?);
    let limit = text(&family.limit).and_then(count);
    let remaining = match &family.remaining {
        Some(name) => headers.text(name).and_then(count)?,
        None => limit?,
    };
    Some(Quota {
        name: family.name.clone(),
        limit,
        remaining,
        resets_at: text(&family.reset).and_then(|text| clock.reset(text, family.unit)),
        window_s: text(&family.window).and_then(seconds),
        own_count: family.remaining.is_none(),
    })
}

/// Every quota of a shared prefix: the plain one and the named ones.
fn shared(prefix: &str, headers: &Headers, clock: Clock) -> Vec<Quota> {
    let remaining = format!("{prefix}remaining");
    let mut found = Vec::new();
    for (header, _) in headers.iter() {
        let Some(ending) = header.strip_prefix(&remaining) else {
            continue;
        };
        let named = ending.strip_prefix('-');
        let Some(left) = headers
            .text(header)
            .and_then(count)
            .filter(|_| ending.is_empty() || named.is_some())
        else {
            continue;
        };
        let text = |what: &str| headers.text(&format!("{prefix}{what}{ending}"));
        // Some say `x-ratelimit: 100` for the limit.
        let limit = text("limit").or_else(|| headers.text(prefix.trim_end_matches('-')));
        let window = headers.text(&format!("{prefix}window-size"));
        // The drafts of the standard told seconds from now; others mean what the size says.
        let unit = (prefix == "ratelimit-").then_some(ResetUnit::DeltaS);
        let reset = text("reset").and_then(|text| clock.reset(text, unit)).or_else(|| {
            headers
                .text("ratelimit-reset")
                .and_then(|text| clock.reset(text, Some(ResetUnit::DeltaS)))
        });
        let resource = headers.text(&format!("{prefix}resource"));
        found.push(Quota {
            name: named.or(resource).unwrap_or(UNNAMED).to_owned(),
            limit: limit.and_then(count),
            remaining: left,
            resets_at: reset,
            window_s: window.and_then(seconds).or_else(|| limit.and_then(policy_window)),
            own_count: false,
        });
    }
    found
}

/// `RateLimit: "burst";r=50;t=30` with `RateLimit-Policy: "burst";q=100;w=60` (draft 11), and
/// `RateLimit: limit=100, remaining=50, reset=30` (draft 7).
fn structured(headers: &Headers, clock: Clock) -> Vec<Quota> {
    let Some(told) = joined(headers, "ratelimit") else {
        return Vec::new();
    };
    if told.contains("remaining=") {
        let value = |name: &str| {
            told.split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let Some(remaining) = value("remaining").and_then(count) else {
            return Vec::new();
        };
        return vec![Quota {
            name: UNNAMED.to_owned(),
            limit: value("limit").and_then(count),
            remaining,
            resets_at: value("reset")
                .and_then(seconds)
                .map(|s| clock.ahead((s as i64).saturating_mul(SECOND))),
            window_s: joined(headers, "ratelimit-policy").as_deref().and_then(policy_window),
            own_count: false,
        }];
    }
    let policies = items(&joined(headers, "ratelimit-policy").unwrap_or_default());
    let quotas = items(&told).into_iter().filter_map(|(name, values)| {
        let policy = policies
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, values)| values);
        let of_policy = |key: &str| value(policy?, key);
        Some(Quota {
            limit: of_policy("q"),
            remaining: value(&values, "r")?,
            resets_at: value(&values, "t").map(|s| clock.ahead((s as i64).saturating_mul(SECOND))),
            window_s: of_policy("w"),
            own_count: false,
            name,
        })
    });
    quotas.collect()
}

type Parameters = Vec<(String, String)>;

fn value(parameters: &Parameters, key: &str) -> Option<u64> {
    parameters
        .iter()
        .find(|(name, _)| name == key)
        .and_then(|(_, text)| count(text))
}

/// The items of a structured list with their parameters. Commas and semicolons inside quotes count
/// as text.
fn items(text: &str) -> Vec<(String, Parameters)> {
    let pieces = |text: &str, by: char| {
        let mut quoted = false;
        let mut out = vec![String::new()];
        for c in text.chars() {
            quoted ^= c == '"';
            match out.last_mut() {
                Some(last) if c != by || quoted => last.push(c),
                _ => out.push(String::new()),
            }
        }
        out
    };
    let item = |text: &String| {
        let mut parts = pieces(text, ';').into_iter();
        let name = parts.next()?.trim().trim_matches('"').to_owned();
        let parameter = |part: String| {
            let (key, value) = part.split_once('=')?;
            Some((key.trim().to_owned(), value.trim().to_owned()))
        };
        (!name.is_empty()).then(|| (name, parts.filter_map(parameter).collect()))
    };
    pieces(text, ',').iter().filter_map(item).collect()
}

fn joined(headers: &Headers, name: &str) -> Option<String> {
    let texts: Vec<&str> = headers
        .all(name)
        .filter_map(|raw| std::str::from_utf8(raw).ok())
        .collect();
    (!texts.is_empty()).then(|| texts.join(","))
}

/// The first whole number of a text such as `100`, `4920.0` or `100, 100;w=60`.
fn count(text: &str) -> Option<u64> {
    let first = text.split([',', ';']).next()?.trim();
    let number = first.parse::<f64>().ok().filter(|n| n.is_finite())?;
    Some(number.max(0.0) as u64)
}

/// The window in `100, 100;w=60`.
fn policy_window(text: &str) -> Option<u64> {
    let (_, after) = text.split_once("w=")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// `60` or `60s`.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| duration(text).map(|ms| (ms / SECOND) as u64))
}

/// `1s`, `6m0s`, `1h2m`, `20ms`, `1.5s`: milliseconds.
fn duration(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        total += number
            * match &rest[..letters] {
                "ms" => 1.0,
                "s" => 1_000.0,
                "m" => 60_000.0,
                "h" => 3_600_000.0,
                "d" => 86_400_000.0,
                _ => return None,
            };
        rest = &rest[letters..];
    }
    (!text.trim().is_empty()).then_some(total as i64)
}

/// A date with time as headers have it: ISO 8601, RFC 2822, or with blanks (`2026-12-01 10:00:00 UTC`).
pub fn moment(text: &str) -> Option<Time> {
    let text = text.trim();
    let blank = || {
        let text = text
            .strip_suffix(" UTC")
            .map_or_else(|| text.to_owned(), |civil| format!("{civil} +0000"));
        let parsed = jiff::Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text).ok()?;
        Some(Time(parsed.as_millisecond()))
    };
    parse_iso(text).or_else(|| http_date(text)).or_else(blank)
}

fn http_date(text: &str) -> Option<Time> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text.trim())
        .ok()?;
    Some(Time(parsed.as_millisecond()))
}

/// The moment before which a refused caller is asked not to come back; the longest of what was told
/// counts, from one second to a day.
pub fn not_before(headers: &Headers, body: &[u8], blamed: Rung, quotas: &[Quota], now: Time) -> Option<Time> {
    let clock = Clock::of(headers, now);
    let ms = headers.text("retry-after-ms").and_then(|text| text.parse::<f64>().ok());
    let after = headers.text("retry-after").and_then(|text| match text.parse::<f64>() {
        Ok(seconds) => Some(clock.ahead((seconds * 1_000.0) as i64)),
        Err(_) => moment(text).map(|at| clock.moment(at)),
    });
    let mut told: Vec<Time> = ms.map(|ms| clock.ahead(ms as i64)).into_iter().chain(after).collect();
    if blamed == Rung::Quota {
        told.extend(in_body(body, clock));
        let spent = quotas.iter().filter(|quota| quota.remaining == 0 && !quota.own_count);
        told.extend(spent.filter_map(|quota| quota.resets_at));
    }
    let longest = told.into_iter().max()?;
    let wait = (longest.ms() - now.ms()).clamp(LEAST, LONGEST);
    Some(now + wait)
}

/// Places where bodies tell seconds to wait.
const WAITS: [&str; 4] = [
    "/error/retry_after",
    "/retry_after",
    "/retryAfter/value",
    "/error/retryAfter/value",
];
/// Places where bodies tell when it is over, as an epoch.
const RESETS: [&str; 2] = ["/error/limit/reset", "/limit/reset"];

fn in_body(body: &[u8], clock: Clock) -> Vec<Time> {
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        let number = |pointer: &str| Pointer::parse(pointer).ok()?.first(&value)?.as_f64();
        let waits = WAITS.iter().filter_map(|p| number(p));
        found.extend(waits.map(|seconds| clock.ahead((seconds * 1_000.0) as i64)));
        let resets = RESETS.iter().filter_map(|p| number(p));
        found.extend(resets.filter_map(|n| clock.reset(&n.to_string(), None)));
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(4_096)]).to_ascii_lowercase();
    if let Some((_, after)) = text.split_once("retry after ") {
        let word = after
            .split(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | ')'))
            .next();
        let at = word.and_then(|word| parse_iso(&word.trim_end_matches('.').to_ascii_uppercase()));
        found.extend(at.map(|at| clock.moment(at)));
    }
    found
}

#[cfg(test)]
mod tests;
