//! Problems: failures grouped by fingerprint, and what people decide about them.

use axum::Json;
use axum::extract::State;
use lk_core::Time;
use lk_core::access::Verb;
use lk_core::words::{Category, ProblemState, Severity};
use lk_store::{ProblemFilter, ProblemPatch as StoredPatch};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{CURSOR_CHARS_MAX, LIMIT_DEFAULT, LIMIT_MAX, WORD_CHARS_MAX, chosen_integrations};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::dto::present::Present;
use crate::dto::problem::{OwnerChange, Problem, ProblemList, ProblemPatch};
use crate::dto::words::{CategoryWord, SeverityWord, StateWord};
use crate::error::ApiError;
use crate::extract::{Body, FromParams, Id, NoParams, Params, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_problems))
        .routes(routes!(get_problem, update_problem))
}

/// What `GET /api/problems` reads.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ProblemQuery {
    /// Id or slug; the caller's only project when absent.
    #[param(min_length = 1, max_length = 64)]
    project_id: Option<String>,
    /// Only in this state.
    #[param(inline, value_type = Option<StateWord>)]
    state: Option<ProblemState>,
    /// Only of this integration (id).
    #[param(min_length = 1, max_length = 64)]
    integration: Option<String>,
    /// Only of this provider (key).
    #[param(min_length = 1, max_length = 64)]
    provider: Option<String>,
    /// Only of this category.
    #[param(inline, value_type = Option<CategoryWord>)]
    category: Option<Category>,
    /// Only this bad.
    #[param(inline, value_type = Option<SeverityWord>)]
    severity: Option<Severity>,
    /// Problems in the answer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    #[param(min_length = 1, max_length = 200)]
    cursor: Option<String>,
}

impl FromParams for ProblemQuery {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            project_id: params.text("projectId", WORD_CHARS_MAX)?,
            state: params.word("state", ProblemState::parse, &StateWord::choices())?,
            integration: params.text("integration", WORD_CHARS_MAX)?,
            provider: params.text("provider", WORD_CHARS_MAX)?,
            category: params.word("category", Category::parse, &CategoryWord::choices())?,
            severity: params.word("severity", Severity::parse, &SeverityWord::choices())?,
            limit: params.int("limit", 1, LIMIT_MAX)?,
            cursor: params.text("cursor", CURSOR_CHARS_MAX)?,
        })
    }
}

/// The problems of a project, the last seen first.
#[utoipa::path(
    get, path = "/api/problems", operation_id = "listProblems", tag = "problems",
    params(ProblemQuery),
    responses((status = 200, body = ProblemList))
)]
async fn list_problems(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProblemQuery>,
) -> Result<Json<ProblemList>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let project = access.project.rid;
    let (integration, provider) = (query.integration.as_deref(), query.provider.as_deref());
    let filter = ProblemFilter {
        states: query.state.into_iter().collect(),
        integrations: chosen_integrations(&app, project, integration, provider).await?,
        category: query.category,
        severity: query.severity,
        before: query.cursor.as_deref().map(read_cursor).transpose()?,
        ..ProblemFilter::all(project, query.limit.unwrap_or(LIMIT_DEFAULT))
    };
    let page = app.store().problems(&filter).await?;
    let present = Present::new(app.registry());
    Ok(Json(ProblemList {
        items: page.items.into_iter().map(|row| present.problem(row)).collect(),
        next_cursor: page.next.map(|(seen, rid)| format!("{}.{rid}", seen.ms())),
    }))
}

fn read_cursor(text: &str) -> Result<(Time, i64), ApiError> {
    text.split_once('.')
        .and_then(|(seen, rid)| Some((Time(seen.parse().ok()?), rid.parse().ok()?)))
        .ok_or_else(|| ApiError::invalid("cursor", "must be the `nextCursor` of a page before."))
}

/// One problem.
#[utoipa::path(
    get, path = "/api/problems/{id}", operation_id = "getProblem", tag = "problems",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, body = Problem))
)]
async fn get_problem(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<Json<Problem>, ApiError> {
    let row = app.store().problem(&id).await?;
    let project = app.store().project_by_rid(row.project_rid).await?;
    Access::by_id(&app, &caller, &project.id).await?;
    Ok(Json(Present::new(app.registry()).problem(row)))
}

/// Change a problem's state or owner.
#[utoipa::path(
    patch, path = "/api/problems/{id}", operation_id = "updateProblem", tag = "problems",
    params(("id" = String, Path, format = Uuid)), request_body = ProblemPatch,
    responses(
        (status = 200, body = Problem),
        (status = 409, body = crate::error::ErrorBody, description = "It changed since `version`."),
    )
)]
async fn update_problem(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    Body(input): Body<ProblemPatch>,
) -> Result<Json<Problem>, ApiError> {
    let row = app.store().problem(&id).await?;
    let project = app.store().project_by_rid(row.project_rid).await?;
    let access = Access::by_id(&app, &caller, &project.id).await?;
    let permit = access.permit(&app, Verb::TriageProblem).await?;
    let patch = StoredPatch {
        state: input.state.map(|word| word.0),
        owner_user_id: match input.owner_id {
            OwnerChange::Keep => None,
            OwnerChange::Clear => Some(None),
            OwnerChange::Set(owner) => Some(Some(owner)),
        },
    };
    let row = app
        .store()
        .patch_problem(&permit, &id, &patch, input.version, app.now())
        .await?;
    app.engine().reload().await?;
    Ok(Json(Present::new(app.registry()).problem(row)))
}
