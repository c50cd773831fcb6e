//! Signed-in browsers. The cookie's value is never stored, only its hash.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::words::SignInMethod;
use sea_orm::ConnectionTrait;

use super::users::{self, USER_COLUMNS, User, oneself, read_user};
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::ids::new_id;
use crate::{Result, Store, StoreError};

/// Sessions of one person; the longest unused ones end when there are more.
const SESSIONS_MAX: i64 = 50;
/// Longest kept name of a browser, characters.
const USER_AGENT_CHARS_MAX: usize = 300;

/// A session of a person who may still sign in.
#[derive(Clone)]
pub struct Session {
    /// Whose it is.
    pub user: User,
    /// What writes must bring in `x-csrf-token`.
    pub csrf: String,
    /// When it was last proven who is there.
    pub proved_at: Time,
    /// When it was last used (to the minute or so).
    pub last_seen_at: Time,
}

/// A session as its owner sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Public id.
    pub id: String,
    /// Whether it is the session whose hash was given.
    pub current: bool,
    /// How it was begun.
    pub method: SignInMethod,
    /// When it was begun.
    pub created_at: Time,
    /// When it was last used (to the minute or so).
    pub last_seen_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// The address it was begun from.
    pub source: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
}

/// A session to be begun, after somebody proved who they are.
#[derive(Clone)]
pub struct NewSession {
    /// Hash of the cookie's value.
    pub id_hash: Vec<u8>,
    /// Whose.
    pub user_id: String,
    /// How they proved it.
    pub method: SignInMethod,
    /// The password hash that was proven, when it was one.
    pub proven_hash: Option<String>,
    /// The CSRF token.
    pub csrf: String,
    /// When it ends.
    pub expires_at: Time,
    /// Where the sign-in came from.
    pub source: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
}

fn read_row(row: &Row, current: &[u8]) -> Result<SessionRow> {
    Ok(SessionRow {
        id: row.text("id")?,
        current: row.get::<Vec<u8>>("id_hash")? == current,
        method: row.word("method", SignInMethod::from_code)?,
        created_at: row.time("created_at")?,
        last_seen_at: row.time("last_seen_at")?,
        expires_at: row.time("expires_at")?,
        source: row.opt_text("source")?,
        user_agent: row.opt_text("user_agent")?,
    })
}

/// Ends every session of a person but the one with the hash `keep`.
pub(super) async fn end_all<C: ConnectionTrait>(on: &C, user_id: &str, keep: Option<&[u8]>) -> Result<()> {
    let keep = keep.unwrap_or_default().to_vec();
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2";
    db::run(on, sql, values![user_id, keep]).await.map(|_| ())
}

async fn insert<C: ConnectionTrait>(on: &C, new: &NewSession, now: Time) -> Result<()> {
    let agent: Option<String> = new
        .user_agent
        .as_ref()
        .map(|a| a.chars().take(USER_AGENT_CHARS_MAX).collect());
    db::run(
        on,
        "INSERT INTO sessions (id_hash, id, user_id, method, created_at, proved_at, expires_at, last_seen_at,
             csrf, source, user_agent)
         VALUES ($1, $2, $3, $4, $5, $5, $6, $5, $7, $8, $9)",
        values![
            new.id_hash.clone(),
            new_id(now)?.to_string(),
            new.user_id.as_str(),
            i16::from(new.method.code()),
            now.ms(),
            new.expires_at.ms(),
            new.csrf.as_str(),
            new.source.as_deref(),
            agent,
        ],
    )
    .await?;
    db::run(
        on,
        "DELETE FROM sessions WHERE user_id = $1 AND id_hash NOT IN
           (SELECT id_hash FROM sessions WHERE user_id = $1 ORDER BY last_seen_at DESC, created_at DESC LIMIT $2)",
        values![new.user_id.as_str(), SESSIONS_MAX],
    )
    .await
    .map(|_| ())
}

