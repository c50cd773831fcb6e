//! Who wants to be woken when.

use std::collections::{BTreeSet, HashMap};

use lk_core::Time;
use lk_core::observation::IntegrationRid;

/// A moment for each integration, and who is next. Kept in memory; the stored value may be early.
#[derive(Default)]
pub(crate) struct Timers {
    by_rid: HashMap<IntegrationRid, Time>,
    order: BTreeSet<(Time, IntegrationRid)>,
}

impl Timers {
    pub(crate) fn set(&mut self, rid: IntegrationRid, at: Option<Time>) {
        if let Some(old) = self.by_rid.remove(&rid) {
            self.order.remove(&(old, rid));
        }
        if let Some(at) = at {
            self.by_rid.insert(rid, at);
            self.order.insert((at, rid));
        }
    }

    /// The moment of one integration.
    pub(crate) fn get(&self, rid: IntegrationRid) -> Option<Time> {
        self.by_rid.get(&rid).copied()
    }

    /// How many are waited for.
    pub(crate) fn len(&self) -> usize {
        self.by_rid.len()
    }

    /// The next moment somebody wants to be woken.
    pub(crate) fn next(&self) -> Option<Time> {
        self.order.first().map(|(at, _)| *at)
    }

    /// All of them, in no order.
    pub(crate) fn all(&self) -> Vec<(IntegrationRid, Time)> {
        self.by_rid.iter().map(|(rid, at)| (*rid, *at)).collect()
    }

    /// Forgets those that `keep` does not want.
    pub(crate) fn retain(&mut self, keep: impl Fn(IntegrationRid) -> bool) {
        self.by_rid.retain(|rid, _| keep(*rid));
        self.order.retain(|(_, rid)| keep(*rid));
    }

    /// Removes and returns up to `most` integrations whose time has come, with that time.
    pub(crate) fn due(&mut self, now: Time, most: usize) -> Vec<(IntegrationRid, Time)> {
        let mut due = Vec::new();
        while due.len() < most {
            match self.order.first() {
                Some(&(at, rid)) if at <= now => {
                    self.set(rid, None);
                    due.push((rid, at));
                }
                _ => break,
            }
        }
        due
    }
}
