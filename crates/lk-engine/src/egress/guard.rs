//! Where calls may go: the form of an address, and what names resolve to.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use url::{Host, Url};

use super::EgressError;

/// Characters of a bad address that its error repeats.
const SHOWN_CHARS: usize = 200;

type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Decides which addresses may be connected to. It is the client's only resolver, so what it
/// allowed is what is connected to: there is no second look-up between check and connection that
/// could answer otherwise (DNS rebinding).
#[derive(Clone)]
pub(super) struct Guard {
    lookup: Arc<dyn Fn(String) -> Looking + Send + Sync>,
    allowed: Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>,
}

/// Every address of this name is refused.
#[derive(Debug, thiserror::Error)]
#[error("{0} leads to a private or local address")]
pub(super) struct AllRefused(pub(super) String);

impl Guard {
    /// The system's resolver, and public addresses alone unless private ones are allowed.
    pub(super) fn new(allow_private: bool) -> Self {
        let lookup = |host: String| -> Looking {
            Box::pin(async move { Ok(tokio::net::lookup_host((host.as_str(), 0)).await?.collect()) })
        };
        Self::with(lookup, move |address| allow_private || is_public(address.ip()))
    }

    /// A guard with a resolver and a rule of its own.
    pub(super) fn with(
        lookup: impl Fn(String) -> Looking + Send + Sync + 'static,
        allowed: impl Fn(SocketAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            lookup: Arc::new(lookup),
            allowed: Arc::new(allowed),
        }
    }

    /// Refuses an address that is not http(s) or that names a forbidden IP outright.
    pub(super) fn check(&self, address: &str) -> Result<Url, EgressError> {
        let bad = || EgressError::BadAddress(address.chars().take(SHOWN_CHARS).collect());
        let url = Url::parse(address).map_err(|_| bad())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad());
        }
        let ip = match url.host().ok_or_else(bad)? {
            Host::Ipv4(ip) => IpAddr::V4(ip),
            Host::Ipv6(ip) => IpAddr::V6(ip),
            // Whatever a resolver makes of them (RFC 6761, section 6.3).
            Host::Domain(name) if is_local(name) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Host::Domain(_) => return Ok(url),
        };
        let port = url.port_or_known_default().unwrap_or(0);
        if (self.allowed)(SocketAddr::new(ip, port)) {
            Ok(url)
        } else {
            Err(EgressError::Guarded {
                host: url.host_str().unwrap_or_default().to_owned(),
            })
        }
    }

    /// The allowed ones of a name's addresses.
    pub(super) async fn resolve(
        &self,
        host: &str,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let mut found = (self.lookup)(host.to_owned()).await?;
        let any = !found.is_empty();
        found.retain(|address| (self.allowed)(*address));
        if any && found.is_empty() {
            return Err(AllRefused(host.to_owned()).into());
        }
        Ok(found)
    }
}

fn is_local(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
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
            "http://LocalHost/",
            "http://localhost.:8787/",
            "http://a.localhost/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
        ] {
            let got = Guard::new(false).check(address);
            assert!(matches!(got, Err(EgressError::Guarded { .. })), "{address}: {got:?}");
            assert!(Guard::new(true).check(address).is_ok());
        }
        for address in ["ftp://example.com/", "file:///etc/passwd", "nonsense", "http://"] {
            let got = Guard::new(true).check(address);
            assert!(matches!(got, Err(EgressError::BadAddress(_))), "{address}");
        }
        assert!(Guard::new(false).check("https://93.184.216.34/").is_ok());
        assert!(Guard::new(false).check("https://example.com/").is_ok());
    }
}
