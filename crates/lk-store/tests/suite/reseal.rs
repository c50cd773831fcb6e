//! Replacing the master key.

use lk_core::Time;
use lk_core::access::Verb;
use lk_core::observation::IntegrationRid;
use lk_store::journal::HANDSHAKE_SEALED_AS;
use lk_store::{
    AuditFilter, CreatedIntegration, HeldKeyFile, MasterKey, NewWebhookSecret, Sealed, SecretSource, SecretText, Store,
    StoreConfig, Sweep, Swept,
};
use sea_orm::{ConnectionTrait, Statement};

use crate::harness::{NOW, TestDb, new_integration, permit, permit_for};
use crate::people::add;

/// What is planted, one of each sealed kind.
const PLANTED: [&str; 5] = [
    "key-of-One",
    "secret-of-One-not-real",
    "token-of-One-not-real",
    "handshake-of-One-not-real",
    "AUTHENTICATORSECRETNOTREAL",
];
/// Whose authenticator it is.
const GRACE: &str = "grace@example.test";
/// Hexadecimal digits of the second key of these cases.
const SECOND: &str = "2222222222222222222222222222222222222222222222222222222222222222";

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).expect("a digit");
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// An integration with one value of each sealed kind.
async fn planted(db: &TestDb) -> CreatedIntegration {
    let mut new = new_integration(&db.project().await.id, "acme", "One");
    new.credentials = vec![("api.token".into(), SecretText::new(PLANTED[2]))];
    let write = permit(Verb::ConnectIntegration);
    let made = db.store.create_integration(&write, &new, NOW).await.expect("connects");
    plant_handshake(db, made.integration.rid.0, &made.integration.id, &db.key).await;
    let grace = add(db, GRACE).await;
    let own = permit_for(Verb::ManageAccount, &grace.id);
    let secret = SecretText::new(PLANTED[4]);
    db.store.begin_authenticator(&own, &secret, NOW).await.expect("begins");
    made
}

async fn plant_handshake(db: &TestDb, rid: i64, id: &str, key: &MasterKey) {
    let sealed = key.seal(HANDSHAKE_SEALED_AS, id, PLANTED[3].as_bytes()).expect("seals");
    db.run(
        "INSERT INTO outbox (kind, rule, payload, due_at, attempts, state, created_at) VALUES (1, 0, $1, $2, 0, 0, $2)",
        vec![format!("{rid} {}", hex(sealed.as_bytes())).into(), NOW.ms().into()],
    )
    .await;
}

/// The key before as the current one's predecessor, as a rotation's ring has them.
fn next_ring(db: &TestDb) -> MasterKey {
    let old = "1111111111111111111111111111111111111111111111111111111111111111";
    let ring = MasterKey::from_env_values(("NEW", SECOND), ("OLD", old)).expect("keys");
    assert_eq!(ring.older_ids(), [db.key.id()], "the harness uses this key");
    ring
}

async fn sweep(store: &Store, mut sweep: Sweep) -> Swept {
    while store.sweep_step(&mut sweep).await.expect("sweeps") {}
    sweep.swept().clone()
}

/// Opens everything that was planted, with the key of `store`.
async fn opens_all(store: &Store, made: &CreatedIntegration) {
    let id = &made.integration.id;
    let setup = store.setup().await.expect("reads");
    assert!(!setup.incomplete);
    let key = store.endpoint_key(id).await.expect("opens").expect("has one");
    let effects = store.due_effects(NOW, true, 9).await.expect("reads");
    let lk_core::effect::Effect::ConfirmWebhook { handshake, .. } = &effects[0].effect else {
        panic!("another effect")
    };
    let handshake = Sealed::from_stored(handshake.clone());
    let handshake = store
        .master_key()
        .open(HANDSHAKE_SEALED_AS, id, &handshake)
        .expect("opens");
    let grace = store.credentials(GRACE).await.expect("reads").expect("exists").user;
    let authenticator = store.authenticator(&grace.id).await.expect("opens").expect("has one");
    let opened = [
        key.expose(),
        setup.secrets[0].value.expose(),
        setup.credentials[0].value.as_ref().expect("it opens").expose(),
        handshake.expose(),
        authenticator.secret.expose(),
    ];
    assert_eq!(opened, PLANTED);
}

