//! Users, members, sessions, keys, one-time links.

use lk_core::Time;
use lk_core::access::Verb;
use lk_core::time::{DAY, HOUR};
use lk_core::words::{Role, Scope, SignInMethod};
use lk_store::{NewApiKey, NewOneTimeLink, NewSession, NewUser, RESET_LINK, StoreError, User, UserPatch};

use crate::harness::{NOW, TestDb, permit, permit_for};

fn person(email: &str) -> NewUser {
    NewUser {
        email: email.into(),
        name: "Grace".into(),
        password_hash: Some("not-a-real-hash".into()),
        operator: false,
    }
}

async fn disable(db: &TestDb, user: &User) {
    let patch = UserPatch {
        disabled: Some(true),
        ..UserPatch::default()
    };
    let write = permit(Verb::ManageUsers);
    let changed = db.store.update_user(&write, &user.id, &patch, user.version, NOW).await;
    assert!(changed.expect("changes").disabled_at.is_some());
}

pub(crate) async fn add(db: &TestDb, email: &str) -> User {
    let write = permit(Verb::ManageUsers);
    db.store.create_user(&write, &person(email), NOW).await.expect("adds")
}

fn link(hash: u8, project: &str, expires_at: Time) -> NewOneTimeLink {
    NewOneTimeLink {
        hash: vec![hash; 32],
        purpose: "setup".into(),
        project_id: Some(project.into()),
        subject: None,
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
    let write = permit(Verb::ManageUsers);
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
    let missing = store.set_member(&write, &project.id, "nobody", Role::Viewer, NOW).await;
    assert!(
        matches!(missing, Err(StoreError::NotFound { what: "user" })),
        "{missing:?}"
    );
    disable(db, &grace).await;
    assert!(store.credentials("grace@example.test").await.expect("reads").is_none());
    assert_eq!(store.users().await.expect("reads").len(), 2);
}

pub(crate) async fn owners_are_for_owners_and_the_last_one_stays(db: &TestDb) {
    let (store, project) = (&db.store, db.project().await);
    let (grace, other) = (add(db, "grace@example.test").await, add(db, "other@example.test").await);
    for (user, role) in [(&grace, Role::Editor), (&other, Role::Owner)] {
        let write = permit(Verb::ManageUsers);
        store
            .set_member(&write, &project.id, &user.id, role, NOW)
            .await
            .expect("joins");
    }
    let (admin, owner) = (permit(Verb::ManageMembers), permit(Verb::TransferProject));
    let reached = store.remove_member(&admin, &project.id, &other.id, NOW).await;
    assert!(matches!(reached, Err(StoreError::WrongPermit(_))), "{reached:?}");
    let removed = store.remove_member(&owner, &project.id, &other.id, NOW).await;
    assert!(matches!(removed, Err(StoreError::Invalid(_))), "the last owner stays");
    let left = store
        .leave_project(&permit_for(Verb::ManageAccount, &other.id), &project.id, NOW)
        .await;
    assert!(matches!(left, Err(StoreError::Invalid(_))), "and cannot leave");
    let version = store.member(&project.id, &grace.id).await.expect("a member").version;
    let change = async |permit, version, role| {
        let who = (grace.id.as_str(), version);
        store.change_role(permit, &project.id, who, role, NOW).await
    };
    let raised = change(&admin, version, Role::Owner).await;
    assert!(matches!(raised, Err(StoreError::WrongPermit(_))), "{raised:?}");
    let viewer = change(&admin, version, Role::Viewer).await.expect("changes");
    assert_eq!((viewer.role, viewer.version), (Role::Viewer, version + 1));
    let Err(StoreError::Conflict {
        current, change: first, ..
    }) = change(&admin, version, Role::Admin).await
    else {
        panic!("a change to an old version went through");
    };
    assert_eq!(current.version(), version + 1);
    let first = first.expect("the change that came first");
    assert_eq!(
        (first.actor_name.as_str(), first.action.as_str()),
        ("ADA", "member.role_changed")
    );
    store
        .transfer_project(
            &permit_for(Verb::TransferProject, &other.id),
            &project.id,
            &grace.id,
            NOW,
        )
        .await
        .expect("hands over");
    assert_eq!(
        store.member(&project.id, &other.id).await.expect("a member").role,
        Role::Admin
    );
    assert_eq!(
        store.member(&project.id, &grace.id).await.expect("a member").role,
        Role::Owner
    );
    store
        .leave_project(&permit_for(Verb::ManageAccount, &other.id), &project.id, NOW)
        .await
        .expect("leaves");
    assert!(store.memberships(&other.id).await.expect("reads").is_empty());
}

pub(crate) async fn sessions_end(db: &TestDb) {
    let (store, grace) = (&db.store, add(db, "grace@example.test").await);
    let begin = async |hash: u8| {
        let new = NewSession {
            id_hash: vec![hash; 32],
            user_id: grace.id.clone(),
            method: SignInMethod::Password,
            proven_hash: None,
            csrf: "token".into(),
            expires_at: NOW + DAY,
            source: None,
            user_agent: Some("A browser".into()),
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
    store.end_session(&[1; 32], None, NOW).await.expect("ends");
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
        scopes: Some(vec![Scope::Read, Scope::Triage]),
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
    assert_eq!(left, vec![brief.clone()]);
    assert_eq!(brief.scopes, Some(vec![Scope::Read, Scope::Triage]));
    assert_eq!(store.api_keys_made_by("ada").await.expect("reads"), left);
    let own = store
        .revoke_own_api_key(&permit_for(Verb::ManageAccount, "bob"), &brief.id, NOW)
        .await;
    assert!(matches!(own, Err(StoreError::NotFound { .. })), "somebody else's");
    store
        .revoke_own_api_key(&permit_for(Verb::ManageAccount, "ada"), &brief.id, NOW)
        .await
        .expect("revokes");
    assert!(store.api_key_by_hash(&[2; 32], NOW).await.expect("reads").is_none());
}

pub(crate) async fn sessions_are_listed_proven_and_ended_one_by_one(db: &TestDb) {
    let (store, grace) = (&db.store, add(db, "grace@example.test").await);
    let eve = add(db, "eve@example.test").await;
    for (hash, user) in [(1, &grace), (2, &grace), (3, &grace), (4, &eve)] {
        let new = NewSession {
            id_hash: vec![hash; 32],
            user_id: user.id.clone(),
            method: SignInMethod::Link,
            proven_hash: None,
            csrf: "token".into(),
            expires_at: NOW + DAY,
            source: Some("203.0.113.9".into()),
            user_agent: Some("x".repeat(10_000)),
        };
        store.create_session(&new, NOW + i64::from(hash)).await.expect("begins");
    }
    let rows = store.sessions_of(&grace.id, &[2; 32], NOW).await.expect("reads");
    let current: Vec<bool> = rows.iter().map(|row| row.current).collect();
    assert_eq!(current, [false, true, false]);
    assert!(rows[0].user_agent.as_ref().is_some_and(|agent| agent.len() == 300));
    store.prove_session(&[2; 32], None, NOW + HOUR).await.expect("proves");
    let proven = store.session(&[2; 32], NOW).await.expect("reads").expect("lives");
    assert_eq!(proven.proved_at, NOW + HOUR);
    let foreign = permit_for(Verb::ManageAccount, &eve.id);
    assert!(
        store.end_own_session(&foreign, &rows[0].id, NOW).await.is_err(),
        "somebody else's"
    );
    let own = permit_for(Verb::ManageAccount, &grace.id);
    store.end_own_session(&own, &rows[0].id, NOW).await.expect("ends");
    store.end_other_sessions(&own, &[2; 32], NOW).await.expect("ends");
    let left = store.sessions_of(&grace.id, &[2; 32], NOW).await.expect("reads");
    assert_eq!(left.len(), 1);
    assert!(
        store.session(&[4; 32], NOW).await.expect("reads").is_some(),
        "Eve's lives"
    );
}

pub(crate) async fn a_reset_link_sets_one_password_once(db: &TestDb) {
    let (store, grace) = (&db.store, add(db, "grace@example.test").await);
    let write = permit(Verb::ManageUsers);
    let reset = |hash: u8| NewOneTimeLink {
        purpose: RESET_LINK.into(),
        project_id: None,
        subject: Some(grace.id.clone()),
        ..link(hash, "", NOW + HOUR)
    };
    for hash in [1, 2] {
        store
            .create_one_time_link(&write, &reset(hash), NOW)
            .await
            .expect("stores");
    }
    for (hash, at) in [([1; 32], NOW), ([2; 32], NOW + HOUR), ([9; 32], NOW)] {
        let refused = store.reset_password(&hash, "new", None, at).await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    store.reset_password(&[2; 32], "new", None, NOW).await.expect("sets");
    let known = store.credentials_of(&grace.id).await.expect("reads").expect("exists");
    assert_eq!(known.password_hash.as_deref(), Some("new"));
    assert!(
        store.reset_password(&[2; 32], "again", None, NOW).await.is_err(),
        "used"
    );
    // A password set otherwise makes an open link worthless.
    store
        .create_one_time_link(&write, &reset(3), NOW)
        .await
        .expect("stores");
    store.set_password(&write, &grace.id, "other", NOW).await.expect("sets");
    assert!(store.reset_password(&[3; 32], "stolen", None, NOW).await.is_err());
}

pub(crate) async fn the_last_operator_stays(db: &TestDb) {
    let (store, write) = (&db.store, permit(Verb::ManageUsers));
    let new = NewUser {
        operator: true,
        ..person("op@example.test")
    };
    let operator = store.create_user(&write, &new, NOW).await.expect("adds");
    let change = async |patch: &UserPatch, version| store.update_user(&write, &operator.id, patch, version, NOW).await;
    let (demote, disable) = (
        UserPatch {
            operator: Some(false),
            ..UserPatch::default()
        },
        UserPatch {
            disabled: Some(true),
            ..UserPatch::default()
        },
    );
    for patch in [&demote, &disable] {
        let refused = change(patch, operator.version).await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    }
    let second = NewUser {
        operator: true,
        ..person("second@example.test")
    };
    store.create_user(&write, &second, NOW).await.expect("adds");
    assert!(!change(&demote, operator.version).await.expect("changes").operator);
    let stale = change(&demote, operator.version).await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })), "{stale:?}");
}

