//! Renewals against a token endpoint on loopback, with a clock that stands still.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lk_core::Time;
use lk_core::access::{Standing, Verb, authorize};
use lk_core::time::{DAY, HOUR, MINUTE, SECOND};
use lk_core::words::CredentialState;
use lk_provider::errors::Explainers;
use lk_provider::{Manifest, ManifestProvider, Provider, Registry, auth};
use lk_store::{Begun, MasterKey, NewConnection, NewIntegration, NewTokens, SecretText, Store, StoreConfig};
use serde_json::{Value, json};

use super::renew::Wanted;
use super::{Opened, home};
use crate::directory::Integration;
use crate::rules::Rules;
use crate::{Clock, Engine, EngineConfig};

const START: Time = Time(1_800_000_000_000);
const MANIFEST: &str = r#"
key = "acme"
name = "Acme"
summary = "For tests."
capabilities = ["check"]

[[fields]]
key = "client_id"
label = "Client"

[[fields]]
key = "client_secret"
label = "Client secret"
kind = "secret"

[[auth]]
kind = "oauth2"
label = "Sign in"
authorize_url = "{setting:base_url}/authorize"
token_url = "{setting:base_url}/token"
scopes = ["read"]

[[auth]]
kind = "client_credentials"
label = "Program"
token_url = "{setting:base_url}/token"

[check]
base_url = "https://api.example.test"
[[check.probe]]
name = "me"
rung = "credential"
path = "/me"
"#;

/// A token endpoint that answers by a rule and keeps what it was asked.
#[derive(Clone)]
struct Endpoint {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<(u16, Value)>>,
    numbered: Arc<AtomicUsize>,
    silent: Arc<Mutex<bool>>,
}

impl Endpoint {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let this = Self {
            url: format!("http://{}", listener.local_addr().expect("an address")),
            asked: Arc::default(),
            answer: Arc::new(Mutex::new((200, Value::Null))),
            numbered: Arc::default(),
            silent: Arc::default(),
        };
        let served = this.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = served.clone();
                std::thread::spawn(move || served.serve(stream));
            }
        });
        this
    }

    fn serve(&self, mut stream: std::net::TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        self.asked
            .lock()
            .expect("no panic")
            .push(String::from_utf8_lossy(&body).into_owned());
        if *self.silent.lock().expect("no panic") {
            return;
        }
        let (status, mut answer) = self.answer.lock().expect("no panic").clone();
        if answer.is_null() {
            let n = self.numbered.fetch_add(1, Ordering::SeqCst) + 1;
            answer = json!({"access_token": format!("at{n}"), "refresh_token": format!("rt{n}"), "expires_in": 3600});
        }
        let text = answer.to_string();
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ");
        drop(stream.write_all(format!("{head}{}\r\n\r\n{text}", text.len()).as_bytes()));
    }

    fn answers(&self, status: u16, body: Value) {
        *self.answer.lock().expect("no panic") = (status, body);
    }

    fn says_nothing(&self, on: bool) {
        *self.silent.lock().expect("no panic") = on;
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

struct World {
    engine: Engine,
    clock: Clock,
    endpoint: Endpoint,
    id: String,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start(kind: &str) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("test.db");
        let clock = Clock::manual(START);
        let key = MasterKey::generate().expect("randomness");
        let store = Store::open(&StoreConfig::Sqlite { path }, key, START)
            .await
            .expect("opens");
        let provider: Arc<dyn Provider> = Arc::new(ManifestProvider::from_manifest(
            Manifest::parse(MANIFEST).expect("valid"),
        ));
        let registry = Registry::new(vec![provider]).expect("one of each");
        let rules = Rules::new(Explainers::load("", []).expect("valid"));
        let config = EngineConfig {
            clock: clock.clone(),
            allow_private_targets: true,
        };
        let engine = Engine::start(store, registry, rules, config).await.expect("starts");
        let endpoint = Endpoint::start();
        let project = engine.store().project("default").await.expect("exists");
        let settings = json!({"base_url": endpoint.url, "client_id": "c", "auth": kind, "check": "false"});
        let new = NewIntegration {
            project_id: project.id,
            provider: "acme".into(),
            service: None,
            name: "Acme".into(),
            settings: settings.to_string(),
            demo: false,
            endpoint_key: None,
            secret: None,
            credentials: vec![("client_secret".into(), SecretText::new("s"))],
        };
        let permit = authorize(&Standing::system(), Verb::ConnectIntegration).expect("may");
        let made = engine
            .store()
            .create_integration(&permit, &new, START)
            .await
            .expect("creates");
        engine.reload().await.expect("reads");
        Self {
            engine,
            clock,
            endpoint,
            id: made.integration.id,
            _folder: folder,
        }
    }

    /// Connected with `at0` and `rt0`, which live an hour.
    async fn connected() -> Self {
        let world = Self::start("oauth2").await;
        world.connect(Some("rt0"), Some(START + HOUR)).await;
        world
    }

    async fn connect(&self, refresh: Option<&str>, expires_at: Option<Time>) {
        let integration = self.integration();
        let manifest = Manifest::parse(MANIFEST).expect("valid");
        let new = NewConnection {
            kind: "oauth2".into(),
            home: home(&manifest, &integration.settings).expect("filled"),
            account_id: None,
            account_name: None,
            tokens: NewTokens {
                access: SecretText::new("at0"),
                refresh: refresh.map(SecretText::new),
                scopes: vec!["read".into()],
                missing: Vec::new(),
                expires_at,
                refresh_expires_at: None,
                refresh_at: Some(START + 48 * MINUTE),
                state: CredentialState::Active,
            },
        };
        let permit = authorize(&Standing::system(), Verb::ConnectIntegration).expect("may");
        self.engine
            .store()
            .connect(&permit, &self.id, &new, self.clock.now())
            .await
            .expect("connects");
    }

    fn integration(&self) -> Arc<Integration> {
        let directory = self.engine.directory();
        let mut all = directory.integrations();
        Arc::clone(all.find(|one| one.id == self.id).expect("is there"))
    }

    fn at(&self, since_start: i64) {
        self.clock.set(START + since_start);
    }

    /// The token that is given, or the code of what is in the way.
    async fn token(&self) -> Result<String, &'static str> {
        token(
            self.engine
                .credentials()
                .open(&self.integration())
                .await
                .map_err(|trouble| trouble.code),
        )
    }

    async fn facts(&self) -> lk_store::Connection {
        self.engine
            .store()
            .connection(&self.id)
            .await
            .expect("reads")
            .expect("is there")
    }
}

