//! The engine as a whole on a real SQLite file: signed deliveries in, what is shown out.

use std::sync::Arc;
use std::time::Duration;

use lk_core::Time;
use lk_core::access::{Standing, Verb, authorize};
use lk_core::observation::IntegrationRid;
use lk_core::time::{DAY, SECOND};
use lk_core::words::{EventKind, Health};
use lk_provider::errors::Explainers;
use lk_provider::{Headers, Inbound, Manifest, ManifestProvider, Provider, Registry, Secret, Settings, signature};
use lk_store::{
    EventRow, IntegrationPatch, MasterKey, NewIntegration, NewWebhookSecret, SecretSource, SecretText, Store,
    StoreConfig,
};

use crate::journal::MAX_BATCH;
use crate::live::Resumed;
use crate::rules::Rules;
use crate::{Clock, Endpoint, Engine, EngineConfig, IngestReply};

const START: Time = Time(1_800_000_000_000);
const SECRET: &str = "not-a-real-secret-0123456789";
const KEY: &str = "address-of-acme";
const MANIFEST: &str = r##"
key = "acme"
name = "Acme"
summary = "For tests."
color = "#102030"
capabilities = ["webhook"]

[webhook.signature]
scheme = "hmac"
header = "x-acme-signature"

[webhook.secret]
label = "Secret"
hint = "Any."

[webhook.body]
delivery_key = "{/id}"
event_type = "{/type}"
occurred_at = [{ pointer = "/at", unit = "s" }]

[[webhook.match]]
type = ["*.failed"]
outcome = "failure"

[[webhook.match]]
type = ["*.done"]
outcome = "success"
"##;
const GENERIC_RULES: &str = r#"
[[rule]]
code = ["token_expired"]
doc = "auth.token_expired"
"#;

struct World {
    engine: Engine,
    clock: Clock,
    rid: IntegrationRid,
    id: String,
    folder: tempfile::TempDir,
    key: MasterKey,
}

async fn engine_in(folder: &tempfile::TempDir, key: &MasterKey, clock: &Clock) -> Engine {
    drop(rustls::crypto::ring::default_provider().install_default());
    let config = StoreConfig::Sqlite {
        path: folder.path().join("test.db"),
    };
    let store = Store::open(&config, key.clone(), clock.now()).await.expect("opens");
    let provider = ManifestProvider::from_manifest(Manifest::parse(MANIFEST).expect("valid"));
    let provider: Arc<dyn Provider> = Arc::new(provider);
    let registry = Registry::new(vec![provider]).expect("one of each");
    let rules = Rules::new(Explainers::load(GENERIC_RULES, []).expect("valid"));
    let config = EngineConfig {
        clock: clock.clone(),
        allow_private_targets: true,
    };
    Engine::start(store, registry, rules, config).await.expect("starts")
}

async fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let key = MasterKey::generate().expect("randomness");
    let clock = Clock::manual(START);
    let engine = engine_in(&folder, &key, &clock).await;
    let project = engine.store().project("default").await.expect("exists");
    let new = NewIntegration {
        project_id: project.id,
        provider: "acme".into(),
        service: None,
        name: "Acme".into(),
        settings: "{}".into(),
        demo: false,
        endpoint_key: Some(SecretText::new(KEY)),
        secret: Some(NewWebhookSecret {
            value: SecretText::new(SECRET),
            source: SecretSource::Manual,
        }),
        credentials: Vec::new(),
    };
    let permit = authorize(&Standing::system(), Verb::ConnectIntegration).expect("may");
    let made = engine
        .store()
        .create_integration(&permit, &new, START)
        .await
        .expect("creates");
    engine.reload().await.expect("reads");
    World {
        engine,
        clock,
        rid: made.integration.rid,
        id: made.integration.id,
        folder,
        key,
    }
}

fn delivery(secret: &str, body: &str, at: Time) -> Inbound {
    let manifest = Manifest::parse(MANIFEST).expect("valid");
    let webhook = manifest.webhook.expect("it has one");
    let secret = Secret::new(secret);
    let signed = signature::sign(&webhook.signature, &Settings::new(), &secret, "id", at, body.as_bytes());
    let mut headers = Headers::new();
    headers.push("content-type", "application/json");
    for (name, value) in signed.expect("signs").iter() {
        headers.push(name, value);
    }
    Inbound::post("/webhooks/acme/key", headers, body.as_bytes().to_vec(), at)
}

