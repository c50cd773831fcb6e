//! From a raw failure to what people need to know: category, severity, cause, fix.

use crate::words::{Category, Severity};

/// The name of a document in `codes/`, e.g. `auth.token_expired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocCode(&'static str);

impl DocCode {
    /// The code's text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Versioned hash that groups failures into problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

/// What the rules say of a failure. Advisory: never blocks ingest, health or alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
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
