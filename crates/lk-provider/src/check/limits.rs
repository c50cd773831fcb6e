//! What is left of a provider's limits, and how long it asks us to wait. Families of headers and
//! their units: workspace providers reference, section 1.4.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use lk_core::Time;
use lk_core::time::{DAY, SECOND};

use super::Quota;
use crate::manifest::{Limits, ResetUnit};
use crate::message::HttpResponse;

/// The shortest and longest wait that is believed.
const WAIT_MS: std::ops::RangeInclusive<i64> = SECOND..=DAY;

fn header<'a>(response: &'a HttpResponse, name: &str) -> Option<&'a str> {
    let mut named = response
        .headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.trim())
}

/// Now by the provider's clock, where the answer tells it: its moments are meant by that.
fn provider_now(response: &HttpResponse, now: Time) -> Time {
    header(response, "date").and_then(http_date).unwrap_or(now)
}

fn http_date(text: &str) -> Option<Time> {
    let zoned = rfc2822::DateTimeParser::new().parse_zoned(text).ok()?;
    Some(Time(zoned.timestamp().as_millisecond()))
}

/// When the provider wants to be called again, for an answer that refuses: the longest of what it
/// says.
pub fn not_before(response: &HttpResponse, now: Time) -> Option<Time> {
    if !matches!(response.status, 429 | 503 | 403) {
        return None;
    }
    let theirs = provider_now(response, now);
    let ms = header(response, "retry-after-ms").and_then(|text| text.parse::<i64>().ok());
    let after = header(response, "retry-after").and_then(|text| match text.parse::<f64>() {
        Ok(seconds) => Some((seconds * 1_000.0).ceil() as i64),
        Err(_) => http_date(text).map(|at| at.ms() - theirs.ms()),
    });
    let wait = ms.max(after)?;
    Some(now + wait.clamp(*WAIT_MS.start(), *WAIT_MS.end()))
}

/// What the answer tells of limits: the families that the manifest names, and the open ones.
pub fn quotas(limits: Option<&Limits>, response: &HttpResponse, now: Time) -> Vec<Quota> {
    let mut found = Vec::new();
    for family in limits.map_or(&[][..], |limits| limits.headers.as_slice()) {
        let Some(remaining) = header(response, &family.remaining).and_then(count) else {
            continue;
        };
        let named = |name: &Option<String>| name.as_deref().and_then(|name| header(response, name));
        let reset = named(&family.reset).and_then(|text| moment(text, family.unit, response, now));
        let name = match family.name.strip_prefix("header:") {
            Some(from) => header(response, from).unwrap_or("calls"),
            None => &family.name,
        };
        found.push(Quota {
            name: name.to_owned(),
            limit: named(&family.limit).and_then(count),
            remaining,
            resets_at: reset,
            window_s: None,
            own_count: false,
        });
    }
    if found.is_empty() {
        found = open_standard(response, now);
    }
    if found.is_empty() {
        found.extend(older_draft(response, now));
    }
    found
}

fn count(text: &str) -> Option<u64> {
    let number: f64 = text.split([',', ';']).next()?.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number as u64)
}

/// The moment at which a limit is filled again, by our clock.
fn moment(text: &str, unit: ResetUnit, response: &HttpResponse, now: Time) -> Option<Time> {
    let theirs = provider_now(response, now);
    let number = || text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    let from_now = |ms: f64| Some(now + ms as i64);
    let at = |epoch_ms: f64| from_now(epoch_ms - theirs.ms() as f64);
    let found = match unit {
        ResetUnit::EpochS => at(number()? * 1_000.0),
        ResetUnit::EpochMs => at(number()?),
        ResetUnit::DeltaS => from_now(number()? * 1_000.0),
        ResetUnit::Iso => {
            let stamp: Timestamp = text.parse().ok()?;
            at(stamp.as_millisecond() as f64)
        }
        ResetUnit::Duration => from_now(duration_ms(text)?),
        ResetUnit::Guess => match number() {
            Some(n) if n > 1e12 => at(n),
            Some(n) if n > 1e9 => at(n * 1_000.0),
            Some(n) => from_now(n * 1_000.0),
            None => {
                let stamp: Option<Timestamp> = text.parse().ok();
                stamp.map_or_else(
                    || duration_ms(text).and_then(from_now),
                    |s| at(s.as_millisecond() as f64),
                )
            }
        },
    };
    found.map(|at| at.max(now).min(now + 40 * DAY))
}

/// `1h2m3.5s`, `20ms`, in milliseconds.
fn duration_ms(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |n| digits + n);
        let ms = match &rest[digits..unit_end] {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        total += number * ms;
        rest = &rest[unit_end..];
    }
    Some(total)
}

/// `RateLimit: "burst";r=50;t=30` with `RateLimit-Policy: "burst";q=100;w=60` (draft 11).
fn open_standard(response: &HttpResponse, now: Time) -> Vec<Quota> {
    let policies: Vec<(String, Vec<(String, String)>)> =
        header(response, "ratelimit-policy").map(items).unwrap_or_default();
    let told = header(response, "ratelimit").map(items).unwrap_or_default();
    let value = |params: &[(String, String)], key: &str| {
        let found = params.iter().find(|(name, _)| name == key);
        found.and_then(|(_, value)| value.parse::<u64>().ok())
    };
    told.into_iter()
        .filter_map(|(name, params)| {
            let policy = policies.iter().find(|(known, _)| *known == name);
            let of_policy = |key: &str| policy.and_then(|(_, params)| value(params, key));
            Some(Quota {
                remaining: value(&params, "r")?,
                resets_at: value(&params, "t").map(|s| now + (s as i64).saturating_mul(SECOND)),
                limit: of_policy("q"),
                window_s: of_policy("w"),
                own_count: false,
                name,
            })
        })
        .collect()
}

