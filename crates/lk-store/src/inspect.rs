//! Looking at a database without changing it, to find out what is wrong with an installation.

use std::collections::BTreeSet;

use lk_core::Time;
use tokio::sync::OnceCell;

use crate::db::{self, Dialect, Pools};
use crate::gate::WriteGate;
use crate::migration::FILES;
use crate::store::Inner;
use crate::{MasterKey, Result, Store, StoreConfig, StoreError};

/// The table in which applied migrations are noted.
const APPLIED: &str = "seaql_migrations";

/// Whose tables a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// Ours, as this program writes them.
    Current,
    /// Ours, of an older version: so many steps are missing, which the next start takes.
    Older(usize),
    /// Ours, of a newer version, which made this step.
    Newer(String),
    /// None yet.
    Empty,
    /// Somebody else's.
    Foreign,
}

impl Store {
    /// Opens what is there for reading alone: makes nothing, migrates nothing, refuses every write.
    /// Before anything else is read, [`schema`](Self::schema) has to be [`Schema::Current`].
    pub async fn open_for_reading(config: &StoreConfig, key: MasterKey) -> Result<Self> {
        let pools = match config {
            StoreConfig::Sqlite { path } if !path.is_file() => {
                return Err(StoreError::Invalid(format!(
                    "there is no database at {}",
                    path.display()
                )));
            }
            StoreConfig::Sqlite { path } => Pools::sqlite_readers(path).await?,
            StoreConfig::Postgres { url } => Pools::postgres(url, true).await?,
        };
        Ok(Self::of(Inner {
            pools,
            gate: WriteGate::new(),
            key,
            audit_key: OnceCell::new(),
            config: config.clone(),
        }))
    }

    /// Whose tables the database holds.
    pub async fn schema(&self) -> Result<Schema> {
        let sql = match self.dialect() {
            Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            Dialect::Postgres => {
                "SELECT CAST(table_name AS TEXT) AS name FROM information_schema.tables
                 WHERE table_schema = current_schema()"
            }
        };
        let tables = self.names(sql).await?;
        if tables.is_empty() {
            return Ok(Schema::Empty);
        }
        if !tables.contains(APPLIED) {
            return Ok(Schema::Foreign);
        }
        let applied = self.names("SELECT version AS name FROM seaql_migrations").await?;
        let ours: BTreeSet<&str> = FILES.iter().map(|(name, _)| *name).collect();
        let first = FILES.first().map_or("", |(name, _)| *name);
        if !applied.is_empty() && !applied.contains(first) {
            return Ok(Schema::Foreign);
        }
        if let Some(unknown) = applied.iter().find(|name| !ours.contains(name.as_str())) {
            return Ok(Schema::Newer(unknown.clone()));
        }
        Ok(match ours.len() - applied.len() {
            0 => Schema::Current,
            missing => Schema::Older(missing),
        })
    }

    /// What the database's clock says; `None` where it has none of its own.
    pub async fn clock(&self) -> Result<Option<Time>> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(None);
        }
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms";
        let row = db::one(self.reader(), sql, vec![]).await?;
        row.map(|row| row.time("ms")).transpose()
    }

    async fn names(&self, sql: &str) -> Result<BTreeSet<String>> {
        let rows = db::all(self.reader(), sql, vec![]).await?;
        rows.iter().map(|row| row.text("name")).collect()
    }
}
