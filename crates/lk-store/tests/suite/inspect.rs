//! A database that is looked at is left as it was.

use lk_core::access::Verb;
use lk_store::{MasterKey, NewProject, Schema, Store, StoreConfig, Sweep};

use crate::harness::{NOW, TestDb, permit};

async fn look(db: &TestDb) -> Store {
    Store::open_for_reading(&db.config, db.key.clone())
        .await
        .expect("opens")
}

async fn schema(db: &TestDb) -> Schema {
    let store = look(db).await;
    let schema = store.schema().await.expect("reads");
    store.close().await.expect("closes");
    schema
}

pub(crate) async fn a_look_reads_and_writes_nothing(db: &TestDb) {
    db.connect("acme", "One").await;
    let store = look(db).await;
    assert_eq!(store.schema().await.expect("reads"), Schema::Current);
    store.prove_master_key().await.expect("the right key");
    assert_eq!(store.check_audit_log().await.expect("reads").problem, None);
    let mut sweep = Sweep::look(&db.key);
    while store.sweep_step(&mut sweep).await.expect("reads") {}
    assert_eq!(sweep.swept().unopened, 0);
    let clock = store.clock().await.expect("reads");
    assert_eq!(clock.is_some(), db.store.sqlite_path().is_none());
    let new = NewProject {
        slug: "never".into(),
        name: "Never".into(),
        owner: None,
    };
    let write = permit(Verb::CreateProject);
    assert!(store.create_project(&write, &new, NOW).await.is_err());
    store.close().await.expect("closes");
    let other = MasterKey::generate().expect("randomness");
    let wrong = Store::open_for_reading(&db.config, other).await.expect("opens");
    assert!(wrong.prove_master_key().await.is_err());
    wrong.close().await.expect("closes");
}

pub(crate) async fn whose_tables_they_are_is_told(db: &TestDb) {
    let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_later', 0)";
    db.run(later, vec![]).await;
    assert_eq!(schema(db).await, Schema::Newer("m29990101_000001_later".to_owned()));
    db.run("DELETE FROM seaql_migrations WHERE version > 'm20261121_zzz'", vec![])
        .await;
    assert!(matches!(schema(db).await, Schema::Older(missing) if missing > 0));
    db.run("UPDATE seaql_migrations SET version = 'm2020_somebody_else'", vec![])
        .await;
    assert_eq!(schema(db).await, Schema::Foreign);
    db.run("DROP TABLE seaql_migrations", vec![]).await;
    assert_eq!(schema(db).await, Schema::Foreign);
    if let StoreConfig::Sqlite { path } = &db.config {
        let nowhere = StoreConfig::Sqlite {
            path: path.with_extension("nowhere"),
        };
        assert!(Store::open_for_reading(&nowhere, db.key.clone()).await.is_err());
        assert!(!path.with_extension("nowhere").exists(), "a look makes no file");
    } else {
        db.run("DROP SCHEMA public CASCADE", vec![]).await;
        db.run("CREATE SCHEMA public", vec![]).await;
        assert_eq!(schema(db).await, Schema::Empty);
    }
}
