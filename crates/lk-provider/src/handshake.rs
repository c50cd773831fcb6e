//! What some providers ask of a receiver before they deliver.

use crate::Secret;
use crate::message::{HttpRequest, HttpResponse};

/// On what ground a handshake may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Only after its signature was verified.
    Signed,
    /// It cannot be signed, because it brings the secret: only while the integration has no
    /// active secret.
    FirstContact,
    /// It proves nothing and changes nothing: answering it is harmless.
    Harmless,
}

/// A handshake that was recognised in a delivery. Not `PartialEq`: it may hold a secret.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// When it may be answered.
    pub trust: Trust,
    /// The answer.
    pub response: HttpResponse,
    /// A secret to keep from now on (source `handshake`).
    pub store_secret: Option<Secret>,
    /// A request that confirms the subscription, to be sent through egress after the secret is
    /// stored. Placeholders `{setting}` are already filled from the integration's settings; `None`
    /// when the provider needs none or settings it needs are missing (see `missing`).
    pub confirm: Option<HttpRequest>,
    /// Settings without which `confirm` could not be built.
    pub missing: Vec<String>,
}
