//! Summing up: results into hours, hours into months. Each step sums up one hour (or month) of a
//! batch of integrations and moves the mark in the same transaction, so that a crash in between
//! repeats a step and never skips one; a summary that is there already is replaced by the same.

use std::collections::BTreeMap;

use lk_core::Time;
use lk_core::time::{HOUR, MINUTE};
use lk_core::uptime::{self, Point};
use lk_core::words::{Health, Outcome};
use sea_orm::DatabaseTransaction;

use crate::db::{self, Row, values};
use crate::read::{ROLLUP_COLUMNS, Resolution, Rollup, rollup};
use crate::{Result, Store};

/// Integrations of which one step sums up an hour or a month.
const ROLLUP_BATCH: i64 = 500;
/// An hour is summed up when it has been over for this long: what was under way is committed then.
const SETTLED_MS: i64 = 2 * MINUTE;

/// How far the summaries of one resolution have come.
struct Mark {
    /// Everything before is summed up.
    done_until: Time,
    /// Within what follows, integrations up to this row number are done.
    next_rid: i64,
}

impl Store {
    /// Sums up one step of hours, or where those are done of months. Says how many integrations
    /// that were; 0 when nothing is left to do now.
    pub async fn rollup_step(&self, now: Time) -> Result<u64> {
        let hours = self.sum_hours(now).await?;
        if hours > 0 {
            Ok(hours)
        } else {
            self.sum_months(now).await
        }
    }

    async fn sum_hours(&self, now: Time) -> Result<u64> {
        let mark = self.mark(Resolution::Hour, now).await?;
        let (from, to) = (mark.done_until, mark.done_until + HOUR);
        if to + SETTLED_MS > now {
            return Ok(0);
        }
        let rids = self.batch_after(mark.next_rid).await?;
        let mut points: BTreeMap<i64, (Vec<Point>, Rollup)> = BTreeMap::new();
        for row in self.results_of_hour(&rids, from, to).await? {
            let (known, sum) = points.entry(row.int("integration_rid")?).or_default();
            let at = row.time("checked_at")?;
            known.push(Point {
                at,
                health: row.word("status", Health::from_code)?,
                next_at: row.opt_time("next_at")?,
            });
            if at < from {
                continue;
            }
            let took = u32::try_from(row.int("response_time_ms")?).unwrap_or(u32::MAX);
            match row.word("outcome", Outcome::from_code)? {
                Outcome::Success => sum.ok += 1,
                Outcome::Failure => sum.failed += 1,
            }
            sum.sum_ms += u64::from(took);
            sum.sketch.add(took);
        }
        let (txn, _turn) = self.begin().await?;
        for (rid, (points, mut sum)) in points {
            sum.from = from;
            sum.spent = uptime::spent(&points, from, to);
            if sum.checks() > 0 || sum.spent.known_ms() > 0 {
                put(&txn, Resolution::Hour, rid, &sum).await?;
            }
        }
        self.move_mark(&txn, Resolution::Hour, &mark, &rids, to).await?;
        txn.commit().await?;
        Ok((rids.len() as u64).max(1))
    }

    /// The results of an hour, and for each integration the one before it, which tells how the hour
    /// began; by integration, oldest first.
    async fn results_of_hour(&self, rids: &[i64], from: Time, to: Time) -> Result<Vec<Row>> {
        let columns = "integration_rid, checked_at, status, outcome, response_time_ms, next_at";
        let which = self.dialect().one_of("integration_rid", 1);
        let of_one = self.dialect().one_of("i.rid", 1);
        let sql = format!(
            "SELECT {columns} FROM integration_health_history
             WHERE {which} AND checked_at >= $2 AND checked_at < $3
             UNION ALL
             SELECT {columns} FROM project_integrations i JOIN integration_health_history h
               ON h.integration_rid = i.rid AND h.checked_at =
                  (SELECT MAX(p.checked_at) FROM integration_health_history p
                   WHERE p.integration_rid = i.rid AND p.checked_at < $2)
             WHERE {of_one}
             ORDER BY integration_rid, checked_at"
        );
        let list = db::rid_list(rids.iter().copied());
        db::all(self.reader(), sql, vec![list, from.ms().into(), to.ms().into()]).await
    }

    async fn sum_months(&self, now: Time) -> Result<u64> {
        let mark = self.mark(Resolution::Month, now).await?;
        let (from, to) = (mark.done_until, month_after(mark.done_until));
        let hours = self.mark(Resolution::Hour, now).await?;
        if hours.done_until < to {
            return Ok(0);
        }
        let rids = self.batch_after(mark.next_rid).await?;
        let which = self.dialect().one_of("integration_rid", 1);
        let sql = format!(
            "SELECT integration_rid, {ROLLUP_COLUMNS} FROM integration_health_hourly
             WHERE {which} AND from_at >= $2 AND from_at < $3"
        );
        let list = db::rid_list(rids.iter().copied());
        let rows = db::all(self.reader(), sql, vec![list, from.ms().into(), to.ms().into()]).await?;
        let mut sums: BTreeMap<i64, Rollup> = BTreeMap::new();
        for row in &rows {
            sums.entry(row.int("integration_rid")?)
                .or_default()
                .merge(&rollup(row)?);
        }
        let (txn, _turn) = self.begin().await?;
        for (rid, mut sum) in sums {
            sum.from = from;
            put(&txn, Resolution::Month, rid, &sum).await?;
        }
        self.move_mark(&txn, Resolution::Month, &mark, &rids, to).await?;
        txn.commit().await?;
        Ok((rids.len() as u64).max(1))
    }

