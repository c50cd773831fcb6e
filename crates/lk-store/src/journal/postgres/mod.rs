//! The journal on PostgreSQL: rows locked in one order, everything written as arrays, and the
//! event insert alone under the advisory lock that makes sequence numbers visible in their order.

mod load;
mod write;

use lk_core::Time;
use lk_core::observation::IntegrationRid;
use sea_orm::sqlx::{self, PgPool, Postgres, Row, Transaction};
use tokio::runtime::Handle;

use super::{Batch, CommitError, Committed, Loaded, Touch};
use crate::{Store, StoreError};

/// The channel that tells other nodes of new events.
const CHANNEL: &str = "linekeeper_events";

type Result<T, E = StoreError> = std::result::Result<T, E>;

pub(super) struct PgJournal {
    pool: PgPool,
    runtime: Handle,
    open: Option<Transaction<'static, Postgres>>,
}

impl PgJournal {
    pub(super) fn open(store: &Store, runtime: Handle) -> Result<Self> {
        let pool = store
            .postgres_pool()
            .ok_or_else(|| StoreError::Invalid("the store is not on PostgreSQL".to_owned()))?
            .clone();
        Ok(Self {
            pool,
            runtime,
            open: None,
        })
    }

    pub(super) fn generation(&mut self) -> Result<i64> {
        let sql = "SELECT value::bigint FROM meta WHERE key = 'generation'";
        let row = self.runtime.block_on(sqlx::query(sql).fetch_one(&self.pool))?;
        Ok(row.try_get(0)?)
    }

    pub(super) fn load(&mut self, touch: &Touch, now: Time) -> Result<Loaded> {
        self.abandon();
        let runtime = self.runtime.clone();
        let (txn, loaded) = runtime.block_on(async {
            let mut txn = self.pool.begin().await?;
            let loaded = load::read(&mut txn, touch, now).await?;
            Ok::<_, StoreError>((txn, loaded))
        })?;
        self.open = Some(txn);
        Ok(loaded)
    }

    pub(super) fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        let missing = || StoreError::Invalid("no transaction is open".to_owned());
        let mut txn = self.open.take().ok_or_else(|| CommitError::RolledBack(missing()))?;
        let pool = self.pool.clone();
        self.runtime.clone().block_on(async move {
            let written = write::write(&mut txn, batch).await;
            let committed = match written {
                Ok(committed) => committed,
                Err(e) => {
                    // The connection is dropped with the transaction, which ends it either way.
                    drop(txn.rollback().await);
                    return Err(CommitError::RolledBack(e));
                }
            };
            txn.commit().await.map_err(|e| CommitError::Unknown(e.into()))?;
            // After the commit and from another connection: a notification inside the transaction
            // would serialise all committers on the notification queue.
            let notified = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(&pool);
            if let Err(error) = notified.await {
                tracing::debug!(%error, "other nodes will notice by polling");
            }
            Ok(committed)
        })
    }

    pub(super) fn abandon(&mut self) {
        if let Some(txn) = self.open.take()
            && let Err(error) = self.runtime.block_on(txn.rollback())
        {
            tracing::warn!(%error, "rollback failed");
        }
    }

    pub(super) fn last_batch(&mut self, node: &str) -> Result<i64> {
        let sql = "SELECT batch_id FROM journal_marks WHERE node = $1";
        let found = sqlx::query(sql).bind(node).fetch_optional(&self.pool);
        match self.runtime.block_on(found)? {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(0),
        }
    }

    pub(super) fn sleepers(&mut self) -> Result<Vec<(IntegrationRid, Time)>> {
        let sql = "SELECT integration_rid, wake_at FROM integration_health_checks \
                   WHERE wake_at IS NOT NULL";
        let rows = self.runtime.block_on(sqlx::query(sql).fetch_all(&self.pool))?;
        rows.iter()
            .map(|r| Ok((IntegrationRid(r.try_get(0)?), Time(r.try_get(1)?))))
            .collect()
    }
}

impl Store {
    fn postgres_pool(&self) -> Option<&PgPool> {
        match self.config() {
            crate::StoreConfig::Postgres { .. } => Some(self.reader().get_postgres_connection_pool()),
            crate::StoreConfig::Sqlite { .. } => None,
        }
    }
}
