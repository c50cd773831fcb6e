//! Event queries: filters, pages, bounds, the tail, one event.

use lk_core::Time;
use lk_core::access::Verb;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::time::MINUTE;
use lk_core::words::{Category, EventKind, Outcome, Severity};
use lk_store::{
    EventFilter, EventPage, LOOKUP_LIMIT, MERGE_LIMIT, NewProject, OutcomeFilter, SCAN_LIMIT, StoreError, TypeFilter,
    event_id,
};

use crate::harness::{NOW, RawEvent, TestDb, permit};

async fn seqs(db: &TestDb, filter: &EventFilter) -> Vec<i64> {
    let page = db
        .store
        .events(filter)
        .await
        .unwrap_or_else(|e| panic!("{filter:?}: {e}"));
    page.items.iter().map(|event| event.seq).collect()
}

/// Six events of two integrations, one of each sort.
async fn six(db: &TestDb) -> (ProjectRid, EventFilter) {
    let one = db.connect("acme", "One").await;
    let two = db.connect("bolt", "Two").await;
    let (problem, _) = db.put_problem(&one, 1).await;
    let mut failed = RawEvent::failed(2, &one);
    failed.problem = Some(problem);
    let mut odd = RawEvent::failed(4, &two);
    (odd.category, odd.severity, odd.event_type) = (Some(1), Some(0), "rate.limited");
    odd.message = "100% of the_quota \\ used".into();
    odd.code = None;
    let mut neutral = RawEvent::ok(5, &two);
    (neutral.outcome, neutral.kind, neutral.event_type) = (None, 4, "webhook_secret.added");
    let events = [
        RawEvent::ok(1, &one),
        failed,
        RawEvent::ok(3, &two),
        odd,
        neutral,
        RawEvent::failed(6, &two),
    ];
    db.put(&events).await;
    let project = one.integration.project_rid;
    (project, EventFilter::all(project, 50))
}

pub(crate) async fn each_filter_finds_its_events(db: &TestDb) {
    let (project, all) = six(db).await;
    let rid = |n: usize| async move { db.store.integrations(project).await.expect("reads")[n].rid };
    let (one, two) = (rid(0).await, rid(1).await);
    let with = |change: &dyn Fn(&mut EventFilter)| {
        let mut filter = all.clone();
        change(&mut filter);
        filter
    };
    let is = |outcome| Some(OutcomeFilter::Is(outcome));
    let text = |q: &str| Some(q.to_owned());
    let kind = |t: &str| Some(TypeFilter::parse(t));
    let cases: Vec<(EventFilter, &[i64])> = vec![
        (all.clone(), &[6, 5, 4, 3, 2, 1]),
        (with(&|f| f.integrations = Some(vec![one])), &[2, 1]),
        (with(&|f| f.integrations = Some(vec![two])), &[6, 5, 4, 3]),
        (with(&|f| f.integrations = Some(vec![two, one])), &[6, 5, 4, 3, 2, 1]),
        (with(&|f| f.integrations = Some(vec![])), &[]),
        (with(&|f| f.outcome = is(Outcome::Failure)), &[6, 4, 2]),
        (with(&|f| f.outcome = is(Outcome::Success)), &[3, 1]),
        (with(&|f| f.outcome = Some(OutcomeFilter::Neutral)), &[5]),
        (with(&|f| f.category = Some(Category::Auth)), &[6, 2]),
        (with(&|f| f.severity = Some(Severity::Low)), &[4]),
        (with(&|f| f.kind = Some(EventKind::Credential)), &[5]),
        (with(&|f| f.event_type = kind("rate.limited")), &[4]),
        (with(&|f| f.event_type = kind("thing.*")), &[6, 3, 2, 1]),
        (with(&|f| f.event_type = kind("*")), &[6, 5, 4, 3, 2, 1]),
        (with(&|f| f.event_type = kind("thing")), &[]),
        (with(&|f| f.q = text("TOKEN")), &[6, 2]),
        (with(&|f| f.q = text("e401")), &[6, 2]),
        (with(&|f| f.q = text("secret.")), &[5]),
        (with(&|f| f.q = text("100% OF THE_")), &[4]),
        (with(&|f| f.q = text("the%quota")), &[]),
        (with(&|f| f.q = text("\\ used")), &[4]),
        (with(&|f| f.from = Some(NOW + 3_000)), &[6, 5, 4, 3]),
        (with(&|f| f.to = Some(NOW + 3_000)), &[2, 1]),
        (with(&|f| f.before = Some(3)), &[2, 1]),
        (with(&|f| (f.limit, f.outcome) = (1, is(Outcome::Failure))), &[6]),
        (
            with(&|f| (f.integrations, f.outcome) = (Some(vec![two]), is(Outcome::Failure))),
            &[6, 4],
        ),
        (
            with(&|f| (f.outcome, f.category) = (is(Outcome::Success), Some(Category::Auth))),
            &[],
        ),
        (
            with(&|f| (f.q, f.severity) = (text("quota"), Some(Severity::Low))),
            &[4],
        ),
    ];
    for (filter, expected) in &cases {
        assert_eq!(seqs(db, filter).await, *expected, "{filter:?}");
    }
    // More integrations than are merged: they are filtered out of the table instead.
    let mut rids: Vec<_> = (900..=900 + MERGE_LIMIT as i64).map(IntegrationRid).collect();
    rids.push(one);
    let crowd = with(&|f| f.integrations = Some(rids.clone()));
    assert_eq!(seqs(db, &crowd).await, [2, 1]);
    let failures = EventFilter {
        outcome: is(Outcome::Failure),
        ..crowd
    };
    assert_eq!(seqs(db, &failures).await, [2]);
}

