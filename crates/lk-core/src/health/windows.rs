//! Counters of successes and failures over the last hour and the last day.
//!
//! Twelve buckets of 5 minutes, then ninety-six of 15 minutes. A window always ends in the bucket
//! that is being filled, so "the last hour" covers between 55 and 60 minutes and "the last day"
//! between 23 h 45 min and 24 h: the edge error is at most one bucket.

use crate::Time;
use crate::time::MINUTE;
use crate::words::Outcome;

/// Width of a fine bucket in milliseconds.
pub const FINE_MS: i64 = 5 * MINUTE;
/// Number of fine buckets (one hour).
pub const FINE: usize = 12;
/// Width of a coarse bucket in milliseconds.
pub const COARSE_MS: i64 = 15 * MINUTE;
/// Number of coarse buckets (one day).
pub const COARSE: usize = 96;
/// Successes one bucket can count; beyond it the counter stays (keeps the stored state small).
pub const MAX_OK: u32 = (1 << 20) - 1;
/// Failures one bucket can count.
pub const MAX_FAILED: u32 = (1 << 14) - 1;

/// Successes and failures counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// What worked.
    pub ok: u32,
    /// What failed.
    pub failed: u32,
}

impl Counts {
    /// Everything that had an outcome.
    pub const fn total(self) -> u32 {
        self.ok + self.failed
    }

    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Success => self.ok = (self.ok + 1).min(MAX_OK),
            Outcome::Failure => self.failed = (self.failed + 1).min(MAX_FAILED),
        }
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |a, b| Self {
            ok: a.ok + b.ok,
            failed: a.failed + b.failed,
        })
    }
}

/// A ring of `N` buckets; `head` is the number (time divided by width) of the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ring<const N: usize> {
    pub(crate) head: i64,
    pub(crate) buckets: [Counts; N],
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self {
            head: 0,
            buckets: [Counts::default(); N],
        }
    }
}

impl<const N: usize> Ring<N> {
    fn add(&mut self, bucket: i64, outcome: Outcome) {
        if bucket > self.head {
            let gap = bucket - self.head;
            for step in 1..=gap.min(N as i64) {
                self.buckets[slot::<N>(self.head + step)] = Counts::default();
            }
            self.head = bucket;
        }
        // A clock that stepped back counts into the newest bucket: nothing is lost or counted twice.
        self.buckets[slot::<N>(self.head)].add(outcome);
    }

    /// The bucket with this number, empty when it is outside the ring.
    pub(crate) fn get(&self, bucket: i64) -> Counts {
        if bucket > self.head || bucket <= self.head - N as i64 || bucket < 0 {
            Counts::default()
        } else {
            self.buckets[slot::<N>(bucket)]
        }
    }

    fn last(&self, newest: i64) -> Counts {
        (newest - N as i64 + 1..=newest).map(|b| self.get(b)).sum()
    }
}

fn slot<const N: usize>(bucket: i64) -> usize {
    bucket.rem_euclid(N as i64) as usize
}

/// Both rings of one integration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Windows {
    pub(crate) fine: Ring<FINE>,
    pub(crate) coarse: Ring<COARSE>,
}

impl Windows {
    /// Counts one outcome that arrived at `at`.
    pub fn add(&mut self, at: Time, outcome: Outcome) {
        self.fine.add(at.0 / FINE_MS, outcome);
        self.coarse.add(at.0 / COARSE_MS, outcome);
    }

    /// What the fine buckets come to for a coarse one that they cover whole, or that is being
    /// filled.
    pub(crate) fn fine_sum(&self, coarse: i64) -> Option<Counts> {
        let per = COARSE_MS / FINE_MS;
        let first = coarse * per;
        let ended = coarse == self.coarse.head || first + per - 1 <= self.fine.head;
        let covered = ended && first > self.fine.head - FINE as i64;
        covered.then(|| {
            let sum: Counts = (first..first + per).map(|bucket| self.fine.get(bucket)).sum();
            Counts {
                ok: sum.ok.min(MAX_OK),
                failed: sum.failed.min(MAX_FAILED),
            }
        })
    }

    /// Fills coarse buckets that are empty and that the fine ones tell of.
    pub(crate) fn fill_coarse(&mut self) {
        let newest = self.coarse.head;
        for bucket in (newest - (FINE as i64)..=newest).filter(|bucket| *bucket >= 0) {
            if self.coarse.get(bucket).total() == 0
                && let Some(sum) = self.fine_sum(bucket)
            {
                self.coarse.buckets[slot::<COARSE>(bucket)] = sum;
            }
        }
    }

    /// The last hour, as seen at `now`.
    pub fn last_hour(&self, now: Time) -> Counts {
        self.fine.last((now.0 / FINE_MS).max(self.fine.head))
    }

    /// The last 24 hours, as seen at `now`.
    pub fn last_day(&self, now: Time) -> Counts {
        self.coarse.last((now.0 / COARSE_MS).max(self.coarse.head))
    }

    /// The last 24 clock hours, oldest first, each with the time it begins.
    pub fn hourly(&self, now: Time) -> [(Time, Counts); 24] {
        let per_hour = 4;
        let hour = now.0 / (COARSE_MS * per_hour);
        std::array::from_fn(|i| {
            let number = hour - 23 + i as i64;
            let counts = (0..per_hour).map(|q| self.coarse.get(number * per_hour + q)).sum();
            (Time(number * per_hour * COARSE_MS), counts)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    const T0: Time = Time(1_800_000_000_000);

    #[test]
    fn counts_leave_their_window() {
        let mut w = Windows::default();
        w.add(T0, Outcome::Failure);
        w.add(T0 + 10 * MINUTE, Outcome::Success);
        assert_eq!(w.last_hour(T0 + 20 * MINUTE), Counts { ok: 1, failed: 1 });
        assert_eq!(w.last_hour(T0 + 64 * MINUTE), Counts { ok: 1, failed: 0 });
        assert_eq!(w.last_day(T0 + 23 * HOUR), Counts { ok: 1, failed: 1 });
        assert_eq!(w.last_day(T0 + 25 * HOUR), Counts::default());
    }

    #[test]
    fn a_clock_that_steps_back_loses_nothing() {
        let mut w = Windows::default();
        w.add(T0 + HOUR, Outcome::Success);
        w.add(T0, Outcome::Failure);
        assert_eq!(w.last_day(T0), Counts { ok: 1, failed: 1 });
    }

    #[test]
    fn hours_add_up_to_the_day() {
        let mut w = Windows::default();
        for i in 0..200 {
            w.add(T0 + i * 6 * MINUTE, Outcome::Success);
        }
        let now = T0 + 199 * 6 * MINUTE;
        let sum: u32 = w.hourly(now).iter().map(|(_, c)| c.ok).sum();
        assert_eq!(sum, w.last_day(now).ok);
        assert_eq!(sum, 200);
    }
}
