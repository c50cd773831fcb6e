//! Identities at identity providers.

use lk_core::access::Verb;
use lk_core::words::Role;
use lk_store::{FirstMembership, NewIdentity, NewUser, StoreError, User};

use crate::harness::{NOW, TestDb, permit};

fn person(email: &str) -> NewUser {
    NewUser {
        email: email.into(),
        name: "Grace".into(),
        password_hash: None,
        operator: false,
    }
}

fn identity(subject: &str, email: &str) -> NewIdentity {
    NewIdentity {
        issuer: "https://id.example.com".into(),
        subject: subject.into(),
        email: Some(email.into()),
    }
}

async fn add(db: &TestDb, email: &str) -> User {
    let write = permit(Verb::ManageUsers);
    db.store.create_user(&write, &person(email), NOW).await.expect("adds")
}

pub(crate) async fn an_identity_belongs_to_one_person(db: &TestDb) {
    let (grace, ada) = (add(db, "grace@example.com").await, add(db, "ada@example.com").await);
    let at_work = identity("s-1", "grace@example.com");
    let found = || db.store.user_of_identity(&at_work.issuer, &at_work.subject);
    assert_eq!(found().await.expect("looks"), None);
    let link = |user: &User| {
        let user = user.clone();
        async move {
            db.store
                .link_identity(&user, &identity("s-1", "g@example.com"), Some("192.0.2.1"), NOW + 5)
                .await
        }
    };
    link(&grace).await.expect("links");
    assert_eq!(found().await.expect("looks"), Some(grace.clone()));
    link(&grace).await.expect("again is fine");
    assert!(matches!(link(&ada).await, Err(StoreError::Taken { .. })));
    assert_eq!(db.store.identities(&ada.id).await.expect("lists"), []);

    db.store.touch_identity(&at_work, NOW + 9).await.expect("notes");
    let listed = db.store.identities(&grace.id).await.expect("lists");
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].created_at, listed[0].last_used_at, listed[0].email.as_deref()),
        (NOW + 5, NOW + 9, Some("grace@example.com"))
    );
    // The same subject elsewhere is somebody else.
    let elsewhere = db.store.user_of_identity("https://other.example.com", "s-1").await;
    assert_eq!(elsewhere.expect("looks"), None);
    let log = db
        .store
        .audit_log(&lk_store::AuditFilter::default(), None, 10)
        .await
        .expect("reads");
    assert_eq!(log.iter().filter(|row| row.action == "identity.linked").count(), 1);
    let by_email = db.store.user_by_email(" Grace@Example.com ").await.expect("looks");
    assert_eq!(by_email, Some(grace.clone()));

    // Who is disabled is still found, so that they can be told.
    let values = vec![NOW.ms().into(), grace.id.as_str().into()];
    let sql = "UPDATE users SET disabled_at = $1 WHERE id = $2";
    assert_eq!(db.run(sql, values).await, 1);
    let by_email = db.store.user_by_email("grace@example.com").await.expect("looks");
    for user in [found().await.expect("looks"), by_email] {
        assert_eq!(user.expect("found").disabled_at, Some(NOW));
    }
}

pub(crate) async fn a_person_is_added_with_their_identity(db: &TestDb) {
    let project = db.store.project("default").await.expect("exists");
    let first = FirstMembership {
        project_id: project.id.clone(),
        role: Role::Editor,
    };
    let write = permit(Verb::ManageUsers);
    let new = identity("s-2", "new@example.com");
    let add = |new: &NewIdentity, email: &str| {
        let (new, email, first, write) = (new.clone(), person(email), first.clone(), write.clone());
        async move {
            db.store
                .create_user_with_identity(&write, &email, &new, Some(&first), NOW)
                .await
        }
    };
    let user = add(&new, "New@Example.com").await.expect("adds");
    assert_eq!(user.email, "new@example.com");
    let memberships = db.store.memberships(&user.id).await.expect("lists");
    assert_eq!((memberships.len(), memberships[0].role), (1, Role::Editor));
    let found = db.store.user_of_identity(&new.issuer, &new.subject).await;
    assert_eq!(found.expect("looks"), Some(user));

    let same_identity = add(&new, "second@example.com").await;
    assert!(matches!(same_identity, Err(StoreError::Taken { .. })));
    let same_email = add(&identity("s-3", "x@example.com"), "new@example.com").await;
    assert!(matches!(same_email, Err(StoreError::Taken { .. })));
    let nobody = db.store.user_by_email("second@example.com").await;
    assert_eq!(nobody.expect("looks"), None, "all or nothing");
}
