//! Results of checks summed up: what the store has as hours and months, and what is too young for it.

use std::collections::BTreeMap;

use lk_core::Time;
use lk_core::observation::IntegrationRid;
use lk_core::time::{DAY, HOUR, MINUTE};
use lk_core::uptime::{self, Point, Spent};
use lk_core::words::Outcome;
use lk_store::{HistoryEntry, Resolution, Rollup, Store, StoreError};

use crate::dto::health::Uptime;

/// Results of a day that are read: one every ten seconds, and some that people asked for.
const DAY_RESULTS: u32 = 10_000;

/// The last multiple of `width` at or before `at`.
pub(super) fn floor(at: Time, width: i64) -> Time {
    Time(at.ms().div_euclid(width) * width)
}

/// The results of the last day and of the rest of the hour in which it began.
pub(super) struct Recent {
    now: Time,
    /// Oldest first.
    rows: Vec<HistoryEntry>,
    /// The same, and the one before, which tells how the first hour began.
    points: Vec<Point>,
}

impl Recent {
    pub(super) async fn read(store: &Store, rid: IntegrationRid, now: Time) -> Result<Self, StoreError> {
        let since = floor(now - DAY, HOUR);
        let mut rows = store.history(rid, since, now + 1, DAY_RESULTS).await?;
        rows.reverse();
        let before = store.history(rid, Time(0), since, 1).await?;
        let points = before.iter().chain(&rows).map(HistoryEntry::point).collect();
        Ok(Self { now, rows, points })
    }

    /// A stretch summed up.
    fn sum(&self, from: Time, to: Time) -> Rollup {
        let mut sum = Rollup {
            from,
            spent: uptime::spent(&self.points, from, to.min(self.now)),
            ..Rollup::default()
        };
        let within = self
            .rows
            .iter()
            .filter(|row| row.checked_at >= from && row.checked_at < to);
        for row in within {
            match row.outcome {
                Outcome::Success => sum.ok += 1,
                Outcome::Failure => sum.failed += 1,
            }
            sum.sum_ms += u64::from(row.took_ms);
            sum.sketch.add(row.took_ms);
        }
        sum
    }

    /// The last 24 hours summed up.
    pub(super) fn day(&self) -> Rollup {
        Rollup {
            from: self.now - DAY,
            ..self.sum(self.now - DAY, self.now + 1)
        }
    }

    /// The hours after the last that the store has summed up, oldest first.
    fn hours_after(&self, last: Option<&Rollup>) -> Vec<Rollup> {
        let mut hour = floor(self.now - DAY, HOUR);
        if let Some(last) = last {
            hour = hour.max(last.from + HOUR);
        }
        let mut sums = Vec::new();
        while hour <= self.now {
            sums.push(self.sum(hour, hour + HOUR));
            hour = hour + HOUR;
        }
        sums
    }

    /// The four windows. Long ones come from the hours that are summed up, and those after.
    pub(super) fn windows(&self, hours: &[Rollup]) -> Vec<Uptime> {
        let young = self.hours_after(hours.last());
        let known: Vec<(Time, Spent)> = hours.iter().chain(&young).map(|hour| (hour.from, hour.spent)).collect();
        let end = floor(self.now, HOUR) + HOUR;
        let long = |window: &str, count: i64, width: i64| {
            let bars = (0..count).map(|n| {
                let from = end - (count - n) * width;
                let mut spent = Spent::default();
                let within = known.iter().filter(|(at, _)| *at >= from && *at < from + width);
                within.for_each(|(_, part)| spent += *part);
                (from, (from + width).min(self.now), spent)
            });
            Uptime::of(window, &bars.collect::<Vec<_>>())
        };
        let half_hour = 30 * MINUTE;
        let day = (0..48).map(|n| {
            let from = self.now - DAY + n * half_hour;
            let spent = uptime::spent(&self.points, from, from + half_hour);
            (from, from + half_hour, spent)
        });
        vec![
            Uptime::of("24h", &day.collect::<Vec<_>>()),
            long("7d", 42, 4 * HOUR),
            long("30d", 30, DAY),
            long("90d", 90, DAY),
        ]
    }
}

fn says_something(sum: &Rollup) -> bool {
    sum.checks() > 0 || sum.spent.known_ms() > 0
}

/// Hours that begin from `range.0` up to `range.1`, newest first and so many at most, each with its
/// end.
pub(super) async fn hours(
    store: &Store,
    rid: IntegrationRid,
    range: (Time, Time),
    limit: u32,
    now: Time,
) -> Result<Vec<(Rollup, Time)>, StoreError> {
    let (from, to) = range;
    let summed = store.newest_rollups(Resolution::Hour, rid, from, to, limit).await?;
    let mut sums = young_hours(store, rid, range, summed.first(), now).await?;
    sums.reverse();
    sums.extend(summed);
    sums.truncate(limit as usize);
    let ended = |sum: Rollup| {
        let end = sum.from + HOUR;
        (sum, end)
    };
    Ok(sums.into_iter().map(ended).collect())
}

/// The hours of a range that the store has not summed up yet, oldest first.
async fn young_hours(
    store: &Store,
    rid: IntegrationRid,
    (from, to): (Time, Time),
    last: Option<&Rollup>,
    now: Time,
) -> Result<Vec<Rollup>, StoreError> {
    if to <= floor(now - DAY, HOUR) || last.is_some_and(|last| last.from + HOUR >= to) {
        return Ok(Vec::new());
    }
    let mut sums = Recent::read(store, rid, now).await?.hours_after(last);
    sums.retain(|sum| sum.from >= from && sum.from < to && says_something(sum));
    Ok(sums)
}

/// The same with months.
pub(super) async fn months(
    store: &Store,
    rid: IntegrationRid,
    (from, to): (Time, Time),
    limit: u32,
    now: Time,
) -> Result<Vec<(Rollup, Time)>, StoreError> {
    let summed = store.newest_rollups(Resolution::Month, rid, from, to, limit).await?;
    // A month is summed up soon after it ends: two days cover that.
    let open = summed
        .first()
        .map_or_else(
            || lk_store::month_of(now - 2 * DAY),
            |last| lk_store::month_after(last.from),
        )
        .max(from);
    let mut young: BTreeMap<Time, Rollup> = BTreeMap::new();
    if open < to {
        let hours = store.rollups(Resolution::Hour, rid, open, to).await?;
        let rest = young_hours(store, rid, (open, to), hours.last(), now).await?;
        for hour in hours.into_iter().chain(rest) {
            young.entry(lk_store::month_of(hour.from)).or_default().merge(&hour);
        }
    }
    let named = young.into_iter().rev().map(|(from, sum)| Rollup { from, ..sum });
    let all = named.chain(summed).take(limit as usize);
    let ended = |sum: Rollup| {
        let end = lk_store::month_after(sum.from);
        (sum, end)
    };
    Ok(all.map(ended).collect())
}
