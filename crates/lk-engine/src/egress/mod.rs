//! The only module that opens outgoing connections.
//!
//! Every address is resolved here and checked before a connection is made: what a name resolves to
//! is what is connected to, so a name that changes its mind (DNS rebinding) gains nothing.
//! Redirects of reading requests are followed a few steps, each step checked like a first address.

mod guard;
mod redirect;

use std::sync::Arc;
use std::time::Duration;

use lk_provider::message::{HttpRequest, HttpResponse};
use tokio::sync::Semaphore;
use url::Host;

use guard::{AllRefused, Guard};
use redirect::Hop;

pub use guard::is_public;

/// Time for a whole call: resolve, connect, send, read, and the same again for each redirect.
pub const CALL_WITHIN: Duration = Duration::from_secs(10);
/// Time to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Largest response body that is read, bytes.
pub const MAX_RESPONSE_BYTES: usize = 1 << 20;
/// Headers of one response. Their bytes over HTTP/1 are bounded by the client's own read buffer
/// (about 400 KB), which it does not let us set.
const MAX_RESPONSE_HEADERS: usize = 100;
/// Bytes of one response's headers over HTTP/2.
const MAX_RESPONSE_HEADER_BYTES: u32 = 64 << 10;
/// Calls under way at once.
const MAX_CALLS: usize = 256;
/// Redirects followed in a row.
const MAX_REDIRECTS: usize = 5;
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
    client: reqwest::Client,
    guard: Guard,
    calls: Arc<Semaphore>,
}

impl Egress {
    /// Builds the client. `allow_private` lets calls reach private and loopback addresses.
    pub fn new(allow_private: bool) -> Result<Self, EgressError> {
        Self::guarded_by(Guard::new(allow_private))
    }

    fn guarded_by(guard: Guard) -> Result<Self, EgressError> {
        #[expect(clippy::disallowed_methods, reason = "egress is where the client is built")]
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(guard.clone()))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(CALL_WITHIN)
            .http1_max_headers(MAX_RESPONSE_HEADERS)
            .http2_max_header_list_size(MAX_RESPONSE_HEADER_BYTES)
            .no_proxy()
            .user_agent(concat!("linekeeper/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| EgressError::BadRequest(chain(&e)))?;
        Ok(Self {
            client,
            guard,
            calls: Arc::new(Semaphore::new(MAX_CALLS)),
        })
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
        let mut hop = Hop::first(request, self.guard.check(&request.url)?)?;
        let _slot = self.calls.acquire().await;
        let walk = async {
            for _ in 0..=MAX_REDIRECTS {
                let response = self.call(&hop).await?;
                let Some(next) = hop.after(response.status(), response.headers())? else {
                    return read(response).await;
                };
                self.guard.check(next.url.as_str())?;
                hop = next;
            }
            Err(EgressError::Redirect("there are more than five in a row"))
        };
        tokio::time::timeout(CALL_WITHIN, walk)
            .await
            .unwrap_or(Err(EgressError::Timeout))
    }

    async fn call(&self, hop: &Hop) -> Result<reqwest::Response, EgressError> {
        let mut call = self.client.request(hop.method.clone(), hop.url.clone());
        for (name, value) in &hop.headers {
            call = call.header(name, value);
        }
        call.body(hop.body.clone()).send().await.map_err(|e| classify(&e))
    }
}

async fn read(response: reqwest::Response) -> Result<HttpResponse, EgressError> {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
        .collect();
    let body = read_capped(response).await?;
    Ok(HttpResponse { status, headers, body })
}

async fn read_capped(mut response: reqwest::Response) -> Result<Vec<u8>, EgressError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| classify(&e))? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(EgressError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn classify(error: &reqwest::Error) -> EgressError {
    let text = chain(error);
    if error.is_timeout() {
        EgressError::Timeout
    } else if error.is_builder() {
        EgressError::BadRequest(text)
    } else if let Some(AllRefused(host)) = cause(error) {
        EgressError::Guarded { host: host.clone() }
    } else {
        EgressError::Connection(text)
    }
}

/// The first cause of this type.
fn cause<T: std::error::Error + 'static>(error: &dyn std::error::Error) -> Option<&T> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        source = cause.source();
    }
    None
}

/// An error with its causes, without the address (which may carry a secret).
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut source = error.source();
    while let Some(cause) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    if text.is_empty() {
        "the request failed".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
