//! Webhook addresses: the long one with a random key, and the short one per provider.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::observation::ProjectRid;
use sea_orm::ConnectionTrait;

use super::integrations::{self, Integration};
use crate::audit::Audit;
use crate::db::{self, values};
use crate::seal::{MasterKey, SecretText};
use crate::{Result, Store, StoreError};

/// Table, and the first half of what a sealed key is bound to; the integration's id is the other.
pub(crate) const TABLE: &str = "webhook_endpoints";

/// How the key of a webhook address is looked up.
pub fn endpoint_key_hash(key: &str) -> [u8; 32] {
    blake3::derive_key("linekeeper webhook endpoint key v1", key.as_bytes())
}

pub(super) async fn insert<C: ConnectionTrait>(
    on: &C,
    master: &MasterKey,
    integration_id: &str,
    key: &SecretText,
    now: Time,
) -> Result<()> {
    let sealed = master.seal(TABLE, integration_id, key.expose().as_bytes())?;
    db::run(
        on,
        "INSERT INTO webhook_endpoints (key_hash, key_sealed, integration_id, created_at)
         VALUES ($1, $2, $3, $4)",
        values![
            endpoint_key_hash(key.expose()).to_vec(),
            sealed.as_bytes().to_vec(),
            integration_id,
            now.ms(),
        ],
    )
    .await
    .map(|_| ())
}

/// Gives the integration its provider's short address when nobody has it.
pub(super) async fn bind_if_free<C: ConnectionTrait>(on: &C, integration: &Integration) -> Result<bool> {
    let sql = "INSERT INTO webhook_aliases (provider, integration_id) VALUES ($1, $2)
               ON CONFLICT (provider) DO NOTHING";
    let values = values![integration.provider.as_str(), integration.id.as_str()];
    Ok(db::run(on, sql, values).await? == 1)
}

impl Store {
    /// The keys of the webhook addresses of a project's integrations, by integration id.
    pub async fn endpoint_keys(&self, project: ProjectRid) -> Result<Vec<(String, SecretText)>> {
        let rows = db::all(
            self.reader(),
            "SELECT e.integration_id, e.key_sealed FROM project_integrations i
             JOIN webhook_endpoints e ON e.integration_id = i.id
             WHERE i.project_rid = $1 AND i.deleted_at IS NULL AND e.retired_at IS NULL",
            values![project.0],
        )
        .await?;
        rows.iter().map(|row| self.open_endpoint(row)).collect()
    }

    /// The key of one integration's webhook address, when it has one.
    pub async fn endpoint_key(&self, integration_id: &str) -> Result<Option<SecretText>> {
        let row = db::one(
            self.reader(),
            "SELECT integration_id, key_sealed FROM webhook_endpoints
             WHERE integration_id = $1 AND retired_at IS NULL",
            values![integration_id],
        )
        .await?;
        Ok(row.map(|row| self.open_endpoint(&row)).transpose()?.map(|(_, key)| key))
    }

    fn open_endpoint(&self, row: &db::Row) -> Result<(String, SecretText)> {
        let id = row.text("integration_id")?;
        let sealed = crate::seal::Sealed::from_stored(row.get("key_sealed")?);
        let key = self.master_key().open(TABLE, &id, &sealed)?;
        Ok((id, key))
    }

    /// The short addresses in use: provider and integration id.
    pub async fn aliases(&self) -> Result<Vec<(String, String)>> {
        let sql = "SELECT provider, integration_id FROM webhook_aliases ORDER BY provider";
        let rows = db::all(self.reader(), sql, vec![]).await?;
        rows.iter()
            .map(|row| Ok((row.text("provider")?, row.text("integration_id")?)))
            .collect()
    }

    /// Moves the short address of its provider to an integration, from whoever has it in the same
    /// project. Another project's is refused.
    pub async fn bind_alias(&self, permit: &Permit, integration_id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ConfigureIntegration], now).await?;
        let integration = integrations::find(write.on(), integration_id).await?;
        let holder = db::one(
            write.on(),
            "SELECT i.project_id FROM webhook_aliases a
             JOIN project_integrations i ON i.id = a.integration_id WHERE a.provider = $1",
            values![integration.provider.as_str()],
        )
        .await?;
        if let Some(holder) = holder
            && holder.text("project_id")? != integration.project_id
        {
            return Err(StoreError::Taken {
                what: "this short webhook address",
            });
        }
        db::run(
            write.on(),
            "INSERT INTO webhook_aliases (provider, integration_id) VALUES ($1, $2)
             ON CONFLICT (provider) DO UPDATE SET integration_id = excluded.integration_id",
            values![integration.provider.as_str(), integration_id],
        )
        .await?;
        write
            .commit(Audit {
                project_id: Some(&integration.project_id),
                action: "webhook_alias.bound",
                target: integration_id.to_owned(),
                summary: format!("/webhooks/{}", integration.provider),
            })
            .await
    }

    /// Frees the short address that an integration holds. Not holding one is an error.
    pub async fn free_alias(&self, permit: &Permit, integration_id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ConfigureIntegration], now).await?;
        let integration = integrations::find(write.on(), integration_id).await?;
        let sql = "DELETE FROM webhook_aliases WHERE integration_id = $1";
        if db::run(write.on(), sql, values![integration_id]).await? == 0 {
            return Err(StoreError::missing("short webhook address"));
        }
        write
            .commit(Audit {
                project_id: Some(&integration.project_id),
                action: "webhook_alias.freed",
                target: integration_id.to_owned(),
                summary: format!("/webhooks/{}", integration.provider),
            })
            .await
    }
}
