//! Connections: tokens that were fetched for an integration, sealed, and where they stand. The
//! refresh of one is written in three steps: intent, call (not here), result.

mod flows;
mod refresh;

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::observation::IntegrationRid;
use lk_core::words::CredentialState;
use sea_orm::{ConnectionTrait, Value};

use super::integrations;
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::seal::{MasterKey, Sealed, SecretText};
use crate::{Result, Store, StoreError};

pub(crate) use flows::FLOWS_TABLE;
pub use flows::{ConnectFlow, NewConnectFlow};
pub use refresh::{Begun, FailedRefresh, LEASE_MS, NewTokens};

/// Table, and the first half of what a sealed token is bound to.
pub(crate) const TABLE: &str = "integration_connections";
/// What the row's id is followed by in what an access token is bound to.
pub(crate) const ACCESS: &str = ".access";
/// The same of a refresh token.
pub(crate) const REFRESH: &str = ".refresh";

const COLUMNS: &str = "integration_id, kind, home, account_id, account_name, scopes, missing, access_sealed, \
     refresh_sealed, obtained_at, expires_at, refresh_expires_at, refresh_at, state, reason, message, failures, doubt, \
     intent_hash, intent_tries, version";

/// What an integration proves itself with, without the tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The integration's public id.
    pub integration_id: String,
    /// The kind of credential.
    pub kind: String,
    /// Which client and hosts the tokens are for, hashed.
    pub home: String,
    /// The provider's id of the account.
    pub account_id: Option<String>,
    /// Its name for people.
    pub account_name: Option<String>,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
    /// Scopes that were asked for and not granted.
    pub missing: Vec<String>,
    /// When the access token was issued.
    pub obtained_at: Option<Time>,
    /// When it ends, where that is known.
    pub expires_at: Option<Time>,
    /// When the refresh token ends, where that is known.
    pub refresh_expires_at: Option<Time>,
    /// When to refresh ahead, or to try again; `None` when only a person can.
    pub refresh_at: Option<Time>,
    /// Where it stands.
    pub state: CredentialState,
    /// Why, as a stable name.
    pub reason: Option<String>,
    /// Why, in a redacted sentence.
    pub message: Option<String>,
    /// Refreshes that failed in a row.
    pub failures: i64,
    /// Whether the refresh token may have been used up by a call that was not answered.
    pub doubt: bool,
    /// Hash of the refresh token that a refresh under way uses, and how often it was begun.
    pub intent: Option<(Vec<u8>, i64)>,
    /// Whether there is a refresh token.
    pub renewable: bool,
    /// Grows with every new token.
    pub version: i64,
}

/// A connection with its tokens. Neither is shown by `Debug`.
#[derive(Clone)]
pub struct OpenConnection {
    /// What may be shown.
    pub facts: Connection,
    /// The access token.
    pub access: Option<SecretText>,
    /// The refresh token.
    pub refresh: Option<SecretText>,
}

impl std::fmt::Debug for OpenConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenConnection")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// What a person's consent brought.
#[derive(Clone)]
pub struct NewConnection {
    /// The kind of credential.
    pub kind: String,
    /// Which client and hosts the tokens are for, hashed.
    pub home: String,
    /// The provider's id of the account.
    pub account_id: Option<String>,
    /// Its name for people.
    pub account_name: Option<String>,
    /// The tokens.
    pub tokens: NewTokens,
}

