//! Percentiles that survive summing up: durations counted in logarithmic buckets. Two sketches are
//! merged by adding their counts, so the month's p95 comes from the hours' sketches and not from an
//! average of averages. The relative error of a quantile is at most 2 %.

use std::collections::BTreeMap;

/// Ratio between the bounds of a bucket: (1 + 0.02) / (1 - 0.02), so that its middle is within 2 %.
const GAMMA: f64 = 1.02 / 0.98;

/// Counts of durations by logarithmic bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sketch {
    buckets: BTreeMap<u16, u64>,
    count: u64,
}

/// The stored bytes are not a sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored latency sketch is damaged")]
pub struct DamagedSketch;

/// The bucket of a duration in milliseconds; everything below one millisecond shares the first.
fn bucket(ms: u32) -> u16 {
    if ms <= 1 {
        ms as u16
    } else {
        (f64::from(ms).ln() / GAMMA.ln()).ceil() as u16 + 1
    }
}

/// The duration that stands for a bucket, milliseconds.
fn middle(bucket: u16) -> u32 {
    if bucket <= 1 {
        return u32::from(bucket);
    }
    let upper = GAMMA.powi(i32::from(bucket) - 1);
    (2.0 * upper / (GAMMA + 1.0)).round() as u32
}

impl Sketch {
    /// Counts one duration, milliseconds.
    pub fn add(&mut self, ms: u32) {
        *self.buckets.entry(bucket(ms)).or_default() += 1;
        self.count += 1;
    }

    /// Adds everything that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, n) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += n;
        }
        self.count += other.count;
    }

    /// How many durations were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The duration that a share `q` (0 to 1) of all is not above, milliseconds; `None` without any.
    pub fn quantile(&self, q: f64) -> Option<u32> {
        let rank = ((self.count as f64 * q.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        self.buckets.iter().find_map(|(bucket, n)| {
            seen += n;
            (seen >= rank).then(|| middle(*bucket))
        })
    }

    /// Compact bytes: for each bucket the distance from the one before and the count, as varints.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.buckets.len() * 3);
        let mut last = 0;
        for (bucket, n) in &self.buckets {
            uint(&mut out, u64::from(bucket - last));
            uint(&mut out, *n);
            last = *bucket;
        }
        out
    }

    /// Reads what [`Sketch::encode`] wrote.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, DamagedSketch> {
        let mut sketch = Self::default();
        let mut bucket: u16 = 0;
        while !bytes.is_empty() {
            let step = u16::try_from(take(&mut bytes)?).map_err(|_| DamagedSketch)?;
            bucket = bucket.checked_add(step).ok_or(DamagedSketch)?;
            let n = take(&mut bytes)?;
            *sketch.buckets.entry(bucket).or_default() += n;
            sketch.count = sketch.count.checked_add(n).ok_or(DamagedSketch)?;
        }
        Ok(sketch)
    }
}

fn uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(bytes: &mut &[u8]) -> Result<u64, DamagedSketch> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or(DamagedSketch)?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(DamagedSketch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(durations: &[u32]) -> Sketch {
        let mut sketch = Sketch::default();
        for ms in durations {
            sketch.add(*ms);
        }
        sketch
    }

    proptest! {
        #[test]
        fn quantiles_are_within_two_percent(mut all in prop::collection::vec(0u32..60_000, 1..300), q in 0.0f64..=1.0) {
            let told = of(&all).quantile(q).expect("there is something");
            all.sort_unstable();
            let rank = ((all.len() as f64 * q).ceil() as usize).max(1) - 1;
            let exact = all[rank];
            let error = (f64::from(told) - f64::from(exact)).abs();
            // Whole milliseconds add half of one.
            prop_assert!(error <= f64::from(exact) * 0.02 + 0.5, "{told} for {exact}");
        }

        #[test]
        fn merging_is_counting_together(a in prop::collection::vec(0u32..60_000, 0..100), b in prop::collection::vec(0u32..60_000, 0..100)) {
            let mut merged = of(&a);
            merged.merge(&of(&b));
            let both: Vec<u32> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(&merged, &of(&both));
            prop_assert_eq!(Sketch::decode(&merged.encode()), Ok(merged));
        }

        #[test]
        fn decoding_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Sketch::decode(&bytes);
        }
    }

    #[test]
    fn nothing_counted_has_no_quantile() {
        assert_eq!(Sketch::default().quantile(0.5), None);
        assert!(of(&[120]).quantile(0.5).is_some_and(|ms| (118..=122).contains(&ms)));
        assert_eq!(of(&[0, 1]).quantile(1.0), Some(1));
    }
}
