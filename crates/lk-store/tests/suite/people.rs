//! Users, members, sessions, keys, one-time links.

use lk_core::Time;
use lk_core::access::Verb;
use lk_core::time::{DAY, HOUR};
use lk_core::words::Role;
use lk_store::{NewApiKey, NewOneTimeLink, NewSession, NewUser, StoreError, User};

use crate::harness::{NOW, TestDb, permit};

fn person(email: &str) -> NewUser {
    NewUser {
        email: email.into(),
        name: "Grace".into(),
        password_hash: Some("not-a-real-hash".into()),
        operator: false,
    }
}

/// As a later command will: the store only obeys it.
async fn disable(db: &TestDb, user: &User) {
    let values = vec![NOW.ms().into(), user.id.as_str().into()];
    let sql = "UPDATE users SET disabled_at = $1 WHERE id = $2";
    assert_eq!(db.run(sql, values).await, 1);
}

async fn add(db: &TestDb, email: &str) -> User {
    let write = permit(Verb::ManageUsers);
    db.store.create_user(&write, &person(email), NOW).await.expect("adds")
}

fn link(hash: u8, project: &str, expires_at: Time) -> NewOneTimeLink {
    NewOneTimeLink {
        hash: vec![hash; 32],
        purpose: "setup".into(),
        project_id: Some(project.into()),
        payload: "{}".into(),
        expires_at,
    }
}

pub(crate) async fn the_first_owner_comes_once_through_the_link(db: &TestDb) {
    let (project, write) = (db.project().await, permit(Verb::ManageUsers));
    let store = &db.store;
    assert!(store.needs_setup().await.expect("reads"));
    for hash in [1, 2] {
        let new = link(hash, &project.id, NOW + HOUR);
        store.create_one_time_link(&write, &new, NOW).await.expect("stores");
    }
    // Only the newest link is good, only in time, only for its purpose.
    assert!(
        store
            .one_time_link(&[1; 32], "setup", NOW)
            .await
            .expect("reads")
            .is_none()
    );
    assert!(
        store
            .one_time_link(&[2; 32], "setup", NOW + HOUR)
            .await
            .expect("reads")
            .is_none()
    );
    assert!(
        store
            .one_time_link(&[2; 32], "invite", NOW)
            .await
            .expect("reads")
            .is_none()
    );
    assert!(
        store
            .one_time_link(&[2; 32], "setup", NOW)
            .await
            .expect("reads")
            .is_some()
    );
    let early = store
        .create_first_owner(&write, &[1; 32], &person("a@example.test"), NOW)
        .await;
    assert!(matches!(early, Err(StoreError::NotFound { .. })), "{early:?}");
    let owner = store
        .create_first_owner(&write, &[2; 32], &person("Owner@Example.test "), NOW)
        .await
        .expect("becomes the owner");
    assert!(owner.operator);
    assert_eq!(owner.email, "owner@example.test");
    let memberships = store.memberships(&owner.id).await.expect("reads");
    assert_eq!(memberships.len(), 1);
    assert_eq!((memberships[0].role, &memberships[0].project), (Role::Owner, &project));
    assert!(!store.needs_setup().await.expect("reads"));
    let twice = store
        .create_first_owner(&write, &[2; 32], &person("b@example.test"), NOW)
        .await;
    assert!(twice.is_err());
    store
        .create_one_time_link(&write, &link(3, &project.id, NOW + HOUR), NOW)
        .await
        .expect("ok");
    let late = store
        .create_first_owner(&write, &[3; 32], &person("b@example.test"), NOW)
        .await;
    assert!(matches!(late, Err(StoreError::Invalid(_))), "{late:?}");
    // The refused one did not use the link up.
    assert!(
        store
            .one_time_link(&[3; 32], "setup", NOW)
            .await
            .expect("reads")
            .is_some()
    );
}

