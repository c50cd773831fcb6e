//! Opening, the change signal, the permit and the gate.

use lk_core::access::Verb;
use lk_store::{AuditFilter, IntegrationPatch, MasterKey, NewProject, Store, StoreConfig, StoreError};
use sea_orm::{ConnectionTrait, Statement};

use crate::audit::of_project;
use crate::harness::{NOW, TestDb, permit};

pub(crate) async fn opening_twice_changes_nothing(db: &TestDb) {
    let before = db.project().await;
    let again = Store::open(&db.config, db.key.clone(), NOW + 5)
        .await
        .expect("opens again");
    assert_eq!(again.projects().await.expect("reads"), vec![before]);
    again.ping().await.expect("answers");
    again.close().await.expect("closes");
    db.store.prove_master_key().await.expect("the right key");
    // Opened with another key, the data is there and says what is wrong; nothing can be written.
    let other = MasterKey::generate().expect("randomness");
    let wrong = Store::open(&db.config, other, NOW).await.expect("opens");
    let Err(error) = wrong.prove_master_key().await else {
        panic!("a wrong key opened a sealed value");
    };
    assert!(error.to_string().contains("another master key"), "{error}");
    let new = NewProject {
        slug: "acme".into(),
        name: "Acme".into(),
        owner: None,
    };
    let write = permit(Verb::CreateProject);
    assert!(wrong.create_project(&write, &new, NOW).await.is_err());
    // With the key lost for good, a new chain begins.
    wrong.restart_audit_log(NOW).await.expect("restarts");
    wrong.create_project(&write, &new, NOW).await.expect("writes again");
    let whole = wrong.check_audit_log().await.expect("checks");
    assert_eq!((whole.rows, whole.problem), (2, None));
    wrong.close().await.expect("closes");
}

pub(crate) async fn many_opening_a_new_database_at_once(db: &TestDb) {
    let config = match &db.config {
        StoreConfig::Sqlite { path } => StoreConfig::Sqlite {
            path: path.with_extension("new"),
        },
        StoreConfig::Postgres { .. } => {
            db.run("DROP SCHEMA public CASCADE", vec![]).await;
            db.run("CREATE SCHEMA public", vec![]).await;
            db.config.clone()
        }
    };
    let open = async || {
        let store = Store::open(&config, db.key.clone(), NOW).await.expect("opens");
        let projects = store.projects().await.expect("reads");
        store.close().await.expect("closes");
        projects
    };
    let (a, b, c) = tokio::join!(open(), open(), open());
    assert_eq!(a.len(), 1);
    assert!(a == b && b == c, "{a:?} {b:?} {c:?}");
}

pub(crate) async fn a_newer_schema_is_refused_in_a_sentence(db: &TestDb) {
    db.run(
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_later', 0)",
        vec![],
    )
    .await;
    let Err(error) = Store::open(&db.config, db.key.clone(), NOW).await else {
        panic!("opened what it does not know");
    };
    assert!(error.to_string().contains("newer version of Linekeeper"), "{error}");
}

pub(crate) async fn a_reader_does_not_hold_the_log(db: &TestDb) {
    db.connect("acme", "One").await;
    for _ in 0..20 {
        db.store.ping().await.expect("answers");
        db.store.project("default").await.expect("reads");
        db.store.generation().await.expect("reads");
    }
    if db.store.sqlite_path().is_none() {
        return; // PostgreSQL has no log that readers could hold.
    }
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)".to_owned();
    let statement = Statement::from_string(db.raw.get_database_backend(), sql);
    let row = db.raw.query_one_raw(statement).await.expect("runs").expect("a row");
    let busy: i64 = row.try_get("", "busy").expect("a number");
    assert_eq!(busy, 0, "somebody still reads an old snapshot");
}

pub(crate) async fn what_is_watched_moves_the_generation_and_people_do_not(db: &TestDb) {
    let before = db.store.generation().await.expect("reads");
    let made = db.connect("acme", "One").await;
    assert_eq!(db.store.generation().await.expect("reads"), before + 1);
    crate::people::add(db, "grace@example.test").await;
    assert_eq!(db.store.generation().await.expect("reads"), before + 1);
    let write = permit(Verb::DisconnectIntegration);
    db.store
        .delete_integration(&write, &made.integration.id, NOW)
        .await
        .expect("deletes");
    assert_eq!(db.store.generation().await.expect("reads"), before + 2);
}

pub(crate) async fn every_write_leaves_an_audit_row(db: &TestDb) {
    let before = db.store.generation().await.expect("reads");
    let new = NewProject {
        slug: "acme".into(),
        name: "Acme".into(),
        owner: None,
    };
    let write = permit(Verb::CreateProject);
    let project = db.store.create_project(&write, &new, NOW).await.expect("makes it");
    let log = db
        .store
        .audit_log(&of_project(&project.id), None, 10)
        .await
        .expect("reads");
    assert_eq!(log.len(), 1);
    let row = &log[0];
    assert_eq!(
        (row.at, row.action.as_str(), row.target.as_str()),
        (NOW, "project.created", project.id.as_str())
    );
    assert_eq!(
        (row.actor_kind.as_str(), row.actor_id.as_deref()),
        ("user", Some("ada"))
    );
    assert_eq!(
        (row.source.as_deref(), row.result.as_str()),
        (Some("203.0.113.7"), "ok")
    );
    // A write that fails leaves neither.
    let again = db.store.create_project(&write, &new, NOW).await;
    assert!(matches!(again, Err(StoreError::Taken { .. })), "{again:?}");
    assert_eq!(db.store.generation().await.expect("reads"), before);
    assert_eq!(
        db.store
            .audit_log(&AuditFilter::default(), None, 10)
            .await
            .expect("reads")
            .len(),
        1
    );
    assert!(matches!(
        db.store.project("nobody").await,
        Err(StoreError::NotFound { .. })
    ));
}

pub(crate) async fn a_permit_opens_only_its_own_doors(db: &TestDb) {
    let new = NewProject {
        slug: "acme".into(),
        name: "Acme".into(),
        owner: None,
    };
    let wrong = db.store.create_project(&permit(Verb::GiveFeedback), &new, NOW).await;
    assert!(
        matches!(wrong, Err(StoreError::WrongPermit(Verb::GiveFeedback))),
        "{wrong:?}"
    );
    assert_eq!(db.store.projects().await.expect("reads").len(), 1);
}

pub(crate) async fn writers_from_everywhere_all_get_through(db: &TestDb) {
    let made = db.connect("acme", "One").await;
    let beside = Store::open(&db.config, db.key.clone(), NOW).await.expect("opens");
    let rename = async |store: &Store, who: usize| {
        let id = &made.integration.id;
        let mut done = 0;
        while done < 10 {
            let version = store.integration(id).await.expect("reads").version;
            let patch = IntegrationPatch {
                name: Some(format!("{who}-{done}")),
                ..Default::default()
            };
            let write = permit(Verb::ConfigureIntegration);
            match store.update_integration(&write, id, &patch, version, "", NOW).await {
                Ok(_) => done += 1,
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::join!(
        rename(&db.store, 1),
        rename(&db.store, 2),
        rename(&beside, 3),
        rename(&beside, 4)
    );
    let after = db.store.integration(&made.integration.id).await.expect("reads");
    assert_eq!(after.version, 41);
    beside.close().await.expect("closes");
}
