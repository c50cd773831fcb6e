//! Connecting through a person's consent at the provider: the way there and the way back. The way
//! back always leads people to a page.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use lk_core::access::Verb;
use lk_core::time::MINUTE;
use lk_engine::credentials::ConnectError;
use lk_engine::directory::Integration;
use lk_provider::Secret;
use lk_store::{ConnectFlow, Integration as Row, NewConnectFlow, SecretText, StoreError};
use std::fmt::Write as _;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::integrations;
use crate::app::App;
use crate::auth::{self, Access, Caller, Identity, new_token, token_hash};
use crate::dto::integration::Reconnect;
use crate::error::{ApiError, ErrorCode};
use crate::extract::{BaseUrl, FromParams, Id, NoParams, Params, Query};

/// How long somebody may take at the provider.
const FLOW_LIFE_MS: i64 = 10 * MINUTE;
/// Longest code that a provider gives.
const CODE_CHARS_MAX: usize = 6_000;
/// Longest state and error.
const ANSWER_CHARS_MAX: usize = 500;
/// Where people are led back to who cannot be told which integration it was.
const LIST: &str = "/integrations";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(reconnect))
        .routes(routes!(callback))
}

/// Why nothing was connected, as far as people are told: a code in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// They, or the provider, said no.
    Refused,
    /// They signed in to another account than the one it is connected to.
    OtherAccount,
    /// Whose account it is could not be found out.
    Unverified,
    /// The provider refuses the client in the settings.
    Misconfigured,
    /// The provider did not answer.
    Unavailable,
    /// Their role does not allow it (any more).
    Forbidden,
    /// It took too long, was used before, or was begun elsewhere.
    Expired,
    /// We failed; the cause is in the log.
    Failed,
}

impl Failure {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "connect_refused",
            Self::OtherAccount => "connect_other_account",
            Self::Unverified => "connect_unverified",
            Self::Misconfigured => "connect_misconfigured",
            Self::Unavailable => "connect_unavailable",
            Self::Forbidden => "connect_forbidden",
            Self::Expired => "connect_expired",
            Self::Failed => "connect_failed",
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        tracing::warn!(%error, "a provider was not connected");
        match error {
            ConnectError::Refused(_) => Self::Refused,
            ConnectError::Misconfigured(_) | ConnectError::Settings(_) => Self::Misconfigured,
            ConnectError::Unavailable(_) => Self::Unavailable,
            ConnectError::OtherAccount | ConnectError::Store(StoreError::Invalid(_)) => Self::OtherAccount,
            ConnectError::Unverified => Self::Unverified,
            ConnectError::NotByConsent | ConnectError::Store(_) => Self::Failed,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(ConnectError::from(error))
    }
}

/// Begin connecting, or connecting again, by signing in at the provider. Works once, within ten
/// minutes, in the session that asked.
#[utoipa::path(
    post, path = "/api/integrations/{id}/reconnect", operation_id = "reconnectIntegration",
    tag = "integrations", params(("id" = String, Path, format = Uuid)),
    responses(
        (status = 200, body = Reconnect),
        (
            status = 409, body = crate::error::ErrorBody,
            description = "It is not connected by signing in, or settings are missing.",
        ),
    )
)]
async fn reconnect(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    BaseUrl(base): BaseUrl,
) -> Result<Json<Reconnect>, ApiError> {
    let (access, row) = integrations::find(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::ReconnectIntegration).await?;
    let integration = directory_entry(&app, &row).await?;
    let redirect_uri = format!("{base}/api/connect/callback");
    let (state, verifier) = (new_token()?, Secret::new(new_token()?));
    let credentials = app.engine().credentials();
    let begun = credentials.begin(&integration, &redirect_uri, &state, &verifier).await;
    let begun = begun.map_err(not_begun)?;
    // Whoever begins with an account of their own connects; only the same one again is less.
    let permit = if begun.again {
        permit
    } else {
        access.permit(&app, Verb::ConnectIntegration).await?
    };
    let Identity::User { user, session, .. } = &caller.identity else {
        return Err(ApiError::forbidden("it needs a person with a browser"));
    };
    let flow = NewConnectFlow {
        id: flow_id(&state),
        integration_id: id,
        user_id: user.id.clone(),
        session_hash: *session,
        verifier: SecretText::new(verifier.expose()),
        redirect_uri,
        expires_at: app.now() + FLOW_LIFE_MS,
    };
    app.store().begin_connect(&permit, &flow, app.now()).await?;
    Ok(Json(Reconnect { url: begun.url }))
}

fn not_begun(error: ConnectError) -> ApiError {
    match error {
        ConnectError::Store(error) => error.into(),
        ConnectError::Settings(message) => ApiError::new(ErrorCode::Conflict, message),
        _ => ApiError::new(
            ErrorCode::Conflict,
            "This integration is not connected by signing in at the provider: change its settings instead.",
        ),
    }
}

