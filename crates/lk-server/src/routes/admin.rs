//! Audit log, members and API keys of a project.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::access::Verb;
use lk_core::time::DAY;
use lk_core::words::Role;
use lk_store::{ApiKey as StoredKey, NewApiKey};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{CURSOR_CHARS_MAX, LIMIT_DEFAULT, LIMIT_MAX, ProjectParam, WORD_CHARS_MAX};
use crate::app::App;
use crate::auth::{Access, Caller, KEY_PREFIX, new_token, token_hash};
use crate::dto::admin::{ApiKey, AuditEntry, AuditList, CreatedKey, KeyList, Member, MemberList, NewKey};
use crate::dto::iso;
use crate::error::ApiError;
use crate::extract::{Body, FromParams, Id, NoParams, Params, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_audit))
        .routes(routes!(list_members))
        .routes(routes!(list_keys, create_key))
        .routes(routes!(revoke_key))
}

/// What `GET /api/audit` reads.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct AuditQuery {
    /// Id or slug; the caller's only project when absent.
    #[param(min_length = 1, max_length = 64)]
    project_id: Option<String>,
    /// Rows in the answer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    #[param(min_length = 1, max_length = 200)]
    cursor: Option<String>,
}

impl FromParams for AuditQuery {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            project_id: params.text("projectId", WORD_CHARS_MAX)?,
            limit: params.int("limit", 1, LIMIT_MAX)?,
            cursor: params.text("cursor", CURSOR_CHARS_MAX)?,
        })
    }
}

/// Who changed what in a project.
#[utoipa::path(
    get, path = "/api/audit", operation_id = "listAudit", tag = "admin", params(AuditQuery),
    responses((status = 200, body = AuditList))
)]
async fn list_audit(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditList>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    access.at_least(Role::Admin)?;
    let before = super::number_cursor(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.store().audit_log(Some(&access.project.id), before, limit).await?;
    let full = rows.len() == limit as usize;
    let next_cursor = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    let items = rows
        .into_iter()
        .map(|row| AuditEntry {
            at: row.at.into(),
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            action: row.action,
            target: row.target,
            summary: row.summary,
            result: row.result,
            source: row.source,
        })
        .collect();
    Ok(Json(AuditList { items, next_cursor }))
}

/// Who belongs to a project.
#[utoipa::path(
    get, path = "/api/members", operation_id = "listMembers", tag = "admin", params(ProjectParam),
    responses((status = 200, body = MemberList))
)]
async fn list_members(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
) -> Result<Json<MemberList>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let sees_addresses = access.viewer().sees_addresses();
    let members = app.store().members(&access.project.id).await?;
    let items = members
        .into_iter()
        .map(|member| Member {
            user_id: member.user.id,
            name: member.user.name,
            email: sees_addresses.then_some(member.user.email),
            role: member.role.into(),
            created_at: member.member_since.into(),
        })
        .collect();
    Ok(Json(MemberList { items }))
}

/// The API keys of a project.
#[utoipa::path(
    get, path = "/api/keys", operation_id = "listKeys", tag = "admin", params(ProjectParam),
    responses((status = 200, body = KeyList))
)]
async fn list_keys(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
) -> Result<Json<KeyList>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    access.at_least(Role::Admin)?;
    let keys = app.store().api_keys(&access.project.id).await?;
    Ok(Json(KeyList {
        items: keys.into_iter().map(key).collect(),
    }))
}

fn key(row: StoredKey) -> ApiKey {
    ApiKey {
        id: row.id,
        name: row.name,
        role: row.role.into(),
        last4: row.last4,
        created_at: row.created_at.into(),
        expires_at: iso(row.expires_at),
        last_used_at: iso(row.last_used_at),
        revoked_at: iso(row.revoked_at),
    }
}

/// Create an API key.
#[utoipa::path(
    post, path = "/api/keys", operation_id = "createKey", tag = "admin", request_body = NewKey,
    responses((status = 201, body = CreatedKey, description = "Created; its value is shown this once."))
)]
async fn create_key(
    State(app): State<App>,
    caller: Caller,
    _: Query<NoParams>,
    Body(input): Body<NewKey>,
) -> Result<(StatusCode, Json<CreatedKey>), ApiError> {
    let access = Access::to_project(&app, &caller, input.project_id.as_deref()).await?;
    let permit = access.permit(Verb::ManageKeys)?;
    // Nobody hands out more than they have.
    access.at_least(input.role.0)?;
    let now = app.now();
    let value = format!("{KEY_PREFIX}{}", new_token()?);
    let new = NewApiKey {
        project_id: access.project.id.clone(),
        name: input.name,
        role: input.role.0,
        operator: false,
        hash: token_hash(&value).to_vec(),
        last4: value[value.len() - 4..].to_owned(),
        expires_at: input.expires_in_days.map(|days| now + i64::from(days) * DAY),
    };
    let stored = app.store().create_api_key(&permit, &new, now).await?;
    Ok((
        StatusCode::CREATED,
        Json(CreatedKey {
            key: key(stored),
            value,
        }),
    ))
}

/// Revoke an API key.
#[utoipa::path(
    delete, path = "/api/keys/{id}", operation_id = "revokeKey", tag = "admin",
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
    let permit = access.permit(Verb::ManageKeys)?;
    app.store()
        .revoke_api_key(&permit, &access.project.id, &id, app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
