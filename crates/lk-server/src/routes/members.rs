//! Who belongs to a project.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::access::Verb;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ProjectParam;
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::dto::member::{Member, MemberList, MemberPatch};
use crate::error::ApiError;
use crate::extract::{Body, Id, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_members))
        .routes(routes!(update_member, remove_member))
}

/// Who belongs to a project.
#[utoipa::path(
    get, path = "/api/members", operation_id = "listMembers", tag = "members", params(ProjectParam),
    responses((status = 200, body = MemberList))
)]
async fn list_members(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
) -> Result<Json<MemberList>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let members = app.store().members(&access.project.id).await?;
    let viewer = access.viewer();
    Ok(Json(MemberList {
        items: members.into_iter().map(|member| Member::new(member, viewer)).collect(),
    }))
}

/// Change a member's role. Only owners make owners, or change them; the last one stays.
#[utoipa::path(
    patch, path = "/api/members/{id}", operation_id = "updateMember", tag = "members",
    params(ProjectParam, ("id" = String, Path, format = Uuid)), request_body = MemberPatch,
    responses(
        (status = 200, body = Member),
        (status = 409, body = crate::error::ErrorBody, description = "It changed since `version`."),
    )
)]
async fn update_member(
    State(app): State<App>,
    caller: Caller,
    Id(user_id): Id,
    Query(query): Query<ProjectParam>,
    Body(input): Body<MemberPatch>,
) -> Result<Json<Member>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let permit = access.permit(&app, Verb::ManageMembers).await?;
    let before = app.store().member(&access.project.id, &user_id).await?;
    let permit = match Verb::to_set_role(before.role, input.role.0) {
        Verb::ManageMembers => permit,
        verb => access.permit(&app, verb).await?,
    };
    let changed = (user_id.as_str(), input.version);
    let member = app
        .store()
        .change_role(&permit, &access.project.id, changed, input.role.0, app.now())
        .await?;
    Ok(Json(Member::new(member, access.viewer())))
}

/// Take somebody out of a project. The last owner stays.
#[utoipa::path(
    delete, path = "/api/members/{id}", operation_id = "removeMember", tag = "members",
    params(ProjectParam, ("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Removed; their streams of this project end within seconds."))
)]
async fn remove_member(
    State(app): State<App>,
    caller: Caller,
    Id(user_id): Id,
    Query(query): Query<ProjectParam>,
) -> Result<StatusCode, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let permit = access.permit(&app, Verb::ManageMembers).await?;
    let before = app.store().member(&access.project.id, &user_id).await?;
    let permit = match Verb::to_set_role(before.role, before.role) {
        Verb::ManageMembers => permit,
        verb => access.permit(&app, verb).await?,
    };
    app.store()
        .remove_member(&permit, &access.project.id, &user_id, app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
