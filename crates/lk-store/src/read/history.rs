//! Results of checks and their summaries, read.

use lk_core::Time;
use lk_core::observation::IntegrationRid;
use lk_core::sketch::Sketch;
use lk_core::uptime::{Point, Spent};
use lk_core::words::{Category, Health, Outcome, Rung};

use crate::db::{self, Row, values};
use crate::journal::QuotaSample;
use crate::{Result, Store, StoreError};

/// One result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When it ended.
    pub checked_at: Time,
    /// Health after it.
    pub status: Health,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, milliseconds.
    pub took_ms: u32,
    /// The rung that failed.
    pub rung: Option<Rung>,
    /// The failure's category.
    pub category: Option<Category>,
    /// The document that explains the failure.
    pub code: Option<String>,
    /// The failure's message.
    pub message: Option<String>,
    /// When the check after it was planned.
    pub next_at: Option<Time>,
}

impl HistoryEntry {
    /// What it says of uptime.
    pub const fn point(&self) -> Point {
        Point {
            at: self.checked_at,
            health: self.status,
            next_at: self.next_at,
        }
    }
}

/// The summary of an hour or a month.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rollup {
    /// When it begins.
    pub from: Time,
    /// Checks that passed.
    pub ok: u64,
    /// Checks that failed.
    pub failed: u64,
    /// All durations together, milliseconds.
    pub sum_ms: u64,
    /// The durations as a sketch.
    pub sketch: Sketch,
    /// How long it was well and ill.
    pub spent: Spent,
}

impl Rollup {
    /// Adds another summary; the earlier beginning stays.
    pub fn merge(&mut self, other: &Self) {
        self.ok += other.ok;
        self.failed += other.failed;
        self.sum_ms += other.sum_ms;
        self.sketch.merge(&other.sketch);
        self.spent += other.spent;
    }

    /// Checks of which it is made.
    pub const fn checks(&self) -> u64 {
        self.ok + self.failed
    }
}

/// Which summaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Hours.
    Hour,
    /// Months.
    Month,
}

impl Resolution {
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Hour => "integration_health_hourly",
            Self::Month => "integration_health_monthly",
        }
    }
}

const COLUMNS: &str =
    "checked_at, status, outcome, response_time_ms, rung, category, error_code, error_message, next_at";

fn entry(row: &Row) -> Result<HistoryEntry> {
    Ok(HistoryEntry {
        checked_at: row.time("checked_at")?,
        status: row.word("status", Health::from_code)?,
        outcome: row.word("outcome", Outcome::from_code)?,
        took_ms: u32::try_from(row.int("response_time_ms")?).unwrap_or(u32::MAX),
        rung: row.opt_word("rung", Rung::from_code)?,
        category: row.opt_word("category", Category::from_code)?,
        code: row.opt_text("error_code")?,
        message: row.opt_text("error_message")?,
        next_at: row.opt_time("next_at")?,
    })
}

pub(crate) fn rollup(row: &Row) -> Result<Rollup> {
    let sketch: Vec<u8> = row.get("sketch")?;
    let count = |column: &str| Ok::<_, StoreError>(row.int(column)?.max(0).cast_unsigned());
    Ok(Rollup {
        from: row.time("from_at")?,
        ok: count("ok")?,
        failed: count("failed")?,
        sum_ms: count("sum_ms")?,
        sketch: Sketch::decode(&sketch).map_err(|error| StoreError::corrupt(error.to_string()))?,
        spent: Spent {
            healthy_ms: row.int("healthy_ms")?,
            degraded_ms: row.int("degraded_ms")?,
            down_ms: row.int("down_ms")?,
        },
    })
}

pub(crate) const ROLLUP_COLUMNS: &str = "from_at, ok, failed, sum_ms, healthy_ms, degraded_ms, down_ms, sketch";

