//! Signing in through an identity provider, against one that misbehaves. The round trip with a
//! real one is in the browser tests.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Request, StatusCode, header};
use lk_core::access::Verb;
use lk_core::time::{HOUR, MINUTE};
use lk_core::words::Role;
use lk_server::{Config, OidcConfig, OidcSecret};
use lk_store::NewUser;
use serde_json::{Value, json};

use crate::fake_issuer::{CLIENT_ID, CLIENT_SECRET, Edit, FakeIssuer, SUBJECT, Token};
use crate::harness::{Answer, NOW, TestServer, permit};

/// A server with its issuer, and one browser.
struct World {
    server: TestServer,
    issuer: FakeIssuer,
    cookies: BTreeMap<String, String>,
}

impl World {
    /// Ann was invited: she has an account without a password.
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut OidcConfig)) -> Self {
        let issuer = FakeIssuer::start(NOW).await;
        let mut oidc = OidcConfig {
            issuer: issuer.url.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: OidcSecret::new(CLIENT_SECRET),
            name: "Example ID".to_owned(),
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            allowed_domains: vec![],
            create_people: false,
            project: None,
            role: Role::Viewer,
        };
        change(&mut oidc);
        oidc.check().unwrap();
        let config = Config {
            oidc: Some(oidc),
            ..Config::default()
        };
        let server = TestServer::with(config).await;
        Self {
            server,
            issuer,
            cookies: BTreeMap::new(),
        }
    }

    async fn invited() -> Self {
        let world = Self::new().await;
        world.add("ann@example.com").await;
        world
    }

    async fn add(&self, email: &str) -> lk_store::User {
        let new = NewUser {
            email: email.to_owned(),
            name: "Ann".to_owned(),
            password_hash: None,
            operator: false,
        };
        let store = self.server.engine.store();
        store.create_user(&permit(Verb::ManageUsers), &new, NOW).await.unwrap()
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    async fn get_with(&mut self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let mut request = Request::get(path)
            .header(header::HOST, "lk.example")
            .header(header::COOKIE, cookies.join("; "));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.server.send(request.body(Body::empty()).unwrap()).await;
        for set in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = set.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"));
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Goes to the issuer; gives the callback's path.
    async fn away(&mut self, start: &str) -> String {
        let answer = self.get(start).await;
        let address = location(&answer);
        let (code, state) = self.issuer.authorize(&address);
        format!("/api/oidc/callback?code={code}&state={state}")
    }

    /// There and back; gives where it led to.
    async fn round_trip(&mut self, start: &str) -> String {
        let callback = self.away(start).await;
        let answer = self.get(&callback).await;
        location(&answer)
    }

    async fn session(&mut self) -> Value {
        self.get("/api/session").await.json()
    }

    async fn audit(&self) -> Vec<String> {
        let rows = self
            .server
            .engine
            .store()
            .audit_log(&lk_store::AuditFilter::default(), None, 100)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.action).collect()
    }
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
    answer.headers[header::LOCATION].to_str().unwrap().to_owned()
}

const START: &str = "/api/oidc/start?next=/settings?tab=keys";

#[tokio::test]
async fn an_invited_person_signs_in_and_is_linked() {
    let mut world = World::invited().await;
    let setup = world.get("/api/setup").await.json();
    assert_eq!(setup["identityProvider"], json!({"name": "Example ID"}));
    assert_eq!(world.round_trip(START).await, "/settings?tab=keys");
    assert_eq!(world.session().await["user"]["email"], "ann@example.com");
    assert!(!world.cookies.contains_key("lk_oidc"), "the flow is over");
    let first = world.cookies["lk_session"].clone();
    // By the identity alone now, whatever the address.
    world.issuer.edit(|_, claims| {
        claims["email"] = "ann.new@example.com".into();
        claims["email_verified"] = false.into();
    });
    assert_eq!(world.round_trip("/api/oidc/start").await, "/");
    assert_ne!(world.cookies["lk_session"], first, "a new session each time");
    assert_eq!(world.session().await["user"]["email"], "ann@example.com");
    let linked = world.audit().await.iter().filter(|a| *a == "identity.linked").count();
    assert_eq!(linked, 1);
    let user = world.session().await["user"]["id"].as_str().unwrap().to_owned();
    let identities = world.server.engine.store().identities(&user).await.unwrap();
    assert_eq!(identities[0].subject, SUBJECT);
    assert_eq!(identities[0].email.as_deref(), Some("ann.new@example.com"));
}

