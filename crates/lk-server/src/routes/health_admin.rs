//! The health of the whole installation: by provider, over time, as a file.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lk_core::Time;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::time::{DAY, HOUR};
use lk_core::words::Outcome;
use lk_engine::live::Card;
use lk_store::{Rollup, StoreError};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::WORD_CHARS_MAX;
use crate::app::App;
use crate::auth::{Caller, enter_operator_area};
use crate::dto::cards::Condition;
use crate::dto::health::{HealthEntry, mean, percent};
use crate::dto::health_admin::{
    AdminHealth, HealthChecks, HealthTotals, HealthTrend, ProviderHealth, RankedIntegration,
};
use crate::dto::present::Present;
use crate::error::ApiError;
use crate::export::{self, Format};
use crate::extract::{FromParams, Params, Query};

/// Integrations whose hours are read at once.
const BATCH: usize = 500;
/// Integrations in a ranking.
const RANKED: usize = 10;
/// Incidents shown.
const INCIDENTS: u32 = 20;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_installation_health))
        .routes(routes!(export_installation_health))
}

/// Which window.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct WindowParams {
    /// `24h`, `7d` or `30d`.
    #[param(pattern = "^(24h|7d|30d)$", default = "24h")]
    window: Option<String>,
}

impl FromParams for WindowParams {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let known = ["24h", "7d", "30d"];
        let word = |text: &str| known.contains(&text).then(|| text.to_owned());
        Ok(Self {
            window: params.word("window", word, &known)?,
        })
    }
}

impl WindowParams {
    /// Its name, its length and the width of a stretch of its trend.
    fn lengths(&self) -> (&str, i64, i64) {
        match self.window.as_deref() {
            Some("7d") => ("7d", 7 * DAY, 6 * HOUR),
            Some("30d") => ("30d", 30 * DAY, DAY),
            _ => ("24h", DAY, HOUR),
        }
    }
}

/// What checks came to, by what is shown.
#[derive(Default)]
struct Sums {
    all: Rollup,
    trend: BTreeMap<Time, Rollup>,
    providers: HashMap<String, (Rollup, BTreeMap<Time, Rollup>)>,
    integrations: HashMap<IntegrationRid, Rollup>,
}

impl Sums {
    fn add(&mut self, card: &Card, sum: &Rollup, width: i64) {
        let stretch = Time(sum.from.ms().div_euclid(width) * width);
        self.all.merge(sum);
        self.trend.entry(stretch).or_default().merge(sum);
        let provider = self.providers.entry(card.integration.provider.clone()).or_default();
        provider.0.merge(sum);
        provider.1.entry(stretch).or_default().merge(sum);
        self.integrations.entry(card.integration.rid).or_default().merge(sum);
    }
}

