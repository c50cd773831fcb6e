//! API keys.

use lk_core::words::{Role, Scope};
use lk_store::ApiKey as StoredKey;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::{RoleWord, ScopeWord};
use super::{IsoTime, iso};
use crate::error::ApiError;
use crate::extract::{Checked, whole_u32};

/// Longest life of an API key in days.
const KEY_DAYS_MAX: u32 = 3_650;

/// API keys.
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
    /// The project it works in.
    pub(crate) project_id: String,
    /// That project's name.
    pub(crate) project_name: String,
    /// Role in the project.
    pub(crate) role: RoleWord,
    /// What it may be used for, within its role.
    pub(crate) scopes: Vec<ScopeWord>,
    /// Its last four characters.
    pub(crate) last4: String,
    /// When it was created.
    pub(crate) created_at: IsoTime,
    /// The name of who made it.
    #[schema(required)]
    pub(crate) created_by: Option<String>,
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

impl ApiKey {
    /// A key of the project with this name.
    pub(crate) fn new(row: StoredKey, project_name: &str) -> Self {
        Self {
            scopes: effective_scopes(&row),
            id: row.id,
            name: row.name,
            project_id: row.project_id,
            project_name: project_name.to_owned(),
            role: row.role.into(),
            last4: row.last4,
            created_at: row.created_at.into(),
            created_by: row.created_by,
            expires_at: iso(row.expires_at),
            last_used_at: iso(row.last_used_at),
            revoked_at: iso(row.revoked_at),
        }
    }
}

/// What a key may be used for: its own list, or all that its role allows.
pub(crate) fn effective_scopes(key: &StoredKey) -> Vec<ScopeWord> {
    let scopes = match &key.scopes {
        Some(scopes) => scopes.clone(),
        None => key.role.scopes().collect(),
    };
    scopes.into_iter().map(ScopeWord).collect()
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
    /// What it may be used for; all that its role allows when absent.
    #[schema(min_items = 1, max_items = 4)]
    pub(crate) scopes: Option<Vec<ScopeWord>>,
    /// Days until it stops working; never when absent.
    #[serde(default, deserialize_with = "whole_u32")]
    #[schema(minimum = 1, maximum = 3650)]
    pub(crate) expires_in_days: Option<u32>,
}

impl NewKey {
    /// The scopes, each once, in the order of the vocabulary.
    pub(crate) fn scopes(&self) -> Option<Vec<Scope>> {
        let given = self.scopes.as_ref()?;
        let all = Scope::ALL.iter().copied();
        Some(all.filter(|scope| given.contains(&ScopeWord(*scope))).collect())
    }
}

impl Checked for NewKey {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("projectId", self.project_id.as_deref(), 64)?;
        super::check_text("name", Some(&self.name), 120)?;
        check_scopes(self.role.0, self.scopes.as_deref())?;
        match self.expires_in_days {
            Some(days) if !(1..=KEY_DAYS_MAX).contains(&days) => Err(ApiError::invalid(
                "expiresInDays",
                format!("must be from 1 to {KEY_DAYS_MAX}."),
            )),
            _ => Ok(()),
        }
    }
}

fn check_scopes(role: Role, scopes: Option<&[ScopeWord]>) -> Result<(), ApiError> {
    let Some(scopes) = scopes else { return Ok(()) };
    if scopes.is_empty() {
        return Err(ApiError::invalid("scopes", "must name at least one scope."));
    }
    match scopes.iter().find(|scope| role < scope.0.least_role()) {
        None => Ok(()),
        Some(scope) => Err(ApiError::invalid(
            "scopes",
            format_args!("has `{}`, which a key with the role {role} cannot use.", scope.0),
        )),
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
