//! Password hashing (Argon2id), off the request threads and bounded.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Most bytes of a password; more is work for us, not safety for them.
pub const PASSWORD_BYTES_MAX: usize = 512;
/// Hashes computed at the same time: each takes a core and 19 MiB for tens of milliseconds.
const HASHES_AT_ONCE: usize = 2;
/// Longest wait for a turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// The password's hash as a PHC string. Takes tens of milliseconds: call it off the request
/// threads.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| PasswordError(error.to_string()))
}

/// Hashing failed, for lack of memory or randomness.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct PasswordError(String);

/// Hashes and verifies passwords in turn.
#[derive(Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        }
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, ApiError> {
        self.in_turn(move || hash_password(&password))
            .await?
            .map_err(ApiError::internal)
    }

    /// Whether `password` belongs to `stored`. Without a stored hash (no such user) the same work
    /// is done and the answer is no, so that time does not tell who exists.
    pub(crate) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, ApiError> {
        self.in_turn(move || {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| decoy().to_owned());
            let matches = PasswordHash::new(&stored)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            known && matches
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(TURN_TIMEOUT, turn).await else {
            return Err(ApiError::rate_limited("Too many sign-ins at the same time.", 5));
        };
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        })
        .await
        .map_err(ApiError::internal)
    }
}

/// A hash that belongs to nobody's password.
fn decoy() -> &'static str {
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| hash_password("nobody's").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        let verify = |password: &str, stored: Option<&String>| passwords.verify(password.to_owned(), stored.cloned());
        assert!(verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!verify("incorrect horse", Some(&hash)).await.unwrap());
        assert!(!verify("nobody's", None).await.unwrap());
        assert!(!verify("x", Some(&"not a hash".to_owned())).await.unwrap());
    }
}
