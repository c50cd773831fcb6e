//! Where a request comes from.

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;

use crate::app::App;
use crate::door;
use crate::error::ApiError;

use super::caller::source;

/// Where a request comes from, for sign-ins and the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client's address.
    pub(crate) source: String,
    /// Whether its connection is encrypted.
    pub(crate) https: bool,
    /// What the browser calls itself.
    pub(crate) user_agent: Option<String>,
}

impl FromRequestParts<App> for Origin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let agent = parts.headers.get(header::USER_AGENT);
        Ok(Self {
            source: source(&parts.extensions),
            https: door::is_https(&parts.headers),
            user_agent: agent.and_then(|value| value.to_str().ok()).map(str::to_owned),
        })
    }
}
