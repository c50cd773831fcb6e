//! Signing in and out, and the first owner.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use lk_core::access::{Standing, Verb, authorize};
use lk_core::words::Role;
use lk_store::{NewSession, NewUser, User};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::{self, COOKIE, Identity, SESSION_LIFE_MS, cookie_value, new_token, set_cookie, token_hash};
use crate::dto::session::{
    IdentityProvider, Session, SessionKey, SessionProject, SessionUser, SetupInput, SetupState, SignIn,
};
use crate::error::{ApiError, ErrorCode};
use crate::extract::{Body, NoParams, Query, is_https};

/// Purpose of the one-time link for the first owner.
const SETUP: &str = "setup";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_session, sign_in, sign_out))
        .routes(routes!(get_setup, set_up))
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/session", operation_id = "getSession", tag = "session",
    responses(
        (status = 200, body = Session, description = "Nobody, when `user` and `apiKey` are null."),
        (status = 401, body = crate::error::ErrorBody, description = "The API key is not valid."),
    )
)]
async fn get_session(State(app): State<App>, _: Query<NoParams>, parts: Parts) -> Result<Json<Session>, ApiError> {
    let caller = auth::identify(&parts, &app).await?;
    let session = match caller.map(|caller| caller.identity) {
        None => Session {
            user: None,
            api_key: None,
            projects: vec![],
            csrf_token: None,
        },
        Some(Identity::User { user, csrf, .. }) => of_user(&app, user, csrf).await?,
        Some(Identity::Key { key, .. }) => {
            let project = app.store().project(&key.project_id).await?;
            Session {
                user: None,
                projects: vec![SessionProject {
                    id: project.id,
                    slug: project.slug,
                    name: project.name,
                    role: key.role.into(),
                }],
                api_key: Some(SessionKey {
                    id: key.id,
                    name: key.name,
                }),
                csrf_token: None,
            }
        }
    };
    Ok(Json(session))
}

async fn of_user(app: &App, user: User, csrf: String) -> Result<Session, ApiError> {
    let member_of = app.store().memberships(&user.id).await?;
    let mut projects: Vec<SessionProject> = member_of
        .into_iter()
        .map(|m| SessionProject {
            id: m.project.id,
            slug: m.project.slug,
            name: m.project.name,
            role: m.role.into(),
        })
        .collect();
    if user.operator {
        for project in app.store().projects().await? {
            if projects.iter().all(|p| p.id != project.id) {
                projects.push(SessionProject {
                    id: project.id,
                    slug: project.slug,
                    name: project.name,
                    role: Role::Owner.into(),
                });
            }
        }
    }
    Ok(Session {
        user: Some(SessionUser {
            id: user.id,
            email: user.email,
            name: user.name,
            operator: user.operator,
        }),
        api_key: None,
        projects,
        csrf_token: Some(csrf),
    })
}

/// Sign in with e-mail and password.
#[utoipa::path(
    post, path = "/api/session", operation_id = "signIn", tag = "session", request_body = SignIn,
    responses(
        (status = 200, body = Session, description = "Signed in; the cookie is set."),
        (status = 401, body = crate::error::ErrorBody, description = "E-mail and password do not match."),
    )
)]
async fn sign_in(
    State(app): State<App>,
    _: Query<NoParams>,
    headers: HeaderMap,
    extensions: http::Extensions,
    Body(input): Body<SignIn>,
) -> Result<Response, ApiError> {
    let now = app.now();
    let source = auth::source(&headers, &extensions, app.config().trust_forwarded);
    if let Some(wait_s) = app.throttle().wait_s(&input.email, &source, now) {
        return Err(ApiError::rate_limited(
            "Too many failed sign-ins. Wait a little.",
            wait_s,
        ));
    }
    let known = app.store().credentials(&input.email).await?;
    let stored = known.as_ref().and_then(|known| known.password_hash.clone());
    let matches = app.passwords().verify(input.password, stored).await?;
    let Some(known) = known.filter(|_| matches) else {
        app.throttle().failed(&input.email, &source, now);
        metrics::counter!("sign_ins_total", "result" => "refused").increment(1);
        return Err(ApiError::new(
            ErrorCode::BadCredentials,
            "E-mail and password do not match.",
        ));
    };
    app.throttle().succeeded(&input.email, &source);
    metrics::counter!("sign_ins_total", "result" => "accepted").increment(1);
    begin(&app, known.user, source, is_https(&headers, &app)).await
}

