//! Configuration: who belongs to what, what is connected, and how it is received. One file for
//! each family of tables; every write is one transaction with its audit row.

pub(crate) mod connections;
pub(crate) mod credentials;
pub(crate) mod endpoints;
mod feedback;
mod identities;
mod integrations;
mod invitations;
mod keys;
mod links;
mod members;
mod problems;
mod projects;
mod reclassify;
mod rejections;
pub(crate) mod secrets;
mod sessions;
pub(crate) mod totp;
mod users;

pub use connections::{
    Begun, ConnectFlow, Connection, FailedRefresh, LEASE_MS, NewConnectFlow, NewConnection, NewTokens, OpenConnection,
};
pub use credentials::Credential;
pub use endpoints::endpoint_key_hash;
pub use feedback::{Feedback, NewFeedback};
pub use identities::{FirstMembership, Identity, NewIdentity};
pub use integrations::{CreatedIntegration, Integration, IntegrationPatch, NewIntegration};
pub use invitations::{Invitation, NewInvitation};
pub use keys::{ApiKey, NewApiKey};
pub use links::{NewOneTimeLink, OneTimeLink, RESET as RESET_LINK};
pub use members::{Member, Membership};
pub use problems::ProblemPatch;
pub use projects::{NewProject, Project, ProjectCounts, ProjectFlags, ProjectPatch};
pub use reclassify::Reclassified;
pub use rejections::{Rejection, RejectionDelta};
pub use secrets::{NewWebhookSecret, SecretSource, SecretState, WebhookSecret};
pub use sessions::{NewSession, Session, SessionRow};
pub use totp::Authenticator;
pub use users::{NewUser, User, UserCredentials, UserPatch, UserRow};

use sea_orm::ConnectionTrait;

use crate::error::Current;
use crate::{Result, StoreError, audit};

/// The error for a write that came too late: the row as it is, and the change that came first, one
/// of `actions`, which are those that move the row's version.
async fn conflict<C: ConnectionTrait>(
    on: &C,
    (what, actions): (&'static str, &[&str]),
    target: &str,
    current: Current,
) -> Result<StoreError> {
    let change = audit::last_change(on, target, actions).await?;
    Ok(StoreError::Conflict {
        what,
        current: Box::new(current),
        change: change.map(Box::new),
    })
}

/// Turns the error of a violated unique constraint into "taken".
fn taken<T>(result: Result<T>, what: &'static str) -> Result<T> {
    result.map_err(|error| match error {
        StoreError::Corrupt(text) if is_unique_violation(&text) => StoreError::Taken { what },
        other => other,
    })
}

/// Both databases say it in the text that is left of their error.
fn is_unique_violation(text: &str) -> bool {
    text.contains("UNIQUE constraint failed") || text.contains("duplicate key value violates unique")
}