pub(crate) async fn every_kind_is_sealed_anew_and_opens(db: &TestDb) {
    let made = planted(db).await;
    // A secret that was wiped, and the handshake of an integration that is gone for good.
    let write = permit(Verb::ManageWebhookSecrets);
    let extra = NewWebhookSecret {
        value: SecretText::new("another-not-real"),
        source: SecretSource::Manual,
    };
    let id = &made.integration.id;
    let extra = db
        .store
        .add_webhook_secret(&write, id, &extra, NOW)
        .await
        .expect("adds");
    let retired = db.store.retire_webhook_secret(&write, id, &extra.id, 0, NOW).await;
    retired.expect("retires");
    plant_handshake(db, 999, "gone", &db.key).await;

    let ring = next_ring(db);
    let seen = sweep(&db.store, Sweep::look(&ring)).await;
    assert_eq!((seen.older_count(), seen.current, seen.unopened), (7, 0, 0));
    opens_all(&db.store, &made).await;
    let done = sweep(&db.store, Sweep::reseal(&ring)).await;
    assert_eq!(
        done.older.into_iter().collect::<Vec<_>>(),
        [
            ("integration_credentials", 1),
            ("outbox", 1),
            ("sealed_keys", 1),
            ("user_totp", 1),
            ("webhook_endpoints", 1),
            ("webhook_secrets", 1)
        ]
    );
    assert_eq!((done.wiped, done.changed, done.unopened), (1, 0, 0));
    let new = MasterKey::from_env_value("NEW", SECOND).expect("a key");
    let after = sweep(&db.store, Sweep::look(&new)).await;
    assert!(after.is_clean() && after.current == 6, "{after:?}");
    let store = Store::open(&db.config, new.clone(), NOW).await.expect("opens");
    opens_all(&store, &made).await;
    // The key before opens nothing any more.
    let old = sweep(&db.store, Sweep::look(&db.key)).await;
    assert_eq!((old.current, old.older_count(), old.unopened), (0, 0, 6));
    assert_eq!(old.unknown_keys.into_iter().collect::<Vec<_>>(), [new.id()]);
    let manage = permit(Verb::ManageUsers);
    let noted = store.note_master_key(&manage, new.id(), "4 values".into(), NOW).await;
    noted.expect("writes");
    let log = store.audit_log(&AuditFilter::default(), None, 1).await.expect("reads");
    assert_eq!(
        (log[0].action.as_str(), log[0].summary.as_str()),
        ("master_key.rotated", "4 values")
    );
    store.close().await.expect("closes");
}

pub(crate) async fn a_concurrent_change_is_never_overwritten(db: &TestDb) {
    let made = planted(db).await;
    let ring = next_ring(db);
    let secret = made.secret.expect("a secret").id;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    // Somebody replaces the secret's value all the time, with either key, as a server does that
    // has not noticed yet and one that has.
    let changes = async {
        let mut n = 0_u32;
        while !*stopped.borrow_and_update() {
            let key = if n.is_multiple_of(2) { &db.key } else { &ring };
            let sealed = key.seal("webhook_secrets", &secret, format!("value-{n}").as_bytes());
            db.run(
                "UPDATE webhook_secrets SET sealed = $2 WHERE id = $1",
                vec![
                    secret.as_str().into(),
                    sealed.expect("seals").as_bytes().to_vec().into(),
                ],
            )
            .await;
            n += 1;
            let read = db.store.webhook_secrets(&made.integration.id).await;
            assert_eq!(read.expect("reads").len(), 1);
            let setup = Store::open(&db.config, ring.clone(), NOW).await.expect("opens");
            let now = setup.setup().await.expect("reads").secrets[0].value.expose().to_owned();
            setup.close().await.expect("closes");
            assert_eq!(now, format!("value-{}", n - 1), "what was written last is there");
        }
        n
    };
    let sweeps = async {
        for _ in 0..30 {
            sweep(&db.store, Sweep::reseal(&ring)).await;
        }
        stop.send_replace(true);
    };
    let (changed, ()) = tokio::join!(changes, sweeps);
    assert!(changed > 0);
    sweep(&db.store, Sweep::reseal(&ring)).await;
    assert!(sweep(&db.store, Sweep::look(&ring)).await.is_clean());
}

