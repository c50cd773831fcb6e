//! Members of a project and invitations into it.

use lk_store::{Invitation as StoredInvitation, Member as StoredMember};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::session::{check_email, check_token};
use super::words::RoleWord;
use super::{IsoTime, Viewer};
use crate::error::ApiError;
use crate::extract::{Checked, whole, whole_u32};

/// Longest life of an invitation in days.
const INVITATION_DAYS_MAX: u32 = 30;

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
    /// Whether they also run the installation.
    pub(crate) operator: bool,
    /// Send it with a change.
    pub(crate) version: i64,
}

impl Member {
    /// A member as `viewer` may see them.
    pub(crate) fn new(member: StoredMember, viewer: Viewer) -> Self {
        Self {
            user_id: member.user.id,
            name: member.user.name,
            email: viewer.sees_addresses().then_some(member.user.email),
            role: member.role.into(),
            created_at: member.member_since.into(),
            operator: member.user.operator,
            version: member.version,
        }
    }
}

/// A new role for a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MemberPatch {
    /// The new role.
    pub(crate) role: RoleWord,
    /// The version that was changed.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 1)]
    pub(crate) version: i64,
}

impl Checked for MemberPatch {
    fn check(&self) -> Result<(), ApiError> {
        Ok(())
    }
}

/// Invitations that can still be used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvitationList {
    /// Newest first.
    pub(crate) items: Vec<Invitation>,
}

/// An invitation without its link.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Invitation {
    /// Public id.
    pub(crate) id: String,
    /// The role it gives.
    pub(crate) role: RoleWord,
    /// Whom it is for; null for whoever has the link.
    #[schema(required)]
    pub(crate) email: Option<String>,
    /// The name of who made it.
    pub(crate) created_by: String,
    /// When it was made.
    pub(crate) created_at: IsoTime,
    /// When it stops working.
    pub(crate) expires_at: IsoTime,
}

impl From<StoredInvitation> for Invitation {
    fn from(row: StoredInvitation) -> Self {
        Self {
            id: row.id,
            role: row.role.into(),
            email: row.email,
            created_by: row.created_by,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
        }
    }
}

/// An invitation to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewInvitation {
    /// The project: id or slug.
    pub(crate) project_id: Option<String>,
    /// The role it gives; only an owner invites owners.
    pub(crate) role: RoleWord,
    /// Whom it is for; whoever has the link when absent.
    #[schema(min_length = 3, max_length = 254)]
    pub(crate) email: Option<String>,
    /// Days until it stops working; 7 when absent.
    #[serde(default, deserialize_with = "whole_u32")]
    #[schema(minimum = 1, maximum = 30)]
    pub(crate) expires_in_days: Option<u32>,
}

impl Checked for NewInvitation {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("projectId", self.project_id.as_deref(), 64)?;
        if let Some(email) = &self.email {
            check_email("email", email)?;
        }
        match self.expires_in_days {
            Some(days) if !(1..=INVITATION_DAYS_MAX).contains(&days) => Err(ApiError::invalid(
                "expiresInDays",
                format!("must be from 1 to {INVITATION_DAYS_MAX}."),
            )),
            _ => Ok(()),
        }
    }
}

/// The invitation that was made. Its link is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedInvitation {
    /// The invitation.
    pub(crate) invitation: Invitation,
    /// The link to hand over.
    pub(crate) link: String,
}

/// The token of a one-time link.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LinkToken {
    /// The token.
    #[schema(min_length = 1, max_length = 200, write_only)]
    pub(crate) token: String,
}

impl Checked for LinkToken {
    fn check(&self) -> Result<(), ApiError> {
        check_token(&self.token)
    }
}

/// Where an invitation leads.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvitationPreview {
    /// The project's name.
    pub(crate) project_name: String,
    /// The role it gives.
    pub(crate) role: RoleWord,
    /// Whom it is for; null for whoever has the link.
    #[schema(required)]
    pub(crate) email: Option<String>,
    /// The name of who made it.
    pub(crate) invited_by: String,
    /// When it stops working.
    pub(crate) expires_at: IsoTime,
}
