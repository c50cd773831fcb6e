//! Webhook secrets, rejected deliveries and the short address of an integration.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::access::Verb;
use lk_core::time::SECOND;
use lk_core::words::Role;
use lk_store::{NewWebhookSecret as StoredNew, SecretSource, SecretText, WebhookSecret as Row};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::integrations::{find, generated_secret};
use crate::app::App;
use crate::auth::Caller;
use crate::dto::integration::{
    CreatedWebhookSecret, NewWebhookSecret, Rejection, RejectionList, RetireSecret, WebhookSecret, WebhookSecretList,
};
use crate::dto::iso;
use crate::error::ApiError;
use crate::extract::{Body, Id, NoParams, Query, SecretPath};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_webhook_secrets, add_webhook_secret))
        .routes(routes!(retire_webhook_secret))
        .routes(routes!(list_rejections))
        .routes(routes!(bind_alias, free_alias))
}

fn secret(row: Row) -> WebhookSecret {
    WebhookSecret {
        id: row.id,
        last4: row.last4,
        state: row.state.as_str().to_owned(),
        source: row.source.as_str().to_owned(),
        created_at: row.created_at.into(),
        expires_at: iso(row.expires_at),
        retired_at: iso(row.retired_at),
    }
}

/// The webhook secrets of an integration, without their values.
#[utoipa::path(
    get, path = "/api/integrations/{id}/webhook-secrets", operation_id = "listWebhookSecrets",
    tag = "integrations", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, body = WebhookSecretList))
)]
async fn list_webhook_secrets(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<Json<WebhookSecretList>, ApiError> {
    let (access, _) = find(&app, &caller, &id).await?;
    access.at_least(Role::Admin)?;
    let rows = app.store().webhook_secrets(&id).await?;
    Ok(Json(WebhookSecretList {
        items: rows.into_iter().map(secret).collect(),
    }))
}

/// Add a webhook secret; the ones before stay accepted until they are retired.
#[utoipa::path(
    post, path = "/api/integrations/{id}/webhook-secrets", operation_id = "addWebhookSecret",
    tag = "integrations", params(("id" = String, Path, format = Uuid)),
    request_body = NewWebhookSecret,
    responses((status = 201, body = CreatedWebhookSecret, description = "Added; a value we made is shown this once."))
)]
async fn add_webhook_secret(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    Body(input): Body<NewWebhookSecret>,
) -> Result<(StatusCode, Json<CreatedWebhookSecret>), ApiError> {
    let (access, integration) = find(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::ManageWebhookSecrets).await?;
    let (value, source, shown) = if let Some(given) = input.secret {
        (given.trim().to_owned(), SecretSource::Manual, None)
    } else {
        let made = generated_secret(&app, &integration.provider)?;
        (made.clone(), SecretSource::Generated, Some(made))
    };
    let new = StoredNew {
        value: SecretText::new(value),
        source,
    };
    let row = app.store().add_webhook_secret(&permit, &id, &new, app.now()).await?;
    app.engine().reload().await?;
    Ok((
        StatusCode::CREATED,
        Json(CreatedWebhookSecret {
            secret: secret(row),
            value: shown,
        }),
    ))
}

/// Retire a webhook secret, at once or after a grace.
#[utoipa::path(
    post, path = "/api/integrations/{id}/webhook-secrets/{secretId}/retire",
    operation_id = "retireWebhookSecret", tag = "integrations",
    params(("id" = String, Path, format = Uuid), ("secretId" = String, Path, format = Uuid)),
    request_body = RetireSecret,
    responses((status = 200, body = WebhookSecret))
)]
async fn retire_webhook_secret(
    State(app): State<App>,
    caller: Caller,
    path: SecretPath,
    _: Query<NoParams>,
    Body(input): Body<RetireSecret>,
) -> Result<Json<WebhookSecret>, ApiError> {
    let (access, _) = find(&app, &caller, &path.id).await?;
    let permit = access.permit(&app, Verb::ManageWebhookSecrets).await?;
    let grace_ms = i64::from(input.grace_seconds.unwrap_or(0)) * SECOND;
    let row = app
        .store()
        .retire_webhook_secret(&permit, &path.id, &path.secret_id, grace_ms, app.now())
        .await?;
    app.engine().reload().await?;
    Ok(Json(secret(row)))
}

/// Why deliveries of an integration were rejected.
#[utoipa::path(
    get, path = "/api/integrations/{id}/rejections", operation_id = "listRejections",
    tag = "integrations", params(("id" = String, Path, format = Uuid)),
    responses((status = 200, body = RejectionList))
)]
async fn list_rejections(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<Json<RejectionList>, ApiError> {
    let (_, integration) = find(&app, &caller, &id).await?;
    let rows = app.store().rejections(integration.rid).await?;
    let items = rows
        .into_iter()
        .map(|row| {
            let detail: serde_json::Value = serde_json::from_str(&row.detail).unwrap_or_default();
            let explained = lk_provider::Rejection::parse(&row.reason, &detail);
            Rejection {
                explanation: explained
                    .as_ref()
                    .map(lk_provider::Rejection::explanation)
                    .unwrap_or_default(),
                hint: explained.as_ref().map(lk_provider::Rejection::hint).unwrap_or_default(),
                reason: row.reason,
                count: row.count,
                first_at: row.first_at.into(),
                last_at: row.last_at.into(),
                detail,
            }
        })
        .collect();
    Ok(Json(RejectionList { items }))
}

/// Give an integration its provider's short address `/webhooks/{provider}`.
#[utoipa::path(
    post, path = "/api/integrations/{id}/alias", operation_id = "bindAlias", tag = "integrations",
    params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 204, description = "Bound."),
        (status = 409, body = crate::error::ErrorBody, description = "Another project has it."),
    )
)]
async fn bind_alias(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    let (access, _) = find(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::ConfigureIntegration).await?;
    app.store().bind_alias(&permit, &id, app.now()).await?;
    app.engine().reload().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Free the short address that an integration has.
#[utoipa::path(
    delete, path = "/api/integrations/{id}/alias", operation_id = "freeAlias", tag = "integrations",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Freed."))
)]
async fn free_alias(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    let (access, _) = find(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::ConfigureIntegration).await?;
    app.store().free_alias(&permit, &id, app.now()).await?;
    app.engine().reload().await?;
    Ok(StatusCode::NO_CONTENT)
}
