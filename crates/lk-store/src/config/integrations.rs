//! Integrations: connected, changed, deleted.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::observation::{IntegrationRid, ProjectRid};
use sea_orm::ConnectionTrait;

use super::secrets::{NewWebhookSecret, WebhookSecret, insert_secret};
use super::{conflict, connections, credentials, endpoints, projects};
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::error::Current;
use crate::ids::new_id;
use crate::seal::SecretText;
use crate::{Result, Store, StoreError};

const INTEGRATION_COLUMNS: &str = "rid, id, project_id, project_rid, provider, service, \
     name, settings, enabled, demo, created_at, updated_at, version";

/// A project's connection to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Its row number.
    pub rid: IntegrationRid,
    /// Its public id.
    pub id: String,
    /// Its project's public id.
    pub project_id: String,
    /// Its project's row number.
    pub project_rid: ProjectRid,
    /// The provider's key.
    pub provider: String,
    /// What is reached, where that differs from the provider.
    pub service: Option<String>,
    /// Its name for people.
    pub name: String,
    /// Settings as a JSON object. Holds no secret.
    pub settings: String,
    /// Whether it is watched.
    pub enabled: bool,
    /// Whether the demo made it.
    pub demo: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it was last changed by somebody.
    pub updated_at: Time,
    /// Grows with every change by somebody.
    pub version: i64,
}

/// An integration to be made.
#[derive(Clone)]
pub struct NewIntegration {
    /// The project's public id.
    pub project_id: String,
    /// The provider's key.
    pub provider: String,
    /// What is reached, where that differs from the provider.
    pub service: Option<String>,
    /// Its name for people.
    pub name: String,
    /// Settings as a JSON object, without secrets.
    pub settings: String,
    /// Whether the demo makes it.
    pub demo: bool,
    /// The random part of its webhook address, when its provider sends webhooks.
    pub endpoint_key: Option<SecretText>,
    /// Its first webhook secret.
    pub secret: Option<NewWebhookSecret>,
    /// What its form's secret fields hold, by field.
    pub credentials: Vec<(String, SecretText)>,
}

/// What [`Store::create_integration`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedIntegration {
    /// The integration.
    pub integration: Integration,
    /// Its first webhook secret, without its value.
    pub secret: Option<WebhookSecret>,
    /// Whether `/webhooks/{provider}` leads to it now.
    pub has_alias: bool,
}

/// What to change of an integration; `None` leaves it.
#[derive(Clone, Default)]
pub struct IntegrationPatch {
    /// A new name.
    pub name: Option<String>,
    /// Watch it or not.
    pub enabled: Option<bool>,
    /// New settings, whole, as a JSON object.
    pub settings: Option<String>,
    /// New credentials by field; `None` as a value removes the field's, fields not named keep theirs.
    pub credentials: Vec<(String, Option<SecretText>)>,
}

fn read_integration(row: &Row) -> Result<Integration> {
    Ok(Integration {
        rid: IntegrationRid(row.int("rid")?),
        id: row.text("id")?,
        project_id: row.text("project_id")?,
        project_rid: ProjectRid(row.int("project_rid")?),
        provider: row.text("provider")?,
        service: row.opt_text("service")?,
        name: row.text("name")?,
        settings: row.text("settings")?,
        enabled: row.flag("enabled")?,
        demo: row.flag("demo")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        version: row.int("version")?,
    })
}

/// The integration with this id that is not deleted, inside or outside a transaction.
pub(super) async fn find<C: ConnectionTrait>(on: &C, id: &str) -> Result<Integration> {
    let sql = format!(
        "SELECT {INTEGRATION_COLUMNS} FROM project_integrations
         WHERE id = $1 AND deleted_at IS NULL"
    );
    let row = db::one(on, sql, values![id]).await?;
    read_integration(&row.ok_or(StoreError::missing("integration"))?)
}

