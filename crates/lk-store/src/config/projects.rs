//! Projects: the tenants.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::observation::ProjectRid;

use super::taken;
use crate::db::{self, Row, values};
use crate::ids::new_id;
use crate::store::Audit;
use crate::{Result, Store, StoreError};

const COLUMNS: &str = "rid, id, slug, name, flags, created_at";

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
    /// Feature flags as a JSON object.
    pub flags: String,
    /// When it was made.
    pub created_at: Time,
}

/// A project to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// Lower-case letters, digits and hyphens; unique.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

pub(super) fn read_project(row: &Row) -> Result<Project> {
    Ok(Project {
        rid: ProjectRid(row.int("rid")?),
        id: row.text("id")?,
        slug: row.text("slug")?,
        name: row.text("name")?,
        flags: row.text("flags")?,
        created_at: row.time("created_at")?,
    })
}

impl Store {
    /// Every project, oldest first.
    pub async fn projects(&self) -> Result<Vec<Project>> {
        let sql = format!("SELECT {COLUMNS} FROM projects ORDER BY rid");
        db::all(self.reader(), sql, vec![])
            .await?
            .iter()
            .map(read_project)
            .collect()
    }

    /// The project with this id or slug.
    pub async fn project(&self, id_or_slug: &str) -> Result<Project> {
        let sql = format!("SELECT {COLUMNS} FROM projects WHERE id = $1 OR slug = $1");
        let row = db::one(self.reader(), sql, values![id_or_slug]).await?;
        read_project(&row.ok_or(StoreError::missing("project"))?)
    }

    /// The project with this row number.
    pub async fn project_by_rid(&self, rid: ProjectRid) -> Result<Project> {
        let sql = format!("SELECT {COLUMNS} FROM projects WHERE rid = $1");
        let row = db::one(self.reader(), sql, values![rid.0]).await?;
        read_project(&row.ok_or(StoreError::missing("project"))?)
    }

    /// Makes a project.
    pub async fn create_project(&self, permit: &Permit, new: &NewProject, now: Time) -> Result<Project> {
        let write = self.write(permit, &[Verb::CreateProject], now).await?;
        let id = new_id(now)?.to_string();
        let sql = format!(
            "INSERT INTO projects (id, slug, name, flags, created_at)
             VALUES ($1, $2, $3, '{{}}', $4) RETURNING {COLUMNS}"
        );
        let values = values![id.as_str(), new.slug.as_str(), new.name.as_str(), now.ms()];
        let row = taken(db::one(write.on(), sql, values).await, "this project slug")?;
        let project = read_project(&row.ok_or(StoreError::missing("project"))?)?;
        write
            .commit(Audit {
                project_id: Some(&id),
                action: "project.created",
                target: id.clone(),
                summary: format!("{} ({})", new.name, new.slug),
            })
            .await?;
        Ok(project)
    }
}
