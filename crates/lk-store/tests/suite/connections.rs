//! Tokens that were fetched: begun, finished, fenced, sealed, forgotten.

use lk_core::Time;
use lk_core::access::Verb;
use lk_core::words::CredentialState;
use lk_store::{
    Begun, Connection, FailedRefresh, LEASE_MS, MasterKey, NewConnectFlow, NewConnection, NewTokens, SecretText, Store,
    StoreConfig, StoreError, Sweep,
};

use crate::harness::{NOW, TestDb, permit};

fn tokens(access: &str, refresh: Option<&str>) -> NewTokens {
    NewTokens {
        access: SecretText::new(access),
        refresh: refresh.map(SecretText::new),
        scopes: vec!["read".into()],
        missing: vec!["write".into()],
        expires_at: Some(NOW + 3_600_000),
        refresh_expires_at: None,
        refresh_at: Some(NOW + 3_000_000),
        state: CredentialState::Active,
    }
}

fn consent(account: Option<&str>) -> NewConnection {
    NewConnection {
        kind: "oauth2".into(),
        home: "h1".into(),
        account_id: account.map(str::to_owned),
        account_name: account.map(str::to_uppercase),
        tokens: tokens("access-one-not-real", Some("refresh-one-not-real")),
    }
}

async fn connected(db: &TestDb, name: &str) -> Connection {
    let id = db.connect("acme", name).await.integration.id;
    let write = permit(Verb::ConnectIntegration);
    db.store
        .connect(&write, &id, &consent(Some("acct")), NOW)
        .await
        .expect("connects")
}

async fn begin(store: &Store, at: &Connection, owner: &str, now: Time) -> Begun {
    let begun = store
        .begin_refresh(&at.integration_id, at.version, owner, b"hash", now)
        .await;
    begun.expect("asks")
}

fn fence(begun: &Begun) -> i64 {
    match begun {
        Begun::Fence { fence, .. } => *fence,
        other => panic!("{other:?}"),
    }
}

fn failed(state: CredentialState, doubt: bool) -> FailedRefresh {
    FailedRefresh {
        state,
        reason: "why".into(),
        message: "Because.".into(),
        retry_at: None,
        doubt,
    }
}

async fn opened(store: &Store, id: &str) -> (String, String) {
    let open = store.open_connection(id).await.expect("opens").expect("is there");
    let text = |token: Option<SecretText>| token.expect("a token").expose().to_owned();
    (text(open.access), text(open.refresh))
}

pub(crate) async fn a_refresh_is_one_owners_and_its_result_is_fenced(db: &TestDb) {
    let store = &db.store;
    let made = connected(db, "One").await;
    let id = made.integration_id.as_str();
    assert_eq!(
        (made.version, made.renewable, made.state),
        (1, true, CredentialState::Active)
    );
    assert_eq!(store.setup().await.expect("reads").connected.len(), 1);
    let first = begin(store, &made, "a", NOW).await;
    assert!(matches!(first, Begun::Fence { again: false, .. }), "{first:?}");
    assert_eq!(begin(store, &made, "b", NOW + 1).await, Begun::Held);
    let intent = store.connection(id).await.expect("reads").expect("is there").intent;
    assert_eq!(intent, Some((b"hash".to_vec(), 1)));
    let at = (made.version, fence(&first));
    let two = tokens("access-two-not-real", None);
    assert!(
        !store
            .finish_refresh(id, (made.version, at.1 + 1), &two, NOW)
            .await
            .expect("asks")
    );
    assert!(store.finish_refresh(id, at, &two, NOW + 5).await.expect("stores"));
    // The answer had no refresh token: the one there is stays.
    assert_eq!(
        opened(store, id).await,
        ("access-two-not-real".into(), "refresh-one-not-real".into())
    );
    let now = store.connection(id).await.expect("reads").expect("is there");
    assert_eq!(
        (now.version, now.obtained_at, now.intent.clone()),
        (2, Some(NOW + 5), None)
    );
    assert_eq!(begin(store, &made, "b", NOW + 6).await, Begun::Changed);
    assert!(
        !store.finish_refresh(id, at, &two, NOW).await.expect("asks"),
        "a second result"
    );
    assert_eq!(
        store.begin_refresh("nobody", 1, "a", b"x", NOW).await.expect("asks"),
        Begun::Gone
    );
}

