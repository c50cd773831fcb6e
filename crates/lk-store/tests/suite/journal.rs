//! The journal's side: what a batch loads, writes and leaves behind.

use lk_core::Time;
use lk_core::classify::{DocCode, Fingerprint, Verdict};
use lk_core::effect::Effect;
use lk_core::event::EventDraft;
use lk_core::observation::{IntegrationRid, JudgedFailure, ProjectRid};
use lk_core::problem::Problem;
use lk_core::state::IntegrationState;
use lk_core::time::DAY;
use lk_core::words::{Category, EventKind, Health, Outcome, ProblemState, Severity};
use lk_store::journal::{
    AttemptResult, Batch, DeliveryKey, EffectRow, EventRow, JournalDb, Payload, ProblemRow, StateRow, Touch,
};
use lk_store::{CreatedIntegration, Store};

use crate::harness::{NOW, TestDb};

const PRINT: Fingerprint = Fingerprint([9; 16]);

/// Runs the journal's blocking calls on a thread of their own, as the engine does.
async fn with<T: Send + 'static>(store: &Store, work: impl FnOnce(&mut JournalDb) -> T + Send + 'static) -> T {
    let (store, runtime) = (store.clone(), tokio::runtime::Handle::current());
    let run = move || work(&mut JournalDb::open(&store, runtime).expect("opens"));
    tokio::task::spawn_blocking(run).await.expect("no panic")
}

fn event(project: ProjectRid, integration: IntegrationRid, message: &str) -> EventRow {
    EventRow {
        project,
        integration,
        received_at: NOW,
        draft: EventDraft {
            kind: EventKind::Webhook,
            outcome: Some(Outcome::Success),
            event_type: "thing.done".into(),
            message: message.into(),
            code: None,
            operation: None,
            http_status: None,
            judged: None,
            occurred_at: NOW,
            health: None,
            quarantined: false,
        },
        problem: None,
        payload: Some(Payload {
            headers: "{}".into(),
            body: Some(format!("{{\"said\":\"{message}\"}}")),
            body_bytes: 10,
            body_hash: [1; 32],
            content_type: Some("application/json".into()),
        }),
    }
}

fn problem(count: u64) -> Problem {
    Problem {
        state: ProblemState::Open,
        count,
        first_seen: NOW,
        last_seen: NOW + count as i64,
        failure: JudgedFailure {
            message: "token expired".into(),
            code: Some("E401".into()),
            operation: "payroll.submit".into(),
            http_status: Some(401),
            verdict: Verdict {
                category: Category::Auth,
                severity: Severity::High,
                doc: DocCode::UNKNOWN,
                transient: false,
                confidence: 90,
            },
            fingerprint: PRINT,
        },
        pinned: None,
    }
}

fn batch(id: i64) -> Batch {
    Batch {
        node: "test".into(),
        id,
        now: NOW,
        ..Batch::default()
    }
}

fn ids(made: &CreatedIntegration) -> (ProjectRid, IntegrationRid) {
    (made.integration.project_rid, made.integration.rid)
}

fn state() -> IntegrationState {
    let mut state = IntegrationState::new(NOW);
    state.health = Health::Degraded;
    state.windows.add(NOW, Outcome::Failure);
    state
}

/// A batch with a state, a problem and two events, of which the second belongs to the problem.
fn full_batch(project: ProjectRid, integration: IntegrationRid) -> Batch {
    let mut failed = event(project, integration, "it failed");
    failed.problem = Some(0);
    let wake_at = Some(NOW + 5);
    Batch {
        states: vec![StateRow {
            integration,
            project,
            state: state(),
            wake_at,
            last_check: None,
        }],
        problems: vec![ProblemRow {
            rid: None,
            project,
            integration,
            problem: problem(1),
        }],
        events: vec![event(project, integration, "one"), failed],
        ..batch(1)
    }
}

