//! The score from 0 to 100: a weighted geometric mean of freshness, success and error rate, so one
//! dead component cannot be averaged away. Formula, weights and caps: alerting reference, section 5.

use super::windows::Counts;
use crate::Time;
use crate::policy::Policy;
use crate::schedule::CHECKS_TO_DOWN;
use crate::state::IntegrationState;
use crate::time::{HOUR, MINUTE};
use crate::words::CredentialState;

/// Half-life of the success component's weights.
pub const HALF_LIFE_MS: i64 = HOUR;
/// Successes assumed before any were seen.
const PSEUDO_SUCCESSES: f64 = 2.0;
/// Weighted success at and below which the success component is nothing.
const SUCCESS_FLOOR: f64 = 0.70;
/// Weighted success at and above which it is full.
const SUCCESS_FULL: f64 = 0.98;
/// Share of events that must succeed before the error budget burns.
const OBJECTIVE: f64 = 0.98;
/// Burn rate at which the error component is nothing.
const FULL_BURN: f64 = 14.4;
/// Events below which an error rate says nothing.
const MIN_EVENTS: u32 = 10;
/// No component falls below this, so that the product stays comparable.
const COMPONENT_FLOOR: f64 = 0.01;
const FRESHNESS_WEIGHT: f64 = 0.30;
const SUCCESS_WEIGHT: f64 = 0.45;
const ERROR_WEIGHT: f64 = 0.25;

/// A fact that limits the score whatever the components say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    /// Three or more hard failures in a row.
    HardFailures,
    /// The credential is refused or withdrawn.
    CredentialLost,
    /// The provider has an outage with everybody.
    ProviderOutage,
}

impl Cap {
    /// The highest score under this cap.
    pub const fn limit(self) -> u8 {
        match self {
            Self::HardFailures => 55,
            Self::CredentialLost => 10,
            Self::ProviderOutage => 40,
        }
    }

    /// Stable name for the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HardFailures => "hard_failures",
            Self::CredentialLost => "credential_lost",
            Self::ProviderOutage => "provider_outage",
        }
    }
}

/// What the score is made of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inputs {
    /// Age of the last success and the interval and horizon it is judged by, milliseconds;
    /// `None` where nothing is expected at an interval.
    pub freshness: Option<Freshness>,
    /// Exponentially weighted successes and total.
    pub success: Option<(f64, f64)>,
    /// Events of the last hour and the last day.
    pub errors: Option<(Counts, Counts)>,
    /// What limits the score.
    pub caps: Vec<Cap>,
}

/// How old the last success is, and what that means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Freshness {
    /// Age of the last success.
    pub age_ms: i64,
    /// Up to this age all is well (twice the expected interval).
    pub fresh_ms: i64,
    /// From this age on nothing is left.
    pub stale_ms: i64,
}

/// The score with everything it rests on. Components are from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// 0 to 100.
    pub value: u8,
    /// Freshness, where it applies.
    pub freshness: Option<f64>,
    /// Success, where it applies.
    pub success: Option<f64>,
    /// Error rate, where it applies.
    pub error_rate: Option<f64>,
    /// The caps in force.
    pub caps: Vec<Cap>,
}

