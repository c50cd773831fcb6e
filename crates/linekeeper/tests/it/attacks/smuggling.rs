//! Request and header smuggling over raw connections: what two programs could read differently is
//! refused or ends the connection, so that nothing after it is taken for a request.

use std::time::Duration;

use lk_core::words::Role;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::http::{Ask, connect};
use super::world::World;

/// Longest wait for a connection to be ended.
const ENDED_WITHIN: Duration = Duration::from_secs(4);
const NEXT: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// Sends bytes; the statuses of the answers, and whether the server ended the connection.
async fn raw(world: &World, bytes: &[u8]) -> (Vec<u16>, bool) {
    let mut stream = connect(&world.server, None).await;
    // Whoever is refused early may see the connection reset while still writing.
    drop(stream.write_all(bytes).await);
    let mut all = Vec::new();
    let read = async {
        let mut some = [0_u8; 8_192];
        while let Ok(n @ 1..) = stream.read(&mut some).await {
            all.extend_from_slice(&some[..n]);
        }
    };
    let ended = tokio::time::timeout(ENDED_WITHIN, read).await.is_ok();
    let text = String::from_utf8_lossy(&all);
    let statuses = text
        .split("HTTP/1.")
        .skip(1)
        .filter_map(|answer| answer.get(2..5)?.parse().ok());
    (statuses.collect(), ended)
}

