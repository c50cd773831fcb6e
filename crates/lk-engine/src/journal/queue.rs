//! The bounded queue before the writer: limited in submissions and in bytes, with a wait that a
//! timer can end.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{MAX_BATCH, MAX_QUEUED, MAX_QUEUED_BYTES, Receipt, Refused, Submission};

/// A submission that waits, and where its answer goes. Ticks have nobody waiting.
pub(super) struct Pending {
    pub(super) submission: Submission,
    pub(super) reply: Option<oneshot::Sender<Result<Receipt, Refused>>>,
    pub(super) bytes: usize,
}

/// How long the writer waits for company under load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Linger {
    /// At most this long.
    pub(super) longest: Duration,
    /// Until this many wait.
    pub(super) company: usize,
}

/// Why [`Queue::take`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Something was taken, or a timer is to be looked at.
    More,
    /// The queue is closed and empty.
    End,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Pending>,
    bytes: usize,
    /// The writer lingers until this many wait.
    company: usize,
    closed: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, pending: Pending) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Stopping);
        }
        let full = state.waiting.len() >= MAX_QUEUED
            || (state.bytes + pending.bytes > MAX_QUEUED_BYTES && !state.waiting.is_empty());
        if full {
            metrics::counter!("lk_journal_queue_full_total").increment(1);
            return Err(Refused::QueueFull);
        }
        state.bytes += pending.bytes;
        state.waiting.push_back(pending);
        // The writer sleeps only while nothing waits, or lingers for company.
        if state.waiting.len() == 1 || state.waiting.len() >= state.company {
            self.changed.notify_one();
        }
        Ok(())
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Waits up to `idle` for something, then, when there is a reason to linger, until as much
    /// company has come as that expects, and takes up to [`MAX_BATCH`] observations.
    pub(super) fn take(&self, batch: &mut Vec<Pending>, idle: Duration, linger: Option<Linger>) -> Taken {
        let quiet = |s: &mut State| s.waiting.is_empty() && !s.closed;
        let guard = self.lock();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(guard, idle, quiet)
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(linger) = linger.filter(|_| !state.waiting.is_empty()) {
            state.company = linger.company.min(MAX_BATCH);
            let short = |s: &mut State| s.waiting.len() < s.company && !s.closed;
            (state, _) = self
                .changed
                .wait_timeout_while(state, linger.longest, short)
                .unwrap_or_else(PoisonError::into_inner);
        }
        metrics::gauge!("lk_journal_queue_depth").set(state.waiting.len() as f64);
        metrics::gauge!("lk_journal_queue_bytes").set(state.bytes as f64);
        let mut observations = 0;
        while let Some(next) = state.waiting.front() {
            observations += next.submission.entries.len();
            if observations > MAX_BATCH && !batch.is_empty() {
                break;
            }
            if let Some(pending) = state.waiting.pop_front() {
                state.bytes -= pending.bytes;
                batch.push(pending);
            }
        }
        if state.closed && batch.is_empty() && state.waiting.is_empty() {
            Taken::End
        } else {
            Taken::More
        }
    }
}

/// A flag that a thread can wait for.
#[derive(Default)]
pub(super) struct Stop {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(super) fn set(&self) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits up to `period`; says whether the flag is set.
    pub(super) fn wait(&self, period: Duration) -> bool {
        let guard = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let (set, _) = self
            .changed
            .wait_timeout_while(guard, period, |set| !*set)
            .unwrap_or_else(PoisonError::into_inner);
        *set
    }
}
