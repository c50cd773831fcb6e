//! People.

use lk_core::Time;
use lk_core::access::{Actor, Permit, Verb};
use lk_core::words::Role;
use sea_orm::ConnectionTrait;

use super::{conflict, links, sessions, taken};
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::error::Current;
use crate::ids::new_id;
use crate::{Result, Store, StoreError};

/// What moves a person's version.
const CHANGES: &[&str] = &["user.updated", "account.renamed"];
/// The columns of [`User`] of a table called `u`.
pub(super) const USER_COLUMNS: &str = "u.id, u.email, u.name, u.operator, u.created_at, u.disabled_at, u.version";

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
    /// Grows with every change of the above.
    pub version: i64,
}

impl User {
    /// The person as who acts.
    pub fn actor(&self) -> Actor {
        Actor::User {
            id: self.id.clone(),
            name: self.name.clone(),
        }
    }
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

/// What to change of a person; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserPatch {
    /// A new name.
    pub name: Option<String>,
    /// Whether they run the whole installation.
    pub operator: Option<bool>,
    /// Whether they may no longer sign in.
    pub disabled: Option<bool>,
}

/// A person with what the list of everybody tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Who.
    pub user: User,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they set up an authenticator.
    pub totp: bool,
    /// In how many projects they are.
    pub projects: i64,
    /// When a session of theirs was last used.
    pub last_seen_at: Option<Time>,
}

pub(super) fn read_user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.text("id")?,
        email: row.text("email")?,
        name: row.text("name")?,
        operator: row.flag("operator")?,
        created_at: row.time("created_at")?,
        disabled_at: row.opt_time("disabled_at")?,
        version: row.int("version")?,
    })
}

pub(super) async fn insert<C: ConnectionTrait>(on: &C, new: &NewUser, now: Time) -> Result<User> {
    let id = new_id(now)?.to_string();
    let values = values![
        id.as_str(),
        new.email.trim().to_ascii_lowercase(),
        new.name.trim(),
        new.password_hash.as_deref(),
        new.operator,
        now.ms(),
    ];
    let sql = "INSERT INTO users (id, email, name, password_hash, operator, created_at)
               VALUES ($1, $2, $3, $4, $5, $6)";
    taken(db::run(on, sql, values).await, "this e-mail address")?;
    find(on, &id).await
}

/// The user with this id, inside or outside a transaction.
pub(super) async fn find<C: ConnectionTrait>(on: &C, id: &str) -> Result<User> {
    let sql = format!("SELECT {USER_COLUMNS} FROM users u WHERE u.id = $1");
    let row = db::one(on, sql, values![id]).await?;
    read_user(&row.ok_or(StoreError::missing("user"))?)
}

impl Store {
    /// Everybody, oldest first.
    pub async fn users(&self) -> Result<Vec<UserRow>> {
        self.user_rows("TRUE", vec![]).await
    }

    /// One person, with what the list of everybody tells.
    pub async fn user_row(&self, id: &str) -> Result<UserRow> {
        let mut rows = self.user_rows("u.id = $1", values![id]).await?;
        rows.pop().ok_or(StoreError::missing("user"))
    }

    async fn user_rows(&self, which: &str, values: Vec<sea_orm::Value>) -> Result<Vec<UserRow>> {
        let sql = format!(
            "SELECT {USER_COLUMNS}, u.password_hash IS NOT NULL AS has_password,
                EXISTS (SELECT 1 FROM user_totp t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL) AS totp,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM project_members m WHERE m.user_id = u.id) AS projects,
                (SELECT MAX(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS last_seen_at
             FROM users u WHERE {which} ORDER BY u.created_at, u.id"
        );
        let rows = db::all(self.reader(), sql, values).await?;
        rows.iter()
            .map(|row| {
                Ok(UserRow {
                    user: read_user(row)?,
                    has_password: row.flag("has_password")?,
                    totp: row.flag("totp")?,
                    projects: row.int("projects")?,
                    last_seen_at: row.opt_time("last_seen_at")?,
                })
            })
            .collect()
    }

    /// The user with this id.
    pub async fn user(&self, id: &str) -> Result<User> {
        find(self.reader(), id).await
    }

    /// The user with this e-mail address and their password hash, for signing in. `None` for an
    /// unknown or disabled user.
    pub async fn credentials(&self, email: &str) -> Result<Option<UserCredentials>> {
        self.credentials_where("u.email = $1", email.trim().to_ascii_lowercase())
            .await
    }

    /// The same for the user with this id, for proving it again.
    pub async fn credentials_of(&self, user_id: &str) -> Result<Option<UserCredentials>> {
        self.credentials_where("u.id = $1", user_id.to_owned()).await
    }

    async fn credentials_where(&self, which: &str, value: String) -> Result<Option<UserCredentials>> {
        let sql =
            format!("SELECT {USER_COLUMNS}, u.password_hash FROM users u WHERE {which} AND u.disabled_at IS NULL");
        let row = db::one(self.reader(), sql, values![value]).await?;
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
        let operator = NewUser {
            operator: true,
            ..new.clone()
        };
        let user = insert(write.on(), &operator, now).await?;
        if let Some(project_id) = &link.project_id {
            super::members::insert(write.on(), project_id, &user.id, Role::Owner, now).await?;
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

    /// Changes a person who is still at `version`. Somebody who may no longer sign in is signed
    /// out at once; the last operator who may sign in stays one.
    pub async fn update_user(
        &self,
        permit: &Permit,
        user_id: &str,
        patch: &UserPatch,
        version: i64,
        now: Time,
    ) -> Result<User> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let before = find(write.on(), user_id).await?;
        if before.version != version {
            return Err(conflict(write.on(), ("person", CHANGES), user_id, Current::User(before)).await?);
        }
        let disabled_at = match patch.disabled {
            None => before.disabled_at,
            Some(true) => before.disabled_at.or(Some(now)),
            Some(false) => None,
        };
        let after = User {
            name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
            operator: patch.operator.unwrap_or(before.operator),
            disabled_at,
            version: version + 1,
            ..before.clone()
        };
        db::run(
            write.on(),
            "UPDATE users SET name = $2, operator = $3, disabled_at = $4, version = version + 1 WHERE id = $1",
            values![user_id, after.name.trim(), after.operator, disabled_at.map(Time::ms)],
        )
        .await?;
        if disabled_at.is_some() {
            sessions::end_all(write.on(), user_id, None).await?;
            super::invitations::take_back(write.on(), user_id, None, now).await?;
        }
        keep_an_operator(write.on(), &before).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "user.updated",
                target: user_id.to_owned(),
                summary: format!("{}: {}", before.name, what_changed(&before, &after)),
            })
            .await?;
        Ok(after)
    }

