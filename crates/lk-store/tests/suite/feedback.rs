//! Feedback on explanations.

use lk_core::access::{Actor, Verb};
use lk_core::observation::ProjectRid;
use lk_core::words::Category;
use lk_store::{Feedback, NewFeedback, StoreError};

use crate::harness::{NOW, RawEvent, TestDb, permit_for};

pub(crate) async fn counts_once_and_pins(db: &TestDb) {
    let (store, one) = (&db.store, db.connect("acme", "One").await);
    let project = one.integration.project_rid;
    let (rid, id) = db.put_problem(&one, 1).await;
    let mut event = RawEvent::failed(1, &one);
    event.problem = Some(rid);
    db.put(&[event, RawEvent::ok(2, &one)]).await;
    let say = async |who: &str, new: NewFeedback| {
        let permit = permit_for(Verb::GiveFeedback, who);
        store.give_feedback(&permit, project, &new, NOW).await
    };
    let helpful = |mark| NewFeedback {
        seq: 1,
        helpful: Some(mark),
        ..Default::default()
    };
    say("ada", helpful(true)).await.expect("says");
    say("ada", helpful(true)).await.expect("says it again");
    say("bob", helpful(false)).await.expect("says");
    let counts = async || {
        let p = store.problem(&id).await.expect("reads");
        (p.helpful, p.not_helpful, p.pinned_category, p.version)
    };
    assert_eq!(counts().await, (1, 1, None, 1));
    say("ada", helpful(false)).await.expect("changes her mind");
    assert_eq!(counts().await, (0, 2, None, 1));
    let correct = NewFeedback {
        seq: 1,
        category: Some(Category::Configuration),
        comment: Some("wrong host".into()),
        ..Default::default()
    };
    let said = say("ada", correct).await.expect("corrects");
    assert_eq!(
        (said.helpful, said.category),
        (Some(false), Some(Category::Configuration))
    );
    assert_eq!(counts().await, (0, 2, Some(Category::Configuration), 2));
    let ada = Actor::User {
        id: "ada".into(),
        name: "Ada".into(),
    };
    let kept = store.feedback(1, &ada).await.expect("reads");
    assert_eq!(kept.comment.as_deref(), Some("wrong host"));
    let nobody = Actor::User {
        id: "eve".into(),
        name: "Eve".into(),
    };
    assert_eq!(store.feedback(1, &nobody).await.expect("reads"), Feedback::default());
    // An event without a problem takes feedback too.
    say(
        "ada",
        NewFeedback {
            seq: 2,
            helpful: Some(true),
            ..Default::default()
        },
    )
    .await
    .expect("ok");
    assert_eq!(store.helpfulness(project).await.expect("reads"), (1, 2));
    let events = store.events_after(0, 10).await.expect("reads");
    assert_eq!(events[0].pinned_category, Some(Category::Configuration));
}

pub(crate) async fn only_events_of_the_project(db: &TestDb) {
    let one = db.connect("acme", "One").await;
    db.put(&[RawEvent::failed(1, &one)]).await;
    let said = NewFeedback {
        seq: 1,
        helpful: Some(true),
        ..Default::default()
    };
    let write = permit_for(Verb::GiveFeedback, "ada");
    let foreign = db.store.give_feedback(&write, ProjectRid(99), &said, NOW).await;
    assert!(matches!(foreign, Err(StoreError::NotFound { .. })), "{foreign:?}");
    assert_eq!(db.count("event_feedback").await, 0);
}
