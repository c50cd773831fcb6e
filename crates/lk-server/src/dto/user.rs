//! People of the installation, as the operator sees them.

use lk_store::UserRow as StoredRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::session::{NAME_CHARS_MAX, check_email};
use super::{IsoTime, iso};
use crate::error::ApiError;
use crate::extract::{Checked, whole};

/// Everybody.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserList {
    /// Oldest first.
    pub(crate) items: Vec<UserRow>,
}

/// A person of the installation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserRow {
    /// Public id.
    pub(crate) id: String,
    /// E-mail address.
    pub(crate) email: String,
    /// Name.
    pub(crate) name: String,
    /// Whether they run the installation.
    pub(crate) operator: bool,
    /// When they were added.
    pub(crate) created_at: IsoTime,
    /// Since when they may no longer sign in.
    #[schema(required)]
    pub(crate) disabled_at: Option<IsoTime>,
    /// When a session of theirs was last used.
    #[schema(required)]
    pub(crate) last_seen_at: Option<IsoTime>,
    /// Whether they use an authenticator.
    pub(crate) totp: bool,
    /// Whether they have a password.
    pub(crate) has_password: bool,
    /// In how many projects they are.
    pub(crate) projects: i64,
    /// Send it with a change.
    pub(crate) version: i64,
}

impl From<StoredRow> for UserRow {
    fn from(row: StoredRow) -> Self {
        Self {
            id: row.user.id,
            email: row.user.email,
            name: row.user.name,
            operator: row.user.operator,
            created_at: row.user.created_at.into(),
            disabled_at: iso(row.user.disabled_at),
            last_seen_at: iso(row.last_seen_at),
            totp: row.totp,
            has_password: row.has_password,
            projects: row.projects,
            version: row.user.version,
        }
    }
}

/// A person to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewUser {
    /// E-mail address.
    #[schema(min_length = 3, max_length = 254)]
    pub(crate) email: String,
    /// Name.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: String,
    /// Whether they run the installation.
    pub(crate) operator: Option<bool>,
}

impl Checked for NewUser {
    fn check(&self) -> Result<(), ApiError> {
        check_email("email", &self.email)?;
        super::check_text("name", Some(&self.name), NAME_CHARS_MAX)
    }
}

/// A person who was added, with the link that sets their first password. Shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedUser {
    /// Who.
    pub(crate) user: UserRow,
    /// The link to hand over.
    pub(crate) link: String,
    /// When it stops working.
    pub(crate) expires_at: IsoTime,
}

/// What to change of a person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UserPatch {
    /// A new name.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: Option<String>,
    /// Whether they run the installation.
    pub(crate) operator: Option<bool>,
    /// Whether they may no longer sign in.
    pub(crate) disabled: Option<bool>,
    /// The version that was changed.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1)]
    pub(crate) version: i64,
}

impl Checked for UserPatch {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("name", self.name.as_deref(), NAME_CHARS_MAX)
    }
}

/// A one-time link that sets a new password. Shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResetLink {
    /// The link to hand over.
    pub(crate) link: String,
    /// When it stops working.
    pub(crate) expires_at: IsoTime,
}
