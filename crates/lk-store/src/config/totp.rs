//! Authenticators (time-based codes, RFC 6238) and recovery codes. The shared secret is sealed;
//! of recovery codes only the hash is kept.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use sea_orm::ConnectionTrait;

use super::users::{self, oneself};
use crate::audit::Audit;
use crate::db::{self, values};
use crate::seal::{Sealed, SecretText};
use crate::{Result, Store, StoreError};

/// Table, and the first half of what a sealed secret is bound to; the user's id is the other.
pub(crate) const TABLE: &str = "user_totp";

/// A person's authenticator.
#[derive(Clone)]
pub struct Authenticator {
    /// The shared secret, in base32.
    pub secret: SecretText,
    /// Since when it is asked for; `None` while it is being set up.
    pub confirmed_at: Option<Time>,
    /// The time step of the last code that was accepted.
    pub last_step: i64,
}

async fn put_recovery_codes<C: ConnectionTrait>(on: &C, user_id: &str, hashes: &[[u8; 32]]) -> Result<()> {
    let sql = "DELETE FROM user_recovery_codes WHERE user_id = $1";
    db::run(on, sql, values![user_id]).await?;
    for hash in hashes {
        let sql = "INSERT INTO user_recovery_codes (user_id, hash) VALUES ($1, $2)";
        db::run(on, sql, values![user_id, hash.to_vec()]).await?;
    }
    Ok(())
}

async fn remove<C: ConnectionTrait>(on: &C, user_id: &str) -> Result<()> {
    put_recovery_codes(on, user_id, &[]).await?;
    let sql = "DELETE FROM user_totp WHERE user_id = $1";
    match db::run(on, sql, values![user_id]).await? {
        0 => Err(StoreError::missing("authenticator")),
        _ => Ok(()),
    }
}

impl Store {
    /// The authenticator of a person, confirmed or not.
    pub async fn authenticator(&self, user_id: &str) -> Result<Option<Authenticator>> {
        let sql = "SELECT sealed, confirmed_at, last_step FROM user_totp WHERE user_id = $1";
        let row = db::one(self.reader(), sql, values![user_id]).await?;
        row.map(|row| {
            let sealed = Sealed::from_stored(row.get("sealed")?);
            Ok(Authenticator {
                secret: self.master_key().open(TABLE, user_id, &sealed)?,
                confirmed_at: row.opt_time("confirmed_at")?,
                last_step: row.int("last_step")?,
            })
        })
        .transpose()
    }

    /// Since when a person's authenticator is asked for, and how many recovery codes are left;
    /// `None` without one that was confirmed. Opens nothing.
    pub async fn authenticator_state(&self, user_id: &str) -> Result<Option<(Time, i64)>> {
        let sql = "SELECT t.confirmed_at,
                       (SELECT CAST(COUNT(*) AS BIGINT) FROM user_recovery_codes c
                        WHERE c.user_id = t.user_id AND c.used_at IS NULL) AS codes
                   FROM user_totp t WHERE t.user_id = $1 AND t.confirmed_at IS NOT NULL";
        let row = db::one(self.reader(), sql, values![user_id]).await?;
        row.map(|row| Ok((row.time("confirmed_at")?, row.int("codes")?)))
            .transpose()
    }

    /// Begins to set up one's authenticator, in place of one that was never confirmed.
    pub async fn begin_authenticator(&self, permit: &Permit, secret: &SecretText, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        let sealed = self.master_key().seal(TABLE, user_id, secret.expose().as_bytes())?;
        let done = db::run(
            write.on(),
            "INSERT INTO user_totp (user_id, sealed, created_at, confirmed_at, last_step) VALUES ($1, $2, $3, NULL, 0)
             ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at
             WHERE user_totp.confirmed_at IS NULL",
            values![user_id, sealed.as_bytes().to_vec(), now.ms()],
        )
        .await?;
        if done == 0 {
            return Err(StoreError::Invalid(
                "an authenticator is set up already; switch it off before setting up another".into(),
            ));
        }
        write
            .commit(Audit {
                project_id: None,
                action: "account.totp_begun",
                target: user_id.to_owned(),
                summary: String::new(),
            })
            .await
    }

    /// Confirms one's authenticator with the step of a code that was right, and stores the hashes
    /// of the recovery codes.
    pub async fn confirm_authenticator(
        &self,
        permit: &Permit,
        step: i64,
        recovery: &[[u8; 32]],
        now: Time,
    ) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        let sql = "UPDATE user_totp SET confirmed_at = $2, last_step = $3 WHERE user_id = $1 AND confirmed_at IS NULL";
        if db::run(write.on(), sql, values![user_id, now.ms(), step]).await? == 0 {
            return Err(StoreError::missing("authenticator"));
        }
        put_recovery_codes(write.on(), user_id, recovery).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "account.totp_enabled",
                target: user_id.to_owned(),
                summary: format!("{} recovery codes", recovery.len()),
            })
            .await
    }

    /// Replaces one's recovery codes.
    pub async fn replace_recovery_codes(&self, permit: &Permit, recovery: &[[u8; 32]], now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        let sql = "SELECT user_id FROM user_totp WHERE user_id = $1 AND confirmed_at IS NOT NULL";
        if db::one(write.on(), sql, values![user_id]).await?.is_none() {
            return Err(StoreError::missing("authenticator"));
        }
        put_recovery_codes(write.on(), user_id, recovery).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "account.recovery_codes_replaced",
                target: user_id.to_owned(),
                summary: format!("{} recovery codes", recovery.len()),
            })
            .await
    }

    /// Takes one's own authenticator away.
    pub async fn remove_own_authenticator(&self, permit: &Permit, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let user_id = oneself(permit)?;
        remove(write.on(), user_id).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "account.totp_disabled",
                target: user_id.to_owned(),
                summary: String::new(),
            })
            .await
    }

    /// Takes somebody's authenticator away, who lost it.
    pub async fn remove_authenticator_of(&self, permit: &Permit, user_id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        let user = users::find(write.on(), user_id).await?;
        remove(write.on(), user_id).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "user.totp_removed",
                target: user_id.to_owned(),
                summary: user.name,
            })
            .await
    }

    /// Uses the code of a time step up: no code of that step or an older one is right any more.
    /// False when it was used before. A last step later than `latest` was written by a clock that
    /// was wrong, and does not count.
    pub async fn use_totp_step(&self, user_id: &str, step: i64, latest: i64) -> Result<bool> {
        let (txn, _turn) = self.begin().await?;
        let sql = "UPDATE user_totp SET last_step = $2 WHERE user_id = $1 AND confirmed_at IS NOT NULL
                     AND (last_step < $2 OR last_step > $3)";
        let used = db::run(&txn, sql, values![user_id, step, latest]).await?;
        txn.commit().await?;
        Ok(used == 1)
    }

    /// Uses a recovery code up. False when there is none with this hash, or it was used before.
    pub async fn use_recovery_code(&self, user_id: &str, hash: &[u8], source: Option<&str>, now: Time) -> Result<bool> {
        let user = self.user(user_id).await?;
        let write = self.write_proven(user.actor(), source, now).await?;
        let sql = "UPDATE user_recovery_codes SET used_at = $3 WHERE user_id = $1 AND hash = $2 AND used_at IS NULL";
        if db::run(write.on(), sql, values![user_id, hash.to_vec(), now.ms()]).await? == 0 {
            return Ok(false);
        }
        write
            .commit(Audit {
                project_id: None,
                action: "account.recovery_code_used",
                target: user_id.to_owned(),
                summary: String::new(),
            })
            .await?;
        Ok(true)
    }
}
