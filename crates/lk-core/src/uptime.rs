//! How long an integration was well, ill or unknown, from the results of its checks. What nobody
//! looked at is unknown, and is never counted as up.

use crate::Time;
use crate::time::SECOND;
use crate::words::Health;

/// The least time by which a planned check may be late before nothing is known any more.
const GRACE_MS: i64 = 30 * SECOND;

/// One result: from when, with which health, and when the check after it was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When the check ended.
    pub at: Time,
    /// Health after it.
    pub health: Health,
    /// When the next was planned.
    pub next_at: Option<Time>,
}

/// Milliseconds by condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Healthy.
    pub healthy_ms: i64,
    /// Degraded.
    pub degraded_ms: i64,
    /// Down.
    pub down_ms: i64,
}

impl Spent {
    /// Time of which something is known.
    pub const fn known_ms(self) -> i64 {
        self.healthy_ms + self.degraded_ms + self.down_ms
    }

    /// The share of known time in which it worked, with or without trouble; `None` where nothing is
    /// known.
    pub fn uptime(self) -> Option<f64> {
        let known = self.known_ms();
        (known > 0).then(|| (self.healthy_ms + self.degraded_ms) as f64 / known as f64)
    }

    /// The share of `window_ms` of which something is known.
    pub fn coverage(self, window_ms: i64) -> f64 {
        (self.known_ms() as f64 / window_ms.max(1) as f64).clamp(0.0, 1.0)
    }

    fn add(&mut self, health: Health, ms: i64) {
        match health {
            Health::Healthy => self.healthy_ms += ms,
            Health::Degraded => self.degraded_ms += ms,
            Health::Down => self.down_ms += ms,
            Health::Unknown => {}
        }
    }
}

impl std::ops::AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.healthy_ms += other.healthy_ms;
        self.degraded_ms += other.degraded_ms;
        self.down_ms += other.down_ms;
    }
}

/// Until when a result speaks when none follows: the planned moment and half the planned gap more.
pub fn speaks_until(point: &Point) -> Time {
    match point.next_at {
        None => point.at,
        Some(next) => next + (next.since(point.at) / 2).max(GRACE_MS),
    }
}

/// Sums up `from` to `to`. `points` are oldest first; one before `from` tells how it began.
pub fn spent(points: &[Point], from: Time, to: Time) -> Spent {
    let mut spent = Spent::default();
    for (n, point) in points.iter().enumerate() {
        let until = speaks_until(point);
        let until = points.get(n + 1).map_or(until, |next| until.min(next.at));
        let (begin, end) = (point.at.max(from), until.min(to));
        spent.add(point.health, end.since(begin));
    }
    spent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{HOUR, MINUTE};

    const T0: Time = Time(1_800_000_000_000);

    fn point(minute: i64, health: Health) -> Point {
        let at = T0 + minute * MINUTE;
        Point {
            at,
            health,
            next_at: Some(at + 5 * MINUTE),
        }
    }

    #[test]
    fn a_steady_hour_is_known_whole() {
        let points: Vec<Point> = (-1..12).map(|n| point(n * 5, Health::Healthy)).collect();
        let spent = spent(&points, T0, T0 + HOUR);
        assert_eq!(spent.healthy_ms, HOUR);
        assert_eq!((spent.uptime(), spent.coverage(HOUR)), (Some(1.0), 1.0));
    }

    #[test]
    fn silence_is_unknown_and_never_up() {
        // Checks at 0 and 5, then nothing for the rest of the hour: the last speaks 7.5 minutes.
        let spent = spent(&[point(0, Health::Down), point(5, Health::Healthy)], T0, T0 + HOUR);
        assert_eq!((spent.down_ms, spent.healthy_ms), (5 * MINUTE, 7 * MINUTE + MINUTE / 2));
        let share = spent.uptime().expect("something is known");
        assert!((share - 0.6).abs() < 1e-9 && spent.coverage(HOUR) < 0.21);
        let nothing = super::spent(&[], T0, T0 + HOUR);
        assert_eq!((nothing.uptime(), nothing.coverage(HOUR)), (None, 0.0));
    }

    #[test]
    fn windows_cut_and_add_up() {
        let health = [Health::Healthy, Health::Degraded, Health::Down, Health::Unknown];
        let points: Vec<Point> = (0..24).map(|n| point(n * 5, health[n as usize % 4])).collect();
        let whole = spent(&points, T0, T0 + 2 * HOUR);
        let mut halves = spent(&points, T0, T0 + HOUR);
        halves += spent(&points, T0 + HOUR, T0 + 2 * HOUR);
        assert_eq!(whole, halves);
        assert_eq!(whole.known_ms(), 90 * MINUTE);
    }
}