/// How the whole installation does.
#[utoipa::path(
    get, path = "/api/admin/integrations/health", operation_id = "getInstallationHealth", tag = "health",
    params(WindowParams),
    responses((status = 200, body = AdminHealth))
)]
async fn get_installation_health(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<WindowParams>,
) -> Result<Json<AdminHealth>, ApiError> {
    enter_operator_area(&app, &caller).await?;
    let now = app.now();
    let (window, length, width) = query.lengths();
    let cards = app.engine().live().everybody().await;
    let sums = sum_up(&app, &cards, now - length, width, now).await?;
    let projects = project_ids(&app).await?;
    let incidents = app.store().latest_incidents(INCIDENTS).await?;
    let mut totals = HealthTotals::default();
    let mut by_provider: BTreeMap<&str, HealthTotals> = BTreeMap::new();
    for card in &cards {
        let health = Condition::of(&card.state, &card.integration.policy, card.incident, now).health;
        totals.count(health);
        by_provider.entry(&card.integration.provider).or_default().count(health);
    }
    let present = Present::new(app.registry());
    let nothing = (Rollup::default(), BTreeMap::new());
    let providers = by_provider.into_iter().map(|(key, totals)| {
        let (sum, trend) = sums.providers.get(key).unwrap_or(&nothing);
        let open = incidents.iter().find(|i| i.provider == key && i.closed_at.is_none());
        ProviderHealth {
            provider: key.to_owned(),
            name: present.provider_name(key).to_owned(),
            totals,
            checks: sum.checks(),
            success_rate: percent(sum.ok, sum.checks()),
            average_ms: mean(sum.sum_ms, sum.checks()),
            p95_ms: sum.sketch.quantile(0.95),
            incident: open.cloned().map(Into::into),
            trend: trend.iter().map(|(from, sum)| HealthTrend::of(*from, sum)).collect(),
        }
    });
    let mut providers: Vec<ProviderHealth> = providers.collect();
    providers.sort_by_cached_key(|provider| provider.name.to_lowercase());
    let ranked = ranking(&cards, &sums, &projects);
    Ok(Json(AdminHealth {
        generated_at: now.into(),
        window: window.to_owned(),
        totals,
        checks: HealthChecks::from(&sums.all),
        providers,
        trend: sums
            .trend
            .iter()
            .map(|(from, sum)| HealthTrend::of(*from, sum))
            .collect(),
        slowest: first(&ranked, |one| (Reverse(one.p95_ms), 0), |_| true),
        most_failing: first(
            &ranked,
            |one| (Reverse(one.failed.min(u64::from(u32::MAX)) as u32), 1),
            |one| one.failed > 0,
        ),
        incidents: incidents.into_iter().map(Into::into).collect(),
    }))
}

fn first<K: Ord>(
    all: &[RankedIntegration],
    key: impl Fn(&RankedIntegration) -> K,
    counts: impl Fn(&RankedIntegration) -> bool,
) -> Vec<RankedIntegration> {
    let mut some: Vec<&RankedIntegration> = all.iter().filter(|one| counts(one)).collect();
    some.sort_by_key(|one| key(one));
    some.into_iter().take(RANKED).cloned().collect()
}

fn ranking(cards: &[Arc<Card>], sums: &Sums, projects: &HashMap<ProjectRid, String>) -> Vec<RankedIntegration> {
    let ranked = cards.iter().filter_map(|card| {
        let integration = &card.integration;
        let sum = sums.integrations.get(&integration.rid)?;
        Some(RankedIntegration {
            integration_id: integration.id.clone(),
            project_id: projects.get(&integration.project).cloned().unwrap_or_default(),
            name: integration.name.clone(),
            provider: integration.provider.clone(),
            checks: sum.checks(),
            failed: sum.failed,
            average_ms: mean(sum.sum_ms, sum.checks())?,
            p95_ms: sum.sketch.quantile(0.95)?,
        })
    });
    ranked.collect()
}

async fn project_ids(app: &App) -> Result<HashMap<ProjectRid, String>, ApiError> {
    let projects = app.store().projects().await?;
    Ok(projects.into_iter().map(|project| (project.rid, project.id)).collect())
}

/// The hours that are summed up, and the results since.
async fn sum_up(app: &App, cards: &[Arc<Card>], from: Time, width: i64, now: Time) -> Result<Sums, StoreError> {
    let store = app.store();
    let summed = store
        .summed_up_until()
        .await?
        .unwrap_or(now - DAY)
        .max(now - DAY)
        .max(from);
    let by_rid: HashMap<IntegrationRid, &Arc<Card>> = cards.iter().map(|card| (card.integration.rid, card)).collect();
    let rids: Vec<IntegrationRid> = by_rid.keys().copied().collect();
    let mut sums = Sums::default();
    for batch in rids.chunks(BATCH) {
        for (rid, sum) in store.rollups_of(batch, from, summed).await? {
            if let Some(card) = by_rid.get(&rid) {
                sums.add(card, &sum, width);
            }
        }
        for (rid, at, outcome, took_ms) in store.results_since(batch, summed).await? {
            let mut one = Rollup {
                from: at,
                sum_ms: u64::from(took_ms),
                ..Rollup::default()
            };
            match outcome {
                Outcome::Success => one.ok = 1,
                Outcome::Failure => one.failed = 1,
            }
            one.sketch.add(took_ms);
            if let Some(card) = by_rid.get(&rid) {
                sums.add(card, &one, width);
            }
        }
    }
    Ok(sums)
}

