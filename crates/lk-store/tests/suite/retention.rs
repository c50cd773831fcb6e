//! Forgetting in small steps.

use lk_core::access::Verb;
use lk_core::time::{DAY, HOUR};
use lk_core::words::SignInMethod;
use lk_store::{NewOneTimeLink, NewSession, NewUser, RETENTION_STEP, RejectionDelta};

use crate::harness::{NOW, RawEvent, TestDb, permit};

async fn fill(db: &TestDb, rows: i64, project: i64, integration: i64) {
    db.run(
        "INSERT INTO integration_events (seq, project_rid, integration_rid, occurred_at,
           received_at, kind, flags, event_type, message)
         WITH RECURSIVE n(seq) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT seq + 1 FROM n WHERE seq < $1)
         SELECT seq, $2, $3, $4 + seq, $4 + seq, 0, 0, 'bulk', 'row' FROM n",
        vec![rows.into(), project.into(), integration.into(), NOW.ms().into()],
    )
    .await;
    db.run(
        "INSERT INTO integration_event_payloads (seq, headers, body_bytes, body_hash)
         SELECT seq, '{}', 0, $1 FROM integration_events",
        vec![vec![0_u8; 32].into()],
    )
    .await;
}

pub(crate) async fn events_go_oldest_first_in_small_steps(db: &TestDb) {
    assert_eq!(db.store.forget_events(NOW).await.expect("nothing there"), 0);
    let one = db.connect("acme", "One").await.integration;
    fill(db, RETENTION_STEP + 200, one.project_rid.0, one.rid.0).await;
    let before = NOW + RETENTION_STEP + 101;
    assert_eq!(
        db.store.forget_events(before).await.expect("step"),
        RETENTION_STEP as u64
    );
    assert_eq!(db.store.forget_events(before).await.expect("step"), 100);
    assert_eq!(db.store.forget_events(before).await.expect("step"), 0);
    assert_eq!(db.count("integration_events").await, 100);
    assert_eq!(db.count("integration_event_payloads").await, 100);
    // However old, the newest stays: its number must not be given again.
    assert_eq!(db.store.forget_events(NOW + DAY).await.expect("step"), 99);
    assert_eq!(db.store.forget_events(NOW + DAY).await.expect("step"), 0);
    assert_eq!(db.store.last_seq().await.expect("reads"), RETENTION_STEP + 200);
}

pub(crate) async fn keys_sessions_and_links_expire(db: &TestDb) {
    let (store, today) = (&db.store, NOW.ms() / DAY);
    let buckets = [
        (today - 8, true),
        (today - 7, false),
        (today, false),
        ((NOW - 8 * DAY).ms(), true),
        ((NOW - 6 * DAY).ms(), false),
    ];
    let one = db.connect("acme", "One").await.integration;
    for (bucket, _) in buckets {
        db.run(
            "INSERT INTO delivery_keys (integration_rid, bucket, key) VALUES ($1, $2, $3)",
            vec![one.rid.0.into(), bucket.into(), vec![1_u8; 16].into()],
        )
        .await;
    }
    assert_eq!(store.forget_delivery_keys(NOW).await.expect("step"), 2);
    assert_eq!(db.count("delivery_keys").await, 3);

    let user = NewUser {
        email: "a@example.test".into(),
        name: "A".into(),
        password_hash: None,
        operator: false,
    };
    let write = permit(Verb::ManageUsers);
    let user = store.create_user(&write, &user, NOW).await.expect("adds");
    for hours in [1, 9] {
        let new = NewSession {
            id_hash: vec![hours as u8; 32],
            user_id: user.id.clone(),
            method: SignInMethod::Password,
            proven_hash: None,
            csrf: "c".into(),
            expires_at: NOW + hours * HOUR,
            source: None,
            user_agent: None,
        };
        store.create_session(&new, NOW).await.expect("begins");
    }
    let link = NewOneTimeLink {
        hash: vec![1; 32],
        purpose: "setup".into(),
        project_id: None,
        subject: None,
        payload: "{}".into(),
        expires_at: NOW + HOUR,
    };
    store.create_one_time_link(&write, &link, NOW).await.expect("stores");
    assert_eq!(store.forget_expired(NOW).await.expect("step"), 0);
    assert_eq!(store.forget_expired(NOW + 2 * HOUR).await.expect("step"), 1);
    assert_eq!(store.forget_expired(NOW + 2 * DAY).await.expect("step"), 2);
    assert_eq!((db.count("sessions").await, db.count("one_time_links").await), (0, 0));
}

pub(crate) async fn a_deleted_integration_leaves_nothing(db: &TestDb) {
    let (store, gone) = (&db.store, db.connect("acme", "Gone").await);
    let kept = db.connect("acme", "Kept").await;
    let rows = RETENTION_STEP + 10;
    fill(db, rows, gone.integration.project_rid.0, gone.integration.rid.0).await;
    db.put(&[RawEvent::ok(rows + 1, &kept)]).await;
    db.put_problem(&gone, 1).await;
    db.put_problem(&kept, 2).await;
    let rejection = RejectionDelta {
        integration: gone.integration.rid,
        reason: "no_match".into(),
        count: 1,
        first_at: NOW,
        last_at: NOW,
        detail: "{}".into(),
    };
    store.add_rejections(&[rejection]).await.expect("adds");
    assert_eq!(store.purge_step(NOW).await.expect("nothing is deleted yet"), 0);
    let write = permit(Verb::DisconnectIntegration);
    store
        .delete_integration(&write, &gone.integration.id, NOW)
        .await
        .expect("deletes");
    let mut steps = 0;
    while store.purge_step(NOW).await.expect("step") > 0 {
        steps += 1;
        assert!(steps < 20, "the purge ends");
    }
    assert_eq!(steps, 5, "two of events, problems, rejections, hours");
    assert_eq!(db.count("integration_events").await, 1);
    assert_eq!(
        (db.count("problems").await, db.count("webhook_rejections").await),
        (1, 0)
    );
    assert_eq!(
        db.count("project_integrations").await,
        2,
        "the number stays taken for a day"
    );
    assert_eq!(store.purge_step(NOW + 2 * DAY).await.expect("step"), 1);
    assert_eq!(db.count("project_integrations").await, 1);
    let integration = store.integration(&kept.integration.id).await.expect("reads");
    assert_eq!(integration, kept.integration);
}
