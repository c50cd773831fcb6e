//! Facts that arrive. Whatever the source, everything that happens becomes one of these.

use crate::Time;
use crate::check::CheckResult;
use crate::classify::Verdict;
use crate::words::{CredentialState, Outcome};

/// Row number of a project in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectRid(pub i64);

/// Row number of an integration in storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntegrationRid(pub i64);

/// One fact about one integration.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Whom it concerns.
    pub integration: IntegrationRid,
    /// What happened.
    pub fact: Fact,
    /// When we learned of it.
    pub received_at: Time,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A verified delivery (one item of it, where a delivery carries several).
    Webhook(Delivery),
    /// A check came to its end.
    Check(CheckResult),
    /// A webhook secret was registered or retired, a handshake done: telling, not counting.
    Credential(Notice),
    /// The credential's standing changed: refreshed, refused, renewed by a person.
    Standing {
        /// Where it stands now.
        state: CredentialState,
        /// What is told of it.
        notice: Notice,
    },
    /// Something outside says that looking again is worth it: changed settings, a new credential,
    /// the vendor's all-clear.
    Due,
    /// The integration was switched on or off, or its settings changed.
    Configured {
        /// Whether it is watched from now on.
        enabled: bool,
    },
    /// Time passed: the state asked to be woken.
    Tick,
}

/// One item of a verified webhook delivery, already redacted and classified.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The provider's own event type, or `unreadable`.
    pub event_type: String,
    /// When the provider says it happened; `None` where it does not say.
    pub occurred_at: Option<Time>,
    /// How it ended; `None` for neutral events.
    pub outcome: Option<Outcome>,
    /// The judged failure, when `outcome` is a failure.
    pub failure: Option<JudgedFailure>,
    /// One line for people: what the event tells, without personal data.
    pub summary: String,
    /// The body could not be read although its signature was valid.
    pub quarantined: bool,
}

/// A failure with its classification and fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedFailure {
    /// The redacted message.
    pub message: String,
    /// The provider's own code, when it gave one.
    pub code: Option<String>,
    /// What was attempted, as a template ("payroll.submit", "POST /v1/invoices/{id}").
    pub operation: String,
    /// The HTTP status that carried the failure, when there was one.
    pub http_status: Option<u16>,
    /// What the rules say of it.
    pub verdict: Verdict,
    /// Which problem it belongs to.
    pub fingerprint: crate::classify::Fingerprint,
}

/// Something told about an integration that has no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Dotted type, e.g. `webhook_secret.added`.
    pub event_type: String,
    /// One line for people.
    pub summary: String,
    /// The sealed handshake, when the provider waits for our confirmation of it.
    pub confirm: Option<Vec<u8>>,
}
