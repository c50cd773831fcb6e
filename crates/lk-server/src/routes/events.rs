//! Events: the journal as people and programs read it.

use axum::Json;
use axum::extract::State;
use lk_core::Time;
use lk_core::access::Verb;
use lk_core::words::{Category, EventKind, Outcome, Severity};
use lk_store::{EventDetail as StoredDetail, EventFilter, NewFeedback, OutcomeFilter, TypeFilter};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{
    CURSOR_CHARS_MAX, LIMIT_DEFAULT, LIMIT_MAX, ProjectParam, WORD_CHARS_MAX, chosen_integrations, number_cursor,
};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::dto::event::{EventDetail, EventList, Feedback, FeedbackInput};
use crate::dto::present::{self, Present};
use crate::dto::words::{CategoryWord, KindWord, SeverityWord};
use crate::error::ApiError;
use crate::extract::{Body, FromParams, Id, Params, Query};

/// Other events of the same problem in one answer.
const SIMILAR: u32 = 5;
/// Longest event type in a query.
const TYPE_CHARS_MAX: usize = 120;
/// Longest text to search for.
const SEARCH_CHARS_MAX: usize = 200;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_events))
        .routes(routes!(get_event))
        .routes(routes!(give_feedback))
}

/// How an event ended, as a filter.
#[derive(Debug, Clone, Copy, ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    dead_code,
    reason = "the schema of a query parameter; the reader makes OutcomeFilter"
)]
enum StatusFilter {
    /// Worked.
    Success,
    /// Failed.
    Failure,
    /// Had no outcome.
    Neutral,
}

/// What `GET /api/events` reads.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct EventQuery {
    /// Id or slug; the caller's only project when absent.
    #[param(min_length = 1, max_length = 64)]
    project_id: Option<String>,
    /// Only of this integration (id, or a provider's key for all of its integrations).
    #[param(min_length = 1, max_length = 64)]
    integration: Option<String>,
    /// Only of this provider (key).
    #[param(min_length = 1, max_length = 64)]
    provider: Option<String>,
    /// Only those that ended so.
    #[param(inline, value_type = Option<StatusFilter>)]
    status: Option<OutcomeFilter>,
    /// Only failures of this category.
    #[param(inline, value_type = Option<CategoryWord>)]
    category: Option<Category>,
    /// Only failures this bad.
    #[param(inline, value_type = Option<SeverityWord>)]
    severity: Option<Severity>,
    /// Only this event type; a trailing `*` stands for any ending.
    #[param(min_length = 1, max_length = 120)]
    r#type: Option<String>,
    /// Only of this kind.
    #[param(inline, value_type = Option<KindWord>)]
    kind: Option<EventKind>,
    /// Only those whose message, code or type contains this text.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// Received at or after this time.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Time>,
    /// Received before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Time>,
    /// Events in the answer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    #[param(min_length = 1, max_length = 200)]
    cursor: Option<String>,
}

fn status(text: &str) -> Option<OutcomeFilter> {
    match text {
        "success" => Some(OutcomeFilter::Is(Outcome::Success)),
        "failure" => Some(OutcomeFilter::Is(Outcome::Failure)),
        "neutral" => Some(OutcomeFilter::Neutral),
        _ => None,
    }
}

impl FromParams for EventQuery {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            project_id: params.text("projectId", WORD_CHARS_MAX)?,
            integration: params.text("integration", WORD_CHARS_MAX)?,
            provider: params.text("provider", WORD_CHARS_MAX)?,
            status: params.word("status", status, &["success", "failure", "neutral"])?,
            category: params.word("category", Category::parse, &CategoryWord::choices())?,
            severity: params.word("severity", Severity::parse, &SeverityWord::choices())?,
            r#type: params.text("type", TYPE_CHARS_MAX)?,
            kind: params.word("kind", EventKind::parse, &KindWord::choices())?,
            q: params.text("q", SEARCH_CHARS_MAX)?,
            from: params.time("from")?,
            to: params.time("to")?,
            limit: params.int("limit", 1, LIMIT_MAX)?,
            cursor: params.text("cursor", CURSOR_CHARS_MAX)?,
        })
    }
}

