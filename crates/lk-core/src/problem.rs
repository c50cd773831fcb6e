//! Problems: failures with one fingerprint, grouped.

use crate::Time;
use crate::observation::JudgedFailure;
use crate::words::{Category, ProblemState};

/// What the journal keeps of a problem; who owns it and what people said of it is stored beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub state: ProblemState,
    /// How often it happened.
    pub count: u64,
    /// The first time.
    pub first_seen: Time,
    /// The last time.
    pub last_seen: Time,
    /// The failure as last seen, classified by the rules.
    pub failure: JudgedFailure,
    /// A person's correction of the category, which outranks the rules.
    pub pinned: Option<Category>,
}

/// What a failure did to its problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The first of its kind.
    New,
    /// It had been resolved and is back.
    Reopened,
    /// One more of a known kind.
    Repeated,
}

/// Adds one failure at `now` to the problem of its fingerprint.
pub fn step(known: Option<Problem>, failure: JudgedFailure, now: Time) -> (Problem, Change) {
    let Some(mut problem) = known else {
        let problem = Problem {
            state: ProblemState::Open,
            count: 1,
            first_seen: now,
            last_seen: now,
            failure,
            pinned: None,
        };
        return (problem, Change::New);
    };
    problem.count += 1;
    problem.last_seen = problem.last_seen.max(now);
    problem.failure = failure;
    let change = if problem.state == ProblemState::Resolved {
        problem.state = ProblemState::Open;
        Change::Reopened
    } else {
        Change::Repeated
    };
    (problem, change)
}
