//! From a raw failure to what people need to know: category, severity, cause, fix.
//!
//! [`RuleSet::classify`] answers every [`Failure`] with a [`Verdict`]; the verdict names a
//! document in `codes/` that [`doc`] returns and [`Doc::explain`] turns into words. Failures that
//! share a [`fingerprint`] are one problem.

mod codes;
mod doc;
mod failure;
mod fingerprint;
mod layer;
mod normalise;
mod operation;
mod patterns;
mod rules;

#[cfg(test)]
mod tests;

use crate::words::{Category, Severity};

pub use doc::{Context, Doc, DocCode, Explanation, doc};
pub use failure::Failure;
pub use fingerprint::{FP_VERSION, Fingerprint, fingerprint};
pub use layer::{Layer, Rule, RuleError};
pub use normalise::normalise;
pub use operation::operation_template;
pub use rules::RuleSet;

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
