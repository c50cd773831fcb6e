//! How often each API key may call, told in the `RateLimit` headers of the IETF draft
//! "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-10).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue};
use lk_core::Time;
use lk_core::bucket::{Bucket, Quota, Taken};
use lk_core::time::MINUTE;

use crate::error::ApiError;

/// Keys whose buckets are kept; full ones are forgotten first.
const KEYS_MAX: usize = 50_000;

/// Where the limiter leaves its answer for whoever decorates the response.
#[derive(Debug, Clone, Default)]
pub(crate) struct RateNote(Arc<Mutex<Option<(Quota, Taken)>>>);

impl RateNote {
    fn set(&self, quota: Quota, taken: Taken) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((quota, taken));
    }

    /// Adds the headers, when the call came with a key.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let Some((quota, taken)) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else {
            return;
        };
        let seconds = |ms: i64| (ms as u64).div_ceil(1_000);
        let policy = format!("\"key\";q={};w={}", quota.calls, seconds(quota.window_ms));
        let state = format!("\"key\";r={};t={}", taken.remaining, seconds(taken.full_in_ms));
        for (name, text) in [("ratelimit-policy", policy), ("ratelimit", state)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// One bucket a key, in this process.
#[derive(Debug)]
pub(crate) struct KeyLimits {
    /// `None`: keys are not limited.
    quota: Option<Quota>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl KeyLimits {
    /// Allows `per_minute` calls a minute to each key; 0 does not limit them.
    pub(crate) fn new(per_minute: u32) -> Self {
        let quota = Quota {
            calls: per_minute,
            window_ms: MINUTE,
        };
        Self {
            quota: (per_minute > 0).then_some(quota),
            buckets: Mutex::default(),
        }
    }

    /// Counts a call of the key with this id; 429 when there were too many.
    pub(crate) fn take(&self, key_id: &str, now: Time, note: Option<&RateNote>) -> Result<(), ApiError> {
        let Some(quota) = self.quota else { return Ok(()) };
        let taken = {
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            if buckets.len() >= KEYS_MAX && !buckets.contains_key(key_id) {
                buckets.retain(|_, bucket| !bucket.is_full(quota, now));
            }
            // Looked up before inserting: the common call allocates nothing.
            match buckets.get_mut(key_id) {
                Some(bucket) => bucket.take(quota, now),
                None => buckets
                    .entry(key_id.to_owned())
                    .or_insert_with(|| Bucket::full(quota, now))
                    .take(quota, now),
            }
        };
        if let Some(note) = note {
            note.set(quota, taken);
        }
        if taken.allowed {
            return Ok(());
        }
        metrics::counter!("api_key_limited_total").increment(1);
        let wait_s = (taken.next_in_ms as u64).div_ceil(1_000);
        let calls = quota.calls;
        Err(ApiError::rate_limited(
            format!("This API key made more than {calls} calls in a minute. Wait a little."),
            wait_s,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_quota_and_is_told() {
        let limits = KeyLimits::new(2);
        let now = Time(1_000_000);
        let note = RateNote::default();
        assert!(limits.take("a", now, Some(&note)).is_ok());
        let mut headers = HeaderMap::new();
        note.write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"key\";q=2;w=60");
        assert_eq!(headers["ratelimit"], "\"key\";r=1;t=30");
        assert!(limits.take("a", now, None).is_ok());
        let refused = limits.take("a", now, None).unwrap_err();
        assert_eq!(refused.code().status(), 429);
        assert!(limits.take("b", now, None).is_ok());
        assert!(limits.take("a", now + 30_000, None).is_ok());
        assert!((0..100).all(|_| KeyLimits::new(0).take("a", now, None).is_ok()));
    }
}
