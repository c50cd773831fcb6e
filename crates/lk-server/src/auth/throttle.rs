//! Growing delay after failed sign-ins, per e-mail and source and per source alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use lk_core::Time;
use lk_core::time::{MINUTE, SECOND};

/// Failures of one e-mail from one source before the delay begins.
const FREE_FAILURES: u32 = 4;
/// Failures of one source, whatever the e-mail, before the delay begins.
const FREE_FAILURES_OF_SOURCE: u32 = 30;
/// Longest delay.
const DELAY_MS_MAX: i64 = 5 * MINUTE;
/// After this long without a failure the count starts again.
const FORGET_MS: i64 = 30 * MINUTE;
/// Counters kept; the oldest go first.
const ENTRIES_MAX: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last_at: Time,
}

impl Failures {
    fn wait_ms(self, free: u32, now: Time) -> i64 {
        let Some(over) = self.count.checked_sub(free) else {
            return 0;
        };
        let delay = (SECOND << over.min(16)).min(DELAY_MS_MAX);
        delay - now.since(self.last_at)
    }
}

/// Counts failed sign-ins.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, Failures>>);

impl Throttle {
    /// Seconds to wait before the next attempt, or `None` when it may be made.
    pub(crate) fn wait_s(&self, email: &str, source: &str, now: Time) -> Option<u64> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = |key: &str, free| map.get(key).map_or(0, |f| f.wait_ms(free, now));
        let ms = wait(&pair(email, source), FREE_FAILURES).max(wait(source, FREE_FAILURES_OF_SOURCE));
        (ms > 0).then(|| (ms as u64).div_ceil(1_000))
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, email: &str, source: &str, now: Time) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= ENTRIES_MAX {
            map.retain(|_, f| now.since(f.last_at) < FORGET_MS);
            if map.len() >= ENTRIES_MAX
                && let Some(oldest) = map.iter().min_by_key(|(_, f)| f.last_at).map(|(k, _)| k.clone())
            {
                map.remove(&oldest);
            }
        }
        for key in [pair(email, source), source.to_owned()] {
            let entry = map.entry(key).or_insert(Failures { count: 0, last_at: now });
            if now.since(entry.last_at) >= FORGET_MS {
                entry.count = 0;
            }
            entry.count = entry.count.saturating_add(1);
            entry.last_at = now;
        }
    }

    /// Forgets the failures of an e-mail after it signed in.
    pub(crate) fn succeeded(&self, email: &str, source: &str) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.remove(&pair(email, source));
    }
}

fn pair(email: &str, source: &str) -> String {
    format!("{source} {}", email.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_and_ends() {
        let throttle = Throttle::default();
        let mut now = Time(1_000_000);
        for _ in 0..FREE_FAILURES {
            assert_eq!(throttle.wait_s("a@example.com", "192.0.2.1", now), None);
            throttle.failed("A@example.com", "192.0.2.1", now);
        }
        assert_eq!(throttle.wait_s("a@example.com", "192.0.2.1", now), Some(1));
        throttle.failed("a@example.com", "192.0.2.1", now);
        assert_eq!(throttle.wait_s("a@example.com", "192.0.2.1", now), Some(2));
        assert_eq!(throttle.wait_s("a@example.com", "192.0.2.2", now), None);
        now = now + 2 * SECOND;
        assert_eq!(throttle.wait_s("a@example.com", "192.0.2.1", now), None);
        throttle.succeeded("a@example.com", "192.0.2.1");
        throttle.failed("a@example.com", "192.0.2.1", now);
        assert_eq!(throttle.wait_s("a@example.com", "192.0.2.1", now), None);
    }

    #[test]
    fn one_source_cannot_try_everybody() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        for i in 0..=FREE_FAILURES_OF_SOURCE {
            throttle.failed(&format!("{i}@example.com"), "192.0.2.1", now);
        }
        assert!(throttle.wait_s("new@example.com", "192.0.2.1", now).is_some());
    }
}
