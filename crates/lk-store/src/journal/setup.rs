//! The whole configuration that the receiving paths need, read at once.

use lk_core::Time;
use lk_core::observation::{IntegrationRid, ProjectRid};

use crate::config::{SecretState, credentials, secrets};
use crate::db::{self, values};
use crate::seal::{Sealed, SecretText};
use crate::{Result, Store, StoreError};

/// One integration that is not deleted.
#[derive(Debug, Clone)]
pub struct IntegrationSetup {
    /// Row number.
    pub rid: IntegrationRid,
    /// Public id.
    pub id: String,
    /// Row number of its project.
    pub project: ProjectRid,
    /// The provider's key.
    pub provider: String,
    /// What is reached, where that differs from the provider.
    pub service: Option<String>,
    /// The name people gave it.
    pub name: String,
    /// Its settings, a JSON object.
    pub settings: String,
    /// Whether it is watched.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Time,
}

/// One webhook secret that is not retired, opened.
pub struct SecretSetup {
    /// Whose.
    pub integration: IntegrationRid,
    /// The secret.
    pub value: SecretText,
    /// Until when it is valid.
    pub expires_at: Option<Time>,
}

/// What one secret field of an integration's form holds, opened.
pub struct CredentialSetup {
    /// Whose.
    pub integration: IntegrationRid,
    /// Key of the form field.
    pub field: String,
    /// The credential.
    pub value: Option<SecretText>,
}

/// Everything at one generation.
pub struct Setup {
    /// The generation, read first: what follows is at least as new.
    pub generation: i64,
    /// Every integration.
    pub integrations: Vec<IntegrationSetup>,
    /// Hash of each endpoint key, and whose it is.
    pub endpoints: Vec<([u8; 32], IntegrationRid)>,
    /// Each provider's short address, and whose it is.
    pub aliases: Vec<(String, IntegrationRid)>,
    /// Every valid secret.
    pub secrets: Vec<SecretSetup>,
    /// Every credential.
    pub credentials: Vec<CredentialSetup>,
    /// Integrations that have been connected with a token.
    pub connected: Vec<IntegrationRid>,
    /// Whether something could not be opened, and is missing above.
    pub incomplete: bool,
    /// The master key's [version](crate::MasterKey::version) when the reading began.
    pub key_version: u64,
}

impl Store {
    /// Reads the configuration of the receiving paths.
    pub async fn setup(&self) -> Result<Setup> {
        let generation = self.generation().await?;
        // Whoever replaces the master key moves the generation after writing the key file.
        self.master_key().refresh();
        let key_version = self.master_key().version();
        let mut incomplete = false;
        let rows = db::all(
            self.reader(),
            "SELECT rid, id, project_rid, provider, service, name, settings, enabled, created_at \
             FROM project_integrations WHERE deleted_at IS NULL",
            vec![],
        )
        .await?;
        let integrations = rows
            .iter()
            .map(|r| {
                Ok(IntegrationSetup {
                    rid: IntegrationRid(r.int("rid")?),
                    id: r.text("id")?,
                    project: ProjectRid(r.int("project_rid")?),
                    provider: r.text("provider")?,
                    service: r.opt_text("service")?,
                    name: r.text("name")?,
                    settings: r.text("settings")?,
                    enabled: r.flag("enabled")?,
                    created_at: r.time("created_at")?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Setup {
            generation,
            integrations,
            endpoints: self.endpoint_setup().await?,
            aliases: self.alias_setup().await?,
            secrets: self.secret_setup(&mut incomplete).await?,
            credentials: self.credential_setup(&mut incomplete).await?,
            connected: self.connected().await?,
            incomplete,
            key_version,
        })
    }

    async fn endpoint_setup(&self) -> Result<Vec<([u8; 32], IntegrationRid)>> {
        let rows = db::all(
            self.reader(),
            "SELECT e.key_hash, i.rid FROM webhook_endpoints e \
             JOIN project_integrations i ON i.id = e.integration_id \
             WHERE e.retired_at IS NULL AND i.deleted_at IS NULL",
            vec![],
        )
        .await?;
        rows.iter()
            .map(|r| {
                let hash: Vec<u8> = r.get("key_hash")?;
                let hash = hash
                    .try_into()
                    .map_err(|_| StoreError::corrupt("an endpoint's hash has a wrong length"))?;
                Ok((hash, IntegrationRid(r.int("rid")?)))
            })
            .collect()
    }

    async fn alias_setup(&self) -> Result<Vec<(String, IntegrationRid)>> {
        let rows = db::all(
            self.reader(),
            "SELECT a.provider, i.rid FROM webhook_aliases a \
             JOIN project_integrations i ON i.id = a.integration_id WHERE i.deleted_at IS NULL",
            vec![],
        )
        .await?;
        rows.iter()
            .map(|r| Ok((r.text("provider")?, IntegrationRid(r.int("rid")?))))
            .collect()
    }

    async fn secret_setup(&self, incomplete: &mut bool) -> Result<Vec<SecretSetup>> {
        let rows = db::all(
            self.reader(),
            "SELECT s.id, s.sealed, s.expires_at, i.rid FROM webhook_secrets s \
             JOIN project_integrations i ON i.id = s.integration_id \
             WHERE s.state <> $1 AND i.deleted_at IS NULL ORDER BY s.created_at DESC",
            values![i16::from(SecretState::Retired.code())],
        )
        .await?;
        let mut opened = Vec::with_capacity(rows.len());
        for r in &rows {
            let id = r.text("id")?;
            let sealed = Sealed::from_stored(r.get("sealed")?);
            // A secret that the key does not open makes its own integration unverifiable, not all.
            match self.master_key().open(secrets::TABLE, &id, &sealed) {
                Ok(value) => opened.push(SecretSetup {
                    integration: IntegrationRid(r.int("rid")?),
                    value,
                    expires_at: r.opt_time("expires_at")?,
                }),
                Err(error) => {
                    *incomplete = true;
                    tracing::error!(secret = id, %error, "a webhook secret cannot be opened");
                }
            }
        }
        Ok(opened)
    }

    async fn credential_setup(&self, incomplete: &mut bool) -> Result<Vec<CredentialSetup>> {
        let rows = db::all(
            self.reader(),
            "SELECT c.integration_id, c.field, c.sealed, i.rid FROM integration_credentials c \
             JOIN project_integrations i ON i.id = c.integration_id WHERE i.deleted_at IS NULL",
            vec![],
        )
        .await?;
        let mut opened = Vec::with_capacity(rows.len());
        for r in &rows {
            let field = r.text("field")?;
            let row = credentials::sealed_as(&r.text("integration_id")?, &field);
            let sealed = Sealed::from_stored(r.get("sealed")?);
            // As with a secret: what does not open is missing to its own integration alone.
            let value = match self.master_key().open(credentials::TABLE, &row, &sealed) {
                Ok(value) => Some(value),
                Err(error) => {
                    *incomplete = true;
                    tracing::error!(credential = row, %error, "a credential cannot be opened");
                    None
                }
            };
            opened.push(CredentialSetup {
                integration: IntegrationRid(r.int("rid")?),
                field,
                value,
            });
        }
        Ok(opened)
    }
}
