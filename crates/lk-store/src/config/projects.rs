//! Projects: the tenants.

use std::collections::HashMap;

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::observation::ProjectRid;
use lk_core::words::Role;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use super::{conflict, integrations, members, taken};
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::error::Current;
use crate::ids::new_id;
use crate::{Result, Store, StoreError};

/// The columns of [`Project`] of a table called `p`.
pub(super) const PROJECT_COLUMNS: &str = "p.rid, p.id, p.slug, p.name, p.flags, p.created_at, p.version";
/// The project that exists from the start, and in which commands work when none is named.
const DEFAULT_SLUG: &str = "default";

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its row number.
    pub rid: ProjectRid,
    /// Its public id.
    pub id: String,
    /// Its short name in addresses, unique.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What is switched on for it.
    pub flags: ProjectFlags,
    /// When it was made.
    pub created_at: Time,
    /// Grows with every change by somebody.
    pub version: i64,
}

/// Feature flags of a project, for a careful introduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProjectFlags {
    /// Whether its members see health in the UI.
    pub health_ui: bool,
    /// Whether the status API answers.
    pub status_api: bool,
    /// Whether checks run without anybody being told of their results.
    pub shadow: bool,
}

impl Default for ProjectFlags {
    fn default() -> Self {
        Self {
            health_ui: true,
            status_api: true,
            shadow: false,
        }
    }
}

/// A project to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// Lower-case letters, digits and hyphens; unique.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// The public id of its first owner; without one it is the operator's.
    pub owner: Option<String>,
}

/// What to change of a project; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectPatch {
    /// A new name.
    pub name: Option<String>,
    /// New flags, whole.
    pub flags: Option<ProjectFlags>,
}

/// What a project holds: what deleting it would lose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProjectCounts {
    /// Integrations.
    pub integrations: i64,
    /// Problems that are open or acknowledged.
    pub open_problems: i64,
    /// People.
    pub members: i64,
    /// API keys in use.
    pub api_keys: i64,
    /// Webhook secrets in use.
    pub webhook_secrets: i64,
}

pub(super) fn read_project(row: &Row) -> Result<Project> {
    let flags = row.text("flags")?;
    Ok(Project {
        rid: ProjectRid(row.int("rid")?),
        id: row.text("id")?,
        slug: row.text("slug")?,
        name: row.text("name")?,
        flags: serde_json::from_str(&flags).map_err(|_| StoreError::corrupt("a project's flags are no flags"))?,
        created_at: row.time("created_at")?,
        version: row.int("version")?,
    })
}

pub(super) async fn find<C: ConnectionTrait>(on: &C, id: &str) -> Result<Project> {
    let sql = format!("SELECT {PROJECT_COLUMNS} FROM projects p WHERE p.id = $1 AND p.deleted_at IS NULL");
    let row = db::one(on, sql, values![id]).await?;
    read_project(&row.ok_or(StoreError::missing("project"))?)
}

impl Store {
    /// Every project, oldest first.
    pub async fn projects(&self) -> Result<Vec<Project>> {
        let sql = format!("SELECT {PROJECT_COLUMNS} FROM projects p WHERE p.deleted_at IS NULL ORDER BY p.rid");
        let rows = db::all(self.reader(), sql, vec![]).await?;
        rows.iter().map(read_project).collect()
    }

    /// The project with this id or slug.
    pub async fn project(&self, id_or_slug: &str) -> Result<Project> {
        let sql = format!(
            "SELECT {PROJECT_COLUMNS} FROM projects p WHERE (p.id = $1 OR p.slug = $1) AND p.deleted_at IS NULL"
        );
        let row = db::one(self.reader(), sql, values![id_or_slug]).await?;
        read_project(&row.ok_or(StoreError::missing("project"))?)
    }

    /// The project with this row number.
    pub async fn project_by_rid(&self, rid: ProjectRid) -> Result<Project> {
        let sql = format!("SELECT {PROJECT_COLUMNS} FROM projects p WHERE p.rid = $1 AND p.deleted_at IS NULL");
        let row = db::one(self.reader(), sql, values![rid.0]).await?;
        read_project(&row.ok_or(StoreError::missing("project"))?)
    }

    /// The names of projects by id, of deleted ones too, for the audit log.
    pub async fn project_names(&self) -> Result<Vec<(String, String)>> {
        let rows = db::all(self.reader(), "SELECT id, name FROM projects", vec![]).await?;
        rows.iter()
            .map(|row| Ok((row.text("id")?, row.text("name")?)))
            .collect()
    }

    /// How many people and integrations each project has, by its id.
    pub async fn project_sizes(&self) -> Result<HashMap<String, (i64, i64)>> {
        let sql = "SELECT p.id,
            (SELECT CAST(COUNT(*) AS BIGINT) FROM project_members m WHERE m.project_id = p.id) AS members,
            (SELECT CAST(COUNT(*) AS BIGINT) FROM project_integrations i
              WHERE i.project_rid = p.rid AND i.deleted_at IS NULL) AS integrations
            FROM projects p WHERE p.deleted_at IS NULL";
        let rows = db::all(self.reader(), sql, vec![]).await?;
        rows.iter()
            .map(|row| Ok((row.text("id")?, (row.int("members")?, row.int("integrations")?))))
            .collect()
    }

