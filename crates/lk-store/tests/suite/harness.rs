//! Throwaway databases, and the shortest way to put rows into them.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;

use lk_core::Time;
use lk_core::access::{Actor, Permit, Place, Standing, Verb, authorize};
use lk_core::observation::ProjectRid;
use lk_store::{
    CreatedIntegration, MasterKey, NewIntegration, NewWebhookSecret, Project, SecretSource, SecretText, Store,
    StoreConfig,
};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement, Value};

/// The moment at which the cases play.
pub(crate) const NOW: Time = Time(1_760_000_000_000);

const DEFAULT_URL: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// An open store on a database of its own, and a second connection to look behind it.
pub(crate) struct TestDb {
    pub(crate) store: Store,
    pub(crate) raw: DatabaseConnection,
    pub(crate) config: StoreConfig,
    pub(crate) key: MasterKey,
}

type Case<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Runs a case on a new SQLite file.
pub(crate) fn on_sqlite(case: impl for<'a> FnOnce(&'a TestDb) -> Case<'a>) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("test.db");
    let url = format!("sqlite://{}?mode=rwc", path.display());
    run(StoreConfig::Sqlite { path }, &url, case);
}

/// Runs a case on a new PostgreSQL database, and drops it afterwards.
pub(crate) fn on_postgres(case: impl for<'a> FnOnce(&'a TestDb) -> Case<'a>) {
    let server = std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| DEFAULT_URL.to_owned());
    let name = format!("lk_test_{}", lk_store::new_id(NOW).expect("randomness").simple());
    let (base, _) = server.rsplit_once('/').expect("TEST_POSTGRES_URL ends in /database");
    let url = format!("{base}/{name}");
    admin(&server, &format!("CREATE DATABASE {name}"));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run(StoreConfig::Postgres { url: url.clone() }, &url, case);
    }));
    admin(&server, &format!("DROP DATABASE {name} WITH (FORCE)"));
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn admin(server: &str, sql: &str) {
    runtime().block_on(async {
        let connection = Database::connect(server).await.unwrap_or_else(|error| {
            panic!(
                "no PostgreSQL for the store's tests: start one, or set TEST_POSTGRES_URL to a \
                 server where databases may be created (tried {server}): {error}"
            )
        });
        connection
            .execute_unprepared(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.expect("closes");
    });
}

fn run(config: StoreConfig, url: &str, case: impl for<'a> FnOnce(&'a TestDb) -> Case<'a>) {
    let runtime = runtime();
    let key = MasterKey::from_env_value("THE_KEY", &"1".repeat(64)).expect("a key");
    let db = runtime.block_on(async {
        let store = Store::open(&config, key.clone(), NOW).await.expect("opens");
        let raw = Database::connect(url).await.expect("a second connection");
        TestDb {
            store,
            raw,
            config,
            key,
        }
    });
    runtime.block_on(case(&db));
    runtime.block_on(async {
        db.raw.close().await.expect("closes");
        db.store.close().await.expect("closes");
    });
}

/// A permit for `verb`, given to somebody called Ada.
pub(crate) fn permit(verb: Verb) -> Permit {
    permit_for(verb, "ada")
}

/// A permit for `verb`, given to the user with this id.
pub(crate) fn permit_for(verb: Verb, user: &str) -> Permit {
    permit_in(Place::Installation, verb, user)
}

/// A permit for `verb` in one place, given to the user with this id.
pub(crate) fn permit_in(place: Place, verb: Verb, user: &str) -> Permit {
    let standing = Standing {
        actor: Actor::User {
            id: user.into(),
            name: user.to_uppercase(),
        },
        place,
        role: None,
        operator: true,
        scopes: None,
        proven: true,
        source: Some("203.0.113.7".into()),
    };
    authorize(&standing, verb).expect("the operator may")
}

/// An event to be put in directly, as the journal would have.
#[derive(Clone)]
pub(crate) struct RawEvent {
    pub(crate) seq: i64,
    pub(crate) project: i64,
    pub(crate) integration: i64,
    pub(crate) at: Time,
    pub(crate) kind: i16,
    pub(crate) outcome: Option<i16>,
    pub(crate) category: Option<i16>,
    pub(crate) severity: Option<i16>,
    pub(crate) event_type: &'static str,
    pub(crate) message: String,
    pub(crate) code: Option<&'static str>,
    pub(crate) problem: Option<i64>,
}

