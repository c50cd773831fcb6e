//! API keys of a project.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::Time;
use lk_core::access::Verb;
use lk_core::time::DAY;
use lk_store::NewApiKey;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ProjectParam;
use crate::app::App;
use crate::auth::{Access, Caller, Identity, KEY_PREFIX, new_token, token_hash};
use crate::dto::key::{ApiKey, CreatedKey, KeyList, NewKey};
use crate::error::ApiError;
use crate::extract::{Body, Id, NoParams, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_keys, create_key))
        .routes(routes!(revoke_key))
}

/// The API keys of a project.
#[utoipa::path(
    get, path = "/api/keys", operation_id = "listKeys", tag = "keys", params(ProjectParam),
    responses((status = 200, body = KeyList))
)]
async fn list_keys(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
) -> Result<Json<KeyList>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    access.enter_admin_area(&app).await?;
    let keys = app.store().api_keys(&access.project.id).await?;
    let name = &access.project.name;
    Ok(Json(KeyList {
        items: keys.into_iter().map(|row| ApiKey::new(row, name)).collect(),
    }))
}

/// Create an API key.
#[utoipa::path(
    post, path = "/api/keys", operation_id = "createKey", tag = "keys", request_body = NewKey,
    responses((status = 201, body = CreatedKey, description = "Created; its value is shown this once."))
)]
async fn create_key(
    State(app): State<App>,
    caller: Caller,
    _: Query<NoParams>,
    Body(input): Body<NewKey>,
) -> Result<(StatusCode, Json<CreatedKey>), ApiError> {
    let access = Access::to_project(&app, &caller, input.project_id.as_deref()).await?;
    let permit = access.permit(&app, Verb::ManageKeys).await?;
    // Nobody hands out more than they have.
    access.at_least(input.role.0)?;
    let mut scopes = input.scopes();
    if let Identity::Key { key, .. } = &caller.identity
        && let Some(own) = &key.scopes
    {
        let wanted = scopes.unwrap_or_else(|| input.role.0.scopes().collect());
        if let Some(more) = wanted.iter().find(|scope| !own.contains(scope)) {
            return Err(ApiError::scope_missing(*more));
        }
        scopes = Some(wanted);
    }
    let now = app.now();
    let value = format!("{KEY_PREFIX}{}", new_token()?);
    let new = NewApiKey {
        project_id: access.project.id.clone(),
        name: input.name,
        role: input.role.0,
        operator: false,
        scopes,
        hash: token_hash(&value).to_vec(),
        last4: value[value.len() - 4..].to_owned(),
        expires_at: soonest(
            input.expires_in_days.map(|days| now + i64::from(days) * DAY),
            limit_of(&caller),
        ),
    };
    let stored = app.store().create_api_key(&permit, &new, now).await?;
    let created = CreatedKey {
        key: ApiKey::new(stored, &access.project.name),
        value,
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// When the calling key ends: what it makes ends with it.
fn limit_of(caller: &Caller) -> Option<Time> {
    match &caller.identity {
        Identity::Key { key, .. } => key.expires_at,
        Identity::User { .. } => None,
    }
}

fn soonest(wanted: Option<Time>, limit: Option<Time>) -> Option<Time> {
    [wanted, limit].into_iter().flatten().min()
}

/// Revoke an API key.
#[utoipa::path(
    delete, path = "/api/keys/{id}", operation_id = "revokeKey", tag = "keys",
    params(ProjectParam, ("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Revoked; streams it opened end within seconds."))
)]
async fn revoke_key(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query(query): Query<ProjectParam>,
) -> Result<StatusCode, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let permit = access.permit(&app, Verb::ManageKeys).await?;
    app.store()
        .revoke_api_key(&permit, &access.project.id, &id, app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
