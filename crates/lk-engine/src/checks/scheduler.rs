//! Takes what is due and has it checked.
//!
//! Nodes lease shards of integrations; each keeps the due moments of its shards in memory and is
//! told of changes by its own journal. A node that gains a shard reads the stored moments. Whatever
//! is overdue then is spread over a minute.

use std::collections::HashSet;
use std::time::Duration;

use lk_core::Time;
use lk_core::observation::IntegrationRid;
use lk_core::schedule;
use lk_core::time::SECOND;
use lk_store::StoreError;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Checks, NotChecked, Why};
use crate::Engine;
use crate::tasks::stopped;

/// How long a lease lasts unless it is renewed.
const LEASE_MS: i64 = 15 * SECOND;
/// How often leases are renewed.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// The longest sleep: how late a clock that was set forward is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// The wall clock and the monotonic one may drift this far apart between two looks.
const JUMP_MS: i64 = 30 * SECOND;
/// A check that could not be stored is made again after this.
const AGAIN_MS: i64 = 30 * SECOND;

/// Checks what is due until told to stop.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    let checks = engine.checks().clone();
    let node = match lk_store::new_id(checks.now()) {
        Ok(id) => id.to_string(),
        Err(error) => {
            tracing::error!(%error, "nothing is checked by this process: it has no name for itself");
            return;
        }
    };
    let mut watch = ClockWatch::new(checks.now());
    let mut renewed: Option<Instant> = None;
    loop {
        if renewed.is_none_or(|at| at.elapsed() >= RENEW_EVERY) {
            renewed = Some(Instant::now());
            if let Err(error) = lease(&engine, &checks, &node).await {
                tracing::warn!(%error, "shards cannot be leased; checks of shards held go on until the lease ends");
            }
        }
        let now = checks.now();
        if let Some(by_ms) = watch.jumped(now) {
            replan(&engine, &checks, by_ms, now);
        }
        start_due(&engine, &checks, now).await;
        let sleep = checks.due().next().0.map_or(LONGEST_SLEEP, |at| {
            LONGEST_SLEEP.min(Duration::from_millis(at.since(checks.now()).unsigned_abs()))
        });
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = checks.due().sooner() => {}
            () = stopped(&mut stop) => break,
        }
    }
    if let Err(error) = engine.store().release_shards(&node).await {
        tracing::debug!(%error, "shards are left to run out");
    }
}

/// Renews this node's leases and reads the moments of shards that are new here.
async fn lease(engine: &Engine, checks: &Checks, node: &str) -> Result<(), StoreError> {
    let held = engine.store().lease_shards(node, LEASE_MS).await?;
    let held: HashSet<u8> = held.into_iter().map(|(shard, _)| shard).collect();
    let new = checks.due().hold(&held);
    if !new.is_empty() {
        read_due(engine, checks, &new).await?;
    }
    Ok(())
}

async fn read_due(engine: &Engine, checks: &Checks, shards: &[u8]) -> Result<(), StoreError> {
    let stored: std::collections::HashMap<IntegrationRid, Option<Time>> =
        engine.store().due_checks(shards).await?.into_iter().collect();
    let (directory, now) = (engine.directory(), checks.now());
    let wanted: HashSet<u8> = shards.iter().copied().collect();
    for integration in directory.integrations() {
        let rid = integration.rid;
        let Some(interval) = integration.policy.check_interval_ms.filter(|_| integration.enabled) else {
            continue;
        };
        if !wanted.contains(&super::due::shard(rid)) {
            continue;
        }
        let at = stored.get(&rid).copied().flatten();
        checks.due().set(rid, Some(planned(rid, interval, at, now)));
    }
    Ok(())
}

/// A stored moment, unless it is past, absent, or further off than any wait can be.
fn planned(rid: IntegrationRid, interval_ms: i64, stored: Option<Time>, now: Time) -> Time {
    match stored {
        Some(at) if at > now && at.since(now) <= schedule::MAX_INTERVAL_MS * 2 => at,
        _ => schedule::catch_up(rid, interval_ms, now),
    }
}

