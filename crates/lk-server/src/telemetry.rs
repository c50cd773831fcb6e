//! What is logged and counted of a request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use metrics::{Counter, Histogram};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::app::App;
use crate::auth::RateNote;
use crate::error::ApiError;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Route pattern of requests that no route matched.
const NO_ROUTE: &str = "(none)";

/// Longest time from a request's head to its answer's head. A stream's body may go on after that.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);
/// Seconds to wait after a request that took too long.
const OVERDUE_RETRY_S: u64 = 5;

/// Content security policy of every answer that does not set its own.
const CSP: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Security headers of every answer to people.
const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=()",
    ),
];

/// Numbers requests of this process; the start is random, so that two processes do not meet.
#[derive(Debug)]
pub(crate) struct RequestIds(AtomicU64);

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(getrandom::u64().unwrap_or(1)))
    }

    fn next(&self) -> String {
        format!("{:016x}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Wraps every route but the webhooks: request id, span, one log line, metrics, security headers.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = app.request_ids().next();
    let rate = RateNote::default();
    request.extensions_mut().insert(rate.clone());
    let method = method_name(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| NO_ROUTE.to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        requestId = %id,
        method,
        route = %route,
        projectId = tracing::field::Empty,
        userId = tracing::field::Empty,
        provider = tracing::field::Empty,
    );
    async {
        let begun = Instant::now();
        let answered = tokio::time::timeout(HANDLER_TIMEOUT, next.run(request)).await;
        let mut response = answered.unwrap_or_else(|_| {
            ApiError::unavailable("no answer within the handler's timeout", OVERDUE_RETRY_S).into_response()
        });
        let took = begun.elapsed();
        let status = response.status();
        let status_text = status.as_str().to_owned();
        let labels = [("method", method.to_owned()), ("route", route), ("status", status_text)];
        metrics::histogram!("http_request_duration_seconds", &labels[..2]).record(took.as_secs_f64());
        metrics::counter!("http_requests_total", &labels).increment(1);
        tracing::debug!(
            status = status.as_u16(),
            latencyMs = took.as_secs_f64() * 1_000.0,
            "answered"
        );
        decorate(&app, &id, &mut response);
        rate.write(response.headers_mut());
        response
    }
    .instrument(span)
    .await
}

fn decorate(app: &App, request_id: &str, response: &mut Response) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(CSP));
    if app.config().is_https() {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static("max-age=31536000"));
    }
    // What a role sees must not stay in a shared cache.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

const fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Metrics of the webhook route, looked up once: it is the hot path.
#[derive(Clone)]
pub(crate) struct WebhookMetrics {
    accepted: Counter,
    refused: Counter,
    unavailable: Counter,
    other: Counter,
    duration: Histogram,
}

impl WebhookMetrics {
    pub(crate) fn new() -> Self {
        const ROUTE: &str = "/webhooks/{provider}/{key}";
        let counter = |status: &'static str| {
            metrics::counter!(
                "http_requests_total",
                "method" => "POST", "route" => ROUTE, "status" => status
            )
        };
        Self {
            accepted: counter("200"),
            refused: counter("4xx"),
            unavailable: counter("503"),
            other: counter("other"),
            duration: metrics::histogram!(
                "http_request_duration_seconds",
                "method" => "POST", "route" => ROUTE
            ),
        }
    }

    pub(crate) fn record(&self, status: StatusCode, took: Duration) {
        match status {
            StatusCode::OK => self.accepted.increment(1),
            StatusCode::SERVICE_UNAVAILABLE => self.unavailable.increment(1),
            status if status.is_client_error() => self.refused.increment(1),
            _ => self.other.increment(1),
        }
        self.duration.record(took.as_secs_f64());
    }
}

impl std::fmt::Debug for WebhookMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookMetrics")
    }
}