pub(crate) async fn of_two_owners_who_leave_at_once_one_stays(db: &TestDb) {
    let (store, project) = (&db.store, db.project().await);
    for round in 0..5 {
        let mut owners = Vec::new();
        for n in 0..2 {
            let owner = add(db, &format!("owner-{round}-{n}@example.test")).await;
            let write = permit(Verb::ManageUsers);
            let set = store.set_member(&write, &project.id, &owner.id, Role::Owner, NOW).await;
            set.expect("joins");
            owners.push(owner);
        }
        // Whoever stayed from the round before leaves first.
        for member in store.members(&project.id).await.expect("reads") {
            if !owners.iter().any(|owner| owner.id == member.user.id) {
                let own = permit_for(Verb::ManageAccount, &member.user.id);
                store.leave_project(&own, &project.id, NOW).await.expect("leaves");
            }
        }
        let leave = async |n: usize| {
            let own = permit_for(Verb::ManageAccount, &owners[n].id);
            store.leave_project(&own, &project.id, NOW).await.is_ok()
        };
        let left = tokio::join!(leave(0), leave(1));
        assert!(left.0 != left.1, "round {round}: {left:?}");
    }
}

pub(crate) async fn of_many_changes_of_one_version_one_is_made(db: &TestDb) {
    let (store, grace) = (&db.store, add(db, "grace@example.test").await);
    let change = async |n: usize| {
        let patch = UserPatch {
            name: Some(format!("Name {n}")),
            ..UserPatch::default()
        };
        let write = permit(Verb::ManageUsers);
        store
            .update_user(&write, &grace.id, &patch, grace.version, NOW)
            .await
            .is_ok()
    };
    let made = tokio::join!(change(0), change(1), change(2), change(3), change(4));
    let made = [made.0, made.1, made.2, made.3, made.4];
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
}

pub(crate) async fn a_session_begins_only_with_what_still_holds(db: &TestDb) {
    let (store, grace) = (&db.store, add(db, "grace@example.test").await);
    let begin = async |hash: u8, proven: Option<&str>| {
        let new = NewSession {
            id_hash: vec![hash; 32],
            user_id: grace.id.clone(),
            method: SignInMethod::Password,
            proven_hash: proven.map(str::to_owned),
            csrf: "token".into(),
            expires_at: NOW + DAY,
            source: None,
            user_agent: None,
        };
        store.create_session(&new, NOW).await
    };
    begin(1, Some("not-a-real-hash")).await.expect("begins");
    let write = permit(Verb::ManageUsers);
    store.set_password(&write, &grace.id, "new", NOW).await.expect("sets");
    let late = begin(2, Some("not-a-real-hash")).await;
    assert!(matches!(late, Err(StoreError::NotFound { .. })), "{late:?}");
    disable(db, &grace).await;
    assert!(begin(3, Some("new")).await.is_err() && begin(4, None).await.is_err());
}
