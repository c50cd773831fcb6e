//! Checks as data: what is asked on each rung, and what an answer says. The engine sends the
//! [`Probe`]s of a provider in order, gives each answer to [`crate::Provider::read_probe`] and stops
//! at the first that fails.

pub(crate) mod limits;
mod read;
mod request;

use lk_core::Time;
use lk_core::check::Warnings;
use lk_core::words::{CredentialState, Rung};

use crate::message::{HttpRequest, HttpResponse};

pub use limits::{moment, not_before, quotas};
pub use read::{NEEDS_SCOPES, blamed, own, read, read_by};
pub use request::{AUTH_BASE_URL, BASE_URL, authorize, probes};

/// One question of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The rung it stands for once an answer in the expected form is there. Name, connection, TLS
    /// and form are told apart by the engine.
    pub rung: Rung,
    /// Stable name within the provider, such as `users_me`; the reading goes by it.
    pub name: String,
    /// The operation as a template, such as `GET /users/me`.
    pub operation: String,
    /// The question itself.
    pub call: Call,
}

/// How a probe is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    /// One HTTP request.
    Http(HttpRequest),
    /// A session with a Model Context Protocol server: connect, list tools, call one that only
    /// reads. The answer given to the reading is JSON, see [`McpCall`].
    Mcp(McpCall),
    /// A connection alone, with or without TLS.
    Connect {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// Whether TLS is spoken.
        tls: bool,
    },
}

/// A session with a Model Context Protocol server. Its answer reaches the reading as a response 200
/// with a JSON body, unless the server refused over HTTP: then it is the server's own answer.
///
/// `{"era":"stateless"|"session","version","server","tools":[{"name","readOnly"}],"toolsHash","tool",
/// "refused","isError","content"}`, where `tool` is null when none was called, `refused` says why the
/// wanted one was not (`unknown`, `may_write`) and `content` is the text of the tool's answer. A
/// server that refuses a request of the protocol gives `{"error":{"stage","code","message"}}`.
#[derive(Clone, PartialEq)]
pub struct McpCall {
    /// The server's address (Streamable HTTP).
    pub url: String,
    /// Headers of every request; may hold credentials.
    pub headers: Vec<(String, String)>,
    /// The tool to call, if any. One of which the server says that it changes something is not called.
    pub tool: Option<String>,
    /// Its arguments, a JSON object.
    pub arguments: serde_json::Value,
}

impl std::fmt::Debug for McpCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("McpCall")
            .field("url", &self.url)
            .field("headers", &names)
            .field("tool", &self.tool)
            .finish_non_exhaustive()
    }
}

/// What one answer says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What is wrong, if anything is.
    pub failed: Option<Failed>,
    /// The provider's account that the credential belongs to.
    pub account: Option<String>,
    /// Scopes that were granted, where the answer tells.
    pub scopes: Option<Vec<String>>,
    /// Scopes that are needed and were not granted.
    pub missing_scopes: Vec<String>,
    /// What is left of the provider's limits.
    pub quotas: Vec<Quota>,
    /// The provider asks not to be called before this.
    pub not_before: Option<Time>,
    /// When the credential ends, where the answer tells.
    pub credential_ends: Option<Time>,
    /// What the answer says of the credential's standing.
    pub credential: Option<CredentialState>,
    /// What works and yet needs attention.
    pub warnings: Warnings,
    /// A sentence for each warning that needs more than its own, redacted by the engine.
    pub notes: Vec<String>,
}

/// Why an answer counts as a failure. The engine reads `body` with the provider's error rules and
/// redacts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The rung to blame.
    pub rung: Rung,
    /// The answer's status, when there was one.
    pub http_status: Option<u16>,
    /// The raw error text: the body, or a sentence in its place.
    pub body: String,
}

/// What is left of one limit of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Its name, such as `core` or `minute`.
    pub name: String,
    /// How many calls (or units) it allows.
    pub limit: Option<u64>,
    /// How many are left.
    pub remaining: u64,
    /// When it is filled again.
    pub resets_at: Option<Time>,
    /// The window in seconds, where it is told.
    pub window_s: Option<u64>,
    /// Counted by ourselves, because the provider tells nothing.
    pub own_count: bool,
}

/// An answer with the moment it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The probe that was asked.
    pub probe: &'a Probe,
    /// What came back.
    pub response: &'a HttpResponse,
    /// When.
    pub now: Time,
}
