//! Growing delay after failed sign-ins: of one e-mail from one source, of one source whatever the
//! e-mail, and of one e-mail whatever the source. And after one-time links that are none, of one
//! source alone: they cannot be guessed, so nobody who has one may be kept out by others.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lk_core::Time;
use lk_core::time::{DAY, MINUTE, SECOND};

/// Failures of one e-mail from one source before the delay begins.
const FREE_FAILURES: u32 = 4;
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
/// The part of a full table that goes at once: one in so many.
const EVICTED: usize = 10;
/// Counters kept; the oldest go first.
const ENTRIES_MAX: usize = 20_000;

/// What failures are counted of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    /// One e-mail from one source.
    Pair(String, String),
    /// One source.
    Source(String),
    /// One e-mail.
    Email(String),
    /// One kind of one-time link from one source.
    Link(&'static str, String),
}

impl Key {
    const fn free(&self) -> u32 {
        match self {
            Self::Pair(..) | Self::Link(..) => FREE_FAILURES,
            Self::Source(_) => FREE_FAILURES_OF_SOURCE,
            Self::Email(_) => FREE_FAILURES_OF_EMAIL,
        }
    }
}

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
    failures: Table,
    familiar: HashMap<Key, Time>,
}

/// Failures by what they are counted for.
#[derive(Debug, Default)]
struct Table(HashMap<Key, Failures>);

impl Table {
    /// Counts an attempt under `keys` as failed, unless one of the first `counted` must wait.
    fn begin(&mut self, keys: Vec<Key>, counted: usize, now: Time) -> Result<(), u64> {
        let wait_ms = |key| self.0.get(key).map_or(0, |f: &Failures| f.wait_ms(key.free(), now));
        let wait_ms = keys.iter().take(counted).map(wait_ms).max().unwrap_or(0);
        if wait_ms > 0 {
            return Err((wait_ms as u64).div_ceil(1_000));
        }
        make_room(&mut self.0, keys.len(), |f| f.last_at, now);
        for key in keys {
            let entry = self.0.entry(key).or_insert(Failures { count: 0, last_at: now });
            if now.since(entry.last_at) >= FORGET_MS {
                entry.count = 0;
            }
            entry.count = entry.count.saturating_add(1);
            entry.last_at = now;
        }
        Ok(())
    }

    fn take_back(&mut self, key: &Key) {
        if let Some(entry) = self.0.get_mut(key) {
            entry.count = entry.count.saturating_sub(1);
        }
    }
}

/// Counts attempts to sign in and to use one-time links.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    people: Mutex<Counters>,
    /// Apart from the others: a link costs nothing to try, and must not push out what protects
    /// passwords.
    links: Mutex<Table>,
}

impl Throttle {
    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn links(&self) -> MutexGuard<'_, Table> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an attempt, which counts as failed until [`succeeded`](Self::succeeded) or
    /// [`undo`](Self::undo) says otherwise, so that attempts made at the same time count too.
    /// `Err` gives the seconds to wait before the next one.
    pub(crate) fn attempt(&self, email: &str, source: &str, now: Time) -> Result<(), u64> {
        let mut counters = self.counters();
        let keys = keys(email, source);
        let familiar = counters
            .familiar
            .get(&keys[0])
            .is_some_and(|at| now.since(*at) < FAMILIAR_MS);
        // The last one is of the e-mail whatever the source.
        let counted = if familiar { 2 } else { 3 };
        counters.failures.begin(keys.into(), counted, now)
    }

    /// The attempt neither failed nor succeeded: more is to be shown.
    pub(crate) fn undo(&self, email: &str, source: &str) {
        let mut counters = self.counters();
        for key in keys(email, source) {
            counters.failures.take_back(&key);
        }
    }

    /// Forgets the failures of an e-mail after it signed in, and remembers where from.
    pub(crate) fn succeeded(&self, email: &str, source: &str, now: Time) {
        let mut counters = self.counters();
        let [pair, of_source, of_email] = keys(email, source);
        counters.failures.0.remove(&pair);
        counters.failures.0.remove(&of_email);
        counters.failures.take_back(&of_source);
        make_room(&mut counters.familiar, 1, |at| *at, now);
        counters.familiar.insert(pair, now);
    }

    /// Begins an attempt to use a one-time link of this kind, which counts as failed until
    /// [`link_was_right`](Self::link_was_right) says otherwise.
    pub(crate) fn attempt_link(&self, kind: &'static str, source: &str, now: Time) -> Result<(), u64> {
        self.links().begin(vec![Key::Link(kind, network(source))], 1, now)
    }

    /// The attempt to use a link did not fail.
    pub(crate) fn link_was_right(&self, kind: &'static str, source: &str) {
        self.links().take_back(&Key::Link(kind, network(source)));
    }
}

/// The counters of an attempt: of the pair, of the source, of the e-mail.
fn keys(email: &str, source: &str) -> [Key; 3] {
    let (email, source) = (email.trim().to_ascii_lowercase(), network(source));
    [
        Key::Pair(source.clone(), email.clone()),
        Key::Source(source),
        Key::Email(email),
    ]
}