/// The events of a project, newest first.
#[utoipa::path(
    get, path = "/api/events", operation_id = "listEvents", tag = "events", params(EventQuery),
    responses((status = 200, body = EventList))
)]
async fn list_events(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<EventQuery>,
) -> Result<Json<EventList>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let project = access.project.rid;
    let (integration, provider) = (query.integration.as_deref(), query.provider.as_deref());
    let filter = EventFilter {
        integrations: chosen_integrations(&app, project, integration, provider).await?,
        kind: query.kind,
        outcome: query.status,
        category: query.category,
        severity: query.severity,
        event_type: query.r#type.as_deref().map(TypeFilter::parse),
        q: query.q,
        from: query.from,
        to: query.to,
        before: number_cursor(query.cursor.as_deref())?,
        ..EventFilter::all(project, query.limit.unwrap_or(LIMIT_DEFAULT))
    };
    let page = app.store().events(&filter).await?;
    let present = Present::new(app.registry());
    Ok(Json(EventList {
        items: page.items.into_iter().map(|row| present.event(row)).collect(),
        next_cursor: page.next.map(|seq| seq.to_string()),
        scanned_to: page.scanned_to,
    }))
}

/// An event of one of the caller's projects, and the access to that project. An event's id says
/// nothing of its project: without a name, each of the caller's is asked.
async fn find(app: &App, caller: &Caller, project: Option<&str>, id: &str) -> Result<(Access, StoredDetail), ApiError> {
    let candidates = match project {
        Some(name) => vec![Access::to_project(app, caller, Some(name)).await?],
        None => Access::all(app, caller).await?,
    };
    for access in candidates {
        match app.store().event(access.project.rid, id).await {
            Ok(detail) => return Ok((access, detail)),
            Err(lk_store::StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::not_found())
}

/// One event with everything kept about it.
#[utoipa::path(
    get, path = "/api/events/{id}", operation_id = "getEvent", tag = "events",
    params(ProjectParam, ("id" = String, Path, format = Uuid)),
    responses((status = 200, body = EventDetail))
)]
async fn get_event(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query(query): Query<ProjectParam>,
) -> Result<Json<EventDetail>, ApiError> {
    let (_, detail) = find(&app, &caller, query.project_id.as_deref(), &id).await?;
    let StoredDetail { event, payload } = detail;
    let present = Present::new(app.registry());
    let similar = match event.problem_rid {
        Some(rid) => app.store().similar_events(rid, event.seq, SIMILAR).await?,
        None => Vec::new(),
    };
    let problem = match &event.problem_id {
        Some(id) => Some(app.store().problem(id).await?),
        None => None,
    };
    let said = app.store().feedback(event.seq, &caller.actor()).await?;
    let payload = payload.as_ref();
    Ok(Json(EventDetail {
        event: present.event(event),
        payload: payload.and_then(present::body),
        headers: payload.map(present::headers).unwrap_or_default(),
        payload_bytes: payload.map_or(0, |payload| payload.body_bytes),
        payload_hash: payload.map(|payload| present::hex(&payload.body_hash)),
        content_type: payload.and_then(|payload| payload.content_type.clone()),
        similar: similar.into_iter().map(present::summary).collect(),
        problem: problem.map(|row| present.problem(row)),
        feedback: feedback(said),
    }))
}

fn feedback(said: lk_store::Feedback) -> Feedback {
    Feedback {
        helpful: said.helpful,
        category: said.category.map(Into::into),
        comment: said.comment,
    }
}

/// Mark an event's explanation helpful or not, or correct its category.
#[utoipa::path(
    post, path = "/api/events/{id}/feedback", operation_id = "giveFeedback", tag = "events",
    params(ProjectParam, ("id" = String, Path, format = Uuid)), request_body = FeedbackInput,
    responses((status = 200, body = Feedback))
)]
async fn give_feedback(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query(query): Query<ProjectParam>,
    Body(input): Body<FeedbackInput>,
) -> Result<Json<Feedback>, ApiError> {
    let (access, detail) = find(&app, &caller, query.project_id.as_deref(), &id).await?;
    let permit = access.permit(&app, Verb::GiveFeedback).await?;
    // A comment is free text of a person: what a provider's message may not keep, it may not.
    let comment = input.comment.map(|text| redact(&app, &detail.event.provider, &text));
    let new = NewFeedback {
        seq: detail.event.seq,
        helpful: input.helpful,
        category: input.category.map(|word| word.0),
        comment,
    };
    let said = app
        .store()
        .give_feedback(&permit, access.project.rid, &new, app.now())
        .await?;
    Ok(Json(feedback(said)))
}

fn redact(app: &App, provider: &str, text: &str) -> String {
    match app.registry().get(provider) {
        Some(provider) => provider.redactor().text(text).into_inner(),
        None => lk_provider::Redactor::new(&[]).text(text).into_inner(),
    }
}
