//! Signing in through an identity provider (OpenID Connect): the authorisation code flow with
//! PKCE, state and nonce.
//!
//! [`IdentityProvider`] talks to the provider, a [`Flow`] is a sign-in under way (kept by the
//! browser, sealed), [`find_person`] decides whose identity it is. What goes wrong is one of the
//! few [`Failure`]s that people are told; the cause goes to the log.

mod config;
mod flow;
mod http;
mod person;
mod provider;

pub use config::{OidcConfig, OidcConfigError, OidcSecret};
pub(crate) use flow::{FLOW_COOKIE, Failure, Flow, Purpose, flow_cookie, own_path, with_failure};
pub(crate) use person::find_person;
pub(crate) use provider::{IdentityProvider, Proven};
