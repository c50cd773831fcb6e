//! Projects and invitations into them.

use lk_core::access::{Place, Verb};
use lk_core::time::{DAY, HOUR};
use lk_core::words::{Role, Scope};
use lk_store::{NewApiKey, NewInvitation, NewProject, NewUser, Project, ProjectFlags, ProjectPatch, StoreError};

use crate::harness::{NOW, TestDb, permit, permit_for, permit_in};
use crate::people::add;

async fn make(db: &TestDb, slug: &str, owner: Option<&str>) -> Project {
    let new = NewProject {
        slug: slug.into(),
        name: "Acme".into(),
        owner: owner.map(str::to_owned),
    };
    let write = permit(Verb::CreateProject);
    db.store.create_project(&write, &new, NOW).await.expect("makes it")
}

fn invitation(hash: u8, project: &Project, role: Role, email: Option<&str>) -> NewInvitation {
    NewInvitation {
        project_id: project.id.clone(),
        hash: vec![hash; 32],
        role,
        email: email.map(str::to_owned),
        expires_at: NOW + DAY,
    }
}

fn newcomer(email: &str) -> NewUser {
    NewUser {
        email: email.into(),
        name: "New".into(),
        password_hash: None,
        operator: true,
    }
}

pub(crate) async fn changed_by_one_at_a_time(db: &TestDb) {
    let (store, owner) = (&db.store, add(db, "owner@example.test").await);
    let project = make(db, "acme", Some(&owner.id)).await;
    assert_eq!(project.flags, ProjectFlags::default());
    assert_eq!(store.memberships(&owner.id).await.expect("reads")[0].role, Role::Owner);
    let write = permit(Verb::ConfigureProject);
    let patch = ProjectPatch {
        name: Some("Acme Builders".into()),
        flags: Some(ProjectFlags {
            shadow: true,
            ..project.flags
        }),
    };
    let changed = store
        .update_project(&write, &project.id, &patch, project.version, NOW)
        .await
        .expect("changes");
    assert_eq!(
        (changed.name.as_str(), changed.flags.shadow, changed.version),
        ("Acme Builders", true, 2)
    );
    let late = store
        .update_project(&write, &project.id, &patch, project.version, NOW)
        .await;
    let Err(StoreError::Conflict { change, .. }) = late else {
        panic!("{late:?}")
    };
    assert_eq!(change.expect("known").summary, "name Acme Builders, shadow on");
}

pub(crate) async fn a_permit_of_one_project_writes_in_no_other(db: &TestDb) {
    let (store, mine, theirs) = (&db.store, make(db, "mine", None).await, make(db, "theirs", None).await);
    let write = permit_in(Place::Project(mine.id.clone()), Verb::ConfigureProject, "ada");
    let patch = ProjectPatch {
        name: Some("Taken over".into()),
        flags: None,
    };
    let across = store
        .update_project(&write, &theirs.id, &patch, theirs.version, NOW)
        .await;
    assert!(matches!(across, Err(StoreError::WrongPermit(_))), "{across:?}");
    assert_eq!(store.project(&theirs.id).await.expect("reads").name, "Acme");
    store
        .update_project(&write, &mine.id, &patch, mine.version, NOW)
        .await
        .expect("changes its own");
}

pub(crate) async fn a_deleted_one_is_gone_and_its_slug_free(db: &TestDb) {
    let (store, owner) = (&db.store, add(db, "owner@example.test").await);
    let project = make(db, "acme", Some(&owner.id)).await;
    let key = NewApiKey {
        project_id: project.id.clone(),
        name: "CI".into(),
        role: Role::Viewer,
        operator: false,
        scopes: None,
        hash: vec![1; 32],
        last4: "abcd".into(),
        expires_at: None,
    };
    store
        .create_api_key(&permit(Verb::ManageKeys), &key, NOW)
        .await
        .expect("makes");
    let invite = invitation(7, &project, Role::Viewer, None);
    store
        .create_invitation(&permit(Verb::ManageMembers), &invite, NOW)
        .await
        .expect("invites");
    let write = permit(Verb::DeleteProject);
    let default = store.project("default").await.expect("reads");
    let refused = store.delete_project(&write, &default.id, NOW).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    store.delete_project(&write, &project.id, NOW).await.expect("deletes");
    for name in ["acme", project.id.as_str()] {
        assert!(
            matches!(store.project(name).await, Err(StoreError::NotFound { .. })),
            "{name}"
        );
    }
    assert!(store.memberships(&owner.id).await.expect("reads").is_empty());
    assert!(store.api_key_by_hash(&[1; 32], NOW).await.expect("reads").is_none());
    assert!(store.invitation(&[7; 32], NOW).await.expect("reads").is_none());
    let names = store.project_names().await.expect("reads");
    assert!(
        names.contains(&(project.id, "Acme".into())),
        "the audit log still knows it"
    );
    make(db, "acme", None).await;
}

