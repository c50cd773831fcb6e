//! Words and rules of Linekeeper.
//!
//! Everything here is a function of its arguments: no IO, no clock, no randomness, no JSON, no
//! provider's name. An [`observation::Observation`] enters [`step::step`] with the state of its
//! subject; the next state, at most one event and the effects come out.

pub mod access;
pub mod bucket;
pub mod check;
pub mod classify;
pub mod codec;
pub mod credential;
pub mod effect;
pub mod event;
pub mod health;
pub mod observation;
pub mod outage;
pub mod policy;
pub mod problem;
pub mod schedule;
pub mod sketch;
pub mod state;
pub mod step;
pub mod time;
pub mod uptime;
pub mod words;

pub use time::Time;