pub(crate) async fn a_batch_is_loaded_again_as_it_was_written(db: &TestDb) {
    let (project, rid) = ids(&db.connect("acme", "One").await);
    with(&db.store, move |journal| {
        let touch = Touch {
            integrations: vec![rid],
            problems: vec![(rid, PRINT)],
            keys: vec![],
        };
        journal.load(&touch, NOW).expect("loads");
        let committed = journal.commit(&full_batch(project, rid)).expect("commits");
        assert!(committed.seqs.len() == 2 && committed.seqs[0] < committed.seqs[1]);
        let loaded = journal.load(&touch, NOW).expect("loads again");
        journal.abandon();
        assert_eq!(loaded.states.get(&rid), Some(&state()));
        assert_eq!(journal.sleepers().expect("reads"), vec![(rid, NOW + 5)]);
        assert_eq!(journal.last_batch("test").expect("reads"), 1);
        assert_eq!(journal.last_batch("other").expect("reads"), 0);
        let stored = loaded.problems.get(&(rid, PRINT)).expect("the problem");
        assert_eq!(stored.problem, problem(1));
        let row = ProblemRow {
            rid: Some(stored.rid),
            project,
            integration: rid,
            problem: problem(2),
        };
        journal.load(&touch, NOW).expect("loads");
        journal
            .commit(&Batch {
                problems: vec![row],
                ..batch(2)
            })
            .expect("commits");
        let again = journal.load(&touch, NOW).expect("loads");
        journal.abandon();
        assert_eq!(again.problems[&(rid, PRINT)].problem, problem(2));
    })
    .await;
    let events = db.store.events_after(0, 10).await.expect("reads");
    assert_eq!(events.len(), 2);
    assert!(events[1].problem_id.is_some() && events[0].problem_id.is_none());
}

pub(crate) async fn what_is_abandoned_or_fails_leaves_nothing(db: &TestDb) {
    let (project, rid) = ids(&db.connect("acme", "One").await);
    with(&db.store, move |journal| {
        let touch = Touch {
            integrations: vec![rid],
            ..Touch::default()
        };
        journal.load(&touch, NOW).expect("loads");
        journal.abandon();
        journal.load(&touch, NOW).expect("loads");
        // A problem of a row that does not exist cannot be updated; on SQLite nothing matches it.
        let broken = Batch {
            events: vec![event(project, rid, "one")],
            problems: vec![
                ProblemRow {
                    rid: None,
                    project,
                    integration: rid,
                    problem: problem(1),
                },
                ProblemRow {
                    rid: None,
                    project,
                    integration: rid,
                    problem: problem(1),
                },
            ],
            ..batch(1)
        };
        journal
            .commit(&broken)
            .expect_err("the same problem twice violates its key");
        assert_eq!(journal.last_batch("test").expect("reads"), 0);
        // The connection is usable and the gate is free.
        journal.load(&touch, NOW).expect("loads");
        journal
            .commit(&Batch {
                events: vec![event(project, rid, "two")],
                ..batch(1)
            })
            .expect("commits");
    })
    .await;
    let events = db.store.events_after(0, 10).await.expect("reads");
    assert_eq!(events.iter().map(|e| e.message.as_str()).collect::<Vec<_>>(), ["two"]);
    assert_eq!(db.count("problems").await, 0);
    assert_eq!(db.count("integration_event_payloads").await, 1);
}

pub(crate) async fn delivery_keys_are_seen_for_a_week(db: &TestDb) {
    let (_, rid) = ids(&db.connect("acme", "One").await);
    let dated = DeliveryKey {
        integration: rid,
        occurred_at: Some(NOW),
        key: [1; 16],
    };
    let undated = DeliveryKey {
        integration: rid,
        occurred_at: None,
        key: [1; 16],
    };
    let other = DeliveryKey {
        integration: IntegrationRid(rid.0 + 1),
        ..undated
    };
    with(&db.store, move |journal| {
        let mut seen = |now: Time| {
            let touch = Touch {
                keys: vec![dated, undated, other],
                ..Touch::default()
            };
            let seen = journal.load(&touch, now).expect("loads").seen;
            journal.abandon();
            seen
        };
        assert_eq!(seen(NOW), [false, false, false]);
        journal.load(&Touch::default(), NOW).expect("loads");
        journal
            .commit(&Batch {
                keys: vec![dated, undated],
                ..batch(1)
            })
            .expect("commits");
        let mut seen = |now: Time| {
            let touch = Touch {
                keys: vec![dated, undated, other],
                ..Touch::default()
            };
            let seen = journal.load(&touch, now).expect("loads").seen;
            journal.abandon();
            seen
        };
        assert_eq!(seen(NOW + 1), [true, true, false]);
        assert_eq!(seen(NOW + 7 * DAY), [true, true, false]);
        assert_eq!(seen(NOW + 8 * DAY), [true, false, false]);
    })
    .await;
}

