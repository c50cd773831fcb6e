//! Problems: failures grouped by fingerprint.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::IsoTime;
use super::event::Classification;
use super::words::StateWord;
use crate::error::ApiError;
use crate::extract::{Checked, whole};

/// Failures with one fingerprint.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// Public id.
    pub(crate) id: String,
    /// The integration that fails.
    pub(crate) integration_id: String,
    /// Its name.
    pub(crate) integration_name: String,
    /// Its provider's key.
    pub(crate) provider: String,
    /// Where it stands.
    pub(crate) state: StateWord,
    /// The explanation's title.
    pub(crate) title: String,
    /// The last message, redacted.
    pub(crate) message: String,
    /// The provider's own code.
    #[schema(required)]
    pub(crate) code: Option<String>,
    /// What was attempted.
    pub(crate) operation: String,
    /// The HTTP status that carried the failure.
    #[schema(required)]
    pub(crate) http_status: Option<u16>,
    /// How many failures.
    pub(crate) count: i64,
    /// The first of them.
    pub(crate) first_seen: IsoTime,
    /// The last of them.
    pub(crate) last_seen: IsoTime,
    /// Why, and what to do.
    pub(crate) classification: Classification,
    /// Who takes care of it.
    #[schema(required)]
    pub(crate) owner: Option<Owner>,
    /// How many found the explanation helpful, and how many did not.
    pub(crate) helpful: Votes,
    /// The last of its events.
    #[schema(required)]
    pub(crate) last_event_id: Option<String>,
    /// Send it back with a change.
    pub(crate) version: i64,
}

/// Who takes care of a problem.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Owner {
    /// The user.
    pub(crate) id: String,
    /// The user's name.
    pub(crate) name: String,
}

/// Marks on explanations.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct Votes {
    /// Helpful.
    pub(crate) yes: i64,
    /// Not helpful.
    pub(crate) no: i64,
}

/// One page of problems.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProblemList {
    /// Latest first.
    pub(crate) items: Vec<Problem>,
    /// Send it as `cursor` for the next page; null at the end.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// A change of a problem.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProblemPatch {
    /// The new state.
    pub(crate) state: Option<StateWord>,
    /// The new owner (a member's user id); null clears it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) owner_id: OwnerChange,
    /// The version that the change was made on.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 0)]
    pub(crate) version: i64,
}

/// What happens to a problem's owner: absent keeps, null clears, an id sets.
#[derive(Debug, Default)]
pub(crate) enum OwnerChange {
    /// Leave it.
    #[default]
    Keep,
    /// Nobody takes care of it.
    Clear,
    /// This user does.
    Set(String),
}

impl<'de> Deserialize<'de> for OwnerChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

impl Checked for ProblemPatch {
    fn check(&self) -> Result<(), ApiError> {
        if self.state.is_none() && matches!(self.owner_id, OwnerChange::Keep) {
            return Err(ApiError::invalid("state", "or `ownerId` must be given."));
        }
        if let OwnerChange::Set(owner) = &self.owner_id
            && uuid::Uuid::try_parse(owner).is_err()
        {
            return Err(ApiError::invalid("ownerId", "must be a user's id."));
        }
        Ok(())
    }
}