impl Score {
    /// One sentence that names the weakest part.
    pub fn sentence(&self) -> String {
        let lowest = self.caps.iter().min_by_key(|c| c.limit());
        if let Some(cap) = lowest.filter(|cap| self.value <= cap.limit()) {
            return match cap {
                Cap::HardFailures => format!("{} of 100: several failures in a row.", self.value),
                Cap::CredentialLost => format!("{} of 100: its credential is not accepted.", self.value),
                Cap::ProviderOutage => format!("{} of 100: the provider has an outage.", self.value),
            };
        }
        let parts = [
            (self.freshness, "the last success is old"),
            (self.success, "too many recent attempts failed"),
            (self.error_rate, "errors exceed their budget"),
        ];
        let weakest = parts
            .iter()
            .filter_map(|(p, why)| p.map(|p| (p, why)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match weakest {
            Some((p, why)) if p < 0.995 => format!("{} of 100: {why}.", self.value),
            _ => format!("{} of 100: nothing is wrong.", self.value),
        }
    }
}

/// Scores the inputs; `None` when no component applies.
pub fn score(inputs: &Inputs) -> Option<Score> {
    let freshness = inputs.freshness.map(freshness_part);
    let success = inputs.success.map(success_part);
    let error_rate = inputs.errors.and_then(error_part);
    let parts = [
        (freshness, FRESHNESS_WEIGHT),
        (success, SUCCESS_WEIGHT),
        (error_rate, ERROR_WEIGHT),
    ];
    let weights: f64 = parts.iter().filter(|(p, _)| p.is_some()).map(|(_, w)| w).sum();
    if weights == 0.0 {
        return None;
    }
    let log: f64 = parts
        .iter()
        .filter_map(|(p, w)| p.map(|p| p.clamp(COMPONENT_FLOOR, 1.0).ln() * w / weights))
        .sum();
    let raw = (100.0 * log.exp()).round().clamp(0.0, 100.0) as u8;
    let value = inputs.caps.iter().map(|c| c.limit()).fold(raw, u8::min);
    Some(Score {
        value,
        freshness,
        success,
        error_rate,
        caps: inputs.caps.clone(),
    })
}

/// What an integration offers to be scored by. Where it is checked, a success is expected at every
/// interval; where only webhooks come, nothing is, and freshness does not apply. The same stream of
/// outcomes feeds the success and the error component. `outage` says that its provider has one.
pub fn inputs(state: &IntegrationState, policy: &Policy, outage: bool, now: Time) -> Inputs {
    if !state.enabled || state.last_seen.is_none() {
        return Inputs::default();
    }
    let day = state.windows.last_day(now);
    let hard = state.event_streak >= super::EVENTS_TO_DOWN || state.checks.streak >= CHECKS_TO_DOWN;
    let lost = matches!(
        state.credential,
        CredentialState::NeedsReauth | CredentialState::Revoked
    );
    let caps = [
        (hard, Cap::HardFailures),
        (lost, Cap::CredentialLost),
        (outage, Cap::ProviderOutage),
    ];
    let checked = policy.check_interval_ms.filter(|_| state.checks.last_at.is_some());
    Inputs {
        freshness: checked.map(|interval| Freshness {
            // What never succeeded is as old as can be.
            age_ms: state.last_success.map_or(i64::MAX / 4, |at| now.since(at)),
            fresh_ms: 2 * interval,
            stale_ms: (12 * interval).max(15 * MINUTE),
        }),
        success: (day.total() > 0).then(|| state.weights.at(now)),
        errors: Some((state.windows.last_hour(now), day)),
        caps: caps
            .into_iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, cap)| cap)
            .collect(),
    }
}

fn freshness_part(f: Freshness) -> f64 {
    if f.age_ms <= f.fresh_ms {
        1.0
    } else if f.age_ms >= f.stale_ms {
        0.0
    } else {
        1.0 - (f.age_ms as f64 / f.fresh_ms as f64).ln() / (f.stale_ms as f64 / f.fresh_ms as f64).ln()
    }
}

fn success_part((ok, total): (f64, f64)) -> f64 {
    let share = (ok + PSEUDO_SUCCESSES) / (total + PSEUDO_SUCCESSES);
    ((share - SUCCESS_FLOOR) / (SUCCESS_FULL - SUCCESS_FLOOR)).clamp(0.0, 1.0)
}

