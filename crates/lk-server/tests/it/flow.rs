//! What people and providers do, from the first delivery to the mark on its explanation.

use lk_core::words::Role;
use serde_json::json;

use crate::harness::{As, TestServer};

const EDITOR: As = As::Role(Role::Editor);
const VIEWER: As = As::Role(Role::Viewer);

#[tokio::test]
async fn a_failing_delivery_is_explained_and_marked() {
    let server = TestServer::start().await;
    let created = server.connect().await;
    let body =
        json!({"id": "d1", "type": "payroll.failed", "message": "The access token expired", "code": "token_expired"});
    let answer = server.deliver(&created, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let again = server.deliver(&created, &body).await;
    assert_eq!(again.status, 200, "a repeated delivery is fine");

    let list = server
        .get("/api/events?status=failure&provider=sample&q=token")
        .await
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    let event = &list["items"][0];
    assert_eq!(event["integration"], "sample");
    assert_eq!(event["status"], "failure");
    assert_eq!(event["error"]["code"], "token_expired");
    assert_eq!(
        event["timestamp"].as_str().unwrap().len(),
        "2026-03-01T07:00:00.000Z".len()
    );
    assert!(event["classification"]["confidence"].as_f64().unwrap() <= 1.0);
    server.shown(event["seq"].as_i64().unwrap()).await;

    let id = event["id"].as_str().unwrap();
    let detail = server.call(VIEWER, "GET", &format!("/api/events/{id}"), None).await;
    assert_eq!(detail.status, 200, "{}", detail.text);
    let detail = detail.json();
    assert_eq!(detail["payload"]["type"], "payroll.failed");
    assert_eq!(detail["problem"]["count"], 1);
    assert_eq!(detail["problem"]["lastEventId"], *id);
    assert_eq!(detail["feedback"]["helpful"], json!(null));
    assert!(detail["payloadHash"].as_str().unwrap().len() == 64);

    let path = format!("/api/events/{id}/feedback");
    let mark = json!({"helpful": true, "category": "configuration"});
    let marked = server.call(EDITOR, "POST", &path, Some(mark)).await;
    assert_eq!(marked.status, 200, "{}", marked.text);
    let detail = server
        .call(EDITOR, "GET", &format!("/api/events/{id}"), None)
        .await
        .json();
    assert_eq!(detail["feedback"]["helpful"], true);
    assert_eq!(detail["classification"]["category"], "configuration");
    assert_eq!(detail["classification"]["source"], "pin");

    let overview = server.get("/api/overview").await.json();
    assert_eq!(overview["helpful"], json!({"yes": 1, "no": 0}));
    assert_eq!(overview["events24h"]["failures"], 1);
    assert_eq!(overview["events24h"]["perHour"].as_array().unwrap().len(), 24);
    assert_eq!(overview["openProblems"], 1);
}

#[tokio::test]
async fn a_problem_is_triaged_and_a_stale_change_refused() {
    let server = TestServer::start().await;
    let created = server.connect().await;
    let body = json!({"id": "d1", "type": "payroll.failed", "message": "no", "code": "x"});
    server.deliver(&created, &body).await;
    let problem = server.get("/api/problems?state=open").await.json()["items"][0].clone();
    let path = format!("/api/problems/{}", problem["id"].as_str().unwrap());
    let version = problem["version"].as_i64().unwrap();
    let owner = server.person("p@example.com", Role::Editor).await;
    let change = json!({"state": "acknowledged", "ownerId": owner, "version": version});
    let changed = server.call(EDITOR, "PATCH", &path, Some(change.clone())).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.json()["owner"]["name"], "Person");
    let stale = server.call(EDITOR, "PATCH", &path, Some(change)).await;
    assert_eq!((stale.status.as_u16(), stale.error().as_str()), (409, "stale_version"));
    let version = changed.json()["version"].clone();
    let cleared = json!({"ownerId": null, "version": version});
    let cleared = server.call(EDITOR, "PATCH", &path, Some(cleared)).await.json();
    assert_eq!(cleared["owner"], json!(null));
    assert_eq!(cleared["state"], "acknowledged");
}

