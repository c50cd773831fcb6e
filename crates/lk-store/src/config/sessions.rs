//! Signed-in browsers. The cookie's value is never stored, only its hash.

use lk_core::Time;
use lk_core::access::Actor;

use super::users::{User, read_user};
use crate::db::{self, values};
use crate::store::{Audit, insert_audit};
use crate::{Result, Store};

/// A session of a person who may still sign in.
#[derive(Clone)]
pub struct Session {
    /// Whose it is.
    pub user: User,
    /// What writes must bring in `x-csrf-token`.
    pub csrf: String,
    /// When it was begun.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// When it was last used (to the minute or so).
    pub last_seen_at: Time,
    /// When its person last proved that it is them.
    pub proved_at: Option<Time>,
}

/// A session to be begun, after the password was proven.
#[derive(Clone)]
pub struct NewSession {
    /// Hash of the cookie's value.
    pub id_hash: Vec<u8>,
    /// Whose.
    pub user_id: String,
    /// The CSRF token.
    pub csrf: String,
    /// When it ends.
    pub expires_at: Time,
    /// Where the sign-in came from.
    pub source: Option<String>,
}

impl Store {
    /// Begins a session. Needs no permit: the password was the proof.
    pub async fn create_session(&self, new: &NewSession, now: Time) -> Result<()> {
        let user = self.user(&new.user_id).await?;
        let (txn, _turn) = self.begin().await?;
        db::run(
            &txn,
            "INSERT INTO sessions (id_hash, user_id, created_at, expires_at, last_seen_at, csrf, proved_at)
             VALUES ($1, $2, $3, $4, $3, $5, $3)",
            values![
                new.id_hash.clone(),
                new.user_id.as_str(),
                now.ms(),
                new.expires_at.ms(),
                new.csrf.as_str(),
            ],
        )
        .await?;
        let actor = Actor::User {
            id: user.id.clone(),
            name: user.name,
        };
        let audit = Audit {
            project_id: None,
            action: "session.began",
            target: user.id,
            summary: String::new(),
        };
        insert_audit(&txn, &actor, new.source.as_deref(), now, audit).await?;
        txn.commit().await?;
        Ok(())
    }

    /// The session whose cookie hashes to `id_hash`, unless it has ended or its user is disabled.
    pub async fn session(&self, id_hash: &[u8], now: Time) -> Result<Option<Session>> {
        let row = db::one(
            self.reader(),
            "SELECT u.id, u.email, u.name, u.operator, u.created_at, u.disabled_at,
                    s.csrf, s.created_at AS began_at, s.expires_at, s.last_seen_at, s.proved_at
             FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.id_hash = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL",
            values![id_hash.to_vec(), now.ms()],
        )
        .await?;
        row.map(|row| {
            Ok(Session {
                user: read_user(&row)?,
                csrf: row.text("csrf")?,
                created_at: row.time("began_at")?,
                expires_at: row.time("expires_at")?,
                last_seen_at: row.time("last_seen_at")?,
                proved_at: row.opt_time("proved_at")?,
            })
        })
        .transpose()
    }

    /// Notes that the session was used. Callers do it at most once a minute.
    pub async fn touch_session(&self, id_hash: &[u8], now: Time) -> Result<()> {
        let (txn, _turn) = self.begin().await?;
        let sql = "UPDATE sessions SET last_seen_at = $2 WHERE id_hash = $1";
        db::run(&txn, sql, values![id_hash.to_vec(), now.ms()]).await?;
        txn.commit().await?;
        Ok(())
    }

    /// Notes that the session's person has just proved that it is them.
    pub async fn prove_session(&self, id_hash: &[u8], now: Time) -> Result<()> {
        let (txn, _turn) = self.begin().await?;
        let sql = "UPDATE sessions SET proved_at = $2 WHERE id_hash = $1";
        db::run(&txn, sql, values![id_hash.to_vec(), now.ms()]).await?;
        txn.commit().await?;
        Ok(())
    }

    /// Ends a session. Ending one that is gone is fine.
    pub async fn delete_session(&self, id_hash: &[u8]) -> Result<()> {
        let (txn, _turn) = self.begin().await?;
        db::run(
            &txn,
            "DELETE FROM sessions WHERE id_hash = $1",
            values![id_hash.to_vec()],
        )
        .await?;
        txn.commit().await?;
        Ok(())
    }
}
