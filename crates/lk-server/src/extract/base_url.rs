//! Where the caller reached us.

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use http::uri::Authority;

use crate::app::App;
use crate::door;
use crate::error::ApiError;

/// Scheme and host under which the caller reached us, without a slash at the end. Addresses to
/// copy are built on it.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrl(pub(crate) String);

impl FromRequestParts<App> for BaseUrl {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        if let Some(url) = &app.config().public_url {
            return Ok(Self(url.trim_end_matches('/').to_owned()));
        }
        let scheme = if door::is_https(&parts.headers) {
            "https"
        } else {
            "http"
        };
        let host = parts
            .headers
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .or_else(|| parts.uri.authority().map(Authority::as_str))
            .and_then(|host| host.parse::<Authority>().ok())
            .filter(|host| !host.as_str().contains('@'));
        let host = host.as_ref().map_or("localhost", Authority::as_str);
        Ok(Self(format!("{scheme}://{host}")))
    }
}
