//! People.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::words::Role;
use sea_orm::ConnectionTrait;

use super::{links, taken};
use crate::db::{self, Row, values};
use crate::ids::new_id;
use crate::store::Audit;
use crate::{Result, Store, StoreError};

const COLUMNS: &str = "id, email, name, operator, created_at, disabled_at";

/// A person of the installation. Carries no password hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Public id.
    pub id: String,
    /// E-mail address, lower-case, unique.
    pub email: String,
    /// Name for people.
    pub name: String,
    /// Whether they run the whole installation.
    pub operator: bool,
    /// When they were added.
    pub created_at: Time,
    /// Since when they may no longer sign in.
    pub disabled_at: Option<Time>,
}

/// What signing in compares against. Cannot be printed.
#[derive(Clone)]
pub struct UserCredentials {
    /// Who it is.
    pub user: User,
    /// The Argon2id hash; `None` for people without a password.
    pub password_hash: Option<String>,
}

/// A person to be added. Cannot be printed.
#[derive(Clone)]
pub struct NewUser {
    /// E-mail address; stored in lower case.
    pub email: String,
    /// Name for people.
    pub name: String,
    /// The Argon2id hash, when they sign in by password.
    pub password_hash: Option<String>,
    /// Whether they run the whole installation.
    pub operator: bool,
}

pub(super) fn read_user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.text("id")?,
        email: row.text("email")?,
        name: row.text("name")?,
        operator: row.flag("operator")?,
        created_at: row.time("created_at")?,
        disabled_at: row.opt_time("disabled_at")?,
    })
}

pub(super) async fn insert<C: ConnectionTrait>(on: &C, new: &NewUser, now: Time) -> Result<User> {
    let sql = format!(
        "INSERT INTO users (id, email, name, password_hash, operator, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING {COLUMNS}"
    );
    let values = values![
        new_id(now)?.to_string(),
        new.email.trim().to_lowercase(),
        new.name.trim(),
        new.password_hash.as_deref(),
        new.operator,
        now.ms(),
    ];
    let row = taken(db::one(on, sql, values).await, "this e-mail address")?;
    read_user(&row.ok_or(StoreError::missing("user"))?)
}

impl Store {
    /// Everybody, oldest first.
    pub async fn users(&self) -> Result<Vec<User>> {
        let sql = format!("SELECT {COLUMNS} FROM users ORDER BY created_at, id");
        db::all(self.reader(), sql, vec![])
            .await?
            .iter()
            .map(read_user)
            .collect()
    }

    /// The user with this id.
    pub async fn user(&self, id: &str) -> Result<User> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id = $1");
        let row = db::one(self.reader(), sql, values![id]).await?;
        read_user(&row.ok_or(StoreError::missing("user"))?)
    }

    /// The user with this e-mail address and their password hash, for signing in. `None` for an
    /// unknown or disabled user.
    pub async fn credentials(&self, email: &str) -> Result<Option<UserCredentials>> {
        let sql = format!("SELECT {COLUMNS}, password_hash FROM users WHERE email = $1 AND disabled_at IS NULL");
        let row = db::one(self.reader(), sql, values![email.trim().to_lowercase()]).await?;
        row.map(|row| {
            let password_hash = row.opt_text("password_hash")?;
            Ok(UserCredentials {
                user: read_user(&row)?,
                password_hash,
            })
        })
        .transpose()
    }

    /// Whether nobody was added yet, so that the one-time link for the first owner is wanted.
    pub async fn needs_setup(&self) -> Result<bool> {
        Ok(db::one(self.reader(), "SELECT id FROM users LIMIT 1", vec![])
            .await?
            .is_none())
    }

    /// Adds a person.
    pub async fn create_user(&self, permit: &Permit, new: &NewUser, now: Time) -> Result<User> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let user = insert(write.on(), new, now).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "user.created",
                target: user.id.clone(),
                summary: format!("{} <{}>{}", user.name, user.email, operator_mark(&user)),
            })
            .await?;
        Ok(user)
    }

    /// Adds the first person through the one-time link whose hash is given: they run the
    /// installation and own the project the link names. Fails when the link is used, expired or
    /// unknown, or somebody exists already.
    pub async fn create_first_owner(
        &self,
        permit: &Permit,
        link_hash: &[u8],
        new: &NewUser,
        now: Time,
    ) -> Result<User> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let link = links::take(write.on(), link_hash, "setup", now).await?;
        let somebody = db::one(write.on(), "SELECT id FROM users LIMIT 1", vec![]).await?;
        if somebody.is_some() {
            return Err(StoreError::Invalid("the installation already has an owner".into()));
        }
        let user = insert(
            write.on(),
            &NewUser {
                operator: true,
                ..new.clone()
            },
            now,
        )
        .await?;
        if let Some(project_id) = &link.project_id {
            db::run(
                write.on(),
                "INSERT INTO project_members (project_id, user_id, role, created_at)
                 VALUES ($1, $2, $3, $4)",
                values![
                    project_id.as_str(),
                    user.id.as_str(),
                    i16::from(Role::Owner.code()),
                    now.ms()
                ],
            )
            .await?;
        }
        write
            .commit(Audit {
                project_id: link.project_id.as_deref(),
                action: "user.first_owner",
                target: user.id.clone(),
                summary: format!("{} <{}> became the first owner", user.name, user.email),
            })
            .await?;
        Ok(user)
    }

    /// Sets a new password hash and ends the user's sessions.
    pub async fn set_password(&self, permit: &Permit, user_id: &str, password_hash: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let sql = "UPDATE users SET password_hash = $2 WHERE id = $1";
        if db::run(write.on(), sql, values![user_id, password_hash]).await? == 0 {
            return Err(StoreError::missing("user"));
        }
        end_sessions(write.on(), user_id).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "user.password_set",
                target: user_id.to_owned(),
                summary: "password changed, sessions ended".into(),
            })
            .await
    }
}

async fn end_sessions<C: ConnectionTrait>(on: &C, user_id: &str) -> Result<()> {
    db::run(on, "DELETE FROM sessions WHERE user_id = $1", values![user_id])
        .await
        .map(|_| ())
}

const fn operator_mark(user: &User) -> &'static str {
    if user.operator { ", operator" } else { "" }
}