pub(crate) async fn what_does_not_open_is_told_and_left(db: &TestDb) {
    let made = planted(db).await;
    let id = &made.integration.id;
    let lost = MasterKey::generate().expect("randomness");
    let foreign = lost
        .seal("webhook_endpoints", id, b"x")
        .expect("seals")
        .as_bytes()
        .to_vec();
    db.run(
        "UPDATE webhook_endpoints SET key_sealed = $1",
        vec![foreign.clone().into()],
    )
    .await;
    db.run(
        "UPDATE integration_credentials SET sealed = $1",
        vec![vec![1_u8, 2, 3].into()],
    )
    .await;
    db.run("UPDATE outbox SET payload = '1 nonsense'", vec![]).await;
    let done = sweep(&db.store, Sweep::reseal(&next_ring(db))).await;
    assert_eq!((done.older_count(), done.unopened, done.told.len()), (3, 3, 3));
    assert_eq!(done.unknown_keys.into_iter().collect::<Vec<_>>(), [lost.id()]);
    assert!(
        done.told[0].contains("webhook_endpoints") && done.told[0].contains(id),
        "{:?}",
        done.told
    );
    let statement = Statement::from_string(
        db.raw.get_database_backend(),
        "SELECT key_sealed FROM webhook_endpoints",
    );
    let row = db.raw.query_one_raw(statement).await.expect("reads").expect("a row");
    assert_eq!(row.try_get::<Vec<u8>>("", "key_sealed").expect("bytes"), foreign);
    assert!(db.store.setup().await.expect("reads").incomplete);
}

pub(crate) async fn many_rows_go_in_small_steps(db: &TestDb) {
    const MANY: usize = 450;
    let made = planted(db).await;
    for n in 0..MANY {
        let id = format!("{n:04}");
        let sealed = db.key.seal("webhook_secrets", &id, id.as_bytes()).expect("seals");
        db.run(
            "INSERT INTO webhook_secrets (id, integration_id, sealed, last4, state, source, created_at)
             VALUES ($1, $2, $3, '', 0, 0, $4)",
            vec![
                id.into(),
                made.integration.id.as_str().into(),
                sealed.as_bytes().to_vec().into(),
                NOW.ms().into(),
            ],
        )
        .await;
    }
    let ring = next_ring(db);
    let mut walk = Sweep::reseal(&ring);
    let mut before = 0;
    while db.store.sweep_step(&mut walk).await.expect("sweeps") {
        let now = walk.swept().older_count();
        assert!(now - before <= 200, "{now} after {before}");
        before = now;
    }
    assert_eq!(walk.swept().older["webhook_secrets"], MANY as u64 + 1);
    assert!(sweep(&db.store, Sweep::look(&ring)).await.is_clean());
}

pub(crate) async fn a_new_key_file_is_noticed_with_the_generation(db: &TestDb) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("master.key");
    let key = MasterKey::from_file(&path).expect("makes it");
    // As in a process of its own.
    let running = Store::open(&db.config, MasterKey::from_file(&path).expect("reads"), NOW).await;
    let running = running.expect("opens");
    let held = HeldKeyFile::hold(&path).expect("holds");
    held.add_key().expect("adds");
    let before = running.setup().await.expect("reads").generation;
    db.store.announce_master_key().await.expect("announces");
    assert_eq!(running.generation().await.expect("reads"), before + 1);
    running.setup().await.expect("reads");
    assert_ne!(running.master_key().id(), key.id());
    assert_eq!(running.master_key().older_ids(), [key.id()]);
    running.close().await.expect("closes");
}

pub(crate) async fn nothing_sealed_is_readable_in_the_files(db: &TestDb) {
    let StoreConfig::Sqlite { path } = &db.config else {
        return; // The server's files are not ours to read; what goes into them is the same.
    };
    let made = planted(db).await;
    assert_eq!(made.integration.rid, IntegrationRid(1));
    let ring = next_ring(db);
    sweep(&db.store, Sweep::reseal(&ring)).await;
    db.store
        .retire_expired_secrets(Time(NOW.ms() + 1))
        .await
        .expect("sweeps");
    let folder = path.parent().expect("a folder");
    let mut searched = 0;
    for entry in std::fs::read_dir(folder).expect("lists") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("reads");
        searched += bytes.len();
        for secret in PLANTED {
            for needle in [secret.as_bytes().to_vec(), hex(secret.as_bytes()).into_bytes()] {
                let found = bytes.windows(needle.len()).any(|w| w == needle);
                assert!(!found, "{secret} can be read in {}", path.display());
            }
        }
        assert!(!bytes.windows(64).any(|w| w == SECOND.as_bytes()));
    }
    assert!(searched > 10_000, "the database's files were searched");
}
