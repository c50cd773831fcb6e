//! Projects.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::access::Verb;
use lk_store::{NewProject as StoredNew, ProjectPatch as StoredPatch};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::{Access, Caller, Identity, Person, permit_installation};
use crate::dto::project::{DeleteProject, NewProject, ProjectDetail, ProjectList, ProjectPatch, ProjectRow, Transfer};
use crate::error::ApiError;
use crate::extract::{Body, Id, NoParams, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_projects, create_project))
        .routes(routes!(get_project, update_project, delete_project))
        .routes(routes!(transfer_project))
        .routes(routes!(leave_project))
}

async fn detail(app: &App, access: &Access) -> Result<Json<ProjectDetail>, ApiError> {
    let counts = app.store().project_counts(&access.project).await?;
    Ok(Json(ProjectDetail::new(&access.project, access.membership(), counts)))
}

/// The caller's projects; an operator's are all.
#[utoipa::path(
    get, path = "/api/projects", operation_id = "listProjects", tag = "projects",
    responses((status = 200, body = ProjectList))
)]
async fn list_projects(
    State(app): State<App>,
    caller: Caller,
    _: Query<NoParams>,
) -> Result<Json<ProjectList>, ApiError> {
    let sizes = app.store().project_sizes().await?;
    let rows = Access::all(&app, &caller).await?.into_iter().map(|access| {
        let (members, integrations) = sizes.get(&access.project.id).copied().unwrap_or_default();
        ProjectRow::new(&access.project, access.membership(), members, integrations)
    });
    Ok(Json(ProjectList { items: rows.collect() }))
}

/// Create a project. The person who does becomes its owner.
#[utoipa::path(
    post, path = "/api/projects", operation_id = "createProject", tag = "projects", request_body = NewProject,
    responses(
        (status = 201, body = ProjectDetail),
        (status = 409, body = crate::error::ErrorBody, description = "The slug is taken."),
    )
)]
async fn create_project(
    State(app): State<App>,
    caller: Caller,
    _: Query<NoParams>,
    Body(input): Body<NewProject>,
) -> Result<(StatusCode, Json<ProjectDetail>), ApiError> {
    let permit = permit_installation(&app, &caller, Verb::CreateProject).await?;
    let owner = match &caller.identity {
        Identity::User { user, .. } => Some(user.id.clone()),
        Identity::Key { .. } => None,
    };
    let new = StoredNew {
        slug: input.slug,
        name: input.name,
        owner,
    };
    let project = app.store().create_project(&permit, &new, app.now()).await?;
    let access = Access::by_id(&app, &caller, &project.id).await?;
    Ok((StatusCode::CREATED, detail(&app, &access).await?))
}

/// A project, and what deleting it would lose.
#[utoipa::path(
    get, path = "/api/projects/{id}", operation_id = "getProject", tag = "projects",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, body = ProjectDetail))
)]
async fn get_project(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<Json<ProjectDetail>, ApiError> {
    detail(&app, &Access::by_id(&app, &caller, &id).await?).await
}

/// Change a project's name and feature flags.
#[utoipa::path(
    patch, path = "/api/projects/{id}", operation_id = "updateProject", tag = "projects",
    params(("id" = String, Path, format = Uuid)), request_body = ProjectPatch,
    responses(
        (status = 200, body = ProjectDetail),
        (status = 409, body = crate::error::ErrorBody, description = "It changed since `version`."),
    )
)]
async fn update_project(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    Body(input): Body<ProjectPatch>,
) -> Result<Json<ProjectDetail>, ApiError> {
    let access = Access::by_id(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::ConfigureProject).await?;
    let patch = StoredPatch {
        name: input.name,
        flags: input.flags.map(|flags| flags.on(access.project.flags)),
    };
    app.store()
        .update_project(&permit, &id, &patch, input.version, app.now())
        .await?;
    detail(&app, &Access::by_id(&app, &caller, &id).await?).await
}

/// Delete a project with everything in it.
#[utoipa::path(
    delete, path = "/api/projects/{id}", operation_id = "deleteProject", tag = "projects",
    params(("id" = String, Path, format = Uuid)), request_body = DeleteProject,
    responses((status = 204, description = "Gone, with its integrations, keys and members' access."))
)]
async fn delete_project(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    Body(input): Body<DeleteProject>,
) -> Result<StatusCode, ApiError> {
    let access = Access::by_id(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::DeleteProject).await?;
    if input.confirm != access.project.slug {
        return Err(ApiError::invalid(
            "confirm",
            format_args!("must be the project's slug, `{}`.", access.project.slug),
        ));
    }
    app.store().delete_project(&permit, &id, app.now()).await?;
    app.engine().reload().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hand a project to another member. The owner who does becomes an admin.
#[utoipa::path(
    post, path = "/api/projects/{id}/transfer", operation_id = "transferProject", tag = "projects",
    params(("id" = String, Path, format = Uuid)), request_body = Transfer,
    responses((status = 200, body = ProjectDetail))
)]
async fn transfer_project(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    Body(input): Body<Transfer>,
) -> Result<Json<ProjectDetail>, ApiError> {
    let access = Access::by_id(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::TransferProject).await?;
    app.store()
        .transfer_project(&permit, &id, &input.user_id, app.now())
        .await?;
    detail(&app, &Access::by_id(&app, &caller, &id).await?).await
}

/// Leave a project. The last owner stays.
#[utoipa::path(
    post, path = "/api/projects/{id}/leave", operation_id = "leaveProject", tag = "projects",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Left."))
)]
async fn leave_project(
    State(app): State<App>,
    person: Person,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    Access::by_id(&app, &person.caller, &id).await?;
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    app.store().leave_project(&permit, &id, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}