#[tokio::test]
async fn what_an_id_token_must_be() {
    let cases: [(&str, Edit); 15] = [
        ("bad nonce", |_, c| c["nonce"] = "other".into()),
        ("no nonce", |_, c| drop(c.as_object_mut().unwrap().remove("nonce"))),
        ("wrong audience", |_, c| c["aud"] = "other".into()),
        ("one more audience", |_, c| c["aud"] = json!([CLIENT_ID, "other"])),
        ("another party", |_, c| c["azp"] = "other".into()),
        ("expired", |_, c| c["exp"] = (NOW.ms() / 1_000 - 1).into()),
        ("wrong issuer", |_, c| c["iss"] = "https://other.example".into()),
        ("unsigned", |h, _| h["alg"] = "none".into()),
        ("signed with the secret", |h, _| h["alg"] = "HS256".into()),
        ("another algorithm", |h, _| h["alg"] = "ES384".into()),
        ("an unknown algorithm", |h, _| h["alg"] = "XX1".into()),
        ("an unknown key", |h, _| h["kid"] = "key-9".into()),
        ("wrong at_hash", |_, c| c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA".into()),
        ("no subject", |_, c| c["sub"] = "".into()),
        ("no claims", |_, c| *c = json!([])),
    ];
    let mut world = World::invited().await;
    for (name, edit) in cases {
        world.issuer.edit(edit);
        assert_eq!(
            world.round_trip("/api/oidc/start").await,
            "/sign-in?failed=oidc_failed",
            "{name}"
        );
        assert!(!world.cookies.contains_key("lk_session"), "{name}");
    }
    world.issuer.edit(|_, _| {});
    assert_eq!(world.round_trip("/api/oidc/start").await, "/");
}

#[tokio::test]
async fn a_rotated_key_is_fetched() {
    let mut world = World::invited().await;
    let callback = world.away("/api/oidc/start").await;
    world.issuer.rotate();
    world.server.clock.set(NOW + 20_000);
    let answer = world.get(&callback).await;
    assert_eq!(location(&answer), "/");
}

#[tokio::test]
async fn a_token_endpoint_that_fails() {
    let mut world = World::invited().await;
    for token in [
        Token::Failing,
        Token::Html,
        Token::Garbage,
        Token::Anonymous,
        Token::Silent,
    ] {
        world.issuer.token(token);
        let led_to = world.round_trip(START).await;
        assert_eq!(
            led_to, "/sign-in?next=%2Fsettings%3Ftab%3Dkeys&failed=oidc_failed",
            "{token:?}"
        );
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_asked_again_later() {
    let mut world = World::with(|oidc| oidc.issuer = "http://127.0.0.1:9".to_owned()).await;
    assert_eq!(
        location(&world.get("/api/oidc/start").await),
        "/sign-in?failed=oidc_failed"
    );
    // One that was there before is good enough, even after its hour.
    let mut world = World::invited().await;
    assert_eq!(world.round_trip("/api/oidc/start").await, "/");
    world.server.clock.set(NOW + 2 * HOUR);
    world.issuer.metadata(json!({"issuer": "https://other.example"}));
    let answer = world.get("/api/oidc/start").await;
    assert!(location(&answer).starts_with(&world.issuer.url));
}

#[tokio::test]
async fn an_endpoint_without_encryption_is_not_used() {
    for key in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let mut world = World::invited().await;
        world.issuer.metadata(json!({ key: "http://id.example.com/x" }));
        let first = world.get("/api/oidc/start").await;
        let led_to = if location(&first).starts_with("/sign-in") {
            location(&first)
        } else {
            let (code, state) = world.issuer.authorize(&location(&first));
            let back = format!("/api/oidc/callback?code={code}&state={state}");
            location(&world.get(&back).await)
        };
        assert_eq!(led_to, "/sign-in?failed=oidc_failed", "{key}");
    }
}

#[tokio::test]
async fn the_way_back_belongs_to_the_browser_that_went() {
    let mut world = World::invited().await;
    let expired = "/sign-in?failed=oidc_expired";
    let callback = world.away("/api/oidc/start").await;
    let flow = world.cookies["lk_oidc"].clone();
    // Another browser, with a cookie of somebody else's or none.
    for cookie in [None, Some("x"), Some("AAAA"), Some(&flow[1..])] {
        world.cookies.clear();
        if let Some(cookie) = cookie {
            world.cookies.insert("lk_oidc".to_owned(), cookie.to_owned());
        }
        assert_eq!(location(&world.get(&callback).await), expired, "{cookie:?}");
    }
    // The right browser, another state.
    world.cookies.insert("lk_oidc".to_owned(), flow.clone());
    let code = callback.split('&').next().unwrap().to_owned();
    assert_eq!(location(&world.get(&format!("{code}&state=other")).await), expired);
    assert!(!world.cookies.contains_key("lk_oidc"), "one attempt");
    world.cookies.insert("lk_oidc".to_owned(), flow.clone());
    assert_eq!(location(&world.get(&callback).await), "/");
    // The same once more: the code is used up.
    world.cookies.insert("lk_oidc".to_owned(), flow);
    assert_eq!(location(&world.get(&callback).await), "/sign-in?failed=oidc_failed");
    // Too late.
    let callback = world.away("/api/oidc/start").await;
    world.server.clock.set(NOW + 10 * MINUTE);
    assert_eq!(location(&world.get(&callback).await), expired);
}

#[tokio::test]
async fn what_the_provider_may_say_instead_of_a_code() {
    let mut world = World::invited().await;
    let issuer = world.issuer.url.clone();
    for (more, failed) in [
        ("error=access_denied".to_owned(), "oidc_refused"),
        ("error=login_required&error_description=x%0Dy".to_owned(), ""),
        (
            "error=server_error&error_uri=&session_state=1".to_owned(),
            "oidc_failed",
        ),
        (
            "error=access_denied&iss=https://other.example".to_owned(),
            "oidc_failed",
        ),
        (format!("error=access_denied&iss={issuer}"), "oidc_refused"),
        ("code=".to_owned(), "oidc_failed"),
        (format!("code={}", "c".repeat(6_100)), "oidc_failed"),
        (format!("error={}", "e".repeat(4_000)), "oidc_failed"),
    ] {
        let callback = world.away("/api/oidc/start?next=/a").await;
        let state = callback.rsplit_once("&state=").unwrap().1.to_owned();
        let answer = world.get(&format!("/api/oidc/callback?state={state}&{more}")).await;
        if failed.is_empty() {
            assert_eq!(answer.status, 400, "{more}");
        } else {
            assert_eq!(
                location(&answer),
                format!("/sign-in?next=%2Fa&failed={failed}"),
                "{more}"
            );
        }
    }
    // A provider that says that it names itself must do so.
    let mut world = World::invited().await;
    world
        .issuer
        .metadata(json!({"authorization_response_iss_parameter_supported": true}));
    assert_eq!(world.round_trip("/api/oidc/start").await, "/sign-in?failed=oidc_failed");
    let callback = world.away("/api/oidc/start").await;
    let named = format!("{callback}&iss={}", world.issuer.url);
    assert_eq!(location(&world.get(&named).await), "/");
}

#[tokio::test]
async fn who_is_let_in() {
    let unknown = "/sign-in?failed=oidc_unknown_person";
    let unverified = "/sign-in?failed=oidc_unverified_email";
    // Nobody invited her.
    let mut world = World::new().await;
    assert_eq!(world.round_trip("/api/oidc/start").await, unknown);
    // The address is hers only if the provider says so.
    world.add("ann@example.com").await;
    for edit in [
        (|_, c| c["email_verified"] = false.into()) as Edit,
        |_, c| drop(c.as_object_mut().unwrap().remove("email_verified")),
        |_, c| drop(c.as_object_mut().unwrap().remove("email")),
        |_, c| c["email"] = "no address".into(),
    ] {
        world.issuer.edit(edit);
        assert_eq!(world.round_trip("/api/oidc/start").await, unverified);
    }
    world.issuer.edit(|_, c| c["email_verified"] = "true".into());
    assert_eq!(world.round_trip("/api/oidc/start").await, "/");
    // Somebody else has her address at the provider now.
    world.issuer.edit(|_, c| c["sub"] = "subject-2".into());
    assert_eq!(world.round_trip("/api/oidc/start").await, unknown);
}

#[tokio::test]
async fn strangers_are_added_when_the_configuration_says_so() {
    let create = |oidc: &mut OidcConfig| {
        oidc.create_people = true;
        oidc.allowed_domains = vec!["example.com".to_owned()];
        oidc.project = Some("default".to_owned());
        oidc.role = Role::Editor;
    };
    let mut world = World::with(create).await;
    world.issuer.edit(|_, c| c["email"] = "ann@elsewhere.example".into());
    assert_eq!(
        world.round_trip("/api/oidc/start").await,
        "/sign-in?failed=oidc_unknown_person"
    );
    world.issuer.edit(|_, _| {});
    assert_eq!(world.round_trip("/api/oidc/start").await, "/");
    let session = world.session().await;
    assert_eq!(session["user"]["name"], "Ann Example");
    assert_eq!(session["user"]["operator"], false);
    assert_eq!(session["projects"][0]["role"], "editor");
    let audit = world.audit().await;
    for action in ["user.created", "session.began"] {
        assert!(audit.iter().any(|found| found == action), "{action}: {audit:?}");
    }
}

#[tokio::test]
async fn an_address_told_at_userinfo_counts() {
    let mut world = World::invited().await;
    let told = |sub: &str| json!({"sub": sub, "email": "Ann@Example.com", "email_verified": true});
    world.issuer.user_info(told("subject-2"));
    assert_eq!(
        world.round_trip("/api/oidc/start").await,
        "/sign-in?failed=oidc_unverified_email",
        "of another subject"
    );
    world.issuer.user_info(told(SUBJECT));
    assert_eq!(world.round_trip("/api/oidc/start").await, "/");
}

#[tokio::test]
async fn proving_again_needs_the_session_the_identity_and_a_fresh_sign_in() {
    let mut world = World::invited().await;
    let sudo = "/api/oidc/start?purpose=sudo&next=/a";
    let nobody = world.get(sudo).await;
    assert_eq!(location(&nobody), "/sign-in?next=%2Fa&failed=oidc_expired");
    assert_eq!(world.round_trip("/api/oidc/start").await, "/");

    let address = location(&world.get(sudo).await);
    assert!(
        address.contains("prompt=login") && address.contains("max_age=0"),
        "{address}"
    );
    let cross_site = world.get_with(sudo, &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(location(&cross_site), "/a?failed=oidc_failed");
    let later = NOW + 4 * MINUTE;
    world.server.clock.set(later);
    assert_eq!(world.round_trip(sudo).await, "/a");
    let hash = lk_server::token_hash(&world.cookies["lk_session"]);
    let proved_at = |world: &World| {
        let store = world.server.engine.store().clone();
        async move { store.session(&hash, later).await.unwrap().unwrap().proved_at }
    };
    assert_eq!(proved_at(&world).await, later);

    for edit in [
        (|_, c| c["auth_time"] = (NOW.ms() / 1_000 - 121).into()) as Edit,
        |_, c| drop(c.as_object_mut().unwrap().remove("auth_time")),
    ] {
        world.issuer.edit(edit);
        assert_eq!(world.round_trip(sudo).await, "/a?failed=oidc_failed");
    }
    world.issuer.edit(|_, c| c["sub"] = "subject-2".into());
    assert_eq!(world.round_trip(sudo).await, "/a?failed=oidc_unknown_person");
    // Another session came in between.
    world.issuer.edit(|_, _| {});
    let callback = world.away(sudo).await;
    let flow = world.cookies["lk_oidc"].clone();
    assert_eq!(world.round_trip("/api/oidc/start").await, "/");
    world.cookies.insert("lk_oidc".to_owned(), flow);
    assert_eq!(location(&world.get(&callback).await), "/a?failed=oidc_expired");
}

#[tokio::test]
async fn an_identity_is_linked_by_whoever_has_just_proved_themselves() {
    let mut world = World::invited().await;
    assert_eq!(world.round_trip("/api/oidc/start").await, "/");
    world.issuer.edit(|_, c| c["sub"] = "subject-2".into());
    let link = "/api/oidc/start?purpose=link&next=/profile";
    assert_eq!(world.round_trip(link).await, "/profile");
    let ann = world.session().await["user"]["id"].as_str().unwrap().to_owned();
    let identities = world.server.engine.store().identities(&ann).await.unwrap();
    assert_eq!(identities.len(), 2);

    // Somebody else's identity stays theirs.
    let bob = world.add("bob@example.com").await;
    let taken = lk_store::NewIdentity {
        issuer: world.issuer.url.clone(),
        subject: "subject-3".to_owned(),
        email: None,
    };
    let store = world.server.engine.store().clone();
    store.link_identity(&bob, &taken, None, NOW).await.unwrap();
    world.issuer.edit(|_, c| c["sub"] = "subject-3".into());
    assert_eq!(world.round_trip(link).await, "/profile?failed=oidc_refused");

    world.server.clock.set(NOW + 15 * MINUTE);
    let stale = world.get(link).await;
    assert_eq!(location(&stale), "/profile?failed=oidc_expired");
}

#[tokio::test]
async fn nothing_that_is_sent_is_our_fault() {
    let mut world = World::invited().await;
    for path in [
        "/api/oidc/start?next=//evil.example",
        "/api/oidc/start?next=https://evil.example",
        "/api/oidc/start?next=%2F%5Cevil.example",
        "/api/oidc/start?next=%2F%09%2Fevil.example",
    ] {
        assert_eq!(world.round_trip(path).await, "/", "{path}");
    }
    for (path, status) in [
        ("/api/oidc/start?next=", 400),
        ("/api/oidc/start?purpose=other", 400),
        ("/api/oidc/start?colour=red", 400),
        ("/api/oidc/callback?state=a&state=b", 400),
        ("/api/oidc/callback?code=%ff", 400),
        ("/api/oidc/callback", 302),
        ("/api/oidc/callback?state=%20&code=x", 302),
        (&format!("/api/oidc/callback?state={}", "s".repeat(7_000)), 302),
        (&format!("/api/oidc/callback?state={}", "s".repeat(9_000)), 400),
        (
            &format!("/api/oidc/start?next=/{}", "é".repeat(1_000).replace('é', "%C3%A9")),
            302,
        ),
    ] {
        assert_eq!(world.get(path).await.status, status, "{path}");
    }
    let without = TestServer::start().await;
    for path in ["/api/oidc/start", "/api/oidc/callback"] {
        let answer = without.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (404, "not_found"));
    }
}
