//! A server over a temporary store: the router is called directly, no socket is opened.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode, header};
use lk_core::Time;
use lk_core::access::{Permit, Standing, Verb, authorize};
use lk_core::check::{CheckResult, Warnings};
use lk_core::observation::{Fact, Observation};
use lk_core::time::{DAY, MINUTE};
use lk_core::words::{Role, SignInMethod};
use lk_engine::journal::{CheckDetail, Entry, Submission};
use lk_engine::rules::Rules;
use lk_engine::{Clock, Engine, EngineConfig};
use lk_provider::errors::Explainers;
use lk_provider::{Manifest, ManifestProvider, Provider, Registry};
use lk_server::{App, Config};
use lk_store::journal::{Batch, HistoryRow, JournalDb, Touch};
use lk_store::{MasterKey, NewApiKey, NewProject, NewSession, NewUser, Project, Store, StoreConfig};
use serde_json::Value;
use tower::ServiceExt as _;

/// The moment at which the tests play.
pub(crate) const NOW: Time = Time(1_772_348_400_000);

const MANIFEST: &str = r##"
key = "sample"
name = "Sample"
summary = "A sender for tests."
color = "#102030"
docs = "https://example.com/docs"
capabilities = ["webhook"]

[[fields]]
key = "account"
label = "account"
pattern = "[a-z]{1,30}"
private = "Private account"

[[fields]]
key = "portal"
label = "portal"
kind = "url"

[webhook]
secret = { label = "Token", hint = "In its settings.", generated = true, prefix = "tok_" }

[webhook.signature]
scheme = "shared_header"
header = "x-token"

[webhook.body]
delivery_key = ["{/id}"]
event_type = ["{/type}"]

[[webhook.match]]
type = ["*.failed"]
outcome = "failure"
message = ["{/message}"]
code = ["{/code}"]

[[webhook.match]]
type = ["*.done"]
outcome = "success"
"##;

/// A provider that is asked and sends nothing. Its address is refused before anything is sent,
/// because it is this machine: every check fails at once, and alike.
const WATCHED: &str = r##"
key = "watched"
name = "Watched"
summary = "A service for tests."
color = "#203040"
docs = "https://example.com/docs"
capabilities = ["check"]

[[fields]]
key = "token"
label = "token"
kind = "secret"

[[auth]]
kind = "api_key"
label = "Token"
token_field = "token"

[check]
base_url = "https://127.0.0.1:9"

[[check.probe]]
name = "me"
rung = "credential"
path = "/me"
"##;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    /// Nobody.
    Anonymous,
    /// A key of the project with this role.
    Role(Role),
    /// The key of the owner of another project.
    Stranger,
    /// A key that runs the installation.
    Operator,
    /// A person with this role in the project, who has just proven who they are.
    Signed(Role),
    /// The same, who has proven it too long ago for the admin areas.
    Stale(Role),
    /// A person of another project.
    SignedStranger,
    /// A person who runs the installation and has proven who they are too long ago.
    StaleOperator,
}

/// Everybody's password in the tests.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// What is stored of it; made once, because it is meant to be slow.
pub(crate) fn password_hash() -> String {
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    HASH.get_or_init(|| lk_server::hash_password(PASSWORD).unwrap()).clone()
}

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

/// An answer read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The error's code; fails when this is no error of ours.
    pub(crate) fn error(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no error: {}", self.text))
            .to_owned()
    }
}

pub(crate) struct TestServer {
    pub(crate) app: App,
    pub(crate) engine: Engine,
    pub(crate) clock: Clock,
    pub(crate) project: Project,
    router: axum::Router,
    keys: Vec<(As, String)>,
    browsers: Vec<(As, Browser)>,
    _folder: tempfile::TempDir,
}

pub(crate) fn permit(verb: Verb) -> Permit {
    authorize(&Standing::command_line(), verb).unwrap()
}

async fn add_person(store: &Store, email: &str, operator: bool) -> String {
    let new = NewUser {
        email: email.to_owned(),
        name: "Person".to_owned(),
        password_hash: Some(password_hash()),
        operator,
    };
    let user = store.create_user(&permit(Verb::ManageUsers), &new, NOW).await.unwrap();
    user.id
}

