//! Health: the condition now, the 24-hour record and the score.

pub mod record;
pub mod score;
pub mod windows;

use crate::Time;
use crate::check::Warnings;
use crate::schedule::CHECKS_TO_DOWN;
use crate::state::IntegrationState;
use crate::time::DAY;
use crate::words::{Category, CredentialState, Health, Rung};

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
    /// Consecutive failed checks.
    CheckStreak {
        /// How many.
        failures: u16,
        /// The rung of the last one.
        rung: Rung,
        /// Its category.
        category: Category,
    },
    /// The credential needs somebody.
    Credential(CredentialState),
    /// The last check passed with a warning: its stable name and sentence.
    Warning(&'static str, &'static str),
    /// The provider has trouble of its own, with everybody.
    ProviderIncident,
}

impl Reason {
    /// Stable name for the API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::NoData => "no_data",
            Self::EventStreak { .. } => "event_streak",
            Self::CheckStreak { .. } => "check_streak",
            Self::Credential(state) => state.as_str(),
            Self::Warning(code, _) => code,
            Self::ProviderIncident => "provider_incident",
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
            Self::CheckStreak {
                failures: 1,
                rung,
                category,
            } => format!("The last check failed at {} ({}).", place(rung), plain(category)),
            Self::CheckStreak {
                failures,
                rung,
                category,
            } => format!(
                "{failures} checks in a row failed, the last at {} ({}).",
                place(rung),
                plain(category)
            ),
            Self::Credential(state) => standing(state).into(),
            Self::Warning(_, sentence) => sentence.into(),
            Self::ProviderIncident => "The provider has an outage: it is them, not you.".into(),
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

/// A rung in words that fit inside a sentence.
pub const fn place(rung: Rung) -> &'static str {
    match rung {
        Rung::Dns => "name resolution",
        Rung::Tcp => "the connection",
        Rung::Tls => "TLS",
        Rung::Http => "the HTTP answer",
        Rung::Credential => "the credential",
        Rung::Scopes => "the permissions",
        Rung::Capability => "the call it is for",
        Rung::Quota => "the quota",
    }
}

/// A credential's standing in a sentence.
pub const fn standing(state: CredentialState) -> &'static str {
    match state {
        CredentialState::Active => "Its credential is accepted.",
        CredentialState::Expiring => "Its credential expires soon: renew it.",
        CredentialState::NeedsReauth => "Its credential is no longer accepted: reconnect it.",
        CredentialState::Misconfigured => "The application's own credentials are refused: correct the settings.",
        CredentialState::Revoked => "Access was withdrawn at the provider: reconnect it.",
        CredentialState::Pending => "It is not connected yet: finish connecting it.",
    }
}

/// What a credential's standing makes of health.
const fn of_credential(state: CredentialState) -> Option<Health> {
    match state {
        CredentialState::Active => None,
        CredentialState::Expiring => Some(Health::Degraded),
        CredentialState::NeedsReauth | CredentialState::Misconfigured | CredentialState::Revoked => Some(Health::Down),
        // Not configured: nothing is known of it.
        CredentialState::Pending => Some(Health::Unknown),
    }
}

/// The condition at `now` and what it rests on, worst first.
pub fn evaluate(state: &IntegrationState, now: Time) -> (Health, Vec<Reason>) {
    if !state.enabled {
        return (Health::Unknown, vec![Reason::Disabled]);
    }
    if state.credential == CredentialState::Pending {
        return (Health::Unknown, vec![Reason::Credential(state.credential)]);
    }
    if state.last_seen.is_none() && of_credential(state.credential).is_none() {
        return (Health::Unknown, vec![Reason::NoData]);
    }
    let mut found: Vec<(Health, Reason)> = Vec::new();
    found.extend(of_credential(state.credential).map(|health| (health, Reason::Credential(state.credential))));
    found.extend(check_streak(state));
    found.extend(streak(state, now));
    if state.checks.streak == 0 {
        found.extend(warnings(state.checks.warnings));
    }
    // Stable, so that among equals the credential, which explains the others, comes first.
    found.sort_by(|(a, _), (b, _)| b.cmp(a));
    let worst = found.first().map_or(Health::Healthy, |(health, _)| *health);
    (worst, found.into_iter().map(|(_, reason)| reason).collect())
}

fn check_streak(state: &IntegrationState) -> Option<(Health, Reason)> {
    let (rung, category) = state.checks.failed?;
    let failures = state.checks.streak;
    let health = match failures {
        0 => return None,
        n if n < CHECKS_TO_DOWN => Health::Degraded,
        _ => Health::Down,
    };
    let reason = Reason::CheckStreak {
        failures,
        rung,
        category,
    };
    Some((health, reason))
}

fn warnings(warnings: Warnings) -> impl Iterator<Item = (Health, Reason)> {
    let reason = |(code, sentence)| (Health::Degraded, Reason::Warning(code, sentence));
    warnings.each().map(reason)
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