/// Who has one address of an IPv6 network of 64 bits has them all.
fn network(source: &str) -> String {
    match source.parse() {
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        _ => source.to_owned(),
    }
}

/// Makes room for so many more.
fn make_room<K: Clone + Eq + Hash, T>(map: &mut HashMap<K, T>, more: usize, last_at: impl Fn(&T) -> Time, now: Time) {
    if map.len() + more <= ENTRIES_MAX {
        return;
    }
    map.retain(|_, entry| now.since(last_at(entry)) < FORGET_MS);
    if map.len() + more <= ENTRIES_MAX {
        return;
    }
    // Many at once, so that a flood does not search the table for each newcomer.
    let mut times: Vec<Time> = map.values().map(&last_at).collect();
    let (_, until, _) = times.select_nth_unstable(ENTRIES_MAX / EVICTED);
    let until = *until;
    map.retain(|_, entry| last_at(entry) > until);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "a@example.com";
    const HERE: &str = "192.0.2.1";

    #[test]
    fn the_delay_grows_and_ends() {
        let throttle = Throttle::default();
        let mut now = Time(1_000_000);
        for _ in 0..FREE_FAILURES {
            assert_eq!(throttle.attempt("A@example.com ", HERE, now), Ok(()));
        }
        assert_eq!(throttle.attempt(ANN, HERE, now), Err(1));
        assert_eq!(throttle.attempt(ANN, "192.0.2.2", now), Ok(()));
        now = now + SECOND;
        assert_eq!(throttle.attempt(ANN, HERE, now), Ok(()));
        assert_eq!(throttle.attempt(ANN, HERE, now), Err(2));
        now = now + 2 * SECOND;
        assert_eq!(throttle.attempt(ANN, HERE, now), Ok(()));
        throttle.succeeded(ANN, HERE, now);
        assert_eq!(throttle.attempt(ANN, HERE, now), Ok(()));
    }

    #[test]
    fn asking_for_a_code_does_not_buy_guesses() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        let mut guesses = 0;
        for _ in 0..50 {
            // The password alone, then a wrong code, and so on.
            if throttle.attempt(ANN, HERE, now).is_ok() {
                throttle.undo(ANN, HERE);
            }
            guesses += u32::from(throttle.attempt(ANN, HERE, now).is_ok());
        }
        assert_eq!(guesses, FREE_FAILURES);
    }

    #[test]
    fn one_source_cannot_try_everybody() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        for i in 0..FREE_FAILURES_OF_SOURCE {
            assert_eq!(throttle.attempt(&format!("{i}@example.com"), HERE, now), Ok(()));
        }
        assert!(throttle.attempt("new@example.com", HERE, now).is_err());
    }

    #[test]
    fn many_sources_cannot_try_one_person_nor_keep_them_out() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        assert_eq!(throttle.attempt(ANN, HERE, now), Ok(()));
        throttle.succeeded(ANN, HERE, now);
        let tried = (0..100).filter(|i| throttle.attempt(ANN, &format!("198.51.100.{i}"), now).is_ok());
        assert_eq!(tried.count() as u32, FREE_FAILURES_OF_EMAIL);
        assert_eq!(throttle.attempt(ANN, HERE, now), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_does_not_lock_out() {
        let throttle = Throttle::default();
        let now = Time(1_000 * DAY);
        for _ in 0..FREE_FAILURES {
            throttle.attempt(ANN, HERE, now).unwrap();
        }
        assert_eq!(throttle.attempt(ANN, HERE, now - 10 * DAY), Err(1));
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_source() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        for i in 0..FREE_FAILURES {
            let source = format!("2001:db8:1:2:{i:x}::9");
            assert_eq!(throttle.attempt(ANN, &source, now), Ok(()));
        }
        assert_eq!(throttle.attempt(ANN, "2001:db8:1:2:ffff::1", now), Err(1));
        assert_eq!(throttle.attempt(ANN, "2001:db8:1:3::1", now), Ok(()));
    }

    #[test]
    fn nobody_is_kept_from_a_link_by_what_others_try() {
        let throttle = Throttle::default();
        let now = Time(1_000_000);
        for i in 0..100 {
            throttle.attempt_link("reset", &format!("198.51.100.{i}"), now).unwrap();
            throttle
                .attempt("reset", &format!("198.51.100.{i}"), now)
                .unwrap_or_default();
        }
        assert_eq!(throttle.attempt_link("reset", HERE, now), Ok(()));
        throttle.link_was_right("reset", HERE);
        for _ in 0..FREE_FAILURES {
            assert_eq!(throttle.attempt_link("reset", HERE, now), Ok(()));
        }
        assert_eq!(throttle.attempt_link("reset", HERE, now), Err(1));
    }

    #[test]
    fn counters_are_bounded() {
        let throttle = Throttle::default();
        for i in 0..(ENTRIES_MAX as i64 / 3 + 50) {
            let (email, source) = (format!("{i}@example.com"), format!("source {i}"));
            assert_eq!(throttle.attempt(&email, &source, Time(i)), Ok(()));
        }
        assert!(throttle.counters().failures.0.len() <= ENTRIES_MAX);
    }
}
