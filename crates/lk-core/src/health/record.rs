//! The 24-hour record: requirement S0's `calculateStatus`, exactly as written.

use super::windows::Counts;
use crate::words::Health;

/// Thresholds of the record, adjustable per integration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Success rate in percent from which it counts as healthy.
    pub healthy_rate: f64,
    /// Errors in 24 h below which it counts as healthy.
    pub healthy_errors: u32,
    /// Success rate in percent from which it counts as degraded.
    pub degraded_rate: f64,
    /// Errors in 24 h below which it counts as degraded whatever the rate.
    pub degraded_errors: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            healthy_rate: 98.0,
            healthy_errors: 5,
            degraded_rate: 90.0,
            degraded_errors: 20,
        }
    }
}

/// The record of the last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// S0's status; [`Health::Unknown`] when nothing with an outcome arrived.
    pub status: Health,
    /// Successes of everything with an outcome, percent.
    pub success_rate: Option<f64>,
    /// What it rests on.
    pub counts: Counts,
}

/// Judges the last 24 hours.
pub fn record(counts: Counts, t: &Thresholds) -> Record {
    if counts.total() == 0 {
        return Record {
            status: Health::Unknown,
            success_rate: None,
            counts,
        };
    }
    let rate = f64::from(counts.ok) * 100.0 / f64::from(counts.total());
    let status = if rate >= t.healthy_rate && counts.failed < t.healthy_errors {
        Health::Healthy
    } else if rate >= t.degraded_rate || counts.failed < t.degraded_errors {
        Health::Degraded
    } else {
        Health::Down
    };
    Record {
        status,
        success_rate: Some(rate),
        counts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requirement_s_table() {
        let cases = [
            (100, 0, Health::Healthy),
            (98, 2, Health::Healthy),
            (245, 5, Health::Degraded), // 98 %, but five errors
            (0, 3, Health::Degraded),   // fewer than twenty errors, as the requirement has it
            (180, 20, Health::Degraded),
            (179, 21, Health::Down),
            (0, 20, Health::Down),
            (0, 0, Health::Unknown),
        ];
        for (ok, failed, expected) in cases {
            let got = record(Counts { ok, failed }, &Thresholds::default()).status;
            assert_eq!(got, expected, "{ok} ok, {failed} failed");
        }
    }
}
