//! How the HTTP surface behaves; the binary fills it from its configuration.

use crate::auth::OidcConfig;

/// Largest webhook body unless configured otherwise.
pub const WEBHOOK_BYTES_DEFAULT: usize = 5 * 1024 * 1024;
/// Live streams open at the same time unless configured otherwise.
pub const STREAMS_DEFAULT: usize = 4_096;

/// Configuration of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where people and providers reach us, without a slash at the end, e.g.
    /// `https://health.example.com`. Webhook addresses are built on it; without it, on the
    /// `Host` of the request that asks for one.
    pub public_url: Option<String>,
    /// Whether `X-Forwarded-For` and `X-Forwarded-Proto` are believed: only behind a proxy that
    /// sets them.
    pub trust_forwarded: bool,
    /// Largest webhook body in bytes.
    pub webhook_bytes_max: usize,
    /// Live streams open at the same time.
    pub streams_max: usize,
    /// Whether `/metrics` answers without an operator's session or key.
    pub metrics_open: bool,
    /// The identity provider that people may sign in with.
    pub oidc: Option<OidcConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: None,
            trust_forwarded: false,
            webhook_bytes_max: WEBHOOK_BYTES_DEFAULT,
            streams_max: STREAMS_DEFAULT,
            metrics_open: false,
            oidc: None,
        }
    }
}

impl Config {
    /// Whether people reach us over https.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }
}
