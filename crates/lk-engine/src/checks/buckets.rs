//! The providers' own rates, shared by scheduled checks and those that people ask for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use lk_core::Time;
use lk_core::bucket::{Bucket, Quota};
use lk_provider::Provider;
use lk_provider::manifest::Per;

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
            let quota = Quota {
                calls: limit.calls,
                window_ms: i64::from(limit.window_s) * 1_000,
            };
            let whose = match limit.per {
                Per::Provider => [0; 32],
                Per::Credential => integration.credential_hash(),
            };
            let key = (integration.provider.clone(), whose, place);
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
}
