//! One's own authenticator.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::access::Verb;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::{Origin, Person, bad_code, begin_attempt, permit_installation, require_proof, totp};
use crate::dto::profile::{RecoveryCodes, TotpCode, TotpSetup};
use crate::error::ApiError;
use crate::extract::{Body, NoParams, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(begin_totp, confirm_totp, remove_totp))
        .routes(routes!(replace_recovery_codes))
}

/// Begin to set up an authenticator. It is asked for once a code of it was confirmed.
#[utoipa::path(
    post, path = "/api/profile/totp", operation_id = "beginTotp", tag = "profile",
    responses((status = 201, body = TotpSetup, description = "The secret is shown this once."))
)]
async fn begin_totp(
    State(app): State<App>,
    person: Person,
    _: Query<NoParams>,
) -> Result<(StatusCode, Json<TotpSetup>), ApiError> {
    require_proof(&app, &person.caller).await?;
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    let secret = totp::new_secret()?;
    app.store().begin_authenticator(&permit, &secret, app.now()).await?;
    let (url, qr_svg) = totp::address(&secret, &person.user.email)?;
    let setup = TotpSetup {
        secret: secret.expose().to_owned(),
        url,
        qr_svg,
    };
    Ok((StatusCode::CREATED, Json(setup)))
}

/// Confirm the authenticator with a code of it. From now on it is asked for.
#[utoipa::path(
    put, path = "/api/profile/totp", operation_id = "confirmTotp", tag = "profile", request_body = TotpCode,
    responses(
        (status = 200, body = RecoveryCodes, description = "Confirmed; the recovery codes are shown this once."),
        (status = 401, body = crate::error::ErrorBody, description = "Not signed in, or `bad_code`."),
    )
)]
async fn confirm_totp(
    State(app): State<App>,
    person: Person,
    origin: Origin,
    _: Query<NoParams>,
    Body(input): Body<TotpCode>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let (email, source) = (person.user.email.as_str(), origin.source.as_str());
    let authenticator = app.store().authenticator(&person.user.id).await?;
    let pending = authenticator
        .filter(|a| a.confirmed_at.is_none())
        .ok_or_else(ApiError::not_found)?;
    let now = app.now();
    // Whoever guessed it at a stolen session would be shown the recovery codes.
    begin_attempt(&app, email, source)?;
    let step = totp::step_of(&pending.secret, &input.code, now)?.ok_or_else(bad_code)?;
    app.throttle().undo(email, source);
    let (shown, stored) = totp::new_recovery_codes()?;
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store().confirm_authenticator(&permit, step, &stored, now).await?;
    Ok(Json(RecoveryCodes { recovery_codes: shown }))
}

/// Switch the authenticator off.
#[utoipa::path(
    delete, path = "/api/profile/totp", operation_id = "removeTotp", tag = "profile",
    responses((status = 204, description = "It is no longer asked for; its recovery codes are gone."))
)]
async fn remove_totp(State(app): State<App>, person: Person, _: Query<NoParams>) -> Result<StatusCode, ApiError> {
    require_proof(&app, &person.caller).await?;
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store().remove_own_authenticator(&permit, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make new recovery codes in place of the old ones.
#[utoipa::path(
    post, path = "/api/profile/totp/recovery-codes", operation_id = "replaceRecoveryCodes", tag = "profile",
    responses((status = 201, body = RecoveryCodes, description = "Shown this once; the old ones no longer work."))
)]
async fn replace_recovery_codes(
    State(app): State<App>,
    person: Person,
    _: Query<NoParams>,
) -> Result<(StatusCode, Json<RecoveryCodes>), ApiError> {
    require_proof(&app, &person.caller).await?;
    let (shown, stored) = totp::new_recovery_codes()?;
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store().replace_recovery_codes(&permit, &stored, app.now()).await?;
    Ok((StatusCode::CREATED, Json(RecoveryCodes { recovery_codes: shown })))
}
