//! What people have set: given to each step, never remembered by a state.

use crate::health::record::Thresholds;

/// Settings of one integration that the rules read.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Policy {
    /// Whether failed events about single records (a declined card, a rejected report) count
    /// against health. Off by default: they are events and problems.
    pub business_failures_count: bool,
    /// Thresholds of the 24-hour record.
    pub record: Thresholds,
    /// Whether new kinds of failure are put to the language model.
    pub explain: bool,
    /// Time between two checks, milliseconds; `None` where nothing is checked.
    pub check_interval_ms: Option<i64>,
}
