//! Who is signed in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::IsoTime;
use super::project::Flags;
use super::words::{RoleWord, ScopeWord};
use crate::auth::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, ProofMethods};
use crate::error::ApiError;
use crate::extract::Checked;

/// Longest e-mail address.
const EMAIL_CHARS_MAX: usize = 254;
/// Longest token of a one-time link.
const TOKEN_CHARS_MAX: usize = 200;
/// Longest code of an authenticator, or recovery code.
pub(crate) const CODE_CHARS_MAX: usize = 40;
/// Longest name of a person.
pub(crate) const NAME_CHARS_MAX: usize = 120;

/// Who is signed in and where they belong.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    /// The signed-in person.
    #[schema(required)]
    pub(crate) user: Option<SessionUser>,
    /// The API key, when one is used.
    #[schema(required)]
    pub(crate) api_key: Option<SessionKey>,
    /// The projects to choose from.
    pub(crate) projects: Vec<SessionProject>,
    /// Send it as `x-csrf-token` with every write of this session.
    #[schema(required)]
    pub(crate) csrf_token: Option<String>,
    /// Until when the admin areas do not ask again who is there; null: they ask now.
    #[schema(required)]
    pub(crate) sudo_until: Option<IsoTime>,
    /// How this person can prove who they are; null for nobody and for keys.
    #[schema(required)]
    pub(crate) sudo: Option<SudoMethods>,
}

/// How somebody can prove again who they are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SudoMethods {
    /// With their password.
    pub(crate) password: bool,
    /// With the code of their authenticator, beside the password.
    pub(crate) code: bool,
    /// At the identity provider.
    pub(crate) identity_provider: bool,
}

impl From<ProofMethods> for SudoMethods {
    fn from(methods: ProofMethods) -> Self {
        Self {
            password: methods.password,
            code: methods.code,
            identity_provider: methods.identity_provider,
        }
    }
}

/// A signed-in person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionUser {
    /// Public id.
    pub(crate) id: String,
    /// E-mail address.
    pub(crate) email: String,
    /// Name.
    pub(crate) name: String,
    /// Whether they run the installation.
    pub(crate) operator: bool,
}

impl From<lk_store::User> for SessionUser {
    fn from(user: lk_store::User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            operator: user.operator,
        }
    }
}

/// An API key in use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionKey {
    /// Public id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What it may be used for.
    pub(crate) scopes: Vec<ScopeWord>,
}

/// A project to choose.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionProject {
    /// Public id.
    pub(crate) id: String,
    /// Short name in addresses.
    pub(crate) slug: String,
    /// Name.
    pub(crate) name: String,
    /// The caller's role in it.
    pub(crate) role: RoleWord,
    /// What is switched on for it.
    pub(crate) flags: Flags,
}

/// Signing in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignIn {
    /// E-mail address.
    #[schema(min_length = 1, max_length = 254)]
    pub(crate) email: String,
    /// Password.
    #[schema(min_length = 1, max_length = 512, write_only, format = Password)]
    pub(crate) password: String,
    /// The code of the authenticator, or a recovery code, once the answer was `code_required`.
    #[schema(min_length = 1, max_length = 40, write_only)]
    pub(crate) code: Option<String>,
}

impl Checked for SignIn {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("email", Some(&self.email), EMAIL_CHARS_MAX)?;
        check_password("password", &self.password)?;
        super::check_text("code", self.code.as_deref(), CODE_CHARS_MAX)
    }
}

/// Proving again who is there.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Sudo {
    /// Password.
    #[schema(min_length = 1, max_length = 512, write_only, format = Password)]
    pub(crate) password: String,
    /// The code of the authenticator, or a recovery code.
    #[schema(min_length = 1, max_length = 40, write_only)]
    pub(crate) code: Option<String>,
}

impl Checked for Sudo {
    fn check(&self) -> Result<(), ApiError> {
        check_password("password", &self.password)?;
        super::check_text("code", self.code.as_deref(), CODE_CHARS_MAX)
    }
}

/// Refuses what cannot be anybody's password.
pub(crate) fn check_password(field: &str, password: &str) -> Result<(), ApiError> {
    if password.is_empty() || password.len() > PASSWORD_BYTES_MAX {
        return Err(ApiError::invalid(
            field,
            format!("must have 1 to {PASSWORD_BYTES_MAX} bytes."),
        ));
    }
    Ok(())
}

/// Whether the first owner is still to be created, and how people may sign in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SetupState {
    /// Open the printed one-time link to do it.
    pub(crate) needed: bool,
    /// The identity provider that people may sign in with.
    #[schema(required)]
    pub(crate) identity_provider: Option<IdentityProvider>,
}

/// An identity provider to sign in with: open `/api/oidc/start`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IdentityProvider {
    /// What people call it.
    pub(crate) name: String,
}

/// An account made through a one-time link: the first owner's, or an invited person's.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// The link's token.
    #[schema(min_length = 1, max_length = 200, write_only)]
    pub(crate) token: String,
    /// E-mail address.
    #[schema(min_length = 3, max_length = 254)]
    pub(crate) email: String,
    /// Name.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: String,
    /// Password.
    #[schema(min_length = 12, max_length = 512, write_only, format = Password)]
    pub(crate) password: String,
}

impl Checked for NewAccount {
    fn check(&self) -> Result<(), ApiError> {
        check_token(&self.token)?;
        super::check_text("name", Some(&self.name), NAME_CHARS_MAX)?;
        check_email("email", &self.email)?;
        check_new_password(&self.password)
    }
}

/// Refuses what cannot be the token of a one-time link.
pub(crate) fn check_token(token: &str) -> Result<(), ApiError> {
    super::check_text("token", Some(token), TOKEN_CHARS_MAX)
}

/// Refuses what cannot be an e-mail address.
pub(crate) fn check_email(field: &str, email: &str) -> Result<(), ApiError> {
    super::check_text(field, Some(email), EMAIL_CHARS_MAX)?;
    let parts = email.split_once('@');
    let plausible =
        parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if !plausible || email.chars().any(char::is_whitespace) {
        return Err(ApiError::invalid(field, "must be an e-mail address."));
    }
    Ok(())
}

/// Refuses a new password that is too short or too long.
pub(crate) fn check_new_password(password: &str) -> Result<(), ApiError> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(ApiError::invalid(
            "password",
            format!("must have {PASSWORD_CHARS_MIN} characters to {PASSWORD_BYTES_MAX} bytes."),
        ));
    }
    Ok(())
}
