//! Projects.

use lk_core::words::Role;
use lk_store::{Project, ProjectCounts, ProjectFlags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::IsoTime;
use super::words::RoleWord;
use crate::error::ApiError;
use crate::extract::{Checked, whole};

/// Longest name of a project.
const NAME_CHARS_MAX: usize = 120;
/// Longest slug.
const SLUG_CHARS_MAX: usize = 40;

/// What is switched on for a project.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProjectFlags)]
pub(crate) struct Flags {
    /// Whether its members see health in the UI.
    pub(crate) health_ui: bool,
    /// Whether the status API answers.
    pub(crate) status_api: bool,
    /// Whether checks run without anybody being told of their results.
    pub(crate) shadow: bool,
}

impl From<ProjectFlags> for Flags {
    fn from(flags: ProjectFlags) -> Self {
        Self {
            health_ui: flags.health_ui,
            status_api: flags.status_api,
            shadow: flags.shadow,
        }
    }
}

/// Projects.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectList {
    /// Oldest first.
    pub(crate) items: Vec<ProjectRow>,
}

/// A project in short.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectRow {
    /// Public id.
    pub(crate) id: String,
    /// Short name in addresses.
    pub(crate) slug: String,
    /// Name.
    pub(crate) name: String,
    /// The caller's role in it; null for an operator who is no member.
    #[schema(required)]
    pub(crate) role: Option<RoleWord>,
    /// People in it.
    pub(crate) members: i64,
    /// Integrations in it.
    pub(crate) integrations: i64,
    /// When it was made.
    pub(crate) created_at: IsoTime,
}

impl ProjectRow {
    /// A project in short.
    pub(crate) fn new(project: &Project, role: Option<Role>, members: i64, integrations: i64) -> Self {
        Self {
            id: project.id.clone(),
            slug: project.slug.clone(),
            name: project.name.clone(),
            role: role.map(Into::into),
            members,
            integrations,
            created_at: project.created_at.into(),
        }
    }
}

/// A project.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectDetail {
    /// In short.
    #[serde(flatten)]
    #[schema(inline)]
    pub(crate) row: ProjectRow,
    /// What is switched on for it.
    pub(crate) flags: Flags,
    /// Send it with a change.
    pub(crate) version: i64,
    /// What deleting it would lose.
    pub(crate) loses: Loses,
}

impl ProjectDetail {
    /// A project.
    pub(crate) fn new(project: &Project, role: Option<Role>, counts: ProjectCounts) -> Self {
        Self {
            row: ProjectRow::new(project, role, counts.members, counts.integrations),
            flags: project.flags.into(),
            version: project.version,
            loses: Loses {
                integrations: counts.integrations,
                open_problems: counts.open_problems,
                members: counts.members,
                api_keys: counts.api_keys,
                webhook_secrets: counts.webhook_secrets,
            },
        }
    }
}

/// What deleting a project would lose.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProjectLoses)]
pub(crate) struct Loses {
    /// Integrations, with every event of theirs.
    pub(crate) integrations: i64,
    /// Problems that are open or acknowledged.
    pub(crate) open_problems: i64,
    /// People, who lose their access.
    pub(crate) members: i64,
    /// API keys, which stop working.
    pub(crate) api_keys: i64,
    /// Webhook secrets: deliveries are refused from then on.
    pub(crate) webhook_secrets: i64,
}

/// A project to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewProject {
    /// Short name in addresses: lower-case letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$")]
    pub(crate) slug: String,
    /// Name.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: String,
}

impl Checked for NewProject {
    fn check(&self) -> Result<(), ApiError> {
        let slug = self.slug.as_bytes();
        let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let inner = slug
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
        let fits = slug.len() <= SLUG_CHARS_MAX && edge(slug.first()) && edge(slug.last()) && inner;
        // A slug that reads like an id would name two projects.
        if !fits || uuid::Uuid::try_parse(&self.slug).is_ok() {
            return Err(ApiError::invalid(
                "slug",
                format!("must be 1 to {SLUG_CHARS_MAX} lower-case letters, digits and hyphens."),
            ));
        }
        super::check_text("name", Some(&self.name), NAME_CHARS_MAX)
    }
}

/// What to change of a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProjectPatch {
    /// A new name.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: Option<String>,
    /// Flags to switch; those not named stay.
    pub(crate) flags: Option<FlagsPatch>,
    /// The version that was changed.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1)]
    pub(crate) version: i64,
}

/// Flags to switch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ProjectFlagsPatch)]
pub(crate) struct FlagsPatch {
    /// Whether its members see health in the UI.
    pub(crate) health_ui: Option<bool>,
    /// Whether the status API answers.
    pub(crate) status_api: Option<bool>,
    /// Whether checks run without anybody being told of their results.
    pub(crate) shadow: Option<bool>,
}

impl FlagsPatch {
    /// The flags after the change.
    pub(crate) fn on(&self, before: ProjectFlags) -> ProjectFlags {
        ProjectFlags {
            health_ui: self.health_ui.unwrap_or(before.health_ui),
            status_api: self.status_api.unwrap_or(before.status_api),
            shadow: self.shadow.unwrap_or(before.shadow),
        }
    }
}

impl Checked for ProjectPatch {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("name", self.name.as_deref(), NAME_CHARS_MAX)
    }
}

/// The slug of a project, typed to confirm that it is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeleteProject {
    /// The project's slug.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) confirm: String,
}

impl Checked for DeleteProject {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("confirm", Some(&self.confirm), 64)
    }
}

/// Whom a project is handed to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Transfer {
    /// A member of the project.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) user_id: String,
}

impl Checked for Transfer {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("userId", Some(&self.user_id), 64)
    }
}
