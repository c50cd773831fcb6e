//! What is remembered of one integration between observations.

use crate::Time;
use crate::check::Warnings;
use crate::health::score::HALF_LIFE_MS;
use crate::health::windows::Windows;
use crate::words::{Category, CredentialState, Health, Outcome, Rung};

/// Results kept as bits for flap detection and the strip on the card.
pub const RECENT: u32 = 20;

/// The state of one integration. At most 600 bytes when encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct IntegrationState {
    /// Whether it is watched.
    pub enabled: bool,
    /// The condition after the last step.
    pub health: Health,
    /// Since when.
    pub since: Time,
    /// Consecutive failed events that concern the connection.
    pub event_streak: u16,
    /// Category of the last of them.
    pub streak_category: Category,
    /// The last verified delivery or check, whatever its outcome.
    pub last_seen: Option<Time>,
    /// The last success.
    pub last_success: Option<Time>,
    /// The last failure.
    pub last_failure: Option<Time>,
    /// Counters of the last hour and day.
    pub windows: Windows,
    /// Decayed success weights for the score.
    pub weights: Weights,
    /// The last results, newest in bit 0, a set bit for a failure.
    pub recent: Recent,
    /// What checks found.
    pub checks: Checks,
    /// Where its credential stands.
    pub credential: CredentialState,
}

/// What is remembered of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checks {
    /// Checks that failed in a row.
    pub streak: u16,
    /// The rung and category of the last failure, while the streak lasts.
    pub failed: Option<(Rung, Category)>,
    /// When the last check ended.
    pub last_at: Option<Time>,
    /// How long it took, milliseconds.
    pub took_ms: u32,
    /// Warnings of the last check that passed.
    pub warnings: Warnings,
    /// When the next is due; `None` while nothing is checked.
    pub next_at: Option<Time>,
}

impl IntegrationState {
    /// The state before anything happened.
    pub fn new(created_at: Time) -> Self {
        Self {
            enabled: true,
            health: Health::Unknown,
            since: created_at,
            event_streak: 0,
            streak_category: Category::Unknown,
            last_seen: None,
            last_success: None,
            last_failure: None,
            windows: Windows::default(),
            weights: Weights::default(),
            recent: Recent::default(),
            checks: Checks::default(),
            credential: CredentialState::Active,
        }
    }
}

/// Exponentially decayed sums of successes and of all outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weights {
    /// Decayed successes at `as_of`.
    pub ok: f32,
    /// Decayed outcomes at `as_of`.
    pub total: f32,
    /// When the sums were last brought up to date.
    pub as_of: Time,
}

impl Weights {
    /// Adds one outcome at `now`.
    pub fn add(&mut self, now: Time, outcome: Outcome) {
        let (ok, total) = self.at(now);
        self.ok = ok as f32 + if outcome == Outcome::Success { 1.0 } else { 0.0 };
        self.total = total as f32 + 1.0;
        self.as_of = self.as_of.max(now);
    }

    /// The sums as seen at `now`.
    pub fn at(&self, now: Time) -> (f64, f64) {
        let halvings = now.since(self.as_of) as f64 / HALF_LIFE_MS as f64;
        let decay = 0.5_f64.powf(halvings);
        (f64::from(self.ok) * decay, f64::from(self.total) * decay)
    }
}

/// The last [`RECENT`] results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recent {
    /// A set bit is a failure; bit 0 is the newest.
    pub bits: u32,
    /// How many bits are in use.
    pub len: u8,
}

impl Recent {
    /// Adds one result.
    pub fn push(&mut self, outcome: Outcome) {
        let bit = u32::from(outcome == Outcome::Failure);
        self.bits = ((self.bits << 1) | bit) & ((1 << RECENT) - 1);
        self.len = (self.len + 1).min(RECENT as u8);
    }
}
