//! Growing delay after failed attempts to get in. Sign-ins are counted for one e-mail from one
//! source, for one source whatever the e-mail, and for one e-mail whatever the source. Uses of
//! one-time links are counted for their source alone: their tokens cannot be guessed, and strangers
//! must not be able to slow down who has one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use lk_core::Time;
use lk_core::time::{DAY, MINUTE, SECOND};

/// Failures of one e-mail from one source before the delay begins.
const FREE_FAILURES: u32 = 4;
/// Failed one-time links of one source before the delay begins.
const FREE_LINKS: u32 = 10;
/// Failures of one source, whatever the e-mail, before the delay begins.
const FREE_FAILURES_OF_SOURCE: u32 = 30;
/// Failures of one e-mail, whatever the source, before the delay begins.
const FREE_FAILURES_OF_EMAIL: u32 = 20;
/// Longest delay.
const DELAY_MS_MAX: i64 = 5 * MINUTE;
/// After this long without a failure the count starts again.
const FORGET_MS: i64 = 30 * MINUTE;
/// So long after a sign-in its source is known to be the person's own: what others try from
/// elsewhere does not keep them out.
const FAMILIAR_MS: i64 = 30 * DAY;
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
        // A clock that went back must not make the wait longer than the delay.
        delay - now.since(self.last_at).max(0)
    }
}

#[derive(Debug, Default)]
struct Counters {
    failures: HashMap<String, Failures>,
    familiar: HashMap<String, Time>,
}

/// What an attempt is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt<'a> {
    /// A password, for the account with this e-mail address.
    SignIn(&'a str),
    /// A one-time link.
    Link,
}

impl Attempt<'_> {
    /// The counters it moves, with the failures that each takes before the delay begins. The first
    /// is the narrowest; the last of a sign-in does not slow down a familiar source.
    fn counters(self, source: &str) -> Vec<(String, u32)> {
        match self {
            Self::SignIn(email) => {
                let email = email.trim().to_lowercase();
                vec![
                    (format!("{source} {email}"), FREE_FAILURES),
                    (source.to_owned(), FREE_FAILURES_OF_SOURCE),
                    (format!("* {email}"), FREE_FAILURES_OF_EMAIL),
                ]
            }
            Self::Link => vec![(format!("{source} link"), FREE_LINKS)],
        }
    }
}

/// Counts attempts to get in.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<Counters>);

impl Throttle {
    /// Begins an attempt, which counts as failed until [`succeeded`](Self::succeeded) or
    /// [`undo`](Self::undo) says otherwise, so that attempts made at the same time count too.
    /// `Err` gives the seconds to wait before the next one.
    pub(crate) fn begin(&self, attempt: Attempt<'_>, source: &str, now: Time) -> Result<(), u64> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = attempt.counters(source);
        let familiar = keys
            .first()
            .and_then(|(key, _)| counters.familiar.get(key))
            .is_some_and(|at| now.since(*at) < FAMILIAR_MS);
        let slowed_by = if familiar { keys.len() - 1 } else { keys.len() };
        let waits = keys.iter().take(slowed_by);
        let wait_ms = waits
            .map(|(key, free)| counters.failures.get(key).map_or(0, |f| f.wait_ms(*free, now)))
            .max()
            .unwrap_or(0);
        if wait_ms > 0 {
            return Err((wait_ms as u64).div_ceil(1_000));
        }
        for (key, _) in keys {
            make_room(&mut counters.failures, |f| f.last_at, now);
            let entry = counters
                .failures
                .entry(key)
                .or_insert(Failures { count: 0, last_at: now });
            if now.since(entry.last_at) >= FORGET_MS {
                entry.count = 0;
            }
            entry.count = entry.count.saturating_add(1);
            entry.last_at = now;
        }
        Ok(())
    }

