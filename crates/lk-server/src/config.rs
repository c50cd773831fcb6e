//! How the HTTP surface behaves; the binary fills it from its configuration.

use std::time::Duration;

use crate::auth::OidcConfig;
use lk_engine::Ranges;

/// Largest webhook body unless configured otherwise.
pub const WEBHOOK_BYTES_DEFAULT: usize = 5 * 1024 * 1024;
/// Live streams open at the same time unless configured otherwise.
pub const STREAMS_DEFAULT: usize = 4_096;

/// Calls each API key may make in a minute unless configured otherwise.
pub const KEY_CALLS_DEFAULT: u32 = 6_000;
/// Longest wait for a request's head unless configured otherwise.
const HEAD_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Configuration of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where people and providers reach us, without a slash at the end, e.g.
    /// `https://health.example.com`. Webhook addresses are built on it; without it, on the
    /// `Host` of the request that asks for one.
    pub public_url: Option<String>,
    /// Whether TLS ends here: serve with [`crate::serve_tls`].
    pub tls: bool,
    /// Proxies of ours: from their addresses alone are `X-Forwarded-For` and `X-Forwarded-Proto`
    /// believed.
    pub trusted_proxies: Ranges,
    /// Largest webhook body in bytes.
    pub webhook_bytes_max: usize,
    /// Live streams open at the same time.
    pub streams_max: usize,
    /// Calls each API key may make in a minute; 0 does not limit them.
    pub key_calls_per_minute: u32,
    /// Whether `/metrics` answers without an operator's session or key.
    pub metrics_open: bool,
    /// Longest time from a connection to its first request's head, and from one to the next.
    pub head_timeout: Duration,
    /// The identity provider that people may sign in with.
    pub oidc: Option<OidcConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: None,
            tls: false,
            trusted_proxies: Ranges::default(),
            webhook_bytes_max: WEBHOOK_BYTES_DEFAULT,
            streams_max: STREAMS_DEFAULT,
            key_calls_per_minute: KEY_CALLS_DEFAULT,
            metrics_open: false,
            head_timeout: HEAD_TIMEOUT_DEFAULT,
            oidc: None,
        }
    }
}

impl Config {
    /// Whether people reach us over https.
    pub(crate) fn is_https(&self) -> bool {
        let public = self.public_url.as_deref();
        self.tls || public.is_some_and(|url| url.starts_with("https://"))
    }
}