async fn insert<C: ConnectionTrait>(on: &C, new: &NewIntegration, now: Time) -> Result<Integration> {
    let project = projects::find(on, &new.project_id).await?;
    let sql = format!(
        "INSERT INTO project_integrations (id, project_id, project_rid, provider, service, name,
             settings, enabled, demo, created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, TRUE, $8, $9, $9, 1) RETURNING {INTEGRATION_COLUMNS}"
    );
    let values = values![
        new_id(now)?.to_string(),
        new.project_id.as_str(),
        project.rid.0,
        new.provider.as_str(),
        new.service.as_deref(),
        new.name.as_str(),
        new.settings.as_str(),
        new.demo,
        now.ms(),
    ];
    let row = db::one(on, sql, values).await?;
    read_integration(&row.ok_or(StoreError::missing("integration"))?)
}

impl Store {
    /// The integrations of a project that are not deleted, oldest first.
    pub async fn integrations(&self, project: ProjectRid) -> Result<Vec<Integration>> {
        let sql = format!(
            "SELECT {INTEGRATION_COLUMNS} FROM project_integrations
             WHERE project_rid = $1 AND deleted_at IS NULL ORDER BY rid"
        );
        db::all(self.reader(), sql, values![project.0])
            .await?
            .iter()
            .map(read_integration)
            .collect()
    }

    /// The integration with this public id. Compare its project with the caller's.
    pub async fn integration(&self, id: &str) -> Result<Integration> {
        find(self.reader(), id).await
    }

    /// Makes an integration with its webhook address and first secret. The first one of a provider
    /// also gets the short address `/webhooks/{provider}`; the demo's never do.
    pub async fn create_integration(
        &self,
        permit: &Permit,
        new: &NewIntegration,
        now: Time,
    ) -> Result<CreatedIntegration> {
        let verbs: &[Verb] = if new.demo {
            &[Verb::ManageDemo, Verb::ConnectIntegration]
        } else {
            &[Verb::ConnectIntegration]
        };
        let write = self.write(permit, verbs, now).await?;
        let integration = insert(write.on(), new, now).await?;
        let mut has_alias = false;
        if let Some(key) = &new.endpoint_key {
            endpoints::insert(write.on(), self.master_key(), &integration.id, key, now).await?;
            if !new.demo {
                has_alias = endpoints::bind_if_free(write.on(), &integration).await?;
            }
        }
        let secret = match &new.secret {
            Some(secret) => Some(insert_secret(write.on(), self.master_key(), &integration.id, secret, now).await?),
            None => None,
        };
        for (field, value) in &new.credentials {
            credentials::put(write.on(), self.master_key(), &integration.id, (field, value), now).await?;
        }
        write
            .commit(Audit {
                project_id: Some(&integration.project_id),
                action: "integration.created",
                target: integration.id.clone(),
                summary: format!("{} ({})", integration.name, integration.provider),
            })
            .await?;
        Ok(CreatedIntegration {
            integration,
            secret,
            has_alias,
        })
    }

    /// Changes an integration that is still at `version`. `summary` is what the audit log says of
    /// the change, redacted by the caller.
    pub async fn update_integration(
        &self,
        permit: &Permit,
        id: &str,
        patch: &IntegrationPatch,
        version: i64,
        summary: &str,
        now: Time,
    ) -> Result<Integration> {
        let write = self.write(permit, &[Verb::ConfigureIntegration], now).await?;
        let sql = format!(
            "UPDATE project_integrations
             SET name = COALESCE($3, name), enabled = COALESCE($4, enabled),
                 settings = COALESCE($5, settings), updated_at = $6, version = version + 1
             WHERE id = $1 AND version = $2 AND deleted_at IS NULL RETURNING {INTEGRATION_COLUMNS}"
        );
        let values = values![
            id,
            version,
            patch.name.as_deref(),
            patch.enabled,
            patch.settings.as_deref(),
            now.ms(),
        ];
        let Some(row) = db::one(write.on(), sql, values).await? else {
            let current = Current::Integration(find(write.on(), id).await?);
            return Err(conflict(write.on(), ("integration", &["integration.updated"]), id, current).await?);
        };
        let integration = read_integration(&row)?;
        for (field, value) in &patch.credentials {
            match value {
                Some(value) => credentials::put(write.on(), self.master_key(), id, (field, value), now).await?,
                None => credentials::remove(write.on(), id, field).await?,
            }
        }
        write
            .commit(Audit {
                project_id: Some(&integration.project_id),
                action: "integration.updated",
                target: integration.id.clone(),
                summary: summary.to_owned(),
            })
            .await?;
        Ok(integration)
    }

