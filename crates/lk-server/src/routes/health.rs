//! The health of an integration: now, over time, checked on demand, as a file.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lk_core::Time;
use lk_core::access::Verb;
use lk_core::time::{DAY, HOUR, MINUTE, SECOND};
use lk_engine::checks::{NotChecked, Why};
use lk_engine::live::Card;
use lk_store::{Integration as Row, Resolution};
use tokio::sync::oneshot;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::health_sums::{self as sums, Recent};
use super::{CURSOR_CHARS_MAX, integrations};
use crate::app::App;
use crate::auth::Caller;
use crate::dto::health::{
    CheckedNow, HealthBucket, HealthEntry, HealthHistory, HealthItem, HealthNow, HealthStatistics, IntegrationHealth,
    QuotaPoint,
};
use crate::dto::present::Present;
use crate::error::{ApiError, ErrorCode};
use crate::export::{self, Format};
use crate::extract::{FromParams, Id, NoParams, Params, Query};

/// Results shown with the condition.
const SHOWN: u32 = 100;
/// Most items of one page of history.
const PAGE_MAX: u32 = 1_000;
/// Items of one page unless asked otherwise.
const PAGE_DEFAULT: u32 = 100;
/// A caller may have an integration checked this often (requirement S2).
const ASK_EVERY_MS: i64 = MINUTE;
/// Callers and integrations remembered for it.
const ASKED_MAX: usize = 50_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_health))
        .routes(routes!(check_now))
        .routes(routes!(list_history))
        .routes(routes!(export_history))
}

/// Who asked for a check of what, and when.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<HashMap<(String, String), Time>>);

impl Asked {
    /// Notes that somebody asks, or says for how many seconds they have to wait.
    fn ask(&self, caller: &str, integration: &str, now: Time) -> Result<(), i64> {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() > ASKED_MAX {
            asked.retain(|_, at| now.since(*at) < ASK_EVERY_MS);
        }
        let key = (caller.to_owned(), integration.to_owned());
        let since = asked.get(&key).map(|at| now.since(*at));
        if let Some(since) = since.filter(|since| *since < ASK_EVERY_MS) {
            return Err((ASK_EVERY_MS - since + SECOND - 1) / SECOND);
        }
        asked.insert(key, now);
        Ok(())
    }

