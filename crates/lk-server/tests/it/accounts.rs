//! Accounts, proof of presence, links, keys and their limits, through the router.

use http::StatusCode;
use lk_core::time::{HOUR, MINUTE};
use lk_core::words::Role;
use lk_server::Config;
use serde_json::{Value, json};

use crate::harness::{Answer, As, NOW, PASSWORD, TestServer};
use crate::totp::code_at;

async fn sign_in(server: &TestServer, email: &str, code: Option<&str>) -> Answer {
    let mut body = json!({"email": email, "password": PASSWORD});
    if let Some(code) = code {
        body["code"] = code.into();
    }
    server.call(As::Anonymous, "POST", "/api/session", Some(body)).await
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.error().as_str()),
        (status, code),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn an_authenticator_is_asked_for_and_its_codes_count_once() {
    let server = TestServer::start().await;
    let id = server.person("ann@example.com", Role::Viewer).await;
    let ann = server.sign_in(&id).await;
    let call = async |method: &str, path: &str, body: Option<Value>| {
        server.send(server.request_by(&ann, method, path, body.as_ref())).await
    };
    let setup = call("POST", "/api/profile/totp", None).await.json();
    let secret = setup["secret"].as_str().unwrap().to_owned();
    assert!(setup["qrSvg"].as_str().unwrap().contains("<svg"));
    // Until a code of it was confirmed it is not asked for.
    assert_eq!(sign_in(&server, "ann@example.com", None).await.status, 200);
    let wrong = call("PUT", "/api/profile/totp", Some(json!({"code": "000000"}))).await;
    refused(&wrong, 401, "bad_code");
    let code = code_at(&secret, NOW);
    let confirmed = call("PUT", "/api/profile/totp", Some(json!({"code": code})))
        .await
        .json();
    let recovery = confirmed["recoveryCodes"][4].as_str().unwrap().to_owned();

    refused(&sign_in(&server, "ann@example.com", None).await, 401, "code_required");
    refused(&sign_in(&server, "ann@example.com", Some(&code)).await, 401, "bad_code");
    server.clock.set(NOW + MINUTE);
    let next = code_at(&secret, NOW + MINUTE);
    assert_eq!(sign_in(&server, "ann@example.com", Some(&next)).await.status, 200);
    refused(&sign_in(&server, "ann@example.com", Some(&next)).await, 401, "bad_code");
    let typed = recovery.to_uppercase().replace('-', " ");
    assert_eq!(sign_in(&server, "ann@example.com", Some(&typed)).await.status, 200);
    refused(
        &sign_in(&server, "ann@example.com", Some(&recovery)).await,
        401,
        "bad_code",
    );
    let profile = call("GET", "/api/profile", None).await.json();
    assert_eq!(
        (
            profile["totp"]["enabled"].as_bool(),
            profile["totp"]["recoveryCodesLeft"].as_i64()
        ),
        (Some(true), Some(9))
    );
    // A clock that went back an hour and was put right does not lock anybody out.
    server.clock.set(NOW - HOUR);
    let early = code_at(&secret, NOW - HOUR);
    assert_eq!(sign_in(&server, "ann@example.com", Some(&early)).await.status, 200);
}

#[tokio::test]
async fn admin_areas_ask_again_and_go_on_after_the_answer() {
    let server = TestServer::start().await;
    let id = server.person("ann@example.com", Role::Admin).await;
    let ann = server.sign_in(&id).await;
    let call = async |method: &str, path: &str, body: Option<Value>| {
        server.send(server.request_by(&ann, method, path, body.as_ref())).await
    };
    assert_eq!(call("GET", "/api/audit", None).await.status, 200);
    server.clock.set(NOW + 15 * MINUTE);
    let asked = call("GET", "/api/audit", None).await;
    refused(&asked, 403, "sudo_required");
    assert_eq!(
        asked.json()["error"]["details"],
        json!({"password": true, "code": false, "identityProvider": false})
    );
    assert_eq!(call("GET", "/api/session", None).await.json()["sudoUntil"], Value::Null);
    // Daily work does not ask.
    assert_eq!(call("GET", "/api/overview", None).await.status, 200);
    let wrong = call(
        "POST",
        "/api/session/sudo",
        Some(json!({"password": "not mine at all"})),
    )
    .await;
    refused(&wrong, 401, "bad_credentials");
    let proven = call("POST", "/api/session/sudo", Some(json!({"password": PASSWORD}))).await;
    assert!(proven.json()["sudoUntil"].is_string(), "{}", proven.text);
    assert_eq!(call("GET", "/api/audit?action=session.proven", None).await.status, 200);
    // What failed is in the installation's log.
    let log = server
        .call(As::Operator, "GET", "/api/audit?scope=installation&result=failed", None)
        .await
        .json();
    assert_eq!(log["items"][0]["action"], "session.proven");
}

#[tokio::test]
async fn a_password_change_ends_every_other_session() {
    let server = TestServer::start().await;
    let id = server.person("ann@example.com", Role::Viewer).await;
    let (here, there) = (server.sign_in(&id).await, server.sign_in(&id).await);
    let change = |current: &str| json!({"current": current, "password": "a brand new password"});
    let put = async |body: Value| {
        server
            .send(server.request_by(&here, "PUT", "/api/profile/password", Some(&body)))
            .await
    };
    refused(&put(change("wrong, quite wrong")).await, 401, "bad_credentials");
    refused(
        &put(json!({"password": "a brand new password"})).await,
        401,
        "bad_credentials",
    );
    refused(
        &put(json!({"current": PASSWORD, "password": "short"})).await,
        400,
        "invalid_request",
    );
    assert_eq!(put(change(PASSWORD)).await.status, StatusCode::NO_CONTENT);
    let get = async |browser| {
        server
            .send(server.request_by(browser, "GET", "/api/profile", None))
            .await
    };
    assert_eq!(get(&here).await.status, 200);
    refused(&get(&there).await, 401, "unauthenticated");
    refused(&sign_in(&server, "ann@example.com", None).await, 401, "bad_credentials");
}

