//! The compact numbered encoding of states. Each field is a number, a length and its bytes; a reader
//! skips numbers it does not know, so an older program reads what a newer one wrote.

use crate::Time;
use crate::check::Warnings;
use crate::health::windows::{Counts, Ring};
use crate::state::{Checks, IntegrationState};
use crate::words::{Category, CredentialState, Health, Rung};

/// The largest encoded state, in bytes.
pub const MAX_STATE_BYTES: usize = 600;

const CONDITION: u8 = 1;
const LAST_SEEN: u8 = 2;
const LAST_OUTCOMES: u8 = 3;
const FINE: u8 = 4;
const COARSE: u8 = 5;
const RESULTS: u8 = 6;
const CHECKS: u8 = 7;
const CREDENTIAL: u8 = 8;

/// The stored bytes are not a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stored state is damaged at field {field}")]
pub struct Damaged {
    /// The field number that could not be read; 0 when the frame itself is broken.
    pub field: u8,
}

/// Encodes a state. Times near the last sighting are stored as their distance from it.
pub fn encode(s: &IntegrationState) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    let near = s.last_seen.unwrap_or_default();
    put(&mut out, CONDITION, |b| {
        b.push(u8::from(s.enabled) | s.health.code() << 1);
        b.push(s.streak_category.code());
        uint(b, u64::from(s.event_streak));
        uint(b, s.since.0 as u64);
    });
    if let Some(seen) = s.last_seen {
        put(&mut out, LAST_SEEN, |b| uint(b, seen.0 as u64));
    }
    put(&mut out, LAST_OUTCOMES, |b| {
        for time in [s.last_success, s.last_failure] {
            // Zero is "never"; distances begin at one.
            uint(b, time.map_or(0, |t| zigzag(near.0 - t.0) + 1));
        }
    });
    put(&mut out, FINE, |b| ring(b, &s.windows.fine, |_| false));
    // What the fine buckets say already is left out and added up again by the reader.
    let told = |bucket| s.windows.fine_sum(bucket) == Some(s.windows.coarse.get(bucket));
    put(&mut out, COARSE, |b| ring(b, &s.windows.coarse, told));
    put(&mut out, RESULTS, |b| {
        b.extend_from_slice(&s.weights.ok.to_le_bytes());
        b.extend_from_slice(&s.weights.total.to_le_bytes());
        uint(b, zigzag(near.0 - s.weights.as_of.0));
        uint(b, u64::from(s.recent.bits));
        b.push(s.recent.len);
    });
    if s.checks != Checks::default() {
        put(&mut out, CHECKS, |b| checks(b, &s.checks, near));
    }
    if s.credential != CredentialState::Active {
        put(&mut out, CREDENTIAL, |b| b.push(s.credential.code()));
    }
    out
}

/// Decodes a state; fields that are absent keep their initial value.
pub fn decode(bytes: &[u8]) -> Result<IntegrationState, Damaged> {
    let mut s = IntegrationState::new(Time(0));
    let mut rest = Reader { bytes, field: 0 };
    while !rest.bytes.is_empty() {
        let field = rest.byte()?;
        rest.field = field;
        let len = rest.uint()? as usize;
        let mut r = Reader {
            bytes: rest.take(len)?,
            field,
        };
        let near = s.last_seen.unwrap_or_default();
        match field {
            CONDITION => {
                let first = r.byte()?;
                s.enabled = first & 1 != 0;
                s.health = Health::from_code(first >> 1).ok_or(Damaged { field })?;
                s.streak_category = Category::from_code(r.byte()?).ok_or(Damaged { field })?;
                s.event_streak = r.uint()? as u16;
                s.since = Time(r.uint()? as i64);
            }
            LAST_SEEN => s.last_seen = Some(Time(r.uint()? as i64)),
            LAST_OUTCOMES => {
                s.last_success = r.distance()?.map(|d| near - d);
                s.last_failure = r.distance()?.map(|d| near - d);
            }
            FINE => r.ring(&mut s.windows.fine)?,
            COARSE => {
                r.ring(&mut s.windows.coarse)?;
                s.windows.fill_coarse();
            }
            RESULTS => {
                s.weights.ok = r.float()?;
                s.weights.total = r.float()?;
                s.weights.as_of = near - unzigzag(r.uint()?);
                s.recent.bits = r.uint()? as u32;
                s.recent.len = r.byte()?;
            }
            CHECKS => s.checks = r.checks(near)?,
            CREDENTIAL => {
                s.credential = CredentialState::from_code(r.byte()?).ok_or(Damaged { field })?;
            }
            _ => {}
        }
    }
    Ok(s)
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn put(out: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    write(&mut body);
    out.push(field);
    uint(out, body.len() as u64);
    out.extend_from_slice(&body);
}

fn uint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Runs of empty buckets are one pair of bytes, so a quiet integration takes little room.
fn ring<const N: usize>(out: &mut Vec<u8>, ring: &Ring<N>, told: impl Fn(i64) -> bool) {
    uint(out, ring.head as u64);
    let mut empty = 0_u64;
    let oldest = ring.head - N as i64 + 1;
    for bucket in oldest..=ring.head {
        let c = ring.get(bucket);
        if c.total() == 0 || told(bucket) {
            empty += 1;
            continue;
        }
        // The low bit says whether a run of empty buckets comes first.
        if empty > 0 {
            uint(out, empty << 1 | 1);
            empty = 0;
        }
        uint(out, u64::from(c.ok) << 1);
        uint(out, u64::from(c.failed));
    }
}

fn checks(out: &mut Vec<u8>, c: &Checks, near: crate::Time) {
    uint(out, u64::from(c.streak));
    // Zero is "none"; the codes of both vocabularies are small.
    let failed = c
        .failed
        .map_or(0, |(rung, category)| 1 + rung.code() * 16 + category.code());
    out.push(failed);
    for time in [c.last_at, c.next_at] {
        uint(out, time.map_or(0, |t| zigzag(near.0 - t.0) + 1));
    }
    uint(out, u64::from(c.took_ms));
    out.push(c.warnings.0);
}

struct Reader<'a> {
    bytes: &'a [u8],
    field: u8,
}