/// The members of a structured list: each a name with its parameters.
fn items(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    text.split(',')
        .filter_map(|member| {
            let mut parts = member.split(';').map(str::trim);
            let name = parts.next()?.trim_matches('"').to_owned();
            let params = parts.filter_map(|part| part.split_once('='));
            let params = params.map(|(k, v)| (k.trim().to_owned(), v.trim_matches('"').to_owned()));
            (!name.is_empty()).then(|| (name, params.collect()))
        })
        .collect()
}

/// `RateLimit-Limit`, `-Remaining`, `-Reset` (drafts up to 06), with or without `X-`.
fn older_draft(response: &HttpResponse, now: Time) -> Option<Quota> {
    ["ratelimit", "x-ratelimit", "x-rate-limit"].iter().find_map(|prefix| {
        let remaining = header(response, &format!("{prefix}-remaining")).and_then(count)?;
        let unit = if *prefix == "ratelimit" {
            ResetUnit::DeltaS
        } else {
            ResetUnit::Guess
        };
        let reset = header(response, &format!("{prefix}-reset"));
        Some(Quota {
            name: "calls".to_owned(),
            limit: header(response, &format!("{prefix}-limit")).and_then(count),
            remaining,
            resets_at: reset.and_then(|text| moment(text, unit, response, now)),
            window_s: None,
            own_count: false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_800_000_000_000);

    fn answer(status: u16, headers: &[(&str, &str)]) -> HttpResponse {
        HttpResponse {
            status,
            headers: headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            body: Vec::new(),
        }
    }

    fn wait(headers: &[(&str, &str)]) -> Option<i64> {
        not_before(&answer(429, headers), NOW).map(|at| at.since(NOW))
    }

    #[test]
    fn the_longest_wait_counts_and_absurd_ones_are_cut() {
        assert_eq!(wait(&[("retry-after", "30")]), Some(30 * SECOND));
        assert_eq!(wait(&[("retry-after", "1.5")]), Some(1_500));
        assert_eq!(wait(&[("retry-after-ms", "2500"), ("retry-after", "2")]), Some(2_500));
        assert_eq!(wait(&[("retry-after", "0")]), Some(SECOND));
        assert_eq!(wait(&[("retry-after", "9999999")]), Some(DAY));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(not_before(&answer(200, &[("retry-after", "30")]), NOW), None);
        // A date is meant by the provider's clock, which is an hour behind ours here.
        let dated = [
            ("date", "Fri, 15 Jan 2027 07:00:00 GMT"),
            ("retry-after", "Fri, 15 Jan 2027 07:02:00 GMT"),
        ];
        assert_eq!(wait(&dated), Some(120 * SECOND));
    }

    fn reset(unit: ResetUnit, text: &str) -> Option<i64> {
        moment(text, unit, &answer(200, &[]), NOW).map(|at| at.since(NOW))
    }

    #[test]
    fn resets_are_read_in_their_unit() {
        assert_eq!(reset(ResetUnit::EpochS, "1800000060"), Some(60_000));
        assert_eq!(reset(ResetUnit::EpochMs, "1800000060000.0"), Some(60_000));
        assert_eq!(reset(ResetUnit::DeltaS, "42"), Some(42_000));
        assert_eq!(reset(ResetUnit::Iso, "2027-01-15T08:01:00Z"), Some(60_000));
        assert_eq!(reset(ResetUnit::Duration, "6m0s"), Some(360_000));
        assert_eq!(reset(ResetUnit::Duration, "20ms"), Some(20));
        for text in ["1800000060", "1800000060000", "60", "1m0s", "2027-01-15T08:01:00Z"] {
            assert_eq!(reset(ResetUnit::Guess, text), Some(60_000), "{text}");
        }
        assert_eq!(reset(ResetUnit::EpochS, "1700000000"), Some(0), "the past is now");
        assert_eq!(reset(ResetUnit::Guess, "whenever"), None);
    }

    #[test]
    fn open_families_are_read_without_a_manifest() {
        let draft = answer(
            200,
            &[
                ("ratelimit-policy", "\"burst\";q=100;w=60, \"day\";q=5000;w=86400"),
                ("ratelimit", "\"burst\";r=50;t=30"),
            ],
        );
        let found = quotas(None, &draft, NOW);
        assert_eq!(found.len(), 1);
        let burst = &found[0];
        assert_eq!(
            (burst.name.as_str(), burst.limit, burst.remaining),
            ("burst", Some(100), 50)
        );
        assert_eq!((burst.window_s, burst.resets_at), (Some(60), Some(NOW + 30_000)));
        let older = answer(200, &[("X-RateLimit-Remaining", "7"), ("X-RateLimit-Reset", "60")]);
        let found = quotas(None, &older, NOW);
        assert_eq!((found[0].remaining, found[0].resets_at), (7, Some(NOW + 60_000)));
        assert!(quotas(None, &answer(200, &[("x-ratelimit-remaining", "many")]), NOW).is_empty());
    }
}
