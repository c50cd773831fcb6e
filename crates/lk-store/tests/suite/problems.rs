//! Problems: listed, counted, changed by people.

use lk_core::access::Verb;
use lk_core::words::{Category, ProblemState, Role, Severity};
use lk_store::{CreatedIntegration, Current, NewUser, ProblemFilter, ProblemPatch, StoreError, event_id};

use crate::harness::{NOW, RawEvent, TestDb, permit};

/// Problems 101 and 102 of one integration, 103 of another, and an event of the first.
async fn three(db: &TestDb) -> (CreatedIntegration, CreatedIntegration) {
    let one = db.connect("acme", "One").await;
    let two = db.connect("bolt", "Two").await;
    for (integration, n) in [(&one, 1), (&one, 2), (&two, 3)] {
        db.put_problem(integration, n).await;
    }
    let mut event = RawEvent::failed(7, &one);
    event.problem = Some(101);
    db.put(&[event]).await;
    (one, two)
}

pub(crate) async fn listed_and_counted(db: &TestDb) {
    let (store, (one, two)) = (&db.store, three(db).await);
    let project = one.integration.project_rid;
    let all = ProblemFilter::all(project, 50);
    let rids = async |filter: &ProblemFilter| {
        let page = store
            .problems(filter)
            .await
            .unwrap_or_else(|e| panic!("{filter:?}: {e}"));
        page.items.iter().map(|p| p.rid).collect::<Vec<_>>()
    };
    assert_eq!(rids(&all).await, [103, 102, 101]);
    let page = store
        .problems(&ProblemFilter {
            limit: 2,
            ..all.clone()
        })
        .await
        .expect("reads");
    let next = ProblemFilter {
        before: page.next,
        ..all.clone()
    };
    assert_eq!(rids(&next).await, [101]);
    let one_only = ProblemFilter {
        integrations: Some(vec![one.integration.rid]),
        ..all.clone()
    };
    assert_eq!(rids(&one_only).await, [102, 101]);
    assert!(
        rids(&ProblemFilter {
            severity: Some(Severity::Low),
            ..all.clone()
        })
        .await
        .is_empty()
    );
    let mut open = store.open_problem_counts(None).await.expect("reads");
    open.sort();
    assert_eq!(open, [(one.integration.rid, 2), (two.integration.rid, 1)]);

    db.run("UPDATE problems SET state = 3 WHERE rid = 101", vec![]).await;
    let waiting = ProblemFilter {
        states: vec![ProblemState::Open, ProblemState::Acknowledged],
        ..all.clone()
    };
    assert_eq!(rids(&waiting).await, [103, 102]);
    db.run("UPDATE problems SET pinned_category = 5 WHERE rid = 102", vec![])
        .await;
    let pinned = ProblemFilter {
        category: Some(Category::Compliance),
        ..all.clone()
    };
    assert_eq!(rids(&pinned).await, [102]);
    let by_rule = ProblemFilter {
        category: Some(Category::Auth),
        ..all.clone()
    };
    assert_eq!(rids(&by_rule).await, [103, 101]);
    assert!(matches!(store.problem("x").await, Err(StoreError::NotFound { .. })));
    let page = store.problems(&all).await.expect("reads");
    let last = |n: usize| page.items[n].last_event;
    assert_eq!((last(0), last(2)), (None, Some(event_id(7, NOW + 7_000))));
}

pub(crate) async fn changed_by_people(db: &TestDb) {
    let (store, (one, _)) = (&db.store, three(db).await);
    let first = store
        .problem("00000000-0000-7000-8000-000000000001")
        .await
        .expect("reads");
    assert_eq!(first.last_event, Some(event_id(7, NOW + 7_000)));
    assert_eq!((first.integration_name.as_str(), first.count), ("One", 3));
    let grace = store
        .create_user(
            &permit(Verb::ManageUsers),
            &NewUser {
                email: "grace@example.test".into(),
                name: "Grace".into(),
                password_hash: None,
                operator: false,
            },
            NOW,
        )
        .await
        .expect("adds");
    let write = permit(Verb::TriageProblem);
    let patch = ProblemPatch {
        state: Some(ProblemState::Resolved),
        owner_user_id: Some(Some(grace.id.clone())),
    };
    let stranger = store.patch_problem(&write, &first.id, &patch, 1, NOW).await;
    assert!(matches!(stranger, Err(StoreError::Invalid(_))), "{stranger:?}");
    let project_id = &one.integration.project_id;
    store
        .set_member(&permit(Verb::ManageUsers), project_id, &grace.id, Role::Editor, NOW)
        .await
        .expect("joins");
    let changed = store
        .patch_problem(&write, &first.id, &patch, 1, NOW)
        .await
        .expect("changes");
    assert_eq!(
        (changed.state, changed.resolved_at),
        (ProblemState::Resolved, Some(NOW))
    );
    assert_eq!((changed.owner_name.as_deref(), changed.version), (Some("Grace"), 2));
    let stale = store.patch_problem(&write, &first.id, &patch, 1, NOW).await;
    let Err(StoreError::Conflict { current, .. }) = stale else {
        panic!("{stale:?}")
    };
    assert_eq!(*current, Current::Problem(changed));
    let clear = ProblemPatch {
        state: Some(ProblemState::Ignored),
        owner_user_id: Some(None),
    };
    let ignored = store
        .patch_problem(&write, &first.id, &clear, 2, NOW)
        .await
        .expect("changes");
    assert_eq!((ignored.owner_user_id, ignored.resolved_at), (None, None));
}
