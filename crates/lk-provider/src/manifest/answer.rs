//! What a token endpoint answers, where that differs from the standard (RFC 6749).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::pointer::Pointer;

/// Where the answer has what; without a line, where the standard has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: Pointer,
    /// The refresh token.
    pub refresh_token: Pointer,
    /// Seconds until the access token ends.
    pub expires_in: Pointer,
    /// Seconds until the refresh token ends.
    pub refresh_expires_in: Pointer,
    /// What was granted.
    pub scope: Pointer,
    /// The code of what went wrong, also in an answer with status 200.
    pub error: Pointer,
}

impl Default for TokenAnswer {
    fn default() -> Self {
        Self {
            access_token: Pointer::key("access_token"),
            refresh_token: Pointer::key("refresh_token"),
            expires_in: Pointer::key("expires_in"),
            refresh_expires_in: Pointer::key("refresh_token_expires_in"),
            scope: Pointer::key("scope"),
            error: Pointer::key("error"),
        }
    }
}

/// What a refusal of a token endpoint asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRefusal {
    /// A person has to consent again.
    NeedsReauth,
    /// Our own client, key or address is refused; consenting again would not help.
    Misconfigured,
    /// Nothing but patience.
    Transient,
}

/// The provider's own error codes beside the standard's.
pub type TokenErrors = BTreeMap<String, TokenRefusal>;