pub(crate) async fn an_open_intent_allows_one_more_try(db: &TestDb) {
    let store = &db.store;
    let made = connected(db, "One").await;
    // Leases end by the database's clock on PostgreSQL: ended by hand, they end the same on both.
    let lapse = async || {
        db.run("UPDATE integration_connections SET lease_until = 0", vec![])
            .await
    };
    begin(store, &made, "a", NOW).await;
    lapse().await;
    let again = begin(store, &made, "b", NOW).await;
    assert!(matches!(again, Begun::Fence { again: true, .. }), "{again:?}");
    lapse().await;
    assert_eq!(begin(store, &made, "c", NOW).await, Begun::Spent);
    // Another token is another matter.
    let other = store
        .begin_refresh(&made.integration_id, 1, "c", b"other", NOW)
        .await
        .expect("asks");
    let at = (1, fence(&other));
    let unanswered = FailedRefresh {
        retry_at: Some(NOW + 9),
        ..failed(CredentialState::Active, true)
    };
    assert!(
        store
            .fail_refresh(&made.integration_id, at, &unanswered, NOW)
            .await
            .expect("notes")
    );
    let now = store
        .connection(&made.integration_id)
        .await
        .expect("reads")
        .expect("is there");
    assert_eq!(
        (now.intent.clone(), now.doubt, now.failures, now.version),
        (None, true, 1, 1)
    );
    assert_eq!(store.connections_due(NOW + 8, 9).await.expect("reads"), []);
    assert_eq!(store.connections_due(NOW + 9, 9).await.expect("reads").len(), 1);
    let last = fence(&begin(store, &made, "a", NOW).await);
    let refused = failed(CredentialState::NeedsReauth, false);
    assert!(
        store
            .fail_refresh(&made.integration_id, (1, last), &refused, NOW)
            .await
            .expect("notes")
    );
    let now = store
        .connection(&made.integration_id)
        .await
        .expect("reads")
        .expect("is there");
    assert_eq!(
        (now.state, now.reason.as_deref()),
        (CredentialState::NeedsReauth, Some("why"))
    );
    assert_eq!(store.connections_due(NOW + 2 * LEASE_MS, 9).await.expect("reads"), []);
}

pub(crate) async fn a_consent_comes_first_and_is_for_the_same_account(db: &TestDb) {
    let store = &db.store;
    let made = connected(db, "One").await;
    let id = made.integration_id.as_str();
    let running = fence(&begin(store, &made, "a", NOW).await);
    let again = permit(Verb::ReconnectIntegration);
    let connect = permit(Verb::ConnectIntegration);
    for (permit, new) in [
        (&again, consent(Some("other"))),
        (&connect, consent(Some("other"))),
        (&again, consent(None)),
    ] {
        let refused = store.connect(permit, id, &new, NOW).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    }
    let mut new = consent(Some("acct"));
    new.tokens = tokens("access-new-not-real", Some("refresh-new-not-real"));
    let renewed = store.connect(&again, id, &new, NOW + 1).await.expect("connects");
    assert_eq!(
        (renewed.version, renewed.integration_id.as_str(), renewed.intent),
        (2, id, None)
    );
    let late = tokens("access-late-not-real", Some("refresh-late-not-real"));
    assert!(!store.finish_refresh(id, (1, running), &late, NOW).await.expect("asks"));
    assert_eq!(opened(store, id).await.0, "access-new-not-real");
    // Another client or host: whoever may connect begins anew.
    let elsewhere = NewConnection {
        home: "h2".into(),
        ..consent(Some("other"))
    };
    assert!(store.connect(&again, id, &elsewhere, NOW).await.is_err());
    store.connect(&connect, id, &elsewhere, NOW).await.expect("connects");
    let wrong = permit(Verb::CheckIntegration);
    assert!(matches!(
        store.connect(&wrong, id, &elsewhere, NOW).await,
        Err(StoreError::WrongPermit(_))
    ));
}