/// Begins a session for a proven user and answers with it.
async fn begin(app: &App, user: User, source: String, secure: bool) -> Result<Response, ApiError> {
    let (cookie, csrf) = begin_session(app, &user, source, secure).await?;
    let answer = of_user(app, user, csrf).await?;
    Ok(([(header::SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// Begins a session for a proven user: its cookie and its CSRF token.
pub(super) async fn begin_session(
    app: &App,
    user: &User,
    source: String,
    secure: bool,
) -> Result<(HeaderValue, String), ApiError> {
    let now = app.now();
    let (token, csrf) = (new_token()?, new_token()?);
    let session = NewSession {
        id_hash: token_hash(&token).to_vec(),
        user_id: user.id.clone(),
        csrf: csrf.clone(),
        expires_at: now + SESSION_LIFE_MS,
        source: Some(source),
    };
    app.store().create_session(&session, now).await?;
    Ok((set_cookie(Some(&token), secure)?, csrf))
}

/// Sign out.
#[utoipa::path(
    delete, path = "/api/session", operation_id = "signOut", tag = "session",
    responses(
        (status = 204, description = "Signed out, or was not signed in."),
        (status = 401, body = crate::error::ErrorBody, description = "The API key is not valid."),
        (status = 403, body = crate::error::ErrorBody, description = "The CSRF token is missing."),
    )
)]
async fn sign_out(State(app): State<App>, _: Query<NoParams>, parts: Parts) -> Result<Response, ApiError> {
    // Identifies first: ending a session is a write and needs its CSRF token.
    auth::identify(&parts, &app).await?;
    if let Some(token) = cookie_value(&parts.headers, COOKIE) {
        app.store().delete_session(&token_hash(token)).await?;
    }
    let cookie = set_cookie(None, is_https(&parts.headers, &app))?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

/// Whether the first owner is still to be created, and how people may sign in.
#[utoipa::path(
    get, path = "/api/setup", operation_id = "getSetup", tag = "session",
    responses((status = 200, body = SetupState))
)]
async fn get_setup(State(app): State<App>, _: Query<NoParams>) -> Result<Json<SetupState>, ApiError> {
    Ok(Json(SetupState {
        needed: app.store().needs_setup().await?,
        identity_provider: app.oidc().map(|oidc| IdentityProvider {
            name: oidc.config().name.clone(),
        }),
    }))
}

/// Create the first owner through the printed one-time link.
#[utoipa::path(
    post, path = "/api/setup", operation_id = "setUp", tag = "session", request_body = SetupInput,
    responses(
        (status = 200, body = Session, description = "Created and signed in; the cookie is set."),
        (status = 401, body = crate::error::ErrorBody, description = "The link is used, expired or unknown."),
    )
)]
async fn set_up(
    State(app): State<App>,
    _: Query<NoParams>,
    headers: HeaderMap,
    extensions: http::Extensions,
    Body(input): Body<SetupInput>,
) -> Result<Response, ApiError> {
    let now = app.now();
    let source = auth::source(&headers, &extensions, app.config().trust_forwarded);
    let refused = || {
        ApiError::new(
            ErrorCode::BadCredentials,
            "The link is used, expired or unknown. Restart the server to print a new one.",
        )
    };
    if let Some(wait_s) = app.throttle().wait_s(SETUP, &source, now) {
        return Err(ApiError::rate_limited("Too many attempts. Wait a little.", wait_s));
    }
    let hash = token_hash(&input.token);
    // Looked at before the expensive hash, so that guessing costs us nothing.
    if app.store().one_time_link(&hash, SETUP, now).await?.is_none() {
        app.throttle().failed(SETUP, &source, now);
        return Err(refused());
    }
    let new = NewUser {
        email: input.email,
        name: input.name,
        password_hash: Some(app.passwords().hash(input.password).await?),
        operator: true,
    };
    // The link is the proof: who holds it could read it on the machine.
    let standing = Standing {
        source: Some(source.clone()),
        ..Standing::command_line()
    };
    let permit = authorize(&standing, Verb::ManageUsers)?;
    let user = match app.store().create_first_owner(&permit, &hash, &new, now).await {
        Ok(user) => user,
        Err(lk_store::StoreError::NotFound { .. }) => return Err(refused()),
        Err(error) => return Err(error.into()),
    };
    app.throttle().succeeded(SETUP, &source);
    begin(&app, user, source, is_https(&headers, &app)).await
}