/// After the clock was set, waits are counted anew from the new time: nothing comes in a burst, and
/// nothing waits for an hour that will not pass.
fn replan(engine: &Engine, checks: &Checks, by_ms: i64, now: Time) {
    tracing::warn!(
        by_ms,
        "the machine's clock was set; checks are planned anew from the new time"
    );
    metrics::counter!("lk_clock_jumps_total").increment(1);
    let directory = engine.directory();
    checks.due().move_all(|rid, at| {
        let interval = directory
            .integration(rid)
            .and_then(|i| i.policy.check_interval_ms)
            .unwrap_or(schedule::DEFAULT_INTERVAL_MS);
        let moved = at + by_ms;
        if moved > now {
            moved
        } else {
            schedule::catch_up(rid, interval, now)
        }
    });
}

/// Starts the checks that are due, as many as there is place for.
async fn start_due(engine: &Engine, checks: &Checks, now: Time) {
    let free = checks.0.places.available_permits();
    if free == 0 {
        metrics::counter!("lk_checks_saturated_total").increment(1);
        tokio::time::sleep(Duration::from_millis(2)).await;
        return;
    }
    for (rid, at) in checks.due().take(now, free) {
        let Ok(place) = std::sync::Arc::clone(&checks.0.places).try_acquire_owned() else {
            checks.due().done(rid, Some(at));
            continue;
        };
        metrics::histogram!("lk_check_lag_seconds").record(now.since(at) as f64 / 1_000.0);
        let (worker, checks) = (engine.clone(), checks.clone());
        let task = async move {
            let ended = checks.run(&worker, rid, Why::Due(at)).await;
            drop(place);
            let now = checks.now();
            let otherwise = match ended {
                Ok(_) | Err(NotChecked::Gone | NotChecked::NotWatched(_)) => None,
                Err(NotChecked::NoRoom { wait_ms }) => Some(now + wait_ms),
                Err(NotChecked::NotStored(error)) => {
                    tracing::debug!(%error, "a check was not stored");
                    Some(now + AGAIN_MS)
                }
            };
            checks.due().done(rid, otherwise);
        };
        engine.tasks().spawn_short(task);
    }
}

/// Notices that the wall clock moved otherwise than time passed.
struct ClockWatch {
    wall: Time,
    steady: Instant,
}

impl ClockWatch {
    fn new(wall: Time) -> Self {
        Self {
            wall,
            steady: Instant::now(),
        }
    }

    /// By how many milliseconds the clock was set since the last look, if it was.
    fn jumped(&mut self, wall: Time) -> Option<i64> {
        let passed = i64::try_from(self.steady.elapsed().as_millis()).unwrap_or(i64::MAX);
        let by = wall.ms() - self.wall.ms() - passed;
        *self = Self::new(wall);
        (by.abs() >= JUMP_MS).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lk_core::time::{DAY, HOUR};

    const NOW: Time = Time(1_800_000_000_000);

    #[test]
    fn stored_moments_count_unless_they_are_past_or_absurd() {
        let rid = IntegrationRid(3);
        let soon = NOW + HOUR;
        assert_eq!(planned(rid, SECOND, Some(soon), NOW), soon);
        for stored in [None, Some(NOW - DAY), Some(NOW + 90 * DAY)] {
            let at = planned(rid, 5 * 60 * SECOND, stored, NOW);
            assert!(at >= NOW && at < NOW + schedule::CATCH_UP_MS, "{stored:?}");
        }
    }

    #[test]
    fn a_set_clock_is_noticed_and_drift_is_not() {
        let mut watch = ClockWatch::new(NOW);
        assert_eq!(watch.jumped(NOW + 5), None);
        let forward = watch.jumped(NOW + HOUR).expect("an hour is a jump");
        assert!((HOUR - SECOND..=HOUR).contains(&forward));
        let back = watch.jumped(NOW).expect("back is a jump too");
        assert!((-HOUR - SECOND..=-HOUR + SECOND).contains(&back));
    }
}
