//! The attacks that whoever stands on the internet has to expect, tried on the real binary over
//! real sockets. Each one is shown to fail, and the same act of whoever may do it to succeed, so
//! that a broken test cannot pass.
//!
//! What needs a clock that can be set, or an identity provider, is tried in `lk-server`'s tests
//! (`roles.rs`, `sign_in.rs`, `oidc.rs`); redirects of outgoing calls in `lk-engine`'s egress.

mod content;
mod csrf;
mod escalation;
mod foreign_ids;
mod guessing;
pub(crate) mod http;
mod links;
mod replay;
mod routes;
mod sessions;
mod smuggling;
mod ssrf;
mod world;
