use super::*;
use crate::check::{CheckResult, FailedCheck, Warnings};
use crate::classify::{DocCode, Fingerprint, Verdict};
use crate::schedule::DEFAULT_INTERVAL_MS;
use crate::time::{HOUR, MINUTE, SECOND};
use crate::words::{Rung, Severity};

const T0: Time = Time(1_800_000_000_000);

fn watched() -> Policy {
    Policy {
        check_interval_ms: Some(DEFAULT_INTERVAL_MS),
        ..Policy::default()
    }
}

fn refused() -> FailedCheck {
    FailedCheck {
        rung: Rung::Credential,
        failure: JudgedFailure {
            message: "Bad credentials".into(),
            code: Some("bad_credentials".into()),
            operation: "GET /user".into(),
            http_status: Some(401),
            verdict: Verdict {
                category: Category::Auth,
                severity: Severity::Critical,
                doc: DocCode::parse("unknown.unclassified").expect("the fallback document exists"),
                transient: false,
                confidence: 90,
            },
            fingerprint: Fingerprint([9; 16]),
        },
    }
}

fn check(slot: Time, failed: Option<FailedCheck>, warnings: Warnings) -> Fact {
    Fact::Check(CheckResult {
        slot,
        took_ms: 120,
        failed,
        warnings,
        not_before: None,
        credential: None,
    })
}

/// Applies facts, each at its moment, to one integration; the steps in order.
fn run(facts: Vec<(Time, Fact)>) -> Vec<Step> {
    let mut subject = Subject {
        state: IntegrationState::new(T0),
        problem: None,
    };
    let mut steps: Vec<Step> = Vec::new();
    for (at, fact) in facts {
        let observation = Observation {
            integration: IntegrationRid(1),
            fact,
            received_at: at,
        };
        let step = step(subject, observation, &watched(), at);
        let problem = step
            .problem
            .clone()
            .or_else(|| steps.last().and_then(|s| s.problem.clone()));
        subject = Subject {
            state: step.state.clone(),
            problem,
        };
        steps.push(step);
    }
    steps
}

fn types(steps: &[Step]) -> Vec<Option<&str>> {
    steps
        .iter()
        .map(|s| s.event.as_ref().map(|e| e.event_type.as_str()))
        .collect()
}

#[test]
fn checks_lead_down_and_back_and_tell_only_what_changed() {
    let ok = Warnings::default();
    let at = |n: i64| T0 + n * MINUTE;
    let steps = run(vec![
        (at(1), check(at(1), None, ok)),
        (at(2), check(at(2), None, ok)),
        (at(3), check(at(3), Some(refused()), ok)),
        (at(4), check(at(4), Some(refused()), ok)),
        (at(5), check(at(5), Some(refused()), ok)),
        (at(6), check(at(6), None, ok)),
    ]);
    let health: Vec<Health> = steps.iter().map(|s| s.state.health).collect();
    use Health::{Degraded, Down, Healthy};
    assert_eq!(health, [Healthy, Healthy, Degraded, Degraded, Down, Healthy]);
    assert_eq!(
        types(&steps),
        [
            Some("health.healthy"),
            None,
            Some("check.failed"),
            Some("check.failed"),
            Some("check.failed"),
            Some("check.recovered"),
        ]
    );
    let waits: Vec<i64> = steps
        .iter()
        .zip(1..)
        .map(|(s, n)| s.state.checks.next_at.map_or(0, |next| next.since(at(n))))
        .collect();
    assert_eq!(waits[2..4], [30 * SECOND, 60 * SECOND]);
    assert!(waits[4] > 4 * MINUTE && waits[4] <= 5 * MINUTE);
    let third = steps[4].problem.as_ref().expect("a failed check files a problem");
    assert_eq!(third.count, 3);
}

#[test]
fn a_slot_is_answered_once() {
    let slot = T0 + MINUTE;
    let none = Warnings::default();
    let steps = run(vec![
        (slot + 10, check(slot, Some(refused()), none)),
        (slot + 20, check(slot, Some(refused()), none)),
        (slot + 30, check(slot + 5, Some(refused()), none)),
    ]);
    assert_eq!(steps[2].state.checks.streak, 1);
    assert_eq!(steps[2].state, steps[0].state);
    assert!(steps[1].event.is_none() && steps[2].event.is_none());
    // A clock that was set back by an hour does not make every later check a repetition.
    let back = slot - HOUR;
    let steps = run(vec![
        (slot + 10, check(slot, Some(refused()), none)),
        (back, check(back, None, none)),
    ]);
    assert_eq!(steps[1].state.checks.streak, 0);
}

#[test]
fn warnings_degrade_and_are_told_when_they_change() {
    let at = |n: i64| T0 + n * MINUTE;
    let both = Warnings::CERTIFICATE.with(Warnings::SCOPES);
    let steps = run(vec![
        (at(1), check(at(1), None, Warnings::default())),
        (at(2), check(at(2), None, both)),
        (at(3), check(at(3), None, both)),
        (at(4), check(at(4), None, Warnings::default())),
    ]);
    let degraded = steps.iter().map(|s| s.state.health == Health::Degraded);
    assert_eq!(degraded.collect::<Vec<_>>(), [false, true, true, false]);
    assert_eq!(types(&steps)[1..], [Some("check.warned"), None, Some("check.passed")]);
    let (_, reasons) = health::evaluate(&steps[1].state, at(2));
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes, ["certificate_expiring", "missing_scope"]);
}

#[test]
fn a_refused_credential_is_down_at_once_and_a_new_one_is_tried_at_once() {
    let standing = |state| Fact::Standing {
        state,
        notice: Notice {
            event_type: "credential.changed".into(),
            summary: "It changed.".into(),
            confirm: None,
        },
    };
    let at = |n: i64| T0 + n * MINUTE;
    let steps = run(vec![
        (at(1), check(at(1), None, Warnings::default())),
        (at(2), standing(CredentialState::NeedsReauth)),
        (at(3), standing(CredentialState::Active)),
    ]);
    assert_eq!(steps[1].state.health, Health::Down);
    let event = steps[1].event.as_ref().expect("a change of standing is told");
    assert_eq!(event.health, Some((Health::Healthy, Health::Down)));
    assert_eq!(steps[2].state.health, Health::Healthy);
    assert_eq!(steps[2].state.checks.next_at, Some(at(3)));
}

#[test]
fn switching_off_stops_checks_and_switching_on_checks_at_once() {
    let at = |n: i64| T0 + n * MINUTE;
    let steps = run(vec![
        (at(1), check(at(1), None, Warnings::default())),
        (at(2), Fact::Configured { enabled: false }),
        (at(3), Fact::Due),
        (at(4), Fact::Configured { enabled: true }),
    ]);
    let next: Vec<Option<Time>> = steps[1..].iter().map(|s| s.state.checks.next_at).collect();
    assert_eq!(next, [None, None, Some(at(4))]);
}
