//! Malformed calls: one clear error, nothing changed, never a 5xx.

use axum::body::Body;
use http::Request;
use lk_core::words::Role;
use serde_json::{Value, json};

use crate::harness::{As, TestServer};

const ADMIN: As = As::Role(Role::Admin);

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let server = TestServer::start().await;
    for (path, word) in [
        ("/api/events?limit=0", "limit"),
        ("/api/events?limit=201", "limit"),
        ("/api/events?limit=x", "limit"),
        ("/api/events?status=broken", "status"),
        ("/api/events?category=cats", "category"),
        ("/api/events?from=yesterday", "from"),
        ("/api/events?cursor=x", "cursor"),
        ("/api/events?cursor=-5", "cursor"),
        ("/api/events?colour=red", "colour"),
        ("/api/events?q=", "q"),
        ("/api/events?q=%00", "q"),
        ("/api/events?limit=5&limit=6", "limit"),
        ("/api/problems?state=closed", "state"),
        ("/api/problems?cursor=1", "cursor"),
        ("/api/integrations?page=2", "page"),
        ("/api/providers?x=1", "x"),
        ("/api/integrations/events?lastEventId=-1", "lastEventId"),
        ("/healthz?x=1", "x"),
        ("/api/admin/integrations/health?window=1y", "window"),
        ("/api/admin/integrations/health?projectId=default", "projectId"),
        ("/api/admin/integrations/health/export?format=xml", "format"),
        ("/api/admin/integrations/health/export?provider=", "provider"),
        (
            "/api/admin/integrations/health/export?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z",
            "from",
        ),
    ] {
        let who = if path.starts_with("/api/admin/") {
            As::Operator
        } else {
            As::Role(Role::Owner)
        };
        let answer = server.call(who, "GET", path, None).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(word), "{path}: {message}");
        assert_eq!(answer.json()["error"]["details"]["parameter"], word, "{path}");
    }
}

#[tokio::test]
async fn ids_that_cannot_be_are_nothing() {
    let server = TestServer::start().await;
    for path in [
        "/api/events/1",
        "/api/events/00000000-0000-0000-0000-000000000000",
        "/api/events/ffffffff-ffff-8000-bfff-ffffffffffff",
        "/api/integrations/%ff",
        "/api/integrations/%00",
        "/api/integrations/not-a-uuid",
        "/api/problems/0b5e0f3e-0000-7000-8000-000000000000",
        "/api/providers/nobody/icon.svg",
        "/api/events?projectId=nowhere",
        "/api/nothing",
        "/api",
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error().as_str()),
            (404, "not_found"),
            "{path}"
        );
    }
}