impl Store {
    /// Begins a session. Needs no permit: what was shown at the sign-in is the proof, and it is
    /// looked at again here: a password that was changed or an account that was disabled while it
    /// was being checked begins nothing ([`StoreError::NotFound`]).
    pub async fn create_session(&self, new: &NewSession, now: Time) -> Result<()> {
        let user = self.user(&new.user_id).await?;
        let write = self.write_proven(user.actor(), new.source.as_deref(), now).await?;
        let sql = "SELECT password_hash FROM users WHERE id = $1 AND disabled_at IS NULL";
        let row = db::one(write.on(), sql, values![new.user_id.as_str()]).await?;
        let row = row.ok_or(StoreError::missing("account that may sign in"))?;
        if new.proven_hash.is_some() && row.opt_text("password_hash")? != new.proven_hash {
            return Err(StoreError::missing("account with this password"));
        }
        insert(write.on(), new, now).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "session.began",
                target: user.id,
                summary: format!("by {}", new.method.as_str().replace('_', " ")),
            })
            .await
    }

    /// The session whose cookie hashes to `id_hash`, unless it has ended or its user is disabled.
    pub async fn session(&self, id_hash: &[u8], now: Time) -> Result<Option<Session>> {
        let sql = format!(
            "SELECT {USER_COLUMNS}, s.csrf, s.proved_at, s.last_seen_at
             FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.id_hash = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL"
        );
        let row = db::one(self.reader(), sql, values![id_hash.to_vec(), now.ms()]).await?;
        row.map(|row| {
            Ok(Session {
                user: read_user(&row)?,
                csrf: row.text("csrf")?,
                proved_at: row.time("proved_at")?,
                last_seen_at: row.time("last_seen_at")?,
            })
        })
        .transpose()
    }

    /// The sessions of a person, the last used first; `current` is the hash of the one at hand.
    pub async fn sessions_of(&self, user_id: &str, current: &[u8], now: Time) -> Result<Vec<SessionRow>> {
        let sql = "SELECT id, id_hash, method, created_at, last_seen_at, expires_at, source, user_agent
                   FROM sessions WHERE user_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC, created_at DESC";
        let rows = db::all(self.reader(), sql, values![user_id, now.ms()]).await?;
        rows.iter().map(|row| read_row(row, current)).collect()
    }

    /// Notes that the session was used. Callers do it at most once a minute.
    pub async fn touch_session(&self, id_hash: &[u8], now: Time) -> Result<()> {
        let (txn, _turn) = self.begin().await?;
        let sql = "UPDATE sessions SET last_seen_at = $2 WHERE id_hash = $1";
        db::run(&txn, sql, values![id_hash.to_vec(), now.ms()]).await?;
        txn.commit().await?;
        Ok(())
    }

    /// Notes that whoever sits at a session has proven again who they are. Needs no permit: what
    /// they showed is the proof.
    pub async fn prove_session(&self, id_hash: &[u8], source: Option<&str>, now: Time) -> Result<()> {
        let session = self
            .session(id_hash, now)
            .await?
            .ok_or(StoreError::missing("session"))?;
        let write = self.write_proven(session.user.actor(), source, now).await?;
        let sql = "UPDATE sessions SET proved_at = $2 WHERE id_hash = $1";
        if db::run(write.on(), sql, values![id_hash.to_vec(), now.ms()]).await? == 0 {
            return Err(StoreError::missing("session"));
        }
        write
            .commit(Audit {
                project_id: None,
                action: "session.proven",
                target: session.user.id,
                summary: String::new(),
            })
            .await
    }

    /// Ends the session at hand. Needs no permit: its cookie is the proof. Ending one that is gone
    /// is fine.
    pub async fn end_session(&self, id_hash: &[u8], source: Option<&str>, now: Time) -> Result<()> {
        let Some(session) = self.session(id_hash, now).await? else {
            return Ok(());
        };
        let write = self.write_proven(session.user.actor(), source, now).await?;
        let sql = "DELETE FROM sessions WHERE id_hash = $1";
        db::run(write.on(), sql, values![id_hash.to_vec()]).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "session.ended",
                target: session.user.id,
                summary: "signed out".to_owned(),
            })
            .await
    }

    /// Ends one of one's own sessions.
    pub async fn end_own_session(&self, permit: &Permit, id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        let sql = "DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING source";
        let row = db::one(write.on(), sql, values![id, user_id]).await?;
        let source = row.ok_or(StoreError::missing("session"))?.opt_text("source")?;
        let begun = source.map_or_else(|| "one".to_owned(), |source| format!("the one begun from {source}"));
        write
            .commit(Audit {
                project_id: None,
                action: "session.ended",
                target: user_id.to_owned(),
                summary: begun,
            })
            .await
    }

    /// Ends every session of one's own but the one with the hash `keep`.
    pub async fn end_other_sessions(&self, permit: &Permit, keep: &[u8], now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        end_all(write.on(), user_id, Some(keep)).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "session.ended",
                target: user_id.to_owned(),
                summary: "every other session".to_owned(),
            })
            .await
    }

    /// Ends every session of somebody.
    pub async fn end_sessions_of(&self, permit: &Permit, user_id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let user = users::find(write.on(), user_id).await?;
        end_all(write.on(), user_id, None).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "user.signed_out",
                target: user_id.to_owned(),
                summary: format!("{}: every session", user.name),
            })
            .await
    }
}
