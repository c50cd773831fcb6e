//! The handshake by which a provider brings its secret: stored once, confirmed, and told nobody.

use lk_core::Time;
use lk_fakes::server::{Running, header, serve};
use lk_providers::fakes::gusto::api::Subscriptions;
use lk_store::{MasterKey, Store, StoreConfig};
use serde_json::{Value, json};

use crate::everything::{kept, told};
use crate::harness::{Connected, Server, eventually, now};

const SYSTEM_TOKEN: &str = "the-system-token-of-this-test";
const TOKEN: &str = "the-verification-token-of-this-test";
const SUBSCRIPTION: &str = "0c5e1f7a-1111-4222-8333-944455566677";

fn fake() -> Running {
    let api = Subscriptions {
        system_token: SYSTEM_TOKEN.to_owned(),
        uuid: SUBSCRIPTION.to_owned(),
        verification_token: TOKEN.to_owned(),
        verified: false,
    };
    serve(api).expect("a port")
}

fn connect(server: &Server, fake: &Running) -> Connected {
    let base_url = format!("base_url={}", fake.base_url());
    let system_token = format!("system_token={SYSTEM_TOKEN}");
    let to = server.connect("gusto", &[&base_url, &system_token]);
    assert!(to.secret.is_none(), "the provider brings it");
    to
}

/// Posts the unsigned handshake; nothing when the server is gone before it answers.
async fn shake(server: &Server, to: &Connected, token: &str) -> Option<u16> {
    let body = json!({ "verification_token": token, "webhook_subscription_uuid": SUBSCRIPTION });
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    server.post(&to.path, headers, body.to_string().as_bytes()).await.ok()
}

fn event(n: u32) -> Value {
    json!({
        "uuid": format!("8f2c1a6e-3b57-4a09-9d21-7c4e5f6a7b{n:02}"),
        "event_type": "payroll.submitted", "resource_type": "Company",
        "resource_uuid": "0f5e3c1a-7d8b-4b52-9c46-2a1d8e90b7f3", "timestamp": now().0 / 1_000,
    })
}

/// Waits until nothing is left in the outbox.
async fn all_done(server: &Server) {
    let key = MasterKey::from_file(&server.dir.join("master.key")).expect("the key");
    let path = server.dir.join("linekeeper.db");
    let store = Store::open(&StoreConfig::Sqlite { path }, key, now()).await;
    let store = store.expect("opens beside the server");
    eventually("the end of the effect", || async {
        let open = store.due_effects(Time(i64::MAX), true, 10).await.expect("reads");
        open.is_empty().then_some(())
    })
    .await;
    store.close().await.expect("closes");
    let log = server.log();
    assert!(log.contains("effect done") && !log.contains("effect failed"), "{log}");
}

/// How many confirmations the provider got; each must be right.
fn confirmations(fake: &Running) -> usize {
    let requests = fake.requests();
    for request in &requests {
        let path = format!("/v1/webhook_subscriptions/{SUBSCRIPTION}/verify");
        assert_eq!((request.method.as_str(), &request.url), ("PUT", &path));
        let bearer = format!("Bearer {SYSTEM_TOKEN}");
        assert_eq!(header(&request.headers, "authorization"), Some(bearer.as_str()));
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!(body, json!({ "verification_token": TOKEN }));
    }
    requests.len()
}

async fn tells_no_token(server: &Server) {
    let mut all = told(server).await;
    all.extend(kept(server));
    for (place, text) in &all {
        for token in [SYSTEM_TOKEN, TOKEN] {
            assert!(!text.contains(token), "{token} is in {place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_is_believed_once_and_confirmed() {
    let mut server = Server::start();
    server.terminate();
    server.log_filter = Some("debug");
    server.serve(None);
    let fake = fake();
    let mut to = connect(&server, &fake);
    assert_eq!(shake(&server, &to, TOKEN).await, Some(200));
    all_done(&server).await;
    assert_eq!(confirmations(&fake), 1);
    to.secret = Some(TOKEN.to_owned());
    assert_eq!(server.deliver(&to, "", &event(1)).await, Some(200));

    // Whoever comes second is nobody: the secret is known, and this is not signed by it.
    let secrets = format!("/api/integrations/{}/webhook-secrets", to.id);
    let before = (server.get(&secrets).await, server.events().await);
    assert_eq!(shake(&server, &to, "the-token-of-somebody-else").await, Some(401));
    let other = Connected {
        secret: Some("the-token-of-somebody-else".to_owned()),
        ..to.clone()
    };
    assert_eq!(server.deliver(&other, "", &event(2)).await, Some(401));
    assert_eq!((server.get(&secrets).await, server.events().await), before);
    assert_eq!(server.deliver(&to, "", &event(3)).await, Some(200));
    all_done(&server).await;
    assert_eq!(confirmations(&fake), 1);
    let rejections = format!("/api/integrations/{}/rejections", to.id);
    eventually("the counted refusals", || async {
        let items = server.get(&rejections).await["items"].as_array().cloned()?;
        (items.iter().filter_map(|i| i["count"].as_u64()).sum::<u64>() == 2).then_some(())
    })
    .await;
    // The provider repeats its handshake when it did not get our first answer.
    assert_eq!(shake(&server, &to, TOKEN).await, Some(200));
    all_done(&server).await;
    assert_eq!(confirmations(&fake), 2);
    assert_eq!(server.get(&secrets).await, before.0, "and no second secret comes of it");
    tells_no_token(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_answer_is_mended_by_the_provider_s_repeat() {
    for point in ["journal.taken", "journal.stepped", "journal.committed"] {
        let mut server = Server::start();
        server.terminate();
        server.serve(Some(&format!("{point}:1")));
        let fake = fake();
        let to = connect(&server, &fake);
        assert_eq!(shake(&server, &to, TOKEN).await, None, "{point}");
        server.wait_for_end();
        server.serve(None);
        assert_eq!(shake(&server, &to, TOKEN).await, Some(200), "{point}");
        all_done(&server).await;
        assert!(confirmations(&fake) >= 1, "{point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_around_the_confirmation_never_loses_it() {
    for (point, sent) in [("effect.begun", 0), ("effect.done", 1), ("effect.finished", 1)] {
        let mut server = Server::start();
        server.terminate();
        server.serve(Some(&format!("{point}:1")));
        let fake = fake();
        let to = connect(&server, &fake);
        // The process may die before its answer is out.
        let answer = shake(&server, &to, TOKEN).await;
        assert!(matches!(answer, Some(200) | None), "{point}: {answer:?}");
        server.wait_for_end();
        assert_eq!(confirmations(&fake), sent, "{point}");
        server.serve(None);
        all_done(&server).await;
        let repeated = usize::from(point == "effect.done");
        assert_eq!(confirmations(&fake), sent.max(1) + repeated, "{point}");
        let signed = Connected {
            secret: Some(TOKEN.to_owned()),
            ..to
        };
        assert_eq!(server.deliver(&signed, "", &event(1)).await, Some(200), "{point}");
        tells_no_token(&server).await;
    }
}
