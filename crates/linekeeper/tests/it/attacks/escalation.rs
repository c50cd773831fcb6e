//! More rights than one was given: by roles, invitations, keys, links, and without proof of
//! presence.

use lk_core::access::{Standing, Verb, authorize};
use lk_core::time::MINUTE;
use lk_core::words::Role;
use lk_store::{NewInvitation, NewOneTimeLink, RESET_LINK};
use serde_json::{Value, json};

use super::http::{Answer, Ask};
use super::world::{PASSWORD, World};
use crate::harness::now;

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn token(link: &Value) -> String {
    let link = text(link);
    link.split_once("token=").expect("a token").1.to_owned()
}

fn joining(token: &str, email: &str) -> Ask {
    let body = json!({"token": token, "email": email, "name": "New", "password": PASSWORD});
    Ask::post("/api/invitations/join", &body)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_themselves_more() {
    let world = World::start().await;
    let (admin, owner, viewer) = (
        world.here.person(Role::Admin),
        world.here.person(Role::Owner),
        world.here.person(Role::Viewer),
    );
    let member = |id: &str| format!("/api/members/{id}?projectId=default");
    let role = |role: &str| json!({"role": role, "version": 1});
    let invite = |role: &str| json!({"projectId": "default", "role": role});
    let key = |role: &str| json!({"projectId": "default", "name": "k", "role": role});
    let project = format!("/api/projects/{}", world.here.id);
    let before = world.get(&owner.browser, "/api/members?projectId=default").await;
    let editor = world.here.person(Role::Editor);
    for (who, ask) in [
        (admin, Ask::new("PATCH", &member(&admin.id)).json(&role("owner"))),
        (admin, Ask::new("PATCH", &member(&viewer.id)).json(&role("owner"))),
        (admin, Ask::new("PATCH", &member(&owner.id)).json(&role("viewer"))),
        (admin, Ask::new("DELETE", &member(&owner.id))),
        (admin, Ask::post("/api/invitations", &invite("owner"))),
        (admin, Ask::post("/api/keys", &key("owner"))),
        (
            admin,
            Ask::post(&format!("{project}/transfer"), &json!({"userId": admin.id})),
        ),
        (admin, Ask::new("DELETE", &project).json(&json!({"confirm": "default"}))),
        (editor, Ask::new("PATCH", &member(&editor.id)).json(&role("admin"))),
        (editor, Ask::post("/api/invitations", &invite("viewer"))),
        (viewer, Ask::post("/api/keys", &key("viewer"))),
        // The installation is the operator's, whatever one is in a project.
        (
            owner,
            Ask::post("/api/projects", &json!({"slug": "mine", "name": "Mine"})),
        ),
        (
            owner,
            Ask::post(
                "/api/users",
                &json!({"email": "x@example.org", "name": "X", "operator": true}),
            ),
        ),
        (
            owner,
            Ask::new("PATCH", &format!("/api/users/{}", owner.id)).json(&json!({"operator": true, "version": 1})),
        ),
        (
            owner,
            Ask::post(&format!("/api/users/{}/password-reset", viewer.id), &json!({})),
        ),
        (owner, Ask::new("DELETE", &format!("/api/users/{}/totp", viewer.id))),
        (owner, Ask::get("/api/audit?scope=installation")),
        (owner, Ask::get("/metrics")),
    ] {
        let at = format!("{}: {ask:?}", who.email);
        let answer = ask.by(&who.browser).send(&world.server).await;
        assert_eq!(answer.outcome(), (403, "forbidden".to_owned()), "{at}: {}", answer.text);
    }
    assert_eq!(
        world.get(&owner.browser, "/api/members?projectId=default").await,
        before
    );
    // What each of them may.
    world.post(&owner.browser, "/api/invitations", &invite("owner")).await;
    world.post(&owner.browser, "/api/keys", &key("owner")).await;
    world.post(&admin.browser, "/api/keys", &key("admin")).await;
    let raised = Ask::new("PATCH", &member(&viewer.id))
        .json(&role("owner"))
        .by(&owner.browser);
    assert_eq!(raised.send(&world.server).await.status, 200);
    let link = format!("/api/users/{}/password-reset", viewer.id);
    world.post(&world.operator.browser, &link, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_no_better_key() {
    let world = World::start().await;
    let owner = world.here.browser(Role::Owner);
    let make = async |role: &str, scopes: Value| {
        let body = json!({"projectId": "default", "name": "k", "role": role, "scopes": scopes});
        text(&world.post(owner, "/api/keys", &body).await["value"])
    };
    let admin = make("admin", Value::Null).await;
    let narrow = make("admin", json!(["admin"])).await;
    let reading = make("owner", json!(["read"])).await;
    let new = |role: &str, scopes: Value| Ask::post("/api/keys", &json!({"name": "n", "role": role, "scopes": scopes}));
    let outcome = async |ask: Ask, key: &str| ask.with_key(key).send(&world.server).await.outcome();
    let forbidden = (403, "forbidden".to_owned());
    assert_eq!(outcome(new("owner", Value::Null), &admin).await, forbidden);
    assert_eq!(outcome(new("admin", Value::Null), &admin).await.0, 201);
    // A scope that one lacks is not handed out, neither by name nor by leaving them out.
    for scopes in [
        Value::Null,
        json!(["read"]),
        json!(["admin", "triage"]),
        json!(["integrations"]),
    ] {
        assert_eq!(outcome(new("admin", scopes.clone()), &narrow).await.0, 403, "{scopes}");
    }
    assert_eq!(outcome(new("admin", json!(["admin"])), &narrow).await.0, 201);
    let writing = json!({"projectId": "default", "provider": "standard_webhooks", "name": "N"});
    for key in [&narrow, &reading] {
        assert_eq!(outcome(Ask::post("/api/integrations", &writing), key).await.0, 403);
    }
    assert_eq!(outcome(new("viewer", Value::Null), &reading).await.0, 403);
    assert_eq!(outcome(Ask::post("/api/integrations", &writing), &admin).await.0, 201);
    // No key is a person or an operator, whatever its role.
    for ask in [
        Ask::get("/api/profile"),
        Ask::get("/api/users"),
        Ask::get("/metrics"),
        Ask::get("/api/audit/check"),
    ] {
        assert_eq!(outcome(ask, &world.server.key).await, forbidden);
    }
    // The operator's own key, narrowed to triage, tells nothing of the installation.
    let args = ["key", "create", "--role", "owner", "--operator", "--scope", "triage"];
    let triage = world.server.run(&args, "");
    for path in ["/metrics", "/api/users", "/api/overview"] {
        assert_eq!(outcome(Ask::get(path), triage.trim()).await.0, 403, "{path}");
    }
    let operator = world.server.run(&args[..5], "");
    for path in ["/metrics", "/api/users", "/api/overview"] {
        assert_eq!(outcome(Ask::get(path), operator.trim()).await.0, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_for_one_person_once_and_in_time() {
    let world = World::start().await;
    let owner = world.here.browser(Role::Owner);
    let invite = async |email: Option<&str>| {
        let body = json!({"projectId": "default", "role": "admin", "email": email});
        world.post(owner, "/api/invitations", &body).await
    };
    let bad = (401, "bad_link".to_owned());
    let send = async |ask: Ask, from: &str| ask.from(from).send(&world.server).await.outcome();

    // For one address: neither another new account nor another one that exists.
    let named = token(&invite(Some("invited@example.org")).await["link"]);
    let accept = |token: &str| Ask::post("/api/invitations/accept", &json!({"token": token}));
    let stranger = &world.there.person(Role::Viewer).browser;
    for email in [
        "thief@example.org",
        "invited@example.org.evil.example",
        "invited+x@example.org",
    ] {
        assert_eq!(send(joining(&named, email), "127.0.0.2").await.0, 400, "{email}");
    }
    assert_eq!(send(accept(&named).by(stranger), "127.0.0.2").await.0, 400);
    assert_eq!(world.looks(stranger, "/api/overview?projectId=default").await, 404);
    assert_eq!(
        send(joining(&named, "Invited@Example.org"), "127.0.0.3").await.0,
        200,
        "it was not used up"
    );
    // Once.
    assert_eq!(send(joining(&named, "invited@example.org"), "127.0.0.3").await, bad);
    let open = token(&invite(None).await["link"]);
    assert_eq!(send(accept(&open).by(stranger), "127.0.0.3").await.0, 200);
    assert_eq!(world.looks(stranger, "/api/overview?projectId=default").await, 200);
    assert_eq!(send(joining(&open, "late@example.org"), "127.0.0.4").await, bad);
    // Withdrawn.
    let made = invite(None).await;
    let path = format!("/api/invitations/{}?projectId=default", text(&made["invitation"]["id"]));
    let gone = Ask::new("DELETE", &path).by(owner).send(&world.server).await;
    assert_eq!(gone.status, 204);
    assert_eq!(
        send(joining(&token(&made["link"]), "gone@example.org"), "127.0.0.5").await,
        bad
    );
    // Expired: one that ended a minute ago, and one that ends in a minute.
    for (ends_ms, status) in [(-MINUTE, 401), (MINUTE, 200)] {
        let (token, email) = (
            lk_server::new_token().expect("a token"),
            format!("at{ends_ms}@example.org"),
        );
        let new = NewInvitation {
            project_id: world.here.id.clone(),
            hash: lk_server::token_hash(&token).to_vec(),
            role: Role::Viewer,
            email: None,
            expires_at: now() + ends_ms,
        };
        let permit = authorize(&Standing::command_line(), Verb::ManageMembers).expect("may");
        world
            .store
            .create_invitation(&permit, &new, now())
            .await
            .expect("is stored");
        assert_eq!(send(joining(&token, &email), "127.0.0.6").await.0, status, "{ends_ms}");
    }
    // Somebody's address is not taken over by joining with it.
    let again = token(&invite(None).await["link"]);
    assert_eq!(send(joining(&again, super::world::OPERATOR), "127.0.0.7").await.0, 409);
    assert_eq!(
        world.sign_in(super::world::OPERATOR).await.status,
        200,
        "with the old password"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_link_is_for_its_own_account_once_and_in_time() {
    let world = World::start().await;
    let ann = world.add("ann@example.org").await;
    let made = format!("/api/users/{}/password-reset", ann.id);
    let make = async || token(&world.post(&world.operator.browser, &made, &json!({})).await["link"]);
    let reset = async |token: &str, from: &str| {
        let body = json!({"token": token, "password": "another long password"});
        Ask::post("/api/password-reset", &body)
            .from(from)
            .send(&world.server)
            .await
            .status
    };
    let first = make().await;
    let second = make().await;
    assert_eq!(reset(&first, "127.0.0.2").await, 401, "an earlier link no longer works");
    // A reset link is no invitation, and the other way round.
    assert_eq!(
        joining(&second, "x@example.org")
            .from("127.0.0.3")
            .send(&world.server)
            .await
            .status,
        401
    );
    assert_eq!(reset(&second, "127.0.0.4").await, 204);
    assert_eq!(reset(&second, "127.0.0.4").await, 401, "once");
    assert_eq!(
        world.looks(&ann.browser, "/api/profile").await,
        401,
        "every session has ended"
    );
    // A link from before the password was changed would undo the change.
    let third = make().await;
    let browser = world.browser(&ann, 0).await;
    let change = json!({"current": "another long password", "password": PASSWORD});
    let changed = Ask::new("PUT", "/api/profile/password").json(&change).by(&browser);
    assert_eq!(changed.send(&world.server).await.status, 204);
    assert_eq!(reset(&third, "127.0.0.5").await, 401);
    for (ends_ms, status) in [(-MINUTE, 401), (MINUTE, 204)] {
        let token = lk_server::new_token().expect("a token");
        let new = NewOneTimeLink {
            hash: lk_server::token_hash(&token).to_vec(),
            purpose: RESET_LINK.to_owned(),
            project_id: None,
            subject: Some(ann.id.clone()),
            payload: "{}".to_owned(),
            expires_at: now() + ends_ms,
        };
        let permit = authorize(&Standing::command_line(), Verb::ManageUsers).expect("may");
        world
            .store
            .create_one_time_link(&permit, &new, now())
            .await
            .expect("is stored");
        assert_eq!(reset(&token, "127.0.0.6").await, status, "{ends_ms}");
    }
    // Who was switched off does not come back through a link.
    let fourth = make().await;
    world.server.run(&["user", "disable", "--email", &ann.email], "");
    assert_eq!(reset(&fourth, "127.0.0.7").await, 401);
}

/// Which routes ask for it is `roles.rs`'s table in lk-server; here is that a stolen session does
/// not get around it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_session_does_not_prove_presence() {
    let world = World::start().await;
    let (owner, other) = (world.here.person(Role::Owner), world.here.person(Role::Admin));
    let stolen = world.browser(owner, 16).await;
    let key = json!({"projectId": "default", "name": "k", "role": "viewer"});
    let attempts = |browser: &super::http::Browser| {
        [
            Ask::post("/api/keys", &key).by(browser),
            Ask::get("/api/audit").by(browser),
            Ask::get("/api/keys").by(browser),
            Ask::post("/api/profile/totp", &Value::Null).by(browser),
            Ask::new("DELETE", "/api/profile/totp").by(browser),
        ]
    };
    let before = world.changes().await;
    for ask in attempts(&stolen) {
        let answer: Answer = ask.clone().send(&world.server).await;
        assert_eq!(
            answer.outcome(),
            (403, "sudo_required".to_owned()),
            "{ask:?}: {}",
            answer.text
        );
    }
    assert_eq!(world.changes().await, before);
    // Neither a wrong password, nor one's own elsewhere, nor the attacker's.
    let sudo = |password: &str| Ask::post("/api/session/sudo", &json!({"password": password}));
    assert_eq!(sudo("wrong").by(&stolen).send(&world.server).await.status, 401);
    let elsewhere = world.browser(owner, 16).await;
    assert_eq!(sudo(PASSWORD).by(&elsewhere).send(&world.server).await.status, 200);
    assert_eq!(sudo(PASSWORD).by(&other.browser).send(&world.server).await.status, 200);
    let [first, ..] = attempts(&stolen);
    assert_eq!(
        first.send(&world.server).await.error(),
        "sudo_required",
        "another session's proof"
    );
    let mixed = Ask::post("/api/keys", &key).header("cookie", &stolen.cookie);
    let mixed = mixed.header("x-csrf-token", &elsewhere.csrf).send(&world.server).await;
    assert_eq!(mixed.error(), "csrf_mismatch");
    assert_eq!(sudo(PASSWORD).by(&stolen).send(&world.server).await.status, 200);
    let [first, second, ..] = attempts(&stolen);
    assert_eq!(first.send(&world.server).await.status, 201);
    assert_eq!(second.send(&world.server).await.status, 200);
}