    /// The attempt neither failed nor succeeded (more is to be shown), or a link was good.
    pub(crate) fn undo(&self, attempt: Attempt<'_>, source: &str) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in attempt.counters(source) {
            if let Some(entry) = counters.failures.get_mut(&key) {
                entry.count = entry.count.saturating_sub(1);
            }
        }
    }

    /// Forgets the failures of an e-mail after it signed in, and remembers where from.
    pub(crate) fn succeeded(&self, email: &str, source: &str, now: Time) {
        let attempt = Attempt::SignIn(email);
        self.undo(attempt, source);
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (n, (key, _)) in attempt.counters(source).into_iter().enumerate() {
            match n {
                0 => {
                    counters.failures.remove(&key);
                    make_room(&mut counters.familiar, |at| *at, now);
                    counters.familiar.insert(key, now);
                }
                // What others failed at from there still counts.
                1 => {}
                _ => drop(counters.failures.remove(&key)),
            }
        }
    }
}

fn make_room<T>(map: &mut HashMap<String, T>, last_at: impl Fn(&T) -> Time, now: Time) {
    if map.len() < ENTRIES_MAX {
        return;
    }
    map.retain(|_, entry| now.since(last_at(entry)) < FORGET_MS);
    if map.len() >= ENTRIES_MAX
        && let Some(oldest) = map
            .iter()
            .min_by_key(|(_, entry)| last_at(entry))
            .map(|(key, _)| key.clone())
    {
        map.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "a@example.com";
    const ANN: Attempt<'_> = Attempt::SignIn(ADDRESS);
    const HERE: &str = "192.0.2.1";

    #[test]
    fn the_delay_grows_and_ends() {
        let throttle = Throttle::default();
        let mut now = Time(1_000_000);
        for _ in 0..FREE_FAILURES {
            assert_eq!(throttle.begin(Attempt::SignIn("A@example.com "), HERE, now), Ok(()));
        }
        assert_eq!(throttle.begin(ANN, HERE, now), Err(1));
        assert_eq!(throttle.begin(ANN, "192.0.2.2", now), Ok(()));
        now = now + SECOND;
        assert_eq!(throttle.begin(ANN, HERE, now), Ok(()));
        assert_eq!(throttle.begin(ANN, HERE, now), Err(2));
        now = now + 2 * SECOND;
        assert_eq!(throttle.begin(ANN, HERE, now), Ok(()));
        throttle.succeeded(ADDRESS, HERE, now);
        assert_eq!(throttle.begin(ANN, HERE, now), Ok(()));
    }

    #[test]
    fn asking_for_a_code_does_not_buy_guesses() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        let mut guesses = 0;
        for _ in 0..50 {
            // The password alone, then a wrong code, and so on.
            if throttle.begin(ANN, HERE, now).is_ok() {
                throttle.undo(ANN, HERE);
            }
            guesses += u32::from(throttle.begin(ANN, HERE, now).is_ok());
        }
        assert_eq!(guesses, FREE_FAILURES);
    }

    #[test]
    fn one_source_cannot_try_everybody() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        for i in 0..FREE_FAILURES_OF_SOURCE {
            assert_eq!(
                throttle.begin(Attempt::SignIn(&format!("{i}@example.com")), HERE, now),
                Ok(())
            );
        }
        assert!(throttle.begin(Attempt::SignIn("new@example.com"), HERE, now).is_err());
    }

    #[test]
    fn many_sources_cannot_try_one_person_nor_keep_them_out() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        assert_eq!(throttle.begin(ANN, HERE, now), Ok(()));
        throttle.succeeded(ADDRESS, HERE, now);
        let tried = (0..100).filter(|i| throttle.begin(ANN, &format!("198.51.100.{i}"), now).is_ok());
        assert_eq!(tried.count() as u32, FREE_FAILURES_OF_EMAIL);
        assert_eq!(throttle.begin(ANN, HERE, now), Ok(()));
    }

    #[test]
    fn links_are_slowed_down_for_who_tries_them_alone() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        let tried = (0..100).filter(|_| throttle.begin(Attempt::Link, "198.51.100.1", now).is_ok());
        assert_eq!(tried.count() as u32, FREE_LINKS);
        assert_eq!(throttle.begin(Attempt::Link, HERE, now), Ok(()));
        assert_eq!(throttle.begin(ANN, "198.51.100.1", now), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_does_not_lock_out() {
        let throttle = Throttle::default();
        let now = Time(1_000 * DAY);
        for _ in 0..FREE_FAILURES {
            throttle.begin(ANN, HERE, now).unwrap();
        }
        assert_eq!(throttle.begin(ANN, HERE, now - 10 * DAY), Err(1));
    }
}
