//! Invitations: made and withdrawn by admins, used by whoever has the link.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use lk_core::access::Verb;
use lk_core::time::DAY;
use lk_core::words::SignInMethod;
use lk_store::{NewInvitation as StoredNew, NewUser, StoreError, User};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ProjectParam;
use crate::app::App;
use crate::auth::{Access, Caller, Identity, Origin, Person, new_token, permit_installation, token_hash};
use crate::dto::member::{CreatedInvitation, InvitationList, InvitationPreview, LinkToken, NewInvitation};
use crate::dto::session::{NewAccount, Session};
use crate::error::{ApiError, ErrorCode};
use crate::extract::{BaseUrl, Body, Id, NoParams, Query};

/// Days until an invitation stops working, unless asked otherwise.
const DAYS_DEFAULT: u32 = 7;
/// What attempts to use an invitation are counted under.
const INVITATION: &str = "invitation";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_invitations, create_invitation))
        .routes(routes!(withdraw_invitation))
        .routes(routes!(look_at_invitation))
        .routes(routes!(join))
        .routes(routes!(accept_invitation))
}

/// The invitations of a project that can still be used.
#[utoipa::path(
    get, path = "/api/invitations", operation_id = "listInvitations", tag = "members", params(ProjectParam),
    responses((status = 200, body = InvitationList))
)]
async fn list_invitations(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
) -> Result<Json<InvitationList>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    access.enter_admin_area(&app).await?;
    let rows = app.store().invitations(&access.project.id, app.now()).await?;
    Ok(Json(InvitationList {
        items: rows.into_iter().map(Into::into).collect(),
    }))
}

/// Invite somebody into a project.
#[utoipa::path(
    post, path = "/api/invitations", operation_id = "createInvitation", tag = "members",
    request_body = NewInvitation,
    responses((status = 201, body = CreatedInvitation, description = "Made; its link is shown this once."))
)]
async fn create_invitation(
    State(app): State<App>,
    caller: Caller,
    _: Query<NoParams>,
    base: BaseUrl,
    Body(input): Body<NewInvitation>,
) -> Result<(StatusCode, Json<CreatedInvitation>), ApiError> {
    let access = Access::to_project(&app, &caller, input.project_id.as_deref()).await?;
    let permit = access
        .permit(&app, Verb::to_set_role(input.role.0, input.role.0))
        .await?;
    if let Identity::Key { key, .. } = &caller.identity
        && let Some(own) = &key.scopes
        && let Some(more) = input.role.0.scopes().find(|scope| !own.contains(scope))
    {
        // Whoever is invited has everything of the role: more than this key was given.
        return Err(ApiError::scope_missing(more));
    }
    let (now, token) = (app.now(), new_token()?);
    let days = input.expires_in_days.unwrap_or(DAYS_DEFAULT);
    let new = StoredNew {
        project_id: access.project.id.clone(),
        hash: token_hash(&token).to_vec(),
        role: input.role.0,
        email: input.email,
        expires_at: now + i64::from(days) * DAY,
    };
    let invitation = app.store().create_invitation(&permit, &new, now).await?;
    let created = CreatedInvitation {
        invitation: invitation.into(),
        link: format!("{}/invitation?token={token}", base.0),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Withdraw an invitation.
#[utoipa::path(
    delete, path = "/api/invitations/{id}", operation_id = "withdrawInvitation", tag = "members",
    params(ProjectParam, ("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Its link no longer works."))
)]
async fn withdraw_invitation(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    Query(query): Query<ProjectParam>,
) -> Result<StatusCode, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let permit = access.permit(&app, Verb::ManageMembers).await?;
    app.store()
        .withdraw_invitation(&permit, &access.project.id, &id, app.now())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where an invitation leads.
