//! The outbox as its executor sees it: what is due, attempts begun before the call and ended after.

use lk_core::Time;

use super::rows::effect_from;
use super::{AttemptResult, OpenEffect};
use crate::db::{self, values};
use crate::{Result, Store};

/// State numbers of an outbox row.
const PENDING: i16 = 0;
const RUNNING: i16 = 1;
const DONE: i16 = 2;
const FAILED: i16 = 3;

impl Store {
    /// Effects that are due at `now`, oldest first; those left running by a crash are among them
    /// when `resume` is set (at start, before any executor runs).
    pub async fn due_effects(&self, now: Time, resume: bool, limit: u32) -> Result<Vec<OpenEffect>> {
        let highest = if resume { RUNNING } else { PENDING };
        let rows = db::all(
            self.reader(),
            "SELECT id, kind, payload, attempts, state FROM outbox \
             WHERE state < 2 AND state <= $1 AND due_at <= $2 ORDER BY due_at LIMIT $3",
            values![highest, now.ms(), i64::from(limit)],
        )
        .await?;
        rows.iter()
            .map(|row| {
                let kind: i16 = row.get("kind")?;
                Ok(OpenEffect {
                    id: row.int("id")?,
                    effect: effect_from(kind, &row.text("payload")?)?,
                    attempts: row.int("attempts")? as u32,
                    interrupted: row.get::<i16>("state")? == RUNNING,
                })
            })
            .collect()
    }

    /// Commits that an attempt begins, before anything is sent. Returns the attempt's number.
    pub async fn begin_attempt(&self, id: i64, now: Time) -> Result<i64> {
        let (txn, _turn) = self.begin().await?;
        db::run(
            &txn,
            "UPDATE outbox SET state = $2, attempts = attempts + 1 WHERE id = $1",
            values![id, RUNNING],
        )
        .await?;
        let row = db::one(&txn, "SELECT attempts FROM outbox WHERE id = $1", values![id])
            .await?
            .ok_or(crate::StoreError::NotFound { what: "effect" })?;
        let n = row.int("attempts")?;
        db::run(
            &txn,
            "INSERT INTO outbox_attempts (outbox_id, n, started_at) VALUES ($1, $2, $3)",
            values![id, n, now.ms()],
        )
        .await?;
        txn.commit().await?;
        Ok(n)
    }

    /// Commits how an attempt ended.
    pub async fn finish_attempt(&self, id: i64, n: i64, now: Time, result: &AttemptResult) -> Result<()> {
        let (state, due, error) = match result {
            AttemptResult::Done => (DONE, now, None),
            AttemptResult::Retry { at, error } => (PENDING, *at, Some(error.as_str())),
            AttemptResult::Failed { error } => (FAILED, now, Some(error.as_str())),
        };
        let (txn, _turn) = self.begin().await?;
        db::run(
            &txn,
            "UPDATE outbox SET state = $2, due_at = $3, last_error = $4 WHERE id = $1",
            values![id, state, due.ms(), error],
        )
        .await?;
        db::run(
            &txn,
            "UPDATE outbox_attempts SET finished_at = $3, outcome = $4 \
             WHERE outbox_id = $1 AND n = $2",
            values![id, n, now.ms(), error.unwrap_or("done")],
        )
        .await?;
        txn.commit().await?;
        Ok(())
    }
}
