//! What the writer remembers between batches: states and problems it alone writes.

use std::collections::HashMap;

use lk_core::classify::Fingerprint;
use lk_core::observation::IntegrationRid;
use lk_core::state::IntegrationState;
use lk_store::journal::{Loaded, StoredProblem};

use super::MAX_CACHED;

/// The key of a problem.
pub(super) type ProblemKey = (IntegrationRid, Fingerprint);

/// States and problems by key.
#[derive(Default)]
pub(super) struct Book {
    pub(super) states: HashMap<IntegrationRid, IntegrationState>,
    pub(super) problems: HashMap<ProblemKey, StoredProblem>,
}

impl Book {
    /// Forgets everything; the next batch loads what it needs.
    pub(super) fn clear(&mut self) {
        self.states.clear();
        self.problems.clear();
    }

    /// Takes over what a committed batch changed.
    pub(super) fn keep(&mut self, changed: Self) {
        self.states.extend(changed.states);
        self.problems.extend(changed.problems);
        if self.states.len() > MAX_CACHED {
            self.states.clear();
        }
        if self.problems.len() > MAX_CACHED {
            self.problems.clear();
        }
    }
}

/// A batch's view: its own changes over what was loaded over what is remembered.
pub(super) struct View<'a> {
    pub(super) book: &'a Book,
    pub(super) loaded: Loaded,
    pub(super) changed: Book,
}

impl View<'_> {
    pub(super) fn state(&self, rid: IntegrationRid) -> Option<&IntegrationState> {
        self.changed
            .states
            .get(&rid)
            .or_else(|| self.loaded.states.get(&rid))
            .or_else(|| self.book.states.get(&rid))
    }

    pub(super) fn problem(&self, key: &ProblemKey) -> Option<&StoredProblem> {
        self.changed
            .problems
            .get(key)
            .or_else(|| self.loaded.problems.get(key))
            .or_else(|| self.book.problems.get(key))
    }
}