fn read(row: &Row) -> Result<Connection> {
    let words = |text: String| {
        text.split(' ')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let intent: Option<Vec<u8>> = row.get("intent_hash")?;
    Ok(Connection {
        integration_id: row.text("integration_id")?,
        kind: row.text("kind")?,
        home: row.text("home")?,
        account_id: row.opt_text("account_id")?,
        account_name: row.opt_text("account_name")?,
        scopes: words(row.text("scopes")?),
        missing: words(row.text("missing")?),
        obtained_at: row.opt_time("obtained_at")?,
        expires_at: row.opt_time("expires_at")?,
        refresh_expires_at: row.opt_time("refresh_expires_at")?,
        refresh_at: row.opt_time("refresh_at")?,
        state: row.word("state", CredentialState::from_code)?,
        reason: row.opt_text("reason")?,
        message: row.opt_text("message")?,
        failures: row.int("failures")?,
        doubt: row.flag("doubt")?,
        intent: match intent {
            Some(hash) => Some((hash, row.int("intent_tries")?)),
            None => None,
        },
        renewable: row.get::<Option<Vec<u8>>>("refresh_sealed")?.is_some(),
        version: row.int("version")?,
    })
}

fn seal(master: &MasterKey, id: &str, which: &str, token: Option<&SecretText>) -> Result<Option<Vec<u8>>> {
    let Some(token) = token else { return Ok(None) };
    let sealed = master.seal(TABLE, &format!("{id}{which}"), token.expose().as_bytes())?;
    Ok(Some(sealed.as_bytes().to_vec()))
}

fn open(master: &MasterKey, row: &Row, which: &str, column: &str) -> Result<Option<SecretText>> {
    let Some(bytes) = row.get::<Option<Vec<u8>>>(column)? else {
        return Ok(None);
    };
    let id = format!("{}{which}", row.text("integration_id")?);
    Ok(Some(master.open(TABLE, &id, &Sealed::from_stored(bytes))?))
}

async fn find<C: ConnectionTrait>(on: &C, integration_id: &str) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM integration_connections WHERE integration_id = $1");
    db::one(on, sql, values![integration_id]).await
}

/// Removes what an integration that is deleted was connected with.
pub(super) async fn forget<C: ConnectionTrait>(on: &C, integration_id: &str) -> Result<()> {
    for sql in [
        "DELETE FROM integration_connections WHERE integration_id = $1",
        "DELETE FROM connect_flows WHERE integration_id = $1",
    ] {
        db::run(on, sql, values![integration_id]).await?;
    }
    Ok(())
}

impl Store {
    /// What an integration is connected with, without the tokens.
    pub async fn connection(&self, integration_id: &str) -> Result<Option<Connection>> {
        find(self.reader(), integration_id)
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// The same with the tokens.
    pub async fn open_connection(&self, integration_id: &str) -> Result<Option<OpenConnection>> {
        let Some(row) = find(self.reader(), integration_id).await? else {
            return Ok(None);
        };
        Ok(Some(OpenConnection {
            access: open(self.master_key(), &row, ACCESS, "access_sealed")?,
            refresh: open(self.master_key(), &row, REFRESH, "refresh_sealed")?,
            facts: read(&row)?,
        }))
    }

    /// Integrations that have ever got a token.
    pub(crate) async fn connected(&self) -> Result<Vec<IntegrationRid>> {
        let sql = "SELECT i.rid FROM integration_connections c
             JOIN project_integrations i ON i.id = c.integration_id
             WHERE c.version > 0 AND i.deleted_at IS NULL";
        let rows = db::all(self.reader(), sql, vec![]).await?;
        rows.iter().map(|row| Ok(IntegrationRid(row.int("rid")?))).collect()
    }

    /// Connections that are to be refreshed by now, the longest due first.
    pub async fn connections_due(&self, now: Time, limit: u32) -> Result<Vec<IntegrationRid>> {
        let sql = "SELECT i.rid FROM integration_connections c
             JOIN project_integrations i ON i.id = c.integration_id
             WHERE c.refresh_at <= $1 AND c.lease_until <= $1 AND i.deleted_at IS NULL
             ORDER BY c.refresh_at LIMIT $2";
        let rows = db::all(self.reader(), sql, values![now.ms(), i64::from(limit)]).await?;
        rows.iter().map(|row| Ok(IntegrationRid(row.int("rid")?))).collect()
    }

    /// Stores what a consent brought, in place of what there was. Another account than the one that
    /// is known is refused, whoever asks, unless client or hosts are others as well; without
    /// permission to connect, so is anything but the known account.
    pub async fn connect(&self, permit: &Permit, id: &str, new: &NewConnection, now: Time) -> Result<Connection> {
        let verbs = [Verb::ConnectIntegration, Verb::ReconnectIntegration];
        let write = self.write(permit, &verbs, now).await?;
        let integration = integrations::find(write.on(), id).await?;
        let before = find(write.on(), id).await?.as_ref().map(read).transpose()?;
        let known = before.filter(|before| before.home == new.home && before.account_id.is_some());
        let same = known.as_ref().map(|known| known.account_id == new.account_id);
        if same == Some(false) || (same.is_none() && permit.verb() == Verb::ReconnectIntegration) {
            return Err(StoreError::Invalid(
                "the connection is to another account than before".to_owned(),
            ));
        }
        let connected = put(write.on(), self.master_key(), id, new, now).await?;
        let action = if same.is_some() {
            "integration.reconnected"
        } else {
            "integration.connected"
        };
        let account = new.account_name.as_deref().or(new.account_id.as_deref());
        write
            .commit(Audit {
                project_id: Some(&integration.project_id),
                action,
                target: id.to_owned(),
                summary: account.map_or_else(
                    || integration.name.clone(),
                    |who| format!("{} ({who})", integration.name),
                ),
            })
            .await?;
        Ok(connected)
    }

    /// Makes sure that an integration whose tokens need nobody's consent has a row to fetch them into.
    pub async fn ensure_connection(&self, integration_id: &str, kind: &str, home: &str, now: Time) -> Result<()> {
        let (txn, _turn) = self.begin().await?;
        let sql = "INSERT INTO integration_connections (integration_id, kind, home, scopes, missing, state, failures,
                 doubt, intent_tries, lease_owner, lease_fence, lease_until, created_at, updated_at, version)
             SELECT id, $2, $3, '', '', $4, 0, FALSE, 0, '', 0, 0, $5, $5, 0 FROM project_integrations
             WHERE id = $1 AND deleted_at IS NULL
             ON CONFLICT (integration_id) DO UPDATE SET kind = excluded.kind, home = excluded.home, scopes = '',
                 missing = '', access_sealed = NULL, refresh_sealed = NULL, account_id = NULL, account_name = NULL,
                 expires_at = NULL, refresh_at = NULL, state = excluded.state, reason = NULL, message = NULL,
                 failures = 0, doubt = FALSE, intent_hash = NULL, intent_tries = 0, lease_until = 0,
                 lease_fence = integration_connections.lease_fence + 1, version = integration_connections.version + 1
             WHERE integration_connections.home <> excluded.home OR integration_connections.kind <> excluded.kind";
        let pending = i16::from(CredentialState::Pending.code());
        db::run(&txn, sql, values![integration_id, kind, home, pending, now.ms()]).await?;
        txn.commit().await.map_err(Into::into)
    }
}

