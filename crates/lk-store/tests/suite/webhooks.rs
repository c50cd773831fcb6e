//! Addresses, secrets and rejected deliveries.

use lk_core::access::Verb;
use lk_core::time::{HOUR, MINUTE};
use lk_store::{
    NewWebhookSecret, RejectionDelta, SecretSource, SecretState, SecretText, StoreError, endpoint_key_hash,
};
use sea_orm::{ConnectionTrait, Statement};

use crate::harness::{NOW, TestDb, new_integration, permit};

fn secret(text: &str) -> NewWebhookSecret {
    NewWebhookSecret {
        value: SecretText::new(text),
        source: SecretSource::Manual,
    }
}

pub(crate) async fn of_two_first_handshakes_one_is_believed(db: &TestDb) {
    let project = db.project().await;
    let mut bare = new_integration(&project.id, "acme", "Bare");
    bare.secret = None;
    let connect = permit(Verb::ConnectIntegration);
    let made = db
        .store
        .create_integration(&connect, &bare, NOW)
        .await
        .expect("connects");
    let write = permit(Verb::ManageWebhookSecrets);
    let add = async |value: &str| {
        let new = NewWebhookSecret {
            value: SecretText::new(value),
            source: SecretSource::Handshake,
        };
        db.store
            .add_webhook_secret(&write, &made.integration.id, &new, NOW)
            .await
    };
    let both = tokio::join!(add("first-not-real"), add("second-not-real"));
    let taken = |r: &Result<_, StoreError>| matches!(r, Err(StoreError::Taken { .. }));
    assert!(both.0.is_ok() != both.1.is_ok() && (taken(&both.0) || taken(&both.1)));
    assert_eq!(db.count("webhook_secrets").await, 1);
}

pub(crate) async fn secrets_rotate_without_a_gap(db: &TestDb) {
    let (store, write) = (&db.store, permit(Verb::ManageWebhookSecrets));
    let made = db.connect("acme", "One").await;
    let (id, first) = (made.integration.id.clone(), made.secret.expect("the first secret"));
    let hash = endpoint_key_hash("key-of-One");
    let accepted = async |now| {
        let setup = store.setup().await.expect("reads");
        assert_eq!(setup.endpoints, [(hash, made.integration.rid)]);
        let valid = setup
            .secrets
            .iter()
            .filter(|s| s.expires_at.is_none_or(|end| now < end));
        valid
            .inspect(|s| assert_eq!(s.integration, made.integration.rid))
            .map(|s| s.value.expose().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(accepted(NOW).await, ["secret-of-One-not-real"]);
    let second = store
        .add_webhook_secret(&write, &id, &secret("second-not-real"), NOW + 1)
        .await
        .expect("ok");
    assert_eq!((second.state, second.last4.as_str()), (SecretState::Active, "real"));
    assert_eq!(accepted(NOW).await, ["second-not-real", "secret-of-One-not-real"]);
    let retiring = store
        .retire_webhook_secret(&write, &id, &first.id, HOUR, NOW + 2)
        .await
        .expect("retires");
    assert_eq!(
        (retiring.state, retiring.expires_at),
        (SecretState::Retiring, Some(NOW + 2 + HOUR))
    );
    assert_eq!(accepted(NOW + MINUTE).await.len(), 2);
    assert_eq!(
        accepted(NOW + 2 + HOUR).await,
        ["second-not-real"],
        "expired without a sweep"
    );
    assert_eq!(store.retire_expired_secrets(NOW + MINUTE).await.expect("sweeps"), 0);
    let before = store.generation().await.expect("reads");
    assert_eq!(store.retire_expired_secrets(NOW + 2 * HOUR).await.expect("sweeps"), 1);
    assert_eq!(store.generation().await.expect("reads"), before + 1);
    store
        .retire_webhook_secret(&write, &id, &second.id, 0, NOW)
        .await
        .expect("retires at once");
    assert!(accepted(NOW).await.is_empty());
    let all = store.webhook_secrets(&id).await.expect("reads");
    assert!(
        all.iter()
            .all(|s| s.state == SecretState::Retired && s.retired_at.is_some()),
        "{all:?}"
    );
    let project = db.project().await;
    assert!(store.active_secret_counts(&project.id).await.expect("reads").is_empty());
}

pub(crate) async fn nothing_secret_lies_in_the_clear(db: &TestDb) {
    let mut new = new_integration(&db.project().await.id, "acme", "One");
    new.credentials = vec![("api_token".into(), SecretText::new("token-of-One-not-real"))];
    let write = permit(Verb::ConnectIntegration);
    let made = db.store.create_integration(&write, &new, NOW).await.expect("connects");
    let key = db
        .store
        .endpoint_key(&made.integration.id)
        .await
        .expect("opens")
        .expect("has one");
    assert_eq!(key.expose(), "key-of-One");
    let keys = db
        .store
        .endpoint_keys(made.integration.project_rid)
        .await
        .expect("opens");
    assert_eq!(keys.len(), 1);
    let mut seen = 0;
    for (table, column) in [
        ("webhook_endpoints", "key_sealed"),
        ("webhook_endpoints", "key_hash"),
        ("webhook_secrets", "sealed"),
        ("integration_credentials", "sealed"),
    ] {
        let sql = format!("SELECT {column} AS c FROM {table}");
        let statement = Statement::from_string(db.raw.get_database_backend(), sql);
        for row in db.raw.query_all_raw(statement).await.expect("reads") {
            let bytes: Vec<u8> = row.try_get("", "c").expect("bytes");
            for plain in ["key-of-One", "secret-of-One", "token-of-One"] {
                assert!(!bytes.windows(plain.len()).any(|w| w == plain.as_bytes()), "{table}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
}

pub(crate) async fn rejections_are_counted(db: &TestDb) {
    let (store, made) = (&db.store, db.connect("acme", "One").await);
    let (rid, project) = (made.integration.rid, made.integration.project_rid);
    let delta = |reason: &str, count, at| RejectionDelta {
        integration: rid,
        reason: reason.into(),
        count,
        first_at: at,
        last_at: at + 5,
        detail: format!(r#"{{"n":{count}}}"#),
    };
    store.add_rejections(&[]).await.expect("nothing to do");
    let early = [delta("no_match", 2, NOW), delta("clock_skew", 1, NOW)];
    store.add_rejections(&early).await.expect("adds");
    store
        .add_rejections(&[delta("no_match", 3, NOW + 2 * HOUR)])
        .await
        .expect("adds");
    let rows = store.rejections(rid).await.expect("reads");
    assert_eq!(rows.len(), 2);
    let row = &rows[0];
    assert_eq!((row.reason.as_str(), row.count), ("no_match", 5));
    assert_eq!((row.first_at, row.last_at), (NOW, NOW + 2 * HOUR + 5));
    assert_eq!(row.detail, r#"{"n":3}"#);
    assert_eq!(
        store.rejected_24h(project, NOW + 3 * HOUR).await.expect("reads"),
        [(rid, 6)]
    );
    assert_eq!(
        store.rejected_24h(project, NOW + 25 * HOUR).await.expect("reads"),
        [(rid, 3)]
    );
    assert!(
        store
            .rejected_24h(project, NOW + 60 * HOUR)
            .await
            .expect("reads")
            .is_empty()
    );
}
