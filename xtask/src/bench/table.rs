//! What was measured, and how it is printed.

use std::time::Duration;

/// Many answers, measured one by one.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Answers.
    pub(crate) count: u64,
    /// Of these, other than 200.
    pub(crate) refused: u64,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// Mean length of a request's body.
    pub(crate) mean_bytes: usize,
    /// Latency of each answer in microseconds, sorted.
    pub(crate) latencies_us: Vec<u32>,
}

impl Measured {
    /// Answers per second.
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// The latency that `share` (0 to 1) of the answers did not exceed, in milliseconds.
    pub(crate) fn percentile_ms(&self, share: f64) -> f64 {
        let last = self.latencies_us.len().saturating_sub(1);
        let at = ((last as f64) * share).round() as usize;
        self.latencies_us.get(at).map_or(0.0, |us| f64::from(*us) / 1_000.0)
    }
}

/// Rows of two columns.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<(String, String)>);

impl Table {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, what: &str, value: &str) {
        self.0.push((what.to_owned(), value.to_owned()));
    }

    /// Adds the row of a measurement.
    pub(crate) fn measured(&mut self, what: &str, m: &Measured) {
        let (p50, p95, p99) = (m.percentile_ms(0.50), m.percentile_ms(0.95), m.percentile_ms(0.99));
        let value = format!(
            "{:>7.0}/s   p50 {p50:.2} ms   p95 {p95:.2} ms   p99 {p99:.2} ms",
            m.per_second()
        );
        self.row(what, &value);
    }

    /// Prints everything.
    pub(crate) fn print(&self) {
        println!();
        for (what, value) in &self.0 {
            println!("{what:<34}{value}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let m = Measured {
            latencies_us: (1..=101).map(|n| n * 1_000).collect(),
            ..Measured::default()
        };
        assert!((m.percentile_ms(0.5) - 51.0).abs() < 1e-9);
        assert!((m.percentile_ms(0.99) - 100.0).abs() < 1e-9);
        assert!(Measured::default().percentile_ms(0.5).abs() < 1e-9);
    }
}
