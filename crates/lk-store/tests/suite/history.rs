//! Results of checks: written by the journal, read, summed up, forgotten; shards and incidents.

use lk_core::Time;
use lk_core::access::Verb;
use lk_core::observation::IntegrationRid;
use lk_core::state::{Checks, IntegrationState};
use lk_core::time::{DAY, HOUR, MINUTE};
use lk_core::words::{Category, Health, Outcome, Rung};
use lk_store::journal::{Batch, HistoryRow, JournalDb, QuotaSample, StateRow, Touch};
use lk_store::{IncidentCause, IncidentChange, Integration, Resolution, StoreConfig, month_after};

use crate::harness::{NOW, TestDb, permit};

/// The hour in which the cases begin.
const HOUR_0: Time = Time(1_760_000_000_000 / HOUR * HOUR);

fn result(rid: IntegrationRid, at: Time, ok: bool) -> HistoryRow {
    HistoryRow {
        integration: rid,
        checked_at: at,
        status: if ok { Health::Healthy } else { Health::Down },
        outcome: if ok { Outcome::Success } else { Outcome::Failure },
        took_ms: if ok { 100 } else { 900 },
        rung: (!ok).then_some(Rung::Credential),
        category: (!ok).then_some(Category::Auth),
        doc: None,
        message: (!ok).then(|| "refused".to_owned()),
        next_at: Some(at + 5 * MINUTE),
        quotas: vec![QuotaSample {
            name: "core".to_owned(),
            limit: Some(5_000),
            remaining: 4_000,
            resets_at: Some(at + HOUR),
            own_count: false,
        }],
    }
}

/// A check every five minutes for `hours` hours from `HOUR_0`; every sixth fails.
fn results(rid: IntegrationRid, hours: i64) -> Vec<HistoryRow> {
    (0..hours * 12)
        .map(|n| result(rid, HOUR_0 + n * 5 * MINUTE, n % 6 != 5))
        .collect()
}

fn write(journal: &mut JournalDb, id: i64, batch: Batch) {
    let touch = Touch {
        integrations: batch.states.iter().map(|row| row.integration).collect(),
        ..Touch::default()
    };
    journal.load(&touch, NOW).expect("begins");
    let batch = Batch {
        node: "test".to_owned(),
        id,
        now: NOW,
        ..batch
    };
    journal.commit(&batch).expect("commits");
}

async fn with(db: &TestDb, work: impl FnOnce(&mut JournalDb) + Send + 'static) {
    let (store, runtime) = (db.store.clone(), tokio::runtime::Handle::current());
    let done = tokio::task::spawn_blocking(move || work(&mut JournalDb::open(&store, runtime).expect("opens")));
    done.await.expect("no panic");
}

async fn filled(db: &TestDb, hours: i64) -> IntegrationRid {
    let made = db.connect("acme", "One").await.integration;
    fill(db, &made, hours).await;
    made.rid
}

async fn fill(db: &TestDb, made: &Integration, hours: i64) {
    let (project, rid) = (made.project_rid, made.rid);
    db.store.ensure_months(HOUR_0).await.expect("partitions");
    with(db, move |journal| {
        let mut state = IntegrationState::new(HOUR_0);
        state.health = Health::Healthy;
        state.checks = Checks {
            last_at: Some(HOUR_0),
            next_at: Some(HOUR_0 + 5 * MINUTE),
            took_ms: 100,
            ..Checks::default()
        };
        let states = vec![StateRow {
            integration: rid,
            project,
            state,
            wake_at: None,
            last_check: Some("{\"ok\":true}".to_owned()),
        }];
        let history = results(rid, hours);
        write(
            journal,
            1,
            Batch {
                states,
                history,
                ..Batch::default()
            },
        );
        // The same results again, as after an unknown outcome.
        let history = results(rid, 1);
        write(
            journal,
            2,
            Batch {
                history,
                ..Batch::default()
            },
        );
    })
    .await;
}