    async fn batch_after(&self, rid: i64) -> Result<Vec<i64>> {
        let sql = "SELECT rid FROM project_integrations WHERE rid > $1 ORDER BY rid LIMIT $2";
        let rows = db::all(self.reader(), sql, values![rid, ROLLUP_BATCH]).await?;
        rows.iter().map(|row| row.int("rid")).collect()
    }

    /// Where to go on; the first time at the oldest result there is.
    async fn mark(&self, resolution: Resolution, now: Time) -> Result<Mark> {
        let name = name(resolution);
        let sql = "SELECT done_until, next_rid FROM rollup_marks WHERE name = $1";
        if let Some(row) = db::one(self.reader(), sql, values![name]).await? {
            return Ok(Mark {
                done_until: row.time("done_until")?,
                next_rid: row.int("next_rid")?,
            });
        }
        let oldest = "SELECT MIN(checked_at) AS at FROM integration_health_history";
        let oldest = db::one(self.reader(), oldest, vec![]).await?;
        let oldest = oldest
            .map(|row| row.opt_time("at"))
            .transpose()?
            .flatten()
            .unwrap_or(now);
        let done_until = match resolution {
            Resolution::Hour => Time(oldest.ms().div_euclid(HOUR) * HOUR),
            Resolution::Month => month_of(oldest),
        };
        let (txn, _turn) = self.begin().await?;
        let sql = "INSERT INTO rollup_marks (name, done_until, next_rid) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING";
        db::run(&txn, sql, values![name, done_until.ms()]).await?;
        txn.commit().await?;
        Ok(Mark {
            done_until,
            next_rid: 0,
        })
    }

    /// After a batch: on to the next integrations, or to the next hour when there are no more.
    async fn move_mark(
        &self,
        txn: &DatabaseTransaction,
        resolution: Resolution,
        mark: &Mark,
        rids: &[i64],
        to: Time,
    ) -> Result<()> {
        let more = rids.len() as i64 == ROLLUP_BATCH;
        let (until, next) = match rids.last() {
            Some(last) if more => (mark.done_until, *last),
            _ => (to, 0),
        };
        // Only from where we began: another node may have been faster.
        let sql = "UPDATE rollup_marks SET done_until = $2, next_rid = $3
                   WHERE name = $1 AND done_until = $4 AND next_rid = $5";
        let values = values![name(resolution), until.ms(), next, mark.done_until.ms(), mark.next_rid];
        db::run(txn, sql, values).await.map(|_| ())
    }
}

const fn name(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Hour => "hour",
        Resolution::Month => "month",
    }
}

async fn put(txn: &DatabaseTransaction, resolution: Resolution, rid: i64, sum: &Rollup) -> Result<()> {
    let sql = format!(
        "INSERT INTO {} (integration_rid, {ROLLUP_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (integration_rid, from_at) DO UPDATE SET ok = excluded.ok, failed = excluded.failed,
             sum_ms = excluded.sum_ms, healthy_ms = excluded.healthy_ms, degraded_ms = excluded.degraded_ms,
             down_ms = excluded.down_ms, sketch = excluded.sketch",
        resolution.table()
    );
    let values = values![
        rid,
        sum.from.ms(),
        sum.ok.cast_signed(),
        sum.failed.cast_signed(),
        sum.sum_ms.cast_signed(),
        sum.spent.healthy_ms,
        sum.spent.degraded_ms,
        sum.spent.down_ms,
        sum.sketch.encode(),
    ];
    db::run(txn, sql, values).await.map(|_| ())
}

/// The first moment of the month (UTC) of `at`.
pub fn month_of(at: Time) -> Time {
    let day = civil(at).first_of_month();
    Time(
        day.to_zoned(jiff::tz::TimeZone::UTC)
            .map_or(at.ms(), |z| z.timestamp().as_millisecond()),
    )
}

/// The first moment of the month after that of `at`.
pub fn month_after(at: Time) -> Time {
    month_of(month_of(at) + 32 * lk_core::time::DAY)
}

fn civil(at: Time) -> jiff::civil::Date {
    let stamp = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_where_they_do() {
        let at = Time(1_800_000_000_000); // 15 January 2027, 08:00
        assert_eq!(month_of(at), Time(1_798_761_600_000));
        assert_eq!(month_after(at), Time(1_801_440_000_000));
        assert_eq!(month_of(month_after(at)), month_after(at));
        let december = month_of(month_of(at) - 1);
        assert_eq!(month_after(december), month_of(at));
    }
}
