//! The audit log: gapless, chained, and telling when it was touched.

use lk_core::access::{Actor, Verb};
use lk_core::time::HOUR;
use lk_store::{AuditFilter, AuditProblem, NewProject, Refusal, Store, StoreError};
use sea_orm::Value;

use crate::harness::{NOW, TestDb, permit};

async fn write_rows(db: &TestDb, count: usize) {
    for n in 0..count {
        let new = NewProject {
            slug: format!("project-{n}"),
            name: format!("Project {n}"),
            owner: None,
        };
        let write = permit(Verb::CreateProject);
        let at = NOW + n as i64 * HOUR;
        db.store.create_project(&write, &new, at).await.expect("makes it");
    }
}

pub(crate) fn of_project(id: &str) -> AuditFilter {
    AuditFilter {
        project_id: Some(id.to_owned()),
        ..AuditFilter::default()
    }
}

async fn found(db: &TestDb) -> Option<AuditProblem> {
    db.store.check_audit_log().await.expect("checks").problem
}

pub(crate) async fn a_whole_log_is_whole(db: &TestDb) {
    let empty = db.store.check_audit_log().await.expect("checks");
    assert_eq!((empty.rows, empty.head, empty.problem), (0, None, None));
    write_rows(db, 5).await;
    let refusal = Refusal {
        actor: Actor::CommandLine,
        source: None,
        project_id: None,
        action: "api_key.manage".into(),
        target: String::new(),
        summary: "no".repeat(5_000),
        result: "denied",
    };
    db.store.note_refusal(&refusal, NOW).await.expect("writes");
    let whole = db.store.check_audit_log().await.expect("checks");
    assert_eq!((whole.rows, whole.problem), (6, None));
    let (seq, hash) = whole.head.expect("rows");
    assert_eq!(db.store.audit_hash(seq).await.expect("reads"), Some(hash));
    let rows = db
        .store
        .audit_log(&AuditFilter::default(), None, 100)
        .await
        .expect("reads");
    let seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    assert_eq!(seqs, [6, 5, 4, 3, 2, 1]);
    assert!(rows[0].summary.chars().count() <= 2_001);
}

pub(crate) async fn a_failed_write_leaves_no_gap(db: &TestDb) {
    write_rows(db, 2).await;
    let new = NewProject {
        slug: "project-0".into(),
        name: "Again".into(),
        owner: None,
    };
    let again = db.store.create_project(&permit(Verb::CreateProject), &new, NOW).await;
    assert!(matches!(again, Err(StoreError::Taken { .. })));
    let refusal = db.store.create_project(&permit(Verb::ManageKeys), &new, NOW).await;
    assert!(refusal.is_err());
    let new = NewProject {
        slug: "third".into(),
        ..new
    };
    db.store
        .create_project(&permit(Verb::CreateProject), &new, NOW)
        .await
        .expect("makes it");
    let whole = db.store.check_audit_log().await.expect("checks");
    assert_eq!((whole.rows, whole.problem), (3, None));
}

pub(crate) async fn each_edited_field_shows(db: &TestDb) {
    write_rows(db, 4).await;
    for (column, value) in [
        ("at", Value::from(1_i64)),
        ("actor_kind", Value::from("system")),
        ("actor_id", Value::from("eve")),
        ("actor_name", Value::from("Eve")),
        ("project_id", Value::from(None::<String>)),
        ("action", Value::from("project.deleted")),
        ("target", Value::from("other")),
        ("summary", Value::from("nothing happened")),
        ("result", Value::from("denied")),
        ("source", Value::from("198.51.100.1")),
        ("hash", Value::from(vec![7_u8; 32])),
    ] {
        db.run("CREATE TABLE kept AS SELECT * FROM admin_logs", vec![]).await;
        let sql = format!("UPDATE admin_logs SET {column} = $1 WHERE seq = 2");
        assert_eq!(db.run(&sql, vec![value]).await, 1);
        assert_eq!(found(db).await, Some(AuditProblem::Edited(2)), "{column}");
        let sql = format!("UPDATE admin_logs SET {column} = (SELECT {column} FROM kept WHERE seq = 2) WHERE seq = 2");
        db.run(&sql, vec![]).await;
        db.run("DROP TABLE kept", vec![]).await;
        assert_eq!(found(db).await, None, "{column} put back");
    }
}

