//! What moves: the journal, webhook ingest, effects, egress, the live tail, retention.
//!
//! [`Engine`] is the handle the server and the command line hold. Everything that happens becomes
//! an observation, goes through [`journal::Journal`] and is read back from what was committed.

pub mod checks;
pub mod clock;
pub mod crash;
pub mod credentials;
pub mod directory;
pub mod effects;
pub mod egress;
pub mod engine;
pub mod ingest;
pub mod journal;
pub mod live;
pub mod outages;
pub mod ranges;
pub mod rejections;
pub mod replay;
pub mod retention;
pub mod rules;
pub mod tasks;
mod timers;

pub use clock::Clock;
pub use engine::{CONFIGURATION_EVERY, Engine, EngineConfig};
pub use ingest::{Endpoint, IngestReply};
pub use ranges::{BadRanges, Ranges};

#[cfg(test)]
mod tests;
