//! The health of an integration: now, over time, checked on demand, as a file.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lk_core::Time;
use lk_core::access::Verb;
use lk_core::time::{DAY, HOUR, MINUTE, SECOND};
use lk_core::uptime::{self, Point, Spent};
use lk_core::words::Outcome;
use lk_engine::checks::{NotChecked, Why};
use lk_engine::live::Card;
use lk_store::{HistoryEntry, Integration as Row, Resolution, Rollup};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{CURSOR_CHARS_MAX, integrations};
use crate::app::App;
use crate::auth::Caller;
use crate::dto::health::{
    CheckedNow, HealthBucket, HealthEntry, HealthHistory, HealthItem, HealthNow, HealthStatistics, IntegrationHealth,
    QuotaPoint, Uptime,
};
use crate::dto::present::Present;
use crate::error::{ApiError, ErrorCode};
use crate::export::{self, Format};
use crate::extract::{FromParams, Id, NoParams, Params, Query};

/// Results shown with the condition.
const SHOWN: usize = 100;
/// Results of a day that are read: one every ten seconds.
const DAY_RESULTS: u32 = 9_000;
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
    let day = store.history(row.rid, now - DAY, now + 1, DAY_RESULTS).await?;
    let hours = store.rollups(Resolution::Hour, row.rid, now - 91 * DAY, now).await?;
    let points: Vec<Point> = day.iter().rev().map(HistoryEntry::point).collect();
    let quotas = store.quota_history(row.rid, now - DAY, now + 1).await?;
    Ok(Json(IntegrationHealth {
        integration_id: row.id,
        provider: row.provider,
        service: row.service,
        current: now_of(&app, &card).await?,
        statistics: HealthStatistics::of(&sum_up(&day, &points, now - DAY, now), now),
        uptime: windows(&points, &hours, now),
        history: day.into_iter().take(SHOWN).map(HealthEntry::from).collect(),
        quota_history: quotas.into_iter().map(QuotaPoint::from).collect(),
    }))
}

/// Results as one summary.
fn sum_up(rows: &[HistoryEntry], points: &[Point], from: Time, to: Time) -> Rollup {
    let mut sum = Rollup {
        from,
        spent: uptime::spent(points, from, to),
        ..Rollup::default()
    };
    for row in rows {
        match row.outcome {
            Outcome::Success => sum.ok += 1,
            Outcome::Failure => sum.failed += 1,
        }
        sum.sum_ms += u64::from(row.took_ms);
        sum.sketch.add(row.took_ms);
    }
    sum
}

/// The four windows. Long ones come from the hours that are summed up; hours that are not yet are
/// summed up here, from the results.
fn windows(points: &[Point], hours: &[Rollup], now: Time) -> Vec<Uptime> {
    let summed = hours.last().map_or(now - DAY, |last| last.from + HOUR);
    let mut known: Vec<(Time, Spent)> = hours.iter().map(|hour| (hour.from, hour.spent)).collect();
    let mut hour = summed.max(floor(now - DAY, HOUR));
    while hour < now {
        known.push((hour, uptime::spent(points, hour, (hour + HOUR).min(now))));
        hour = hour + HOUR;
    }
    let long = |window: &str, count: i64, width: i64| {
        let end = floor(now, HOUR) + HOUR;
        let bars: Vec<(Time, Time, Spent)> = (0..count)
            .map(|n| {
                let from = end - (count - n) * width;
                let to = (from + width).min(now);
                let mut spent = Spent::default();
                let within = known.iter().filter(|(at, _)| *at >= from && *at < from + width);
                within.for_each(|(_, part)| spent += *part);
                (from, to, spent)
            })
            .collect();
        Uptime::of(window, &bars)
    };
    let half_hour = 30 * MINUTE;
    let day: Vec<(Time, Time, Spent)> = (0..48)
        .map(|n| {
            let from = now - DAY + n * half_hour;
            (from, from + half_hour, uptime::spent(points, from, from + half_hour))
        })
        .collect();
    vec![
        Uptime::of("24h", &day),
        long("7d", 42, 4 * HOUR),
        long("30d", 30, DAY),
        long("90d", 90, DAY),
    ]
}

