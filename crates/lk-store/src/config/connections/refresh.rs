//! A refresh in three steps, so that a crash between any two leaves a trace and nobody else's
//! result is overwritten.

use lk_core::Time;
use lk_core::words::CredentialState;

use super::{ACCESS, REFRESH, seal};
use crate::db::{self, Dialect, values};
use crate::seal::SecretText;
use crate::{Result, Store};

/// How long a refresh is somebody's alone; longer than its call may take.
pub const LEASE_MS: i64 = 60_000;
/// A refresh token whose call was begun so often, and never finished, is not used again.
const TRIES_MAX: i64 = 2;

/// What came of beginning a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It may be called now; the result is stored under this fence.
    Fence {
        /// The fence.
        fence: i64,
        /// Whether a call with the same refresh token was begun before and nobody knows how it ended.
        again: bool,
    },
    /// Somebody else is at it.
    Held,
    /// There are other tokens by now.
    Changed,
    /// The refresh token's one more try is used up.
    Spent,
    /// The integration is gone.
    Gone,
}

/// Tokens to be stored.
#[derive(Clone)]
pub struct NewTokens {
    /// The access token.
    pub access: SecretText,
    /// The refresh token; `None` keeps the one there is.
    pub refresh: Option<SecretText>,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
    /// Scopes that were asked for and not granted.
    pub missing: Vec<String>,
    /// When the access token ends, where that is known.
    pub expires_at: Option<Time>,
    /// When the refresh token ends; `None` keeps what is known.
    pub refresh_expires_at: Option<Time>,
    /// When to refresh ahead.
    pub refresh_at: Option<Time>,
    /// Where it stands with them.
    pub state: CredentialState,
}

/// How a refresh failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRefresh {
    /// Where it stands now.
    pub state: CredentialState,
    /// Why, as a stable name.
    pub reason: String,
    /// Why, in a redacted sentence.
    pub message: String,
    /// When to try again; `None` when only a person can help.
    pub retry_at: Option<Time>,
    /// Whether the call ended without an answer.
    pub doubt: bool,
}

impl Store {
    /// This moment, by the clock that all who take leases share.
    fn lease_clock(&self, now: &str) -> String {
        match self.dialect() {
            Dialect::Sqlite => now.to_owned(),
            Dialect::Postgres => "(extract(epoch FROM clock_timestamp()) * 1000)::bigint".to_owned(),
        }
    }

    /// Takes the refresh of a connection at `version` for `owner` and notes the refresh token (its
    /// hash) that will be used: from here on it counts as used.
    pub async fn begin_refresh(
        &self,
        integration_id: &str,
        version: i64,
        owner: &str,
        token_hash: &[u8],
        now: Time,
    ) -> Result<Begun> {
        let clock = self.lease_clock("$3");
        let (txn, _turn) = self.begin().await?;
        let before = "SELECT version, intent_hash FROM integration_connections WHERE integration_id = $1";
        let Some(before) = db::one(&txn, before, values![integration_id]).await? else {
            return Ok(Begun::Gone);
        };
        let begun_before: Option<Vec<u8>> = before.get("intent_hash")?;
        let sql = format!(
            "UPDATE integration_connections SET lease_owner = $2, lease_fence = lease_fence + 1,
                 lease_until = {clock} + $6, intent_fence = lease_fence + 1, intent_at = $3,
                 intent_tries = CASE WHEN intent_hash = $4 THEN intent_tries + 1 ELSE 1 END, intent_hash = $4
             WHERE integration_id = $1 AND version = $5 AND lease_until <= {clock}
               AND (intent_hash IS NULL OR intent_hash <> $4 OR intent_tries < $7)
             RETURNING lease_fence"
        );
        let values = values![
            integration_id,
            owner,
            now.ms(),
            token_hash.to_vec(),
            version,
            LEASE_MS,
            TRIES_MAX
        ];
        if let Some(row) = db::one(&txn, sql, values).await? {
            let fence = row.int("lease_fence")?;
            txn.commit().await?;
            return Ok(Begun::Fence {
                fence,
                again: begun_before.is_some_and(|hash| hash == token_hash),
            });
        }
        if before.int("version")? != version {
            return Ok(Begun::Changed);
        }
        let held = format!(
            "SELECT CASE WHEN lease_until > {} THEN TRUE ELSE FALSE END AS held FROM integration_connections
             WHERE integration_id = $1",
            self.lease_clock("$2")
        );
        let values = match self.dialect() {
            Dialect::Sqlite => values![integration_id, now.ms()],
            Dialect::Postgres => values![integration_id],
        };
        let row = db::one(&txn, held, values).await?;
        Ok(match row.map(|row| row.flag("held")).transpose()? {
            Some(true) => Begun::Held,
            Some(false) => Begun::Spent,
            None => Begun::Gone,
        })
    }