#[utoipa::path(
    post, path = "/api/invitations/look", operation_id = "lookAtInvitation", tag = "session",
    request_body = LinkToken,
    responses(
        (status = 200, body = InvitationPreview),
        (status = 401, body = crate::error::ErrorBody, description = "`bad_link`: used, expired or unknown."),
    )
)]
async fn look_at_invitation(
    State(app): State<App>,
    origin: Origin,
    _: Query<NoParams>,
    Body(input): Body<LinkToken>,
) -> Result<Json<InvitationPreview>, ApiError> {
    let (invitation, project) = super::with_link(&app, INVITATION, &origin.source, async {
        let found = app.store().invitation(&token_hash(&input.token), app.now()).await?;
        found.ok_or_else(ApiError::bad_link)
    })
    .await?;
    Ok(Json(InvitationPreview {
        project_name: project.name,
        role: invitation.role.into(),
        email: invitation.email,
        invited_by: invitation.created_by,
        expires_at: invitation.expires_at.into(),
    }))
}

/// Make an account through an invitation and join its project.
#[utoipa::path(
    post, path = "/api/invitations/join", operation_id = "join", tag = "session", request_body = NewAccount,
    responses(
        (status = 200, body = Session, description = "Joined and signed in; the cookie is set."),
        (status = 401, body = crate::error::ErrorBody, description = "`bad_link`: used, expired or unknown."),
        (status = 409, body = crate::error::ErrorBody, description =
            "The address has an account: sign in, then open the link again."),
    )
)]
async fn join(
    State(app): State<App>,
    origin: Origin,
    _: Query<NoParams>,
    Body(input): Body<NewAccount>,
) -> Result<Response, ApiError> {
    let user = super::with_link(&app, INVITATION, &origin.source, make_account(&app, input, &origin)).await?;
    super::session::begin(&app, user, SignInMethod::Link.into(), origin).await
}

async fn make_account(app: &App, input: NewAccount, origin: &Origin) -> Result<User, ApiError> {
    let (now, link) = (app.now(), token_hash(&input.token));
    // Looked at before the expensive hash, so that guessing costs us nothing.
    if app.store().invitation(&link, now).await?.is_none() {
        return Err(ApiError::bad_link());
    }
    let new = NewUser {
        email: input.email,
        name: input.name,
        password_hash: Some(app.passwords().hash(input.password).await?),
        operator: false,
    };
    let joined = app
        .store()
        .join_by_invitation(&link, &new, Some(&origin.source), now)
        .await;
    joined.map_err(|error| match error {
        StoreError::NotFound { .. } => ApiError::bad_link(),
        StoreError::Taken { .. } => ApiError::new(
            ErrorCode::Conflict,
            "This address has an account already. Sign in, then open the link again.",
        ),
        error => error.into(),
    })
}

/// Join a project through an invitation with one's own account.
#[utoipa::path(
    post, path = "/api/invitations/accept", operation_id = "acceptInvitation", tag = "profile",
    request_body = LinkToken,
    responses(
        (status = 200, body = Session, description = "Joined. Who had a higher role keeps it."),
        (status = 401, body = crate::error::ErrorBody, description = "Not signed in, or `bad_link`."),
    )
)]
async fn accept_invitation(
    State(app): State<App>,
    person: Person,
    origin: Origin,
    _: Query<NoParams>,
    Body(input): Body<LinkToken>,
) -> Result<Json<Session>, ApiError> {
    let permit = permit_installation(&app, &person.caller, Verb::ManageAccount).await?;
    super::with_link(&app, INVITATION, &origin.source, async {
        let link = token_hash(&input.token);
        let accepted = app.store().accept_invitation(&permit, &link, app.now()).await;
        accepted.map_err(|error| match error {
            StoreError::NotFound { .. } => ApiError::bad_link(),
            error => error.into(),
        })
    })
    .await?;
    let Identity::User { csrf, proved_at, .. } = person.caller.identity else {
        return Err(ApiError::unauthenticated());
    };
    Ok(Json(super::session::of_user(&app, person.user, csrf, proved_at).await?))
}
