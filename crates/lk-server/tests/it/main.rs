//! The HTTP surface, from outside: the router over a temporary store and a running engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod accounts;
mod bad_input;
mod fake_issuer;
mod flow;
mod harness;
mod health;
mod health_updates;
mod oidc;
mod openapi;
mod origin;
mod roles;
mod seen;
mod serving;
mod sign_in;
mod slow;
mod stream;
mod totp;