pub(crate) async fn a_flow_is_used_once_in_its_session_and_in_time(db: &TestDb) {
    let store = &db.store;
    let id = db.connect("acme", "One").await.integration.id;
    let connect = permit(Verb::ConnectIntegration);
    let flow = |name: &str| NewConnectFlow {
        id: name.into(),
        integration_id: id.clone(),
        user_id: "u".into(),
        session_hash: [7; 32],
        verifier: SecretText::new("verifier-not-real"),
        redirect_uri: "https://lk.example/cb".into(),
        expires_at: NOW + 600_000,
    };
    for name in ["one", "two", "three"] {
        store.begin_connect(&connect, &flow(name), NOW).await.expect("begins");
    }
    assert!(store.take_connect("one", &[8; 32], NOW).await.expect("asks").is_none());
    let taken = store
        .take_connect("one", &[7; 32], NOW)
        .await
        .expect("asks")
        .expect("is there");
    assert_eq!(
        (taken.verifier.expose(), taken.integration_id.as_str()),
        ("verifier-not-real", id.as_str())
    );
    assert!(
        store.take_connect("one", &[7; 32], NOW).await.expect("asks").is_none(),
        "twice"
    );
    assert!(
        store
            .take_connect("two", &[7; 32], NOW + 600_000)
            .await
            .expect("asks")
            .is_none()
    );
    store
        .begin_connect(&connect, &flow("four"), NOW + 600_000)
        .await
        .expect("begins");
    assert_eq!(
        db.count("connect_flows").await,
        1,
        "those who never came back are forgotten"
    );
    let look = permit(Verb::CheckIntegration);
    assert!(store.begin_connect(&look, &flow("five"), NOW).await.is_err());
}

pub(crate) async fn tokens_are_sealed_anew_and_go_with_the_integration(db: &TestDb) {
    let store = &db.store;
    let made = connected(db, "One").await;
    let id = made.integration_id.as_str();
    let old = "1".repeat(64);
    let second = "2".repeat(64);
    let ring = MasterKey::from_env_values(("NEW", &second), ("OLD", &old)).expect("keys");
    let mut sweep = Sweep::reseal(&ring);
    while store.sweep_step(&mut sweep).await.expect("sweeps") {}
    assert_eq!(sweep.swept().older.get("integration_connections"), Some(&2));
    let new = MasterKey::from_env_value("NEW", &second).expect("a key");
    let after = Store::open(&db.config, new, NOW).await.expect("opens");
    assert_eq!(opened(&after, id).await.1, "refresh-one-not-real");
    assert!(matches!(store.open_connection(id).await, Err(StoreError::Seal(_))));
    if let StoreConfig::Sqlite { path } = &db.config {
        let file = std::fs::read(path).expect("reads");
        let log = std::fs::read(path.with_extension("db-wal")).unwrap_or_default();
        for bytes in [file, log] {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("access-one-not-real") && !text.contains("refresh-one-not-real"));
        }
    }
    after.close().await.expect("closes");
    store
        .delete_integration(&permit(Verb::DisconnectIntegration), id, NOW)
        .await
        .expect("deletes");
    assert_eq!(db.count("integration_connections").await, 0);
    store
        .ensure_connection(id, "client_credentials", "h", NOW)
        .await
        .expect("asks");
    assert_eq!(
        db.count("integration_connections").await,
        0,
        "nothing is fetched for what is deleted"
    );
}

pub(crate) async fn what_needs_no_consent_begins_anew_with_other_settings(db: &TestDb) {
    let store = &db.store;
    let id = db.connect("acme", "One").await.integration.id;
    let ensure = async |home: &str| {
        let done = store.ensure_connection(&id, "client_credentials", home, NOW).await;
        done.expect("makes it");
        store.connection(&id).await.expect("reads").expect("is there")
    };
    let made = ensure("h1").await;
    assert_eq!(
        (made.state, made.version, made.renewable),
        (CredentialState::Pending, 0, false)
    );
    let at = (0, fence(&begin(store, &made, "a", NOW).await));
    let stored = store
        .finish_refresh(&id, at, &tokens("access-not-real", None), NOW)
        .await;
    assert!(stored.expect("stores"));
    assert_eq!(ensure("h1").await.version, 1, "the same settings keep the token");
    let moved = ensure("h2").await;
    assert_eq!(
        (moved.version, moved.state, moved.home.as_str()),
        (2, CredentialState::Pending, "h2")
    );
    assert!(
        store
            .open_connection(&id)
            .await
            .expect("opens")
            .expect("is there")
            .access
            .is_none()
    );
}
