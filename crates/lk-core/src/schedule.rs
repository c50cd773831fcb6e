//! When the next check is due. Pure arithmetic on the moment given; the heap is the engine's.

use crate::Time;
use crate::observation::IntegrationRid;
use crate::time::{DAY, MINUTE, SECOND};

/// Time between two checks unless set otherwise (requirements S1, S2).
pub const DEFAULT_INTERVAL_MS: i64 = 5 * MINUTE;
/// The shortest interval that can be set.
pub const MIN_INTERVAL_MS: i64 = 10 * SECOND;
/// The longest interval that can be set.
pub const MAX_INTERVAL_MS: i64 = DAY;
/// Time for a whole check unless set otherwise (requirement S1).
pub const DEFAULT_TIMEOUT_MS: i64 = 5 * SECOND;
/// The shortest timeout that can be set.
pub const MIN_TIMEOUT_MS: i64 = 200;
/// The longest timeout that can be set.
pub const MAX_TIMEOUT_MS: i64 = 30 * SECOND;
/// Consecutive failed checks before an integration counts as down.
pub const CHECKS_TO_DOWN: u16 = 3;
/// After a restart everything overdue is looked at within this time, evenly.
pub const CATCH_UP_MS: i64 = MINUTE;

/// Second and third look after a first failure.
const LOOK_AGAIN_MS: [i64; 2] = [30 * SECOND, 60 * SECOND];
/// Backoff once it is down, in multiples of five minutes or of a shorter interval: 5, 10, 20, 40
/// and 60 minutes.
const BACKOFF: [i64; 5] = [1, 2, 4, 8, 12];

/// When to look next, after a check that ended at `now` and left `streak` failures in a row.
///
/// Checks that pass keep to a grid of the interval's width, shifted by a phase of the integration's
/// own: many integrations are spread evenly, and a restart moves nobody.
pub fn next(rid: IntegrationRid, interval_ms: i64, streak: u16, not_before: Option<Time>, now: Time) -> Time {
    let interval = interval_ms.clamp(MIN_INTERVAL_MS, MAX_INTERVAL_MS);
    let at = match streak {
        0 => on_grid(rid, interval, now + interval / 2),
        1 | 2 => now + LOOK_AGAIN_MS[usize::from(streak) - 1].min(interval),
        _ => {
            let step = usize::from(streak - CHECKS_TO_DOWN).min(BACKOFF.len() - 1);
            let wait = interval.min(DEFAULT_INTERVAL_MS) * BACKOFF[step];
            let jitter = spread(rid, u64::from(streak)) % (wait / 10).max(1) as u64;
            now + wait - jitter as i64
        }
    };
    match not_before {
        Some(moment) if moment > at => moment.min(now + DAY),
        _ => at,
    }
}

/// When an integration whose check is overdue, or was never made, is looked at after a start.
pub fn catch_up(rid: IntegrationRid, interval_ms: i64, now: Time) -> Time {
    let within = interval_ms.clamp(MIN_INTERVAL_MS, CATCH_UP_MS);
    now + (spread(rid, 0) % within as u64) as i64
}

/// The first moment of the integration's grid that is not before `earliest`.
fn on_grid(rid: IntegrationRid, interval: i64, earliest: Time) -> Time {
    let phase = (spread(rid, 0) % interval as u64) as i64;
    let behind = (phase - earliest.ms()).rem_euclid(interval);
    earliest + behind
}

/// A number that looks random and is always the same for the same input (splitmix64).
pub(crate) fn spread(rid: IntegrationRid, salt: u64) -> u64 {
    let mut z = (rid.0 as u64).wrapping_add(salt.wrapping_mul(0xa076_1d64_78bd_642f));
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    const NOW: Time = Time(1_800_000_000_000);

    #[test]
    fn passing_checks_come_once_an_interval_and_are_spread() {
        let rid = IntegrationRid(7);
        let first = next(rid, DEFAULT_INTERVAL_MS, 0, None, NOW);
        let gap = first.since(NOW);
        assert!((DEFAULT_INTERVAL_MS / 2..=DEFAULT_INTERVAL_MS * 3 / 2).contains(&gap));
        // A check that took a while and a restart keep the grid.
        let second = next(rid, DEFAULT_INTERVAL_MS, 0, None, first + 800);
        assert_eq!(second.since(first), DEFAULT_INTERVAL_MS);
        let mut slots = [0; 10];
        for n in 0..10_000 {
            let at = next(IntegrationRid(n), DEFAULT_INTERVAL_MS, 0, None, NOW).since(NOW) - DEFAULT_INTERVAL_MS / 2;
            slots[(at * 10 / DEFAULT_INTERVAL_MS) as usize] += 1;
        }
        assert!(slots.iter().all(|n| (800..1200).contains(n)), "{slots:?}");
    }

    #[test]
    fn failures_are_looked_at_soon_and_then_less_and_less() {
        let wait = |interval, streak| next(IntegrationRid(1), interval, streak, None, NOW).since(NOW);
        assert_eq!(wait(DEFAULT_INTERVAL_MS, 1), 30 * SECOND);
        assert_eq!(wait(DEFAULT_INTERVAL_MS, 2), 60 * SECOND);
        for (streak, minutes) in [(3, 5), (4, 10), (5, 20), (6, 40), (7, 60), (600, 60)] {
            let got = wait(DEFAULT_INTERVAL_MS, streak);
            let most = minutes * MINUTE;
            assert!(got <= most && got >= most * 9 / 10, "{streak}: {got}");
        }
        // Shorter intervals back off from the interval.
        assert_eq!(wait(10 * SECOND, 1), 10 * SECOND);
        assert!(wait(10 * SECOND, 600) <= 2 * MINUTE);
        // Longer ones are not looked at less often than after an hour.
        assert!(wait(6 * HOUR, 600) <= HOUR);
    }

    #[test]
    fn a_provider_that_asks_for_time_gets_it() {
        let rid = IntegrationRid(1);
        let asked = NOW + 2 * HOUR;
        assert_eq!(next(rid, DEFAULT_INTERVAL_MS, 1, Some(asked), NOW), asked);
        let soon = NOW + 1;
        assert!(next(rid, DEFAULT_INTERVAL_MS, 1, Some(soon), NOW) > soon);
        assert_eq!(next(rid, DEFAULT_INTERVAL_MS, 1, Some(NOW + 90 * DAY), NOW), NOW + DAY);
    }

    #[test]
    fn what_is_overdue_after_a_start_is_spread_over_a_minute() {
        let mut seconds = [0_u32; 60];
        for n in 0..10_000 {
            let at = catch_up(IntegrationRid(n), DEFAULT_INTERVAL_MS, NOW).since(NOW);
            seconds[(at / SECOND) as usize] += 1;
        }
        let mean = 10_000 / 60;
        assert!(seconds.iter().all(|n| *n < 2 * mean), "{seconds:?}");
    }
}
