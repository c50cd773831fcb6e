//! Integrations from creation to deletion.

use lk_core::access::Verb;
use lk_store::{Current, IntegrationPatch, NewProject, SecretText, StoreError};

use crate::audit::of_project;
use crate::harness::{NOW, TestDb, new_integration, permit};

pub(crate) async fn from_creation_to_deletion(db: &TestDb) {
    let (store, project) = (&db.store, db.project().await);
    let made = db.connect("acme", "One").await;
    assert!(made.has_alias);
    assert_eq!(made.secret.as_ref().map(|s| s.last4.as_str()), Some("real"));
    let one = made.integration;
    assert_eq!((one.version, one.enabled, one.demo), (1, true, false));
    assert_eq!(store.integration(&one.id).await.expect("reads"), one);
    let patch = IntegrationPatch {
        name: Some("Uno".into()),
        enabled: Some(false),
        settings: Some(r#"{"a":1}"#.into()),
        credentials: Vec::new(),
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
    assert_eq!(store.setup().await.expect("reads").integrations.len(), 1);
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
    let setup = store.setup().await.expect("reads");
    assert!(setup.integrations.is_empty() && setup.endpoints.is_empty() && setup.secrets.is_empty());
    let log = store.audit_log(&of_project(&project.id), None, 1).await.expect("reads");
    assert_eq!(
        (log[0].action.as_str(), log[0].target.as_str()),
        ("integration.deleted", one.id.as_str())
    );
}

pub(crate) async fn credentials_come_and_go(db: &TestDb) {
    let (store, write) = (&db.store, permit(Verb::ConfigureIntegration));
    let mut new = new_integration(&db.project().await.id, "acme", "One");
    new.credentials = vec![
        ("api_token".into(), SecretText::new("first-token-not-real")),
        ("pin".into(), SecretText::new("0000")),
    ];
    let connect = permit(Verb::ConnectIntegration);
    let one = store.create_integration(&connect, &new, NOW).await.expect("connects");
    let two = db.connect("acme", "Two").await;
    let id = one.integration.id;
    let kept = async || {
        let kept = store.integration_credentials(&id).await.expect("reads");
        kept.into_iter()
            .map(|c| (c.field, c.last4, c.created_at))
            .collect::<Vec<_>>()
    };
    let opened = async || {
        let mut all = store.setup().await.expect("reads").credentials;
        all.sort_by(|a, b| a.field.cmp(&b.field));
        all.into_iter()
            .filter_map(|c| Some((c.integration, c.field, c.value?.expose().to_owned())))
            .inspect(|(whose, _, _)| assert_eq!(*whose, one.integration.rid))
            .map(|(_, field, value)| (field, value))
            .collect::<Vec<_>>()
    };
    let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
    let first = [pair("api_token", "first-token-not-real"), pair("pin", "0000")];
    assert_eq!(opened().await, first);
    assert_eq!(
        kept().await,
        [
            ("api_token".into(), "real".into(), NOW),
            ("pin".into(), String::new(), NOW)
        ]
    );
    let patch = |field: &str, value: Option<&str>| IntegrationPatch {
        credentials: vec![(field.into(), value.map(SecretText::new))],
        ..Default::default()
    };
    let change = async |patch: IntegrationPatch, version, at| {
        store.update_integration(&write, &id, &patch, version, "", at).await
    };
    assert!(change(patch("pin", None), 9, NOW).await.is_err(), "a stale version");
    assert_eq!(opened().await, first);
    change(patch("api_token", Some("second-token-fake")), 1, NOW + 5)
        .await
        .expect("replaces");
    change(patch("pin", None), 2, NOW + 6).await.expect("removes");
    assert_eq!(opened().await, [pair("api_token", "second-token-fake")]);
    assert_eq!(kept().await, [("api_token".into(), "fake".into(), NOW + 5)]);
    // A sealed value opens for its own integration and field only; elsewhere it is missing.
    for sql in [
        "UPDATE integration_credentials SET field = 'other'",
        "UPDATE integration_credentials SET field = 'api_token', integration_id = $1",
    ] {
        let values = if sql.contains('$') {
            vec![two.integration.id.as_str().into()]
        } else {
            vec![]
        };
        db.run(sql, values).await;
        assert!(opened().await.is_empty(), "{sql}");
    }
    let delete = permit(Verb::DisconnectIntegration);
    store
        .delete_integration(&delete, &two.integration.id, NOW)
        .await
        .expect("deletes");
    assert_eq!(db.count("integration_credentials").await, 0);
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
        let setup = store.setup().await.expect("reads");
        let (_, rid) = setup.aliases.into_iter().find(|(provider, _)| provider == "acme")?;
        setup.integrations.into_iter().find(|i| i.rid == rid).map(|i| i.name)
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
        owner: None,
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
