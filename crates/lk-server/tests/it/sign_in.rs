//! Signing in and out, the CSRF token, and the first owner.

use axum::body::Body;
use http::{Request, header};
use lk_core::access::Verb;
use lk_core::words::Role;
use lk_store::NewOneTimeLink;
use serde_json::{Value, json};

use crate::harness::{Answer, As, NOW, PASSWORD, TestServer, permit};

fn cookie(answer: &Answer) -> String {
    let text = answer.headers[header::SET_COOKIE].to_str().unwrap();
    text.split(';').next().unwrap().to_owned()
}

async fn sign_in(server: &TestServer, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    server.call(As::Anonymous, "POST", "/api/session", Some(body)).await
}

async fn with_cookie(server: &TestServer, cookie: &str, csrf: Option<&str>, method: &str, path: &str) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, cookie);
    if let Some(csrf) = csrf {
        request = request.header("x-csrf-token", csrf);
    }
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_session_reads_and_writes_with_its_token() {
    let server = TestServer::start().await;
    server.person("ann@example.com", Role::Admin).await;
    let answer = sign_in(&server, "Ann@Example.com", PASSWORD).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let set = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax") && !set.contains("Secure"),
        "{set}"
    );
    let session = answer.json();
    assert_eq!(session["user"]["email"], "ann@example.com");
    assert_eq!(session["projects"][0]["role"], "admin");
    let (cookie, csrf) = (cookie(&answer), session["csrfToken"].as_str().unwrap());

    assert_eq!(
        with_cookie(&server, &cookie, None, "GET", "/api/overview").await.status,
        200
    );
    let created = server.connect().await;
    let path = format!("/api/integrations/{}", created["integration"]["id"].as_str().unwrap());
    let forged = with_cookie(&server, &cookie, None, "DELETE", &path).await;
    assert_eq!(
        (forged.status.as_u16(), forged.error().as_str()),
        (403, "csrf_mismatch")
    );
    let wrong = with_cookie(&server, &cookie, Some("x"), "DELETE", &path).await;
    assert_eq!(wrong.status, 403);
    assert_eq!(
        with_cookie(&server, &cookie, Some(csrf), "DELETE", &path).await.status,
        204
    );

    assert_eq!(
        with_cookie(&server, &cookie, Some(csrf), "DELETE", "/api/session")
            .await
            .status,
        204
    );
    let after = with_cookie(&server, &cookie, None, "GET", "/api/overview").await;
    assert_eq!(
        (after.status.as_u16(), after.error().as_str()),
        (401, "unauthenticated")
    );
    let nobody = with_cookie(&server, &cookie, None, "GET", "/api/session").await.json();
    assert_eq!(nobody["user"], Value::Null);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let server = TestServer::start().await;
    server.person("ann@example.com", Role::Viewer).await;
    for who in ["nobody@example.com", "ann@example.com"] {
        for _ in 0..4 {
            let answer = sign_in(&server, who, "wrong").await;
            assert_eq!(
                (answer.status.as_u16(), answer.error().as_str()),
                (401, "bad_credentials")
            );
        }
        let slowed = sign_in(&server, who, PASSWORD).await;
        assert_eq!(slowed.status, 429, "{}", slowed.text);
        assert_eq!(slowed.json()["error"]["retryAfter"], 1);
        assert_eq!(slowed.headers[header::RETRY_AFTER], "1");
    }
    server.clock.set(NOW + 60_000);
    assert_eq!(sign_in(&server, "ann@example.com", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn the_first_owner_comes_through_the_link_once() {
    let server = TestServer::unowned(lk_server::Config::default()).await;
    let setup = server.call(As::Anonymous, "GET", "/api/setup", None).await;
    assert_eq!(setup.json()["needed"], true);
    let token = lk_server::new_token().unwrap();
    let link = NewOneTimeLink {
        hash: lk_server::token_hash(&token).to_vec(),
        purpose: "setup".into(),
        project_id: Some(server.project.id.clone()),
        subject: None,
        payload: "{}".into(),
        expires_at: NOW + 3_600_000,
    };
    server
        .engine
        .store()
        .create_one_time_link(&permit(Verb::ManageUsers), &link, NOW)
        .await
        .unwrap();
    let input =
        |token: &str| json!({"token": token, "email": "own@example.com", "name": "Own", "password": "a long password"});
    let wrong = server
        .call(As::Anonymous, "POST", "/api/setup", Some(input("wrong")))
        .await;
    assert_eq!(wrong.status, 401);
    let done = server
        .call(As::Anonymous, "POST", "/api/setup", Some(input(&token)))
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.json()["user"]["operator"], true);
    assert_eq!(
        with_cookie(&server, &cookie(&done), None, "GET", "/api/audit")
            .await
            .status,
        200
    );
    let again = server
        .call(As::Anonymous, "POST", "/api/setup", Some(input(&token)))
        .await;
    assert_eq!(again.status, 401);
    let setup = server.call(As::Anonymous, "GET", "/api/setup", None).await;
    assert_eq!(setup.json()["needed"], false);
}

#[tokio::test]
async fn a_revoked_key_is_nobody() {
    let server = TestServer::start().await;
    let admin = As::Role(Role::Admin);
    let made = json!({"name": "ci", "role": "viewer", "expiresInDays": 1});
    let made = server.call(admin, "POST", "/api/keys", Some(made)).await.json();
    let (value, id) = (
        made["value"].as_str().unwrap().to_owned(),
        made["key"]["id"].as_str().unwrap().to_owned(),
    );
    let use_it = || async {
        let request = Request::get("/api/overview")
            .header(header::AUTHORIZATION, format!("Bearer {value}"))
            .body(Body::empty())
            .unwrap();
        server.send(request).await.status.as_u16()
    };
    assert_eq!(use_it().await, 200);
    assert_eq!(
        server
            .call(admin, "DELETE", &format!("/api/keys/{id}"), None)
            .await
            .status,
        204
    );
    assert_eq!(use_it().await, 401);
    let more = json!({"name": "own", "role": "owner"});
    assert_eq!(
        server.call(admin, "POST", "/api/keys", Some(more)).await.status,
        403,
        "no more than one has"
    );
}

#[tokio::test]
async fn a_page_of_another_site_writes_nothing() {
    let config = lk_server::Config {
        public_url: Some("https://health.example.com/".into()),
        ..lk_server::Config::default()
    };
    let server = TestServer::with(config).await;
    server.person("ann@example.com", Role::Admin).await;
    let body = json!({"email": "ann@example.com", "password": PASSWORD});
    for (headers, status) in [
        (
            vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
            403,
        ),
        (
            vec![("sec-fetch-site", "same-site"), ("origin", "https://other.example.com")],
            403,
        ),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("origin", "null")], 403),
        // Behind a proxy that changes `Host`, the public address is ours all the same.
        (
            vec![
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://health.example.com"),
            ],
            200,
        ),
        (
            vec![("sec-fetch-site", "same-origin"), ("origin", "http://lk.example")],
            200,
        ),
        (vec![("origin", "http://lk.example")], 200),
        (vec![], 200),
    ] {
        let mut request = server.request(As::Anonymous, "POST", "/api/session", Some(&body));
        for (name, value) in &headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let answer = server.send(request).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text);
        if status == 403 {
            assert_eq!(answer.error(), "csrf_mismatch");
            assert!(
                answer.headers.contains_key("x-request-id"),
                "counted and decorated like any other"
            );
        }
    }
    // Reading is free, and providers are no browsers.
    let mut read = server.request(As::Anonymous, "GET", "/api/session", None);
    read.headers_mut()
        .insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(server.send(read).await.status, 200);
    let mut delivery = server.request(As::Anonymous, "POST", "/webhooks/sample/nokey", Some(&body));
    delivery
        .headers_mut()
        .insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(server.send(delivery).await.status, 404);
}