async fn post(server: &TestServer, content_type: &str, body: impl Into<Body>) -> (u16, String) {
    let request = Request::post("/api/integrations")
        .header("authorization", format!("Bearer {}", server.key(ADMIN).unwrap()))
        .header("content-type", content_type)
        .body(body.into())
        .unwrap();
    let answer = server.send(request).await;
    answer.error();
    (answer.status.as_u16(), answer.text)
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let server = TestServer::start().await;
    let json = "application/json";
    let good = r#"{"provider":"sample","name":"N"}"#;
    assert_eq!(post(&server, "text/plain", good).await.0, 415);
    assert_eq!(post(&server, "application/jsonish", good).await.0, 415);
    assert_eq!(post(&server, json, vec![b' '; 300 * 1024]).await.0, 413);
    assert_eq!(post(&server, json, &good[..10]).await.0, 400);
    assert_eq!(post(&server, json, "[".repeat(50_000)).await.0, 400);
    assert_eq!(post(&server, json, vec![0xff, 0xfe]).await.0, 400);
    assert_eq!(post(&server, json, "").await.0, 400);
    for (body, word) in [
        (r#"{"provider":"sample","name":"N","colour":1}"#, "colour"),
        (r#"{"provider":"sample"}"#, "name"),
        (r#"{"provider":"sample","name":5}"#, "name"),
        (r#"{"provider":"sample","name":" "}"#, "name"),
        (r#"{"provider":"nobody","name":"N"}"#, "provider"),
        (r#"{"provider":"sample","name":"N","settings":{"x":1}}"#, "settings.x"),
        (r#"{"provider":"sample","name":"N","settings":[]}"#, "settings"),
        (r#"{"provider":"sample","name":"N\u0000"}"#, "U+0000"),
    ] {
        let (status, text) = post(&server, json, body).await;
        assert!(status == 400 && text.contains(word), "{body}: {status} {text}");
    }
    let list = server.get("/api/integrations").await.json();
    assert_eq!(list["items"], json!([]), "nothing was created");
}

#[tokio::test]
async fn methods_and_paths_that_are_not_there() {
    let server = TestServer::start().await;
    for (method, path) in [
        ("PUT", "/api/events"),
        ("DELETE", "/api/overview"),
        ("POST", "/healthz"),
    ] {
        let answer = server.call(ADMIN, method, path, None).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error().as_str()),
            (405, "method_not_allowed")
        );
        assert!(answer.headers.contains_key("allow"), "{method} {path}");
    }
    let head = server.call(ADMIN, "HEAD", "/api/providers", None).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(server.call(ADMIN, "OPTIONS", "/api/events", None).await.status, 405);
}

#[tokio::test]
async fn a_webhook_too_large_is_refused() {
    let config = lk_server::Config {
        webhook_bytes_max: 1_000,
        ..lk_server::Config::default()
    };
    let server = TestServer::with(config).await;
    let created = server.connect().await;
    let body = json!({"id": "1", "type": "a.done", "pad": "x".repeat(2_000)});
    let answer = server.deliver(&created, &body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.error().as_str()),
        (413, "payload_too_large")
    );
}

/// Odd values for every parameter of every operation: no answer may be a fault of ours.
#[tokio::test]
async fn odd_values_are_never_our_fault() {
    let odd = [
        "",
        "0",
        "-1",
        "9223372036854775808",
        "%00",
        "%ff",
        "'",
        "%25",
        "..%2f",
        "é",
        "null",
        "[]",
        "1e999",
    ];
    let server = TestServer::start().await;
    let document = serde_json::to_value(lk_server::openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for value in odd {
                let mut target = path.clone();
                let mut query = Vec::new();
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let name = parameter["name"].as_str().unwrap();
                    match parameter["in"].as_str().unwrap() {
                        "path" => target = target.replace(&format!("{{{name}}}"), value),
                        "query" => query.push(format!("{name}={value}")),
                        _ => {}
                    }
                }
                if !query.is_empty() {
                    target = format!("{target}?{}", query.join("&"));
                }
                let encoded: String = target.replace('é', "%C3%A9");
                let body = operation.get("requestBody").map(|_| Value::String(value.to_owned()));
                let request = server.request(ADMIN, &method.to_uppercase(), &encoded, body.as_ref());
                let status = server.open(request).await.status();
                assert!(!status.is_server_error(), "{method} {encoded}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn typed_addresses_may_not_lead_inside() {
    let server = TestServer::start().await;
    let admin = As::Role(Role::Admin);
    let new = |address: &str, key: &str| json!({"provider": "sample", "name": "x", "settings": {key: address}});
    for key in ["base_url", "portal"] {
        for address in [
            "http://169.254.169.254/latest",
            "https://localhost/",
            "http://[::ffff:10.0.0.1]:8080/",
        ] {
            let answer = server
                .call(admin, "POST", "/api/integrations", Some(new(address, key)))
                .await;
            assert_eq!(
                (answer.status.as_u16(), answer.error().as_str()),
                (400, "invalid_request")
            );
            let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(
                message.starts_with(&format!("`settings.{key}` is refused: "))
                    && message.contains("leads to a private or local address"),
                "{message}"
            );
        }
        // A name that nobody knows now may be known later; it is checked again when it is reached.
        let later = new("https://api.example.invalid/", key);
        assert_eq!(
            server
                .call(admin, "POST", "/api/integrations", Some(later))
                .await
                .status,
            201
        );
    }
    let created = server.connect().await;
    let path = format!("/api/integrations/{}", created["integration"]["id"].as_str().unwrap());
    let change = json!({"settings": {"base_url": "http://127.0.0.1:9/"}, "version": created["integration"]["version"]});
    let answer = server.call(admin, "PATCH", &path, Some(change)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(answer.json()["error"]["details"]["parameter"], "settings.base_url");
}
