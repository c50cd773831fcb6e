//! One's own account: name, password, sessions, keys one made.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::access::Verb;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::{Origin, Person, Shown, permit_installation, prove, require_proof};
use crate::dto::iso;
use crate::dto::key::{ApiKey, KeyList};
use crate::dto::profile::{LinkedIdentity, PasswordChange, Profile, ProfilePatch, SessionList, TotpState};
use crate::error::{ApiError, ErrorCode};
use crate::extract::{Body, Id, NoParams, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_profile, update_profile))
        .routes(routes!(change_password))
        .routes(routes!(list_own_sessions, end_other_sessions))
        .routes(routes!(end_own_session))
        .routes(routes!(unlink_identities))
        .routes(routes!(list_own_keys))
        .routes(routes!(revoke_own_key))
}

async fn profile_of(app: &App, user_id: &str) -> Result<Profile, ApiError> {
    let row = app.store().user_row(user_id).await?;
    let identities = app.store().identities(user_id).await?.into_iter();
    let (since, recovery_codes_left) = app.store().authenticator_state(user_id).await?.unzip();
    Ok(Profile {
        version: row.user.version,
        user: row.user.into(),
        identities: identities
            .map(|identity| LinkedIdentity {
                issuer: identity.issuer,
                email: identity.email,
                created_at: identity.created_at.into(),
            })
            .collect(),
        has_password: row.has_password,
        totp: TotpState {
            enabled: row.totp,
            since: iso(since),
            recovery_codes_left: recovery_codes_left.unwrap_or(0),
        },
    })
}

/// One's own account.
#[utoipa::path(
    get, path = "/api/profile", operation_id = "getProfile", tag = "profile",
    responses((status = 200, body = Profile))
)]
async fn get_profile(State(app): State<App>, person: Person, _: Query<NoParams>) -> Result<Json<Profile>, ApiError> {
    Ok(Json(profile_of(&app, &person.user.id).await?))
}

/// Change one's own name.
#[utoipa::path(
    patch, path = "/api/profile", operation_id = "updateProfile", tag = "profile", request_body = ProfilePatch,
    responses(
        (status = 200, body = Profile),
        (status = 409, body = crate::error::ErrorBody, description = "It changed since `version`."),
    )
)]
async fn update_profile(
    State(app): State<App>,
    person: Person,
    _: Query<NoParams>,
    Body(input): Body<ProfilePatch>,
) -> Result<Json<Profile>, ApiError> {
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store()
        .rename_oneself(&permit, &input.name, input.version, app.now())
        .await?;
    Ok(Json(profile_of(&app, &person.user.id).await?))
}

/// Change one's own password. Every other session ends.
#[utoipa::path(
    put, path = "/api/profile/password", operation_id = "changePassword", tag = "profile",
    request_body = PasswordChange,
    responses(
        (status = 204, description = "Changed; every other session has ended."),
        (status = 401, body = crate::error::ErrorBody, description = "Not signed in, or `current` is wrong."),
    )
)]
async fn change_password(
    State(app): State<App>,
    person: Person,
    origin: Origin,
    _: Query<NoParams>,
    Body(input): Body<PasswordChange>,
) -> Result<StatusCode, ApiError> {
    let known = app.store().credentials_of(&person.user.id).await?;
    if known.as_ref().is_some_and(|known| known.password_hash.is_some()) {
        let shown = Shown {
            email: &person.user.email,
            password: input.current.unwrap_or_default(),
            code: None,
        };
        prove_password(&app, known, shown, &origin).await?;
    } else {
        require_proof(&app, &person.caller).await?;
    }
    let hash = app.passwords().hash(input.password).await?;
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store()
        .set_own_password(&permit, &hash, &person.session, app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The password alone is asked for here: the session is the proof of the rest.
async fn prove_password(
    app: &App,
    known: Option<lk_store::UserCredentials>,
    shown: Shown<'_>,
    origin: &Origin,
) -> Result<(), ApiError> {
    match prove(app, known, shown, origin, "account.password_changed").await {
        Ok(_) => Ok(()),
        Err(error) if error.code() == ErrorCode::CodeRequired => Ok(()),
        Err(error) => Err(error),
    }
}

/// One's own signed-in browsers.
#[utoipa::path(
    get, path = "/api/profile/sessions", operation_id = "listOwnSessions", tag = "profile",
    responses((status = 200, body = SessionList))
)]
async fn list_own_sessions(
    State(app): State<App>,
    person: Person,
    _: Query<NoParams>,
) -> Result<Json<SessionList>, ApiError> {
    let rows = app
        .store()
        .sessions_of(&person.user.id, &person.session, app.now())
        .await?;
    Ok(Json(SessionList {
        items: rows.into_iter().map(Into::into).collect(),
    }))
}

/// Sign out everywhere else.
#[utoipa::path(
    delete, path = "/api/profile/sessions", operation_id = "endOtherSessions", tag = "profile",
    responses((status = 204, description = "Every other session has ended; their streams end within seconds."))
)]
async fn end_other_sessions(
    State(app): State<App>,
    person: Person,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store()
        .end_other_sessions(&permit, &person.session, app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End one of one's own sessions.
#[utoipa::path(
    delete, path = "/api/profile/sessions/{id}", operation_id = "endOwnSession", tag = "profile",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Ended; its streams end within seconds."))
)]
async fn end_own_session(
    State(app): State<App>,
    person: Person,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store().end_own_session(&permit, &id, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unlink one's account from the identity provider.
#[utoipa::path(
    delete, path = "/api/profile/identities", operation_id = "unlinkIdentities", tag = "profile",
    responses((status = 204, description = "Signing in there leads here no longer; linking again does."))
)]
async fn unlink_identities(State(app): State<App>, person: Person, _: Query<NoParams>) -> Result<StatusCode, ApiError> {
    require_proof(&app, &person.caller).await?;
    if !app.store().user_row(&person.user.id).await?.has_password {
        return Err(ApiError::new(
            ErrorCode::Conflict,
            "Set a password first: without it and the identity provider you could not sign in any more.",
        ));
    }
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store().unlink_own_identities(&permit, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The API keys one made, of any project.
#[utoipa::path(
    get, path = "/api/profile/keys", operation_id = "listOwnKeys", tag = "profile",
    responses((status = 200, body = KeyList))
)]
async fn list_own_keys(State(app): State<App>, person: Person, _: Query<NoParams>) -> Result<Json<KeyList>, ApiError> {
    let rows = app.store().api_keys_made_by(&person.user.id).await?;
    let names = super::project_names(&app).await?;
    let items = rows.into_iter().map(|row| {
        let name = names.get(&row.project_id).cloned().unwrap_or_default();
        ApiKey::new(row, &name)
    });
    Ok(Json(KeyList { items: items.collect() }))
}

/// Revoke an API key that one made.
#[utoipa::path(
    delete, path = "/api/profile/keys/{id}", operation_id = "revokeOwnKey", tag = "profile",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Revoked; streams it opened end within seconds."))
)]
async fn revoke_own_key(
    State(app): State<App>,
    person: Person,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store().revoke_own_api_key(&permit, &id, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