pub(crate) async fn users_and_members(db: &TestDb) {
    let (store, project) = (&db.store, db.project().await);
    let grace = add(db, "Grace@Example.test").await;
    let (write, twin) = (permit(Verb::ManageUsers), person("grace@example.test"));
    let again = store.create_user(&write, &twin, NOW).await;
    assert!(matches!(again, Err(StoreError::Taken { .. })));
    let found = store
        .credentials(" GRACE@example.test")
        .await
        .expect("reads")
        .expect("exists");
    assert_eq!(found.user, grace);
    assert_eq!(found.password_hash.as_deref(), Some("not-a-real-hash"));
    let write = permit(Verb::ManageMembers);
    store
        .set_member(&write, &project.id, &grace.id, Role::Owner, NOW)
        .await
        .expect("joins");
    let demoted = store
        .set_member(&write, &project.id, &grace.id, Role::Viewer, NOW)
        .await;
    assert!(matches!(demoted, Err(StoreError::Invalid(_))), "{demoted:?}");
    assert_eq!(store.members(&project.id).await.expect("reads")[0].role, Role::Owner);
    let other = add(db, "other@example.test").await;
    store
        .set_member(&write, &project.id, &other.id, Role::Owner, NOW)
        .await
        .expect("joins");
    store
        .set_member(&write, &project.id, &grace.id, Role::Editor, NOW)
        .await
        .expect("changes");
    let removed = store.remove_member(&write, &project.id, &other.id, NOW).await;
    assert!(matches!(removed, Err(StoreError::Invalid(_))), "the last owner stays");
    store
        .remove_member(&write, &project.id, &grace.id, NOW)
        .await
        .expect("leaves");
    let missing = store.set_member(&write, &project.id, "nobody", Role::Viewer, NOW).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound { what: "user" })),
        "{missing:?}"
    );
    disable(db, &grace).await;
    assert!(store.credentials("grace@example.test").await.expect("reads").is_none());
    assert_eq!(store.users().await.expect("reads").len(), 2);
}

pub(crate) async fn sessions_end(db: &TestDb) {
    let (store, grace) = (&db.store, add(db, "grace@example.test").await);
    let begin = async |hash: u8| {
        let new = NewSession {
            id_hash: vec![hash; 32],
            user_id: grace.id.clone(),
            csrf: "token".into(),
            expires_at: NOW + DAY,
            source: None,
        };
        store.create_session(&new, NOW).await.expect("begins");
    };
    begin(1).await;
    let session = store.session(&[1; 32], NOW).await.expect("reads").expect("lives");
    assert_eq!((&session.user, session.csrf.as_str()), (&grace, "token"));
    store.touch_session(&[1; 32], NOW + HOUR).await.expect("touches");
    let session = store.session(&[1; 32], NOW).await.expect("reads").expect("lives");
    assert_eq!(session.last_seen_at, NOW + HOUR);
    assert!(
        store.session(&[1; 32], NOW + DAY).await.expect("reads").is_none(),
        "expired"
    );
    store.delete_session(&[1; 32]).await.expect("ends");
    assert!(store.session(&[1; 32], NOW).await.expect("reads").is_none(), "ended");
    begin(2).await;
    let write = permit(Verb::ManageUsers);
    store
        .set_password(&write, &grace.id, "another-hash", NOW)
        .await
        .expect("changes");
    assert!(
        store.session(&[2; 32], NOW).await.expect("reads").is_none(),
        "password changed"
    );
    begin(3).await;
    disable(db, &grace).await;
    assert!(store.session(&[3; 32], NOW).await.expect("reads").is_none(), "disabled");
}

pub(crate) async fn keys_work_until_revoked_or_expired(db: &TestDb) {
    let (store, project, write) = (&db.store, db.project().await, permit(Verb::ManageKeys));
    let new = |hash: u8, expires_at| NewApiKey {
        project_id: project.id.clone(),
        name: "CI".into(),
        role: Role::Editor,
        operator: false,
        hash: vec![hash; 32],
        last4: "abcd".into(),
        expires_at,
    };
    let key = store.create_api_key(&write, &new(1, None), NOW).await.expect("makes");
    let brief = store
        .create_api_key(&write, &new(2, Some(NOW + HOUR)), NOW)
        .await
        .expect("makes");
    assert_eq!(key.created_by.as_deref(), Some("ADA"));
    let found = store.api_key_by_hash(&[1; 32], NOW).await.expect("reads");
    assert_eq!(found.as_ref(), Some(&key));
    assert!(store.api_key_by_hash(&[2; 32], NOW).await.expect("reads").is_some());
    assert!(
        store
            .api_key_by_hash(&[2; 32], NOW + HOUR)
            .await
            .expect("reads")
            .is_none()
    );
    assert!(store.api_key_by_hash(&[9; 32], NOW).await.expect("reads").is_none());
    store.touch_api_key(&key.id, NOW + 7).await.expect("touches");
    let foreign = store.revoke_api_key(&write, "another project", &key.id, NOW).await;
    assert!(matches!(foreign, Err(StoreError::NotFound { .. })));
    store
        .revoke_api_key(&write, &project.id, &key.id, NOW)
        .await
        .expect("revokes");
    assert!(store.api_key_by_hash(&[1; 32], NOW).await.expect("reads").is_none());
    let left = store.api_keys(&project.id).await.expect("reads");
    assert_eq!(left, vec![brief]);
}