/// What is stored of a state: it cannot be turned back.
fn flow_id(state: &str) -> String {
    token_hash(state).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The integration as the engine knows it, also one that another process made a moment ago.
async fn directory_entry(app: &App, row: &Row) -> Result<Arc<Integration>, ApiError> {
    let known = || app.engine().directory().integration(row.rid).map(Arc::clone);
    if let Some(integration) = known() {
        return Ok(integration);
    }
    app.engine().reload().await?;
    known().ok_or_else(ApiError::not_found)
}

/// What `GET /api/connect/callback` reads. The provider writes it and may add to it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct CallbackQuery {
    /// What it was begun with.
    state: Option<String>,
    /// The provider's code.
    code: Option<String>,
    /// Why the provider sends no code.
    error: Option<String>,
}

impl FromParams for CallbackQuery {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let query = Self {
            state: params.lenient("state", ANSWER_CHARS_MAX),
            code: params.lenient("code", CODE_CHARS_MAX),
            error: params.lenient("error", ANSWER_CHARS_MAX),
        };
        params.ignore_rest();
        Ok(query)
    }
}

/// Come back from the provider.
#[utoipa::path(
    get, path = "/api/connect/callback", operation_id = "finishConnect", tag = "integrations",
    params(CallbackQuery),
    responses(
        (
            status = 302,
            description = "To the integration's page, with `connected=1` in the address, or with `failed`: \
                           `connect_refused`, `connect_other_account`, `connect_unverified`, `connect_misconfigured`, \
                           `connect_unavailable`, `connect_forbidden`, `connect_expired` or `connect_failed`.",
            headers(("Location" = String, description = "Where to.")),
        ),
        (status = 401, body = crate::error::ErrorBody, description = "The API key is not valid."),
    )
)]
async fn callback(
    State(app): State<App>,
    Query(query): Query<CallbackQuery>,
    parts: Parts,
) -> Result<Response, ApiError> {
    let caller = auth::identify(&parts, &app).await?;
    let Some((caller, flow)) = taken(&app, caller, query.state.as_deref()).await? else {
        return see(&format!("{LIST}?failed={}", Failure::Expired.as_str()));
    };
    let page = format!("{LIST}/{}", flow.integration_id);
    match finish(&app, &caller, &flow, query).await {
        Ok(()) => see(&format!("{page}?connected=1")),
        Err(failure) => see(&format!("{page}?failed={}", failure.as_str())),
    }
}

/// The flow that this person began in this session, taken out.
async fn taken(
    app: &App,
    caller: Option<Caller>,
    state: Option<&str>,
) -> Result<Option<(Caller, ConnectFlow)>, ApiError> {
    let (Some(caller), Some(state)) = (caller, state) else {
        return Ok(None);
    };
    let Identity::User { user, session, .. } = &caller.identity else {
        return Ok(None);
    };
    let flow = app.store().take_connect(&flow_id(state), session, app.now()).await?;
    let own = flow.filter(|flow| flow.user_id == user.id);
    Ok(own.map(|flow| (caller, flow)))
}

async fn finish(app: &App, caller: &Caller, flow: &ConnectFlow, query: CallbackQuery) -> Result<(), Failure> {
    let code = match (query.error, query.code) {
        (None, Some(code)) => Secret::new(code),
        (error, _) => {
            let error: String = error.unwrap_or_else(|| "no code".to_owned()).chars().take(80).collect();
            tracing::warn!(error = ?error, "a provider sent somebody back without a code");
            return Err(Failure::Refused);
        }
    };
    let failed = |error: ApiError| {
        // Refusals were noted where they were made.
        if error.code() == ErrorCode::Forbidden || error.code() == ErrorCode::NotFound {
            Failure::Forbidden
        } else {
            Failure::Failed
        }
    };
    let row = app.store().integration(&flow.integration_id).await?;
    let access = Access::by_id(app, caller, &row.project_id).await.map_err(failed)?;
    let integration = directory_entry(app, &row).await.map_err(failed)?;
    let credentials = app.engine().credentials();
    let consented = credentials.consented(&integration, flow, &code).await?;
    let verb = if consented.again() {
        Verb::ReconnectIntegration
    } else {
        Verb::ConnectIntegration
    };
    let permit = access.permit(app, verb).await.map_err(failed)?;
    credentials.connect(&permit, consented).await?;
    app.engine().reload().await?;
    // With its token it may be checked for the first time.
    if let Err(error) = app.engine().due(row.rid).await {
        tracing::warn!(%error, "the check after connecting comes with the next interval");
    }
    Ok(())
}

/// 302 to `address`.
fn see(address: &str) -> Result<Response, ApiError> {
    let location = HeaderValue::from_str(address).map_err(ApiError::internal)?;
    Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
}
