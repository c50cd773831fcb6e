//! Integrations from creation to deletion.

use lk_core::access::Verb;
use lk_core::observation::IntegrationRid;
use lk_store::{Current, IntegrationPatch, NewProject, StoreError, endpoint_key_hash};

use crate::harness::{NOW, TestDb, new_integration, permit};

pub(crate) async fn from_creation_to_deletion(db: &TestDb) {
    let (store, project) = (&db.store, db.project().await);
    let made = db.connect("acme", "One").await;
    assert!(made.has_alias);
    assert_eq!(made.secret.as_ref().map(|s| s.last4.as_str()), Some("real"));
    let one = made.integration;
    assert_eq!((one.version, one.enabled, one.demo), (1, true, false));
    assert_eq!(store.integration(&one.id).await.expect("reads"), one);
    assert_eq!(store.integration_by_rid(one.rid).await.expect("reads"), one);
    let patch = IntegrationPatch {
        name: Some("Uno".into()),
        enabled: Some(false),
        settings: Some(r#"{"a":1}"#.into()),
    };
    let write = permit(Verb::ConfigureIntegration);
    let two = store
        .update_integration(&write, &one.id, &patch, 1, "name, switch, settings", NOW + 9)
        .await
        .expect("changes");
    assert_eq!(
        (two.name.as_str(), two.enabled, two.settings.as_str()),
        ("Uno", false, r#"{"a":1}"#)
    );
    assert_eq!((two.version, two.updated_at, two.created_at), (2, NOW + 9, NOW));
    let nothing = IntegrationPatch::default();
    let three = store
        .update_integration(&write, &one.id, &nothing, 2, "", NOW)
        .await
        .expect("ok");
    assert_eq!((three.name.as_str(), three.version), ("Uno", 3));
    let all = store.integrations_after(IntegrationRid(0), 10).await.expect("reads");
    assert_eq!(all.len(), 1);
    store
        .delete_integration(&permit(Verb::DisconnectIntegration), &one.id, NOW)
        .await
        .expect("deletes");
    for gone in [
        store.integration(&one.id).await.err(),
        store
            .delete_integration(&permit(Verb::DisconnectIntegration), &one.id, NOW)
            .await
            .err(),
        store
            .update_integration(&write, &one.id, &nothing, 3, "", NOW)
            .await
            .err(),
    ] {
        assert!(matches!(gone, Some(StoreError::NotFound { .. })), "{gone:?}");
    }
    assert!(store.integrations(project.rid).await.expect("reads").is_empty());
    let hash = endpoint_key_hash("key-of-One");
    assert!(store.receiver_by_key(&hash, NOW).await.expect("reads").is_none());
    let log = store.audit_log(Some(&project.id), None, 1).await.expect("reads");
    assert_eq!(
        (log[0].action.as_str(), log[0].target.as_str()),
        ("integration.deleted", one.id.as_str())
    );
}

pub(crate) async fn a_stale_version_changes_nothing_and_shows_the_row(db: &TestDb) {
    let made = db.connect("acme", "One").await;
    let (id, write) = (made.integration.id, permit(Verb::ConfigureIntegration));
    let rename = |name: &str| IntegrationPatch {
        name: Some(name.into()),
        ..Default::default()
    };
    let now = db
        .store
        .update_integration(&write, &id, &rename("Two"), 1, "", NOW)
        .await
        .expect("ok");
    let stale = db
        .store
        .update_integration(&write, &id, &rename("Three"), 1, "", NOW)
        .await;
    let Err(StoreError::Conflict { current, .. }) = stale else {
        panic!("{stale:?}")
    };
    assert_eq!(*current, Current::Integration(now.clone()));
    assert_eq!(db.store.integration(&id).await.expect("reads"), now);
}

pub(crate) async fn the_short_address_stays_with_the_first(db: &TestDb) {
    let (store, write) = (&db.store, permit(Verb::ConfigureIntegration));
    let holder = async || {
        let receiver = store.receiver_by_alias("acme", NOW).await.expect("reads");
        receiver.map(|receiver| receiver.integration.name)
    };
    let first = db.connect("acme", "First").await;
    let second = db.connect("acme", "Second").await;
    assert!(first.has_alias && !second.has_alias);
    assert_eq!(holder().await.as_deref(), Some("First"));
    store
        .bind_alias(&write, &second.integration.id, NOW)
        .await
        .expect("moves");
    assert_eq!(holder().await.as_deref(), Some("Second"));
    let none = store.free_alias(&write, &first.integration.id, NOW).await;
    assert!(matches!(none, Err(StoreError::NotFound { .. })), "{none:?}");
    // Another project can neither take it nor get it by connecting.
    let new = NewProject {
        slug: "other".into(),
        name: "Other".into(),
    };
    let other = store
        .create_project(&permit(Verb::CreateProject), &new, NOW)
        .await
        .expect("makes");
    let third = db.connect_in(&other, "acme", "Third").await;
    assert!(!third.has_alias);
    let taken = store.bind_alias(&write, &third.integration.id, NOW).await;
    assert!(matches!(taken, Err(StoreError::Taken { .. })), "{taken:?}");
    store
        .free_alias(&write, &second.integration.id, NOW)
        .await
        .expect("frees");
    assert_eq!(holder().await, None);
    store
        .bind_alias(&write, &third.integration.id, NOW)
        .await
        .expect("takes the free one");
    let aliases = store.aliases().await.expect("reads");
    assert_eq!(aliases, vec![("acme".to_owned(), third.integration.id)]);
}

pub(crate) async fn the_demo_comes_and_goes(db: &TestDb) {
    let (store, project, write) = (&db.store, db.project().await, permit(Verb::ManageDemo));
    let mut new = new_integration(&project.id, "acme", "Demo");
    new.demo = true;
    let demo = store.create_integration(&write, &new, NOW).await.expect("makes");
    assert!(!demo.has_alias, "the short address is kept for a real one");
    let real = db.connect("acme", "Real").await;
    assert!(real.has_alias);
    assert_eq!(store.delete_demo(&write, project.rid, NOW).await.expect("removes"), 1);
    let left = store.integrations(project.rid).await.expect("reads");
    assert_eq!(left, vec![real.integration]);
    assert_eq!(store.delete_demo(&write, project.rid, NOW).await.expect("removes"), 0);
}
