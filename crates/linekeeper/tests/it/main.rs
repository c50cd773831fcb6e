//! End-to-end tests against the real binary, as a process of its own.

mod attacks;
mod canary;
mod checks;
mod crash;
mod credentials;
mod doctor;
mod everything;
mod flow;
mod handshake;
mod harness;
mod oidc;
mod providers;
mod rotation;
mod tls;