async fn begin_session(store: &Store, user_id: &str, now: Time) -> Browser {
    let (token, csrf) = (lk_server::new_token().unwrap(), lk_server::new_token().unwrap());
    let new = NewSession {
        id_hash: lk_server::token_hash(&token).to_vec(),
        user_id: user_id.to_owned(),
        method: SignInMethod::Password,
        proven_hash: None,
        csrf: csrf.clone(),
        expires_at: now + 14 * DAY,
        source: None,
        user_agent: None,
    };
    store.create_session(&new, now).await.unwrap();
    Browser {
        cookie: format!("lk_session={token}"),
        csrf,
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let mut server = Self::unowned(config).await;
        let store = server.engine.store();
        let other = store.project("other").await.unwrap();
        server.browsers = Self::sign_everybody_in(store, &server.project, &other).await;
        server
    }

    /// A server that nobody owns yet.
    pub(crate) async fn unowned(config: Config) -> Self {
        // Several tests of one process may come here; the first one installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let store_config = StoreConfig::Sqlite {
            path: folder.path().join("test.db"),
        };
        let store = Store::open(&store_config, MasterKey::generate().unwrap(), NOW)
            .await
            .unwrap();
        let clock = Clock::manual(NOW);
        let provider = |manifest: &str| -> Arc<dyn Provider> {
            Arc::new(ManifestProvider::from_manifest(Manifest::parse(manifest).unwrap()))
        };
        let registry = Registry::new(vec![provider(MANIFEST), provider(WATCHED)]).unwrap();
        let rules = Rules::new(Explainers::load("", []).unwrap());
        let engine_config = EngineConfig {
            clock: clock.clone(),
            allow_private_targets: false,
        };
        let engine = Engine::start(store.clone(), registry, rules, engine_config)
            .await
            .unwrap();
        let app = App::new(engine.clone(), config, None, None);
        let project = store.project("default").await.unwrap();
        let keys = Self::make_keys(&store, &project).await;
        Self {
            browsers: Vec::new(),
            router: lk_server::router(&app),
            app,
            engine,
            clock,
            project,
            keys,
            _folder: folder,
        }
    }

    async fn make_keys(store: &Store, project: &Project) -> Vec<(As, String)> {
        let other = NewProject {
            slug: "other".into(),
            name: "Other".into(),
            owner: None,
        };
        let other = store
            .create_project(&permit(Verb::CreateProject), &other, NOW)
            .await
            .unwrap();
        let mut wanted: Vec<(As, &str, Role, bool)> = Role::ALL
            .iter()
            .map(|role| (As::Role(*role), project.id.as_str(), *role, false))
            .collect();
        wanted.push((As::Stranger, &other.id, Role::Owner, false));
        wanted.push((As::Operator, &other.id, Role::Viewer, true));
        let mut keys = Vec::new();
        for (who, project_id, role, operator) in wanted {
            let value = format!("{}{}", lk_server::KEY_PREFIX, lk_server::new_token().unwrap());
            let new = NewApiKey {
                project_id: project_id.to_owned(),
                name: format!("{who:?}"),
                role,
                operator,
                scopes: None,
                hash: lk_server::token_hash(&value).to_vec(),
                last4: value[value.len() - 4..].to_owned(),
                expires_at: None,
            };
            store
                .create_api_key(&permit(Verb::ManageKeys), &new, NOW)
                .await
                .unwrap();
            keys.push((who, value));
        }
        keys
    }

    async fn sign_everybody_in(store: &Store, project: &Project, other: &Project) -> Vec<(As, Browser)> {
        let long_ago = NOW - 20 * MINUTE;
        let mut wanted = Vec::new();
        for role in Role::ALL {
            wanted.push((As::Signed(*role), project, Some(*role), NOW));
            wanted.push((As::Stale(*role), project, Some(*role), long_ago));
        }
        wanted.push((As::SignedStranger, other, Some(Role::Owner), NOW));
        wanted.push((As::StaleOperator, other, None, long_ago));
        let mut browsers = Vec::new();
        for (n, (who, project, role, proved_at)) in wanted.into_iter().enumerate() {
            let id = add_person(store, &format!("{n}@example.org"), role.is_none()).await;
            if let Some(role) = role {
                let users = permit(Verb::ManageUsers);
                store.set_member(&users, &project.id, &id, role, NOW).await.unwrap();
            }
            browsers.push((who, begin_session(store, &id, proved_at).await));
        }
        browsers
    }

    /// A person with [`PASSWORD`], member of the project with `role`.
    pub(crate) async fn person(&self, email: &str, role: Role) -> String {
        let store = self.engine.store();
        let id = add_person(store, email, false).await;
        let users = permit(Verb::ManageUsers);
        store
            .set_member(&users, &self.project.id, &id, role, NOW)
            .await
            .unwrap();
        id
    }

    /// A browser signed in as the person with this id.
    pub(crate) async fn sign_in(&self, user_id: &str) -> Browser {
        begin_session(self.engine.store(), user_id, self.clock.now()).await
    }

    pub(crate) fn browser(&self, who: As) -> Option<&Browser> {
        self.browsers
            .iter()
            .find(|(w, _)| *w == who)
            .map(|(_, browser)| browser)
    }

    pub(crate) fn key(&self, who: As) -> Option<&str> {
        self.keys.iter().find(|(w, _)| *w == who).map(|(_, key)| key.as_str())
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// The answer without waiting for the end of a stream: errors are read whole.
    pub(crate) async fn head_of(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.open(request).await.into_parts();
        let text = if parts.status.is_success() {
            String::new()
        } else {
            let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    /// The response with its body unread, for streams.
    pub(crate) async fn open(&self, request: Request<Body>) -> http::Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) fn request(&self, who: As, method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "lk.example");
        if let Some(key) = self.key(who) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        if let Some(browser) = self.browser(who) {
            request = request
                .header(header::COOKIE, &browser.cookie)
                .header("x-csrf-token", &browser.csrf);
        }
        match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string()))
                .unwrap(),
            None => request.body(Body::empty()).unwrap(),
        }
    }

    /// A request of one browser.
    pub(crate) fn request_by(
        &self,
        browser: &Browser,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Request<Body> {
        let mut request = self.request(As::Anonymous, method, path, body);
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, browser.cookie.parse().unwrap());
        headers.insert("x-csrf-token", browser.csrf.parse().unwrap());
        request
    }

    pub(crate) async fn call(&self, who: As, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send(self.request(who, method, path, body.as_ref())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(As::Role(Role::Owner), "GET", path, None).await
    }

    /// Connects the provider of the tests; returns the answer's JSON.
    pub(crate) async fn connect(&self) -> Value {
        let body = serde_json::json!({ "provider": "sample", "name": "Payroll" });
        let answer = self
            .call(As::Role(Role::Admin), "POST", "/api/integrations", Some(body))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    /// An integration that is checked; its id.
    pub(crate) async fn watch(&self) -> String {
        let body = serde_json::json!({
            "provider": "watched", "name": "Asked", "settings": {"token": "tok-not-real-4711", "interval_s": 86_400},
        });
        let answer = self
            .call(As::Role(Role::Admin), "POST", "/api/integrations", Some(body))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["integration"]["id"].as_str().unwrap().to_owned()
    }

    /// Stores results of checks as they were found long ago.
    pub(crate) async fn remember(&self, history: Vec<HistoryRow>) {
        let (store, runtime) = (self.engine.store().clone(), tokio::runtime::Handle::current());
        let writing = tokio::task::spawn_blocking(move || {
            let mut journal = JournalDb::open(&store, runtime).unwrap();
            journal.load(&Touch::default(), NOW).unwrap();
            let batch = Batch {
                node: "past".to_owned(),
                id: 1,
                now: NOW,
                history,
                ..Batch::default()
            };
            journal.commit(&batch).unwrap();
        });
        writing.await.unwrap();
    }

    /// Has the journal take a check that passed, at the clock's time.
    pub(crate) async fn passed(&self, id: &str, text: &Value) {
        let rid = self.engine.store().integration(id).await.unwrap().rid;
        let now = self.clock.now();
        let found = CheckResult {
            slot: now,
            took_ms: 12,
            failed: None,
            warnings: Warnings::default(),
            not_before: None,
            credential: None,
        };
        let entry = Entry {
            observation: Observation {
                integration: rid,
                fact: Fact::Check(found),
                received_at: now,
            },
            key: None,
            payload: None,
            check: Some(CheckDetail {
                text: text.to_string(),
                quotas: Vec::new(),
            }),
        };
        self.engine
            .journal()
            .submit(Submission::entries(vec![entry]))
            .await
            .unwrap();
    }

    /// Delivers `body` to the address that `created` was given, signed with its secret.
    pub(crate) async fn deliver(&self, created: &Value, body: &Value) -> Answer {
        let secret = created["webhookSecret"].as_str().unwrap();
        self.deliver_with(created, secret, body).await
    }

    pub(crate) async fn deliver_with(&self, created: &Value, token: &str, body: &Value) -> Answer {
        let url = created["webhookUrl"].as_str().unwrap();
        let path = url.strip_prefix("http://lk.example").unwrap();
        let request = Request::post(path)
            .header("x-token", token)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// Waits until the tail has shown everything up to `seq`.
    pub(crate) async fn shown(&self, seq: i64) {
        for _ in 0..200 {
            if self.engine.live().seq() >= seq {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the tail did not reach {seq}");
    }
}
