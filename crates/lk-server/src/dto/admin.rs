//! Audit log, members and API keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::IsoTime;
use super::words::RoleWord;
use crate::error::ApiError;
use crate::extract::{Checked, whole_u32};

/// Longest life of an API key in days.
pub(crate) const KEY_DAYS_MAX: u32 = 3_650;

/// One page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditList {
    /// Newest first.
    pub(crate) items: Vec<AuditEntry>,
    /// Send it as `cursor` for the next page; null at the end.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// Who changed what.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEntry {
    /// When.
    pub(crate) at: IsoTime,
    /// `user`, `api_key`, `command_line` or `system`.
    pub(crate) actor_kind: String,
    /// Who.
    #[schema(required)]
    pub(crate) actor_id: Option<String>,
    /// Their name then.
    pub(crate) actor_name: String,
    /// What was done, dotted.
    pub(crate) action: String,
    /// To what.
    pub(crate) target: String,
    /// What changed, without secrets.
    pub(crate) summary: String,
    /// How it ended.
    pub(crate) result: String,
    /// The address it came from.
    #[schema(required)]
    pub(crate) source: Option<String>,
}

/// A project's members.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberList {
    /// By name.
    pub(crate) items: Vec<Member>,
}

/// A member of a project.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Member {
    /// The user.
    pub(crate) user_id: String,
    /// Name.
    pub(crate) name: String,
    /// E-mail address; null for viewers.
    #[schema(required)]
    pub(crate) email: Option<String>,
    /// Role.
    pub(crate) role: RoleWord,
    /// Member since.
    pub(crate) created_at: IsoTime,
}

/// A project's API keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyList {
    /// Newest first.
    pub(crate) items: Vec<ApiKey>,
}

/// An API key without its value.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKey {
    /// Public id.
    pub(crate) id: String,
    /// Name.
    pub(crate) name: String,
    /// Role in the project.
    pub(crate) role: RoleWord,
    /// Its last four characters.
    pub(crate) last4: String,
    /// When it was created.
    pub(crate) created_at: IsoTime,
    /// When it stops working.
    #[schema(required)]
    pub(crate) expires_at: Option<IsoTime>,
    /// When it was last used, to the minute.
    #[schema(required)]
    pub(crate) last_used_at: Option<IsoTime>,
    /// When it was revoked.
    #[schema(required)]
    pub(crate) revoked_at: Option<IsoTime>,
}

/// A new API key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewKey {
    /// Its project: id or slug.
    pub(crate) project_id: Option<String>,
    /// Name.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: String,
    /// Role, at most the caller's own.
    pub(crate) role: RoleWord,
    /// Days until it stops working; never when absent.
    #[serde(default, deserialize_with = "whole_u32")]
    #[schema(minimum = 1, maximum = 3650)]
    pub(crate) expires_in_days: Option<u32>,
}

impl Checked for NewKey {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("projectId", self.project_id.as_deref(), 64)?;
        super::check_text("name", Some(&self.name), 120)?;
        match self.expires_in_days {
            Some(days) if !(1..=KEY_DAYS_MAX).contains(&days) => Err(ApiError::invalid(
                "expiresInDays",
                format!("must be from 1 to {KEY_DAYS_MAX}."),
            )),
            _ => Ok(()),
        }
    }
}

/// The API key that was created. Its value is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedKey {
    /// The key without its value.
    pub(crate) key: ApiKey,
    /// The value: `Authorization: Bearer <value>`.
    pub(crate) value: String,
}
