//! Where requests come from: trusted proxies, the sources of a webhook.

use std::net::SocketAddr;

use axum::body::Body;
use http::{Request, header};
use lk_core::words::Role;
use lk_engine::Ranges;
use lk_server::{Config, Peer};
use serde_json::{Value, json};

use crate::harness::{Answer, As, TestServer};

const ADMIN: As = As::Role(Role::Admin);
const PROXY: &str = "192.0.2.10";

fn behind_a_proxy() -> Config {
    Config {
        trusted_proxies: Ranges::parse(PROXY).unwrap(),
        ..Config::default()
    }
}

/// As if the socket's other end were `peer`.
fn from(peer: &str, mut request: Request<Body>) -> Request<Body> {
    let address: SocketAddr = format!("{peer}:4000").parse().unwrap();
    request.extensions_mut().insert(Peer(address));
    request
}

/// Delivers through the proxy for `client`.
async fn deliver(server: &TestServer, created: &Value, token: &str, peer: &str, client: &str) -> Answer {
    let url = created["webhookUrl"].as_str().unwrap();
    let request = Request::post(url.strip_prefix("http://lk.example").unwrap())
        .header("x-token", token)
        .header("x-forwarded-for", client)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({"id": client, "type": "a.done"}).to_string()))
        .unwrap();
    server.send(from(peer, request)).await
}

#[tokio::test]
async fn a_webhook_takes_deliveries_from_its_sources_alone() {
    let server = TestServer::with(behind_a_proxy()).await;
    let created = server.connect().await;
    let secret = created["webhookSecret"].as_str().unwrap().to_owned();
    let path = format!("/api/integrations/{}", created["integration"]["id"].as_str().unwrap());
    let set = |sources: &str, version: &Value| json!({"settings": {"webhook_sources": sources}, "version": version});
    let version = &created["integration"]["version"];
    let wrong = server
        .call(ADMIN, "PATCH", &path, Some(set("203.0.113.0/24 10.0.0.0/99", version)))
        .await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("webhook_sources") && wrong.text.contains("10.0.0.0/99"));
    let right = server
        .call(
            ADMIN,
            "PATCH",
            &path,
            Some(set("203.0.113.0/24, 2001:db8::/32", version)),
        )
        .await;
    assert_eq!(right.status, 200, "{}", right.text);

    for (peer, client, status) in [
        (PROXY, "203.0.113.9", 200),
        (PROXY, "2001:db8::5", 200),
        (PROXY, "198.51.100.7", 401),
        // The client's own word about itself is left of the proxy's.
        (PROXY, "203.0.113.9, 198.51.100.7", 401),
        // Nobody believes a stranger.
        ("198.51.100.7", "203.0.113.9", 401),
    ] {
        let answer = deliver(&server, &created, &secret, peer, client).await;
        assert_eq!(answer.status, status, "{peer} {client}: {}", answer.text);
        if status == 401 {
            assert_eq!(answer.json()["error"]["details"]["reason"], "source_not_allowed");
            assert!(
                answer.text.contains("address 198.51.100.7 is not in the ranges"),
                "{}",
                answer.text
            );
        }
    }
    // The address comes before the signature: a wrong token is not looked at.
    let wrong = deliver(&server, &created, "wrong", PROXY, "198.51.100.7").await;
    assert_eq!(wrong.json()["error"]["details"]["reason"], "source_not_allowed");

    for _ in 0..200 {
        let rejections = server.get(&format!("{path}/rejections")).await.json();
        if let Some(first) = rejections["items"].as_array().unwrap().first() {
            assert_eq!(first["reason"], "source_not_allowed");
            assert_eq!(first["count"], 4);
            assert_eq!(first["detail"]["address"], "198.51.100.7");
            assert!(first["hint"].as_str().unwrap().contains("trusted_proxies"));
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the rejection was not counted");
}

#[tokio::test]
async fn a_session_notes_the_client_behind_the_proxy() {
    const PASSWORD: &str = "correct horse battery";
    let server = TestServer::with(behind_a_proxy()).await;
    server.person("ann@example.com", Role::Admin).await;
    let sign_in = |peer: &str, password: &str| {
        let body = json!({"email": "ann@example.com", "password": password});
        let mut request = server.request(As::Anonymous, "POST", "/api/session", Some(&body));
        let headers = request.headers_mut();
        headers.insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        server.send(from(peer, request))
    };
    let answer = sign_in(PROXY, PASSWORD).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("Secure"), "{cookie}");
    let answer = sign_in("198.51.100.7", PASSWORD).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        !cookie.contains("Secure"),
        "a stranger's word is not believed: {cookie}"
    );
    // Guessing is slowed down by client: the one behind the proxy, not the proxy.
    for _ in 0..4 {
        assert_eq!(sign_in(PROXY, "wrong").await.status, 401);
    }
    assert_eq!(sign_in(PROXY, PASSWORD).await.status, 429);
    assert_eq!(sign_in("198.51.100.7", PASSWORD).await.status, 200);
}
