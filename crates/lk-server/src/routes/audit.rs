//! The audit log: read, exported, checked.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use lk_core::Time;
use lk_core::access::Place;
use lk_store::{AuditFilter, AuditRow};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{CURSOR_CHARS_MAX, LIMIT_DEFAULT, LIMIT_MAX, WORD_CHARS_MAX};
use crate::app::App;
use crate::auth::{Access, Caller, enter_operator_area};
use crate::dto::audit::{AuditCheck, AuditEntry, AuditList};
use crate::error::ApiError;
use crate::export::{self, Format};
use crate::extract::{FromParams, NoParams, Params, Query};

/// Longest text to look for.
const TEXT_CHARS_MAX: usize = 200;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_audit))
        .routes(routes!(export_audit))
        .routes(routes!(check_audit))
}

/// Which rows of the log.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct AuditParams {
    /// Id or slug; the caller's only project when absent.
    #[param(min_length = 1, max_length = 64)]
    project_id: Option<String>,
    /// `project`, or `installation` for every row, which is the operator's.
    #[param(pattern = "^(project|installation)$")]
    scope: Option<String>,
    /// By the person or key with this id, or with this in their name.
    #[param(min_length = 1, max_length = 64)]
    actor: Option<String>,
    /// Actions that begin so, e.g. `member.`.
    #[param(min_length = 1, max_length = 64)]
    action: Option<String>,
    /// How it ended: `ok`, `denied` or `failed`.
    #[param(pattern = "^(ok|denied|failed)$")]
    result: Option<String>,
    /// At or after this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Time>,
    /// Before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Time>,
    /// Name, action, target or summary contain this.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
}

impl FromParams for AuditParams {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let known = |words: &'static [&'static str]| move |text: &str| words.contains(&text).then(|| text.to_owned());
        Ok(Self {
            project_id: params.text("projectId", WORD_CHARS_MAX)?,
            scope: params.word("scope", known(SCOPES), SCOPES)?,
            actor: params.text("actor", WORD_CHARS_MAX)?,
            action: params.text("action", WORD_CHARS_MAX)?,
            result: params.word("result", known(RESULTS), RESULTS)?,
            from: params.time("from")?,
            to: params.time("to")?,
            q: params.text("q", TEXT_CHARS_MAX)?,
        })
    }
}

const SCOPES: &[&str] = &["project", "installation"];
const RESULTS: &[&str] = &["ok", "denied", "failed"];

impl AuditParams {
    /// What may be read: a project's rows by its admins, every row by the operator.
    async fn filter(self, app: &App, caller: &Caller) -> Result<AuditFilter, ApiError> {
        let place = if self.scope.as_deref() == Some("installation") {
            enter_operator_area(app, caller).await?;
            Place::Installation
        } else {
            let access = Access::to_project(app, caller, self.project_id.as_deref()).await?;
            access.enter_admin_area(app).await?;
            Place::Project(access.project.id)
        };
        Ok(AuditFilter {
            project_id: match place {
                Place::Project(id) => Some(id),
                Place::Installation => None,
            },
            actor: self.actor,
            action: self.action,
            result: self.result,
            from: self.from,
            to: self.to,
            text: self.q,
        })
    }
}

/// Which page.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct PageParams {
    /// Rows in the answer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    #[param(min_length = 1, max_length = 200)]
    cursor: Option<String>,
}

impl FromParams for PageParams {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            limit: params.int("limit", 1, LIMIT_MAX)?,
            cursor: params.text("cursor", CURSOR_CHARS_MAX)?,
        })
    }
}

/// Who changed what.
#[utoipa::path(
    get, path = "/api/audit", operation_id = "listAudit", tag = "audit", params(AuditParams, PageParams),
    responses((status = 200, body = AuditList))
)]
async fn list_audit(
    State(app): State<App>,
    caller: Caller,
    Query((which, page)): Query<(AuditParams, PageParams)>,
) -> Result<Json<AuditList>, ApiError> {
    let filter = which.filter(&app, &caller).await?;
    let before = super::number_cursor(page.cursor.as_deref())?;
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT);
    let rows = app.store().audit_log(&filter, before, limit).await?;
    let full = rows.len() == limit as usize;
    let next_cursor = rows.last().filter(|_| full).map(|row| row.seq.to_string());
    let names = super::project_names(&app).await?;
    let items = rows.into_iter().map(|row| AuditEntry::new(row, &names)).collect();
    Ok(Json(AuditList { items, next_cursor }))
}

/// The log as a file, newest first.
#[utoipa::path(
    get, path = "/api/audit/export", operation_id = "exportAudit", tag = "audit",
    params(AuditParams, export::FormatParams),
    responses((status = 200, body = String, content_type = "text/csv", description =
        "CSV with a header row, or with `format=json` one AuditEntry a line."))
)]
async fn export_audit(
    State(app): State<App>,
    caller: Caller,
    Query((which, how)): Query<(AuditParams, export::FormatParams)>,
) -> Result<Response, ApiError> {
    let filter = which.filter(&app, &caller).await?;
    let format = how.format();
    let names = super::project_names(&app).await?;
    let pages = futures_util::stream::try_unfold(Some(None), move |at: Option<Option<i64>>| {
        let (app, filter, names) = (app.clone(), filter.clone(), names.clone());
        async move {
            let Some(before) = at else { return Ok(None) };
            let rows = app.store().audit_log(&filter, before, export::PAGE).await;
            // The status is sent already: an export that breaks off is cut, not completed.
            let rows = rows.map_err(|error| std::io::Error::other(error.to_string()))?;
            let next = rows
                .last()
                .filter(|_| rows.len() == export::PAGE as usize)
                .map(|row| Some(row.seq));
            Ok::<_, std::io::Error>(Some((write_rows(rows, &names, format), next)))
        }
    });
    Ok(export::file("audit-log", format, &COLUMNS, pages))
}

const COLUMNS: [&str; 12] = [
    "seq",
    "at",
    "actorKind",
    "actorId",
    "actorName",
    "projectId",
    "projectName",
    "action",
    "target",
    "summary",
    "result",
    "source",
];

fn write_rows(rows: Vec<AuditRow>, names: &HashMap<String, String>, format: Format) -> Bytes {
    let entries = rows.into_iter().map(|row| AuditEntry::new(row, names));
    match format {
        Format::Csv => export::csv_rows(entries.map(cells)),
        Format::Json => export::json_lines(entries),
    }
}

fn cells(entry: AuditEntry) -> [String; 12] {
    let text = Option::unwrap_or_default;
    [
        entry.seq.to_string(),
        entry.at.to_string(),
        entry.actor_kind,
        text(entry.actor_id),
        entry.actor_name,
        text(entry.project_id),
        text(entry.project_name),
        entry.action,
        entry.target,
        entry.summary,
        entry.result,
        text(entry.source),
    ]
}

/// Check that no row of the log is missing or was changed.
#[utoipa::path(
    get, path = "/api/audit/check", operation_id = "checkAudit", tag = "audit",
    responses((status = 200, body = AuditCheck))
)]
async fn check_audit(State(app): State<App>, caller: Caller, _: Query<NoParams>) -> Result<Json<AuditCheck>, ApiError> {
    enter_operator_area(&app, &caller).await?;
    Ok(Json(app.store().check_audit_log().await?.into()))
}