    /// Takes a question back that was not answered.
    fn forget(&self, caller: &str, integration: &str) {
        let key = (caller.to_owned(), integration.to_owned());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

async fn card_of(app: &App, row: &Row) -> Result<std::sync::Arc<Card>, ApiError> {
    let card = app.engine().card(row.rid).await?;
    card.ok_or_else(ApiError::not_found)
}

async fn now_of(app: &App, card: &Card) -> Result<HealthNow, ApiError> {
    let present = Present::new(app.registry());
    let health = HealthNow::of(present, card, app.engine().live().as_of(app.now()), app.now());
    let credential = app.engine().credentials().summary(&card.integration).await?;
    Ok(health.with_credential(credential))
}

/// How an integration does: the condition, the last check, the last day and longer.
#[utoipa::path(
    get, path = "/api/integrations/{id}/health", operation_id = "getIntegrationHealth", tag = "health",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, body = IntegrationHealth))
)]
async fn get_health(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<Json<IntegrationHealth>, ApiError> {
    let (_, row) = integrations::find(&app, &caller, &id).await?;
    let (store, now) = (app.store(), app.now());
    let card = card_of(&app, &row).await?;
    let recent = Recent::read(store, row.rid, now).await?;
    let hours = store.rollups(Resolution::Hour, row.rid, now - 91 * DAY, now).await?;
    let newest = store.history(row.rid, Time(0), now + 1, SHOWN).await?;
    let quotas = store.quota_history(row.rid, now - DAY, now + 1).await?;
    Ok(Json(IntegrationHealth {
        integration_id: row.id,
        provider: row.provider,
        service: row.service,
        current: now_of(&app, &card).await?,
        statistics: HealthStatistics::of(&recent.day(), now),
        uptime: recent.windows(&hours),
        history: newest.into_iter().map(HealthEntry::from).collect(),
        quota_history: QuotaPoint::thinned(quotas),
    }))
}

/// Have it checked now, and wait for what is found. Once a minute for each caller.
#[utoipa::path(
    post, path = "/api/integrations/{id}/health/check", operation_id = "checkIntegrationNow", tag = "health",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, body = CheckedNow))
)]
async fn check_now(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<Json<CheckedNow>, ApiError> {
    let (access, row) = integrations::find(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::CheckIntegration).await?;
    let who = caller.id();
    app.asked().ask(who, &id, app.now()).map_err(|wait_s| {
        let message = format!("It was checked for you less than a minute ago; ask again in {wait_s} s.");
        ApiError::rate_limited(message, wait_s.unsigned_abs())
    })?;
    let noted = app.store().note_asked_check(&permit, &id, app.now()).await;
    noted.inspect_err(|_| app.asked().forget(who, &id))?;
    // On its own: what was begun is finished and stored, also when nobody waits for it any more.
    let engine = app.engine().clone();
    let (answer, checked) = oneshot::channel();
    app.engine().tasks().spawn_short(async move {
        let checked = engine.checks().run(&engine, row.rid, Why::Asked).await;
        // Whoever asked may be gone.
        drop(answer.send(checked));
    });
    let checked = checked.await.map_err(|error| ApiError::unavailable(error, 2))?;
    let finished = checked.map_err(|error| {
        app.asked().forget(who, &id);
        not_checked(error)
    })?;
    let card = card_of(&app, &row).await?;
    Ok(Json(CheckedNow {
        current: now_of(&app, &card).await?,
        took_ms: finished.result.took_ms,
    }))
}

fn not_checked(error: NotChecked) -> ApiError {
    match error {
        NotChecked::Gone => ApiError::not_found(),
        NotChecked::NotWatched(why) => ApiError::new(ErrorCode::Conflict, format!("There is nothing to check: {why}.")),
        NotChecked::NoRoom { wait_ms } => {
            let seconds = (wait_ms / SECOND + 1).unsigned_abs();
            let message = format!("The provider's own rate limit leaves no room now; ask again in {seconds} s.");
            ApiError::rate_limited(message, seconds)
        }
        NotChecked::NotStored(cause) => ApiError::unavailable(cause, 2),
    }
}

/// Which stretch of history.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct HistoryParams {
    /// At or after this moment; when absent, 24 hours before `to`, for months the beginning.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Time>,
    /// Before this moment; now when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Time>,
}

impl FromParams for HistoryParams {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let (from, to) = (params.time("from")?, params.time("to")?);
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(ApiError::invalid("from", "must be before `to`."));
        }
        Ok(Self { from, to })
    }
}

/// From when to when, at `now`: a day, and all of it until now, unless asked otherwise.
pub(super) fn bounds(from: Option<Time>, to: Option<Time>, now: Time) -> (Time, Time) {
    (from.unwrap_or(to.unwrap_or(now) - DAY), to.unwrap_or(now + 1))
}

/// How fine, and which page.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct PageParams {
    /// `raw`, `hour` or `month`.
    #[param(pattern = "^(raw|hour|month)$", default = "raw")]
    resolution: Option<String>,
    /// How many items.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// From the answer before.
    cursor: Option<String>,
}

impl FromParams for PageParams {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let known = ["raw", "hour", "month"];
        let word = |text: &str| known.contains(&text).then(|| text.to_owned());
        Ok(Self {
            resolution: params.word("resolution", word, &known)?,
            limit: params.int("limit", 1, PAGE_MAX)?,
            cursor: params.text("cursor", CURSOR_CHARS_MAX)?,
        })
    }
}

