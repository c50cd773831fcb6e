//! Refused deliveries: counted in memory and written in small batches, so that a flood of forged
//! requests costs the database one row per integration and reason.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lk_core::Time;
use lk_core::observation::IntegrationRid;
use lk_provider::Rejection;
use lk_store::{RejectionDelta, Store};
use tokio::sync::watch;

use crate::tasks::pause;

/// Pause between writes of the counters.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// Distinct (integration, reason) pairs held between two writes.
const MAX_HELD: usize = 10_000;

/// Counters that wait to be written.
#[derive(Debug, Clone, Default)]
pub struct Rejections {
    held: Arc<Mutex<HashMap<(IntegrationRid, &'static str), RejectionDelta>>>,
}

impl Rejections {
    /// Counts one refused delivery.
    pub fn count(&self, integration: IntegrationRid, rejection: &Rejection, now: Time) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (integration, rejection.code());
        if held.len() >= MAX_HELD && !held.contains_key(&key) {
            metrics::counter!("lk_rejections_uncounted_total").increment(1);
            return;
        }
        let count = held.entry(key).or_insert_with(|| RejectionDelta {
            integration,
            reason: rejection.code().to_owned(),
            count: 0,
            first_at: now,
            last_at: now,
            detail: String::new(),
        });
        count.count += 1;
        count.last_at = count.last_at.max(now);
        count.detail = rejection.detail().to_string();
    }

    /// Writes what was counted until told to stop, and once more then.
    pub async fn flush_until(self, store: Store, mut stop: watch::Receiver<bool>) {
        while pause(&mut stop, FLUSH_EVERY).await {
            self.flush(&store).await;
        }
        self.flush(&store).await;
    }

    async fn flush(&self, store: &Store) {
        let counts: Vec<RejectionDelta> = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.drain().map(|(_, count)| count).collect()
        };
        if counts.is_empty() {
            return;
        }
        if let Err(error) = store.add_rejections(&counts).await {
            tracing::warn!(%error, lost = counts.len(), "counters of refused deliveries were not written");
        }
    }
}
