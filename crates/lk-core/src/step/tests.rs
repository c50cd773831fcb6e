use super::*;
use crate::classify::{DocCode, Fingerprint, Verdict};
use crate::observation::IntegrationRid;
use crate::time::{DAY, MINUTE};
use crate::words::{ProblemState, Severity};

const T0: Time = Time(1_800_000_000_000);

fn failure(category: Category) -> JudgedFailure {
    JudgedFailure {
        message: "refused".into(),
        code: None,
        operation: "payroll.submit".into(),
        http_status: Some(401),
        verdict: Verdict {
            category,
            severity: Severity::High,
            doc: DocCode::parse("unknown.unclassified").expect("the fallback document exists"),
            transient: false,
            confidence: 90,
        },
        fingerprint: Fingerprint([7; 16]),
    }
}

fn webhook(at: Time, outcome: Option<Outcome>, failure: Option<JudgedFailure>) -> Observation {
    Observation {
        integration: IntegrationRid(1),
        fact: Fact::Webhook(Delivery {
            event_type: "payroll.submitted".into(),
            occurred_at: None,
            outcome,
            failure,
            summary: "Payroll submitted".into(),
            quarantined: false,
        }),
        received_at: at,
    }
}

/// What a webhook tells: its outcome and, for a failure, the category.
type Told = (Option<Outcome>, Option<Category>);

/// Feeds observations a minute apart; returns each step.
fn feed(facts: &[Told], policy: &Policy) -> Vec<Step> {
    let mut subject = Subject {
        state: IntegrationState::new(T0),
        problem: None,
    };
    let mut steps = Vec::new();
    for (i, (outcome, category)) in facts.iter().enumerate() {
        let at = T0 + (i as i64 + 1) * MINUTE;
        let step = step(subject, webhook(at, *outcome, category.map(failure)), policy, at);
        subject = Subject {
            state: step.state.clone(),
            problem: step
                .problem
                .clone()
                .or_else(|| steps.last().and_then(|s: &Step| s.problem.clone())),
        };
        steps.push(step);
    }
    steps
}

const OK: Told = (Some(Outcome::Success), None);
const NEUTRAL: Told = (None, None);
const fn failed(c: Category) -> Told {
    (Some(Outcome::Failure), Some(c))
}

#[test]
fn health_follows_the_streak() {
    use Category::{Auth, DataValidation, SpendingControl};
    use Health::{Degraded, Down, Healthy};
    let cases: &[(&[Told], &[Health])] = &[
        (&[NEUTRAL], &[Healthy]),
        (&[OK, failed(Auth)], &[Healthy, Degraded]),
        (&[failed(Auth), failed(Auth), failed(Auth)], &[Degraded, Degraded, Down]),
        (
            &[failed(Auth), failed(Auth), failed(Auth), OK],
            &[Degraded, Degraded, Down, Healthy],
        ),
        // Business failures are events and problems, not health.
        (&[failed(SpendingControl); 4], &[Healthy; 4]),
        // They do not break a streak either.
        (
            &[failed(Auth), failed(DataValidation), failed(Auth), failed(Auth)],
            &[Degraded, Degraded, Degraded, Down],
        ),
        // A neutral delivery proves nothing about outcomes.
        (
            &[failed(Auth), NEUTRAL, failed(Auth), failed(Auth)],
            &[Degraded, Degraded, Degraded, Down],
        ),
    ];
    for (facts, expected) in cases {
        let got: Vec<Health> = feed(facts, &Policy::default()).iter().map(|s| s.state.health).collect();
        assert_eq!(&got, expected, "{facts:?}");
    }
}

#[test]
fn a_setting_makes_business_failures_count() {
    let policy = Policy {
        business_failures_count: true,
        ..Policy::default()
    };
    let steps = feed(&[failed(Category::SpendingControl); 3], &policy);
    assert_eq!(steps[2].state.health, Health::Down);
}

