//! Public identifiers.

use lk_core::Time;
use uuid::{Builder, Uuid, Variant};

use crate::Result;
use crate::seal::random_bytes;

/// The highest `seq` an event identifier can carry: 62 bits.
const SEQ_MASK: u64 = (1 << 62) - 1;

/// A new UUIDv7 that carries `now`, so that identifiers sort by creation.
pub fn new_id(now: Time) -> Result<Uuid> {
    let random: [u8; 10] = random_bytes()?;
    Ok(Builder::from_unix_timestamp_millis(now.ms().max(0) as u64, &random).into_uuid())
}

/// The public identifier of an event: a UUIDv8 of its receiving time (48 bits of milliseconds) and
/// its `seq` (62 bits). It needs no column and no index of its own.
pub fn event_id(seq: i64, received_at: Time) -> Uuid {
    let ms = (received_at.ms().max(0) as u64) & 0xffff_ffff_ffff;
    let high = (ms << 16) | 0x8000;
    let low = (0b10 << 62) | (seq.max(0) as u64 & SEQ_MASK);
    Uuid::from_u64_pair(high, low)
}

/// The `seq` and receiving time inside an event identifier; `None` for any other UUID.
pub fn parse_event_id(id: Uuid) -> Option<(i64, Time)> {
    let (high, low) = id.as_u64_pair();
    let ours = id.get_version_num() == 8 && id.get_variant() == Variant::RFC4122 && high.trailing_zeros() >= 12;
    ours.then_some(((low & SEQ_MASK) as i64, Time((high >> 16) as i64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_identifiers_round_trip_and_sort() {
        for (seq, ms) in [(1, 0), (7, 1_760_000_000_000), (i64::MAX >> 1, (1 << 48) - 1)] {
            let id = event_id(seq, Time(ms));
            assert_eq!(parse_event_id(id), Some((seq, Time(ms))), "{id}");
        }
        assert!(event_id(9, Time(1)) < event_id(10, Time(1)));
        assert!(event_id(10, Time(1)) < event_id(9, Time(2)));
        assert_eq!(parse_event_id(Uuid::nil()), None);
        assert_eq!(parse_event_id(new_id(Time(5)).expect("randomness")), None);
    }

    #[test]
    fn new_identifiers_carry_the_given_time() {
        let id = new_id(Time(1_760_000_000_123)).expect("randomness");
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.as_u64_pair().0 >> 16, 1_760_000_000_123);
    }
}
