//! Who belongs to which project, and as what.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::words::Role;
use sea_orm::ConnectionTrait;

use super::projects::{PROJECT_COLUMNS, Project, read_project};
use super::users::{self, USER_COLUMNS, User, oneself, read_user};
use super::{conflict, invitations};
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::error::Current;
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
    /// Grows with every change of the role.
    pub version: i64,
}

/// A project that a person belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Which project.
    pub project: Project,
    /// As what.
    pub role: Role,
}

fn read(row: &Row) -> Result<Member> {
    Ok(Member {
        user: read_user(row)?,
        role: row.word("role", Role::from_code)?,
        member_since: row.time("member_since")?,
        version: row.int("member_version")?,
    })
}

fn select(which: &str) -> String {
    format!(
        "SELECT {USER_COLUMNS}, m.role, m.created_at AS member_since, m.version AS member_version
         FROM project_members m JOIN users u ON u.id = m.user_id WHERE m.project_id = $1 {which}"
    )
}

async fn find<C: ConnectionTrait>(on: &C, project_id: &str, user_id: &str) -> Result<Option<Member>> {
    let row = db::one(on, select("AND m.user_id = $2"), values![project_id, user_id]).await?;
    row.as_ref().map(read).transpose()
}

/// Adds a member who is none yet.
pub(super) async fn insert<C: ConnectionTrait>(
    on: &C,
    project_id: &str,
    user_id: &str,
    role: Role,
    now: Time,
) -> Result<()> {
    let sql = "INSERT INTO project_members (project_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)";
    let values = values![project_id, user_id, i16::from(role.code()), now.ms()];
    db::run(on, sql, values).await.map(|_| ())
}

async fn put_role<C: ConnectionTrait>(on: &C, project_id: &str, user_id: &str, role: Role) -> Result<()> {
    let sql = "UPDATE project_members SET role = $3, version = version + 1 WHERE project_id = $1 AND user_id = $2";
    let values = values![project_id, user_id, i16::from(role.code())];
    db::run(on, sql, values).await.map(|_| ())
}

/// What the audit log and a late writer know a membership by.
fn target(project_id: &str, user_id: &str) -> String {
    format!("{user_id} in {project_id}")
}

impl Store {
    /// The people of a project, by name.
    pub async fn members(&self, project_id: &str) -> Result<Vec<Member>> {
        let rows = db::all(self.reader(), select("ORDER BY u.name, u.id"), values![project_id]).await?;
        rows.iter().map(read).collect()
    }

    /// One person of a project.
    pub async fn member(&self, project_id: &str, user_id: &str) -> Result<Member> {
        find(self.reader(), project_id, user_id)
            .await?
            .ok_or(StoreError::missing("member"))
    }

    /// The projects of a person, oldest first.
    pub async fn memberships(&self, user_id: &str) -> Result<Vec<Membership>> {
        let sql = format!(
            "SELECT {PROJECT_COLUMNS}, m.role
             FROM project_members m JOIN projects p ON p.id = m.project_id
             WHERE m.user_id = $1 AND p.deleted_at IS NULL ORDER BY p.rid"
        );
        let rows = db::all(self.reader(), sql, values![user_id]).await?;
        rows.iter()
            .map(|row| {
                Ok(Membership {
                    project: read_project(row)?,
                    role: row.word("role", Role::from_code)?,
                })
            })
            .collect()
    }