/// What of the installation an export holds.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ExportParams {
    /// Only this provider's integrations.
    #[param(min_length = 1, max_length = 64)]
    provider: Option<String>,
    /// At or after this moment; 24 hours ago when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Time>,
    /// Before this moment; now when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Time>,
}

impl FromParams for ExportParams {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let (from, to) = (params.time("from")?, params.time("to")?);
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(ApiError::invalid("from", "must be before `to`."));
        }
        Ok(Self {
            provider: params.text("provider", WORD_CHARS_MAX)?,
            from,
            to,
        })
    }
}

/// Results of every integration's checks as a file: integration by integration, oldest first.
#[utoipa::path(
    get, path = "/api/admin/integrations/health/export", operation_id = "exportInstallationHealth", tag = "health",
    params(ExportParams, export::FormatParams),
    responses((status = 200, body = String, content_type = "text/csv", description =
        "CSV with a header row, or with `format=json` one object a line."))
)]
async fn export_installation_health(
    State(app): State<App>,
    caller: Caller,
    Query((which, how)): Query<(ExportParams, export::FormatParams)>,
) -> Result<Response, ApiError> {
    enter_operator_area(&app, &caller).await?;
    let (from, to) = super::health::bounds(which.from, which.to, app.now());
    let mut cards = app.engine().live().everybody().await;
    cards.retain(|card| {
        which
            .provider
            .as_ref()
            .is_none_or(|key| card.integration.provider == *key)
    });
    cards.sort_by_key(|card| card.integration.rid);
    let format = how.format();
    let cards = Arc::new(cards);
    let pages = futures_util::stream::try_unfold((0_usize, from), move |(at, since)| {
        let (app, cards) = (app.clone(), Arc::clone(&cards));
        async move {
            let Some(card) = cards.get(at) else { return Ok(None) };
            let rows = app
                .store()
                .history_after(card.integration.rid, since, to, export::PAGE)
                .await;
            // The status is sent already: an export that breaks off is cut, not completed.
            let rows = rows.map_err(|error| std::io::Error::other(error.to_string()))?;
            let full = rows.len() == export::PAGE as usize;
            let next = match rows.last().filter(|_| full) {
                Some(last) => (at, last.checked_at + 1),
                None => (at + 1, from),
            };
            let entries = rows.into_iter().map(HealthEntry::from);
            let bytes = match format {
                Format::Csv => export::csv_rows(entries.map(|entry| cells(card, entry))),
                Format::Json => export::json_lines(entries.map(|entry| Line::of(card, entry))),
            };
            Ok::<_, std::io::Error>(Some((bytes, next)))
        }
    });
    Ok(export::file("installation-health", format, &COLUMNS, pages))
}

const COLUMNS: [&str; 9] = [
    "integrationId",
    "name",
    "provider",
    "checkedAt",
    "status",
    "responseTimeMs",
    "rung",
    "errorCode",
    "errorMessage",
];

fn cells(card: &Card, entry: HealthEntry) -> Vec<String> {
    let integration = &card.integration;
    let whose = [
        integration.id.clone(),
        integration.name.clone(),
        integration.provider.clone(),
    ];
    whose.into_iter().chain(entry.cells()).collect()
}

/// One line of an export as JSON.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    integration_id: String,
    name: String,
    provider: String,
    #[serde(flatten)]
    entry: HealthEntry,
}

impl Line {
    fn of(card: &Card, entry: HealthEntry) -> Self {
        let integration = &card.integration;
        Self {
            integration_id: integration.id.clone(),
            name: integration.name.clone(),
            provider: integration.provider.clone(),
            entry,
        }
    }
}
