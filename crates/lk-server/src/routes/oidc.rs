//! Signing in through the identity provider: the way there and the way back. Both lead people to
//! a page, whatever happens; only a request that no browser of ours would send is refused.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use lk_core::Time;
use lk_core::access::Place;
use lk_core::words::SignInMethod;
use lk_store::{StoreError, User};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session::begin_session;
use crate::app::App;
use crate::auth::{
    self, COOKIE, FLOW_COOKIE, Failure, Flow, Identity, IdentityProvider, Origin, Proven, Purpose, cookie_value,
    find_person, flow_cookie, new_token, own_path, token_hash, with_failure,
};
use crate::door;
use crate::error::ApiError;
use crate::extract::{BaseUrl, FromParams, Params, Query};

/// Longest `next`.
const NEXT_CHARS_MAX: usize = 2_000;
/// Longest code that a provider gives.
const CODE_CHARS_MAX: usize = 6_000;
/// Longest state, issuer and error.
const ANSWER_CHARS_MAX: usize = 500;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(start)).routes(routes!(callback))
}

/// What `GET /api/oidc/start` reads.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct StartQuery {
    /// The page to come back to: a path of this installation; the start page for anything else.
    #[param(min_length = 1, max_length = 2000)]
    next: Option<String>,
    /// What for: `sign_in` (when absent), `sudo` (proving again who one is), `link` (linking the
    /// identity to the account one is signed in with).
    #[param(value_type = Option<String>, example = "sign_in")]
    purpose: Option<Purpose>,
}

impl FromParams for StartQuery {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            next: params.text("next", NEXT_CHARS_MAX)?,
            purpose: params.word("purpose", Purpose::parse, &Purpose::WORDS)?,
        })
    }
}

/// What `GET /api/oidc/callback` reads. The provider writes it and may add to it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct CallbackQuery {
    /// What the sign-in was begun with.
    state: Option<String>,
    /// The provider's code.
    code: Option<String>,
    /// The provider's name for itself.
    iss: Option<String>,
    /// Why the provider sends no code.
    error: Option<String>,
}

impl FromParams for CallbackQuery {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let query = Self {
            state: params.lenient("state", ANSWER_CHARS_MAX),
            code: params.lenient("code", CODE_CHARS_MAX),
            iss: params.lenient("iss", ANSWER_CHARS_MAX),
            error: params.lenient("error", ANSWER_CHARS_MAX),
        };
        params.ignore_rest();
        Ok(query)
    }
}

/// Go to the identity provider.
#[utoipa::path(
    get, path = "/api/oidc/start", operation_id = "startOidc", tag = "session",
    params(StartQuery),
    responses(
        (
            status = 302, description = "To the identity provider, or to a page that says why not.",
            headers(("Location" = String, description = "Where to.")),
        ),
        (status = 401, body = crate::error::ErrorBody, description = "The API key is not valid."),
        (status = 404, body = crate::error::ErrorBody, description = "No identity provider is configured."),
    )
)]
async fn start(
    State(app): State<App>,
    Query(query): Query<StartQuery>,
    BaseUrl(base): BaseUrl,
    parts: Parts,
) -> Result<Response, ApiError> {
    let oidc = app.oidc().ok_or_else(ApiError::not_found)?;
    let (next, purpose) = (
        own_path(query.next.as_deref()),
        query.purpose.unwrap_or(Purpose::SignIn),
    );
    let session = match purpose {
        Purpose::SignIn => None,
        Purpose::Sudo | Purpose::Link => match session_for(&app, &parts, purpose).await? {
            Ok(session) => Some(session),
            Err(Refusal::SignIn) => return see(&with_failure(Purpose::SignIn, &next, Failure::Expired), []),
            Err(Refusal::Because(failure)) => return see(&with_failure(purpose, &next, failure), []),
        },
    };
    let (now, state) = (app.now(), new_token()?);
    let flow = Flow::begin(purpose, next, &base, session, now)?;
    match oidc.way_there(&flow, state.clone(), now).await {
        Ok(address) => {
            let sealed = flow.seal(app.store().master_key(), &state)?;
            see(&address, [flow_cookie(Some(&sealed), door::is_https(&parts.headers))?])
        }
        Err(failure) => see(&flow.failed(failure), []),
    }
}

/// Why a flow that needs a session does not begin.
enum Refusal {
    /// Nobody is signed in.
    SignIn,
    /// Somebody is, but.
    Because(Failure),
}

/// The session that proving or linking is for.
async fn session_for(app: &App, parts: &Parts, purpose: Purpose) -> Result<Result<[u8; 32], Refusal>, ApiError> {
    let Some(caller) = auth::identify(parts, app).await? else {
        return Ok(Err(Refusal::SignIn));
    };
    let Identity::User { session, .. } = caller.identity else {
        return Ok(Err(Refusal::SignIn));
    };
    // Another site must not be able to link an identity that it controls to a visitor's account.
    let site = parts.headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Ok(Err(Refusal::Because(Failure::Failed)));
    }
    if purpose == Purpose::Link {
        let standing = caller.standing(Place::Installation, None, app.now());
        if standing.is_proven().is_err() {
            return Ok(Err(Refusal::Because(Failure::Expired)));
        }
    }
    Ok(Ok(session))
}

