//! Signing in and out, and the first owner.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use lk_core::Time;
use lk_core::access::{Standing, Verb, authorize};
use lk_core::words::{Role, SignInMethod};
use lk_store::{NewSession, NewUser, Project, StoreError, User};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::{
    self, COOKIE, Identity, Origin, PROOF_MS, Person, SESSION_LIFE_MS, Shown, cookie_value, new_token, proof_methods,
    prove, set_cookie, token_hash,
};
use crate::door;
use crate::dto::key::effective_scopes;
use crate::dto::session::{
    IdentityProvider, NewAccount, Session, SessionKey, SessionProject, SessionUser, SetupState, SignIn, Sudo,
};
use crate::error::{ApiError, ErrorCode};
use crate::extract::{Body, NoParams, Query};

/// Purpose of the one-time link for the first owner.
const SETUP: &str = "setup";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_session, sign_in, sign_out))
        .routes(routes!(sudo))
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
            sudo_until: None,
            sudo: None,
        },
        Some(Identity::User {
            user, csrf, proved_at, ..
        }) => of_user(&app, user, csrf, proved_at).await?,
        Some(Identity::Key { key, .. }) => {
            let project = app.store().project(&key.project_id).await?;
            Session {
                user: None,
                projects: vec![choice(project, key.role)],
                api_key: Some(SessionKey {
                    scopes: effective_scopes(&key),
                    id: key.id,
                    name: key.name,
                }),
                csrf_token: None,
                sudo_until: None,
                sudo: None,
            }
        }
    };
    Ok(Json(session))
}

fn choice(project: Project, role: Role) -> SessionProject {
    SessionProject {
        id: project.id,
        slug: project.slug,
        name: project.name,
        role: role.into(),
        flags: project.flags.into(),
    }
}

/// The answer that tells a person who they are.
pub(super) async fn of_user(app: &App, user: User, csrf: String, proved_at: Time) -> Result<Session, ApiError> {
    let member_of = app.store().memberships(&user.id).await?;
    let mut projects: Vec<SessionProject> = member_of.into_iter().map(|m| choice(m.project, m.role)).collect();
    if user.operator {
        for project in app.store().projects().await? {
            if projects.iter().all(|p| p.id != project.id) {
                projects.push(choice(project, Role::Owner));
            }
        }
    }
    let sudo_until = proved_at + PROOF_MS;
    let methods = proof_methods(app, &user.id).await?;
    Ok(Session {
        user: Some(SessionUser::from(user)),
        api_key: None,
        projects,
        csrf_token: Some(csrf),
        sudo_until: (sudo_until > app.now()).then_some(sudo_until.into()),
        sudo: Some(methods.into()),
    })
}

/// Sign in with e-mail and password, and with the authenticator's code where one is set up.
#[utoipa::path(
    post, path = "/api/session", operation_id = "signIn", tag = "session", request_body = SignIn,
    responses(
        (status = 200, body = Session, description = "Signed in; the cookie is set."),
        (status = 401, body = crate::error::ErrorBody, description =
            "`bad_credentials`; `code_required`: send again with `code`; `bad_code`."),
    )
)]
async fn sign_in(
    State(app): State<App>,
    _: Query<NoParams>,
    origin: Origin,
    Body(input): Body<SignIn>,
) -> Result<Response, ApiError> {
    let known = app.store().credentials(&input.email).await?;
    let shown = Shown {
        email: &input.email,
        password: input.password,
        code: input.code.as_deref(),
    };
    let proven = prove(&app, known, shown, &origin, "session.began").await?;
    let by = Proof {
        method: SignInMethod::Password,
        password_hash: proven.password_hash,
    };
    begin(&app, proven.user, by, origin).await
}

/// How somebody proved who they are.
pub(super) struct Proof {
    method: SignInMethod,
    /// The hash of the password, when it was one.
    password_hash: Option<String>,
}

impl From<SignInMethod> for Proof {
    fn from(method: SignInMethod) -> Self {
        Self {
            method,
            password_hash: None,
        }
    }
}

