//! Forgetting, in steps small enough that nobody waits for them. The loop that calls them, and its
//! pauses, are the engine's. Each step says how many rows went; fewer than [`STEP`] means done.

use lk_core::Time;
use lk_core::time::{DAY, HOUR};
use sea_orm::{DatabaseTransaction, Value};

use crate::db::{self, Dialect, values};
use crate::journal::DELIVERY_KEY_DAYS;
use crate::rollup::{month_after, month_of};
use crate::{Result, Store};

/// Rows that one step deletes, at most.
pub const STEP: i64 = 500;
/// How long the row of a deleted integration outlives its data, so that a delivery that was under
/// way finds no other integration under its number.
const TOMBSTONE_MS: i64 = DAY;
/// Integrations whose old delivery keys one step deletes, at most.
const KEYED_AT_ONCE: i64 = 20;
/// Buckets of delivery keys up to here are days; above, moments of the last fifty years.
const LAST_DAY: i64 = 10_000_000;
/// The columns of a delivery key.
const DELIVERY_KEY: &str = "integration_rid, bucket, key";
/// How long hourly counts of rejections are kept.
const REJECTION_HOURS: i64 = 48;

impl Store {
    /// Deletes up to [`STEP`] events received before `before`, with payloads and feedback. The
    /// newest event always stays: its number is where the next one starts.
    pub async fn forget_events(&self, before: Time) -> Result<u64> {
        let rows = db::all(
            self.reader(),
            "SELECT seq, received_at FROM integration_events
             WHERE seq < (SELECT MAX(seq) FROM integration_events) ORDER BY seq LIMIT $1",
            values![STEP],
        )
        .await?;
        let mut old = Vec::new();
        for row in rows {
            if row.time("received_at")? < before {
                old.push(row.int("seq")?);
            }
        }
        self.delete_events(&old).await
    }

    /// Deletes up to [`STEP`] each of results and quotas from before `detail` and of hourly
    /// summaries from before `hours`. On PostgreSQL whole months of results go at once.
    pub async fn forget_history(&self, detail: Time, hours: Time) -> Result<u64> {
        let mut count = self.drop_old_months(detail).await?;
        for (table, key, column, before) in [
            (
                "integration_health_history",
                "integration_rid, checked_at",
                "checked_at",
                detail,
            ),
            ("integration_quota_history", "integration_rid, at, name", "at", detail),
            (
                "integration_health_hourly",
                "integration_rid, from_at",
                "from_at",
                hours,
            ),
        ] {
            count += self.forget_by_integration(table, key, column, before).await?;
        }
        Ok(count)
    }

    /// The tables are clustered by integration: the oldest rows of each are found by a look at its
    /// beginning, a few integrations at a time.
    async fn forget_by_integration(&self, table: &str, key: &str, column: &str, before: Time) -> Result<u64> {
        let sql = format!(
            "SELECT i.rid FROM project_integrations i
             WHERE EXISTS (SELECT 1 FROM {table} h WHERE h.integration_rid = i.rid AND h.{column} < $1) LIMIT $2"
        );
        let rows = db::all(self.reader(), sql, values![before.ms(), KEYED_AT_ONCE]).await?;
        let mut count = 0;
        for row in rows {
            let which = format!("integration_rid = $1 AND {column} < $2");
            count += self
                .delete(table, key, &which, values![row.int("rid")?, before.ms()])
                .await?;
        }
        Ok(count)
    }

