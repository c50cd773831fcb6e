//! The certificate that is served: whether it fits its key, whose it is, and until when.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use lk_core::Time;
use lk_core::time::{DAY, SECOND};
use lk_server::Tls;
use url::{Host, Url};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

use super::{Finding, files};
use crate::config::Config;

/// How long before its end a certificate is spoken of.
const EXPIRES_SOON_MS: i64 = 21 * DAY;

/// What of a certificate is looked at.
struct Certificate {
    begins: Time,
    ends: Time,
    names: Vec<Name>,
}

#[derive(Debug, PartialEq, Eq)]
enum Name {
    Dns(String),
    Ip(IpAddr),
}

/// Looks at the TLS files, where there are any.
pub(super) fn check(config: &Config, now: Time) -> Vec<Finding> {
    let Some((cert, key)) = config.tls_files() else {
        return Vec::new();
    };
    if let Err(error) = Tls::open(cert, key) {
        return vec![Finding::problem(
            "tls.unusable",
            format!("TLS cannot be served: {error}."),
            "Set tls_cert to the certificate with its chain and tls_key to its key, both in PEM form.",
        )];
    }
    let mut found = Vec::new();
    if let Some(mode) = files::open_to_others(key) {
        found.push(Finding::warning(
            "tls.key_open_to_others",
            format!(
                "Other accounts of this machine may read {} (mode {mode:o}).",
                key.display()
            ),
            format!("Run chmod 600 {}.", key.display()),
        ));
    }
    match read(cert) {
        Some(certificate) => found.extend(judge(&certificate, config.public_url.as_deref(), cert, now)),
        None => found.push(Finding::warning(
            "tls.unreadable",
            format!("{} is served, but its dates and names cannot be read.", cert.display()),
            "Ask its issuer for a certificate in the usual form (X.509 version 3).",
        )),
    }
    found
}

/// The first certificate of the file: the one that is shown for the server itself.
fn read(path: &Path) -> Option<Certificate> {
    let text = fs::read(path).ok()?;
    let pem = Pem::iter_from_buffer(&text)
        .flatten()
        .find(|pem| pem.label == "CERTIFICATE")?;
    let parsed = pem.parse_x509().ok()?;
    let validity = parsed.validity();
    let names = parsed.subject_alternative_name().ok()?;
    let names = names.iter().flat_map(|names| &names.value.general_names);
    Some(Certificate {
        begins: Time(validity.not_before.timestamp().saturating_mul(SECOND)),
        ends: Time(validity.not_after.timestamp().saturating_mul(SECOND)),
        names: names.filter_map(name).collect(),
    })
}

fn name(name: &GeneralName<'_>) -> Option<Name> {
    match name {
        GeneralName::DNSName(text) => Some(Name::Dns(text.to_lowercase())),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(v4) => Some(Name::Ip(v4.into())),
            Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|v6| Name::Ip(v6.into())),
        },
        _ => None,
    }
}

fn judge(certificate: &Certificate, public_url: Option<&str>, path: &Path, now: Time) -> Vec<Finding> {
    let mut found = Vec::new();
    let path = path.display();
    let days = |ms: i64| ms.div_euclid(DAY);
    let left_ms = certificate.ends.since(now);
    let renew = "Renew it; the new files are served within seconds, without a restart.";
    if certificate.begins > now {
        found.push(Finding::problem(
            "tls.not_yet_valid",
            format!(
                "The certificate in {path} is not valid before {} days from now.",
                days(certificate.begins.since(now)) + 1
            ),
            "Check this machine's clock; else serve a certificate that is valid today.",
        ));
    }
    if left_ms <= 0 {
        let message = format!("The certificate in {path} expired {} days ago.", days(-left_ms));
        found.push(Finding::problem("tls.expired", message, renew));
    } else if left_ms < EXPIRES_SOON_MS {
        let message = format!("The certificate in {path} expires in {} days.", days(left_ms));
        found.push(Finding::warning("tls.expires_soon", message, renew));
    }
    let url = public_url.and_then(|url| Url::parse(url).ok());
    if let Some(host) = url.as_ref().and_then(Url::host)
        && !certificate.names.iter().any(|name| name.covers(&host))
    {
        found.push(Finding::problem(
            "tls.wrong_name",
            format!(
                "The certificate in {path} is not for {host}, the host of public_url: providers and browsers refuse it."
            ),
            "Serve a certificate with that name, or set public_url to a name that is in it.",
        ));
    }
    if found.is_empty() {
        let message = format!("The certificate fits its key and is valid for {} days.", days(left_ms));
        found.push(Finding::ok("tls.ok", message));
    }
    found
}

impl Name {
    /// Whether it is the host's, a `*` for the first label allowed.
    fn covers(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Ip(IpAddr::V4(name)), Host::Ipv4(ip)) => name == ip,
            (Self::Ip(IpAddr::V6(name)), Host::Ipv6(ip)) => name == ip,
            (Self::Dns(name), Host::Domain(host)) => {
                let host = host.trim_end_matches('.').to_lowercase();
                let parent = host.split_once('.').map(|(_, parent)| parent);
                *name == host || (name.strip_prefix("*.").is_some() && name.strip_prefix("*.") == parent)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_800_000_000_000);

    fn codes(begins_days: i64, ends_days: i64, names: &[&str], public_url: Option<&str>) -> Vec<&'static str> {
        let certificate = Certificate {
            begins: NOW + begins_days * DAY,
            ends: NOW + ends_days * DAY,
            names: names.iter().map(|name| Name::Dns((*name).to_owned())).collect(),
        };
        let found = judge(&certificate, public_url, Path::new("cert.pem"), NOW);
        found.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn dates_and_names_are_judged() {
        let url = Some("https://health.example.com:8443/x");
        assert_eq!(codes(-1, 90, &["health.example.com"], url), ["tls.ok"]);
        assert_eq!(codes(-1, 90, &["*.example.com"], url), ["tls.ok"]);
        assert_eq!(
            codes(-1, 90, &["*.com", "example.com", "*.health.example.com"], url),
            ["tls.wrong_name"]
        );
        assert_eq!(codes(-1, 90, &[], None), ["tls.ok"]);
        assert_eq!(codes(-1, 21, &[], None), ["tls.ok"]);
        assert_eq!(codes(-1, 20, &[], None), ["tls.expires_soon"]);
        assert_eq!(codes(-90, -1, &["a.test"], url), ["tls.expired", "tls.wrong_name"]);
        assert_eq!(codes(1, 90, &[], None), ["tls.not_yet_valid"]);
    }

    #[test]
    fn a_real_certificate_is_read() {
        let names = ["health.example.com".to_owned(), "192.0.2.7".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("a comment\n{}", made.cert.pem())).unwrap();
        let read = read(file.path()).unwrap();
        assert!(read.begins < read.ends);
        let ip = Name::Ip([192, 0, 2, 7].into());
        assert_eq!(read.names, [Name::Dns("health.example.com".to_owned()), ip]);
    }
}
