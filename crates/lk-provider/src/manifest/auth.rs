//! The `[[auth]]` part of a manifest: which credentials a provider takes and how each goes on the wire.

use serde::Deserialize;

/// One way to prove who we are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// What kind of credential it is.
    pub kind: AuthKind,
    /// What people call it.
    pub label: String,
    /// Field of the form that holds the key, token or password.
    pub token_field: Option<String>,
    /// Field of the form that holds the user name of `basic`.
    pub username_field: Option<String>,
    /// Header that carries it.
    #[serde(default = "authorization")]
    pub header: String,
    /// Text before it; `Bearer ` for keys and `Basic ` for user and password where not given.
    pub prefix: Option<String>,
}

fn authorization() -> String {
    "authorization".to_owned()
}

/// Kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// A key or token that people paste.
    ApiKey,
    /// User name and password.
    Basic,
    /// None.
    None,
}

impl AuthKind {
    /// The stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Basic => "basic",
            Self::None => "none",
        }
    }
}
