//! Where providers deliver. The hot path: body, headers and address go to the engine as they came.

use axum::body::Body;
use axum::extract::{RawPathParams, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use lk_engine::{Endpoint, IngestReply};
use lk_provider::{Headers, HttpResponse, Inbound};
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::door;
use crate::error::{ApiError, ErrorCode};
use crate::extract::read_body;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(receive_webhook))
        .routes(routes!(receive_alias_webhook))
}

/// A provider delivers.
#[utoipa::path(
    post, path = "/webhooks/{provider}/{key}", operation_id = "receiveWebhook", tag = "webhooks",
    params(
        ("provider" = String, Path, description = "The provider's key."),
        ("key" = String, Path, description = "The integration's key."),
    ),
    request_body(content = String, content_type = "application/octet-stream", description = "What the provider sends, byte by byte."),
    responses(
        (status = 200, description = "Stored, or seen before; the body is what the provider expects."),
        (status = 401, body = crate::error::ErrorBody, description = "Not verified; the integration's rejections explain it."),
        (status = 404, body = crate::error::ErrorBody, description = "Nothing here: an unknown provider or key."),
    )
)]
async fn receive_webhook(State(app): State<App>, path: RawPathParams, request: Request) -> Response {
    receive(&app, &path, request).await
}

/// A provider delivers to its short address.
#[utoipa::path(
    post, path = "/webhooks/{provider}", operation_id = "receiveAliasWebhook", tag = "webhooks",
    params(("provider" = String, Path, description = "The provider's key.")),
    request_body(content = String, content_type = "application/octet-stream", description = "What the provider sends, byte by byte."),
    responses(
        (status = 200, description = "Stored, or seen before; the body is what the provider expects."),
        (status = 401, body = crate::error::ErrorBody, description = "Not verified; the integration's rejections explain it."),
        (status = 404, body = crate::error::ErrorBody, description = "Nothing here: the address is bound to no integration."),
    )
)]
async fn receive_alias_webhook(State(app): State<App>, path: RawPathParams, request: Request) -> Response {
    receive(&app, &path, request).await
}

async fn receive(app: &App, path: &RawPathParams, request: Request) -> Response {
    let begun = Instant::now();
    let mut response = match ingest(app, path, request).await {
        Ok(reply) => reply,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    app.webhook_metrics().record(response.status(), begun.elapsed());
    response
}

async fn ingest(app: &App, path: &RawPathParams, request: Request) -> Result<Response, ApiError> {
    let find = |name| path.iter().find(|(n, _)| *n == name).map(|(_, value)| value);
    let provider = find("provider").ok_or_else(ApiError::not_found)?;
    let endpoint = find("key").map_or(Endpoint::Alias, Endpoint::Key);
    let (parts, body) = request.into_parts();
    let body = read_body(body, app.config().webhook_bytes_max).await?;
    let query = parts.uri.query().unwrap_or("");
    let inbound = Inbound {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: Headers::from(&parts.headers),
        body,
        source: door::client_ip(&parts.extensions),
        received_at: app.now(),
    };
    match app.engine().ingest(provider, endpoint, inbound).await {
        IngestReply::Accepted(reply) => Ok(answer(reply)),
        IngestReply::UnknownAddress => Err(ApiError::not_found()),
        IngestReply::Rejected { code, message } => {
            Err(ApiError::new(ErrorCode::DeliveryRejected, message).with_details(serde_json::json!({ "reason": code })))
        }
        // The engine has logged why.
        IngestReply::TryAgain { after_s } => {
            let error = ApiError::new(ErrorCode::Unavailable, "Not stored. Send it again later.");
            Err(error.with_retry_after(u64::from(after_s)))
        }
    }
}

/// The provider's own answer as HTTP.
fn answer(reply: HttpResponse) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    for (name, value) in reply.headers {
        let pair = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value));
        if let (Ok(name), Ok(value)) = pair {
            response.headers_mut().append(name, value);
        }
    }
    response
}