    /// What a project holds.
    pub async fn project_counts(&self, project: &Project) -> Result<ProjectCounts> {
        let sql = "SELECT
            (SELECT CAST(COUNT(*) AS BIGINT) FROM project_integrations i
              WHERE i.project_rid = $1 AND i.deleted_at IS NULL) AS integrations,
            (SELECT CAST(COUNT(*) AS BIGINT) FROM problems b WHERE b.project_rid = $1 AND b.state < 2) AS open_problems,
            (SELECT CAST(COUNT(*) AS BIGINT) FROM project_members m WHERE m.project_id = $2) AS members,
            (SELECT CAST(COUNT(*) AS BIGINT) FROM api_keys k
              WHERE k.project_id = $2 AND k.revoked_at IS NULL) AS api_keys,
            (SELECT CAST(COUNT(*) AS BIGINT) FROM project_integrations i
              JOIN webhook_secrets s ON s.integration_id = i.id
              WHERE i.project_rid = $1 AND i.deleted_at IS NULL AND s.state < 2) AS webhook_secrets";
        let row = db::one(self.reader(), sql, values![project.rid.0, project.id.as_str()]).await?;
        let row = row.ok_or(StoreError::missing("project"))?;
        Ok(ProjectCounts {
            integrations: row.int("integrations")?,
            open_problems: row.int("open_problems")?,
            members: row.int("members")?,
            api_keys: row.int("api_keys")?,
            webhook_secrets: row.int("webhook_secrets")?,
        })
    }

    /// Makes a project.
    pub async fn create_project(&self, permit: &Permit, new: &NewProject, now: Time) -> Result<Project> {
        let write = self.write(permit, &[Verb::CreateProject], now).await?;
        let id = new_id(now)?.to_string();
        let sql = "INSERT INTO projects (id, slug, name, flags, created_at) VALUES ($1, $2, $3, '{}', $4)";
        let values = values![id.as_str(), new.slug.as_str(), new.name.trim(), now.ms()];
        taken(db::run(write.on(), sql, values).await, "this project slug")?;
        if let Some(owner) = &new.owner {
            members::insert(write.on(), &id, owner, Role::Owner, now).await?;
        }
        let project = find(write.on(), &id).await?;
        write
            .commit(Audit {
                project_id: Some(&id),
                action: "project.created",
                target: id.clone(),
                summary: format!("{} ({})", project.name, project.slug),
            })
            .await?;
        Ok(project)
    }

    /// Changes a project that is still at `version`.
    pub async fn update_project(
        &self,
        permit: &Permit,
        id: &str,
        patch: &ProjectPatch,
        version: i64,
        now: Time,
    ) -> Result<Project> {
        let write = self.write(permit, &[Verb::ConfigureProject], now).await?;
        let before = find(write.on(), id).await?;
        if before.version != version {
            return Err(conflict(
                write.on(),
                ("project", &["project.updated"]),
                id,
                Current::Project(before),
            )
            .await?);
        }
        let flags = patch.flags.unwrap_or(before.flags);
        let name = patch.name.as_deref().map_or(before.name.as_str(), str::trim);
        let text = serde_json::to_string(&flags).map_err(|_| StoreError::corrupt("flags cannot be written"))?;
        let sql = "UPDATE projects SET name = $2, flags = $3, version = version + 1 WHERE id = $1";
        db::run(write.on(), sql, values![id, name, text]).await?;
        let after = find(write.on(), id).await?;
        write
            .commit(Audit {
                project_id: Some(id),
                action: "project.updated",
                target: id.to_owned(),
                summary: what_changed(&before, &after),
            })
            .await?;
        Ok(after)
    }

    /// Deletes a project. Its name stays for the audit log; members, keys, links and secrets go at
    /// once, events and problems in small steps ([`Store::purge_step`]).
    pub async fn delete_project(&self, permit: &Permit, id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::DeleteProject], now).await?;
        let project = find(write.on(), id).await?;
        if project.slug == DEFAULT_SLUG {
            return Err(StoreError::Invalid(
                "the project `default` cannot be deleted: commands that name no project work in it".into(),
            ));
        }
        let gone = integrations::mark_all_deleted(write.on(), project.rid, now).await?;
        for sql in [
            "DELETE FROM project_members WHERE project_id = $1",
            "DELETE FROM api_keys WHERE project_id = $1",
            "DELETE FROM invitations WHERE project_id = $1",
            "DELETE FROM one_time_links WHERE project_id = $1",
        ] {
            db::run(write.on(), sql, values![id]).await?;
        }
        // The slug becomes free: an id is nobody's slug.
        let sql = "UPDATE projects SET deleted_at = $2, slug = id, version = version + 1 WHERE id = $1";
        db::run(write.on(), sql, values![id, now.ms()]).await?;
        write
            .commit(Audit {
                project_id: Some(id),
                action: "project.deleted",
                target: id.to_owned(),
                summary: format!("{} ({}) with {gone} integrations", project.name, project.slug),
            })
            .await
    }
}

fn what_changed(before: &Project, after: &Project) -> String {
    let mut parts = Vec::new();
    if before.name != after.name {
        parts.push(format!("name {}", after.name));
    }
    let (old, new) = (before.flags, after.flags);
    for (word, was, is) in [
        ("healthUi", old.health_ui, new.health_ui),
        ("statusApi", old.status_api, new.status_api),
        ("shadow", old.shadow, new.shadow),
    ] {
        if was != is {
            parts.push(format!("{word} {}", if is { "on" } else { "off" }));
        }
    }
    parts.join(", ")
}
