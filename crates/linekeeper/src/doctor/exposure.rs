//! How the server can be reached: where it listens, and whether what is sent can be read on the way.

use url::{Host, Url};

use super::Finding;
use crate::config::Config;

/// Looks at `listen`, `public_url`, `trusted_proxies` and whether TLS ends here.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let tls = config.tls_files().is_some();
    let public = config.public_url.as_deref().and_then(|url| Url::parse(url).ok());
    let https = public.as_ref().is_some_and(|url| url.scheme() == "https");
    let proxies = !config.trusted_proxies.text().trim().is_empty();
    let mut found = Vec::new();
    let behind_proxy = https && proxies;
    if !(config.listen.ip().is_loopback() || tls || behind_proxy) {
        let whole = if config.listen.ip().is_unspecified() {
            "every network"
        } else {
            "a network"
        };
        found.push(Finding::warning(
            "listen.unprotected",
            format!(
                "It listens on {whole} ({}) without TLS: passwords, keys and webhooks can be read on the way.",
                config.listen
            ),
            "Set tls_cert and tls_key; or listen on 127.0.0.1 behind a proxy that ends TLS, with public_url and \
             trusted_proxies set.",
        ));
    }
    if let Some(url) = public.as_ref().filter(|url| url.scheme() == "http" && !is_local(url)) {
        found.push(Finding::warning(
            "public_url.plain_http",
            format!(
                "public_url is http://{}: people and providers are sent there in the clear.",
                url.host_str().unwrap_or_default()
            ),
            "Serve https and set public_url to the https address.",
        ));
    }
    if https && !tls && !proxies {
        found.push(Finding::warning(
            "trusted_proxies.missing",
            "public_url is https and TLS does not end here, yet no proxy is trusted: every client looks like the \
             proxy, so that limits of one hold for all, and cookies are not marked Secure.",
            "Set trusted_proxies to the proxy's address, for example \"127.0.0.1\".",
        ));
    }
    if found.is_empty() {
        found.push(Finding::ok(
            "listen.ok",
            format!("Listening on {} is protected.", config.listen),
        ));
    }
    found
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::List;

    fn codes(listen: &str, public_url: Option<&str>, tls: bool, proxies: &str) -> Vec<&'static str> {
        let config = Config {
            listen: listen.parse().unwrap(),
            public_url: public_url.map(str::to_owned),
            tls_cert: tls.then(|| "cert.pem".into()),
            tls_key: tls.then(|| "key.pem".into()),
            trusted_proxies: List::Text(proxies.to_owned()),
            ..Config::default()
        };
        check(&config).iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn what_can_be_read_on_the_way_is_told() {
        let https = Some("https://health.example.com");
        let http = Some("http://health.example.com");
        assert_eq!(codes("127.0.0.1:8787", None, false, ""), ["listen.ok"]);
        assert_eq!(codes("0.0.0.0:8787", None, false, ""), ["listen.unprotected"]);
        assert_eq!(codes("[::]:8787", None, true, ""), ["listen.ok"]);
        assert_eq!(codes("0.0.0.0:8787", https, false, "10.0.0.0/8"), ["listen.ok"]);
        assert_eq!(
            codes("0.0.0.0:8787", https, false, ""),
            ["listen.unprotected", "trusted_proxies.missing"]
        );
        assert_eq!(codes("127.0.0.1:8787", https, false, ""), ["trusted_proxies.missing"]);
        assert_eq!(codes("127.0.0.1:8787", http, false, ""), ["public_url.plain_http"]);
        assert_eq!(
            codes("127.0.0.1:8787", Some("http://localhost:8787"), false, ""),
            ["listen.ok"]
        );
    }
}
