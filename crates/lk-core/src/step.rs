//! The one function that turns an observation into what is true afterwards.

mod check;

use crate::Time;
use crate::effect::Effect;
use crate::event::{EventDraft, Judged};
use crate::health;
use crate::observation::{Delivery, Fact, IntegrationRid, JudgedFailure, Notice, Observation};
use crate::policy::Policy;
use crate::problem::{self, Problem};
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
    let before = subject.state.health;
    let mut stepping = Stepping {
        integration: observation.integration,
        received_at: observation.received_at,
        policy,
        now,
        state: subject.state,
        problem: None,
        effects: Vec::new(),
        checked: false,
    };
    let event = stepping.take(observation.fact, subject.problem);
    stepping.finish(event, before)
}

/// A step under way.
struct Stepping<'a> {
    integration: IntegrationRid,
    received_at: Time,
    policy: &'a Policy,
    now: Time,
    state: IntegrationState,
    problem: Option<Problem>,
    effects: Vec<Effect>,
    checked: bool,
}

impl Stepping<'_> {
    /// Takes over what happened; the event that tells of it.
    fn take(&mut self, fact: Fact, known: Option<Problem>) -> Option<EventDraft> {
        match fact {
            Fact::Webhook(delivery) => Some(self.webhook(delivery, known)),
            Fact::Check(result) => self.check(result, known),
            Fact::Standing { state, notice } => {
                let better = state == CredentialState::Active && self.state.credential != state;
                self.state.credential = state;
                if better {
                    self.due();
                }
                Some(noticed(notice, EventKind::Credential, self.received_at))
            }
            Fact::Due => {
                self.due();
                None
            }
            Fact::Credential(mut notice) => {
                if let Some(handshake) = notice.confirm.take() {
                    let integration = self.integration;
                    self.effects.push(Effect::ConfirmWebhook { integration, handshake });
                }
                Some(noticed(notice, EventKind::Credential, self.received_at))
            }
            Fact::Configured { enabled } => {
                self.state.enabled = enabled;
                self.due();
                None
            }
            Fact::Tick => None,
        }
    }

    fn webhook(&mut self, mut delivery: Delivery, known: Option<Problem>) -> EventDraft {
        if let Some(failure) = &mut delivery.failure {
            self.file(known, failure);
        }
        count(&mut self.state, &delivery, self.policy, self.received_at);
        if delivery.outcome == Some(Outcome::Success) && self.state.checks.streak > 0 {
            // It works for others: worth a look before the backoff ends.
            self.due();
        }
        told(delivery, self.received_at)
    }

    /// Files a failure under its problem, whose pinned category then counts.
    fn file(&mut self, known: Option<Problem>, failure: &mut JudgedFailure) {
        let (next, change) = problem::step(known, failure.clone(), self.now);
        if let Some(category) = next.pinned {
            failure.verdict.category = category;
        }
        if self.policy.explain && change == problem::Change::New {
            self.effects.push(Effect::Explain {
                integration: self.integration,
                fingerprint: failure.fingerprint,
            });
        }
        self.problem = Some(next);
    }

    /// Makes the next check due now, where there are checks.
    fn due(&mut self) {
        let watched = self.state.enabled && self.policy.check_interval_ms.is_some();
        self.state.checks.next_at = watched.then_some(self.now);
    }

    /// What is true afterwards.
    fn finish(mut self, event: Option<EventDraft>, before: Health) -> Step {
        let (after, reasons) = health::evaluate(&self.state, self.now);
        if after != before {
            self.state.health = after;
            self.state.since = self.now;
        }
        let changed = (after != before).then_some((before, after));
        let event = match (event, changed) {
            (Some(mut event), changed) => {
                event.health = changed;
                Some(event)
            }
            // Leaving or entering "unknown" because of a switch is told as a change too.
            (None, Some(change)) => Some(turned(change, &reasons, self.now)),
            (None, None) => None,
        };
        Step {
            wake_at: health::wake_at(&self.state, self.now),
            state: self.state,
            problem: self.problem,
            event,
            effects: self.effects,
            checked: self.checked,
        }
    }
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
mod tests;
