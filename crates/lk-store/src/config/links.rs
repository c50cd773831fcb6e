//! One-time links: the first owner's, and those that set a new password. Only the token's hash is
//! stored.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use sea_orm::ConnectionTrait;

use super::users;
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::{Result, Store, StoreError};

/// Purpose of a link that sets a new password; its subject is the user.
pub const RESET: &str = "reset";

/// A link that can still be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeLink {
    /// What it is for, e.g. "setup".
    pub purpose: String,
    /// The project it leads into.
    pub project_id: Option<String>,
    /// The public id of the user it is about.
    pub subject: Option<String>,
    /// What the purpose needs, as JSON.
    pub payload: String,
    /// When it was made.
    pub created_at: Time,
    /// When it stops working.
    pub expires_at: Time,
}

/// A link to be stored.
#[derive(Clone)]
pub struct NewOneTimeLink {
    /// Hash of the token in the link.
    pub hash: Vec<u8>,
    /// What it is for.
    pub purpose: String,
    /// The project it leads into.
    pub project_id: Option<String>,
    /// The public id of the user it is about.
    pub subject: Option<String>,
    /// What the purpose needs, as JSON.
    pub payload: String,
    /// When it stops working.
    pub expires_at: Time,
}

const USABLE: &str = "SELECT purpose, project_id, subject, payload, created_at, expires_at
     FROM one_time_links
     WHERE hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3";

fn read(row: &Row) -> Result<OneTimeLink> {
    Ok(OneTimeLink {
        purpose: row.text("purpose")?,
        project_id: row.opt_text("project_id")?,
        subject: row.opt_text("subject")?,
        payload: row.text("payload")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

/// Uses up a link inside a transaction.
pub(super) async fn take<C: ConnectionTrait>(on: &C, hash: &[u8], purpose: &str, now: Time) -> Result<OneTimeLink> {
    let row = db::one(on, USABLE, values![hash.to_vec(), purpose, now.ms()]).await?;
    let link = read(&row.ok_or(StoreError::missing("usable link"))?)?;
    let sql = "UPDATE one_time_links SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
    if db::run(on, sql, values![hash.to_vec(), now.ms()]).await? == 0 {
        return Err(StoreError::missing("usable link"));
    }
    Ok(link)
}

impl Store {
    /// Stores a link. Unused links of the same purpose, project and subject stop working, so that only the
    /// newest printed one is good.
    pub async fn create_one_time_link(&self, permit: &Permit, new: &NewOneTimeLink, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let whom = match &new.subject {
            Some(user_id) => format!(" for {}", users::find(write.on(), user_id).await?.name),
            None => String::new(),
        };
        db::run(
            write.on(),
            "DELETE FROM one_time_links WHERE purpose = $1 AND used_at IS NULL
               AND COALESCE(project_id, '') = COALESCE($2, '') AND COALESCE(subject, '') = COALESCE($3, '')",
            values![new.purpose.as_str(), new.project_id.as_deref(), new.subject.as_deref()],
        )
        .await?;
        db::run(
            write.on(),
            "INSERT INTO one_time_links (hash, purpose, project_id, payload, created_at, expires_at, subject)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            values![
                new.hash.clone(),
                new.purpose.as_str(),
                new.project_id.as_deref(),
                new.payload.as_str(),
                now.ms(),
                new.expires_at.ms(),
                new.subject.as_deref(),
            ],
        )
        .await?;
        write
            .commit(Audit {
                project_id: new.project_id.as_deref(),
                action: "one_time_link.created",
                target: new.subject.clone().unwrap_or_else(|| new.purpose.clone()),
                summary: format!("{} link{whom}", new.purpose),
            })
            .await
    }

    /// The link with this hash and purpose, when it can still be used.
    pub async fn one_time_link(&self, hash: &[u8], purpose: &str, now: Time) -> Result<Option<OneTimeLink>> {
        let row = db::one(self.reader(), USABLE, values![hash.to_vec(), purpose, now.ms()]).await?;
        row.as_ref().map(read).transpose()
    }
}