impl<'a> Reader<'a> {
    fn damaged(&self) -> Damaged {
        Damaged { field: self.field }
    }

    fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.bytes.split_first().ok_or(self.damaged())?;
        self.bytes = rest;
        Ok(*first)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Damaged> {
        if len > self.bytes.len() {
            return Err(self.damaged());
        }
        let (taken, rest) = self.bytes.split_at(len);
        self.bytes = rest;
        Ok(taken)
    }

    fn uint(&mut self) -> Result<u64, Damaged> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged())
    }

    /// A distance that may be absent.
    fn distance(&mut self) -> Result<Option<i64>, Damaged> {
        Ok(self.uint()?.checked_sub(1).map(unzigzag))
    }

    fn float(&mut self) -> Result<f32, Damaged> {
        let bytes = self.take(4)?;
        Ok(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn checks(&mut self, near: Time) -> Result<Checks, Damaged> {
        let streak = self.uint()? as u16;
        let failed = match self.byte()?.checked_sub(1) {
            None => None,
            Some(code) => {
                let both = Rung::from_code(code / 16).zip(Category::from_code(code % 16));
                Some(both.ok_or(self.damaged())?)
            }
        };
        let mut moment = || Ok(self.distance()?.map(|d| near - d));
        let (last_at, next_at) = (moment()?, moment()?);
        Ok(Checks {
            streak,
            failed,
            last_at,
            next_at,
            took_ms: self.uint()? as u32,
            warnings: Warnings(self.byte()?),
        })
    }

    fn ring<const N: usize>(&mut self, ring: &mut Ring<N>) -> Result<(), Damaged> {
        *ring = Ring {
            head: self.uint()? as i64,
            ..Ring::default()
        };
        let mut bucket = ring.head.saturating_sub(N as i64 - 1);
        while !self.bytes.is_empty() {
            let value = self.uint()?;
            if value & 1 == 1 {
                bucket = bucket.saturating_add((value >> 1) as i64);
                continue;
            }
            if bucket > ring.head {
                return Err(self.damaged());
            }
            let counts = Counts {
                ok: (value >> 1) as u32,
                failed: self.uint()? as u32,
            };
            ring.buckets[bucket.rem_euclid(N as i64) as usize] = counts;
            bucket += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::windows::{COARSE_MS, FINE_MS, MAX_FAILED, MAX_OK};
    use crate::words::Outcome;
    use proptest::prelude::*;

    fn busiest() -> IntegrationState {
        let now = Time(1_999_999_999_999);
        let mut s = IntegrationState::new(now);
        s.last_seen = Some(now);
        s.last_success = Some(now);
        s.last_failure = Some(now);
        s.event_streak = u16::MAX;
        s.weights.add(now, Outcome::Failure);
        s.recent.bits = (1 << 20) - 1;
        s.recent.len = 20;
        s.checks = Checks {
            streak: u16::MAX,
            failed: Some((Rung::Quota, Category::Configuration)),
            last_at: Some(now - crate::time::DAY),
            took_ms: 30_000,
            warnings: Warnings(u8::MAX),
            next_at: Some(now + crate::time::DAY),
        };
        s.credential = CredentialState::Revoked;
        let full = Counts {
            ok: MAX_OK,
            failed: MAX_FAILED,
        };
        s.windows.fine = Ring {
            head: now.0 / FINE_MS,
            buckets: [full; 12],
        };
        s.windows.coarse = Ring {
            head: now.0 / COARSE_MS,
            buckets: [full; 96],
        };
        s
    }

    #[test]
    fn the_busiest_day_fits_and_a_new_one_is_small() {
        let full = encode(&busiest());
        assert!(full.len() <= MAX_STATE_BYTES, "{} bytes", full.len());
        assert_eq!(decode(&full), Ok(busiest()));
        let fresh = IntegrationState::new(Time(1_800_000_000_000));
        assert!(encode(&fresh).len() < 80);
    }

    #[test]
    fn an_unknown_field_is_skipped() {
        let mut bytes = encode(&busiest());
        bytes.extend_from_slice(&[200, 3, 1, 2, 3]);
        assert_eq!(decode(&bytes), Ok(busiest()));
    }

    proptest! {
        #[test]
        fn round_trips(outcomes in prop::collection::vec((0i64..90_000_000, any::<bool>()), 0..200)) {
            let start = Time(1_800_000_000_000);
            let mut s = IntegrationState::new(start);
            let mut at = 0;
            for (gap, ok) in outcomes {
                at += gap / 50;
                let outcome = if ok { Outcome::Success } else { Outcome::Failure };
                s.windows.add(start + at, outcome);
                s.weights.add(start + at, outcome);
                s.recent.push(outcome);
            }
            prop_assert_eq!(decode(&encode(&s)), Ok(s));
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
