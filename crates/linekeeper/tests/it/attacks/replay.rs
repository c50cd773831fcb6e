//! What may be used once, used again: one after the other, and many at the same time.

use futures_util::future::join_all;
use lk_core::words::Role;
use serde_json::{Value, json};

use super::guessing::{authenticator, code};
use super::http::Ask;
use super::world::{PASSWORD, World};
use crate::harness::{Connected, sign};

/// A server behind a proxy, so that each attempt can come from a place of its own.
async fn world() -> World {
    World::with(vec![("LINEKEEPER_TRUSTED_PROXIES", "127.0.0.1".to_owned())]).await
}

/// The statuses of so many equal requests at the same time, each from another client.
async fn at_once(world: &World, ask: &Ask, times: usize) -> Vec<u16> {
    let asked = (0..times).map(|n| {
        let ask = ask.clone().through_proxy_for(&format!("203.0.113.{n}"));
        async move { ask.send(&world.server).await.status }
    });
    join_all(asked).await
}

fn successes(statuses: &[u16]) -> usize {
    statuses.iter().filter(|status| **status < 300).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_counts_once() {
    let world = world().await;
    let ann = world.add("ann@example.org").await;
    let (secret, recovery) = authenticator(&world, &ann).await;
    let sign_in = |code: &str| {
        Ask::post(
            "/api/session",
            &json!({"email": ann.email, "password": PASSWORD, "code": code}),
        )
    };
    for code in [code(&secret, 0), recovery[0].clone()] {
        let statuses = at_once(&world, &sign_in(&code), 8).await;
        assert_eq!(successes(&statuses), 1, "{code}: {statuses:?}");
        let again = sign_in(&code)
            .through_proxy_for("198.51.100.1")
            .send(&world.server)
            .await;
        assert_eq!(again.outcome(), (401, "bad_code".to_owned()));
    }
    // An older one that was never used is no use after a newer one; another recovery code is.
    let older = sign_in(&code(&secret, -1))
        .through_proxy_for("198.51.100.2")
        .send(&world.server)
        .await;
    assert_eq!(older.error(), "bad_code");
    let other = sign_in(&recovery[1])
        .through_proxy_for("198.51.100.3")
        .send(&world.server)
        .await;
    assert_eq!(other.status, 200, "{}", other.text);
    // New recovery codes end the old ones.
    let path = "/api/profile/totp/recovery-codes";
    let new = world.post(&ann.browser, path, &Value::Null).await;
    let old = sign_in(&recovery[2])
        .through_proxy_for("198.51.100.4")
        .send(&world.server)
        .await;
    assert_eq!(old.error(), "bad_code");
    let new = new["recoveryCodes"][0].as_str().expect("a code");
    let new = sign_in(new).through_proxy_for("198.51.100.5").send(&world.server).await;
    assert_eq!(new.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_counts_once() {
    let world = world().await;
    let owner = world.here.browser(Role::Owner);
    let token = |made: &Value| {
        let link = made["link"].as_str().expect("a link");
        link.split_once("token=").expect("a token").1.to_owned()
    };
    let invited = world
        .post(
            owner,
            "/api/invitations",
            &json!({"projectId": "default", "role": "editor"}),
        )
        .await;
    let invited = token(&invited);
    let joins = (0..6).map(|n| {
        let email = format!("race{n}@example.org");
        let body = json!({"token": invited, "email": email, "name": "R", "password": PASSWORD});
        let ask = Ask::post("/api/invitations/join", &body).through_proxy_for(&format!("203.0.113.{n}"));
        async { ask.send(&world.server).await.status }
    });
    let statuses = join_all(joins).await;
    assert_eq!(successes(&statuses), 1, "{statuses:?}");
    let members = world.get(owner, "/api/members?projectId=default").await;
    let joined = members["items"].as_array().expect("members").iter();
    let joined = joined.filter(|m| m["email"].as_str().is_some_and(|email| email.starts_with("race")));
    assert_eq!(joined.count(), 1);
    let people = world.get(&world.operator.browser, "/api/users").await;
    assert_eq!(
        people.to_string().matches("race").count(),
        1,
        "nobody else got an account: {people}"
    );

    let reset = format!("/api/users/{}/password-reset", world.here.person(Role::Viewer).id);
    let reset = token(&world.post(&world.operator.browser, &reset, &json!({})).await);
    let body = json!({"token": reset, "password": "another long password"});
    let statuses = at_once(&world, &Ask::post("/api/password-reset", &body), 6).await;
    assert_eq!(successes(&statuses), 1, "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_comes_again_is_one() {
    let world = world().await;
    let made = world.connect(&world.here, "Ours").await;
    let url = made["webhookUrl"].as_str().expect("an address");
    let to = Connected {
        id: String::new(),
        provider: "standard_webhooks".to_owned(),
        path: url[url.find("/webhooks/").expect("a webhook address")..].to_owned(),
        secret: made["webhookSecret"].as_str().map(str::to_owned),
    };
    let body = json!({"type": "payroll.done"}).to_string();
    let deliver = |id: &str, body: &str| {
        let mut ask = Ask::new("POST", &to.path);
        for (name, value) in sign(&to, id, body.as_bytes())
            .into_iter()
            .filter(|(name, _)| name != "content-type")
        {
            ask = ask.header(&name, &value);
        }
        ask.body("application/json", body.as_bytes())
    };
    let stored = async || {
        let page = world
            .get(world.here.browser(Role::Viewer), "/api/events?projectId=default")
            .await;
        page["items"].as_array().map_or(0, Vec::len)
    };
    let first = deliver("msg_1", &body);
    assert_eq!(
        at_once(&world, &first, 10).await,
        [200; 10],
        "answered, so that nobody tries again"
    );
    assert_eq!(first.send(&world.server).await.status, 200);
    assert_eq!(stored().await, 1);
    // The signature is of these bytes: others do not ride on it, and its id is a part of it.
    let forged = deliver("msg_1", &body).header("webhook-id", "msg_2");
    assert_eq!(forged.send(&world.server).await.status, 401);
    let mut signed = sign(&to, "msg_3", body.as_bytes());
    signed.retain(|(name, _)| name != "content-type");
    let mut other = Ask::new("POST", &to.path);
    for (name, value) in &signed {
        other = other.header(name, value);
    }
    let other = other.body("application/json", body.replace("done", "failed").as_bytes());
    assert_eq!(other.send(&world.server).await.status, 401);
    assert_eq!(stored().await, 1);
    assert_eq!(deliver("msg_4", &body).send(&world.server).await.status, 200);
    assert_eq!(stored().await, 2);
}
