//! The routes, one file for each group. A file holds its handlers and the list of them; delete
//! the file and the group is gone.

mod audit;
mod connect;
mod demo;
mod events;
pub(crate) mod health;
mod health_admin;
mod health_sums;
mod health_updates;
mod integrations;
mod invitations;
mod keys;
mod live;
mod members;
mod oidc;
mod ops;
mod overview;
mod password_reset;
mod problems;
mod profile;
mod projects;
mod providers;
mod secrets;
mod session;
mod totp;
mod users;
mod webhooks;

use std::collections::HashMap;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use lk_core::observation::{IntegrationRid, ProjectRid};
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use url::Url;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::config::Config;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{FromParams, Params};
use crate::{door, error, telemetry, ui};

/// Answers smaller than this are sent as they are.
const COMPRESS_FROM_BYTES: u64 = 1_024;

/// Most items in one answer.
const LIMIT_MAX: u32 = 200;
/// Items in one answer unless asked otherwise.
const LIMIT_DEFAULT: u32 = 50;
/// Longest id, slug or key in a query.
const WORD_CHARS_MAX: usize = 64;
/// Longest cursor.
const CURSOR_CHARS_MAX: usize = 200;

/// The project that a route without a body works in.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ProjectParam {
    /// Id or slug; the caller's only project when absent.
    #[param(min_length = 1, max_length = 64)]
    project_id: Option<String>,
}

impl FromParams for ProjectParam {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            project_id: params.text("projectId", WORD_CHARS_MAX)?,
        })
    }
}

/// Reads a cursor that is a row number.
fn number_cursor(cursor: Option<&str>) -> Result<Option<i64>, ApiError> {
    let Some(cursor) = cursor else { return Ok(None) };
    match cursor.parse::<i64>() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(ApiError::invalid(
            "cursor",
            "must be the `nextCursor` of a page before.",
        )),
    }
}

/// The names of projects by id, of deleted ones too.
async fn project_names(app: &App) -> Result<HashMap<String, String>, ApiError> {
    Ok(app.store().project_names().await?.into_iter().collect())
}

/// Uses a one-time link of this kind: 429 after too many wrong ones from one source. Only an answer
/// that says the link is bad counts as wrong.
async fn with_link<T>(
    app: &App,
    kind: &'static str,
    source: &str,
    work: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    let attempt = app.throttle().attempt_link(kind, source, app.now());
    attempt.map_err(|wait_s| ApiError::rate_limited("Too many attempts. Wait a little.", wait_s))?;
    let done = work.await;
    let bad = matches!(&done, Err(error) if error.code() == ErrorCode::BadLink);
    if !bad {
        app.throttle().link_was_right(kind, source);
    }
    done
}

/// The integrations that a filter names: one by id, or all of a provider by its key.
async fn chosen_integrations(
    app: &App,
    project: ProjectRid,
    integration: Option<&str>,
    provider: Option<&str>,
) -> Result<Option<Vec<IntegrationRid>>, ApiError> {
    if integration.is_none() && provider.is_none() {
        return Ok(None);
    }
    let rows = app.store().integrations(project).await?;
    let named = |wanted: Option<&str>, row: &lk_store::Integration| {
        wanted.is_none_or(|wanted| row.id == wanted || row.provider == wanted)
    };
    let chosen = rows
        .iter()
        .filter(|row| named(integration, row) && provider.is_none_or(|p| row.provider == p))
        .map(|row| row.rid);
    Ok(Some(chosen.collect()))
}

/// Every route with its documentation.
pub(crate) fn documented() -> OpenApiRouter<App> {
    api().merge(webhooks::routes())
}

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(session::routes())
        .merge(oidc::routes())
        .merge(overview::routes())
        .merge(health::routes())
        .merge(health_admin::routes())
        .merge(integrations::routes())
        .merge(connect::routes())
        .merge(secrets::routes())
        .merge(events::routes())
        .merge(problems::routes())
        .merge(live::routes())
        .merge(providers::routes())
        .merge(demo::routes())
        .merge(profile::routes())
        .merge(totp::routes())
        .merge(password_reset::routes())
        .merge(projects::routes())
        .merge(members::routes())
        .merge(invitations::routes())
        .merge(keys::routes())
        .merge(audit::routes())
        .merge(users::routes())
        .merge(ops::routes())
}

/// Refuses writes that a browser sends on behalf of another site. The session's CSRF token is the
/// first line; this one holds for routes without a session too, such as signing in.
fn cross_site(config: &Config) -> CsrfLayer<impl Fn(ProtectionError) -> Response + Clone + use<>> {
    let origin = config.public_url.as_deref().and_then(|url| Url::parse(url).ok());
    let origin = origin.map(|url| url.origin().ascii_serialization());
    let layer = CsrfLayer::new();
    // Behind a proxy that changes `Host` the request does not look like one to the public address.
    let trusted = origin.and_then(|origin| layer.clone().add_trusted_origin(origin).ok());
    trusted.unwrap_or(layer).with_rejection_response(|_: ProtectionError| {
        let error = ApiError::new(
            ErrorCode::CsrfMismatch,
            "The request comes from a page of another site.",
        );
        error.into_response()
    })
}

/// The whole HTTP surface around `app`: API, webhooks, UI.
pub fn router(app: &App) -> Router {
    let (api, _) = api().split_for_parts();
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(DefaultPredicate::new().and(SizeAbove::new(COMPRESS_FROM_BYTES)));
    let api = api
        .merge(health_updates::routes())
        .fallback(ui::fallback)
        .layer(cross_site(app.config()))
        .layer(compression)
        .layer(axum::middleware::from_fn_with_state(app.clone(), telemetry::observe));
    // The hot path goes without the layers above.
    let (webhooks, _) = webhooks::routes().split_for_parts();
    api.merge(webhooks)
        .method_not_allowed_fallback(async || ui::method_not_allowed())
        .layer(CatchPanicLayer::custom(error::from_panic))
        .layer(MapRequestLayer::new({
            let app = app.clone();
            move |request: Request| door::pass(request, app.config())
        }))
        .with_state(app.clone())
}