/// Begins a session for a proven user and answers with it. A session that the browser had before
/// is not taken over: its cookie is replaced.
pub(super) async fn begin(app: &App, user: User, by: Proof, origin: Origin) -> Result<Response, ApiError> {
    let (cookie, csrf) = begin_session(app, &user, by, origin).await?;
    let answer = of_user(app, user, csrf, app.now()).await?;
    Ok(([(header::SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// Begins a session for a proven user: its cookie and its CSRF token.
pub(super) async fn begin_session(
    app: &App,
    user: &User,
    by: Proof,
    origin: Origin,
) -> Result<(HeaderValue, String), ApiError> {
    let now = app.now();
    let (token, csrf) = (new_token()?, new_token()?);
    let session = NewSession {
        id_hash: token_hash(&token).to_vec(),
        user_id: user.id.clone(),
        method: by.method,
        proven_hash: by.password_hash,
        csrf: csrf.clone(),
        expires_at: now + SESSION_LIFE_MS,
        source: Some(origin.source),
        user_agent: origin.user_agent,
    };
    let begun = app.store().create_session(&session, now).await;
    begun.map_err(|error| match error {
        // It was changed while it was being checked.
        StoreError::NotFound { .. } => auth::bad_credentials(),
        error => error.into(),
    })?;
    Ok((set_cookie(Some(&token), origin.https)?, csrf))
}

/// Prove again who is there, for the admin areas.
#[utoipa::path(
    post, path = "/api/session/sudo", operation_id = "proveSession", tag = "session", request_body = Sudo,
    responses(
        (status = 200, body = Session, description = "Proven; `sudoUntil` is 15 minutes from now."),
        (status = 401, body = crate::error::ErrorBody, description =
            "Not signed in; `bad_credentials`; `code_required`; `bad_code`."),
    )
)]
async fn sudo(
    State(app): State<App>,
    person: Person,
    origin: Origin,
    _: Query<NoParams>,
    Body(input): Body<Sudo>,
) -> Result<Json<Session>, ApiError> {
    let Identity::User { csrf, .. } = person.caller.identity else {
        return Err(ApiError::unauthenticated());
    };
    let known = app.store().credentials_of(&person.user.id).await?;
    let shown = Shown {
        email: &person.user.email,
        password: input.password,
        code: input.code.as_deref(),
    };
    let user = prove(&app, known, shown, &origin, "session.proven").await?.user;
    let now = app.now();
    app.store()
        .prove_session(&person.session, Some(&origin.source), now)
        .await?;
    Ok(Json(of_user(&app, user, csrf, now).await?))
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
        let source = auth::source(&parts.extensions);
        app.store()
            .end_session(&token_hash(token), Some(&source), app.now())
            .await?;
    }
    let cookie = set_cookie(None, door::is_https(&parts.headers))?;
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
    post, path = "/api/setup", operation_id = "setUp", tag = "session", request_body = NewAccount,
    responses(
        (status = 200, body = Session, description = "Created and signed in; the cookie is set."),
        (status = 401, body = crate::error::ErrorBody, description = "The link is used, expired or unknown."),
    )
)]
async fn set_up(
    State(app): State<App>,
    _: Query<NoParams>,
    origin: Origin,
    Body(input): Body<NewAccount>,
) -> Result<Response, ApiError> {
    let owner = super::with_link(&app, SETUP, &origin.source, make_owner(&app, input, &origin));
    let user = owner.await?;
    begin(&app, user, SignInMethod::Link.into(), origin).await
}

async fn make_owner(app: &App, input: NewAccount, origin: &Origin) -> Result<User, ApiError> {
    let now = app.now();
    let refused = || {
        ApiError::new(
            ErrorCode::BadLink,
            "The link is used, expired or unknown. Restart the server to print a new one.",
        )
    };
    let hash = token_hash(&input.token);
    // Looked at before the expensive hash, so that guessing costs us nothing.
    if app.store().one_time_link(&hash, SETUP, now).await?.is_none() {
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
        source: Some(origin.source.clone()),
        ..Standing::command_line()
    };
    let permit = authorize(&standing, Verb::ManageUsers).map_err(ApiError::internal)?;
    let made = app.store().create_first_owner(&permit, &hash, &new, now).await;
    made.map_err(|error| match error {
        StoreError::NotFound { .. } => refused(),
        error => error.into(),
    })
}