/// A body that hides a request, behind headers that say where it ends in two ways.
fn hidden(headers: &str, before: &str, secret: &str) -> Vec<u8> {
    format!("POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n{before}{secret}")
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_hides_in_another() {
    let world = World::start().await;
    let body = json!({"name": "smuggled", "role": "viewer"}).to_string();
    let secret = format!(
        "POST /api/keys HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        world.server.key,
        body.len()
    );
    let before = world.changes().await;
    let end = "0\r\n\r\n";
    for (headers, body) in [
        ("content-length: 5\r\ntransfer-encoding: chunked\r\n", end),
        ("transfer-encoding: chunked\r\ncontent-length: 5\r\n", end),
        (
            "transfer-encoding: chunked\r\ncontent-length: 0\r\ncontent-length: 5\r\n",
            end,
        ),
        ("content-length: 0\r\ncontent-length: 5\r\n", ""),
        ("content-length: 0, 5\r\n", ""),
        ("content-length: +0\r\n", ""),
        ("content-length: 0x0\r\n", ""),
        ("content-length: -1\r\n", ""),
        ("content-length: 18446744073709551616\r\n", ""),
        ("content-length : 5\r\n", "12345"),
        ("transfer-encoding : chunked\r\n", end),
        ("transfer-encoding: xchunked\r\n", end),
        ("transfer-encoding: identity\r\n", end),
        ("transfer-encoding: chunked, identity\r\n", end),
        ("transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", end),
        ("transfer-encoding: \x0bchunked\r\n", end),
        ("transfer-encoding:\r\n chunked\r\n", end),
        ("x: y\rtransfer-encoding: chunked\r\n", end),
        ("x: y\0\r\ncontent-length: 0\r\n", ""),
        ("x y: z\r\ncontent-length: 0\r\n", ""),
        ("x\r\ncontent-length: 0\r\n", ""),
        (": y\r\ncontent-length: 0\r\n", ""),
        ("x: y\r\n folded: z\r\ncontent-length: 0\r\n", ""),
        ("transfer-encoding: chunked\r\n", "FFFFFFFFFFFFFFFF0\r\n"),
        ("transfer-encoding: chunked\r\n", "10000000000000000\r\n"),
        ("transfer-encoding: chunked\r\n", "0x0\r\n\r\n"),
        ("transfer-encoding: chunked\r\n", "-0\r\n\r\n"),
        ("transfer-encoding: chunked\r\n", "1\r\nxx\r\n0\r\n\r\n"),
        ("transfer-encoding: chunked\r\n", "0\n\n"),
    ] {
        let (statuses, ended) = raw(&world, &hidden(headers, body, &secret)).await;
        assert!(
            statuses.len() <= 1 && ended,
            "{headers:?} {body:?}: {statuses:?}, ended: {ended}"
        );
        assert!(
            statuses.iter().all(|status| (400..500).contains(status)),
            "{headers:?}: {statuses:?}"
        );
    }
    // Of HTTP/1.0 nothing is known of chunks.
    let old = "POST /api/session HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let (statuses, ended) = raw(&world, format!("{old}{secret}").as_bytes()).await;
    assert!(statuses.len() <= 1 && ended, "{statuses:?}");
    assert_eq!(world.changes().await, before, "a hidden request was served");

    // Said clearly, two requests in one piece are two requests, and so is one after a refused one.
    for (headers, body) in [
        ("content-length: 2\r\n", "{}"),
        ("transfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"),
    ] {
        let mut whole = hidden(headers, body, &secret);
        whole.extend_from_slice(NEXT.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n").as_bytes());
        assert_eq!(raw(&world, &whole).await, (vec![400, 201, 200], true), "{headers}");
    }
    assert_eq!(world.changes().await, before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_comes_twice_decides_nothing() {
    let world = World::start().await;
    let (owner, viewer) = (world.here.browser(Role::Owner), world.here.browser(Role::Viewer));
    let key = &world.server.key;
    let body = json!({"projectId": "default", "name": "k", "role": "viewer"});
    let before = world.changes().await;
    // A key that is wrong beside one that is right, in either order.
    for (first, second) in [
        (key.as_str(), "lk_wrong"),
        ("lk_wrong", key.as_str()),
        (key.as_str(), key.as_str()),
    ] {
        let ask = Ask::get("/api/overview").with_key(first).with_key(second);
        assert_eq!(ask.send(&world.server).await.status, 401, "{first} {second}");
    }
    // A wrong key does not fall back on the cookie.
    let both = Ask::post("/api/keys", &body).by(owner).with_key("lk_wrong");
    assert_eq!(both.send(&world.server).await.status, 401);
    // Two sessions: the first one counts, with its own token.
    let ask = || {
        Ask::post("/api/keys", &body)
            .header("cookie", &viewer.cookie)
            .header("cookie", &owner.cookie)
    };
    let mixed = ask().header("x-csrf-token", &owner.csrf).send(&world.server).await;
    assert_eq!(mixed.error(), "csrf_mismatch");
    let first = ask().header("x-csrf-token", &viewer.csrf).send(&world.server).await;
    assert_eq!(first.outcome(), (403, "forbidden".to_owned()));
    // A body of two kinds, a token in a trailer, an address in a header that some programs obey.
    let kinds = Ask::post("/api/keys", &body)
        .by(owner)
        .header("content-type", "text/plain");
    assert_eq!(kinds.send(&world.server).await.status, 415);
    let text = body.to_string();
    let trailer = format!(
        "POST /api/keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncookie: {}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\ntrailer: x-csrf-token\r\n\r\n{:x}\r\n{text}\r\n0\r\nx-csrf-token: {}\r\n\r\n",
        owner.cookie,
        text.len(),
        owner.csrf
    );
    assert_eq!(raw(&world, trailer.as_bytes()).await.0, [403]);
    for name in [
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-prefix",
        "x-forwarded-uri",
    ] {
        let answer = Ask::get("/healthz")
            .by(owner)
            .header(name, "/api/profile")
            .send(&world.server)
            .await;
        assert_eq!(answer.text, r#"{"ok":true}"#, "{name}");
    }
    let denied = 1; // the viewer's attempt is noted
    assert_eq!(world.changes().await, before + denied);
    world.post(owner, "/api/keys", &body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn which_host_is_meant_is_never_open() {
    let world = World::start().await;
    let owner = world.here.browser(Role::Owner);
    let body = json!({"projectId": "default", "role": "viewer"});
    let twice = Ask::post("/api/invitations", &body)
        .by(owner)
        .header("host", "a.example");
    let before = world.changes().await;
    let answer = twice.clone().header("host", "b.example").send(&world.server).await;
    assert_eq!(answer.outcome(), (400, "invalid_request".to_owned()), "{}", answer.text);
    assert_eq!(world.changes().await, before);
    assert_eq!(twice.send(&world.server).await.status, 201);
    // Refused before anything is looked at, the connection goes on with the next request.
    let two = format!("GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n{NEXT}");
    let two = two.replacen(NEXT, &NEXT.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"), 1);
    assert_eq!(raw(&world, two.as_bytes()).await, (vec![400, 200], true));
    // Another scheme, authority or form of the target is still the same path, with the same checks.
    for target in [
        "http://evil.example/api/overview",
        "https://u:p@127.0.0.1/api/overview",
        "//evil.example/api/overview",
    ] {
        let answer = Ask::get(target).send(&world.server).await;
        assert!(matches!(answer.status, 401 | 404 | 200), "{target}: {}", answer.status);
        assert!(!answer.text.contains("integrations\":"), "{target}: {}", answer.text);
    }
    // No proxy, and nothing for the whole server.
    for line in ["CONNECT 127.0.0.1:22 HTTP/1.1", "OPTIONS * HTTP/1.1"] {
        let bytes = format!("{line}\r\nhost: x\r\nconnection: close\r\n\r\n");
        let (statuses, _) = raw(&world, bytes.as_bytes()).await;
        assert!(
            !statuses.is_empty() && statuses.iter().all(|status| (400..500).contains(status)),
            "{line}: {statuses:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_headers_of_strangers_say_nothing() {
    let world = World::start().await;
    let person = world.here.person(Role::Owner);
    let body = json!({"email": person.email, "password": super::world::PASSWORD});
    let mut ask = Ask::post("/api/session", &body);
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=203.0.113.9;host=evil.example;proto=https"),
        ("x-real-ip", "203.0.113.9"),
        ("true-client-ip", "203.0.113.9"),
    ] {
        ask = ask.header(name, value);
    }
    let answer = ask.send(&world.server).await;
    let cookie = answer.cookie();
    assert!(cookie.starts_with("lk_session="), "{cookie}");
    let sessions = Ask::get("/api/profile/sessions")
        .header("cookie", &cookie)
        .send(&world.server)
        .await;
    let current = sessions.json()["items"]
        .as_array()
        .and_then(|all| all.iter().find(|s| s["current"] == true).cloned());
    assert_eq!(current.expect("this one")["source"], "127.0.0.1");
    let log = world.get(&person.browser, "/api/audit?projectId=default").await;
    assert!(!log.to_string().contains("203.0.113.9"), "{log}");
}
