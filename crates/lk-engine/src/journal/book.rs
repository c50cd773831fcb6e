//! What the writer remembers between batches: states and problems it alone writes, and when each
//! integration wants to be looked at again.

use std::collections::{BTreeSet, HashMap};

use lk_core::Time;
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

/// When each integration wants to be woken. Kept in memory; the stored value may be early.
#[derive(Default)]
pub(super) struct Timers {
    by_rid: HashMap<IntegrationRid, Time>,
    order: BTreeSet<(Time, IntegrationRid)>,
}

impl Timers {
    pub(super) fn set(&mut self, rid: IntegrationRid, at: Option<Time>) {
        if let Some(old) = self.by_rid.remove(&rid) {
            self.order.remove(&(old, rid));
        }
        if let Some(at) = at {
            self.by_rid.insert(rid, at);
            self.order.insert((at, rid));
        }
    }

    /// The next moment somebody wants to be woken.
    pub(super) fn next(&self) -> Option<Time> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Removes and returns up to `most` integrations whose time has come.
    pub(super) fn due(&mut self, now: Time, most: usize) -> Vec<IntegrationRid> {
        let mut due = Vec::new();
        while due.len() < most {
            match self.order.first() {
                Some(&(at, rid)) if at <= now => {
                    self.set(rid, None);
                    due.push(rid);
                }
                _ => break,
            }
        }
        due
    }
}
