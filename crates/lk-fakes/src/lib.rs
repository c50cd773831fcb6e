//! The generic harness of fake providers, and the demo's story.
//!
//! A provider's own fake lives in its folder and says what its deliveries look like
//! ([`fake::Fake`]); here is what all of them share: repeatable chance ([`rng::Rng`]), invented
//! people ([`people`]), and the story that decides what happens to whom and when
//! ([`scenario::Scenario`]). The story reads no clock and opens no connection: it is asked
//! what comes next, and whoever plays it waits and sends. The one thing that listens is [`server`], on
//! loopback, for what we ask of a provider; [`api`] makes of it an API in every kind of trouble.

pub mod api;
pub mod fake;
pub mod people;
pub mod report;
pub mod rng;
pub mod scenario;
mod script;
pub mod server;

pub use api::{FakeApi, RunningApi, Trouble};
pub use fake::{Composed, Fake, Happening};
pub use rng::Rng;
pub use scenario::{PlannedDelivery, Player, Scenario, Signer};
