//! Invitations into a project. The link is shown once to whoever made it; here lies only its hash.

use lk_core::Time;
use lk_core::access::{Actor, Permit, Verb};
use lk_core::words::Role;
use sea_orm::ConnectionTrait;

use super::projects::{PROJECT_COLUMNS, Project, read_project};
use super::users::{self, NewUser, User, oneself};
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::ids::new_id;
use crate::{Result, Store, StoreError};

/// An invitation, without its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Public id.
    pub id: String,
    /// The role it gives.
    pub role: Role,
    /// Whom it is meant for; anybody who has the link when absent.
    pub email: Option<String>,
    /// The name of who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Time,
    /// When it stops working.
    pub expires_at: Time,
}

/// An invitation to be stored.
#[derive(Clone)]
pub struct NewInvitation {
    /// Into this project.
    pub project_id: String,
    /// Hash of the token in the link.
    pub hash: Vec<u8>,
    /// The role it gives.
    pub role: Role,
    /// Whom it is meant for.
    pub email: Option<String>,
    /// When it stops working.
    pub expires_at: Time,
}

const COLUMNS: &str = "i.id AS invitation_id, i.role, i.email, i.created_by, i.created_at AS made_at, i.expires_at";

fn read(row: &Row) -> Result<Invitation> {
    Ok(Invitation {
        id: row.text("invitation_id")?,
        role: row.word("role", Role::from_code)?,
        email: row.opt_text("email")?,
        created_by: row.text("created_by")?,
        created_at: row.time("made_at")?,
        expires_at: row.time("expires_at")?,
    })
}

async fn find<C: ConnectionTrait>(on: &C, hash: &[u8], now: Time) -> Result<Option<(Invitation, Project)>> {
    let sql = format!(
        "SELECT {COLUMNS}, {PROJECT_COLUMNS} FROM invitations i JOIN projects p ON p.id = i.project_id
         WHERE i.hash = $1 AND i.used_at IS NULL AND i.expires_at > $2 AND p.deleted_at IS NULL"
    );
    let row = db::one(on, sql, values![hash.to_vec(), now.ms()]).await?;
    row.map(|row| Ok((read(&row)?, read_project(&row)?))).transpose()
}

/// Uses an invitation up for a person, inside a transaction, and tells of it for the audit log. A
/// member keeps a role that is higher.
async fn take<C: ConnectionTrait>(on: &C, hash: &[u8], user: &User, now: Time) -> Result<Taken> {
    let (invitation, project) = find(on, hash, now).await?.ok_or(StoreError::missing("usable link"))?;
    meant_for(&invitation, user)?;
    let sql = "UPDATE invitations SET used_at = $2, used_by = $3 WHERE hash = $1 AND used_at IS NULL";
    if db::run(on, sql, values![hash.to_vec(), now.ms(), user.id.as_str()]).await? == 0 {
        return Err(StoreError::missing("usable link"));
    }
    let sql = "INSERT INTO project_members (project_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (project_id, user_id) DO UPDATE
                 SET role = excluded.role, version = project_members.version + 1
                 WHERE project_members.role < excluded.role";
    let role = i16::from(invitation.role.code());
    let joined = db::run(on, sql, values![project.id.as_str(), user.id.as_str(), role, now.ms()]).await?;
    let who = format!("{} <{}>", user.name, user.email);
    Ok(Taken {
        project_id: project.id,
        told: match joined {
            0 => format!("{who} had this role or a higher one already"),
            _ => format!("{who} joined as {}", invitation.role),
        },
        invitation_id: invitation.id,
    })
}

/// What came of an invitation.
struct Taken {
    project_id: String,
    invitation_id: String,
    told: String,
}

impl Taken {
    fn audit(&self) -> Audit<'_> {
        Audit {
            project_id: Some(&self.project_id),
            action: "invitation.accepted",
            target: self.invitation_id.clone(),
            summary: self.told.clone(),
        }
    }
}

