//! Who people are at identity providers.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::words::Role;
use sea_orm::ConnectionTrait;

use super::users::{self, NewUser, USER_COLUMNS, User, insert, oneself, read_user};
use super::{members, taken};
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::{Result, Store, StoreError};

/// A person's identity at an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider, as it names itself.
    pub issuer: String,
    /// Who it is there; never given to somebody else.
    pub subject: String,
    /// The e-mail address that the provider told last, for showing.
    pub email: Option<String>,
    /// When it was linked.
    pub created_at: Time,
    /// When it was last used to sign in or to prove who somebody is.
    pub last_used_at: Time,
}

/// An identity to be linked or noted, after the provider has proven it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIdentity {
    /// The provider, as it names itself.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// The e-mail address that the provider told.
    pub email: Option<String>,
}

/// The project and role that a person who is added by signing in gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstMembership {
    /// The project's id.
    pub project_id: String,
    /// As what.
    pub role: Role,
}

fn read_identity(row: &Row) -> Result<Identity> {
    Ok(Identity {
        issuer: row.text("issuer")?,
        subject: row.text("subject")?,
        email: row.opt_text("email")?,
        created_at: row.time("created_at")?,
        last_used_at: row.time("last_used_at")?,
    })
}

impl Store {
    /// The person with this identity, disabled people included.
    pub async fn user_of_identity(&self, issuer: &str, subject: &str) -> Result<Option<User>> {
        let row = db::one(
            self.reader(),
            format!(
                "SELECT {USER_COLUMNS} FROM user_identities i JOIN users u ON u.id = i.user_id
                 WHERE i.issuer = $1 AND i.subject = $2"
            ),
            values![issuer, subject],
        )
        .await?;
        row.as_ref().map(read_user).transpose()
    }

    /// The person with this e-mail address, disabled people included.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let row = db::one(
            self.reader(),
            format!("SELECT {USER_COLUMNS} FROM users u WHERE u.email = $1"),
            values![email.trim().to_ascii_lowercase()],
        )
        .await?;
        row.as_ref().map(read_user).transpose()
    }

    /// A person's identities, oldest first.
    pub async fn identities(&self, user_id: &str) -> Result<Vec<Identity>> {
        db::all(
            self.reader(),
            "SELECT issuer, subject, email, created_at, last_used_at FROM user_identities
             WHERE user_id = $1 ORDER BY created_at, issuer, subject",
            values![user_id],
        )
        .await?
        .iter()
        .map(read_identity)
        .collect()
    }

    /// Links an identity to a person. Needs no permit: the provider's word was the proof. Linking
    /// it again to the same person notes its use; an identity of somebody else is "taken".
    pub async fn link_identity(&self, user: &User, new: &NewIdentity, source: Option<&str>, now: Time) -> Result<()> {
        match owner(self.reader(), new).await? {
            Some(id) if id == user.id => return self.touch_identity(new, now).await,
            Some(_) => return Err(StoreError::Taken { what: "this identity" }),
            None => {}
        }
        let write = self.write_proven(user.actor(), source, now).await?;
        link(write.on(), user, new, now).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "identity.linked",
                target: user.id.clone(),
                summary: format!("{} at {}", new.email.as_deref().unwrap_or("an identity"), new.issuer),
            })
            .await
    }

    /// Unlinks every identity of one's own.
    pub async fn unlink_own_identities(&self, permit: &Permit, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        let count = unlink(write.on(), user_id).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "identity.unlinked",
                target: user_id.to_owned(),
                summary: format!("{count} identities"),
            })
            .await
    }

    /// Unlinks every identity of somebody.
    pub async fn unlink_identities_of(&self, permit: &Permit, user_id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let user = users::find(write.on(), user_id).await?;
        let count = unlink(write.on(), user_id).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "identity.unlinked",
                target: user_id.to_owned(),
                summary: format!("{count} identities of {}", user.name),
            })
            .await
    }

    /// Notes that an identity was used, and the e-mail address that the provider tells now.
    pub async fn touch_identity(&self, identity: &NewIdentity, now: Time) -> Result<()> {
        let (txn, _turn) = self.begin().await?;
        note_use(&txn, identity, now).await?;
        txn.commit().await?;
        Ok(())
    }

    /// Adds a person whom the identity provider has proven, with their identity and, when given,
    /// their first membership.
    pub async fn create_user_with_identity(
        &self,
        permit: &Permit,
        new: &NewUser,
        identity: &NewIdentity,
        membership: Option<&FirstMembership>,
        now: Time,
    ) -> Result<User> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let user = insert(write.on(), new, now).await?;
        link(write.on(), &user, identity, now).await?;
        let mut joined = String::new();
        if let Some(first) = membership {
            members::insert(write.on(), &first.project_id, &user.id, first.role, now).await?;
            joined = format!("; {} of {}", first.role, first.project_id);
        }
        write
            .commit(Audit {
                project_id: None,
                action: "user.created",
                target: user.id.clone(),
                summary: format!(
                    "{} <{}>, by signing in with {}{joined}",
                    user.name, user.email, identity.issuer
                ),
            })
            .await?;
        Ok(user)
    }
}

/// Takes every identity of a person away, and says how many there were.
pub(super) async fn unlink<C: ConnectionTrait>(on: &C, user_id: &str) -> Result<u64> {
    db::run(on, "DELETE FROM user_identities WHERE user_id = $1", values![user_id]).await
}

async fn owner<C: ConnectionTrait>(on: &C, identity: &NewIdentity) -> Result<Option<String>> {
    let sql = "SELECT user_id FROM user_identities WHERE issuer = $1 AND subject = $2";
    let values = values![identity.issuer.as_str(), identity.subject.as_str()];
    let row = db::one(on, sql, values).await?;
    row.map(|row| row.text("user_id")).transpose()
}

async fn note_use<C: ConnectionTrait>(on: &C, identity: &NewIdentity, now: Time) -> Result<()> {
    db::run(
        on,
        "UPDATE user_identities SET last_used_at = $3, email = COALESCE($4, email)
         WHERE issuer = $1 AND subject = $2",
        values![
            identity.issuer.as_str(),
            identity.subject.as_str(),
            now.ms(),
            identity.email.as_deref()
        ],
    )
    .await
    .map(|_| ())
}

async fn link<C: ConnectionTrait>(on: &C, user: &User, new: &NewIdentity, now: Time) -> Result<()> {
    let inserted = db::run(
        on,
        "INSERT INTO user_identities (issuer, subject, user_id, email, created_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $5)",
        values![
            new.issuer.as_str(),
            new.subject.as_str(),
            user.id.as_str(),
            new.email.as_deref(),
            now.ms(),
        ],
    )
    .await;
    taken(inserted, "this identity").map(|_| ())
}