impl Store {
    /// Results of an integration from `from` up to `to`, newest first.
    pub async fn history(&self, rid: IntegrationRid, from: Time, to: Time, limit: u32) -> Result<Vec<HistoryEntry>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM integration_health_history
             WHERE integration_rid = $1 AND checked_at >= $2 AND checked_at < $3
             ORDER BY checked_at DESC LIMIT $4"
        );
        let values = values![rid.0, from.ms(), to.ms(), i64::from(limit)];
        db::all(self.reader(), sql, values).await?.iter().map(entry).collect()
    }

    /// The same, oldest first: for exports that page by the moment.
    pub async fn history_after(
        &self,
        rid: IntegrationRid,
        from: Time,
        to: Time,
        limit: u32,
    ) -> Result<Vec<HistoryEntry>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM integration_health_history
             WHERE integration_rid = $1 AND checked_at >= $2 AND checked_at < $3
             ORDER BY checked_at LIMIT $4"
        );
        let values = values![rid.0, from.ms(), to.ms(), i64::from(limit)];
        db::all(self.reader(), sql, values).await?.iter().map(entry).collect()
    }

    /// Summaries of an integration that begin from `from` up to `to`, oldest first.
    pub async fn rollups(
        &self,
        resolution: Resolution,
        rid: IntegrationRid,
        from: Time,
        to: Time,
    ) -> Result<Vec<Rollup>> {
        let sql = format!(
            "SELECT {ROLLUP_COLUMNS} FROM {} WHERE integration_rid = $1 AND from_at >= $2 AND from_at < $3
             ORDER BY from_at",
            resolution.table()
        );
        let rows = db::all(self.reader(), sql, values![rid.0, from.ms(), to.ms()]).await?;
        rows.iter().map(rollup).collect()
    }

    /// The same, newest first and so many at most.
    pub async fn newest_rollups(
        &self,
        resolution: Resolution,
        rid: IntegrationRid,
        from: Time,
        to: Time,
        limit: u32,
    ) -> Result<Vec<Rollup>> {
        let sql = format!(
            "SELECT {ROLLUP_COLUMNS} FROM {} WHERE integration_rid = $1 AND from_at >= $2 AND from_at < $3
             ORDER BY from_at DESC LIMIT $4",
            resolution.table()
        );
        let values = values![rid.0, from.ms(), to.ms(), i64::from(limit)];
        db::all(self.reader(), sql, values).await?.iter().map(rollup).collect()
    }

    /// Hourly summaries of every integration of some row numbers, oldest first, each with whose it is.
    pub async fn rollups_of(
        &self,
        rids: &[IntegrationRid],
        from: Time,
        to: Time,
    ) -> Result<Vec<(IntegrationRid, Rollup)>> {
        let which = self.dialect().one_of("integration_rid", 1);
        let sql = format!(
            "SELECT integration_rid, {ROLLUP_COLUMNS} FROM integration_health_hourly
             WHERE {which} AND from_at >= $2 AND from_at < $3 ORDER BY from_at"
        );
        let list = db::rid_list(rids.iter().map(|rid| rid.0));
        let rows = db::all(self.reader(), sql, vec![list, from.ms().into(), to.ms().into()]).await?;
        let whose = |row: &Row| Ok((IntegrationRid(row.int("integration_rid")?), rollup(row)?));
        rows.iter().map(whose).collect()
    }

    /// Results of some integrations at or after `from`: whose, when, how and how long, in no order.
    pub async fn results_since(
        &self,
        rids: &[IntegrationRid],
        from: Time,
    ) -> Result<Vec<(IntegrationRid, Time, Outcome, u32)>> {
        let sql = format!(
            "SELECT integration_rid, checked_at, outcome, response_time_ms FROM integration_health_history
             WHERE {} AND checked_at >= $2",
            self.dialect().one_of("integration_rid", 1)
        );
        let list = db::rid_list(rids.iter().map(|rid| rid.0));
        let rows = db::all(self.reader(), sql, vec![list, from.ms().into()]).await?;
        let result = |row: &Row| {
            Ok((
                IntegrationRid(row.int("integration_rid")?),
                row.time("checked_at")?,
                row.word("outcome", Outcome::from_code)?,
                u32::try_from(row.int("response_time_ms")?).unwrap_or(u32::MAX),
            ))
        };
        rows.iter().map(result).collect()
    }

    /// What was left of an integration's limits from `from` up to `to`, oldest first; where there is
    /// very much, the newest of it.
    pub async fn quota_history(&self, rid: IntegrationRid, from: Time, to: Time) -> Result<Vec<(Time, QuotaSample)>> {
        let sql = "SELECT at, name, limit_calls, remaining, resets_at, own_count FROM integration_quota_history
                   WHERE integration_rid = $1 AND at >= $2 AND at < $3 ORDER BY at DESC LIMIT 50000";
        let rows = db::all(self.reader(), sql, values![rid.0, from.ms(), to.ms()]).await?;
        let sample = |row: &Row| {
            let sample = QuotaSample {
                name: row.text("name")?,
                limit: row.opt_int("limit_calls")?.map(i64::cast_unsigned),
                remaining: row.int("remaining")?.max(0).cast_unsigned(),
                resets_at: row.opt_time("resets_at")?,
                own_count: row.flag("own_count")?,
            };
            Ok((row.time("at")?, sample))
        };
        rows.iter().rev().map(sample).collect()
    }

    /// Until when hours are summed up already.
    pub async fn summed_up_until(&self) -> Result<Option<Time>> {
        let sql = "SELECT done_until FROM rollup_marks WHERE name = 'hour'";
        let row = db::one(self.reader(), sql, vec![]).await?;
        row.map(|row| row.time("done_until")).transpose()
    }
}
