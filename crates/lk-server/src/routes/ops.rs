//! For machines that watch the machine.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{FromRequestParts as _, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, header};
use lk_core::time::HOUR;
use lk_core::words::Health;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Caller;
use crate::dto::cards::Condition;
use crate::dto::health::s2_word;
use crate::error::ApiError;
use crate::extract::{NoParams, Query};

/// Seconds a caller should wait when we are not ready.
const NOT_READY_RETRY_S: u64 = 2;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(get_metrics))
        .routes(routes!(get_openapi))
}

/// That it is so.
#[derive(Debug, Serialize, ToSchema)]
struct Ok200 {
    /// Always true.
    ok: bool,
}

/// The process runs.
#[utoipa::path(
    get, path = "/healthz", operation_id = "healthz", tag = "operations",
    responses((status = 200, body = Ok200))
)]
async fn healthz(_: Query<NoParams>) -> Json<Ok200> {
    Json(Ok200 { ok: true })
}

/// The process can do its work: the database answers and the journal commits.
#[utoipa::path(
    get, path = "/readyz", operation_id = "readyz", tag = "operations",
    responses((status = 200, body = Ok200))
)]
async fn readyz(State(app): State<App>, _: Query<NoParams>) -> Result<Json<Ok200>, ApiError> {
    if *app.closing().borrow() {
        return Err(ApiError::unavailable("shutting down", NOT_READY_RETRY_S));
    }
    match app.store().ping().await {
        Ok(()) => Ok(Json(Ok200 { ok: true })),
        Err(error) => Err(ApiError::unavailable(error, NOT_READY_RETRY_S)),
    }
}

/// Metrics in Prometheus' text format; for the operator.
#[utoipa::path(
    get, path = "/metrics", operation_id = "getMetrics", tag = "operations",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
async fn get_metrics(State(app): State<App>, _: Query<NoParams>, mut parts: Parts) -> Result<Response, ApiError> {
    if !app.config().metrics_open {
        // As everywhere, which refuses a key without the scope to read.
        let caller = Caller::from_request_parts(&mut parts, &app).await?;
        if !caller.operator() {
            return Err(ApiError::forbidden("it needs the operator"));
        }
    }
    note_health(&app);
    let text = app.metrics().map(|handle| {
        handle.run_upkeep();
        handle.render()
    });
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text.unwrap_or_default()).into_response())
}

/// S2's `integration_health`: how many integrations of each provider are in which condition, and
/// how long the last check of each took that was made within the hour.
fn note_health(app: &App) {
    let now = app.now();
    let mut by: BTreeMap<(String, &'static str), Vec<u32>> = BTreeMap::new();
    let mut counts: BTreeMap<(String, &'static str), u32> = BTreeMap::new();
    for card in app.engine().live().all() {
        let provider = &card.integration.provider;
        // Every condition of a provider is told, so that one that nobody is in any more reads 0.
        for health in Health::ALL {
            counts.entry((provider.clone(), s2_word(*health))).or_default();
        }
        let health = Condition::of(&card.state, &card.integration.policy, card.incident, now).health;
        let key = (provider.clone(), s2_word(health));
        *counts.entry(key.clone()).or_default() += 1;
        let checks = &card.state.checks;
        if checks.last_at.is_some_and(|at| now.since(at) <= HOUR) {
            by.entry(key).or_default().push(checks.took_ms);
        }
    }
    for ((provider, status), count) in counts {
        let mut took = by.remove(&(provider.clone(), status)).unwrap_or_default();
        took.sort_unstable();
        let mean = took.iter().map(|ms| f64::from(*ms)).sum::<f64>() / took.len().max(1) as f64;
        let p95 = took
            .get((took.len() * 95).div_ceil(100).saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let labels = [
            ("service", provider.clone()),
            ("provider", provider),
            ("status", status.to_owned()),
        ];
        metrics::gauge!("integration_health", &labels).set(f64::from(count));
        // Where nothing was checked there is no time to tell.
        if !took.is_empty() {
            metrics::gauge!("integration_health_response_time_ms", &labels).set(mean);
            metrics::gauge!("integration_health_response_time_p95_ms", &labels).set(f64::from(p95));
        }
    }
}

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", operation_id = "getOpenapi", tag = "operations",
    responses((status = 200, body = Object, content_type = "application/json"))
)]
async fn get_openapi(State(app): State<App>, _: Query<NoParams>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], app.openapi()).into_response()
}
