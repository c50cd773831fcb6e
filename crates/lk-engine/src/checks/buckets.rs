//! The providers' own rates, shared by scheduled checks and those that people ask for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use lk_core::Time;
use lk_core::bucket::{Bucket, Quota};
use lk_provider::manifest::{Bucket as Limit, Per};
use lk_provider::{Provider, check};

use crate::directory::Integration;

/// Buckets kept; full ones are forgotten when there are more.
const MAX_BUCKETS: usize = 100_000;

/// Whose calls count together: the provider, the credential's hash where the limit is per
/// credential, and the limit's place in the manifest.
type Key = (String, [u8; 32], usize);

#[derive(Default)]
pub(super) struct Buckets(Mutex<HashMap<Key, (Quota, Bucket)>>);

impl Buckets {
    /// Takes `cost` calls from each of the provider's buckets, or says how many milliseconds to
    /// wait until that is possible; then nothing is taken.
    pub(super) fn take(&self, integration: &Integration, provider: &dyn Provider, cost: u32, now: Time) -> Option<i64> {
        let limits = &provider.manifest().limits.buckets;
        if limits.is_empty() {
            return None;
        }
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        for (place, limit) in limits.iter().enumerate() {
            let (key, quota) = known_as(integration, limit, place);
            let (_, bucket) = buckets
                .entry(key.clone())
                .or_insert_with(|| (quota, Bucket::full(quota, now)));
            let mut after = *bucket;
            for _ in 0..cost {
                let call = after.take(quota, now);
                if !call.allowed {
                    return Some(call.next_in_ms.max(1));
                }
            }
            taken.push((key, quota, after));
        }
        for (key, quota, bucket) in taken {
            buckets.insert(key, (quota, bucket));
        }
        if buckets.len() > MAX_BUCKETS {
            buckets.retain(|_, (quota, bucket)| !bucket.is_full(*quota, now));
        }
        None
    }

    /// What is left of the provider's limits by our own count, for providers that tell nothing.
    pub(super) fn left(&self, integration: &Integration, provider: &dyn Provider, now: Time) -> Vec<check::Quota> {
        let buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = provider.manifest().limits.buckets.iter().enumerate();
        limits
            .map(|(place, limit)| {
                let (key, quota) = known_as(integration, limit, place);
                let mut bucket = buckets
                    .get(&key)
                    .map_or_else(|| Bucket::full(quota, now), |(_, bucket)| *bucket);
                // Looking takes one from a copy; what was there is one more than what is left of it.
                let looked = bucket.take(quota, now);
                check::Quota {
                    name: format!("{} in {} s", limit.calls, limit.window_s),
                    limit: Some(u64::from(limit.calls)),
                    remaining: u64::from(looked.remaining) + u64::from(looked.allowed),
                    resets_at: Some(now + looked.full_in_ms),
                    window_s: Some(u64::from(limit.window_s)),
                    own_count: true,
                }
            })
            .collect()
    }
}

/// Under which key a limit is counted, and how much it allows.
fn known_as(integration: &Integration, limit: &Limit, place: usize) -> (Key, Quota) {
    let quota = Quota {
        calls: limit.calls,
        window_ms: i64::from(limit.window_s) * 1_000,
    };
    let whose = match limit.per {
        Per::Provider => [0; 32],
        Per::Credential => integration.credential_hash(),
    };
    ((integration.provider.clone(), whose, place), quota)
}
