//! Who is calling and what they may do.
//!
//! A [`Caller`] comes from a session cookie or an API key. For a project it becomes an
//! [`Access`]: the caller's standing there, from which permits for writes and viewers for answers
//! are made, and nowhere else.

mod caller;
mod key_limits;
mod oidc;
mod origin;
mod password;
mod project;
mod proof;
mod refusals;
mod throttle;
mod token;
pub(crate) mod totp;

pub use caller::KEY_PREFIX;
pub(crate) use caller::{Caller, Identity, PROOF_MS, Person, cookie_value, identify, source};
pub(crate) use key_limits::{KeyLimits, RateNote};
pub(crate) use oidc::{
    FLOW_COOKIE, Failure, Flow, IdentityProvider, Proven, Purpose, find_person, flow_cookie, own_path, with_failure,
};
pub use oidc::{OidcConfig, OidcConfigError, OidcSecret};
pub(crate) use origin::Origin;
pub(crate) use password::Passwords;
pub use password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PasswordError, hash_password};
pub(crate) use project::{Access, enter_operator_area, permit_installation, require_proof};
pub(crate) use proof::{ProofMethods, Shown, bad_code, bad_credentials, begin_attempt, proof_methods, prove};
pub(crate) use refusals::Refusals;
pub(crate) use throttle::Throttle;
pub(crate) use token::{COOKIE, SESSION_LIFE_MS, set_cookie};
pub use token::{new_token, new_webhook_secret, token_hash};