pub(crate) async fn results_are_read_as_they_were_written(db: &TestDb) {
    let rid = filled(db, 2).await;
    let store = &db.store;
    let all = store.history(rid, HOUR_0, HOUR_0 + DAY, 100).await.expect("reads");
    assert_eq!(all.len(), 24);
    assert!(all.windows(2).all(|pair| pair[0].checked_at > pair[1].checked_at));
    let failed = all
        .iter()
        .find(|row| row.outcome == Outcome::Failure)
        .expect("some fail");
    assert_eq!(
        (failed.rung, failed.category),
        (Some(Rung::Credential), Some(Category::Auth))
    );
    assert_eq!((failed.took_ms, failed.message.as_deref()), (900, Some("refused")));
    let page = store
        .history_after(rid, HOUR_0 + 1, HOUR_0 + HOUR, 5)
        .await
        .expect("reads");
    assert_eq!(page[0].checked_at, HOUR_0 + 5 * MINUTE);
    assert_eq!(page.len(), 5);
    let since = store.results_since(&[rid], HOUR_0 + HOUR).await.expect("reads");
    assert_eq!(since.len(), 12);
    // SQLite has one writer, which knows what it wrote.
    let on_sqlite = matches!(db.config, StoreConfig::Sqlite { .. });
    for (at, found) in [(NOW, usize::from(!on_sqlite)), (NOW + 1, 0)] {
        let written = store.states_written_since(at).await.expect("reads");
        assert_eq!(written.len(), found);
        assert!(
            written
                .iter()
                .all(|row| (row.integration, row.last_check_at) == (rid, Some(HOUR_0)))
        );
    }
    let quotas = store.quota_history(rid, HOUR_0, HOUR_0 + HOUR).await.expect("reads");
    assert_eq!((quotas.len(), quotas[0].1.remaining), (12, 4_000));
    let texts = store.last_checks(None).await.expect("reads");
    assert_eq!(texts, [(rid, "{\"ok\":true}".to_owned())]);
    let shard = u8::try_from(rid.0 % 64).expect("small");
    let due = store.due_checks(&[shard]).await.expect("reads");
    assert_eq!(due, [(rid, Some(HOUR_0 + 5 * MINUTE))]);
    assert!(store.due_checks(&[(shard + 1) % 64]).await.expect("reads").is_empty());
}

pub(crate) async fn hours_and_months_are_summed_up_once(db: &TestDb) {
    let rid = filled(db, 30).await;
    let store = &db.store;
    let now = HOUR_0 + 25 * HOUR + 5 * MINUTE;
    let mut steps = 0;
    while store.rollup_step(now).await.expect("sums up") > 0 {
        steps += 1;
        assert!(steps < 100, "it ends");
    }
    assert_eq!(store.summed_up_until().await.expect("reads"), Some(HOUR_0 + 25 * HOUR));
    let hours = store.rollups(Resolution::Hour, rid, HOUR_0, now).await.expect("reads");
    assert_eq!(hours.len(), 25);
    for hour in &hours[1..] {
        assert_eq!((hour.ok, hour.failed, hour.sum_ms), (10, 2, 2_800));
        assert_eq!(hour.spent.known_ms(), HOUR, "a steady hour is known whole");
        assert_eq!(hour.spent.down_ms, 10 * MINUTE);
        let p50 = hour.sketch.quantile(0.5).expect("counted");
        assert!((98..=102).contains(&p50), "{p50}");
    }
    assert_eq!(store.rollup_step(now).await.expect("nothing to do"), 0);
    let newest = store
        .newest_rollups(Resolution::Hour, rid, HOUR_0, HOUR_0 + 20 * HOUR, 3)
        .await
        .expect("reads");
    assert_eq!(newest, [&hours[19], &hours[18], &hours[17]].map(Clone::clone));
    // Much later the month is summed up too, of its hours.
    let later = month_after(HOUR_0) + 2 * HOUR;
    let mut steps = 0;
    while store.rollup_step(later).await.expect("sums up") > 0 {
        steps += 1;
        assert!(steps < 2_000, "it ends");
    }
    let months = store
        .rollups(Resolution::Month, rid, HOUR_0 - 40 * DAY, later)
        .await
        .expect("reads");
    assert_eq!(months.len(), 1);
    assert_eq!(months[0].checks(), 30 * 12);
    let of_all = store.rollups_of(&[rid], HOUR_0, HOUR_0 + DAY).await.expect("reads");
    assert_eq!(of_all.len(), 24);
}