fn token(opened: Result<Opened, &'static str>) -> Result<String, &'static str> {
    opened.map(|opened| opened.settings.get(auth::ACCESS_TOKEN).expect("a token").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_that_need_a_token_at_once_renew_it_once() {
    let world = World::connected().await;
    assert_eq!(world.token().await.as_deref(), Ok("at0"));
    assert!(world.endpoint.asked().is_empty(), "it is not due");
    world.at(HOUR - MINUTE);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (credentials, integration) = (world.engine.credentials().clone(), world.integration());
        all.spawn(async move { token(credentials.open(&integration).await.map_err(|t| t.code)) });
    }
    while let Some(given) = all.join_next().await {
        assert_eq!(given.expect("no panic").as_deref(), Ok("at1"));
    }
    let asked = world.endpoint.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(
        asked[0].starts_with("grant_type=refresh_token&refresh_token=rt0&"),
        "{asked:?}"
    );
    // Kept in memory from now on, and in the database for whoever starts next.
    let facts = world.facts().await;
    assert_eq!((facts.version, facts.intent.clone()), (2, None));
    let due = facts.refresh_at.expect("a moment").since(START);
    assert!(
        (HOUR - MINUTE + 46 * MINUTE..HOUR - MINUTE + 48 * MINUTE).contains(&due),
        "{due}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_may_leave_and_the_renewal_is_stored_all_the_same() {
    let world = World::connected().await;
    world.at(HOUR - MINUTE);
    let (credentials, integration) = (world.engine.credentials(), world.integration());
    let left = tokio::time::timeout(Duration::from_millis(1), credentials.open(&integration)).await;
    assert!(left.is_err(), "it left before the answer");
    for _ in 0..100 {
        if world.facts().await.version == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.token().await.as_deref(), Ok("at1"));
    assert_eq!(world.endpoint.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_leaves_a_good_token_in_use_and_is_asked_less_and_less() {
    let world = World::connected().await;
    world.endpoint.answers(503, json!({"error": "temporarily_unavailable"}));
    world.at(HOUR - 10 * MINUTE);
    assert_eq!(world.token().await.as_deref(), Ok("at0"));
    assert_eq!(world.token().await.as_deref(), Ok("at0"));
    assert_eq!(world.endpoint.asked().len(), 1, "not again at once");
    let facts = world.facts().await;
    assert_eq!(
        (facts.state, facts.failures, facts.doubt),
        (CredentialState::Active, 1, false)
    );
    world.at(HOUR - 10 * MINUTE + 31 * SECOND);
    assert_eq!(world.token().await.as_deref(), Ok("at0"));
    assert_eq!(world.endpoint.asked().len(), 2);
    world.at(HOUR);
    assert_eq!(world.token().await, Err("credential_token_endpoint"));
    assert_eq!(
        world.facts().await.state,
        CredentialState::Active,
        "no reason to reconnect"
    );
    // Without an answer it is not known whether the refresh token was used.
    world.endpoint.says_nothing(true);
    world.at(2 * HOUR);
    assert_eq!(world.token().await, Err("credential_token_endpoint"));
    assert!(world.facts().await.doubt);
    world.endpoint.says_nothing(false);
    world.endpoint.answers(400, json!({"error": "invalid_grant"}));
    world.at(3 * HOUR);
    assert_eq!(world.token().await, Err("credential_unknown_outcome"));
    assert_eq!(world.facts().await.state, CredentialState::NeedsReauth);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_grant_is_final_until_somebody_connects_it_again() {
    let world = World::connected().await;
    let opened = world
        .engine
        .credentials()
        .open(&world.integration())
        .await
        .expect("opens");
    world.endpoint.answers(
        400,
        json!({"error": "invalid_grant", "error_description": "Token has been revoked."}),
    );
    world.at(MINUTE);
    let refused = world
        .engine
        .credentials()
        .refresh_after_refusal(&world.integration(), &opened)
        .await;
    assert_eq!(refused.expect_err("refused").code, "credential_needs_reauth");
    let facts = world.facts().await;
    assert_eq!((facts.state, facts.refresh_at), (CredentialState::NeedsReauth, None));
    assert!(facts.message.expect("a sentence").contains("Token has been revoked."));
    world.at(DAY);
    assert_eq!(world.token().await, Err("credential_needs_reauth"));
    assert_eq!(world.endpoint.asked().len(), 1, "nobody asks again");
    let states = world.engine.store().states(None).await.expect("reads");
    assert_eq!(states[0].1.credential, CredentialState::NeedsReauth, "health was told");
    world.endpoint.answers(200, Value::Null);
    world.connect(Some("rt9"), Some(START + 2 * DAY)).await;
    assert_eq!(world.token().await.as_deref(), Ok("at1"), "it was due at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_renewed_once_and_one_of_a_moment_ago_is_not() {
    let world = World::connected().await;
    let credentials = world.engine.credentials();
    let opened = credentials.open(&world.integration()).await.expect("opens");
    world.at(5 * SECOND);
    let young = credentials
        .refresh_after_refusal(&world.integration(), &opened)
        .await
        .expect("asks");
    assert!(young.is_none() && world.endpoint.asked().is_empty());
    world.at(MINUTE);
    let renewed = credentials
        .refresh_after_refusal(&world.integration(), &opened)
        .await
        .expect("renews");
    assert_eq!(token(renewed.ok_or("nothing")).as_deref(), Ok("at1"));
    // Somebody who was refused with the old one is given the new one.
    let same = credentials
        .refresh_after_refusal(&world.integration(), &opened)
        .await
        .expect("gives");
    assert_eq!(token(same.ok_or("nothing")).as_deref(), Ok("at1"));
    assert_eq!(world.endpoint.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_client_is_told_once_and_asked_rarely() {
    let world = World::start("client_credentials").await;
    world.endpoint.answers(401, json!({"error": "invalid_client"}));
    for minutes in [0, 1, 14] {
        world.at(minutes * MINUTE);
        assert_eq!(world.token().await, Err("credential_misconfigured"));
    }
    assert_eq!(world.endpoint.asked().len(), 1);
    world.at(16 * MINUTE);
    world
        .endpoint
        .answers(200, json!({"access_token": "app", "expires_in": 600}));
    assert_eq!(world.token().await.as_deref(), Ok("app"));
    assert_eq!(world.facts().await.state, CredentialState::Active);
    // Without a refresh token it is fetched anew, ahead of its end.
    world.at(16 * MINUTE + 9 * MINUTE);
    assert_eq!(world.token().await.as_deref(), Ok("app"));
    let asked = world.endpoint.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[2].starts_with("grant_type=client_credentials"), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nothing_renews_warns_ahead_and_ends() {
    let world = World::start("oauth2").await;
    assert_eq!(world.token().await, Err("credential_pending"));
    world.connect(None, Some(START + 30 * DAY)).await;
    let integration = world.integration();
    let open = async || world.engine.credentials().open(&integration).await;
    let opened = open().await.expect("opens");
    assert_eq!((opened.ends, opened.only_a_person), (Some(START + 30 * DAY), true));
    assert_eq!(world.facts().await.state, CredentialState::Active);
    world.at(24 * DAY);
    open().await.expect("still opens");
    assert_eq!(world.facts().await.state, CredentialState::Expiring);
    world.at(30 * DAY);
    assert_eq!(world.token().await, Err("credential_expired"));
    assert_eq!(world.facts().await.state, CredentialState::NeedsReauth);
    assert!(world.endpoint.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_refresh_token_is_used_once_a_day_and_otherwise_left_alone() {
    let world = World::connected().await;
    let integration = world.integration();
    let upkeep = async || {
        let subject = world
            .engine
            .credentials()
            .subject(&integration)
            .expect("filled")
            .expect("fetched");
        let off = super::Subject {
            enabled: false,
            ..subject
        };
        drop(world.engine.credentials().renew(off, Wanted::Upkeep).await);
    };
    world.at(2 * HOUR);
    upkeep().await;
    assert!(world.endpoint.asked().is_empty(), "switched off, and used today");
    assert_eq!(world.facts().await.refresh_at, Some(START + DAY));
    world.at(DAY);
    upkeep().await;
    assert_eq!(world.endpoint.asked().len(), 1);
    assert_eq!(world.facts().await.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_go_nowhere_but_where_they_were_got_for() {
    let world = World::connected().await;
    let elsewhere = Endpoint::start();
    let patch = lk_store::IntegrationPatch {
        settings: Some(json!({"base_url": elsewhere.url, "client_id": "c", "auth": "oauth2"}).to_string()),
        ..lk_store::IntegrationPatch::default()
    };
    let permit = authorize(&Standing::system(), Verb::ConfigureIntegration).expect("may");
    let store = world.engine.store();
    store
        .update_integration(&permit, &world.id, &patch, 1, "", START)
        .await
        .expect("changes");
    world.engine.reload().await.expect("reads");
    assert_eq!(world.token().await, Err("credential_moved"));
    assert!(elsewhere.asked().is_empty());
    assert_eq!(world.facts().await.state, CredentialState::NeedsReauth);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_at_it_is_waited_for_and_an_interrupted_one_is_tried_once() {
    let world = World::connected().await;
    let store = world.engine.store();
    let hash = blake3::hash(b"rt0");
    world.at(HOUR - MINUTE);
    let begun = store
        .begin_refresh(&world.id, 1, "another", hash.as_bytes(), world.clock.now())
        .await;
    assert!(matches!(begun, Ok(Begun::Fence { .. })));
    assert_eq!(world.token().await.as_deref(), Ok("at0"), "what is still good is used");
    assert!(world.endpoint.asked().is_empty());
    // It never came back. The endpoint had given it a new token, and refuses the old one.
    world.endpoint.answers(400, json!({"error": "invalid_grant"}));
    world.at(HOUR + MINUTE);
    assert_eq!(world.token().await, Err("credential_unknown_outcome"));
    assert_eq!(world.endpoint.asked().len(), 1);
}