fn floor(at: Time, width: i64) -> Time {
    Time(at.ms().div_euclid(width) * width)
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
    access.permit(&app, Verb::CheckIntegration).await?;
    let who = caller.id();
    app.asked().ask(who, &id, app.now()).map_err(|wait_s| {
        let message = format!("It was checked for you less than a minute ago; ask again in {wait_s} s.");
        ApiError::rate_limited(message, wait_s.unsigned_abs())
    })?;
    let checked = app.engine().checks().run(app.engine(), row.rid, Why::Asked).await;
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
    /// At or after this moment; 24 hours ago when absent.
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

impl HistoryParams {
    /// From when to when, at `now`.
    fn bounds(&self, now: Time) -> (Time, Time) {
        let to = self.to.unwrap_or(now + 1);
        (self.from.unwrap_or(to - DAY), to)
    }
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
    let (from, to) = which.bounds(app.now());
    let before = super::number_cursor(page.cursor.as_deref())?.map_or(to, |at| Time(at).min(to));
    let limit = page.limit.unwrap_or(PAGE_DEFAULT);
    let resolution = match page.resolution.as_deref() {
        Some("hour") => Resolution::Hour,
        Some("month") => Resolution::Month,
        _ => {
            let rows = app.store().history(row.rid, from, before, limit).await?;
            let last = rows.last().map(|row| row.checked_at);
            let next_cursor = last
                .filter(|_| rows.len() == limit as usize)
                .map(|at| at.ms().to_string());
            let items = rows.into_iter().map(|row| HealthItem::Entry(row.into())).collect();
            return Ok(Json(HealthHistory { items, next_cursor }));
        }
    };
    let mut sums = app.store().rollups(resolution, row.rid, from, before).await?;
    if resolution == Resolution::Hour {
        sums.extend(current_hours(&app, &row, sums.last(), before).await?);
    }
    sums.reverse();
    let more = sums.len() > limit as usize;
    sums.truncate(limit as usize);
    let next_cursor = sums.last().filter(|_| more).map(|sum| sum.from.ms().to_string());
    let end = |sum: &Rollup| match resolution {
        Resolution::Hour => sum.from + HOUR,
        Resolution::Month => lk_store::month_after(sum.from),
    };
    let items = sums
        .iter()
        .map(|sum| HealthItem::Bucket(HealthBucket::of(sum, end(sum))));
    Ok(Json(HealthHistory {
        items: items.collect(),
        next_cursor,
    }))
}

/// The hours since the last that is summed up.
async fn current_hours(app: &App, row: &Row, last: Option<&Rollup>, to: Time) -> Result<Vec<Rollup>, ApiError> {
    let now = app.now();
    let from = last
        .map_or(floor(now - DAY, HOUR), |last| last.from + HOUR)
        .max(floor(now - DAY, HOUR));
    let mut rows = app.store().history(row.rid, from - HOUR, now + 1, DAY_RESULTS).await?;
    rows.reverse();
    let points: Vec<Point> = rows.iter().map(HistoryEntry::point).collect();
    let mut sums = Vec::new();
    let mut hour = from;
    while hour < now.min(to) {
        let end = hour + HOUR;
        let within: Vec<HistoryEntry> = rows
            .iter()
            .filter(|row| row.checked_at >= hour && row.checked_at < end)
            .cloned()
            .collect();
        let sum = sum_up(&within, &points, hour, end.min(now));
        if sum.checks() > 0 || sum.spent.known_ms() > 0 {
            sums.push(sum);
        }
        hour = end;
    }
    Ok(sums)
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
    let (from, to) = which.bounds(app.now());
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
