//! Keeps somebody who is refused over and over from filling the audit log.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use lk_core::Time;
use lk_core::access::Actor;
use lk_core::time::MINUTE;

/// The same refusal of the same caller is written once in this time; all are counted.
const SAME_MS: i64 = MINUTE;
/// Refusals remembered.
const ENTRIES_MAX: usize = 10_000;

/// The latest refusals of each caller.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<(String, &'static str), Time>>);

impl Refusals {
    /// Counts a refusal, and says whether it is to be written down.
    pub(crate) fn is_news(&self, actor: &Actor, action: &'static str, now: Time) -> bool {
        metrics::counter!("api_refusals_total", "action" => action).increment(1);
        let (Actor::User { id, .. } | Actor::ApiKey { id, .. }) = actor else {
            return true;
        };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= ENTRIES_MAX {
            seen.retain(|_, at| now.since(*at) < SAME_MS);
        }
        let last = seen.insert((id.clone(), action), now);
        last.is_none_or(|at| !(0..SAME_MS).contains(&now.since(at)))
    }
}
