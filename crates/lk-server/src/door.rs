//! What a request says of where it came from, believed or taken away before anything reads it.
//!
//! Every request passes here first. After it, [`Client`] in the extensions is the client's
//! address, and the headers say [https](is_https) only when it is true.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request};
use lk_engine::Ranges;

use crate::config::Config;
use crate::serve::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HTTPS: HeaderValue = HeaderValue::from_static("https");

/// The client's address: the socket's, or the one that our own proxies vouch for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) IpAddr);

/// Settles who the client is and whether its connection is encrypted.
pub(crate) fn pass<B>(mut request: Request<B>, config: &Config) -> Request<B> {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let proxies = &config.trusted_proxies;
    let trusted = peer.is_some_and(|peer| proxies.contains(peer));
    if let Some(peer) = peer {
        let client = if trusted {
            client(request.headers(), peer, proxies)
        } else {
            peer
        };
        request.extensions_mut().insert(Client(client.to_canonical()));
    }
    let https = config.is_https() || (trusted && forwarded_https(request.headers()));
    let headers = request.headers_mut();
    headers.remove(FORWARDED_FOR);
    if https {
        headers.insert(FORWARDED_PROTO, HTTPS);
    } else {
        headers.remove(FORWARDED_PROTO);
    }
    request
}

/// The address before the chain of our own proxies: each one appends whom it got the request from,
/// so the list is read from its end, and what is left of the first stranger is the stranger's word.
fn client(headers: &HeaderMap, peer: IpAddr, proxies: &Ranges) -> IpAddr {
    let mut nearest = peer;
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for entry in entries {
        let Some(ip) = address(entry) else { break };
        nearest = ip;
        if !proxies.contains(ip) {
            break;
        }
    }
    nearest
}

/// One entry of the list; some proxies write the port too.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let socket = || entry.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    entry.parse().ok().or_else(socket)
}

/// Whether the proxy next to us was reached over https: it wrote the last word.
fn forwarded_https(headers: &HeaderMap) -> bool {
    let last = headers.get_all(FORWARDED_PROTO).iter().next_back();
    let last = last.and_then(|line| line.to_str().ok()?.rsplit(',').next());
    last.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

/// Whether the client's own connection is encrypted, as far as we can know. Of a request that has
/// passed the door.
pub(crate) fn is_https(headers: &HeaderMap) -> bool {
    headers.get(FORWARDED_PROTO).is_some_and(|scheme| scheme == HTTPS)
}

/// The client's address. Of a request that has passed the door.
pub(crate) fn client_ip(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Client>().map(|client| client.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(proxies: &str) -> Config {
        Config {
            trusted_proxies: Ranges::parse(proxies).unwrap(),
            ..Config::default()
        }
    }

    fn passed(peer: &str, headers: &[(&str, &str)], config: &Config) -> (String, bool) {
        let mut request = Request::new(());
        request
            .extensions_mut()
            .insert(Peer(format!("{peer}:5000").parse().unwrap()));
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request
                .headers_mut()
                .append(name, HeaderValue::from_str(value).unwrap());
        }
        let request = pass(request, config);
        assert!(!request.headers().contains_key(FORWARDED_FOR));
        let client = client_ip(request.extensions()).unwrap();
        (client.to_string(), is_https(request.headers()))
    }

    #[test]
    fn the_list_is_walked_from_its_end_past_our_own_proxies() {
        let config = config("192.0.2.0/24, ::1");
        for (peer, list, client) in [
            // Nobody vouches for a stranger's list.
            ("198.51.100.1", vec!["203.0.113.9"], "198.51.100.1"),
            ("192.0.2.1", vec![], "192.0.2.1"),
            ("192.0.2.1", vec!["203.0.113.9"], "203.0.113.9"),
            ("192.0.2.1", vec!["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
            ("192.0.2.1", vec!["6.6.6.6, 203.0.113.9, 192.0.2.8"], "203.0.113.9"),
            (
                "192.0.2.1",
                vec!["6.6.6.6", "203.0.113.9,192.0.2.8", "192.0.2.9"],
                "203.0.113.9",
            ),
            // All of ours: the farthest of them.
            ("192.0.2.1", vec!["192.0.2.7, 192.0.2.8"], "192.0.2.7"),
            // What cannot be read ends the walk.
            ("192.0.2.1", vec!["203.0.113.9, unknown"], "192.0.2.1"),
            ("192.0.2.1", vec!["203.0.113.9, , 192.0.2.8"], "192.0.2.8"),
            ("192.0.2.1", vec!["203.0.113.9, unknown, 192.0.2.8"], "192.0.2.8"),
            ("192.0.2.1", vec!["203.0.113.9:4711"], "203.0.113.9"),
            ("192.0.2.1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("[::1]", vec!["::ffff:203.0.113.9"], "203.0.113.9"),
            ("[::ffff:192.0.2.1]", vec!["203.0.113.9"], "203.0.113.9"),
        ] {
            let headers: Vec<_> = list.iter().map(|line| ("x-forwarded-for", *line)).collect();
            assert_eq!(passed(peer, &headers, &config).0, client, "{peer} {list:?}");
        }
    }

    #[test]
    fn the_scheme_is_believed_from_our_own_proxies_alone() {
        let proxied = config("192.0.2.1");
        let https = [("x-forwarded-proto", "HTTPS")];
        assert!(passed("192.0.2.1", &https, &proxied).1);
        assert!(!passed("192.0.2.2", &https, &proxied).1);
        assert!(!passed("192.0.2.1", &[], &proxied).1);
        let appended = [("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")];
        assert!(!passed("192.0.2.1", &appended, &proxied).1, "the last word counts");
        let public = Config {
            public_url: Some("https://health.example.com".into()),
            ..Config::default()
        };
        assert!(passed("192.0.2.2", &[], &public).1);
    }
}
