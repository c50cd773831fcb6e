//! `/health-updates`: health as WebSocket messages.

use axum::Router;
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use http::{HeaderMap, header};
use url::Url;

use crate::app::App;
use crate::auth::Caller;
use crate::error::{ApiError, ErrorCode};
use crate::live::{Client, MESSAGE_BYTES_MAX};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/health-updates", any(follow_health))
}

/// Not part of the OpenAPI document, which knows no WebSockets; see `docs/operations.md`.
async fn follow_health(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    same_site(&app, &headers)?;
    let place = app.frames().place()?;
    let upgrade = upgrade
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| Client::new(app, caller, socket, place).talk()))
}

/// Browsers send cookies with WebSockets of every page and tell whose page it is: another site's is
/// refused. Programs tell nothing, and bring a key.
fn same_site(app: &App, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &http::HeaderValue| value.to_str().ok())
    };
    let Some(origin) = text(header::ORIGIN) else {
        return Ok(());
    };
    let public = app.config().public_url.as_deref().and_then(|url| Url::parse(url).ok());
    let is_public = public.is_some_and(|url| url.origin().ascii_serialization() == origin);
    let host = origin.split_once("://").map(|(_, host)| host);
    if is_public || host.is_some() && host == text(header::HOST) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::CsrfMismatch,
        "The request comes from a page of another site.",
    ))
}
