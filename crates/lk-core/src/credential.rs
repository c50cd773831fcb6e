//! When a token is to be renewed. Pure arithmetic on the moments given.

use crate::Time;
use crate::observation::IntegrationRid;
use crate::schedule::spread;
use crate::time::{DAY, HOUR, MINUTE, SECOND};

/// A token with less left than this is never kept on purpose.
pub const LEAST_LEFT_MS: i64 = 30 * SECOND;
/// A refresh token that was not used for so long is used, so that it does not lapse.
pub const KEEP_ALIVE_MS: i64 = 24 * HOUR;
/// A token that ends within this time, and that only a person can renew, is told of.
pub const EXPIRING_MS: i64 = 7 * DAY;
/// The first wait after a refresh that failed for want of an answer; it doubles.
const COOL_DOWN_MS: i64 = 30 * SECOND;
/// The longest wait between two such.
const COOL_DOWN_MAX_MS: i64 = 15 * MINUTE;

/// When to renew a token that was got at `obtained_at`: a fifth of its life before its end, a minute
/// at least and a quarter of an hour at most, and earlier by a jitter, so that tokens got together
/// are not renewed together. One of unknown life is renewed once a day.
pub fn refresh_at(rid: IntegrationRid, obtained_at: Time, expires_at: Option<Time>) -> Time {
    let Some(expires_at) = expires_at else {
        return obtained_at + KEEP_ALIVE_MS;
    };
    let life = expires_at.since(obtained_at).max(0);
    // Of a token that lives for a minute or two, half is better than none.
    let margin = (life / 5).clamp(MINUTE, 15 * MINUTE).min((life / 2).max(LEAST_LEFT_MS));
    let jitter = spread(rid, obtained_at.ms().unsigned_abs()) % (margin.unsigned_abs() / 10 + 1);
    let due = expires_at - margin - jitter as i64;
    due.min(obtained_at + KEEP_ALIVE_MS)
}

/// When to try again after so many refreshes in a row without an answer; the provider may have asked
/// for more time.
pub fn retry_at(failures: i64, asked_s: Option<i64>, now: Time) -> Time {
    let doublings = failures.clamp(0, 5) as u32;
    let wait = (COOL_DOWN_MS << doublings).min(COOL_DOWN_MAX_MS);
    let asked = asked_s.unwrap_or_default().clamp(0, HOUR / SECOND) * SECOND;
    now + wait.max(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_800_000_000_000);

    #[test]
    fn a_fifth_of_the_life_within_bounds_and_never_under_half_a_minute() {
        let left = |life_ms: i64| {
            let ends = NOW + life_ms;
            let of = |rid| ends.since(refresh_at(IntegrationRid(rid), NOW, Some(ends)));
            let all: Vec<i64> = (0..500).map(of).collect();
            (all.iter().copied().min().unwrap(), all.iter().copied().max().unwrap())
        };
        for (life, margin) in [
            (HOUR, 12 * MINUTE),
            (8 * HOUR, 15 * MINUTE),
            (10 * MINUTE, 2 * MINUTE),
            (3 * MINUTE, MINUTE),
            (90 * SECOND, 45 * SECOND),
            (40 * SECOND, 30 * SECOND),
            (5 * SECOND, 30 * SECOND),
        ] {
            let (least, most) = left(life);
            assert!(
                least >= margin && most <= margin + margin / 10,
                "{life}: {least} to {most}"
            );
            assert!(least >= LEAST_LEFT_MS);
            assert!(most - least > margin / 20, "{life}: not spread");
        }
    }

    #[test]
    fn idle_and_endless_ones_are_used_once_a_day() {
        let rid = IntegrationRid(1);
        assert_eq!(refresh_at(rid, NOW, None), NOW + KEEP_ALIVE_MS);
        assert_eq!(refresh_at(rid, NOW, Some(NOW + 60 * DAY)), NOW + KEEP_ALIVE_MS);
    }

    #[test]
    fn without_an_answer_it_is_tried_less_and_less() {
        let wait = |failures, asked| retry_at(failures, asked, NOW).since(NOW);
        assert_eq!(wait(0, None), 30 * SECOND);
        assert_eq!(wait(1, None), 60 * SECOND);
        assert_eq!(wait(900, None), COOL_DOWN_MAX_MS);
        assert_eq!(wait(0, Some(120)), 120 * SECOND);
        assert_eq!(wait(0, Some(i64::MAX)), HOUR);
        assert_eq!(wait(0, Some(-9)), 30 * SECOND);
    }
}
