//! All SQL of Linekeeper: SQLite and PostgreSQL behind one [`Store`].
//!
//! Nobody outside this crate knows which database is in use. Configuration is written here, each
//! change in one transaction with its row in `admin_logs` and only with a
//! [`Permit`](lk_core::access::Permit); events, health and problems are written by the journal
//! alone. Times are always passed in.

mod audit;
mod config;
mod db;
mod error;
mod gate;
mod ids;
mod inspect;
pub mod journal;
mod leases;
mod migration;
mod read;
mod reseal;
mod retention;
mod rollup;
mod seal;
mod store;

pub use audit::{AuditCheck, AuditProblem, Refusal};
pub use config::{
    ApiKey, Authenticator, Begun, ConnectFlow, Connection, CreatedIntegration, Credential, FailedRefresh, Feedback,
    FirstMembership, Identity, Integration, IntegrationPatch, Invitation, LEASE_MS, Member, Membership, NewApiKey,
    NewConnectFlow, NewConnection, NewFeedback, NewIdentity, NewIntegration, NewInvitation, NewOneTimeLink, NewProject,
    NewSession, NewTokens, NewUser, NewWebhookSecret, OneTimeLink, OpenConnection, ProblemPatch, Project,
    ProjectCounts, ProjectFlags, ProjectPatch, RESET_LINK, Reclassified, Rejection, RejectionDelta, SecretSource,
    SecretState, Session, SessionRow, User, UserCredentials, UserPatch, UserRow, WebhookSecret, endpoint_key_hash,
};
pub use error::{Current, StoreError};
pub use gate::{WriteGate, WriteTurn};
pub use ids::{event_id, new_id, parse_event_id};
pub use inspect::Schema;
pub use journal::IncidentChange;
pub use read::{
    AuditFilter, AuditRow, EventDetail, EventFilter, EventPage, EventRow, HistoryEntry, IncidentCause, LOOKUP_LIMIT,
    MERGE_LIMIT, OutcomeFilter, PayloadRow, ProblemFilter, ProblemPage, ProblemRow, ProviderIncident, Resolution,
    Rollup, SCAN_LIMIT, TypeFilter,
};
pub use reseal::{Sweep, Swept};
pub use retention::STEP as RETENTION_STEP;
pub use rollup::{month_after, month_of};
pub use seal::{HeldKeyFile, KeyId, MasterKey, SealError, Sealed, SecretText};
pub use store::{Store, StoreConfig};

/// What every call of the store answers with.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
