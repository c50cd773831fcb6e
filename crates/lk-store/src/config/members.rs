//! Who belongs to which project, and as what.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::words::Role;
use sea_orm::ConnectionTrait;

use super::projects::{Project, read_project};
use super::users::{User, read_user};
use crate::db::{self, values};
use crate::store::Audit;
use crate::{Result, Store, StoreError};

/// A person in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// As what.
    pub role: Role,
    /// Since when.
    pub member_since: Time,
}

/// A project that a person belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Which project.
    pub project: Project,
    /// As what.
    pub role: Role,
}

impl Store {
    /// The people of a project, by name.
    pub async fn members(&self, project_id: &str) -> Result<Vec<Member>> {
        let rows = db::all(
            self.reader(),
            "SELECT u.id, u.email, u.name, u.operator, u.created_at, u.disabled_at,
                    m.role, m.created_at AS member_since
             FROM project_members m JOIN users u ON u.id = m.user_id
             WHERE m.project_id = $1 ORDER BY u.name, u.id",
            values![project_id],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Member {
                    user: read_user(row)?,
                    role: row.word("role", Role::from_code)?,
                    member_since: row.time("member_since")?,
                })
            })
            .collect()
    }

    /// The projects of a person, oldest first.
    pub async fn memberships(&self, user_id: &str) -> Result<Vec<Membership>> {
        let rows = db::all(
            self.reader(),
            "SELECT p.rid, p.id, p.slug, p.name, p.flags, p.created_at, m.role
             FROM project_members m JOIN projects p ON p.id = m.project_id
             WHERE m.user_id = $1 ORDER BY p.rid",
            values![user_id],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Membership {
                    project: read_project(row)?,
                    role: row.word("role", Role::from_code)?,
                })
            })
            .collect()
    }

    /// Makes a person a member, or changes their role. The last owner stays one.
    pub async fn set_member(
        &self,
        permit: &Permit,
        project_id: &str,
        user_id: &str,
        role: Role,
        now: Time,
    ) -> Result<()> {
        let write = self
            .write(permit, &[Verb::ManageMembers, Verb::ManageUsers], now)
            .await?;
        for (sql, what, id) in [
            ("SELECT id FROM projects WHERE id = $1", "project", project_id),
            ("SELECT id FROM users WHERE id = $1", "user", user_id),
        ] {
            if db::one(write.on(), sql, values![id]).await?.is_none() {
                return Err(StoreError::missing(what));
            }
        }
        let was_owner = is_owner(write.on(), project_id, user_id).await?;
        db::run(
            write.on(),
            "INSERT INTO project_members (project_id, user_id, role, created_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (project_id, user_id) DO UPDATE SET role = excluded.role",
            values![project_id, user_id, i16::from(role.code()), now.ms()],
        )
        .await?;
        if was_owner && role != Role::Owner {
            keep_an_owner(write.on(), project_id).await?;
        }
        write
            .commit(Audit {
                project_id: Some(project_id),
                action: "member.set",
                target: user_id.to_owned(),
                summary: format!("role {role}"),
            })
            .await
    }

    /// Takes a person out of a project. The last owner stays.
    pub async fn remove_member(&self, permit: &Permit, project_id: &str, user_id: &str, now: Time) -> Result<()> {
        let write = self
            .write(permit, &[Verb::ManageMembers, Verb::ManageUsers], now)
            .await?;
        let was_owner = is_owner(write.on(), project_id, user_id).await?;
        let sql = "DELETE FROM project_members WHERE project_id = $1 AND user_id = $2";
        if db::run(write.on(), sql, values![project_id, user_id]).await? == 0 {
            return Err(StoreError::missing("member"));
        }
        if was_owner {
            keep_an_owner(write.on(), project_id).await?;
        }
        write
            .commit(Audit {
                project_id: Some(project_id),
                action: "member.removed",
                target: user_id.to_owned(),
                summary: String::new(),
            })
            .await
    }
}

async fn is_owner<C: ConnectionTrait>(on: &C, project_id: &str, user_id: &str) -> Result<bool> {
    let sql = "SELECT role FROM project_members WHERE project_id = $1 AND user_id = $2";
    let row = db::one(on, sql, values![project_id, user_id]).await?;
    row.map_or(Ok(false), |row| Ok(row.word("role", Role::from_code)? == Role::Owner))
}

/// Refuses a change that took away the last owner.
async fn keep_an_owner<C: ConnectionTrait>(on: &C, project_id: &str) -> Result<()> {
    let sql = "SELECT user_id FROM project_members WHERE project_id = $1 AND role = $2 LIMIT 1";
    let owner = db::one(on, sql, values![project_id, i16::from(Role::Owner.code())]).await?;
    owner
        .map(|_| ())
        .ok_or(StoreError::Invalid("a project keeps at least one owner".into()))
}
