//! The live stream of a project.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::WORD_CHARS_MAX;
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::error::ApiError;
use crate::extract::{FromParams, Params, Query};
use crate::live::{self, Opening};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(stream_events))
}

/// What `GET /api/integrations/events` reads.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct StreamQuery {
    /// Id or slug; the caller's only project when absent.
    #[param(min_length = 1, max_length = 64)]
    project_id: Option<String>,
    /// The last event the client has, where it cannot send the header `Last-Event-ID`.
    #[param(minimum = 0)]
    last_event_id: Option<i64>,
}

impl FromParams for StreamQuery {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            project_id: params.text("projectId", WORD_CHARS_MAX)?,
            last_event_id: params.int("lastEventId", 0, i64::MAX)?,
        })
    }
}

/// What happens in a project, as server-sent events: `event` (an event), `status` (an integration
/// whose condition may have changed), `reset` (too much was missed: read everything again).
#[utoipa::path(
    get, path = "/api/integrations/events", operation_id = "streamEvents", tag = "events",
    params(
        StreamQuery,
        ("last-event-id" = Option<i64>, Header, description = "The last event the client has.", minimum = 0),
    ),
    responses((
        status = 200, body = String, content_type = "text/event-stream",
        description = "Data of `event` is a StreamEvent, of `status` an IntegrationStatus. Ends when the caller may no longer look.",
    ))
)]
async fn stream_events(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let last_seen = match headers.get("last-event-id") {
        Some(value) => Some(last_event_id(value)?),
        None => query.last_event_id,
    };
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let stream = live::open(
        app,
        Opening {
            caller,
            access,
            last_seen,
        },
    )
    .await?;
    let mut response = Response::new(Body::from_stream(stream));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    out.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-store, no-transform"),
    );
    // Proxies must pass on each frame at once.
    out.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

fn last_event_id(value: &HeaderValue) -> Result<i64, ApiError> {
    value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse::<i64>().ok())
        .filter(|seq| *seq >= 0)
        .ok_or_else(|| ApiError::invalid("Last-Event-ID", "must be the id of an event of this stream."))
}
