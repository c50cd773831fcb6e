//! The only module that opens outgoing connections.
//!
//! Every address is resolved here and checked before a connection is made: what a name resolves to
//! is what is connected to, so a name that changes its mind (DNS rebinding) gains nothing.
//! Redirects of reading requests are followed a few steps, each step checked like a first address.

mod connect;
mod conversation;
mod guard;
mod probe;
mod redirect;
mod tls;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lk_provider::message::{HttpRequest, HttpResponse};
use tokio::sync::Semaphore;
use url::Host;

use connect::Connector;
use guard::{AllRefused, Guard};

pub(crate) use conversation::{Coming, Conversation};
pub use guard::is_public;
pub use wire::{Exchange, Timings, WireFailure};

/// Time for a whole call: resolve, connect, send, read, and the same again for each redirect.
pub const CALL_WITHIN: Duration = Duration::from_secs(10);
/// Largest response body that is read, bytes.
pub const MAX_RESPONSE_BYTES: usize = 1 << 20;
/// Headers of one response.
const MAX_RESPONSE_HEADERS: usize = 100;
/// Bytes of one response's headers.
const MAX_RESPONSE_HEADER_BYTES: u32 = 64 << 10;
/// Calls under way at once.
const MAX_CALLS: usize = 256;
/// Connections to one host that are kept for later calls.
const KEPT_PER_HOST: usize = 16;
/// How long an unused connection is kept.
const KEPT_FOR: Duration = Duration::from_secs(90);
/// Longest wait for a name when an address is vetted.
const VET_WITHIN: Duration = Duration::from_secs(2);

/// Why a call gave no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The address cannot be used at all.
    #[error("`{0}` is not an http or https address")]
    BadAddress(String),
    /// The address leads to this machine or a private network.
    #[error(
        "{host} leads to a private or local address; allow it with \
         LINEKEEPER_ALLOW_PRIVATE_TARGETS=true if that is meant"
    )]
    Guarded {
        /// The host as given.
        host: String,
    },
    /// The request itself is malformed (method, header).
    #[error("the request cannot be sent: {0}")]
    BadRequest(String),
    /// The response sends us elsewhere, and we do not go.
    #[error("the redirect is not followed: {0}")]
    Redirect(&'static str),
    /// Nobody answered in time.
    #[error("no answer within {} s", CALL_WITHIN.as_secs())]
    Timeout,
    /// The connection was not made or broke.
    #[error("the connection failed: {0}")]
    Connection(String),
    /// The response is larger than is read.
    #[error("the response is larger than {MAX_RESPONSE_BYTES} bytes")]
    TooLarge,
}

/// The one outgoing client.
#[derive(Clone)]
pub struct Egress {
    client: Client<Connector, Full<Bytes>>,
    connector: Connector,
    guard: Guard,
    calls: Arc<Semaphore>,
}

impl Egress {
    /// Builds the client. `allow_private` lets calls reach private and loopback addresses.
    pub fn new(allow_private: bool) -> Result<Self, EgressError> {
        Self::guarded_by(Guard::new(allow_private))
    }

    fn guarded_by(guard: Guard) -> Result<Self, EgressError> {
        let trust = tls::config().map_err(|e| EgressError::BadRequest(e.to_string()))?;
        Ok(Self::with(guard, trust))
    }

    /// A client that trusts these certificates alone and reaches every address.
    #[cfg(test)]
    fn trusting(certificates: &[Vec<u8>]) -> Result<Self, EgressError> {
        let trust = tls::trusting(certificates).map_err(|e| EgressError::BadRequest(e.to_string()))?;
        Ok(Self::with(Guard::new(true), trust))
    }

    fn with(guard: Guard, trust: Arc<rustls::ClientConfig>) -> Self {
        let connector = Connector::new(guard.clone(), trust);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT_FOR)
            .pool_max_idle_per_host(KEPT_PER_HOST)
            .http1_max_headers(MAX_RESPONSE_HEADERS)
            .http1_max_buf_size(MAX_RESPONSE_HEADER_BYTES as usize)
            .http2_max_header_list_size(MAX_RESPONSE_HEADER_BYTES)
            .build(connector.clone());
        Self {
            client,
            connector,
            guard,
            calls: Arc::new(Semaphore::new(MAX_CALLS)),
        }
    }

    /// Looks at an address that people typed, before it is stored: its form, and where it leads
    /// now. A name that does not resolve in time is let through: it is checked again each time it
    /// is connected to.
    pub async fn vet(&self, address: &str) -> Result<(), EgressError> {
        let url = self.guard.check(address)?;
        let Some(Host::Domain(host)) = url.host() else {
            return Ok(());
        };
        match tokio::time::timeout(VET_WITHIN, self.guard.resolve(host)).await {
            Ok(Err(error)) if error.is::<AllRefused>() => Err(EgressError::Guarded { host: host.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Sends one request. Redirects of GET and HEAD are followed, at most five; other methods get
    /// the redirect itself as the response.
    pub async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, EgressError> {
        self.guard.check(&request.url)?;
        let _slot = self.calls.acquire().await;
        let exchange = self.exchange(request, CALL_WITHIN).await;
        exchange
            .result
            .map_err(|failure| EgressError::of(failure, &request.url))
    }
}

impl EgressError {
    fn of(failure: WireFailure, url: &str) -> Self {
        match failure.code {
            "address_not_allowed" => {
                let host = url::Url::parse(url).ok();
                let host = host.and_then(|url| url.host_str().map(str::to_owned));
                Self::Guarded {
                    host: host.unwrap_or_default(),
                }
            }
            "redirect_loop" => Self::Redirect("there are more than five in a row"),
            "redirect_not_followed" => Self::Redirect("it leads somewhere that is not followed"),
            "request_not_usable" => Self::BadRequest(failure.message),
            "answer_too_large" => Self::TooLarge,
            "name_timeout" | "connect_timeout" | "tls_timeout" | "no_answer" | "answer_too_slow" => Self::Timeout,
            _ => Self::Connection(failure.message),
        }
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
