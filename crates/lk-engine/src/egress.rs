//! The only module that opens outgoing connections.
//!
//! Every address is resolved here and checked before a connection is made: what a name resolves to
//! is what is connected to, so a name that changes its mind (DNS rebinding) gains nothing.
//! Redirects are not followed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lk_provider::message::{HttpRequest, HttpResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;
use url::{Host, Url};

/// Time for a whole call: resolve, connect, send and read.
pub const CALL_WITHIN: Duration = Duration::from_secs(10);
/// Time to connect.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Largest response body that is read, bytes.
pub const MAX_RESPONSE_BYTES: usize = 1 << 20;
/// Calls under way at once.
const MAX_CALLS: usize = 256;

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
    allow_private: bool,
    calls: Arc<Semaphore>,
}

impl Egress {
    /// Builds the client. `allow_private` lets calls reach private and loopback addresses.
    pub fn new(allow_private: bool) -> Result<Self, EgressError> {
        #[expect(clippy::disallowed_methods, reason = "egress is where the client is built")]
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(GuardedResolver { allow_private }))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(CALL_WITHIN)
            .no_proxy()
            .user_agent(concat!("linekeeper/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| EgressError::BadRequest(chain(&e)))?;
        Ok(Self {
            client,
            allow_private,
            calls: Arc::new(Semaphore::new(MAX_CALLS)),
        })
    }

    /// Sends one request.
    pub async fn send(&self, request: &HttpRequest) -> Result<HttpResponse, EgressError> {
        let url = check_address(&request.url, self.allow_private)?;
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|e| EgressError::BadRequest(e.to_string()))?;
        let _slot = self.calls.acquire().await;
        let mut call = self.client.request(method, url).body(request.body.clone());
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        let response = call.send().await.map_err(|e| classify(&e))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
            .collect();
        let body = read_capped(response).await?;
        Ok(HttpResponse { status, headers, body })
    }
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
    } else if let Some(host) = text.strip_suffix(GUARD_MARK).and_then(|t| t.rsplit(' ').next()) {
        EgressError::Guarded { host: host.to_owned() }
    } else {
        EgressError::Connection(text)
    }
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

/// Refuses an address that is not http(s) or that names a forbidden IP outright.
pub fn check_address(address: &str, allow_private: bool) -> Result<Url, EgressError> {
    let bad = || EgressError::BadAddress(address.chars().take(200).collect());
    let url = Url::parse(address).map_err(|_| bad())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad());
    }
    let ip = match url.host().ok_or_else(bad)? {
        Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
        Host::Domain(_) => None,
    };
    match ip {
        Some(ip) if !allow_private && !is_public(ip) => Err(EgressError::Guarded {
            host: url.host_str().unwrap_or_default().to_owned(),
        }),
        _ => Ok(url),
    }
}

const GUARD_MARK: &str = " is guarded";

/// Resolves names and keeps only addresses that may be reached.
struct GuardedResolver {
    allow_private: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found
                .iter()
                .copied()
                .filter(|a| allow_private || is_public(a.ip()))
                .collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(format!("{host}{GUARD_MARK}").into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b)) // shared address space, RFC 6598
        || (a == 192 && b == 0 && c == 0) // protocol assignments, RFC 6890
        || (a == 198 && (18..20).contains(&b)); // benchmarking, RFC 2544
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let s = ip.segments();
    // NAT64 and 6to4 carry an IPv4 address that the gateway will reach.
    if s[0] == 0x64 && s[1] == 0xff9b {
        let v4 = Ipv4Addr::from((u32::from(s[6]) << 16) | u32::from(s[7]));
        return is_public_v4(v4);
    }
    if s[0] == 0x2002 {
        return is_public_v4(Ipv4Addr::from((u32::from(s[1]) << 16) | u32::from(s[2])));
    }
    let special = ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || ip.to_ipv4().is_some() // deprecated IPv4-compatible addresses
        || (s[0] & 0xfe00) == 0xfc00 // unique local
        || (s[0] & 0xffc0) == 0xfe80 // link local
        || (s[0] & 0xffc0) == 0xfec0 // site local, deprecated
        || (s[0] == 0x2001 && s[1] == 0xdb8) // documentation
        || (s[0] == 0x2001 && s[1] == 0); // Teredo
    !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_refused_however_they_are_written() {
        for address in [
            "http://127.0.0.1/",
            "http://2130706433/", // 127.0.0.1 as one number
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://10.1.2.3/",
            "http://172.31.0.1/",
            "http://192.168.1.1/",
            "http://169.254.169.254/latest/meta-data/",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
        ] {
            let got = check_address(address, false);
            assert!(matches!(got, Err(EgressError::Guarded { .. })), "{address}: {got:?}");
            assert!(check_address(address, true).is_ok());
        }
        for address in ["ftp://example.com/", "file:///etc/passwd", "nonsense", "http://"] {
            let got = check_address(address, true);
            assert!(matches!(got, Err(EgressError::BadAddress(_))), "{address}");
        }
        assert!(check_address("https://93.184.216.34/", false).is_ok());
        assert!(check_address("https://example.com/", false).is_ok());
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_loopback_is_refused_at_connect() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let egress = Egress::new(false).expect("client");
        let request = HttpRequest {
            method: "GET".into(),
            url: "http://localhost:9/".into(),
            headers: vec![],
            body: vec![],
        };
        let got = egress.send(&request).await;
        assert!(matches!(got, Err(EgressError::Guarded { .. })), "{got:?}");
    }
}
