//! The demo: loaded and removed by a project's admin.

use axum::Json;
use axum::extract::State;
use lk_core::access::Verb;
use lk_core::observation::ProjectRid;
use lk_store::Project;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ProjectParam;
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::demo::Demo as DemoSwitch;
use crate::dto::overview::Demo;
use crate::error::{ApiError, ErrorCode};
use crate::extract::Query;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_demo, load_demo, remove_demo))
}

/// How many integrations of a project the demo made.
pub(super) async fn loaded(app: &App, project: ProjectRid) -> Result<i64, ApiError> {
    let rows = app.store().integrations(project).await?;
    Ok(rows.iter().filter(|row| row.demo).count() as i64)
}

async fn state(app: &App, project: &Project) -> Result<Json<Demo>, ApiError> {
    let integrations = loaded(app, project.rid).await?;
    Ok(Json(Demo {
        loaded: integrations > 0,
        running: app.demo().is_some_and(|demo| demo.running(project)),
        integrations,
    }))
}

/// Whether the demo is loaded.
#[utoipa::path(
    get, path = "/api/demo", operation_id = "getDemo", tag = "demo", params(ProjectParam),
    responses((status = 200, body = Demo))
)]
async fn get_demo(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
) -> Result<Json<Demo>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    state(&app, &access.project).await
}

/// Load the demo.
#[utoipa::path(
    post, path = "/api/demo", operation_id = "loadDemo", tag = "demo", params(ProjectParam),
    responses(
        (status = 200, body = Demo),
        (status = 409, body = crate::error::ErrorBody, description = "This server has no demo."),
    )
)]
async fn load_demo(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
) -> Result<Json<Demo>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let permit = access.permit(&app, Verb::ManageDemo).await?;
    switch(&app)?.load(&permit, &access.project).await?;
    app.engine().reload().await?;
    state(&app, &access.project).await
}

/// Remove the demo and what it made.
#[utoipa::path(
    delete, path = "/api/demo", operation_id = "removeDemo", tag = "demo", params(ProjectParam),
    responses(
        (status = 200, body = Demo),
        (status = 409, body = crate::error::ErrorBody, description = "This server has no demo."),
    )
)]
async fn remove_demo(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
) -> Result<Json<Demo>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let permit = access.permit(&app, Verb::ManageDemo).await?;
    switch(&app)?.remove(&permit, &access.project).await?;
    app.engine().reload().await?;
    state(&app, &access.project).await
}

fn switch(app: &App) -> Result<&dyn DemoSwitch, ApiError> {
    app.demo()
        .ok_or_else(|| ApiError::new(ErrorCode::Conflict, "This server has no demo."))
}
