//! People on their way to a provider's consent page and back: single use, bound to the session in
//! which they began.

use lk_core::Time;
use lk_core::access::{Permit, Verb};

use crate::db::{self, values};
use crate::seal::{Sealed, SecretText};
use crate::{Result, Store, StoreError};

/// Table, and the first half of what a verifier is bound to.
pub(crate) const FLOWS_TABLE: &str = "connect_flows";

/// Somebody who sets out.
#[derive(Clone)]
pub struct NewConnectFlow {
    /// Hash of the state in the address, as text.
    pub id: String,
    /// The integration's public id.
    pub integration_id: String,
    /// Who.
    pub user_id: String,
    /// The session they began in.
    pub session_hash: [u8; 32],
    /// Proves to the provider that who comes back is who was sent.
    pub verifier: SecretText,
    /// Where they are sent back to.
    pub redirect_uri: String,
    /// Until when.
    pub expires_at: Time,
}

/// Somebody who came back.
#[derive(Clone)]
pub struct ConnectFlow {
    /// The integration's public id.
    pub integration_id: String,
    /// Who.
    pub user_id: String,
    /// Proves to the provider that who comes back is who was sent.
    pub verifier: SecretText,
    /// Where they are sent back to.
    pub redirect_uri: String,
}

impl Store {
    /// Notes that somebody sets out. Those who never came back are forgotten.
    pub async fn begin_connect(&self, permit: &Permit, new: &NewConnectFlow, now: Time) -> Result<()> {
        if !matches!(permit.verb(), Verb::ConnectIntegration | Verb::ReconnectIntegration) {
            return Err(StoreError::WrongPermit(permit.verb()));
        }
        let sealed = self
            .master_key()
            .seal(FLOWS_TABLE, &new.id, new.verifier.expose().as_bytes())?;
        let (txn, _turn) = self.begin().await?;
        let expired = "DELETE FROM connect_flows WHERE expires_at <= $1";
        db::run(&txn, expired, values![now.ms()]).await?;
        let sql = "INSERT INTO connect_flows (id, integration_id, user_id, session_hash, verifier_sealed,
                 redirect_uri, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = values![
            new.id.as_str(),
            new.integration_id.as_str(),
            new.user_id.as_str(),
            new.session_hash.to_vec(),
            sealed.as_bytes().to_vec(),
            new.redirect_uri.as_str(),
            new.expires_at.ms(),
        ];
        db::run(&txn, sql, values).await?;
        txn.commit().await.map_err(Into::into)
    }

    /// Takes the flow with this id out, when it was begun in this session and is not too old. A
    /// second time there is none.
    pub async fn take_connect(&self, id: &str, session_hash: &[u8; 32], now: Time) -> Result<Option<ConnectFlow>> {
        let (txn, _turn) = self.begin().await?;
        let sql = "DELETE FROM connect_flows WHERE id = $1 AND session_hash = $2 AND expires_at > $3
             RETURNING integration_id, user_id, verifier_sealed, redirect_uri";
        let Some(row) = db::one(&txn, sql, values![id, session_hash.to_vec(), now.ms()]).await? else {
            return Ok(None);
        };
        txn.commit().await?;
        let sealed = Sealed::from_stored(row.get("verifier_sealed")?);
        Ok(Some(ConnectFlow {
            integration_id: row.text("integration_id")?,
            user_id: row.text("user_id")?,
            verifier: self.master_key().open(FLOWS_TABLE, id, &sealed)?,
            redirect_uri: row.text("redirect_uri")?,
        }))
    }
}