impl World {
    async fn send(&self, secret: &str, body: &str) -> IngestReply {
        let inbound = delivery(secret, body, self.clock.now());
        self.engine.ingest("acme", Endpoint::Key(KEY), inbound).await
    }

    async fn tell(&self, n: u32, kind: &str) -> IngestReply {
        let body = format!(
            r#"{{"id":"{n}","type":"thing.{kind}","at":{},"error":{{"code":"token_expired","message":"expired"}}}}"#,
            START.0 / 1000
        );
        let body = if kind == "failed" {
            body
        } else {
            format!(r#"{{"id":"{n}","type":"thing.{kind}"}}"#)
        };
        self.send(SECRET, &body).await
    }

    async fn events(&self) -> Vec<EventRow> {
        self.engine.store().events_after(0, 10_000).await.expect("reads")
    }

    async fn card_health(&self) -> Health {
        let found = async {
            loop {
                let shown = self.engine.live().seq();
                if shown == self.engine.store().last_seq().await.expect("reads") {
                    let card = self.engine.live().card(self.rid).await.expect("reads");
                    return card.expect("it is on the board").state.health;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found)
            .await
            .expect("the board follows")
    }
}

fn accepted(reply: &IngestReply) -> bool {
    matches!(reply, IngestReply::Accepted(response) if response.status == 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_stored_once_and_shown() {
    let w = world().await;
    for _ in 0..3 {
        assert!(accepted(&w.tell(1, "failed").await));
    }
    let events = w.events().await;
    assert_eq!(events.len(), 1, "the sender's retries are not events");
    assert_eq!(events[0].doc.as_deref(), Some("auth.token_expired"));
    assert!(events[0].problem_id.is_some());
    assert_eq!(w.card_health().await, Health::Degraded);
    for n in 2..4 {
        assert!(accepted(&w.tell(n, "failed").await));
    }
    assert_eq!(w.card_health().await, Health::Down);
    assert!(accepted(&w.tell(9, "done").await));
    assert_eq!(w.card_health().await, Health::Healthy);
    let card = w.engine.live().card(w.rid).await.expect("reads").expect("shown");
    assert_eq!(card.open_problems, 1);
    assert_eq!(card.last_events.as_ref().map(Vec::len), Some(3));
    w.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_verified_changes_nothing_but_a_counter() {
    let w = world().await;
    let body = r#"{"id":"1","type":"thing.done"}"#;
    let reply = w.send("another-secret-that-is-wrong", body).await;
    assert!(
        matches!(
            reply,
            IngestReply::Rejected {
                code: "wrong_secret",
                ..
            }
        ),
        "{reply:?}"
    );
    for (provider, endpoint) in [("acme", "wrong"), ("other", KEY)] {
        let inbound = delivery(SECRET, body, START);
        let reply = w.engine.ingest(provider, Endpoint::Key(endpoint), inbound).await;
        assert_eq!(reply, IngestReply::UnknownAddress);
    }
    w.engine.stop().await;
    assert!(w.events().await.is_empty());
    let counted = w.engine.store().rejections(w.rid).await.expect("reads");
    assert_eq!(
        (counted.len(), counted[0].count, counted[0].reason.as_str()),
        (1, 1, "wrong_secret")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_body_with_a_valid_signature_is_quarantined() {
    let w = world().await;
    assert!(accepted(&w.send(SECRET, r#"{"id":"1","type":"#).await));
    let events = w.events().await;
    assert_eq!(
        (events.len(), events[0].quarantined, events[0].outcome),
        (1, true, None)
    );
    w.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_each_stored_once_in_order_of_commit() {
    let w = Arc::new(world().await);
    let count = 3 * MAX_BATCH as u32;
    let sends: Vec<_> = (0..count)
        .flat_map(|n| [n, n])
        .map(|n| {
            let w = Arc::clone(&w);
            async move { accepted(&w.tell(n, "done").await) }
        })
        .collect();
    let mut running = tokio::task::JoinSet::new();
    for send in sends {
        running.spawn(send);
    }
    let answers = running.join_all().await;
    assert!(answers.iter().all(|ok| *ok), "some were refused");
    let events = w.events().await;
    assert_eq!(events.len(), count as usize);
    assert!(events.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    w.engine.stop().await;
    // The state that is stored counts what is stored, after a restart too.
    let again = engine_in(&w.folder, &w.key, &w.clock).await;
    let card = again.live().card(w.rid).await.expect("reads").expect("shown");
    assert_eq!(card.state.windows.last_day(START).ok, count);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_makes_a_rule_panic_is_quarantined_and_its_neighbours_are_not() {
    let w = Arc::new(world().await);
    let mut running = tokio::task::JoinSet::new();
    for n in 0..40_u32 {
        let w = Arc::clone(&w);
        running.spawn(async move {
            let kind = if n == 17 { "test.panics" } else { "thing.done" };
            accepted(&w.send(SECRET, &format!(r#"{{"id":"{n}","type":"{kind}"}}"#)).await)
        });
    }
    assert!(running.join_all().await.into_iter().all(|ok| ok));
    let events = w.events().await;
    let odd: Vec<_> = events.iter().filter(|e| e.quarantined).collect();
    assert_eq!((events.len(), odd.len()), (40, 1));
    assert_eq!(odd[0].event_type, "unprocessable");
    assert!(accepted(&w.tell(100, "done").await), "the journal goes on");
    w.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_engine_has_stored_what_it_accepted_and_takes_no_more() {
    let w = world().await;
    assert!(accepted(&w.tell(1, "done").await));
    w.engine.stop().await;
    assert_eq!(w.events().await.len(), 1);
    assert!(matches!(w.tell(2, "done").await, IngestReply::TryAgain { .. }));
    assert_eq!(w.events().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_failure_is_forgotten_by_itself_even_across_a_restart() {
    let w = world().await;
    assert!(accepted(&w.tell(1, "failed").await));
    assert_eq!(w.card_health().await, Health::Degraded);
    w.engine.stop().await;
    w.clock.set(START + DAY + SECOND);
    let again = engine_in(&w.folder, &w.key, &w.clock).await;
    let told = async {
        loop {
            let events = again.store().events_after(0, 100).await.expect("reads");
            if let Some(last) = events.iter().find(|e| e.kind == EventKind::Health) {
                return last.event_type.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(10), told)
        .await
        .expect("the timer fires");
    assert_eq!(told, "health.healthy");
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_s_change_is_noticed() {
    let w = world().await;
    assert!(accepted(&w.tell(1, "done").await));
    let config = StoreConfig::Sqlite {
        path: w.folder.path().join("test.db"),
    };
    let other = Store::open(&config, w.key.clone(), START).await.expect("opens");
    let permit = authorize(&Standing::command_line(), Verb::ConfigureIntegration).expect("may");
    let version = other.integration(&w.id).await.expect("reads").version;
    let patch = IntegrationPatch {
        enabled: Some(false),
        ..IntegrationPatch::default()
    };
    other
        .update_integration(&permit, &w.id, &patch, version, "switched off", START)
        .await
        .expect("writes");
    let seen = async {
        while w.card_health().await != Health::Unknown {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), seen)
        .await
        .expect("it is switched off");
    let last = w.events().await.pop().expect("events");
    assert_eq!(last.event_type, "health.unknown");
    w.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_turned_while_nothing_ran_is_noted_at_the_start() {
    let w = world().await;
    assert!(accepted(&w.tell(1, "done").await));
    assert_eq!(w.card_health().await, Health::Healthy);
    w.engine.stop().await;
    let permit = authorize(&Standing::command_line(), Verb::ConfigureIntegration).expect("may");
    let patch = IntegrationPatch {
        enabled: Some(false),
        ..IntegrationPatch::default()
    };
    let store = w.engine.store();
    let version = store.integration(&w.id).await.expect("reads").version;
    let changed = store.update_integration(&permit, &w.id, &patch, version, "switched off", START);
    changed.await.expect("writes");
    let again = World {
        engine: engine_in(&w.folder, &w.key, &w.clock).await,
        ..w
    };
    let noted = async {
        while again.card_health().await != Health::Unknown {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noted)
        .await
        .expect("it is switched off");
    again.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_resumes_where_it_left_or_is_told_to_start_over() {
    let w = world().await;
    for n in 0..3 {
        assert!(accepted(&w.tell(n, "done").await));
    }
    w.card_health().await;
    let seqs: Vec<i64> = w.events().await.iter().map(|e| e.seq).collect();
    let project = w.engine.directory().integration(w.rid).expect("known").project;
    let Resumed::From(missed) = w.engine.live().resume(project, seqs[0]) else {
        panic!("it is in memory")
    };
    assert_eq!(missed.iter().map(|e| e.seq).collect::<Vec<_>>(), seqs[1..]);
    assert!(matches!(w.engine.live().resume(project, seqs[2] + 10), Resumed::Reset));
    w.engine.stop().await;
}
