//! People of the installation, for its operator.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::access::Verb;
use lk_store::{NewUser as StoredNew, UserPatch as StoredPatch};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::password_reset::make_link;
use crate::app::App;
use crate::auth::{Caller, enter_operator_area, permit_installation};
use crate::dto::user::{CreatedUser, NewUser, ResetLink, UserList, UserPatch, UserRow};
use crate::error::ApiError;
use crate::extract::{BaseUrl, Body, Id, NoParams, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(update_user))
        .routes(routes!(create_reset_link))
        .routes(routes!(end_sessions_of))
        .routes(routes!(remove_totp_of))
        .routes(routes!(unlink_identities_of))
}

async fn row_of(app: &App, user_id: &str) -> Result<UserRow, ApiError> {
    Ok(app.store().user_row(user_id).await?.into())
}

/// Everybody.
#[utoipa::path(
    get, path = "/api/users", operation_id = "listUsers", tag = "people",
    responses((status = 200, body = UserList))
)]
async fn list_users(State(app): State<App>, caller: Caller, _: Query<NoParams>) -> Result<Json<UserList>, ApiError> {
    enter_operator_area(&app, &caller).await?;
    let rows = app.store().users().await?;
    Ok(Json(UserList {
        items: rows.into_iter().map(Into::into).collect(),
    }))
}

/// Add a person.
#[utoipa::path(
    post, path = "/api/users", operation_id = "createUser", tag = "people", request_body = NewUser,
    responses(
        (status = 201, body = CreatedUser, description = "Added; the link that sets a password is shown this once."),
        (status = 409, body = crate::error::ErrorBody, description = "The address has an account."),
    )
)]
async fn create_user(
    State(app): State<App>,
    caller: Caller,
    _: Query<NoParams>,
    base: BaseUrl,
    Body(input): Body<NewUser>,
) -> Result<(StatusCode, Json<CreatedUser>), ApiError> {
    let permit = permit_installation(&app, &caller, Verb::ManageUsers).await?;
    let new = StoredNew {
        email: input.email,
        name: input.name,
        password_hash: None,
        operator: input.operator.unwrap_or(false),
    };
    let user = app.store().create_user(&permit, &new, app.now()).await?;
    let (link, expires_at) = make_link(&app, &permit, &user.id, &base).await?;
    let created = CreatedUser {
        user: row_of(&app, &user.id).await?,
        link,
        expires_at: expires_at.into(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Change a person's name, or whether they run the installation or may sign in.
#[utoipa::path(
    patch, path = "/api/users/{id}", operation_id = "updateUser", tag = "people",
    params(("id" = String, Path, format = Uuid)), request_body = UserPatch,
    responses(
        (status = 200, body = UserRow),
        (status = 409, body = crate::error::ErrorBody, description = "It changed since `version`."),
    )
)]
async fn update_user(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    Body(input): Body<UserPatch>,
) -> Result<Json<UserRow>, ApiError> {
    let permit = permit_installation(&app, &caller, Verb::ManageUsers).await?;
    let patch = StoredPatch {
        name: input.name,
        operator: input.operator,
        disabled: input.disabled,
    };
    app.store()
        .update_user(&permit, &id, &patch, input.version, app.now())
        .await?;
    Ok(Json(row_of(&app, &id).await?))
}

/// Make a link with which somebody sets a new password.
#[utoipa::path(
    post, path = "/api/users/{id}/password-reset", operation_id = "createResetLink", tag = "people",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 201, body = ResetLink, description = "Shown this once; an earlier one no longer works."))
)]
async fn create_reset_link(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    base: BaseUrl,
) -> Result<(StatusCode, Json<ResetLink>), ApiError> {
    let permit = permit_installation(&app, &caller, Verb::ManageUsers).await?;
    app.store().user(&id).await?;
    let (link, expires_at) = make_link(&app, &permit, &id, &base).await?;
    let made = ResetLink {
        link,
        expires_at: expires_at.into(),
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Sign somebody out everywhere.
#[utoipa::path(
    delete, path = "/api/users/{id}/sessions", operation_id = "endSessionsOf", tag = "people",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Signed out; their streams end within seconds."))
)]
async fn end_sessions_of(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    let permit = permit_installation(&app, &caller, Verb::ManageUsers).await?;
    app.store().end_sessions_of(&permit, &id, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove the authenticator of somebody who lost it.
#[utoipa::path(
    delete, path = "/api/users/{id}/totp", operation_id = "removeTotpOf", tag = "people",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Only the password is asked for, until they set up another."))
)]
async fn remove_totp_of(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    let permit = permit_installation(&app, &caller, Verb::ManageUsers).await?;
    app.store().remove_authenticator_of(&permit, &id, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unlink somebody's account from the identity provider.
#[utoipa::path(
    delete, path = "/api/users/{id}/identities", operation_id = "unlinkIdentitiesOf", tag = "people",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Signing in there leads to this account no longer."))
)]
async fn unlink_identities_of(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    let permit = permit_installation(&app, &caller, Verb::ManageUsers).await?;
    app.store().unlink_identities_of(&permit, &id, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
