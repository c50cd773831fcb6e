//! Cross-site request forgery: a page of another site makes the browser of a signed-in person act.

use lk_core::words::Role;
use serde_json::json;

use super::http::{Answer, Ask};
use super::routes::{Operation, operations};
use super::world::{PASSWORD, World};

/// Whatever fits a path's pattern: a forged write must not come as far as looking.
fn filled(path: &str) -> String {
    let id = "0190a000-0000-7000-8000-000000000000";
    let named = path
        .replace("{provider}/{key}", "github/x")
        .replace("{provider}", "github");
    named
        .replace("{id}", id)
        .replace("{secretId}", id)
        .replace("{key}", "github")
}

fn is_forgery(answer: &Answer, at: &str) {
    assert_eq!(
        answer.outcome(),
        (403, "csrf_mismatch".to_owned()),
        "{at}: {}",
        answer.text
    );
}

/// One forged write, in every way a page can send it.
async fn forge(world: &World, operation: &Operation) {
    let (owner, other) = (world.here.browser(Role::Owner), world.here.browser(Role::Admin));
    let (at, path) = (&operation.name, filled(&operation.path));
    // `set_up` and its like look at no session: the site alone tells.
    let needs_token = operation.secured || operation.name == "signOut";
    for token in [None, Some(""), Some("wrong"), Some(other.csrf.as_str())] {
        if !needs_token {
            break;
        }
        let ask = operation.ask(&path).header("cookie", &owner.cookie);
        let ask = token.map_or(ask.clone(), |token| ask.header("x-csrf-token", token));
        is_forgery(&ask.send(&world.server).await, &format!("{at} with token {token:?}"));
    }
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1.evil.example")],
    ] {
        // Even with the right token.
        let mut ask = operation.ask(&path).by(owner);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        is_forgery(&ask.send(&world.server).await, &format!("{at} from {headers:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_writes_nothing() {
    let world = World::start().await;
    let before = world.changes().await;
    let all = operations(&world).await;
    // Providers are no browsers: their deliveries carry no cookie and are signed.
    for operation in all.iter().filter(|o| o.writes() && !o.is_webhook()) {
        forge(&world, operation).await;
    }
    assert_eq!(world.changes().await, before, "nothing was changed");
    assert_eq!(world.looks(world.here.browser(Role::Owner), "/api/profile").await, 200);

    // A form of another site can send these without being asked first.
    let owner = world.here.browser(Role::Owner);
    let body = json!({"name": "own", "role": "viewer"});
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let text = body.to_string();
        let ask = Ask::new("POST", "/api/keys").by(owner).body(kind, text.as_bytes());
        assert_eq!(ask.send(&world.server).await.status, 415, "{kind}");
    }
    assert_eq!(world.changes().await, before);

    // The page of our own does it.
    let ask = Ask::post("/api/keys", &body)
        .by(owner)
        .header("sec-fetch-site", "same-origin");
    let made = ask.header("origin", &world.server.url).send(&world.server).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(world.changes().await, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_changes_nothing() {
    let world = World::start().await;
    let made = world.connect(&world.here, "Payroll").await;
    let id = made["integration"]["id"].as_str().expect("an id");
    let before = world.changes().await;
    for operation in operations(&world).await.iter().filter(|o| !o.writes()) {
        let path = filled(&operation.path).replace("/api/integrations/0190a000-0000-7000-8000-000000000000", id);
        if operation.name == "streamEvents" {
            continue;
        }
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            let ask = Ask::new(method, &path).by(&world.operator.browser);
            let answer = ask.header("x-http-method-override", "DELETE").send(&world.server).await;
            assert!(answer.status < 500, "{method} {path}: {}", answer.status);
        }
    }
    // Ways in which some frameworks let a link delete.
    let path = format!("/api/integrations/{id}");
    let owner = world.here.browser(Role::Owner);
    for (name, query) in [("x-http-method-override", ""), ("x-method-override", "?_method=DELETE")] {
        let ask = Ask::get(&format!("{path}{query}")).header("cookie", &owner.cookie);
        let answer = ask.header(name, "DELETE").send(&world.server).await;
        assert!(matches!(answer.status, 200 | 400), "{}", answer.text);
    }
    assert_eq!(world.changes().await, before, "a GET wrote something");
    let deleted = Ask::new("DELETE", &path).by(owner).send(&world.server).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(world.changes().await, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_in_by_another_site() {
    let world = World::start().await;
    let attacker = &world.here.person(Role::Viewer).email;
    let body = json!({"email": attacker, "password": PASSWORD});
    let before = world.changes().await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example")] {
        let answer = Ask::post("/api/session", &body)
            .header(name, value)
            .send(&world.server)
            .await;
        is_forgery(&answer, name);
        assert_eq!(answer.header("set-cookie"), None);
    }
    let text = body.to_string();
    let form = Ask::new("POST", "/api/session").body("text/plain", text.as_bytes());
    assert_eq!(form.send(&world.server).await.status, 415);
    assert_eq!(world.changes().await, before);
    let ask = Ask::post("/api/session", &body).header("sec-fetch-site", "same-origin");
    let answer = ask.send(&world.server).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.cookie().starts_with("lk_session="));
}
