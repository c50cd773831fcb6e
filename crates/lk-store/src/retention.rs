//! Forgetting, in steps small enough that nobody waits for them. The loop that calls them, and its
//! pauses, are the engine's. Each step says how many rows went; fewer than [`STEP`] means done.

use lk_core::Time;
use lk_core::time::{DAY, HOUR};
use sea_orm::{DatabaseTransaction, Value};

use crate::db::{self, values};
use crate::journal::DELIVERY_KEY_DAYS;
use crate::{Result, Store};

/// Rows that one step deletes, at most.
pub const STEP: i64 = 500;
/// How long the row of a deleted integration outlives its data, so that a delivery that was under
/// way finds no other integration under its number.
const TOMBSTONE_MS: i64 = DAY;
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

    /// Deletes up to [`STEP`] delivery keys that no retry can bring again. Keys are filed under
    /// the day they were first seen, or under the provider's own time in milliseconds.
    pub async fn forget_delivery_keys(&self, now: Time) -> Result<u64> {
        let day = now.ms().div_euclid(DAY) - DELIVERY_KEY_DAYS;
        let moment = (now - DELIVERY_KEY_DAYS * DAY).ms();
        // A day number is never as large as a moment of the last fifty years.
        let sql = "DELETE FROM delivery_keys WHERE (integration_rid, bucket, key) IN (
                     SELECT integration_rid, bucket, key FROM delivery_keys
                     WHERE bucket < $1 OR (bucket > 10000000 AND bucket < $2) LIMIT $3)";
        self.delete(sql, values![day, moment, STEP]).await
    }

    /// Deletes up to [`STEP`] each of ended sessions, links used or expired a day ago, finished
    /// effects a week old and old hourly counts.
    pub async fn forget_expired(&self, now: Time) -> Result<u64> {
        let mut count = 0;
        let ended = "DELETE FROM sessions WHERE id_hash IN
                       (SELECT id_hash FROM sessions WHERE expires_at <= $1 LIMIT $2)";
        count += self.delete(ended, values![now.ms(), STEP]).await?;
        let links = "DELETE FROM one_time_links WHERE hash IN
                       (SELECT hash FROM one_time_links WHERE expires_at <= $1 OR used_at <= $1 LIMIT $2)";
        count += self.delete(links, values![(now - DAY).ms(), STEP]).await?;
        let hours = "DELETE FROM webhook_rejection_hours WHERE (integration_rid, hour) IN
                       (SELECT integration_rid, hour FROM webhook_rejection_hours WHERE hour < $1 LIMIT $2)";
        let oldest = now.ms().div_euclid(HOUR) - REJECTION_HOURS;
        count += self.delete(hours, values![oldest, STEP]).await?;
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
                let sql = "DELETE FROM project_integrations WHERE rid = $1";
                return self.delete(sql, values![rid]).await;
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
        for sql in [
            "DELETE FROM problems WHERE rid IN
               (SELECT rid FROM problems WHERE integration_rid = $1 LIMIT $2)",
            "DELETE FROM delivery_keys WHERE (integration_rid, bucket, key) IN
               (SELECT integration_rid, bucket, key FROM delivery_keys WHERE integration_rid = $1 LIMIT $2)",
            "DELETE FROM webhook_rejections WHERE (integration_rid, reason) IN
               (SELECT integration_rid, reason FROM webhook_rejections WHERE integration_rid = $1 LIMIT $2)",
            "DELETE FROM webhook_rejection_hours WHERE (integration_rid, hour) IN
               (SELECT integration_rid, hour FROM webhook_rejection_hours WHERE integration_rid = $1 LIMIT $2)",
            "DELETE FROM integration_health_checks WHERE integration_rid IN
               (SELECT integration_rid FROM integration_health_checks WHERE integration_rid = $1 LIMIT $2)",
        ] {
            let count = self.delete(sql, values![rid, STEP]).await?;
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

    /// One statement as a write of its own; rolled back when there was nothing to do.
    async fn delete(&self, sql: &str, values: Vec<Value>) -> Result<u64> {
        let (txn, _turn) = self.begin().await?;
        let count = db::run(&txn, sql, values).await?;
        if count > 0 {
            txn.commit().await?;
        } else {
            txn.rollback().await?;
        }
        Ok(count)
    }
}

async fn delete_in(txn: &DatabaseTransaction, what: &str, list: &Value) -> Result<u64> {
    db::run(txn, format!("DELETE FROM {what}"), vec![list.clone()]).await
}