    /// Makes the partitions of this month and the next, so that no row lands in the net.
    pub async fn ensure_months(&self, now: Time) -> Result<()> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        for from in [month_of(now), month_after(now)] {
            let (name, to) = (month_name(from), month_after(from));
            let known = db::one(
                self.reader(),
                "SELECT to_regclass($1)::text AS t",
                values![name.as_str()],
            )
            .await?;
            if known.is_some_and(|row| row.opt_text("t").is_ok_and(|t| t.is_some())) {
                continue;
            }
            let (txn, _turn) = self.begin().await?;
            let sql = format!(
                "CREATE TABLE IF NOT EXISTS {name} PARTITION OF integration_health_history
                 FOR VALUES FROM ({}) TO ({})",
                from.ms(),
                to.ms()
            );
            db::run(&txn, sql, vec![]).await?;
            txn.commit().await?;
        }
        Ok(())
    }

    async fn drop_old_months(&self, before: Time) -> Result<u64> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(0);
        }
        let sql = "SELECT c.relname AS name FROM pg_inherits p JOIN pg_class c ON c.oid = p.inhrelid
                   WHERE p.inhparent = 'integration_health_history'::regclass AND c.relname < $1
                     AND c.relname <> 'integration_health_history_rest'";
        // Names sort as their months do; the month of `before` still has rows to keep.
        let rows = db::all(self.reader(), sql, values![month_name(month_of(before)).as_str()]).await?;
        for row in &rows {
            let (txn, _turn) = self.begin().await?;
            db::run(&txn, format!("DROP TABLE {}", row.text("name")?), vec![]).await?;
            txn.commit().await?;
        }
        Ok(rows.len() as u64)
    }

    /// Deletes delivery keys that no retry can bring again, up to [`STEP`] of each integration met.
    /// Keys are filed under the day they were first seen, or under the provider's own time in
    /// milliseconds.
    pub async fn forget_delivery_keys(&self, now: Time) -> Result<u64> {
        let day = now.ms().div_euclid(DAY) - DELIVERY_KEY_DAYS;
        let moment = (now - DELIVERY_KEY_DAYS * DAY).ms();
        // The table is only reached integration by integration: two looks at the beginnings of
        // each one's keys, on a connection that holds nobody up.
        let sql = "SELECT i.rid FROM project_integrations i
             WHERE EXISTS (SELECT 1 FROM delivery_keys k WHERE k.integration_rid = i.rid AND k.bucket < $1)
                OR EXISTS (SELECT 1 FROM delivery_keys k
                           WHERE k.integration_rid = i.rid AND k.bucket > $2 AND k.bucket < $3)
             LIMIT $4";
        let rows = db::all(self.reader(), sql, values![day, LAST_DAY, moment, KEYED_AT_ONCE]).await?;
        let mut count = 0;
        for row in rows {
            for (above, below) in [(i64::MIN, day), (LAST_DAY, moment)] {
                let values = values![row.int("rid")?, above, below];
                let which = "integration_rid = $1 AND bucket > $2 AND bucket < $3";
                count += self.delete("delivery_keys", DELIVERY_KEY, which, values).await?;
            }
        }
        Ok(count)
    }

    /// Deletes up to [`STEP`] each of ended sessions, links used or expired a day ago, finished
    /// effects a week old and old hourly counts.
    pub async fn forget_expired(&self, now: Time) -> Result<u64> {
        let mut count = self
            .delete("sessions", "id_hash", "expires_at <= $1", values![now.ms()])
            .await?;
        let old_link = "(expires_at <= $1 OR used_at <= $1)";
        count += self
            .delete("one_time_links", "hash", old_link, values![(now - DAY).ms()])
            .await?;
        count += self
            .delete("invitations", "hash", old_link, values![(now - DAY).ms()])
            .await?;
        let oldest = now.ms().div_euclid(HOUR) - REJECTION_HOURS;
        let hours = "webhook_rejection_hours";
        count += self
            .delete(hours, "hour, integration_rid", "hour < $1", values![oldest])
            .await?;
        count += self.forget_effects(now - 7 * DAY).await?;
        Ok(count)
    }

    async fn forget_effects(&self, before: Time) -> Result<u64> {
        let sql = "SELECT id FROM outbox WHERE state >= 2 AND created_at < $1 LIMIT $2";
        let rows = db::all(self.reader(), sql, values![before.ms(), STEP]).await?;
        let ids = rows.iter().map(|row| row.int("id")).collect::<Result<Vec<_>>>()?;
        if ids.is_empty() {
            return Ok(0);
        }
        let (txn, _turn) = self.begin().await?;
        let list = db::rid_list(ids);
        let attempts = self.dialect().one_of("outbox_id", 1);
        let attempts = format!("DELETE FROM outbox_attempts WHERE {attempts}");
        db::run(&txn, attempts, vec![list.clone()]).await?;
        let effects = format!("DELETE FROM outbox WHERE {}", self.dialect().one_of("id", 1));
        let count = db::run(&txn, effects, vec![list]).await?;
        txn.commit().await?;
        Ok(count)
    }

    /// Deletes up to [`STEP`] rows of what a deleted integration left behind, and in the end its
    /// own row. 0 means that nothing is left to do now.
    pub async fn purge_step(&self, now: Time) -> Result<u64> {
        let sql = "SELECT rid, id, deleted_at FROM project_integrations
                   WHERE deleted_at IS NOT NULL ORDER BY deleted_at";
        for row in db::all(self.reader(), sql, vec![]).await? {
            let rid = row.int("rid")?;
            let count = self.purge_integration(rid).await?;
            if count > 0 {
                return Ok(count);
            }
            if now.since(row.time("deleted_at")?) > TOMBSTONE_MS {
                return self
                    .delete("project_integrations", "rid", "rid = $1", values![rid])
                    .await;
            }
        }
        Ok(0)
    }

    async fn purge_integration(&self, rid: i64) -> Result<u64> {
        let rows = db::all(
            self.reader(),
            "SELECT seq FROM integration_events
             WHERE integration_rid = $1 AND seq < (SELECT MAX(seq) FROM integration_events)
             ORDER BY seq LIMIT $2",
            values![rid, STEP],
        )
        .await?;
        let seqs = rows.iter().map(|row| row.int("seq")).collect::<Result<Vec<_>>>()?;
        if !seqs.is_empty() {
            return self.delete_events(&seqs).await;
        }
        for (table, key) in [
            ("problems", "rid"),
            ("delivery_keys", DELIVERY_KEY),
            ("webhook_rejections", "integration_rid, reason"),
            ("webhook_rejection_hours", "hour, integration_rid"),
            ("integration_health_checks", "integration_rid"),
            ("integration_health_history", "integration_rid, checked_at"),
            ("integration_quota_history", "integration_rid, at, name"),
            ("integration_health_hourly", "integration_rid, from_at"),
            ("integration_health_monthly", "integration_rid, from_at"),
        ] {
            let count = self.delete(table, key, "integration_rid = $1", values![rid]).await?;
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
    }

    async fn delete_events(&self, seqs: &[i64]) -> Result<u64> {
        if seqs.is_empty() {
            return Ok(0);
        }
        let list = db::rid_list(seqs.iter().copied());
        let (txn, _turn) = self.begin().await?;
        let which = self.dialect().one_of("seq", 1);
        delete_in(&txn, &format!("integration_event_payloads WHERE {which}"), &list).await?;
        delete_in(&txn, &format!("event_feedback WHERE {which}"), &list).await?;
        let count = delete_in(&txn, &format!("integration_events WHERE {which}"), &list).await?;
        txn.commit().await?;
        Ok(count)
    }

    /// Deletes up to [`STEP`] rows of `table` that meet `condition`, known by the columns `key`.
    /// Looks first, so that nothing to do takes no turn at the gate.
    async fn delete(&self, table: &str, key: &str, condition: &str, values: Vec<Value>) -> Result<u64> {
        let look = format!("SELECT 1 AS one FROM {table} WHERE {condition} LIMIT 1");
        if db::one(self.reader(), look, values.clone()).await?.is_none() {
            return Ok(0);
        }
        let (txn, _turn) = self.begin().await?;
        let sql =
            format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {condition} LIMIT {STEP})");
        let count = db::run(&txn, sql, values).await?;
        txn.commit().await?;
        Ok(count)
    }
}

/// The name of the partition of the month that begins at `from`.
fn month_name(from: Time) -> String {
    let stamp = jiff::Timestamp::from_millisecond(from.ms()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let day = stamp.to_zoned(jiff::tz::TimeZone::UTC).date();
    format!("integration_health_history_{:04}_{:02}", day.year(), day.month())
}

async fn delete_in(txn: &DatabaseTransaction, what: &str, list: &Value) -> Result<u64> {
    db::run(txn, format!("DELETE FROM {what}"), vec![list.clone()]).await
}