pub(crate) async fn missing_rows_show_wherever_they_were(db: &TestDb) {
    write_rows(db, 6).await;
    db.run("DELETE FROM admin_logs WHERE seq = 6", vec![]).await;
    assert_eq!(found(db).await, Some(AuditProblem::Truncated(5)), "the newest");
    db.run("DELETE FROM admin_logs WHERE seq = 3", vec![]).await;
    assert_eq!(found(db).await, Some(AuditProblem::Missing(3)), "one in the middle");
    // Closing the gap by counting anew does not help: the number is part of what is hashed.
    for seq in [4, 5] {
        db.run(
            "UPDATE admin_logs SET seq = seq - 1 WHERE seq = $1",
            vec![Value::from(i64::from(seq))],
        )
        .await;
    }
    assert_eq!(found(db).await, Some(AuditProblem::Edited(3)));
    db.run("DELETE FROM admin_logs WHERE seq = 1", vec![]).await;
    assert_eq!(found(db).await, Some(AuditProblem::Missing(1)), "the first");
    db.run("DELETE FROM admin_logs", vec![]).await;
    assert_eq!(found(db).await, Some(AuditProblem::Truncated(0)), "all");
}

/// Filters, and the rows of [`write_rows`] that they choose.
fn filters() -> Vec<(AuditFilter, Vec<i64>)> {
    let all = AuditFilter::default();
    vec![
        (
            AuditFilter {
                actor: Some("ada".into()),
                ..all.clone()
            },
            vec![4, 3, 2, 1],
        ),
        (
            AuditFilter {
                actor: Some("AD".into()),
                ..all.clone()
            },
            vec![4, 3, 2, 1],
        ),
        (
            AuditFilter {
                actor: Some("bob".into()),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditFilter {
                action: Some("project.".into()),
                ..all.clone()
            },
            vec![4, 3, 2, 1],
        ),
        (
            AuditFilter {
                action: Some("%".into()),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditFilter {
                result: Some("denied".into()),
                ..all.clone()
            },
            vec![],
        ),
        (
            AuditFilter {
                from: Some(NOW + HOUR),
                to: Some(NOW + 3 * HOUR),
                ..all.clone()
            },
            vec![3, 2],
        ),
        (
            AuditFilter {
                text: Some("PROJECT 3".into()),
                ..all.clone()
            },
            vec![4],
        ),
        (
            AuditFilter {
                text: Some("_".into()),
                ..all.clone()
            },
            vec![],
        ),
    ]
}

pub(crate) async fn the_chain_cannot_be_made_to_begin_later(db: &TestDb) {
    write_rows(db, 4).await;
    let head = |begins_after: i64, hash: &'static str| {
        let sql = format!("UPDATE audit_head SET begins_after = {begins_after}, hash = {hash}");
        async move { db.run(&sql, vec![]).await }
    };
    let empty = if db.store.sqlite_path().is_some() {
        "X''"
    } else {
        "''::bytea"
    };
    // Everything so far declared older than the chain.
    db.run("UPDATE admin_logs SET summary = 'x' WHERE seq = 2", vec![])
        .await;
    head(4, empty).await;
    assert_eq!(found(db).await, Some(AuditProblem::Unanchored(5)));
    let new = NewProject {
        slug: "after".into(),
        name: "After".into(),
        owner: None,
    };
    let write = permit(Verb::CreateProject);
    db.store.create_project(&write, &new, NOW).await.expect("makes it");
    assert_eq!(
        found(db).await,
        Some(AuditProblem::Unanchored(5)),
        "an ordinary row is no beginning"
    );
    // Begun anew by the command, it says so.
    db.store.restart_audit_log(NOW).await.expect("restarts");
    let again = Store::open(&db.config, db.key.clone(), NOW).await.expect("opens");
    let check = again.check_audit_log().await.expect("checks");
    assert_eq!((check.problem, check.begins_after, check.rows), (None, 5, 1));
    again.close().await.expect("closes");
}

pub(crate) async fn rows_put_in_beside_the_chain_show(db: &TestDb) {
    write_rows(db, 2).await;
    let put = async |seq: i64| {
        let sql = "INSERT INTO admin_logs (seq, at, actor_kind, actor_name, action, target, summary, result)
                   VALUES ($1, 1, 'user', 'Mallory', 'a.b', 't', 's', 'ok')";
        db.run(sql, vec![Value::from(seq)]).await;
    };
    put(1_000).await;
    assert_eq!(found(db).await, Some(AuditProblem::Foreign(1_000)));
    db.run("DELETE FROM admin_logs WHERE seq = 1000", vec![]).await;
    put(-5).await;
    assert_eq!(found(db).await, Some(AuditProblem::Foreign(-5)));
}

pub(crate) async fn filters_find_their_rows(db: &TestDb) {
    write_rows(db, 4).await;
    let project = db.store.project("project-2").await.expect("reads");
    let find = async |filter: AuditFilter| {
        let rows = db.store.audit_log(&filter, None, 100).await.expect("reads");
        rows.iter().map(|row| row.seq).collect::<Vec<_>>()
    };
    assert_eq!(find(of_project(&project.id)).await, [3]);
    for (filter, expected) in filters() {
        let found = find(filter.clone()).await;
        assert_eq!(found, expected, "{filter:?}");
    }
    let page = db
        .store
        .audit_log(&AuditFilter::default(), Some(3), 1)
        .await
        .expect("reads");
    assert_eq!(page[0].seq, 2);
}
