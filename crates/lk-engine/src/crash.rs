//! Planned crashes: in builds with debug assertions, `LINEKEEPER_CRASH_AT=point:n` aborts the
//! process the n-th time it passes a point, so that tests can kill it between any two steps.

/// The points at which a crash can be planned, in the order they are passed.
pub const POINTS: &[&str] = &[
    "journal.taken",
    "journal.loaded",
    "journal.stepped",
    "journal.committed",
    "journal.answered",
    "effect.begun",
    "effect.done",
    "effect.finished",
    "refresh.due",
    "refresh.begun",
    "refresh.answered",
    "refresh.stored",
    "refresh.told",
    "rotate.added",
    "rotate.announced",
    "rotate.step",
    "rotate.resealed",
    "rotate.noted",
    "rotate.kept",
    "rotate.removed",
];

/// Passes a point.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static PLAN: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let plan = PLAN.get_or_init(|| {
        let text = std::env::var("LINEKEEPER_CRASH_AT").ok()?;
        let (point, n) = text.split_once(':')?;
        Some((point.to_owned(), n.parse().ok()?))
    });
    if let Some((planned, n)) = plan
        && planned == name
        && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *n
    {
        std::process::abort();
    }
}

/// Passes a point.
#[cfg(not(debug_assertions))]
pub const fn point(_name: &'static str) {}
