//! A new password through a one-time link.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::Time;
use lk_core::access::Permit;
use lk_core::time::DAY;
use lk_store::{NewOneTimeLink, RESET_LINK, StoreError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::{Origin, new_token, token_hash};
use crate::dto::member::LinkToken;
use crate::dto::profile::{PasswordReset, ResetPreview};
use crate::error::ApiError;
use crate::extract::{BaseUrl, Body, NoParams, Query};

/// How long a link works.
const LINK_LIFE_MS: i64 = DAY;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(look_at_reset))
        .routes(routes!(reset_password))
}

/// Makes the link that sets a new password for somebody, and says when it stops working.
pub(super) async fn make_link(
    app: &App,
    permit: &Permit,
    user_id: &str,
    base: &BaseUrl,
) -> Result<(String, Time), ApiError> {
    let now = app.now();
    let token = new_token()?;
    let link = NewOneTimeLink {
        hash: token_hash(&token).to_vec(),
        purpose: RESET_LINK.to_owned(),
        project_id: None,
        subject: Some(user_id.to_owned()),
        payload: "{}".to_owned(),
        expires_at: now + LINK_LIFE_MS,
    };
    app.store().create_one_time_link(permit, &link, now).await?;
    Ok((format!("{}/reset?token={token}", base.0), link.expires_at))
}

/// Whose password a link sets.
#[utoipa::path(
    post, path = "/api/password-reset/look", operation_id = "lookAtReset", tag = "session",
    request_body = LinkToken,
    responses(
        (status = 200, body = ResetPreview),
        (status = 401, body = crate::error::ErrorBody, description = "`bad_link`: used, expired or unknown."),
    )
)]
async fn look_at_reset(
    State(app): State<App>,
    origin: Origin,
    _: Query<NoParams>,
    Body(input): Body<LinkToken>,
) -> Result<Json<ResetPreview>, ApiError> {
    let (link, user) = super::with_link(&app, RESET_LINK, &origin.source, async {
        let hash = token_hash(&input.token);
        let link = app.store().one_time_link(&hash, RESET_LINK, app.now()).await?;
        let link = link.ok_or_else(ApiError::bad_link)?;
        let subject = link.subject.as_deref().ok_or_else(ApiError::bad_link)?;
        let user = app.store().user(subject).await?;
        Ok((link, user))
    })
    .await?;
    Ok(Json(ResetPreview {
        email: user.email,
        expires_at: link.expires_at.into(),
    }))
}

/// Set a new password through a link. Every session ends: sign in with the new one.
#[utoipa::path(
    post, path = "/api/password-reset", operation_id = "resetPassword", tag = "session",
    request_body = PasswordReset,
    responses(
        (status = 204, description = "Set; the link is used up and every session has ended."),
        (status = 401, body = crate::error::ErrorBody, description = "`bad_link`: used, expired or unknown."),
    )
)]
async fn reset_password(
    State(app): State<App>,
    origin: Origin,
    _: Query<NoParams>,
    Body(input): Body<PasswordReset>,
) -> Result<StatusCode, ApiError> {
    super::with_link(&app, RESET_LINK, &origin.source, async {
        let (now, link) = (app.now(), token_hash(&input.token));
        // Looked at before the expensive hash, so that guessing costs us nothing.
        if app.store().one_time_link(&link, RESET_LINK, now).await?.is_none() {
            return Err(ApiError::bad_link());
        }
        let hash = app.passwords().hash(input.password).await?;
        let done = app
            .store()
            .reset_password(&link, &hash, Some(&origin.source), now)
            .await;
        done.map_err(|error| match error {
            StoreError::NotFound { .. } => ApiError::bad_link(),
            error => error.into(),
        })
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