#[tokio::test]
async fn an_integration_lives_and_dies() {
    let server = TestServer::start().await;
    let created = server.connect().await;
    assert!(created["webhookSecret"].as_str().unwrap().starts_with("tok_"));
    let integration = &created["integration"];
    assert_eq!(integration["health"], "unknown");
    assert_eq!(integration["webhook"]["aliasUrl"], "http://lk.example/webhooks/sample");
    assert_eq!(integration["sparkline"].as_array().unwrap().len(), 24);
    let path = format!("/api/integrations/{}", integration["id"].as_str().unwrap());

    // A viewer sees that there is an address, not the address.
    let seen = server.call(VIEWER, "GET", &path, None).await.json();
    let (masked, whole) = (
        seen["webhook"]["url"].as_str().unwrap(),
        created["webhookUrl"].as_str().unwrap(),
    );
    assert!(masked.contains('…') && masked != whole, "{masked}");

    let admin = As::Role(Role::Admin);
    let change = json!({"name": "Pay", "settings": {"account": "abc"}, "version": integration["version"]});
    let changed = server.call(admin, "PATCH", &path, Some(change)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let detail = server.get(&path).await.json();
    assert_eq!(
        (&detail["name"], &detail["settings"]["account"]),
        (&json!("Pay"), &json!("abc"))
    );
    let wrong = json!({"settings": {"account": "ABC"}, "version": changed.json()["version"]});
    let wrong = server.call(admin, "PATCH", &path, Some(wrong)).await;
    assert!(
        wrong.status == 400 && wrong.text.contains("settings.account"),
        "{}",
        wrong.text
    );
    let off = json!({"enabled": false, "version": changed.json()["version"]});
    let off = server.call(admin, "PATCH", &path, Some(off)).await.json();
    assert_eq!(off["enabled"], false);
    assert_eq!(off["reasons"][0]["code"], "disabled");

    let audit = server.get("/api/audit").await.json();
    let actions: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    assert!(actions.contains(&"integration.updated"), "{actions:?}");

    assert_eq!(server.call(admin, "DELETE", &path, None).await.status, 204);
    assert_eq!(server.get(&path).await.status, 404);
    let gone = server.deliver(&created, &json!({"id": "1", "type": "a.done"})).await;
    assert_eq!(gone.status, 404);
}

#[tokio::test]
async fn secrets_rotate_and_rejections_explain_themselves() {
    let server = TestServer::start().await;
    let created = server.connect().await;
    let admin = As::Role(Role::Admin);
    let base = format!("/api/integrations/{}", created["integration"]["id"].as_str().unwrap());
    let body = json!({"id": "1", "type": "a.done"});
    let refused = server.deliver_with(&created, "wrong", &body).await;
    assert_eq!(
        (refused.status.as_u16(), refused.error().as_str()),
        (401, "delivery_rejected")
    );

    let added = server
        .call(admin, "POST", &format!("{base}/webhook-secrets"), Some(json!({})))
        .await;
    assert_eq!(added.status, 201, "{}", added.text);
    let value = added.json()["value"].as_str().unwrap().to_owned();
    assert_eq!(server.deliver_with(&created, &value, &body).await.status, 200);
    assert_eq!(
        server.deliver(&created, &body).await.status,
        200,
        "the old one still counts"
    );

    let list = server
        .call(admin, "GET", &format!("{base}/webhook-secrets"), None)
        .await;
    assert!(!list.text.contains(&value), "a secret is shown once");
    let id = added.json()["secret"]["id"].as_str().unwrap().to_owned();
    let retire = format!("{base}/webhook-secrets/{id}/retire");
    let retired = server.call(admin, "POST", &retire, Some(json!({}))).await;
    assert_eq!(retired.json()["state"], "retired", "{}", retired.text);
    assert_eq!(server.deliver_with(&created, &value, &body).await.status, 401);

    for _ in 0..200 {
        let rejections = server.get(&format!("{base}/rejections")).await.json();
        if let Some(first) = rejections["items"].as_array().unwrap().first() {
            assert_eq!(first["reason"], "wrong_secret");
            assert!(!first["hint"].as_str().unwrap().is_empty());
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the rejection was not counted");
}

#[tokio::test]
async fn unknown_and_wrong_addresses_are_told_the_same() {
    let server = TestServer::start().await;
    let created = server.connect().await;
    let path = |url: &str| url.strip_prefix("http://lk.example").unwrap().to_owned();
    let key = path(created["webhookUrl"].as_str().unwrap());
    let wrong_provider = key.replace("/sample/", "/other/");
    let mut answers = Vec::new();
    for path in [
        &wrong_provider,
        "/webhooks/sample/nokey",
        "/webhooks/other/nokey",
        "/webhooks/nobody",
    ] {
        let answer = server.call(As::Anonymous, "POST", path, Some(json!({}))).await;
        answers.push((answer.status.as_u16(), answer.text));
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0] && answer.0 == 404),
        "{answers:?}"
    );
    let get = server.call(As::Anonymous, "GET", &key, None).await;
    assert_eq!((get.status.as_u16(), get.error().as_str()), (405, "method_not_allowed"));
}