pub(crate) async fn rows_carry_the_names_people_know(db: &TestDb) {
    let (_, all) = six(db).await;
    let page = db.store.events(&all).await.expect("reads");
    let failed = &page.items[4];
    assert_eq!(
        (failed.integration_name.as_str(), failed.provider.as_str()),
        ("One", "acme")
    );
    assert_eq!(
        failed.problem_id.as_deref(),
        Some("00000000-0000-7000-8000-000000000001")
    );
    assert_eq!(failed.id, event_id(2, failed.received_at));
    assert_eq!(
        (failed.outcome, failed.severity),
        (Some(Outcome::Failure), Some(Severity::High))
    );
    assert_eq!((failed.transient, failed.confidence), (Some(false), Some(90)));
}

/// Walks all pages.
async fn walk(db: &TestDb, filter: &EventFilter) -> (Vec<i64>, usize) {
    let (mut filter, mut all, mut pages) = (filter.clone(), Vec::new(), 0);
    loop {
        let EventPage {
            items,
            next,
            scanned_to,
        } = db.store.events(&filter).await.expect("reads");
        assert!(items.iter().all(|e| e.seq >= scanned_to));
        all.extend(items.iter().map(|e| e.seq));
        pages += 1;
        assert!(pages < 100, "the walk ends");
        match next {
            Some(next) => filter.before = Some(next),
            None => return (all, pages),
        }
    }
}

pub(crate) async fn pages_join_without_gap_or_overlap(db: &TestDb) {
    let (_, all) = six(db).await;
    for limit in 1..=7 {
        let filter = EventFilter { limit, ..all.clone() };
        assert_eq!(walk(db, &filter).await.0, [6, 5, 4, 3, 2, 1], "{limit} a page");
        let failures = EventFilter {
            category: Some(Category::Auth),
            ..filter
        };
        assert_eq!(walk(db, &failures).await.0, [6, 2], "{limit} a page");
    }
}

