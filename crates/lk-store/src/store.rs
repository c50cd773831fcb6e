//! The store: opening, the change signal, and the frame of every configuration write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lk_core::Time;
use lk_core::access::{Actor, Permit, Verb};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use tokio::sync::OnceCell;

use crate::audit::{self, Audit, AuditKey};
use crate::db::{self, Dialect, Pools, values};
use crate::gate::{WriteGate, WriteTurn};
use crate::ids::new_id;
use crate::migration::Migrator;
use crate::seal::MasterKey;
use crate::{Result, StoreError};

/// Held by whoever migrates a PostgreSQL database, so that two nodes started together take turns.
const MIGRATION_LOCK: i64 = 0x6c6b_6d69_6772;

/// Which database to open.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreConfig {
    /// A SQLite file (made when missing; its folder must exist). Held by one serving process;
    /// commands may open it beside.
    Sqlite {
        /// The file's path.
        path: PathBuf,
    },
    /// A PostgreSQL database shared by any number of nodes.
    Postgres {
        /// `postgres://user:password@host:port/database`.
        url: String,
    },
}

impl std::fmt::Debug for StoreConfig {
    /// Leaves out the address of PostgreSQL, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            Self::Postgres { .. } => f.debug_struct("Postgres").finish_non_exhaustive(),
        }
    }
}

/// The open database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) pools: Pools,
    pub(crate) gate: WriteGate,
    pub(crate) key: MasterKey,
    /// Read when it is first needed: a store with a wrong master key opens, so that it can be said
    /// what is wrong with it.
    pub(crate) audit_key: OnceCell<AuditKey>,
    pub(crate) config: StoreConfig,
}

impl Store {
    /// Opens the database, brings its schema up to date and makes sure the project `default`
    /// exists. `now` dates what is made.
    pub async fn open(config: &StoreConfig, key: MasterKey, now: Time) -> Result<Self> {
        let pools = match config {
            StoreConfig::Sqlite { path } => Pools::sqlite(path).await?,
            StoreConfig::Postgres { url } => Pools::postgres(url, false).await?,
        };
        let store = Self::of(Inner {
            pools,
            gate: WriteGate::new(),
            key,
            audit_key: OnceCell::new(),
            config: config.clone(),
        });
        store.migrate(now).await?;
        Ok(store)
    }

    pub(crate) fn of(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// The gate that every writer of this process queues at (it matters on SQLite alone).
    pub fn gate(&self) -> &WriteGate {
        &self.inner.gate
    }

    /// What was opened.
    pub fn config(&self) -> &StoreConfig {
        &self.inner.config
    }

    /// The SQLite file, when it is one.
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.inner.config {
            StoreConfig::Sqlite { path } => Some(path),
            StoreConfig::Postgres { .. } => None,
        }
    }

    /// The key that seals secrets.
    pub fn master_key(&self) -> &MasterKey {
        &self.inner.key
    }

    /// The number of changes so far of what is watched, by any process. A different number than
    /// last time means: read the configuration again.
    pub async fn generation(&self) -> Result<i64> {
        let row = db::one(self.reader(), "SELECT value FROM meta WHERE key = 'generation'", vec![])
            .await?
            .ok_or_else(|| StoreError::corrupt("the generation row is missing"))?;
        row.text("value")?
            .parse()
            .map_err(|_| StoreError::corrupt("the generation is no number"))
    }

    /// Whether the database answers, for readiness.
    pub async fn ping(&self) -> Result<()> {
        db::one(self.reader(), "SELECT 1 AS one", vec![]).await.map(|_| ())
    }

    /// Closes every connection, after the last write.
    pub async fn close(self) -> Result<()> {
        self.inner.pools.read.close_by_ref().await?;
        self.inner.pools.write.close_by_ref().await?;
        Ok(())
    }

