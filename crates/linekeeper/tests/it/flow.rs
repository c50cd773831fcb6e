//! What people and providers do, end to end, on both databases.

use serde_json::{Value, json};

use crate::harness::{Connected, Postgres, Server, eventually, sign};

async fn health_becomes(server: &Server, to: &Connected, wanted: &str) -> Value {
    eventually(&format!("health {wanted}"), || async {
        let shown = server.get(&format!("/api/integrations/{}", to.id)).await;
        (shown["health"] == wanted).then_some(shown)
    })
    .await
}

/// Requirement S0's flow: a failing webhook becomes an explained event and a problem that people
/// judge and close.
async fn a_failure_is_explained_and_handled(server: &Server) {
    let to = server.connect("standard_webhooks", &[]);
    let failed = |n: u32| {
        json!({ "type": "payroll.failed", "data": { "n": n },
                "error": { "code": "invalid_grant", "message": "The refresh token is invalid" } })
    };
    for n in 0..3 {
        assert_eq!(server.deliver(&to, &format!("msg_{n}"), &failed(n)).await, Some(200));
    }
    let shown = health_becomes(server, &to, "down").await;
    assert_eq!(shown["openProblems"], 1);
    let page = server.get("/api/events?status=failure&category=auth&limit=10").await;
    let event = &page["items"][0];
    assert_eq!(page["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(event["classification"]["category"], "auth");
    for part in ["cause", "suggestedFix", "businessImpact"] {
        assert!(
            event["classification"][part].as_str().is_some_and(|t| !t.is_empty()),
            "{part}"
        );
    }
    let id = event["id"].as_str().expect("an id");
    let feedback = json!({ "helpful": true, "category": "configuration" });
    let response = server
        .call("POST", &format!("/api/events/{id}/feedback"), Some(&feedback))
        .await;
    assert_eq!(response.status, 200);
    let detail = server.get(&format!("/api/events/{id}")).await;
    assert_eq!(detail["feedback"]["helpful"], true);
    assert_eq!(detail["similar"].as_array().map(Vec::len), Some(2));
    // The correction pins the fingerprint: the next of its kind is called what people call it.
    assert_eq!(server.deliver(&to, "msg_9", &failed(9)).await, Some(200));
    let newest = server.get("/api/events?limit=1").await["items"][0].clone();
    assert_eq!(newest["classification"]["category"], "configuration");
    assert_eq!(newest["classification"]["source"], "pin");
    let problem = server.get("/api/problems").await["items"][0].clone();
    assert_eq!(problem["count"], 4);
    let path = format!("/api/problems/{}", problem["id"].as_str().expect("an id"));
    let close = json!({ "state": "resolved", "version": problem["version"] });
    assert_eq!(server.call("PATCH", &path, Some(&close)).await.status, 200);
    let stale = server.call("PATCH", &path, Some(&close)).await;
    assert_eq!(
        stale.status, 409,
        "a second person's change on an old version is refused"
    );
    assert_eq!(server.deliver(&to, "msg_10", &failed(10)).await, Some(200));
    let reopened = server.get("/api/problems").await["items"][0].clone();
    assert_eq!((&reopened["state"], &reopened["count"]), (&json!("open"), &json!(5)));
    let paid = json!({ "type": "payroll.paid", "status": "success" });
    assert_eq!(server.deliver(&to, "msg_11", &paid).await, Some(200));
    health_becomes(server, &to, "healthy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    a_failure_is_explained_and_handled(&Server::start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres() {
    let database = Postgres::create();
    a_failure_is_explained_and_handled(&Server::start_on(Some(database.url.clone()))).await;
}

/// Two servers on one database: what one receives the other shows, whoever was asked to connect it,
/// and a delivery repeated at the other is still stored once.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_one_database() {
    let database = Postgres::create();
    let one = Server::start_on(Some(database.url.clone()));
    let other = Server::beside(&one);
    let to = one.connect("standard_webhooks", &[]);
    for n in 0..20 {
        let body = json!({ "type": "invoice.paid", "status": "success", "data": { "n": n } });
        for server in [&one, &other, &one] {
            assert_eq!(server.deliver(&to, &format!("msg_{n}"), &body).await, Some(200));
        }
    }
    for server in [&one, &other] {
        let shown = eventually("the same record everywhere", || async {
            let shown = server.get(&format!("/api/integrations/{}", to.id)).await;
            (shown["record24h"]["total"] == 20).then_some(shown)
        })
        .await;
        assert_eq!(shown["health"], "healthy");
        assert_eq!(server.events().await.len(), 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_not_verified_is_explained_and_leaves_nothing() {
    let server = Server::start();
    let to = server.connect("standard_webhooks", &[]);
    let body = json!({ "type": "invoice.paid" }).to_string();
    let wrong = Connected {
        secret: Some("whsec_bm90IHRoZSByaWdodCBzZWNyZXQgYXQgYWxs".into()),
        ..to.clone()
    };
    let headers = sign(&wrong, "msg_1", body.as_bytes());
    assert_eq!(server.post(&to.path, headers, body.as_bytes()).await, Ok(401));
    let mut twice = sign(&to, "msg_2", body.as_bytes());
    twice.extend(twice.clone());
    assert_eq!(server.post(&to.path, twice, body.as_bytes()).await, Ok(401));
    let pretty = "{\n  \"type\": \"invoice.paid\"\n}";
    let headers = sign(&to, "msg_3", body.as_bytes());
    assert_eq!(server.post(&to.path, headers, pretty.as_bytes()).await, Ok(401));
    let path = format!("/api/integrations/{}/rejections", to.id);
    let reasons = eventually("three counted refusals", || async {
        let items = server.get(&path).await["items"].as_array().cloned().unwrap_or_default();
        let count: u64 = items.iter().filter_map(|i| i["count"].as_u64()).sum();
        (count == 3).then_some(items)
    })
    .await;
    let hints = Value::from(reasons).to_string();
    assert!(
        hints.contains("re-serialised"),
        "the changed body is explained: {hints}"
    );
    assert!(server.events().await.is_empty());
    let wrong_key = format!("{}x", to.path);
    let known = server.call("POST", &wrong_key, None).await;
    let unknown = server.call("POST", "/webhooks/no_such_provider/key", None).await;
    assert_eq!((known.status, unknown.status), (404, 404));
    assert_eq!(
        known.body, unknown.body,
        "a wrong key and a wrong provider get the same words"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_work_beside_a_running_server() {
    let server = Server::start();
    let to = server.connect("github", &[]);
    let list = server.run(&["integration", "list"], "");
    assert!(list.contains(&to.id), "{list}");
    let body = json!({ "action": "completed", "zen": "x" });
    assert_eq!(
        server.deliver(&to, "d-1", &body).await,
        Some(200),
        "the server knows it at once"
    );
    let lines = server.run(&["export"], "");
    assert_eq!(lines.lines().count(), 1);
    assert!(server.run(&["replay", "--dry-run"], "").contains("looked at"));
    let weak = server.try_run(
        &["user", "add", "--email", "a@example.com", "--password-stdin"],
        "short",
    );
    assert_eq!(weak.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&weak.stderr).starts_with("linekeeper: "));
    let inside = [
        "integration",
        "add",
        "--provider",
        "github",
        "--set",
        "base_url=http://127.0.0.1:9/",
    ];
    let guarded = server.try_run_with(&inside, "", &[("LINEKEEPER_ALLOW_PRIVATE_TARGETS", "false")]);
    assert_eq!(guarded.status.code(), Some(1));
    let said = String::from_utf8_lossy(&guarded.stderr).into_owned();
    assert!(
        said.contains("`settings.base_url` is refused: 127.0.0.1 leads to a private"),
        "{said}"
    );
    let usage = server.try_run(&["key", "create"], "");
    assert_eq!(usage.status.code(), Some(2));
    let password = "correct horse battery staple";
    server.run(
        &[
            "user",
            "add",
            "--email",
            "mia@example.com",
            "--operator",
            "--password-stdin",
        ],
        password,
    );
    let sign_in = json!({ "email": "mia@example.com", "password": password });
    assert_eq!(server.call("POST", "/api/session", Some(&sign_in)).await.status, 200);
}
