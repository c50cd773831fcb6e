//! Webhook secrets: several at once, so that they can be rotated without losing a delivery.

use lk_core::Time;
use lk_core::access::{Permit, Standing, Verb, authorize};
use sea_orm::ConnectionTrait;

use super::integrations;
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::ids::new_id;
use crate::seal::{MasterKey, SecretText};
use crate::{Result, Store, StoreError};

/// Table, and the first half of what a sealed value is bound to; the id is the other.
pub(crate) const TABLE: &str = "webhook_secrets";
const COLUMNS: &str = "id, integration_id, last4, state, source, created_at, expires_at, retired_at";

/// Where a secret is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretState {
    /// Accepted.
    Active = 0,
    /// Accepted until it expires.
    Retiring = 1,
    /// No longer accepted; its value is wiped.
    Retired = 2,
}

impl SecretState {
    /// The stable number used in storage.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The stable text used by the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }

    /// The state whose number is `code`.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Active),
            1 => Some(Self::Retiring),
            2 => Some(Self::Retired),
            _ => None,
        }
    }
}

/// Where a secret came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretSource {
    /// Somebody typed what the provider shows.
    Manual = 0,
    /// We made it, for the provider to be told.
    Generated = 1,
    /// The provider sent it in its handshake.
    Handshake = 2,
    /// An environment variable or the configuration file holds it.
    Environment = 3,
}

impl SecretSource {
    /// The stable number used in storage.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The stable text used by the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Generated => "generated",
            Self::Handshake => "handshake",
            Self::Environment => "environment",
        }
    }

    /// The source whose number is `code`.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Manual),
            1 => Some(Self::Generated),
            2 => Some(Self::Handshake),
            3 => Some(Self::Environment),
            _ => None,
        }
    }
}

/// A webhook secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecret {
    /// Its public id.
    pub id: String,
    /// Whose it is.
    pub integration_id: String,
    /// Its last four characters; empty for short ones.
    pub last4: String,
    /// Where it is in its life.
    pub state: SecretState,
    /// Where it came from.
    pub source: SecretSource,
    /// When it was added.
    pub created_at: Time,
    /// When it stops being accepted, while it is retiring.
    pub expires_at: Option<Time>,
    /// When it was retired.
    pub retired_at: Option<Time>,
}

/// A secret to be added.
#[derive(Clone)]
pub struct NewWebhookSecret {
    /// The secret.
    pub value: SecretText,
    /// Where it came from.
    pub source: SecretSource,
}

fn read(row: &Row) -> Result<WebhookSecret> {
    Ok(WebhookSecret {
        id: row.text("id")?,
        integration_id: row.text("integration_id")?,
        last4: row.text("last4")?,
        state: row.word("state", SecretState::from_code)?,
        source: row.word("source", SecretSource::from_code)?,
        created_at: row.time("created_at")?,
        expires_at: row.opt_time("expires_at")?,
        retired_at: row.opt_time("retired_at")?,
    })
}

pub(super) async fn insert_secret<C: ConnectionTrait>(
    on: &C,
    master: &MasterKey,
    integration_id: &str,
    new: &NewWebhookSecret,
    now: Time,
) -> Result<WebhookSecret> {
    let id = new_id(now)?.to_string();
    let sealed = master.seal(TABLE, &id, new.value.expose().as_bytes())?;
    let sql = format!(
        "INSERT INTO webhook_secrets (id, integration_id, sealed, last4, state, source, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {COLUMNS}"
    );
    let values = values![
        id,
        integration_id,
        sealed.as_bytes().to_vec(),
        new.value.last4(),
        i16::from(SecretState::Active.code()),
        i16::from(new.source.code()),
        now.ms(),
    ];
    let row = db::one(on, sql, values).await?;
    read(&row.ok_or(StoreError::missing("webhook secret"))?)
}