/// Many events, put in by the database itself.
async fn fill(db: &TestDb, rows: i64, project: ProjectRid, integration: i64, outcome: Option<i16>) {
    db.run(
        "INSERT INTO integration_events (seq, project_rid, integration_rid, occurred_at,
           received_at, kind, outcome, flags, event_type, message)
         WITH RECURSIVE n(seq) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT seq + 1 FROM n WHERE seq < $1)
         SELECT seq, $2, $3, $4 + seq, $4 + seq, 0, $5, 0, 'bulk', 'row' FROM n",
        vec![
            rows.into(),
            project.0.into(),
            integration.into(),
            NOW.ms().into(),
            outcome.into(),
        ],
    )
    .await;
}

pub(crate) async fn a_page_says_how_far_it_looked(db: &TestDb) {
    let one = db.connect("acme", "One").await;
    let (project, rid) = (one.integration.project_rid, one.integration.rid);
    let rows = SCAN_LIMIT + 500;
    fill(db, rows, project, rid.0, Some(1)).await;
    db.run(
        "UPDATE integration_events SET message = 'needle', category = 0 WHERE seq = 10",
        vec![],
    )
    .await;
    let q = EventFilter {
        q: Some("needle".into()),
        ..EventFilter::all(project, 50)
    };
    let by_table = q.clone();
    let by_failures = EventFilter {
        category: Some(Category::Auth),
        q: None,
        ..q.clone()
    };
    let by_integration = EventFilter {
        integrations: Some(vec![rid]),
        ..q
    };
    for (filter, reach, in_pages) in [
        (by_table, SCAN_LIMIT, 2),
        (by_failures, LOOKUP_LIMIT, 3),
        (by_integration, LOOKUP_LIMIT, 3),
    ] {
        let first = db.store.events(&filter).await.expect("reads");
        assert!(first.items.is_empty(), "{filter:?}");
        let looked = rows + 1 - first.scanned_to;
        assert!((reach..=reach + 1).contains(&looked), "{looked} rows: {filter:?}");
        assert_eq!(first.next, Some(first.scanned_to));
        let (found, pages) = walk(db, &filter).await;
        assert_eq!((found, pages), (vec![10], in_pages), "{filter:?}");
    }
    // What needs no looking inside is not bounded.
    let plain = EventFilter {
        integrations: Some(vec![rid]),
        ..EventFilter::all(project, 50)
    };
    let page = db.store.events(&plain).await.expect("reads");
    assert_eq!((page.items.len(), page.next), (50, Some(rows - 49)));
}

pub(crate) async fn times_are_found_without_an_index(db: &TestDb) {
    let one = db.connect("acme", "One").await;
    let project = one.integration.project_rid;
    // One event a minute, with holes in the numbers.
    let events: Vec<RawEvent> = (1..=40)
        .filter(|n| n % 7 != 0)
        .map(|n| RawEvent {
            at: NOW + n * MINUTE,
            ..RawEvent::ok(n * 3, &one)
        })
        .collect();
    db.put(&events).await;
    for (from, to) in [
        (0, 50),
        (5, 6),
        (6, 8),
        (7, 8),
        (30, 60),
        (41, 90),
        (-9, 1),
        (12, 12),
        (20, 10),
    ] {
        let (from, to) = (NOW + from * MINUTE, NOW + to * MINUTE);
        let filter = EventFilter {
            from: Some(from),
            to: Some(to),
            ..EventFilter::all(project, 200)
        };
        let expected: Vec<i64> = events
            .iter()
            .filter(|e| e.at >= from && e.at < to)
            .map(|e| e.seq)
            .rev()
            .collect();
        assert_eq!(seqs(db, &filter).await, expected, "{from:?} to {to:?}");
        assert_eq!(walk(db, &EventFilter { limit: 3, ..filter }).await.0, expected);
    }
    let empty = EventFilter::all(ProjectRid(999), 10);
    assert!(seqs(db, &empty).await.is_empty());
}

