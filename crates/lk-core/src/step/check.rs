//! The part of a step that takes over a check.

use super::{Stepping, judge, noticed};
use crate::Time;
use crate::check::CheckResult;
use crate::event::EventDraft;
use crate::observation::Notice;
use crate::problem::Problem;
use crate::schedule;
use crate::state::IntegrationState;
use crate::words::{CredentialState, EventKind, Outcome};

impl Stepping<'_> {
    /// Takes over a check, unless its slot was answered before.
    pub(super) fn check(&mut self, mut check: CheckResult, known: Option<Problem>) -> Option<EventDraft> {
        if answered_already(&self.state, &check, self.now) {
            return None;
        }
        if let Some(failed) = &mut check.failed {
            self.file(known, &mut failed.failure);
        }
        let was = self.state.checks;
        self.checked = true;
        self.note(&check);
        let warned_otherwise = was.warnings != self.state.checks.warnings;
        told(check, was.streak > 0, warned_otherwise, self.received_at)
    }

    /// Takes over what a check found.
    fn note(&mut self, check: &CheckResult) {
        let outcome = check.outcome();
        self.state.last_seen = self.state.last_seen.max(Some(self.now));
        self.state.windows.add(self.now, outcome);
        self.state.weights.add(self.now, outcome);
        self.state.recent.push(outcome);
        let checks = &mut self.state.checks;
        checks.last_at = Some(self.now);
        checks.took_ms = check.took_ms;
        match &check.failed {
            None => {
                self.state.last_success = self.state.last_success.max(Some(self.now));
                checks.streak = 0;
                checks.failed = None;
                checks.warnings = check.warnings;
                // What the provider accepted is not refused, whatever was thought before.
                if self.state.credential != CredentialState::Expiring {
                    self.state.credential = CredentialState::Active;
                }
            }
            Some(failed) => {
                self.state.last_failure = self.state.last_failure.max(Some(self.now));
                checks.streak = checks.streak.saturating_add(1);
                checks.failed = Some((failed.rung, failed.failure.verdict.category));
            }
        }
        if let Some(credential) = check.credential {
            self.state.credential = credential;
        }
        checks.next_at = self
            .policy
            .check_interval_ms
            .filter(|_| self.state.enabled)
            .map(|interval| schedule::next(self.integration, interval, checks.streak, check.not_before, self.now));
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

/// The event of a check that failed, or that passed after one had failed or with other warnings.
fn told(check: CheckResult, failed_before: bool, warned_otherwise: bool, at: Time) -> Option<EventDraft> {
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

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