    /// Makes a person a member, or changes their role whatever it was. The last owner stays one.
    pub async fn set_member(
        &self,
        permit: &Permit,
        project_id: &str,
        user_id: &str,
        role: Role,
        now: Time,
    ) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let user = users::find(write.on(), user_id).await?;
        let sql = "SELECT id FROM projects WHERE id = $1 AND deleted_at IS NULL";
        db::one(write.on(), sql, values![project_id])
            .await?
            .ok_or(StoreError::missing("project"))?;
        if let Some(before) = find(write.on(), project_id, user_id).await? {
            put_role(write.on(), project_id, user_id, role).await?;
            keep_an_owner(write.on(), project_id, before.role).await?;
        } else {
            insert(write.on(), project_id, user_id, role, now).await?;
        }
        write
            .commit(Audit {
                project_id: Some(project_id),
                action: "member.set",
                target: target(project_id, user_id),
                summary: format!("{}: {role}", user.name),
            })
            .await
    }

    /// Changes the role of a member who is still at `version`. Making somebody an owner, or an
    /// owner something else, needs a permit to transfer the project. The last owner stays one.
    pub async fn change_role(
        &self,
        permit: &Permit,
        project_id: &str,
        (user_id, version): (&str, i64),
        role: Role,
        now: Time,
    ) -> Result<Member> {
        let write = self
            .write(permit, &[Verb::ManageMembers, Verb::TransferProject], now)
            .await?;
        let before = find(write.on(), project_id, user_id)
            .await?
            .ok_or(StoreError::missing("member"))?;
        owners_are_for_owners(permit, before.role, role)?;
        let target = target(project_id, user_id);
        if before.version != version {
            return Err(conflict(
                write.on(),
                ("member", &["member.role_changed", "member.set", "project.transferred"]),
                &target,
                Current::Member(before),
            )
            .await?);
        }
        put_role(write.on(), project_id, user_id, role).await?;
        keep_an_owner(write.on(), project_id, before.role).await?;
        if role < before.role {
            invitations::take_back(write.on(), user_id, Some(project_id), now).await?;
        }
        let summary = format!("{}: from {} to {role}", before.user.name, before.role);
        write
            .commit(Audit {
                project_id: Some(project_id),
                action: "member.role_changed",
                target,
                summary,
            })
            .await?;
        Ok(Member {
            role,
            version: version + 1,
            ..before
        })
    }

    /// Takes a person out of a project. An owner only by an owner; the last one stays.
    pub async fn remove_member(&self, permit: &Permit, project_id: &str, user_id: &str, now: Time) -> Result<()> {
        let write = self
            .write(permit, &[Verb::ManageMembers, Verb::TransferProject], now)
            .await?;
        let before = find(write.on(), project_id, user_id)
            .await?
            .ok_or(StoreError::missing("member"))?;
        owners_are_for_owners(permit, before.role, before.role)?;
        take_out(write.on(), project_id, &before, now).await?;
        write
            .commit(Audit {
                project_id: Some(project_id),
                action: "member.removed",
                target: target(project_id, user_id),
                summary: before.user.name,
            })
            .await
    }

    /// Gives up one's own membership. The last owner stays.
    pub async fn leave_project(&self, permit: &Permit, project_id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        let before = find(write.on(), project_id, user_id)
            .await?
            .ok_or(StoreError::missing("member"))?;
        take_out(write.on(), project_id, &before, now).await?;
        write
            .commit(Audit {
                project_id: Some(project_id),
                action: "member.left",
                target: target(project_id, user_id),
                summary: before.user.name,
            })
            .await
    }

    /// Makes a member the owner, and whoever hands over (when they own it) an admin.
    pub async fn transfer_project(&self, permit: &Permit, project_id: &str, to: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::TransferProject], now).await?;
        let heir = find(write.on(), project_id, to)
            .await?
            .ok_or(StoreError::missing("member"))?;
        put_role(write.on(), project_id, to, Role::Owner).await?;
        if let Some(giver) = permit.oneself().filter(|giver| *giver != to)
            && let Some(member) = find(write.on(), project_id, giver).await?
            && member.role == Role::Owner
        {
            put_role(write.on(), project_id, giver, Role::Admin).await?;
            invitations::take_back(write.on(), giver, Some(project_id), now).await?;
        }
        write
            .commit(Audit {
                project_id: Some(project_id),
                action: "project.transferred",
                target: target(project_id, to),
                summary: format!("to {}", heir.user.name),
            })
            .await
    }
}

/// A permit to manage members does not reach owners. Whoever became one between the caller's look
/// and this write is not reached either.
fn owners_are_for_owners(permit: &Permit, before: Role, after: Role) -> Result<()> {
    if Verb::to_set_role(before, after) == Verb::TransferProject && permit.verb() != Verb::TransferProject {
        return Err(StoreError::WrongPermit(permit.verb()));
    }
    Ok(())
}

async fn take_out<C: ConnectionTrait>(on: &C, project_id: &str, member: &Member, now: Time) -> Result<()> {
    invitations::take_back(on, &member.user.id, Some(project_id), now).await?;
    let sql = "DELETE FROM project_members WHERE project_id = $1 AND user_id = $2";
    db::run(on, sql, values![project_id, member.user.id.as_str()]).await?;
    keep_an_owner(on, project_id, member.role).await
}

/// Refuses a change to somebody with the role `was` that took away the last owner.
async fn keep_an_owner<C: ConnectionTrait>(on: &C, project_id: &str, was: Role) -> Result<()> {
    if was != Role::Owner {
        return Ok(());
    }
    let sql = "SELECT user_id FROM project_members WHERE project_id = $1 AND role = $2 LIMIT 1";
    let owner = db::one(on, sql, values![project_id, i16::from(Role::Owner.code())]).await?;
    owner
        .map(|_| ())
        .ok_or(StoreError::Invalid("a project keeps at least one owner".into()))
}
