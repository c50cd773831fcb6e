//! Parts of the path. One that cannot exist is "nothing here", like one that does not exist.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::error::ApiError;

/// Longest provider key or other word in a path.
const WORD_CHARS_MAX: usize = 128;

/// The path parameter `id`: a UUID in canonical text.
#[derive(Debug)]
pub(crate) struct Id(pub(crate) String);

/// The path parameter `key`: a provider's key.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) String);

/// Reads a UUID path parameter by name.
pub(crate) fn uuid(params: &HashMap<String, String>, name: &str) -> Result<String, ApiError> {
    let raw = params.get(name).ok_or_else(ApiError::not_found)?;
    // Only the hyphenated form is ours: two spellings of one id would be two cache keys.
    let parsed = uuid::Uuid::try_parse(raw).map_err(|_| ApiError::not_found())?;
    let text = parsed.hyphenated().to_string();
    if text.eq_ignore_ascii_case(raw) {
        Ok(text)
    } else {
        Err(ApiError::not_found())
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<HashMap<String, String>, ApiError> {
    let raw = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| ApiError::not_found())?;
    Ok(raw.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        uuid(&params(parts, state).await?, "id").map(Self)
    }
}

/// The path parameters `id` and `secretId`.
#[derive(Debug)]
pub(crate) struct SecretPath {
    /// The integration.
    pub(crate) id: String,
    /// The secret.
    pub(crate) secret_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for SecretPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = params(parts, state).await?;
        Ok(Self {
            id: uuid(&params, "id")?,
            secret_id: uuid(&params, "secretId")?,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = params(parts, state).await?;
        let key = params.get("key").filter(|k| k.len() <= WORD_CHARS_MAX);
        key.cloned().map(Self).ok_or_else(ApiError::not_found)
    }
}