    /// Changes one's own name.
    pub async fn rename_oneself(&self, permit: &Permit, name: &str, version: i64, now: Time) -> Result<User> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        let before = find(write.on(), user_id).await?;
        if before.version != version {
            return Err(conflict(write.on(), ("account", CHANGES), user_id, Current::User(before)).await?);
        }
        let sql = "UPDATE users SET name = $2, version = version + 1 WHERE id = $1";
        db::run(write.on(), sql, values![user_id, name.trim()]).await?;
        let after = find(write.on(), user_id).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "account.renamed",
                target: user_id.to_owned(),
                summary: what_changed(&before, &after),
            })
            .await?;
        Ok(after)
    }

    /// Sets somebody's password hash and ends their sessions.
    pub async fn set_password(&self, permit: &Permit, user_id: &str, password_hash: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let user = find(write.on(), user_id).await?;
        put_password(write.on(), user_id, password_hash, None).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "user.password_set",
                target: user_id.to_owned(),
                summary: format!("{}: password changed, sessions ended", user.name),
            })
            .await
    }

    /// Sets one's own password hash and ends every session but the one at hand.
    pub async fn set_own_password(
        &self,
        permit: &Permit,
        password_hash: &str,
        session: &[u8],
        now: Time,
    ) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        put_password(write.on(), user_id, password_hash, Some(session)).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "account.password_changed",
                target: user_id.to_owned(),
                summary: "every other session ended".into(),
            })
            .await
    }

    /// Sets a password through a reset link, uses the link up and ends every session. Needs no
    /// permit: the link is the proof.
    pub async fn reset_password(
        &self,
        link_hash: &[u8],
        password_hash: &str,
        source: Option<&str>,
        now: Time,
    ) -> Result<User> {
        let mut write = self.write_proven(Actor::System, source, now).await?;
        let link = links::take(write.on(), link_hash, links::RESET, now).await?;
        let user_id = link.subject.ok_or(StoreError::missing("usable link"))?;
        let user = find(write.on(), &user_id).await?;
        if user.disabled_at.is_some() {
            return Err(StoreError::missing("usable link"));
        }
        put_password(write.on(), &user_id, password_hash, None).await?;
        // The link takes an account back: an identity that somebody else linked must not stay.
        super::identities::unlink(write.on(), &user_id).await?;
        write.acts_as(user.actor());
        write
            .commit(Audit {
                project_id: None,
                action: "account.password_reset",
                target: user_id,
                summary: "through a one-time link; sessions ended, identities unlinked".into(),
            })
            .await?;
        Ok(user)
    }
}

/// The account that a permit for one's own account is about.
pub(super) fn oneself(permit: &Permit) -> Result<&str> {
    permit.oneself().ok_or(StoreError::WrongPermit(permit.verb()))
}

async fn put_password<C: ConnectionTrait>(on: &C, user_id: &str, hash: &str, keep: Option<&[u8]>) -> Result<()> {
    let sql = "UPDATE users SET password_hash = $2 WHERE id = $1";
    if db::run(on, sql, values![user_id, hash]).await? == 0 {
        return Err(StoreError::missing("user"));
    }
    // A link that was made for the old password would undo the new one.
    let sql = "DELETE FROM one_time_links WHERE purpose = $1 AND subject = $2 AND used_at IS NULL";
    db::run(on, sql, values![links::RESET, user_id]).await?;
    sessions::end_all(on, user_id, keep).await
}

/// Refuses a change that took away the last operator.
async fn keep_an_operator<C: ConnectionTrait>(on: &C, before: &User) -> Result<()> {
    if !before.operator || before.disabled_at.is_some() {
        return Ok(());
    }
    let sql = "SELECT id FROM users WHERE operator AND disabled_at IS NULL LIMIT 1";
    let left = db::one(on, sql, vec![]).await?;
    left.map(|_| ()).ok_or(StoreError::Invalid(
        "the installation keeps at least one operator".into(),
    ))
}

fn what_changed(before: &User, after: &User) -> String {
    let mut parts = Vec::new();
    if before.name != after.name {
        parts.push(format!("name {}", after.name));
    }
    if before.operator != after.operator {
        parts.push(if after.operator { "operator" } else { "no operator" }.to_owned());
    }
    match (before.disabled_at, after.disabled_at) {
        (None, Some(_)) => parts.push("disabled, sessions ended".to_owned()),
        (Some(_), None) => parts.push("enabled".to_owned()),
        _ => {}
    }
    parts.join(", ")
}

const fn operator_mark(user: &User) -> &'static str {
    if user.operator { ", operator" } else { "" }
}
