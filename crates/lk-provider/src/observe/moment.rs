//! Times in bodies.

use lk_core::Time;
use serde_json::Value;

use crate::manifest::{Moment, TimeUnit};

/// Times before 2000 or after 2100 are taken for a wrong unit and ignored.
const PLAUSIBLE: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

/// The first plausible time.
pub(super) fn first(moments: &[Moment], body: &Value) -> Option<Time> {
    moments
        .iter()
        .find_map(|moment| read(moment.pointer.first(body)?, Some(moment.unit)))
}

/// Reads a value; without a unit, numbers from 1e11 on are milliseconds.
pub(super) fn read(value: &Value, unit: Option<TimeUnit>) -> Option<Time> {
    let number = |value: &Value| match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    let ms = match unit {
        Some(TimeUnit::S) => (number(value)? * 1_000.0).round() as i64,
        Some(TimeUnit::Ms) => number(value)?.round() as i64,
        Some(TimeUnit::Iso) => parse_iso(value.as_str()?)?.ms(),
        None => match number(value) {
            Some(n) if n.abs() >= 1e11 => n.round() as i64,
            Some(n) => (n * 1_000.0).round() as i64,
            None => parse_iso(value.as_str()?)?.ms(),
        },
    };
    PLAUSIBLE.contains(&ms).then_some(Time(ms))
}

/// An RFC 3339 time; a date with time but without offset is read as UTC.
pub fn parse_iso(text: &str) -> Option<Time> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Some(Time(stamp.as_millisecond()));
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Time(zoned.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn units() {
        let t = Some(Time(1_671_058_841_000));
        assert_eq!(read(&json!(1_671_058_841), Some(TimeUnit::S)), t);
        assert_eq!(read(&json!("1671058841"), None), t);
        assert_eq!(read(&json!(1_671_058_841_000_i64), None), t);
        assert_eq!(read(&json!("2022-12-14T23:00:41Z"), None), t);
        assert_eq!(read(&json!("2022-12-14T23:00:41"), Some(TimeUnit::Iso)), t);
        assert_eq!(
            read(&json!("1671058841.5"), Some(TimeUnit::S)),
            Some(Time(1_671_058_841_500))
        );
        assert_eq!(read(&json!(1_671_058_841_000_i64), Some(TimeUnit::S)), None);
        assert_eq!(read(&json!(null), None), None);
    }
}
