//! A token bucket: so many calls in a window, spread as they come. Pure; whoever holds it brings
//! the time.

use crate::Time;

/// How many calls are allowed in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls in one window; also the largest burst.
    pub calls: u32,
    /// Length of the window, milliseconds; at least 1.
    pub window_ms: i64,
}

/// What is left of a quota. Starts full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    left: f64,
    at: Time,
}

/// What taking from a bucket gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whether the call may be made.
    pub allowed: bool,
    /// Calls that could be made at once after this one.
    pub remaining: u32,
    /// Milliseconds until the whole quota is there again.
    pub full_in_ms: i64,
    /// Milliseconds until one call may be made; 0 when it may be made now.
    pub next_in_ms: i64,
}

impl Bucket {
    /// A full bucket.
    pub fn full(quota: Quota, now: Time) -> Self {
        Self {
            left: f64::from(quota.calls),
            at: now,
        }
    }

    /// Takes one call, when there is one. A clock that went back gives nothing and takes nothing.
    pub fn take(&mut self, quota: Quota, now: Time) -> Taken {
        let most = f64::from(quota.calls);
        let per_ms = most / quota.window_ms.max(1) as f64;
        let gained = now.since(self.at).max(0) as f64 * per_ms;
        self.left = (self.left + gained).min(most);
        self.at = now;
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        let wait = |missing: f64| {
            if missing <= 0.0 || per_ms <= 0.0 {
                0
            } else {
                (missing / per_ms).ceil() as i64
            }
        };
        Taken {
            allowed,
            remaining: self.left as u32,
            full_in_ms: wait(most - self.left),
            next_in_ms: wait(1.0 - self.left),
        }
    }

    /// Whether nothing was taken lately, so that forgetting the bucket changes nothing.
    pub fn is_full(&self, quota: Quota, now: Time) -> bool {
        now.since(self.at) >= quota.window_ms || self.left >= f64::from(quota.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        calls: 3,
        window_ms: 3_000,
    };

    #[test]
    fn a_burst_is_allowed_and_then_the_rate_holds() {
        let mut now = Time(1_000_000);
        let mut bucket = Bucket::full(QUOTA, now);
        let left: Vec<u32> = (0..3).map(|_| bucket.take(QUOTA, now).remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = bucket.take(QUOTA, now);
        assert!(!refused.allowed);
        assert_eq!((refused.next_in_ms, refused.full_in_ms), (1_000, 3_000));
        now = now + 1_000;
        assert!(bucket.take(QUOTA, now).allowed);
        assert!(!bucket.take(QUOTA, now).allowed);
        assert!(!bucket.is_full(QUOTA, now) && bucket.is_full(QUOTA, now + 3_000));
    }

    #[test]
    fn a_clock_that_jumps_gives_no_more_than_one_quota() {
        let mut bucket = Bucket::full(QUOTA, Time(10_000_000));
        for _ in 0..3 {
            assert!(bucket.take(QUOTA, Time(10_000_000)).allowed);
        }
        assert!(!bucket.take(QUOTA, Time(0)).allowed);
        let allowed = (0..10).filter(|_| bucket.take(QUOTA, Time(10_000_000)).allowed);
        assert_eq!(allowed.count(), 3);
    }
}