/// Come back from the identity provider.
#[utoipa::path(
    get, path = "/api/oidc/callback", operation_id = "finishOidc", tag = "session",
    params(CallbackQuery),
    responses(
        (
            status = 302,
            description = "To the page asked for, signed in; or to `/sign-in` (for `sudo` and `link` to the page) \
                           with `failed` in the address: `oidc_refused`, `oidc_unknown_person`, \
                           `oidc_unverified_email`, `oidc_disabled`, `oidc_expired` or `oidc_failed`.",
            headers(("Location" = String, description = "Where to.")),
        ),
        (status = 404, body = crate::error::ErrorBody, description = "No identity provider is configured."),
    )
)]
async fn callback(
    State(app): State<App>,
    Query(query): Query<CallbackQuery>,
    headers: HeaderMap,
    origin: Origin,
) -> Result<Response, ApiError> {
    let oidc = app.oidc().ok_or_else(ApiError::not_found)?;
    let done = flow_cookie(None, origin.https)?;
    let Some(flow) = opened(&app, &headers, query.state.as_deref()) else {
        return see(&with_failure(Purpose::SignIn, "/", Failure::Expired), [done]);
    };
    let finished = match proven(&app, oidc, &flow, query).await {
        Ok(proven) => finish(&app, oidc, &flow, &proven, &headers, &origin.source).await,
        Err(failure) => Err(failure),
    };
    let signs_in = flow.purpose == Purpose::SignIn;
    if signs_in {
        let result = if finished.is_ok() { "accepted" } else { "refused" };
        metrics::counter!("sign_ins_total", "result" => result).increment(1);
    }
    match finished {
        Ok(user) if signs_in => {
            let (session, _) = begin_session(&app, &user, SignInMethod::IdentityProvider.into(), origin).await?;
            see(&flow.next, [done, session])
        }
        Ok(_) => see(&flow.next, [done]),
        Err(failure) => see(&flow.failed(failure), [done]),
    }
}

/// The flow that this browser began with this state.
fn opened(app: &App, headers: &HeaderMap, state: Option<&str>) -> Option<Flow> {
    let cookie = cookie_value(headers, FLOW_COOKIE)?;
    Flow::open(app.store().master_key(), cookie, state?, app.now())
}

/// Who it is, by the provider's word.
async fn proven(app: &App, oidc: &IdentityProvider, flow: &Flow, query: CallbackQuery) -> Result<Proven, Failure> {
    let now = app.now();
    oidc.check_issuer(query.iss.as_deref(), now).await?;
    match (query.error.as_deref(), query.code) {
        (Some("access_denied"), _) => Err(Failure::Refused),
        (None, Some(code)) => oidc.prove(flow, code, now).await,
        (error, _) => {
            let error: String = error.unwrap_or("no code").chars().take(80).collect();
            tracing::warn!(error = ?error, "the identity provider sent somebody back without a code");
            Err(Failure::Failed)
        }
    }
}

/// Does what the flow is for; gives the person.
async fn finish(
    app: &App,
    oidc: &IdentityProvider,
    flow: &Flow,
    proven: &Proven,
    headers: &HeaderMap,
    source: &str,
) -> Result<User, Failure> {
    let (store, now) = (app.store(), app.now());
    if flow.purpose == Purpose::SignIn {
        return find_person(store, oidc.config(), proven, source, now).await;
    }
    let (session, user) = same_session(app, flow, headers, now).await?;
    let identity = proven.identity();
    if flow.purpose == Purpose::Link {
        return match store.link_identity(&user, &identity, Some(source), now).await {
            Ok(()) => Ok(user),
            // It is somebody else's.
            Err(StoreError::Taken { .. }) => Err(Failure::Refused),
            Err(error) => Err(error.into()),
        };
    }
    let owner = store.user_of_identity(&identity.issuer, &identity.subject).await?;
    if owner.is_none_or(|owner| owner.id != user.id) {
        return Err(Failure::UnknownPerson);
    }
    store.touch_identity(&identity, now).await?;
    store.prove_session(&session, Some(source), now).await?;
    Ok(user)
}

/// The session that the flow was begun in, when this browser still has it.
async fn same_session(app: &App, flow: &Flow, headers: &HeaderMap, now: Time) -> Result<([u8; 32], User), Failure> {
    let here = cookie_value(headers, COOKIE).map(token_hash).ok_or(Failure::Expired)?;
    if flow.session != Some(here) {
        return Err(Failure::Expired);
    }
    let session = app.store().session(&here, now).await?.ok_or(Failure::Expired)?;
    Ok((here, session.user))
}

/// 302 to `address`, with cookies.
fn see<const N: usize>(address: &str, cookies: [HeaderValue; N]) -> Result<Response, ApiError> {
    let location = HeaderValue::from_str(address).map_err(ApiError::internal)?;
    let mut response = (StatusCode::FOUND, [(header::LOCATION, location)]).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
