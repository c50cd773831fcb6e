//! The one function that turns an observation into what is true afterwards.

use crate::Time;
use crate::check::CheckResult;
use crate::effect::Effect;
use crate::event::{EventDraft, Judged};
use crate::health;
use crate::observation::{Delivery, Fact, IntegrationRid, JudgedFailure, Notice, Observation};
use crate::policy::Policy;
use crate::problem::{self, Problem};
use crate::schedule;
use crate::state::IntegrationState;
use crate::words::{Category, CredentialState, EventKind, Health, Outcome};

/// What the step starts from.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The integration's state.
    pub state: IntegrationState,
    /// The problem of the observation's failure, if it is known already.
    pub problem: Option<Problem>,
}

/// What the step leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The integration's next state.
    pub state: IntegrationState,
    /// The problem of the failure, new or changed.
    pub problem: Option<Problem>,
    /// The journal row, if the observation is worth telling.
    pub event: Option<EventDraft>,
    /// What must happen after the commit.
    pub effects: Vec<Effect>,
    /// Whether a check counted: it was not a second answer to the same slot.
    pub checked: bool,
    /// The earliest moment at which the state could change without input.
    pub wake_at: Option<Time>,
}

/// Applies one observation at `now`.
pub fn step(subject: Subject, observation: Observation, policy: &Policy, now: Time) -> Step {
    let Observation {
        integration,
        fact,
        received_at,
    } = observation;
    let before = subject.state.health;
    let mut state = subject.state;
    let mut effects = Vec::new();
    let mut problem = None;
    let mut counted = false;
    let event = match fact {
        Fact::Webhook(mut delivery) => {
            if let Some(failure) = &mut delivery.failure {
                problem = Some(filed(subject.problem, failure, integration, policy, now, &mut effects));
            }
            count(&mut state, &delivery, policy, received_at);
            if delivery.outcome == Some(Outcome::Success) && state.checks.streak > 0 {
                // It works for others: worth a look before the backoff ends.
                due(&mut state, policy, now);
            }
            Some(told(delivery, received_at))
        }
        Fact::Check(mut check) => {
            if answered_already(&state, &check, now) {
                None
            } else {
                if let Some(failed) = &mut check.failed {
                    let judged = &mut failed.failure;
                    problem = Some(filed(subject.problem, judged, integration, policy, now, &mut effects));
                }
                let was = state.checks;
                counted = true;
                note_check(&mut state, &check, integration, policy, now);
                checked(
                    check,
                    was.streak > 0,
                    was.warnings != state.checks.warnings,
                    received_at,
                )
            }
        }
        Fact::Standing {
            state: standing,
            notice,
        } => {
            let better = standing == CredentialState::Active && state.credential != standing;
            state.credential = standing;
            if better {
                due(&mut state, policy, now);
            }
            Some(noticed(notice, EventKind::Credential, received_at))
        }
        Fact::Due => {
            due(&mut state, policy, now);
            None
        }
        Fact::Credential(mut notice) => {
            if let Some(handshake) = notice.confirm.take() {
                effects.push(Effect::ConfirmWebhook { integration, handshake });
            }
            Some(noticed(notice, EventKind::Credential, received_at))
        }
        Fact::Configured { enabled } => {
            state.enabled = enabled;
            due(&mut state, policy, now);
            None
        }
        Fact::Tick => None,
    };
    let (after, reasons) = health::evaluate(&state, now);
    if after != before {
        state.health = after;
        state.since = now;
    }
    let changed = (after != before).then_some((before, after));
    let event = match (event, changed) {
        (Some(mut event), changed) => {
            event.health = changed;
            Some(event)
        }
        // Leaving or entering "unknown" because of a switch is told as a change too.
        (None, Some(change)) => Some(turned(change, &reasons, now)),
        (None, None) => None,
    };
    let wake_at = health::wake_at(&state, now);
    Step {
        state,
        problem,
        event,
        effects,
        checked: counted,
        wake_at,
    }
}

/// Whether the slot was answered by a check that ended after it. Where the clock was set back, the
/// last check's end lies in the future and says nothing.
fn answered_already(state: &IntegrationState, check: &CheckResult, now: Time) -> bool {
    state
        .checks
        .last_at
        .is_some_and(|last| check.slot < last && last <= now)
}

/// Files a failure under its problem, whose pinned category then counts.
fn filed(
    known: Option<Problem>,
    failure: &mut JudgedFailure,
    integration: IntegrationRid,
    policy: &Policy,
    now: Time,
    effects: &mut Vec<Effect>,
) -> Problem {
    let (next, change) = problem::step(known, failure.clone(), now);
    if let Some(category) = next.pinned {
        failure.verdict.category = category;
    }
    if policy.explain && change == problem::Change::New {
        effects.push(Effect::Explain {
            integration,
            fingerprint: failure.fingerprint,
        });
    }
    next
}

/// Makes the next check due now, where there are checks.
fn due(state: &mut IntegrationState, policy: &Policy, now: Time) {
    let watched = state.enabled && policy.check_interval_ms.is_some();
    state.checks.next_at = watched.then_some(now);
}