    /// Connections for reading.
    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.inner.pools.read
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.inner.pools.dialect
    }

    /// Starts a configuration write that `permit` allows for one of `verbs`.
    pub(crate) async fn write<'a>(&'a self, permit: &'a Permit, verbs: &[Verb], now: Time) -> Result<Write<'a>> {
        if !verbs.contains(&permit.verb()) {
            return Err(StoreError::WrongPermit(permit.verb()));
        }
        let (txn, turn) = self.begin_configuration().await?;
        Ok(Write {
            txn,
            store: self,
            permit: Some(permit),
            actor: permit.actor().clone(),
            source: permit.source(),
            now,
            _turn: turn,
        })
    }

    /// Starts a write whose permission is a secret that the caller has shown (a password, a
    /// one-time link), not a role.
    pub(crate) async fn write_proven<'a>(
        &'a self,
        actor: Actor,
        source: Option<&'a str>,
        now: Time,
    ) -> Result<Write<'a>> {
        let (txn, turn) = self.begin_configuration().await?;
        Ok(Write {
            txn,
            store: self,
            permit: None,
            actor,
            source,
            now,
            _turn: turn,
        })
    }

    /// The key of the audit log's chain.
    pub(crate) async fn audit_key(&self) -> Result<&AuditKey> {
        let load = || audit::load_key(self.reader(), self.master_key());
        self.inner.audit_key.get_or_try_init(load).await
    }

    /// Starts a transaction that looks before it writes. Such writes take turns on PostgreSQL too:
    /// what one has looked at (the last owner, a version, a link that is still good) must be true
    /// when it commits.
    async fn begin_configuration(&self) -> Result<(DatabaseTransaction, Option<WriteTurn>)> {
        let (txn, turn) = self.begin().await?;
        if self.dialect() == Dialect::Postgres {
            db::one(&txn, "SELECT seq FROM audit_head WHERE id = 1 FOR UPDATE", vec![]).await?;
        }
        Ok((txn, turn))
    }

    /// Starts a transaction that writes. Never hold it across anything slow.
    pub(crate) async fn begin(&self) -> Result<(DatabaseTransaction, Option<WriteTurn>)> {
        let turn = match self.dialect() {
            Dialect::Sqlite => Some(self.inner.gate.acquire().await),
            Dialect::Postgres => None,
        };
        let immediate = TransactionOptions {
            sqlite_transaction_mode: matches!(self.dialect(), Dialect::Sqlite)
                .then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let txn = self.inner.pools.write.begin_with_options(immediate).await?;
        Ok((txn, turn))
    }

    async fn migrate(&self, now: Time) -> Result<()> {
        let (txn, turn) = self.begin().await?;
        if self.dialect() == Dialect::Postgres {
            db::one(&txn, "SELECT pg_advisory_xact_lock($1)", values![MIGRATION_LOCK]).await?;
        }
        Migrator::up(&txn, None).await.map_err(newer_schema)?;
        db::run(
            &txn,
            "INSERT INTO projects (id, slug, name, flags, created_at) VALUES ($1, 'default', 'Default', '{}', $2)
             ON CONFLICT (slug) DO NOTHING",
            values![new_id(now)?.to_string(), now.ms()],
        )
        .await?;
        audit::ensure_key(&txn, &self.inner.key, now).await?;
        txn.commit().await?;
        drop(turn);
        Ok(())
    }
}

/// A schema that this program does not know was written by a newer one.
fn newer_schema(error: DbErr) -> StoreError {
    match error {
        DbErr::Custom(text) if text.contains("is missing") => StoreError::corrupt(
            "its schema was written by a newer version of Linekeeper; run that version or restore a backup",
        ),
        other => other.into(),
    }
}

/// A configuration write under way: one transaction, one audit row, one step of the generation.
/// Dropped without [`commit`](Self::commit), nothing of it happened.
pub(crate) struct Write<'a> {
    // Declared before the turn: the transaction must be over before the next writer is let in.
    txn: DatabaseTransaction,
    store: &'a Store,
    permit: Option<&'a Permit>,
    actor: Actor,
    source: Option<&'a str>,
    now: Time,
    _turn: Option<WriteTurn>,
}

impl Write<'_> {
    pub(crate) const fn on(&self) -> &DatabaseTransaction {
        &self.txn
    }

    /// Says who acts, where that is known only during the write.
    pub(crate) fn acts_as(&mut self, actor: Actor) {
        self.actor = actor;
    }

    /// Writes the audit row, moves the generation where it matters and commits. Refused when the
    /// permit was given for another project than the row's.
    pub(crate) async fn commit(self, audit: Audit<'_>) -> Result<()> {
        if let Some(permit) = self.permit
            && !permit.covers(audit.project_id)
        {
            return Err(StoreError::WrongPermit(permit.verb()));
        }
        let key = self.store.audit_key().await?;
        audit::append(&self.txn, key, &self.actor, self.source, self.now, audit).await?;
        if self.permit.is_some_and(|permit| changes_what_is_watched(permit.verb())) {
            bump_generation(&self.txn).await?;
        }
        self.txn.commit().await?;
        Ok(())
    }
}

/// Whether running servers must read again what they watch. Of people, keys and sessions nobody
/// keeps a copy: with many integrations a sign-in must not make every node read them all.
const fn changes_what_is_watched(verb: Verb) -> bool {
    !matches!(
        verb,
        Verb::CheckIntegration
            | Verb::ManageMembers
            | Verb::ManageKeys
            | Verb::ManageUsers
            | Verb::ManageAccount
            | Verb::CreateProject
            | Verb::ConfigureProject
            | Verb::TransferProject
    )
}

/// Tells every process that the configuration changed.
pub(crate) async fn bump_generation(txn: &DatabaseTransaction) -> Result<()> {
    db::run(
        txn,
        "UPDATE meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE key = 'generation'",
        vec![],
    )
    .await
    .map(|_| ())
}
