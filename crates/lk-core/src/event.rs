//! What a step writes into the journal.

use crate::Time;
use crate::classify::DocCode;
use crate::words::{Category, EventKind, Health, Outcome, Severity};

/// One journal row before it has a sequence number.
#[derive(Debug, Clone, PartialEq)]
pub struct EventDraft {
    /// What it tells of.
    pub kind: EventKind,
    /// How it ended; `None` when neutral.
    pub outcome: Option<Outcome>,
    /// The provider's or our own dotted type.
    pub event_type: String,
    /// One line for people, redacted.
    pub message: String,
    /// The provider's own code.
    pub code: Option<String>,
    /// The operation a failure belongs to.
    pub operation: Option<String>,
    /// The HTTP status a failure carried.
    pub http_status: Option<u16>,
    /// Classification of a failure.
    pub judged: Option<Judged>,
    /// When it happened, by the provider's clock where it gives one.
    pub occurred_at: Time,
    /// Health before and after, where this event changed it.
    pub health: Option<(Health, Health)>,
    /// Stored although its body could not be read.
    pub quarantined: bool,
}

/// The classification an event row keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// Kind of failure.
    pub category: Category,
    /// How bad.
    pub severity: Severity,
    /// The document that explains it.
    pub doc: DocCode,
    /// Whether repeating after the stated delay would probably work.
    pub transient: bool,
    /// Certainty of the rules, percent.
    pub confidence: u8,
}