#[tokio::test]
async fn two_admins_at_once_the_second_is_told_what_the_first_did() {
    let server = TestServer::start().await;
    let id = server.person("bob@example.com", Role::Viewer).await;
    let path = format!("/api/members/{id}?projectId=default");
    let change = async |who, role: &str| {
        let body = json!({"role": role, "version": 1});
        server.call(who, "PATCH", &path, Some(body)).await
    };
    assert_eq!(change(As::Role(Role::Admin), "editor").await.status, 200);
    let late = change(As::Signed(Role::Owner), "admin").await;
    refused(&late, 409, "stale_version");
    let error = &late.json()["error"];
    assert_eq!(error["details"]["current"], json!({"role": "editor"}));
    assert_eq!(error["details"]["version"], 2);
    assert_eq!(error["details"]["changedBy"], "Role(Admin)");
    assert!(
        error["message"].as_str().unwrap().contains("from viewer to editor"),
        "{error}"
    );
}

#[tokio::test]
async fn keys_do_what_their_scopes_say_and_are_counted() {
    let config = Config {
        key_calls_per_minute: 5,
        ..Config::default()
    };
    let server = TestServer::with(config).await;
    let make = async |who, body: Value| server.call(who, "POST", "/api/keys", Some(body)).await;
    let owner = As::Signed(Role::Owner);
    refused(
        &make(owner, json!({"name": "k", "role": "viewer", "scopes": ["admin"]})).await,
        400,
        "invalid_request",
    );
    refused(
        &make(owner, json!({"name": "k", "role": "admin", "scopes": []})).await,
        400,
        "invalid_request",
    );
    let made = make(
        owner,
        json!({"name": "k", "role": "admin", "scopes": ["triage", "read"]}),
    )
    .await
    .json();
    assert_eq!(made["key"]["scopes"], json!(["read", "triage"]));
    let value = made["value"].as_str().unwrap().to_owned();
    let get = async |path: &str| {
        let request = http::Request::get(path).header("authorization", format!("Bearer {value}"));
        server.send(request.body(axum::body::Body::empty()).unwrap()).await
    };
    let answer = get("/api/overview").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["ratelimit-policy"], "\"key\";q=5;w=60");
    assert_eq!(answer.headers["ratelimit"], "\"key\";r=4;t=12");
    refused(&get("/api/keys").await, 403, "scope_missing");
    refused(&get("/api/audit").await, 403, "scope_missing");
    for left in [1, 0] {
        let answer = get("/api/session").await;
        assert!(
            answer.headers["ratelimit"]
                .to_str()
                .unwrap()
                .contains(&format!("r={left};"))
        );
    }
    let limited = get("/api/overview").await;
    refused(&limited, 429, "rate_limited");
    assert_eq!(limited.headers["retry-after"], "12");
    server.clock.set(NOW + 12_000);
    assert_eq!(get("/api/overview").await.status, 200);
    // A person is not limited by it.
    let browser = server.browser(owner).unwrap();
    let person = server
        .send(server.request_by(browser, "GET", "/api/overview", None))
        .await;
    assert!(!person.headers.contains_key("ratelimit"));
}

#[tokio::test]
async fn the_log_is_exported_and_checked_and_refusals_are_in_it() {
    let server = TestServer::start().await;
    refused(
        &server
            .call(
                As::Signed(Role::Editor),
                "POST",
                "/api/keys",
                Some(json!({"name": "k", "role": "viewer"})),
            )
            .await,
        403,
        "forbidden",
    );
    let name = json!({"email": "new@example.com", "name": "=cmd|' /C calc'!A0"});
    assert_eq!(
        server.call(As::Operator, "POST", "/api/users", Some(name)).await.status,
        201
    );
    let audit = async |query: &str| {
        server
            .call(As::Operator, "GET", &format!("/api/audit{query}"), None)
            .await
    };
    let denied = audit("?scope=installation&result=denied").await.json();
    assert_eq!(
        (&denied["items"][0]["action"], &denied["items"][0]["projectName"]),
        (&json!("api_key.manage"), &json!("Default"))
    );
    let csv = audit("/export?scope=installation").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(
        csv.headers["content-disposition"]
            .to_str()
            .unwrap()
            .contains("audit-log.csv")
    );
    assert!(
        csv.text.starts_with("seq,at,actorKind") && csv.text.contains(",'=cmd|"),
        "{}",
        csv.text
    );
    let lines = audit("/export?scope=installation&format=json").await;
    let seqs: Vec<i64> = lines
        .text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_i64().unwrap())
        .collect();
    assert!(
        seqs.len() > 10 && seqs.windows(2).all(|pair| pair[0] == pair[1] + 1),
        "{seqs:?}"
    );
    assert_eq!(csv.text.lines().count(), seqs.len() + 1);
    let check = audit("/check").await.json();
    assert_eq!(
        (check["ok"].as_bool(), check["head"]["seq"].as_i64()),
        (Some(true), Some(seqs[0]))
    );
}
