//! When a quota will be used up, judged by how fast it went since the last look.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use lk_core::Time;
use lk_core::observation::IntegrationRid;
use lk_core::time::{HOUR, MINUTE};
use lk_provider::check::Quota;

/// Quotas remembered; more than that many begin anew.
const MAX_KNOWN: usize = 200_000;
/// Looks closer together than this say nothing of the pace.
const MIN_GAP_MS: i64 = MINUTE / 2;
/// Where a provider does not say when a quota is filled again, only the near future is warned of.
const HORIZON_MS: i64 = HOUR;

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Time,
    remaining: u64,
}

/// The last look at each quota. Kept in memory: after a start the second check forecasts again.
#[derive(Default)]
pub(super) struct Forecasts(Mutex<HashMap<(IntegrationRid, String), Seen>>);

impl Forecasts {
    /// Fills in when each quota will be used up; says whether one will be before it is filled again.
    pub(super) fn note(&self, rid: IntegrationRid, quotas: &mut [(Quota, Option<Time>)], now: Time) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > MAX_KNOWN {
            known.clear();
        }
        let mut short = false;
        for (quota, exhausted_at) in quotas {
            let seen = Seen {
                at: now,
                remaining: quota.remaining,
            };
            let key = (rid, quota.name.clone());
            let before = known.get(&key).copied();
            if before.is_none_or(|before| now.since(before.at) >= MIN_GAP_MS || before.remaining < seen.remaining) {
                known.insert(key, seen);
            }
            *exhausted_at = before.and_then(|before| used_up(before, seen));
            let until = quota.resets_at.unwrap_or(now + HORIZON_MS);
            short |= quota.remaining == 0 || exhausted_at.is_some_and(|at| at < until);
        }
        short
    }
}

/// When nothing is left if it goes on as since `before`.
fn used_up(before: Seen, now: Seen) -> Option<Time> {
    let gap = now.at.since(before.at);
    let used = before.remaining.checked_sub(now.remaining).filter(|used| *used > 0)?;
    if gap < MIN_GAP_MS {
        return None;
    }
    let left_ms = now.remaining as f64 * gap as f64 / used as f64;
    Some(now.at + left_ms.min(1e15) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(remaining: u64, resets_in: i64, now: Time) -> Vec<(Quota, Option<Time>)> {
        let quota = Quota {
            name: "core".into(),
            limit: Some(5_000),
            remaining,
            resets_at: Some(now + resets_in),
            window_s: None,
            own_count: false,
        };
        vec![(quota, None)]
    }

    #[test]
    fn a_pace_that_lasts_is_no_warning_and_one_that_does_not_is() {
        let forecasts = Forecasts::default();
        let rid = IntegrationRid(1);
        let start = Time(1_800_000_000_000);
        assert!(!forecasts.note(rid, &mut quota(1_000, HOUR, start), start));
        let later = start + 5 * MINUTE;
        let mut slow = quota(990, HOUR, later);
        assert!(!forecasts.note(rid, &mut slow, later));
        assert_eq!(slow[0].1, Some(later + 99 * 5 * MINUTE));
        let latest = later + 5 * MINUTE;
        let mut fast = quota(90, HOUR, latest);
        assert!(forecasts.note(rid, &mut fast, latest));
        // Filled again: nothing is foreseen from a rise.
        let filled = latest + 5 * MINUTE;
        let mut full = quota(5_000, HOUR, filled);
        assert!(!forecasts.note(rid, &mut full, filled) && full[0].1.is_none());
    }

    #[test]
    fn nothing_left_is_a_warning_at_once() {
        let now = Time(1_800_000_000_000);
        assert!(Forecasts::default().note(IntegrationRid(1), &mut quota(0, HOUR, now), now));
    }
}