    /// Stores what a refresh brought. `false` when somebody else was faster, or a person connected
    /// it anew meanwhile: then nothing is stored.
    pub async fn finish_refresh(
        &self,
        integration_id: &str,
        (version, fence): (i64, i64),
        new: &NewTokens,
        now: Time,
    ) -> Result<bool> {
        let (txn, _turn) = self.begin().await?;
        let sql =
            "UPDATE integration_connections SET access_sealed = $4, refresh_sealed = COALESCE($5, refresh_sealed),
                 obtained_at = $6, expires_at = $7, refresh_expires_at = COALESCE($8, refresh_expires_at),
                 refresh_at = $9, scopes = $10, missing = $11, state = $12, reason = NULL, message = NULL,
                 failures = 0, doubt = FALSE, intent_hash = NULL, intent_fence = NULL, intent_at = NULL,
                 intent_tries = 0, lease_owner = '', lease_until = 0, updated_at = $6, version = version + 1
             WHERE integration_id = $1 AND version = $2 AND lease_fence = $3";
        let master = self.master_key();
        let values = values![
            integration_id,
            version,
            fence,
            seal(master, integration_id, ACCESS, Some(&new.access))?,
            seal(master, integration_id, REFRESH, new.refresh.as_ref())?,
            now.ms(),
            new.expires_at.map(Time::ms),
            new.refresh_expires_at.map(Time::ms),
            new.refresh_at.map(Time::ms),
            new.scopes.join(" "),
            new.missing.join(" "),
            i16::from(new.state.code()),
        ];
        let stored = db::run(&txn, sql, values).await? == 1;
        txn.commit().await?;
        Ok(stored)
    }

    /// Notes how a refresh failed. `false` when somebody else was faster.
    pub async fn fail_refresh(
        &self,
        integration_id: &str,
        (version, fence): (i64, i64),
        failed: &FailedRefresh,
        now: Time,
    ) -> Result<bool> {
        let (txn, _turn) = self.begin().await?;
        let sql = "UPDATE integration_connections SET state = $4, reason = $5, message = $6, refresh_at = $7,
                 failures = failures + 1, doubt = (doubt OR $8), intent_hash = NULL, intent_fence = NULL,
                 intent_at = NULL, intent_tries = 0, lease_owner = '', lease_until = 0, updated_at = $9
             WHERE integration_id = $1 AND version = $2 AND lease_fence = $3";
        let values = values![
            integration_id,
            version,
            fence,
            i16::from(failed.state.code()),
            failed.reason.as_str(),
            failed.message.as_str(),
            failed.retry_at.map(Time::ms),
            failed.doubt,
            now.ms(),
        ];
        let stored = db::run(&txn, sql, values).await? == 1;
        txn.commit().await?;
        Ok(stored)
    }

    /// Notes where a connection stands without having called anybody; for one at `version`.
    pub async fn mark_connection(
        &self,
        integration_id: &str,
        version: i64,
        failed: &FailedRefresh,
        now: Time,
    ) -> Result<bool> {
        let (txn, _turn) = self.begin().await?;
        let sql = "UPDATE integration_connections SET state = $3, reason = $4, message = $5, refresh_at = $6,
                 updated_at = $7 WHERE integration_id = $1 AND version = $2";
        let values = values![
            integration_id,
            version,
            i16::from(failed.state.code()),
            failed.reason.as_str(),
            failed.message.as_str(),
            failed.retry_at.map(Time::ms),
            now.ms(),
        ];
        let stored = db::run(&txn, sql, values).await? == 1;
        txn.commit().await?;
        Ok(stored)
    }

    /// Gives up every lease on SQLite, which one serving process holds: those there are were held by
    /// one that ended. On PostgreSQL they end by themselves.
    pub async fn void_refresh_leases(&self) -> Result<()> {
        if self.dialect() == Dialect::Postgres {
            return Ok(());
        }
        let (txn, _turn) = self.begin().await?;
        let sql = "UPDATE integration_connections SET lease_until = 0, lease_owner = '' WHERE lease_until > 0";
        db::run(&txn, sql, vec![]).await?;
        txn.commit().await.map_err(Into::into)
    }
}