#[tokio::test]
async fn over_https_the_session_is_the_prefixed_cookie_alone() {
    let config = lk_server::Config {
        tls: true,
        ..lk_server::Config::default()
    };
    let server = TestServer::with(config).await;
    server.person("ann@example.com", Role::Admin).await;
    let answer = sign_in(&server, "ann@example.com", PASSWORD).await;
    let set = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        set.starts_with("__Host-lk_session=") && set.contains("; Secure"),
        "{set}"
    );
    let (prefixed, csrf) = (cookie(&answer), answer.json()["csrfToken"].as_str().unwrap().to_owned());
    let plain = prefixed.replace("__Host-", "");
    let read = |cookie: String| {
        let server = &server;
        async move {
            with_cookie(server, &cookie, None, "GET", "/api/overview")
                .await
                .status
                .as_u16()
        }
    };
    assert_eq!(read(plain.clone()).await, 401);
    assert_eq!(read(prefixed.clone()).await, 200);
    assert_eq!(read(format!("lk_session=planted; {prefixed}")).await, 200);
    let out = with_cookie(&server, &prefixed, Some(&csrf), "DELETE", "/api/session").await;
    let ended = out.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        ended.starts_with("__Host-lk_session=;") && ended.contains("Max-Age=0"),
        "{ended}"
    );
    assert_eq!(read(prefixed).await, 401, "the session itself is gone");

    // On plain http it is the other way round.
    let server = TestServer::start().await;
    server.person("ann@example.com", Role::Admin).await;
    let plain = cookie(&sign_in(&server, "ann@example.com", PASSWORD).await);
    let prefixed = format!("__Host-{plain}");
    let get = |cookie| with_cookie(&server, cookie, None, "GET", "/api/overview");
    assert_eq!(get(&plain).await.status, 200);
    assert_eq!(get(&prefixed).await.status, 401);
}
