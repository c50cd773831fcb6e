//! Old rows leave in small steps, so that no writer waits long behind a delete.

use std::time::Duration;

use lk_core::Time;
use lk_core::time::DAY;
use lk_store::{Store, StoreError};
use tokio::sync::watch;

use crate::Clock;
use crate::tasks::pause;

/// Days events and their payloads are kept (requirement S1).
pub const EVENT_DAYS: i64 = 30;
/// Days hourly summaries are kept.
pub const HOURLY_DAYS: i64 = 400;
/// Pause between rounds when there is nothing left to delete.
const ROUND_EVERY: Duration = Duration::from_mins(1);
/// Pause between two steps of summing up.
const SUM_EVERY: Duration = Duration::from_millis(20);
/// Pause between two steps of one round.
const STEP_EVERY: Duration = Duration::from_millis(100);

/// Sums up what is over until told to stop.
pub async fn sum_up(store: Store, clock: Clock, mut stop: watch::Receiver<bool>) {
    loop {
        let period = match store.rollup_step(clock.now()).await {
            Ok(0) => ROUND_EVERY,
            Ok(_) => SUM_EVERY,
            Err(error) => {
                tracing::warn!(%error, "summing up failed; the next round tries again");
                ROUND_EVERY
            }
        };
        if !pause(&mut stop, period).await {
            return;
        }
    }
}

/// Deletes what is older than its time until told to stop.
pub async fn run(store: Store, clock: Clock, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = store.ensure_months(clock.now()).await {
            tracing::warn!(%error, "the partitions of the coming months could not be made");
        }
        let period = match step(&store, clock.now()).await {
            Ok(0) => ROUND_EVERY,
            Ok(deleted) => {
                metrics::counter!("lk_retention_rows_total").increment(deleted);
                STEP_EVERY
            }
            Err(error) => {
                tracing::warn!(%error, "retention failed; the next round tries again");
                ROUND_EVERY
            }
        };
        if !pause(&mut stop, period).await {
            return;
        }
    }
}

/// Results go when they are old and summed up; after a long stop the summaries come first.
async fn forget_history(store: &Store, now: Time) -> Result<u64, StoreError> {
    let Some(summed) = store.summed_up_until().await? else {
        return Ok(0);
    };
    let detail = (now - EVENT_DAYS * DAY).min(summed);
    store.forget_history(detail, now - HOURLY_DAYS * DAY).await
}

/// One small step of everything; how many rows went.
async fn step(store: &Store, now: Time) -> Result<u64, StoreError> {
    Ok(store.forget_events(now - EVENT_DAYS * DAY).await?
        + store.forget_delivery_keys(now).await?
        + forget_history(store, now).await?
        + store.forget_expired(now).await?
        + store.retire_expired_secrets(now).await?
        + store.purge_step(now).await?)
}