fn error_part((hour, day): (Counts, Counts)) -> Option<f64> {
    let counts = if hour.total() >= MIN_EVENTS { hour } else { day };
    if counts.total() < MIN_EVENTS {
        return None;
    }
    let burn = f64::from(counts.failed) / f64::from(counts.total()) / (1.0 - OBJECTIVE);
    Some(if burn <= 1.0 {
        1.0
    } else if burn >= FULL_BURN {
        0.0
    } else {
        1.0 - burn.ln() / FULL_BURN.ln()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(ok: u32, failed: u32) -> Inputs {
        let c = Counts { ok, failed };
        Inputs {
            success: Some((f64::from(ok), f64::from(ok + failed))),
            errors: Some((c, c)),
            ..Inputs::default()
        }
    }

    #[test]
    fn the_reference_s_figures() {
        // Freshness alone at ten-minute syncs: fresh up to 20 min, stale at 12 h.
        let age = |h: i64| Inputs {
            freshness: Some(Freshness {
                age_ms: h * HOUR,
                fresh_ms: HOUR / 3,
                stale_ms: 12 * HOUR,
            }),
            success: Some((1e6, 1e6)),
            errors: Some((Counts { ok: 1000, failed: 0 }, Counts { ok: 1000, failed: 0 })),
            caps: vec![],
        };
        let value = |i: &Inputs| score(i).map(|s| s.value);
        assert_eq!(value(&age(1)), Some(90));
        assert_eq!(value(&age(3)), Some(75));
        assert_eq!(value(&age(12)), Some(25));
        assert_eq!(value(&counted(1000, 0)), Some(100));
        assert_eq!(value(&Inputs::default()), None);
        let capped = Inputs {
            caps: vec![Cap::HardFailures],
            ..counted(1000, 0)
        };
        assert_eq!(value(&capped), Some(55));
    }

    /// One failed check costs the top band, three the middle one, six nearly everything.
    #[test]
    fn a_stream_of_failing_checks_falls_through_the_bands() {
        use crate::words::Outcome;
        let policy = Policy {
            check_interval_ms: Some(5 * MINUTE),
            ..Policy::default()
        };
        let mut now = Time(1_800_000_000_000);
        let mut state = IntegrationState::new(now);
        let mut check = |outcome: Outcome| {
            now = now + 5 * MINUTE;
            state.windows.add(now, outcome);
            state.weights.add(now, outcome);
            state.last_seen = Some(now);
            state.checks.last_at = Some(now);
            if outcome == Outcome::Success {
                state.last_success = Some(now);
            }
            score(&inputs(&state, &policy, false, now)).map_or(0, |s| i32::from(s.value))
        };
        let steady: Vec<i32> = (0..288).map(|_| check(Outcome::Success)).collect();
        assert_eq!(steady.last(), Some(&100));
        let falling: Vec<i32> = (0..6).map(|_| check(Outcome::Failure)).collect();
        assert!(falling.is_sorted_by(|a, b| a > b), "{falling:?}");
        assert!(
            (60..90).contains(&falling[0]) && falling[2] < 60 && falling[5] <= 15,
            "{falling:?}"
        );
    }

    proptest! {
        #[test]
        fn within_bounds_and_monotone(ok in 0u32..5000, failed in 0u32..5000, more in 1u32..500) {
            let base = score(&counted(ok, failed)).map_or(0, |s| s.value);
            prop_assert!(base <= 100);
            let worse = score(&counted(ok, failed + more)).map_or(0, |s| s.value);
            // With fewer than ten events the error component is dropped; it appears with them.
            if ok + failed >= 10 {
                prop_assert!(worse <= base, "{worse} > {base}");
                let better = score(&counted(ok + more, failed)).map_or(0, |s| s.value);
                prop_assert!(better >= base, "{better} < {base}");
            }
        }

        #[test]
        fn older_is_never_better(age in 0i64..100 * HOUR, more in 0i64..HOUR) {
            let at = |age_ms| score(&Inputs {
                freshness: Some(Freshness { age_ms, fresh_ms: HOUR, stale_ms: 12 * HOUR }),
                ..counted(100, 3)
            }).map_or(0, |s| s.value);
            prop_assert!(at(age + more) <= at(age));
        }
    }
}