impl Store {
    /// The webhook secrets of an integration, newest first, retired ones too.
    pub async fn webhook_secrets(&self, integration_id: &str) -> Result<Vec<WebhookSecret>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM webhook_secrets WHERE integration_id = $1
             ORDER BY created_at DESC, id DESC"
        );
        db::all(self.reader(), sql, values![integration_id])
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// How many secrets each integration of the installation accepts now, by integration id; for
    /// one project's when given.
    pub async fn active_secret_counts(&self, project_id: &str) -> Result<Vec<(String, i64)>> {
        let rows = db::all(
            self.reader(),
            "SELECT s.integration_id, CAST(COUNT(*) AS BIGINT) AS n
             FROM project_integrations i JOIN webhook_secrets s ON s.integration_id = i.id
             WHERE i.project_id = $1 AND i.deleted_at IS NULL AND s.state <> $2
             GROUP BY s.integration_id",
            values![project_id, i16::from(SecretState::Retired.code())],
        )
        .await?;
        rows.iter()
            .map(|row| Ok((row.text("integration_id")?, row.int("n")?)))
            .collect()
    }

    /// Adds a secret; the ones before stay accepted until they are retired. One that a handshake
    /// brought is believed only while there is none: of two that arrive together the second is
    /// [`StoreError::Taken`].
    pub async fn add_webhook_secret(
        &self,
        permit: &Permit,
        integration_id: &str,
        new: &NewWebhookSecret,
        now: Time,
    ) -> Result<WebhookSecret> {
        let write = self.write(permit, &[Verb::ManageWebhookSecrets], now).await?;
        let integration = integrations::find(write.on(), integration_id).await?;
        if new.source == SecretSource::Handshake {
            only_while_there_is_none(write.on(), integration_id).await?;
        }
        let secret = insert_secret(write.on(), self.master_key(), integration_id, new, now).await?;
        write
            .commit(Audit {
                project_id: Some(&integration.project_id),
                action: "webhook_secret.added",
                target: integration_id.to_owned(),
                summary: format!("{} ({})", in_words(&integration.name, &secret), new.source.as_str()),
            })
            .await?;
        Ok(secret)
    }

    /// Retires a secret: at once when `grace_ms` is 0, otherwise it is accepted that much longer.
    pub async fn retire_webhook_secret(
        &self,
        permit: &Permit,
        integration_id: &str,
        secret_id: &str,
        grace_ms: i64,
        now: Time,
    ) -> Result<WebhookSecret> {
        let write = self.write(permit, &[Verb::ManageWebhookSecrets], now).await?;
        let integration = integrations::find(write.on(), integration_id).await?;
        let sql = format!("SELECT {COLUMNS} FROM webhook_secrets WHERE id = $1 AND integration_id = $2");
        let row = db::one(write.on(), sql, values![secret_id, integration_id]).await?;
        let secret = read(&row.ok_or(StoreError::missing("webhook secret"))?)?;
        if secret.state == SecretState::Retired {
            return Ok(secret);
        }
        let sql = if grace_ms > 0 {
            format!("UPDATE webhook_secrets SET state = 1, expires_at = $2 WHERE id = $1 RETURNING {COLUMNS}")
        } else {
            format!("UPDATE webhook_secrets SET state = 2, retired_at = $2, {WIPE} WHERE id = $1 RETURNING {COLUMNS}")
        };
        let values = values![secret_id, (now + grace_ms.max(0)).ms()];
        let row = db::one(write.on(), sql, values).await?;
        let secret = read(&row.ok_or(StoreError::missing("webhook secret"))?)?;
        write
            .commit(Audit {
                project_id: Some(&integration.project_id),
                action: "webhook_secret.retired",
                target: integration_id.to_owned(),
                summary: format!(
                    "{}, after {} s",
                    in_words(&integration.name, &secret),
                    grace_ms.max(0) / 1_000
                ),
            })
            .await?;
        Ok(secret)
    }

    /// Retires what has expired, and wipes it. Returns how many; 0 writes nothing.
    pub async fn retire_expired_secrets(&self, now: Time) -> Result<u64> {
        let sql = "SELECT id FROM webhook_secrets WHERE state = 1 AND expires_at <= $1 LIMIT 1";
        if db::one(self.reader(), sql, values![now.ms()]).await?.is_none() {
            return Ok(0);
        }
        let permit = authorize(&Standing::system(), Verb::ManageWebhookSecrets)
            .map_err(|_| StoreError::WrongPermit(Verb::ManageWebhookSecrets))?;
        let write = self.write(&permit, &[Verb::ManageWebhookSecrets], now).await?;
        let sql = format!(
            "UPDATE webhook_secrets SET state = 2, retired_at = $1, {WIPE}
             WHERE state = 1 AND expires_at <= $1"
        );
        let count = db::run(write.on(), sql, values![now.ms()]).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "webhook_secret.expired",
                target: TABLE.to_owned(),
                summary: format!("{count} retired after their grace"),
            })
            .await?;
        Ok(count)
    }
}

/// Which secret of which integration, for the audit log.
fn in_words(integration: &str, secret: &WebhookSecret) -> String {
    match secret.last4.as_str() {
        "" => format!("{integration}: a short secret"),
        last4 => format!("{integration}: secret ending in {last4}"),
    }
}

async fn only_while_there_is_none<C: ConnectionTrait>(on: &C, integration_id: &str) -> Result<()> {
    // Changes nothing, but makes whoever comes second on the same integration wait for the first.
    let lock = "UPDATE project_integrations SET updated_at = updated_at WHERE id = $1";
    db::run(on, lock, values![integration_id]).await?;
    let sql = "SELECT id FROM webhook_secrets WHERE integration_id = $1 AND state <> $2 LIMIT 1";
    let retired = i16::from(SecretState::Retired.code());
    match db::one(on, sql, values![integration_id, retired]).await? {
        None => Ok(()),
        Some(_) => Err(StoreError::Taken {
            what: "the place of the first webhook secret",
        }),
    }
}

/// A retired secret's value is of no use to anybody but a thief. An empty value opens for nobody.
const WIPE: &str = "sealed = substr(sealed, 1, 0)";
