//! Health: the condition now, the 24-hour record and the score.

pub mod record;
pub mod score;
pub mod windows;

use crate::Time;
use crate::state::IntegrationState;
use crate::time::DAY;
use crate::words::{Category, Health};

/// Consecutive failed events that concern the connection before it counts as down.
pub const EVENTS_TO_DOWN: u16 = 3;

/// A short streak is forgotten when its last failure is older than this: it left the window.
pub const SHORT_STREAK_MEMORY_MS: i64 = DAY;

/// Why health is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Switched off by a person.
    Disabled,
    /// Nothing has been heard yet.
    NoData,
    /// Consecutive failed events that concern the connection.
    EventStreak {
        /// How many.
        failures: u16,
        /// Category of the last one.
        category: Category,
        /// When the last one arrived.
        last: Time,
    },
}

impl Reason {
    /// Stable name for the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::NoData => "no_data",
            Self::EventStreak { .. } => "event_streak",
        }
    }

    /// One sentence for people.
    pub fn sentence(self) -> String {
        match self {
            Self::Disabled => "Switched off: nothing is watched.".into(),
            Self::NoData => "Nothing has been heard from it yet.".into(),
            Self::EventStreak {
                failures: 1, category, ..
            } => {
                format!(
                    "The last event that concerns the connection failed ({}).",
                    plain(category)
                )
            }
            Self::EventStreak { failures, category, .. } => {
                format!("{failures} events in a row failed ({}).", plain(category))
            }
        }
    }
}

/// A category in words that fit inside a sentence.
pub const fn plain(category: Category) -> &'static str {
    match category {
        Category::Auth => "its credentials are not accepted",
        Category::RateLimit => "too many requests",
        Category::DataValidation => "data was refused",
        Category::DataStateMismatch => "records disagree",
        Category::SpendingControl => "a spending limit or missing funds",
        Category::Compliance => "a legal or compliance rule",
        Category::Unknown => "the cause is not known",
        Category::Network => "the network path is broken",
        Category::ProviderOutage => "the provider has an outage",
        Category::Configuration => "the set-up is wrong",
    }
}

/// The condition at `now` and what it rests on, worst first.
pub fn evaluate(state: &IntegrationState, now: Time) -> (Health, Vec<Reason>) {
    if !state.enabled {
        return (Health::Unknown, vec![Reason::Disabled]);
    }
    if state.last_seen.is_none() {
        return (Health::Unknown, vec![Reason::NoData]);
    }
    match streak(state, now) {
        Some((health, reason)) => (health, vec![reason]),
        None => (Health::Healthy, Vec::new()),
    }
}

/// When [`evaluate`] would answer differently without further input.
pub fn wake_at(state: &IntegrationState, now: Time) -> Option<Time> {
    match streak(state, now) {
        Some((Health::Degraded, Reason::EventStreak { last, .. })) => Some(last + SHORT_STREAK_MEMORY_MS),
        _ => None,
    }
}

fn streak(state: &IntegrationState, now: Time) -> Option<(Health, Reason)> {
    let failures = state.event_streak;
    let last = state.last_failure.unwrap_or_default();
    let reason = Reason::EventStreak {
        failures,
        category: state.streak_category,
        last,
    };
    if failures >= EVENTS_TO_DOWN {
        Some((Health::Down, reason))
    } else if failures > 0 && now.since(last) < SHORT_STREAK_MEMORY_MS {
        Some((Health::Degraded, reason))
    } else {
        None
    }
}
