//! Answers: events, problems, counts and the audit log. Nothing here writes.

mod audit;
mod events;
mod filter;
mod history;
mod incidents;
mod problems;
mod scan;

pub(crate) use audit::{AUDIT_COLUMNS, read_audit};
pub use audit::{AuditFilter, AuditRow};
pub use events::{EventDetail, EventRow, PayloadRow};
pub use filter::{EventFilter, EventPage, OutcomeFilter, TypeFilter};
pub use history::{HistoryEntry, Resolution, Rollup};
pub(crate) use history::{ROLLUP_COLUMNS, rollup};
pub use incidents::{IncidentCause, ProviderIncident};
pub(crate) use problems::problem_on;
pub use problems::{ProblemFilter, ProblemPage, ProblemRow};
pub use scan::{LOOKUP_LIMIT, MERGE_LIMIT, SCAN_LIMIT};