/// Takes over what a check found.
fn note_check(
    state: &mut IntegrationState,
    check: &CheckResult,
    integration: IntegrationRid,
    policy: &Policy,
    now: Time,
) {
    let outcome = check.outcome();
    state.last_seen = state.last_seen.max(Some(now));
    state.windows.add(now, outcome);
    state.weights.add(now, outcome);
    state.recent.push(outcome);
    let checks = &mut state.checks;
    checks.last_at = Some(now);
    checks.took_ms = check.took_ms;
    match &check.failed {
        None => {
            state.last_success = state.last_success.max(Some(now));
            checks.streak = 0;
            checks.failed = None;
            checks.warnings = check.warnings;
        }
        Some(failed) => {
            state.last_failure = state.last_failure.max(Some(now));
            checks.streak = checks.streak.saturating_add(1);
            checks.failed = Some((failed.rung, failed.failure.verdict.category));
        }
    }
    if let Some(credential) = check.credential {
        state.credential = credential;
    }
    checks.next_at = policy
        .check_interval_ms
        .filter(|_| state.enabled)
        .map(|interval| schedule::next(integration, interval, checks.streak, check.not_before, now));
}

/// The event of a check that failed, or that passed after one had failed or with other warnings.
fn checked(check: CheckResult, failed_before: bool, warned_otherwise: bool, at: Time) -> Option<EventDraft> {
    let notice = |event_type: &str, summary: String| Notice {
        event_type: event_type.to_owned(),
        summary,
        confirm: None,
    };
    let Some(failed) = check.failed else {
        let (event_type, summary) = if failed_before {
            ("check.recovered", "The check passes again.".to_owned())
        } else if warned_otherwise && check.warnings.is_empty() {
            ("check.passed", "The check passes without warnings.".to_owned())
        } else if warned_otherwise {
            let sentences: Vec<&str> = check.warnings.each().map(|(_, sentence)| sentence).collect();
            ("check.warned", sentences.join(" "))
        } else {
            return None;
        };
        return Some(EventDraft {
            outcome: Some(Outcome::Success),
            ..noticed(notice(event_type, summary), EventKind::Check, at)
        });
    };
    let judged = judge(&failed.failure);
    let failure = failed.failure;
    Some(EventDraft {
        outcome: Some(Outcome::Failure),
        code: failure.code,
        operation: Some(failure.operation),
        http_status: failure.http_status,
        judged: Some(judged),
        ..noticed(notice("check.failed", failure.message), EventKind::Check, at)
    })
}

fn count(state: &mut IntegrationState, delivery: &Delivery, policy: &Policy, at: Time) {
    state.last_seen = state.last_seen.max(Some(at));
    let Some(outcome) = delivery.outcome else {
        return;
    };
    state.windows.add(at, outcome);
    state.weights.add(at, outcome);
    state.recent.push(outcome);
    match outcome {
        Outcome::Success => {
            state.last_success = state.last_success.max(Some(at));
            state.event_streak = 0;
        }
        Outcome::Failure => {
            state.last_failure = state.last_failure.max(Some(at));
            let category = delivery
                .failure
                .as_ref()
                .map_or(Category::Unknown, |f| f.verdict.category);
            // A business failure neither lengthens nor breaks the streak: it says nothing of the
            // connection.
            if category.concerns_connection() || policy.business_failures_count {
                state.event_streak = state.event_streak.saturating_add(1);
                state.streak_category = category;
            }
        }
    }
}

fn told(delivery: Delivery, received_at: Time) -> EventDraft {
    let judged = delivery.failure.as_ref().map(judge);
    let (message, code, operation, http_status) = match delivery.failure {
        Some(f) => (f.message, f.code, Some(f.operation), f.http_status),
        None => (delivery.summary, None, None, None),
    };
    EventDraft {
        kind: EventKind::Webhook,
        outcome: delivery.outcome,
        event_type: delivery.event_type,
        message,
        code,
        operation,
        http_status,
        judged,
        occurred_at: delivery.occurred_at.unwrap_or(received_at),
        health: None,
        quarantined: delivery.quarantined,
    }
}

/// The part of a judged failure that its event row keeps.
pub fn judge(failure: &JudgedFailure) -> Judged {
    let v = failure.verdict;
    Judged {
        category: v.category,
        severity: v.severity,
        doc: v.doc,
        transient: v.transient,
        confidence: v.confidence,
    }
}

fn noticed(notice: Notice, kind: EventKind, at: Time) -> EventDraft {
    EventDraft {
        kind,
        outcome: None,
        event_type: notice.event_type,
        message: notice.summary,
        code: None,
        operation: None,
        http_status: None,
        judged: None,
        occurred_at: at,
        health: None,
        quarantined: false,
    }
}

fn turned(change: (Health, Health), reasons: &[health::Reason], now: Time) -> EventDraft {
    let why = reasons.first().map_or_else(
        || "Nothing failed in the last 24 hours.".to_owned(),
        |reason| reason.sentence(),
    );
    let notice = Notice {
        event_type: format!("health.{}", change.1),
        summary: format!("{} to {}: {why}", change.0, change.1),
        confirm: None,
    };
    EventDraft {
        health: Some(change),
        ..noticed(notice, EventKind::Health, now)
    }
}

#[cfg(test)]
mod check_tests;
#[cfg(test)]
mod tests;