pub(crate) async fn an_effect_is_tried_until_it_is_done(db: &TestDb) {
    let (_, rid) = ids(&db.connect("acme", "One").await);
    let effect = Effect::ConfirmWebhook {
        integration: rid,
        handshake: vec![1, 2, 3],
    };
    let row = EffectRow {
        effect: effect.clone(),
        idem_key: Some("once".into()),
    };
    with(&db.store, move |journal| {
        for id in 1..=2 {
            journal.load(&Touch::default(), NOW).expect("loads");
            journal
                .commit(&Batch {
                    effects: vec![row.clone()],
                    ..batch(id)
                })
                .expect("commits");
        }
    })
    .await;
    let due = |now, resume| async move { db.store.due_effects(now, resume, 10).await.expect("reads") };
    let open = due(NOW, false).await;
    assert_eq!(open.len(), 1, "the same key is stored once");
    assert_eq!(
        (open[0].effect.clone(), open[0].attempts, open[0].interrupted),
        (effect, 0, false)
    );
    let id = open[0].id;
    let n = db.store.begin_attempt(id, NOW).await.expect("begins");
    assert!(due(NOW, false).await.is_empty(), "it is running");
    let resumed = due(NOW, true).await;
    assert!(resumed[0].interrupted, "after a crash it is taken up as interrupted");
    let retry = AttemptResult::Retry {
        at: NOW + 100,
        error: "503".into(),
    };
    db.store.finish_attempt(id, n, NOW, &retry).await.expect("finishes");
    assert!(due(NOW, false).await.is_empty());
    assert_eq!(due(NOW + 100, false).await[0].attempts, 1);
    let n = db.store.begin_attempt(id, NOW).await.expect("begins");
    db.store
        .finish_attempt(id, n, NOW, &AttemptResult::Done)
        .await
        .expect("finishes");
    assert!(due(NOW + DAY, true).await.is_empty());
    assert_eq!(db.count("outbox_attempts").await, 2);
}

pub(crate) async fn a_tail_misses_nothing_of_two_writers(db: &TestDb) {
    const BATCHES: i64 = 60;
    let (project, rid) = ids(&db.connect("acme", "One").await);
    let writer = |name: &'static str| {
        with(&db.store, move |journal| {
            for id in 1..=BATCHES {
                journal.load(&Touch::default(), NOW).expect("loads");
                let events = (0..5)
                    .map(|n| event(project, rid, &format!("{name} {id} {n}")))
                    .collect();
                let write = Batch {
                    node: name.into(),
                    id,
                    now: NOW,
                    events,
                    ..Batch::default()
                };
                journal.commit(&write).expect("commits");
            }
        })
    };
    let tail = async {
        let (mut last, mut found) = (0, 0);
        while found < BATCHES * 10 {
            let page = db.store.events_after(last, 100).await.expect("reads");
            found += page.len() as i64;
            last = page.last().map_or(last, |e| e.seq);
            if page.is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
        found
    };
    let follow = tokio::time::timeout(std::time::Duration::from_mins(1), tail);
    let ((), (), found) = tokio::join!(writer("a"), writer("b"), follow);
    assert_eq!(found.expect("the tail sees them all"), BATCHES * 10);
    assert_eq!(db.count("integration_events").await, BATCHES * 10);
}

pub(crate) async fn a_configuration_change_is_noticed(db: &TestDb) {
    let store = db.store.clone();
    let before = with(&store, |journal| journal.generation().expect("reads")).await;
    let created = db.connect("acme", "One").await;
    let (seen, setup) = (
        with(&store, |journal| journal.generation().expect("reads")).await,
        store.setup().await.expect("reads"),
    );
    assert!(seen > before);
    assert_eq!(setup.generation, seen);
    assert_eq!(setup.integrations[0].id, created.integration.id);
    assert_eq!(setup.endpoints[0].1, created.integration.rid);
    assert_eq!(setup.secrets[0].value.expose(), "secret-of-One-not-real");
}
