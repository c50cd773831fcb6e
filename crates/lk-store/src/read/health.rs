//! The state of integrations as the journal last committed it.

use lk_core::Time;
use lk_core::codec;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::state::IntegrationState;
use lk_core::words::Health;

use crate::db::{self, Row, values};
use crate::{Result, Store};

const COLUMNS: &str = "h.integration_rid, h.status, h.status_since, h.state, h.version, h.updated_at";

/// One integration's health row. An integration of which nothing was heard yet has none.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthRow {
    /// Which integration.
    pub integration: IntegrationRid,
    /// Its health after the last step.
    pub status: Health,
    /// Since when.
    pub status_since: Time,
    /// The whole state.
    pub state: IntegrationState,
    /// Grows with every step.
    pub version: i64,
    /// When it was last written.
    pub updated_at: Time,
}

fn read(row: &Row) -> Result<HealthRow> {
    Ok(HealthRow {
        integration: IntegrationRid(row.int("integration_rid")?),
        status: row.word("status", Health::from_code)?,
        status_since: row.time("status_since")?,
        state: codec::decode(&row.get::<Vec<u8>>("state")?)?,
        version: row.int("version")?,
        updated_at: row.time("updated_at")?,
    })
}

impl Store {
    /// The health rows of a project.
    pub async fn health_of_project(&self, project: ProjectRid) -> Result<Vec<HealthRow>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM integration_health_checks h
             JOIN project_integrations i ON i.rid = h.integration_rid
             WHERE h.project_rid = $1 AND i.deleted_at IS NULL"
        );
        db::all(self.reader(), sql, values![project.0])
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// The health row of one integration.
    pub async fn health_of(&self, integration: IntegrationRid) -> Result<Option<HealthRow>> {
        let sql = format!("SELECT {COLUMNS} FROM integration_health_checks h WHERE h.integration_rid = $1");
        let row = db::one(self.reader(), sql, values![integration.0]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Health rows of the whole installation by row number, at most `limit` after `after`: for
    /// building the board.
    pub async fn health_after(&self, after: IntegrationRid, limit: u32) -> Result<Vec<HealthRow>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM integration_health_checks h
             WHERE h.integration_rid > $1 ORDER BY h.integration_rid LIMIT $2"
        );
        let values = values![after.0, i64::from(limit)];
        db::all(self.reader(), sql, values).await?.iter().map(read).collect()
    }
}