pub(crate) async fn projects_do_not_mix(db: &TestDb) {
    let none = EventFilter::all(db.project().await.rid, 10);
    assert!(seqs(db, &none).await.is_empty(), "an empty journal");
    let one = db.connect("acme", "One").await;
    let new = NewProject {
        slug: "other".into(),
        name: "Other".into(),
        owner: None,
    };
    let other = db
        .store
        .create_project(&permit(Verb::CreateProject), &new, NOW)
        .await
        .expect("ok");
    let two = db.connect_in(&other, "acme", "Two").await;
    db.put(&[
        RawEvent::failed(1, &one),
        RawEvent::failed(2, &two),
        RawEvent::ok(3, &one),
    ])
    .await;
    let mine = EventFilter::all(one.integration.project_rid, 10);
    assert_eq!(seqs(db, &mine).await, [3, 1]);
    let foreign = EventFilter {
        integrations: Some(vec![two.integration.rid]),
        ..mine.clone()
    };
    assert!(seqs(db, &foreign).await.is_empty());
    let failures = EventFilter {
        outcome: Some(OutcomeFilter::Is(Outcome::Failure)),
        ..mine
    };
    assert_eq!(seqs(db, &failures).await, [1]);
    let id = event_id(2, NOW + 2_000).to_string();
    let foreign = db.store.event(one.integration.project_rid, &id).await;
    assert!(matches!(foreign, Err(StoreError::NotFound { .. })), "{foreign:?}");
    assert_eq!(db.store.event(other.rid, &id).await.expect("reads").event.seq, 2);
}

pub(crate) async fn one_event_with_its_payload_and_its_like(db: &TestDb) {
    let (project, _) = six(db).await;
    let problem: i64 = 101;
    db.run(
        "UPDATE integration_events SET problem_rid = $1 WHERE seq IN (2, 4, 6)",
        vec![problem.into()],
    )
    .await;
    db.run(
        "INSERT INTO integration_event_payloads (seq, headers, body, body_bytes, body_hash, content_type)
         VALUES (4, '{\"a\":\"b\"}', '{}', 2, $1, 'application/json')",
        vec![vec![7_u8; 32].into()],
    )
    .await;
    let id = event_id(4, NOW + 4_000).to_string();
    let detail = db.store.event(project, &id).await.expect("reads");
    let payload = detail.payload.expect("has one");
    assert_eq!(
        (payload.headers.as_str(), payload.body.as_deref()),
        (r#"{"a":"b"}"#, Some("{}"))
    );
    assert_eq!((payload.body_bytes, payload.body_hash), (2, vec![7; 32]));
    let like = db.store.similar_events(problem, 4, 5).await.expect("reads");
    assert_eq!(like.iter().map(|e| e.seq).collect::<Vec<_>>(), [6, 2]);
    let bare = db
        .store
        .event(project, &event_id(5, NOW + 5_000).to_string())
        .await
        .expect("reads");
    assert!(bare.payload.is_none());
    for wrong in [
        event_id(4, Time(1)).to_string(),
        event_id(99, NOW).to_string(),
        "x".into(),
    ] {
        let missing = db.store.event(project, &wrong).await;
        assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{wrong}");
    }
}

pub(crate) async fn the_tail_sees_all_in_order(db: &TestDb) {
    assert_eq!(db.store.last_seq().await.expect("reads"), 0);
    let (project, _) = six(db).await;
    assert_eq!(db.store.last_seq().await.expect("reads"), 6);
    let tail = async |after, limit| {
        let events = db.store.events_after(after, limit).await.expect("reads");
        events.iter().map(|e| e.seq).collect::<Vec<_>>()
    };
    assert_eq!(tail(0, 4).await, [1, 2, 3, 4]);
    assert_eq!(tail(4, 4).await, [5, 6]);
    assert!(tail(6, 4).await.is_empty());
    let two = db.store.integrations(project).await.expect("reads")[1].rid;
    let latest = db.store.latest_events(two, 3).await.expect("reads");
    assert_eq!(latest.iter().map(|e| e.seq).collect::<Vec<_>>(), [6, 5, 4]);
}