pub(crate) async fn old_results_go_and_deleted_integrations_take_theirs(db: &TestDb) {
    let made = db.connect("acme", "One").await.integration;
    fill(db, &made, 30).await;
    let (rid, id) = (made.rid, made.id);
    let store = &db.store;
    while store.rollup_step(HOUR_0 + 31 * HOUR).await.expect("sums up") > 0 {}
    let before = HOUR_0 + 20 * HOUR;
    while store.forget_history(before, HOUR_0).await.expect("forgets") > 0 {}
    let left = store
        .history(rid, HOUR_0, HOUR_0 + 2 * DAY, 1_000)
        .await
        .expect("reads");
    assert_eq!(left.len(), 10 * 12);
    assert!(left.iter().all(|row| row.checked_at >= before));
    let hours = store
        .rollups(Resolution::Hour, rid, HOUR_0, HOUR_0 + 2 * DAY)
        .await
        .expect("reads");
    assert_eq!(hours.len(), 30, "summaries outlive what they sum up");
    // Two months on, everything of the detail is old; on PostgreSQL whole partitions go.
    let much_later = month_after(month_after(HOUR_0)) + DAY;
    store.ensure_months(much_later).await.expect("partitions");
    while store.forget_history(much_later, HOUR_0).await.expect("forgets") > 0 {}
    assert_eq!(db.count("integration_health_history").await, 0);
    assert_eq!(db.count("integration_quota_history").await, 0);
    let gone = permit(Verb::DisconnectIntegration);
    store.delete_integration(&gone, &id, NOW).await.expect("deletes");
    while store.purge_step(NOW).await.expect("purges") > 0 {}
    assert_eq!(db.count("integration_health_hourly").await, 0);
}

pub(crate) async fn shards_are_shared_and_taken_over(db: &TestDb) {
    let store = &db.store;
    let one = store.lease_shards("one", 10_000).await.expect("leases");
    assert_eq!(one.len(), 64, "who is alone has all");
    if store.sqlite_path().is_some() {
        return;
    }
    let lease = async |node: &'static str, ttl| store.lease_shards(node, ttl).await.expect("leases");
    assert!(lease("two", 10_000).await.is_empty(), "nothing is taken away");
    assert_eq!(lease("one", 10_000).await.len(), 32, "who sees another gives up half");
    let two = lease("two", 10_000).await;
    assert_eq!(two.len(), 32);
    assert!(
        two.iter().all(|(_, fence)| *fence > one[0].1),
        "a new holder has a new fence"
    );
    store.release_shards("one").await.expect("gives up");
    assert_eq!(
        lease("two", 1).await.len(),
        64,
        "what is given up is taken over at once"
    );
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(lease("three", 10_000).await.len(), 64, "what has run out is free");
}

pub(crate) async fn one_incident_of_a_provider_is_open_at_a_time(db: &TestDb) {
    let open = |summary: &str| IncidentChange::Open {
        provider: "acme".to_owned(),
        cause: IncidentCause::Inferred,
        summary: summary.to_owned(),
        affected: 3,
    };
    let twice = vec![open("It fails everywhere."), open("Again.")];
    with(db, move |journal| {
        write(
            journal,
            1,
            Batch {
                incidents: twice,
                ..Batch::default()
            },
        );
    })
    .await;
    let opened = db.store.open_incidents().await.expect("reads");
    assert_eq!(opened.len(), 1);
    let id = opened[0].id.clone();
    let changes = vec![
        IncidentChange::Update {
            id: id.clone(),
            text: "Five now.".to_owned(),
            affected: 5,
        },
        IncidentChange::Close { id },
    ];
    with(db, move |journal| {
        let later = Batch {
            node: "test".to_owned(),
            id: 2,
            now: NOW + MINUTE,
            incidents: changes,
            ..Batch::default()
        };
        journal.load(&Touch::default(), NOW).expect("begins");
        journal.commit(&later).expect("commits");
    })
    .await;
    assert!(db.store.open_incidents().await.expect("reads").is_empty());
    let told = db.store.latest_incidents(10).await.expect("reads");
    assert_eq!(
        (told.len(), told[0].affected, told[0].closed_at),
        (1, 5, Some(NOW + MINUTE))
    );
    assert_eq!(told[0].updates[0], (NOW, "It fails everywhere.".to_owned()));
    assert!(told[0].updates.len() >= 2);
}
