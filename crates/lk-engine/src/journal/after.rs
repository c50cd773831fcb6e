//! Who is told after a commit, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lk_core::observation::IntegrationRid;
use lk_core::state::IntegrationState;
use lk_store::journal::Batch;
use tokio::sync::Notify;

use crate::checks::due::Due;

/// A state as it was committed, with the text of its last check where that is new.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    pub(crate) state: IntegrationState,
    pub(crate) last_check: Option<Arc<str>>,
}

/// Those who want to know what was committed: the executor of effects, the schedule, and the board,
/// which otherwise would not see checks that are worth no event.
#[derive(Clone, Default)]
pub(crate) struct After {
    pub(crate) effects: Arc<Notify>,
    pub(crate) due: Arc<Due>,
    states: Arc<Mutex<States>>,
}

#[derive(Default)]
struct States {
    /// Not taken yet.
    noted: HashMap<IntegrationRid, Noted>,
    /// Batches told of so far.
    batches: u64,
}

impl After {
    /// Tells of a committed batch.
    pub(super) fn committed(&self, batch: &Batch) {
        if !batch.effects.is_empty() {
            self.effects.notify_one();
        }
        let mut states = self.lock();
        states.batches += 1;
        for row in &batch.states {
            self.due.set(row.integration, row.state.checks.next_at);
            let new: Option<Arc<str>> = row.last_check.as_deref().map(Into::into);
            let known = states
                .noted
                .get_mut(&row.integration)
                .and_then(|noted| noted.last_check.take());
            let noted = Noted {
                state: row.state.clone(),
                last_check: new.or(known),
            };
            states.noted.insert(row.integration, noted);
        }
    }

    /// What was committed since the last call, the newest of each integration, and how many batches
    /// were committed until now.
    pub(crate) fn take_states(&self) -> (HashMap<IntegrationRid, Noted>, u64) {
        let mut states = self.lock();
        (std::mem::take(&mut states.noted), states.batches)
    }

    /// How many batches were committed until now.
    pub(crate) fn batches(&self) -> u64 {
        self.lock().batches
    }

    fn lock(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