/// Results of checks, or their hours or months, newest first.
#[utoipa::path(
    get, path = "/api/integrations/{id}/health/history", operation_id = "listIntegrationHealthHistory", tag = "health",
    params(("id" = String, Path, format = Uuid), HistoryParams, PageParams),
    responses((status = 200, body = HealthHistory))
)]
async fn list_history(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query((which, page)): Query<(HistoryParams, PageParams)>,
) -> Result<Json<HealthHistory>, ApiError> {
    let (_, row) = integrations::find(&app, &caller, &id).await?;
    let now = app.now();
    let (from, to) = bounds(which.from, which.to, now);
    let before = super::number_cursor(page.cursor.as_deref())?.map_or(to, |at| Time(at).min(to));
    let limit = page.limit.unwrap_or(PAGE_DEFAULT);
    // One more than asked for tells whether there is a next page.
    let sums = match page.resolution.as_deref() {
        Some("hour") => {
            let from = sums::floor(from, HOUR);
            sums::hours(app.store(), row.rid, (from, before), limit + 1, now).await?
        }
        Some("month") => {
            let from = lk_store::month_of(which.from.unwrap_or(Time(0)));
            sums::months(app.store(), row.rid, (from, before), limit + 1, now).await?
        }
        _ => {
            let mut rows = app.store().history(row.rid, from, before, limit + 1).await?;
            let next_cursor = cut(&mut rows, limit, |row| row.checked_at);
            let items = rows.into_iter().map(|row| HealthItem::Entry(row.into())).collect();
            return Ok(Json(HealthHistory { items, next_cursor }));
        }
    };
    let mut sums = sums;
    let next_cursor = cut(&mut sums, limit, |sum| sum.0.from);
    let items = sums
        .iter()
        .map(|(sum, end)| HealthItem::Bucket(HealthBucket::of(sum, *end)));
    Ok(Json(HealthHistory {
        items: items.collect(),
        next_cursor,
    }))
}

/// Cuts a page off and gives the cursor to the next, if there is one.
fn cut<T>(items: &mut Vec<T>, limit: u32, at: impl Fn(&T) -> Time) -> Option<String> {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    items.last().filter(|_| more).map(|item| at(item).ms().to_string())
}

/// Results of checks as a file, oldest first.
#[utoipa::path(
    get, path = "/api/integrations/{id}/health/export", operation_id = "exportIntegrationHealth", tag = "health",
    params(("id" = String, Path, format = Uuid), HistoryParams, export::FormatParams),
    responses((status = 200, body = String, content_type = "text/csv", description =
        "CSV with a header row, or with `format=json` one HealthEntry a line."))
)]
async fn export_history(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query((which, how)): Query<(HistoryParams, export::FormatParams)>,
) -> Result<Response, ApiError> {
    let (_, row) = integrations::find(&app, &caller, &id).await?;
    let (from, to) = bounds(which.from, which.to, app.now());
    let format = how.format();
    let pages = futures_util::stream::try_unfold(Some(from), move |at: Option<Time>| {
        let app = app.clone();
        async move {
            let Some(from) = at else { return Ok(None) };
            let rows = app.store().history_after(row.rid, from, to, export::PAGE).await;
            // The status is sent already: an export that breaks off is cut, not completed.
            let rows = rows.map_err(|error| std::io::Error::other(error.to_string()))?;
            let full = rows.len() == export::PAGE as usize;
            let next = rows.last().filter(|_| full).map(|row| row.checked_at + 1);
            let entries = rows.into_iter().map(HealthEntry::from);
            let bytes = match format {
                Format::Csv => export::csv_rows(entries.map(HealthEntry::cells)),
                Format::Json => export::json_lines(entries),
            };
            Ok::<_, std::io::Error>(Some((bytes, next)))
        }
    });
    Ok(export::file("health", format, &HealthEntry::COLUMNS, pages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_to_pass_between_two_questions_of_one_caller() {
        let asked = Asked::default();
        let now = Time(1_800_000_000_000);
        assert_eq!(asked.ask("ada", "one", now), Ok(()));
        assert_eq!(asked.ask("ada", "one", now + 500), Err(60));
        assert_eq!(asked.ask("ada", "one", now + 59_001), Err(1));
        assert_eq!(asked.ask("bob", "one", now), Ok(()));
        assert_eq!(asked.ask("ada", "two", now), Ok(()));
        assert_eq!(asked.ask("ada", "one", now + MINUTE), Ok(()));
        asked.forget("ada", "one");
        assert_eq!(asked.ask("ada", "one", now + MINUTE + 1), Ok(()));
    }
}
