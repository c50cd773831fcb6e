//! Proving who is there: a password and, where one is set up, an authenticator's code. The same
//! for signing in and for proving it again.

use lk_core::access::Actor;
use lk_store::{Authenticator, Refusal, User, UserCredentials};

use crate::app::App;
use crate::error::{ApiError, ErrorCode};

use super::origin::Origin;
use super::totp;

/// What somebody shows.
pub(crate) struct Shown<'a> {
    /// The address they say is theirs.
    pub(crate) email: &'a str,
    /// The password.
    pub(crate) password: String,
    /// The code of their authenticator, or a recovery code.
    pub(crate) code: Option<&'a str>,
}

/// Decides whether what is shown proves `known`, who has the address; `None` for nobody. Slowed
/// down after failures; failures of known people are audited under `action`.
pub(crate) async fn prove(
    app: &App,
    known: Option<UserCredentials>,
    shown: Shown<'_>,
    origin: &Origin,
    action: &str,
) -> Result<UserCredentials, ApiError> {
    let (email, source) = (shown.email, origin.source.as_str());
    begin_attempt(app, email, source)?;
    let stored = known.as_ref().and_then(|known| known.password_hash.clone());
    let matches = app.passwords().verify(shown.password, stored).await?;
    let Some(known) = known else {
        // What is typed for an unknown address is often a password: it is counted, not written.
        count("refused");
        return Err(bad_credentials());
    };
    let user = known.user.clone();
    if !matches {
        refuse(app, &user, origin, action, "wrong password").await;
        return Err(bad_credentials());
    }
    let authenticator = app.store().authenticator(&user.id).await?;
    if let Some(authenticator) = authenticator.filter(|a| a.confirmed_at.is_some()) {
        let Some(code) = shown.code else {
            app.throttle().undo(email, source);
            return Err(ApiError::new(
                ErrorCode::CodeRequired,
                "Enter the code that your authenticator app shows.",
            ));
        };
        if !accepts(app, &user, &authenticator, code, origin).await? {
            refuse(app, &user, origin, action, "wrong code").await;
            return Err(bad_code());
        }
    }
    app.throttle().succeeded(email, source, app.now());
    count("accepted");
    Ok(known)
}

/// Counts an attempt of whoever says to have this address, as failed until it succeeds; 429 after
/// too many.
pub(crate) fn begin_attempt(app: &App, email: &str, source: &str) -> Result<(), ApiError> {
    app.throttle().attempt(email, source, app.now()).map_err(|wait_s| {
        count("slowed");
        ApiError::rate_limited("Too many failed attempts. Wait a little.", wait_s)
    })
}

/// Whether `code` is right now, and uses it up.
async fn accepts(
    app: &App,
    user: &User,
    authenticator: &Authenticator,
    code: &str,
    origin: &Origin,
) -> Result<bool, ApiError> {
    let now = app.now();
    if let Some(step) = totp::step_of(&authenticator.secret, code, now)? {
        return Ok(app
            .store()
            .use_totp_step(&user.id, step, totp::latest_step(now))
            .await?);
    }
    let hash = totp::recovery_hash(code);
    Ok(app
        .store()
        .use_recovery_code(&user.id, &hash, Some(&origin.source), now)
        .await?)
}

/// How somebody can prove again who they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ProofMethods {
    /// With their password.
    pub(crate) password: bool,
    /// With the code of their authenticator, beside the password.
    pub(crate) code: bool,
    /// At the identity provider.
    pub(crate) identity_provider: bool,
}

/// How the person with this id can prove again who they are.
pub(crate) async fn proof_methods(app: &App, user_id: &str) -> Result<ProofMethods, ApiError> {
    let row = app.store().user_row(user_id).await?;
    let identity_provider = app.oidc().is_some() && !app.store().identities(user_id).await?.is_empty();
    Ok(ProofMethods {
        password: row.has_password,
        code: row.totp,
        identity_provider,
    })
}

/// Audits and counts a failure. What cannot be written must not let anybody in or keep them out.
async fn refuse(app: &App, user: &User, origin: &Origin, action: &str, why: &str) {
    count("refused");
    let refusal = Refusal {
        actor: Actor::User {
            id: user.id.clone(),
            name: user.name.clone(),
        },
        source: Some(origin.source.clone()),
        project_id: None,
        action: action.to_owned(),
        target: user.id.clone(),
        summary: why.to_owned(),
        result: "failed",
    };
    if let Err(error) = app.store().note_refusal(&refusal, app.now()).await {
        tracing::warn!(%error, "a failed sign-in was not written to the audit log");
    }
}

fn count(result: &'static str) {
    metrics::counter!("sign_ins_total", "result" => result).increment(1);
}

/// 401: the address and the password do not belong together.
pub(crate) fn bad_credentials() -> ApiError {
    ApiError::new(ErrorCode::BadCredentials, "E-mail and password do not match.")
}

/// 401: the code is wrong, old or used.
pub(crate) fn bad_code() -> ApiError {
    ApiError::new(
        ErrorCode::BadCode,
        "This code is not right, or it was used already. Wait for the next one and try again.",
    )
}