pub(crate) async fn invitations_are_used_once_in_time_by_whom_they_are_for(db: &TestDb) {
    let (store, project, write) = (&db.store, make(db, "acme", None).await, permit(Verb::ManageMembers));
    let invite = async |new: NewInvitation| store.create_invitation(&write, &new, NOW).await;
    let owners = invite(invitation(9, &project, Role::Owner, None)).await;
    assert!(
        matches!(owners, Err(StoreError::WrongPermit(_))),
        "only owners invite owners"
    );
    let open = invite(invitation(1, &project, Role::Editor, None))
        .await
        .expect("invites");
    let named = invite(invitation(2, &project, Role::Admin, Some("Ann@Example.test")))
        .await
        .expect("invites");
    let withdrawn = invite(invitation(3, &project, Role::Viewer, None))
        .await
        .expect("invites");
    store
        .withdraw_invitation(&write, &project.id, &withdrawn.id, NOW)
        .await
        .expect("withdraws");
    assert!(
        store
            .withdraw_invitation(&write, "another project", &open.id, NOW)
            .await
            .is_err()
    );
    assert_eq!(store.invitations(&project.id, NOW).await.expect("reads").len(), 2);
    assert!(
        store
            .invitations(&project.id, NOW + DAY)
            .await
            .expect("reads")
            .is_empty()
    );

    let join =
        async |hash: u8, email: &str, at| store.join_by_invitation(&[hash; 32], &newcomer(email), None, at).await;
    for (hash, at) in [(3, NOW), (1, NOW + DAY), (200, NOW)] {
        let refused = join(hash, "bob@example.test", at).await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    let bob = join(1, "bob@example.test", NOW + HOUR).await.expect("joins");
    assert!(!bob.operator, "an invitation makes no operators");
    assert_eq!(store.memberships(&bob.id).await.expect("reads")[0].role, Role::Editor);
    assert!(join(1, "eve@example.test", NOW).await.is_err(), "used");
    let taken = join(2, "bob@example.test", NOW).await;
    assert!(matches!(taken, Err(StoreError::Taken { .. })), "{taken:?}");
    let other = join(2, "eve@example.test", NOW).await;
    assert!(
        matches!(other, Err(StoreError::Invalid(_))),
        "for somebody else: {other:?}"
    );
    assert_eq!(named.email.as_deref(), Some("ann@example.test"));
    join(2, "ANN@example.test", NOW).await.expect("joins");
}

pub(crate) async fn a_member_who_accepts_keeps_the_higher_role(db: &TestDb) {
    let (store, write) = (&db.store, permit(Verb::ManageMembers));
    let (project, ann, bob) = (
        make(db, "acme", None).await,
        add(db, "ann@example.test").await,
        add(db, "bob@example.test").await,
    );
    let invite = async |new: NewInvitation| store.create_invitation(&write, &new, NOW).await;
    for (user, role) in [(&ann, Role::Admin), (&bob, Role::Editor)] {
        let users = permit(Verb::ManageUsers);
        store
            .set_member(&users, &project.id, &user.id, role, NOW)
            .await
            .expect("joins");
    }
    // A member who uses a lesser invitation keeps what they have; a greater one raises them.
    for (hash, role, expected) in [(4, Role::Viewer, Role::Admin), (5, Role::Admin, Role::Admin)] {
        invite(invitation(hash, &project, role, None)).await.expect("invites");
        let own = permit_for(Verb::ManageAccount, &ann.id);
        store.accept_invitation(&own, &[hash; 32], NOW).await.expect("accepts");
        assert_eq!(
            store.member(&project.id, &ann.id).await.expect("a member").role,
            expected
        );
    }
    invite(invitation(6, &project, Role::Admin, None))
        .await
        .expect("invites");
    let own = permit_for(Verb::ManageAccount, &bob.id);
    store.accept_invitation(&own, &[6; 32], NOW).await.expect("accepts");
    assert_eq!(
        store.member(&project.id, &bob.id).await.expect("a member").role,
        Role::Admin
    );
}

pub(crate) async fn what_a_removed_admin_made_goes_with_them(db: &TestDb) {
    let (store, ann) = (&db.store, add(db, "ann@example.test").await);
    let project = make(db, "acme", None).await;
    let users = permit(Verb::ManageUsers);
    store
        .set_member(&users, &project.id, &ann.id, Role::Admin, NOW)
        .await
        .expect("joins");
    let invite = invitation(1, &project, Role::Admin, None);
    let members = permit_for(Verb::ManageMembers, &ann.id);
    store.create_invitation(&members, &invite, NOW).await.expect("invites");
    let keys = permit_for(Verb::ManageKeys, &ann.id);
    for (hash, role, scopes) in [
        (1, Role::Admin, None),
        (2, Role::Admin, Some(vec![Scope::Read])),
        (3, Role::Viewer, None),
    ] {
        let key = NewApiKey {
            project_id: project.id.clone(),
            name: "CI".into(),
            role,
            operator: false,
            scopes,
            hash: vec![hash; 32],
            last4: "abcd".into(),
            expires_at: None,
        };
        store.create_api_key(&keys, &key, NOW).await.expect("makes");
    }
    store
        .remove_member(&permit(Verb::ManageMembers), &project.id, &ann.id, NOW)
        .await
        .expect("removes");
    assert!(store.invitation(&[1; 32], NOW).await.expect("reads").is_none());
    let works = async |hash: u8| store.api_key_by_hash(&[hash; 32], NOW).await.expect("reads").is_some();
    assert!(!works(1).await, "a key that manages people");
    assert!(works(2).await && works(3).await, "keys of programs go on working");
}