impl RawEvent {
    /// A success.
    pub(crate) fn ok(seq: i64, integration: &CreatedIntegration) -> Self {
        Self {
            seq,
            project: integration.integration.project_rid.0,
            integration: integration.integration.rid.0,
            at: NOW + seq * 1_000,
            kind: 0,
            outcome: Some(0),
            category: None,
            severity: None,
            event_type: "thing.done",
            message: "done".into(),
            code: None,
            problem: None,
        }
    }

    /// A failure of category `auth` and severity `high`.
    pub(crate) fn failed(seq: i64, integration: &CreatedIntegration) -> Self {
        Self {
            outcome: Some(1),
            category: Some(0),
            severity: Some(2),
            event_type: "thing.failed",
            message: "token expired".into(),
            code: Some("E401"),
            ..Self::ok(seq, integration)
        }
    }
}

impl TestDb {
    pub(crate) async fn run(&self, sql: &str, values: Vec<Value>) -> u64 {
        let backend = self.raw.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        self.raw
            .execute_raw(statement)
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e}"))
            .rows_affected()
    }

    pub(crate) async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {table}");
        let statement = Statement::from_string(self.raw.get_database_backend(), sql);
        let row = self.raw.query_one_raw(statement).await.expect("counts").expect("a row");
        row.try_get("", "n").expect("a number")
    }

    pub(crate) async fn project(&self) -> Project {
        self.store.project("default").await.expect("it exists from the start")
    }

    /// Connects an integration of the default project.
    pub(crate) async fn connect(&self, provider: &str, name: &str) -> CreatedIntegration {
        let project = self.project().await;
        self.connect_in(&project, provider, name).await
    }

    pub(crate) async fn connect_in(&self, project: &Project, provider: &str, name: &str) -> CreatedIntegration {
        let new = new_integration(&project.id, provider, name);
        let permit = permit(Verb::ConnectIntegration);
        self.store
            .create_integration(&permit, &new, NOW)
            .await
            .expect("connects")
    }

    pub(crate) async fn put(&self, events: &[RawEvent]) {
        for e in events {
            let transient: Option<bool> = e.category.map(|_| false);
            self.run(
                "INSERT INTO integration_events (seq, project_rid, integration_rid, problem_rid,
                   occurred_at, received_at, kind, outcome, severity, category, http_status,
                   confidence, flags, transient, doc, event_type, message, code, operation)
                 VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, NULL, $10, 0, $11, NULL, $12, $13, $14, NULL)",
                vec![
                    e.seq.into(),
                    e.project.into(),
                    e.integration.into(),
                    e.problem.into(),
                    e.at.ms().into(),
                    e.kind.into(),
                    e.outcome.into(),
                    e.severity.into(),
                    e.category.into(),
                    e.category.map(|_| 90_i16).into(),
                    transient.into(),
                    e.event_type.into(),
                    e.message.as_str().into(),
                    e.code.into(),
                ],
            )
            .await;
        }
    }

    /// Puts in an open problem of an integration and returns its row number and public id.
    pub(crate) async fn put_problem(&self, integration: &CreatedIntegration, n: u8) -> (i64, String) {
        let (rid, id) = (i64::from(n) + 100, format!("00000000-0000-7000-8000-0000000000{n:02}"));
        let ProjectRid(project) = integration.integration.project_rid;
        self.run(
            "INSERT INTO problems (rid, id, project_rid, integration_rid, fingerprint, fp_version,
               state, doc, category, severity, transient, confidence, operation, message, count,
               first_seen, last_seen, helpful, not_helpful, version)
             VALUES ($1, $2, $3, $4, $5, 1, 0, 'auth.token_expired', 0, 2, FALSE, 90, 'op',
                     'token expired', 3, $6, $7, 0, 0, 1)",
            vec![
                rid.into(),
                id.as_str().into(),
                project.into(),
                integration.integration.rid.0.into(),
                vec![n; 16].into(),
                NOW.ms().into(),
                (NOW.ms() + i64::from(n)).into(),
            ],
        )
        .await;
        (rid, id)
    }
}

/// An integration with an address and a first secret.
pub(crate) fn new_integration(project_id: &str, provider: &str, name: &str) -> NewIntegration {
    NewIntegration {
        project_id: project_id.into(),
        provider: provider.into(),
        service: None,
        name: name.into(),
        settings: "{}".into(),
        demo: false,
        endpoint_key: Some(SecretText::new(format!("key-of-{name}"))),
        secret: Some(NewWebhookSecret {
            value: SecretText::new(format!("secret-of-{name}-not-real")),
            source: SecretSource::Generated,
        }),
        credentials: Vec::new(),
    }
}