#[test]
fn each_webhook_is_one_event_and_carries_the_change_of_health() {
    let steps = feed(
        &[OK, failed(Category::Auth), failed(Category::Auth)],
        &Policy::default(),
    );
    let changes: Vec<_> = steps.iter().map(|s| s.event.as_ref().and_then(|e| e.health)).collect();
    assert_eq!(
        changes,
        [
            Some((Health::Unknown, Health::Healthy)),
            Some((Health::Healthy, Health::Degraded)),
            None
        ]
    );
}

#[test]
fn a_lone_failure_is_forgotten_after_a_day() {
    let steps = feed(&[failed(Category::Network)], &Policy::default());
    let wake = steps[0].wake_at.expect("a short streak ends by itself");
    assert_eq!(wake, T0 + MINUTE + DAY);
    let subject = Subject {
        state: steps[0].state.clone(),
        problem: None,
    };
    let tick = Observation {
        integration: IntegrationRid(1),
        fact: Fact::Tick,
        received_at: wake,
    };
    let woken = step(subject.clone(), tick.clone(), &Policy::default(), wake);
    assert_eq!(woken.state.health, Health::Healthy);
    let event = woken.event.expect("the change is told");
    assert_eq!(
        (event.kind, event.event_type.as_str()),
        (EventKind::Health, "health.healthy")
    );
    let early = step(subject, tick, &Policy::default(), wake - 1);
    assert_eq!((early.state.health, early.event), (Health::Degraded, None));
}

#[test]
fn switching_off_and_on_is_told_and_keeps_the_streak() {
    let steps = feed(&[failed(Category::Auth); 3], &Policy::default());
    let configured = |enabled| Observation {
        integration: IntegrationRid(1),
        fact: Fact::Configured { enabled },
        received_at: T0,
    };
    let subject = Subject {
        state: steps[2].state.clone(),
        problem: None,
    };
    let off = step(subject, configured(false), &Policy::default(), T0 + DAY);
    assert_eq!(off.state.health, Health::Unknown);
    assert!(off.event.is_some());
    let subject = Subject {
        state: off.state,
        problem: None,
    };
    let on = step(subject, configured(true), &Policy::default(), T0 + DAY);
    assert_eq!(on.state.health, Health::Down);
}

#[test]
fn a_resolved_problem_opens_again_and_an_ignored_one_stays() {
    let steps = feed(&[failed(Category::Auth), failed(Category::Auth)], &Policy::default());
    let known = steps[1].problem.clone().expect("a failure has a problem");
    assert_eq!(known.count, 2);
    for (from, to) in [
        (ProblemState::Resolved, ProblemState::Open),
        (ProblemState::Ignored, ProblemState::Ignored),
        (ProblemState::Acknowledged, ProblemState::Acknowledged),
    ] {
        let known = Problem {
            state: from,
            ..known.clone()
        };
        let (next, _) = problem::step(Some(known), failure(Category::Auth), T0 + DAY);
        assert_eq!(next.state, to);
    }
}

#[test]
fn a_pinned_category_outranks_the_rules() {
    let known = Problem {
        pinned: Some(Category::Compliance),
        ..feed(&[failed(Category::Auth)], &Policy::default())[0]
            .problem
            .clone()
            .expect("problem")
    };
    let subject = Subject {
        state: IntegrationState::new(T0),
        problem: Some(known),
    };
    let at = T0 + MINUTE;
    let obs = webhook(at, Some(Outcome::Failure), Some(failure(Category::Auth)));
    let step = step(subject, obs, &Policy::default(), at);
    let judged = step.event.and_then(|e| e.judged).expect("judged");
    assert_eq!(judged.category, Category::Compliance);
    assert_eq!(step.state.event_streak, 0);
}

#[test]
fn a_new_failure_asks_for_an_explanation_only_when_that_is_set_up() {
    let with = Policy {
        explain: true,
        ..Policy::default()
    };
    let steps = feed(&[failed(Category::Auth), failed(Category::Auth)], &with);
    assert_eq!(steps[0].effects.len(), 1);
    assert!(steps[1].effects.is_empty());
    assert!(
        feed(&[failed(Category::Auth)], &Policy::default())[0]
            .effects
            .is_empty()
    );
}