async fn put<C: ConnectionTrait>(
    on: &C,
    master: &MasterKey,
    id: &str,
    new: &NewConnection,
    now: Time,
) -> Result<Connection> {
    let tokens = &new.tokens;
    let sql = format!(
        "INSERT INTO integration_connections (integration_id, kind, home, account_id, account_name, scopes, missing,
             access_sealed, refresh_sealed, obtained_at, expires_at, refresh_expires_at, refresh_at, state, failures,
             doubt, intent_tries, lease_owner, lease_fence, lease_until, created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, FALSE, 0, '', 1, 0, $10, $10, 1)
         ON CONFLICT (integration_id) DO UPDATE SET kind = excluded.kind, home = excluded.home,
             account_id = excluded.account_id, account_name = excluded.account_name, scopes = excluded.scopes,
             missing = excluded.missing, access_sealed = excluded.access_sealed,
             refresh_sealed = excluded.refresh_sealed, obtained_at = excluded.obtained_at,
             expires_at = excluded.expires_at, refresh_expires_at = excluded.refresh_expires_at,
             refresh_at = excluded.refresh_at, state = excluded.state, reason = NULL, message = NULL, failures = 0,
             doubt = FALSE, intent_hash = NULL, intent_fence = NULL, intent_at = NULL, intent_tries = 0,
             lease_owner = '', lease_fence = integration_connections.lease_fence + 1, lease_until = 0,
             updated_at = excluded.updated_at, version = integration_connections.version + 1
         RETURNING {COLUMNS}"
    );
    let mut values: Vec<Value> = values![
        id,
        new.kind.as_str(),
        new.home.as_str(),
        new.account_id.as_deref(),
        new.account_name.as_deref(),
        tokens.scopes.join(" "),
        tokens.missing.join(" "),
    ];
    values.extend(values![
        seal(master, id, ACCESS, Some(&tokens.access))?,
        seal(master, id, REFRESH, tokens.refresh.as_ref())?,
        now.ms(),
        tokens.expires_at.map(Time::ms),
        tokens.refresh_expires_at.map(Time::ms),
        tokens.refresh_at.map(Time::ms),
        i16::from(tokens.state.code()),
    ]);
    let row = db::one(on, sql, values).await?;
    read(&row.ok_or(StoreError::missing("integration"))?)
}