impl Store {
    /// The invitations of a project that can still be used, newest first.
    pub async fn invitations(&self, project_id: &str, now: Time) -> Result<Vec<Invitation>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM invitations i WHERE i.project_id = $1 AND i.used_at IS NULL AND i.expires_at > $2
             ORDER BY i.created_at DESC, i.id"
        );
        let rows = db::all(self.reader(), sql, values![project_id, now.ms()]).await?;
        rows.iter().map(read).collect()
    }

    /// The invitation with this hash and its project, while it can be used.
    pub async fn invitation(&self, hash: &[u8], now: Time) -> Result<Option<(Invitation, Project)>> {
        find(self.reader(), hash, now).await
    }

    /// Stores an invitation. One that makes an owner needs a permit to transfer the project.
    pub async fn create_invitation(&self, permit: &Permit, new: &NewInvitation, now: Time) -> Result<Invitation> {
        let verb = Verb::to_set_role(new.role, new.role);
        let write = self.write(permit, &[verb], now).await?;
        let made_by = match permit.actor() {
            Actor::User { name, .. } | Actor::ApiKey { name, .. } => name.as_str(),
            Actor::CommandLine | Actor::System => "command line",
        };
        let invitation = Invitation {
            id: new_id(now)?.to_string(),
            role: new.role,
            email: new.email.as_ref().map(|email| email.trim().to_ascii_lowercase()),
            created_by: made_by.to_owned(),
            created_at: now,
            expires_at: new.expires_at,
        };
        db::run(
            write.on(),
            "INSERT INTO invitations (id, hash, project_id, role, email, created_by, created_at, expires_at,
                 created_by_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            values![
                invitation.id.as_str(),
                new.hash.clone(),
                new.project_id.as_str(),
                i16::from(new.role.code()),
                invitation.email.as_deref(),
                made_by,
                now.ms(),
                new.expires_at.ms(),
                permit.oneself(),
            ],
        )
        .await?;
        write
            .commit(Audit {
                project_id: Some(&new.project_id),
                action: "invitation.created",
                target: invitation.id.clone(),
                summary: what_is_offered(&invitation),
            })
            .await?;
        Ok(invitation)
    }

    /// Withdraws an invitation of the project.
    pub async fn withdraw_invitation(&self, permit: &Permit, project_id: &str, id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageMembers], now).await?;
        let sql =
            format!("SELECT {COLUMNS} FROM invitations i WHERE i.id = $1 AND i.project_id = $2 AND i.used_at IS NULL");
        let row = db::one(write.on(), sql, values![id, project_id]).await?;
        let invitation = read(&row.ok_or(StoreError::missing("invitation"))?)?;
        db::run(write.on(), "DELETE FROM invitations WHERE id = $1", values![id]).await?;
        write
            .commit(Audit {
                project_id: Some(project_id),
                action: "invitation.withdrawn",
                target: id.to_owned(),
                summary: what_is_offered(&invitation),
            })
            .await
    }

    /// Makes an account through an invitation and joins its project. Needs no permit: the link is
    /// the proof. An address that has an account already is [`StoreError::Taken`].
    pub async fn join_by_invitation(
        &self,
        hash: &[u8],
        new: &NewUser,
        source: Option<&str>,
        now: Time,
    ) -> Result<User> {
        let mut write = self.write_proven(Actor::System, source, now).await?;
        let ordinary = NewUser {
            operator: false,
            ..new.clone()
        };
        let user = users::insert(write.on(), &ordinary, now).await?;
        let taken = take(write.on(), hash, &user, now).await?;
        write.acts_as(user.actor());
        write.commit(taken.audit()).await?;
        Ok(user)
    }

    /// Joins the project of an invitation with one's own account.
    pub async fn accept_invitation(&self, permit: &Permit, hash: &[u8], now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user = users::find(write.on(), oneself(permit)?).await?;
        let taken = take(write.on(), hash, &user, now).await?;
        write.commit(taken.audit()).await
    }
}

/// Withdraws what a person who may no longer give it has made: invitations, and API keys that
/// manage people. In one project, or everywhere. Other keys are the project's and go on working.
pub(super) async fn take_back<C: ConnectionTrait>(
    on: &C,
    user_id: &str,
    project_id: Option<&str>,
    now: Time,
) -> Result<()> {
    let sql = "DELETE FROM invitations WHERE created_by_id = $1 AND used_at IS NULL
               AND project_id = COALESCE($2, project_id)";
    db::run(on, sql, values![user_id, project_id]).await?;
    let sql = "UPDATE api_keys SET revoked_at = $3 WHERE created_by_id = $1 AND revoked_at IS NULL
               AND project_id = COALESCE($2, project_id)
               AND role >= $4 AND (scopes IS NULL OR scopes LIKE '%admin%')";
    let admin = i16::from(Role::Admin.code());
    db::run(on, sql, values![user_id, project_id, now.ms(), admin])
        .await
        .map(|_| ())
}

/// What an invitation offers and to whom, for the audit log.
fn what_is_offered(invitation: &Invitation) -> String {
    let whom = invitation.email.as_deref().unwrap_or("whoever has the link");
    format!("{} for {whom}", invitation.role)
}

/// An invitation that names an address is for the account with that address.
fn meant_for(invitation: &Invitation, user: &User) -> Result<()> {
    match &invitation.email {
        Some(email) if *email != user.email => Err(StoreError::Invalid(format!(
            "this invitation is for {email}; use that address"
        ))),
        _ => Ok(()),
    }
}
