//! One's own account.

use lk_store::SessionRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::IsoTime;
use super::session::{CODE_CHARS_MAX, NAME_CHARS_MAX, SessionUser, check_new_password, check_password, check_token};
use super::words::MethodWord;
use crate::error::ApiError;
use crate::extract::{Checked, whole};

/// One's own account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Profile {
    /// Who.
    pub(crate) user: SessionUser,
    /// Whether a password is set.
    pub(crate) has_password: bool,
    /// The authenticator.
    pub(crate) totp: TotpState,
    /// Who they are at identity providers.
    pub(crate) identities: Vec<LinkedIdentity>,
    /// Send it with a change.
    pub(crate) version: i64,
}

/// Who somebody is at an identity provider.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Identity)]
pub(crate) struct LinkedIdentity {
    /// The provider, as it names itself.
    pub(crate) issuer: String,
    /// The address that it told last.
    #[schema(required)]
    pub(crate) email: Option<String>,
    /// When it was linked.
    pub(crate) created_at: IsoTime,
}

/// Whether an authenticator is asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TotpState {
    /// Whether its code is asked for.
    pub(crate) enabled: bool,
    /// Since when.
    #[schema(required)]
    pub(crate) since: Option<IsoTime>,
    /// Recovery codes that were not used yet.
    pub(crate) recovery_codes_left: i64,
}

/// A new name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProfilePatch {
    /// Name.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: String,
    /// The version that was changed.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1)]
    pub(crate) version: i64,
}

impl Checked for ProfilePatch {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("name", Some(&self.name), NAME_CHARS_MAX)
    }
}

/// A new password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The present password; absent only when there is none.
    #[schema(min_length = 1, max_length = 512, write_only, format = Password)]
    pub(crate) current: Option<String>,
    /// The new password.
    #[schema(min_length = 12, max_length = 512, write_only, format = Password)]
    pub(crate) password: String,
}

impl Checked for PasswordChange {
    fn check(&self) -> Result<(), ApiError> {
        if let Some(current) = &self.current {
            check_password("current", current)?;
        }
        check_new_password(&self.password)
    }
}

/// An authenticator that is being set up.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TotpSetup {
    /// The shared secret in base32, for typing.
    pub(crate) secret: String,
    /// The address that authenticator apps read.
    pub(crate) url: String,
    /// The address as a picture to scan, SVG.
    pub(crate) qr_svg: String,
}

/// A code of the authenticator.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TotpCode {
    /// Six digits.
    #[schema(min_length = 1, max_length = 40, write_only)]
    pub(crate) code: String,
}

impl Checked for TotpCode {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("code", Some(&self.code), CODE_CHARS_MAX)
    }
}

/// Codes for the day the authenticator is lost. Shown this once; each works once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecoveryCodes {
    /// The codes.
    pub(crate) recovery_codes: Vec<String>,
}

/// One's own sessions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// Last used first.
    pub(crate) items: Vec<ProfileSession>,
}

/// A signed-in browser.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProfileSession {
    /// Public id.
    pub(crate) id: String,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
    /// When it was begun.
    pub(crate) created_at: IsoTime,
    /// When it was last used, to the minute.
    pub(crate) last_seen_at: IsoTime,
    /// When it ends.
    pub(crate) expires_at: IsoTime,
    /// The address it was begun from.
    #[schema(required)]
    pub(crate) source: Option<String>,
    /// What the browser called itself.
    #[schema(required)]
    pub(crate) user_agent: Option<String>,
    /// How it was begun.
    pub(crate) method: MethodWord,
}

impl From<SessionRow> for ProfileSession {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            current: row.current,
            created_at: row.created_at.into(),
            last_seen_at: row.last_seen_at.into(),
            expires_at: row.expires_at.into(),
            source: row.source,
            user_agent: row.user_agent,
            method: row.method.into(),
        }
    }
}

/// Whose password a link sets.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResetPreview {
    /// The account's address.
    pub(crate) email: String,
    /// When the link stops working.
    pub(crate) expires_at: IsoTime,
}

/// A new password, through a one-time link.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordReset {
    /// The link's token.
    #[schema(min_length = 1, max_length = 200, write_only)]
    pub(crate) token: String,
    /// The new password.
    #[schema(min_length = 12, max_length = 512, write_only, format = Password)]
    pub(crate) password: String,
}

impl Checked for PasswordReset {
    fn check(&self) -> Result<(), ApiError> {
        check_token(&self.token)?;
        check_new_password(&self.password)
    }
}