    /// Writes down that somebody asks for a check. What it finds is the journal's.
    pub async fn note_asked_check(&self, permit: &Permit, id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::CheckIntegration], now).await?;
        let integration = find(write.on(), id).await?;
        write
            .commit(Audit {
                project_id: Some(&integration.project_id),
                action: "integration.checked",
                target: integration.id.clone(),
                summary: format!("{} ({})", integration.name, integration.provider),
            })
            .await
    }

    /// Deletes an integration: it is gone at once, its secrets, credentials and addresses with it; its events
    /// and problems go in small steps ([`Store::purge_step`]).
    pub async fn delete_integration(&self, permit: &Permit, id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::DisconnectIntegration], now).await?;
        let integration = find(write.on(), id).await?;
        mark_deleted(write.on(), &integration, now).await?;
        write
            .commit(Audit {
                project_id: Some(&integration.project_id),
                action: "integration.deleted",
                target: integration.id.clone(),
                summary: format!("{} ({})", integration.name, integration.provider),
            })
            .await
    }

    /// Deletes what the demo made in a project, and says how many integrations that were.
    pub async fn delete_demo(&self, permit: &Permit, project: ProjectRid, now: Time) -> Result<usize> {
        let project_id = self.project_by_rid(project).await?.id;
        let write = self.write(permit, &[Verb::ManageDemo], now).await?;
        let gone = mark_where(write.on(), project, "demo", now).await?;
        write
            .commit(Audit {
                project_id: Some(&project_id),
                action: "demo.removed",
                target: project_id.clone(),
                summary: format!("{gone} integrations"),
            })
            .await?;
        Ok(gone)
    }
}

/// Deletes every integration of a project, and says how many that were.
pub(super) async fn mark_all_deleted<C: ConnectionTrait>(on: &C, project: ProjectRid, now: Time) -> Result<usize> {
    mark_where(on, project, "TRUE", now).await
}

async fn mark_where<C: ConnectionTrait>(on: &C, project: ProjectRid, which: &str, now: Time) -> Result<usize> {
    let sql = format!(
        "SELECT {INTEGRATION_COLUMNS} FROM project_integrations
         WHERE project_rid = $1 AND {which} AND deleted_at IS NULL"
    );
    let rows = db::all(on, sql, values![project.0]).await?;
    for row in &rows {
        mark_deleted(on, &read_integration(row)?, now).await?;
    }
    Ok(rows.len())
}

async fn mark_deleted<C: ConnectionTrait>(on: &C, integration: &Integration, now: Time) -> Result<()> {
    let id = integration.id.as_str();
    db::run(
        on,
        "UPDATE project_integrations SET deleted_at = $2, updated_at = $2, enabled = FALSE,
             version = version + 1 WHERE id = $1",
        values![id, now.ms()],
    )
    .await?;
    for sql in [
        "DELETE FROM webhook_aliases WHERE integration_id = $1",
        "DELETE FROM webhook_endpoints WHERE integration_id = $1",
        "DELETE FROM webhook_secrets WHERE integration_id = $1",
        "DELETE FROM integration_credentials WHERE integration_id = $1",
    ] {
        db::run(on, sql, values![id]).await?;
    }
    connections::forget(on, id).await
}
