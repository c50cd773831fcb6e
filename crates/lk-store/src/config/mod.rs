//! Configuration: who belongs to what, what is connected, and how it is received. One file for
//! each family of tables; every write is one transaction with its audit row.

pub(crate) mod credentials;
mod endpoints;
mod feedback;
mod identities;
mod integrations;
mod keys;
mod links;
mod members;
mod problems;
mod projects;
mod reclassify;
mod rejections;
pub(crate) mod secrets;
mod sessions;
mod users;

pub use credentials::Credential;
pub use endpoints::endpoint_key_hash;
pub use feedback::{Feedback, NewFeedback};
pub use identities::{FirstMembership, Identity, NewIdentity};
pub use integrations::{CreatedIntegration, Integration, IntegrationPatch, NewIntegration};
pub use keys::{ApiKey, NewApiKey};
pub use links::{NewOneTimeLink, OneTimeLink};
pub use members::{Member, Membership};
pub use problems::ProblemPatch;
pub use projects::{NewProject, Project};
pub use reclassify::Reclassified;
pub use rejections::{Rejection, RejectionDelta};
pub use secrets::{NewWebhookSecret, SecretSource, SecretState, WebhookSecret};
pub use sessions::{NewSession, Session};
pub use users::{NewUser, User, UserCredentials};

use crate::{Result, StoreError};

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
