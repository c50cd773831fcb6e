//! Points in time as the core sees them: given, never asked for.

use std::ops::{Add, Sub};

/// A second in the unit of [`Time`].
pub const SECOND: i64 = 1_000;
/// A minute in the unit of [`Time`].
pub const MINUTE: i64 = 60 * SECOND;
/// An hour in the unit of [`Time`].
pub const HOUR: i64 = 60 * MINUTE;
/// A day in the unit of [`Time`].
pub const DAY: i64 = 24 * HOUR;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

impl Time {
    /// Milliseconds since the epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; never negative, so a clock that steps back reads as
    /// "no time has passed".
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

impl Add<i64> for Time {
    type Output = Self;
    fn add(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl Sub<i64> for Time {
    type Output = Self;
    fn sub(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }
}
