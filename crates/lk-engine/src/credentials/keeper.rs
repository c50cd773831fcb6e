//! Looks after connections that nobody uses just now: renews ahead of their end, keeps idle refresh
//! tokens alive.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::renew::Wanted;
use crate::Engine;
use crate::tasks::pause;

/// Between two looks; shorter than what is left of a token when its renewal is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Connections looked after in one round.
const ROUND: u32 = 200;
/// Renewals under way at once.
const MAX_RENEWALS: usize = 8;

/// Looks after connections until it is told to stop.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MAX_RENEWALS));
    while pause(&mut stop, LOOK_EVERY).await {
        let due = engine.store().connections_due(engine.clock().now(), ROUND).await;
        let due = match due {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "connections that are due cannot be read");
                continue;
            }
        };
        let directory = engine.directory();
        for rid in due {
            let Some(integration) = directory.integration(rid) else {
                continue;
            };
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let (engine, integration) = (engine.clone(), Arc::clone(integration));
            let tasks = engine.tasks().clone();
            tasks.spawn_short(async move {
                let credentials = engine.credentials();
                // What came of it is stored and told; the caller has no use for it.
                match credentials.subject(&integration) {
                    Ok(Some(subject)) => drop(credentials.renew(subject, Wanted::Upkeep).await),
                    Ok(None) | Err(_) => credentials.leave(&integration).await,
                }
                drop(place);
            });
        }
    }
}

impl super::Credentials {
    /// Stops looking after a connection whose integration proves itself otherwise by now, or cannot
    /// until its settings are filled in.
    async fn leave(&self, integration: &crate::directory::Integration) {
        let left = async {
            let Some(known) = self.0.store.connection(&integration.id).await? else {
                return Ok(false);
            };
            let as_it_is = lk_store::FailedRefresh {
                state: known.state,
                reason: known.reason.unwrap_or_default(),
                message: known.message.unwrap_or_default(),
                retry_at: None,
                doubt: false,
            };
            let marked = self
                .0
                .store
                .mark_connection(&integration.id, known.version, &as_it_is, self.now());
            marked.await
        };
        if let Err(error) = left.await {
            tracing::warn!(%error, integration = integration.id, "a connection that is not used is still looked after");
        }
    }
}
