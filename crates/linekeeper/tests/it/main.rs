//! End-to-end tests against the real binary, as a process of its own.

mod attacks;
mod canary;
mod crash;
mod everything;
mod flow;
mod handshake;
mod harness;
mod oidc;
mod rotation;
mod tls;
