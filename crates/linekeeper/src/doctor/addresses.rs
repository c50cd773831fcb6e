//! Where an integration's addresses lead: in the clear, to a private network, or to the pages for
//! people instead of the API.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use lk_engine::egress::{Egress, EgressError};
use lk_provider::Manifest;
use lk_provider::manifest::FieldKind;
use url::Url;

use super::Finding;

/// First labels of hosts that are made for reading.
const READING_LABELS: [&str; 13] = [
    "docs",
    "doc",
    "apidocs",
    "documentation",
    "developer",
    "developers",
    "devportal",
    "readme",
    "reference",
    "help",
    "support",
    "learn",
    "kb",
];
/// Services that publish documentation, and nothing that answers calls.
const PORTALS: [&str; 9] = [
    "readme.io",
    "readme.com",
    "gitbook.io",
    "readthedocs.io",
    "stoplight.io",
    "apiary.io",
    "redoc.ly",
    "getpostman.com",
    "notion.site",
];
/// First parts of paths that are made for reading.
const READING_PATHS: [&str; 5] = ["reference", "docs", "documentation", "api-docs", "api-reference"];
/// Addresses whose names are looked up; more would make the doctor slow and tell nothing new.
const LOOKED_UP_MAX: usize = 500;
/// Look-ups at once.
const LOOKUPS: usize = 16;
/// Longest time for all of them.
const LOOKUPS_WITHIN: Duration = Duration::from_secs(20);

/// An address in an integration's settings.
pub(super) struct Address {
    /// Whose, for people: "Acme Freight of default".
    pub(super) whose: String,
    /// Whose, by id.
    pub(super) integration: String,
    /// The setting.
    pub(super) setting: String,
    /// What it holds.
    pub(super) url: Url,
}

impl Address {
    /// The address without what may be secret in it: user, password, path and query.
    fn shown(&self) -> String {
        format!("{}://{}", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }

    fn of(&self, mut finding: Finding) -> Finding {
        finding.integration = Some(self.integration.clone());
        finding
    }
}

/// The addresses that a form can hold, by key.
pub(super) fn is_address(manifest: &Manifest, key: &str) -> bool {
    let field = manifest.fields.iter().find(|field| field.key == key);
    field.map_or(key == "base_url", |field| field.kind == FieldKind::Url)
}

/// Whether an address leads to pages for people, by the manifest and by what hosts are called.
pub(super) fn reading(address: &Address, manifest: &Manifest) -> Option<Finding> {
    let host = address.url.host_str()?;
    // A host that the form itself proposes is the API, whatever it is called.
    let proposed = manifest
        .fields
        .iter()
        .flat_map(|field| field.default.iter().chain(&field.placeholder));
    if proposed
        .filter_map(|text| host_of(text))
        .any(|proposed| proposed == host)
    {
        return None;
    }
    let named = |page: &Option<String>| page.as_deref().and_then(host_of).is_some_and(|named| named == host);
    let shown = address.shown();
    let wrong = |what: &str| format!("{} of {} is {shown}, {what}", address.setting, address.whose);
    let advice = format!(
        "Set {} to the address of the API, as the provider's documentation gives it for requests.",
        address.setting
    );
    let found = if named(&manifest.docs) {
        Finding::problem(
            "address.documentation",
            wrong("where the documentation is, not the API."),
            advice,
        )
    } else if named(&manifest.status_page) {
        Finding::problem("address.status_page", wrong("the status page, not the API."), advice)
    } else if looks_like_reading(&address.url, host) {
        let what = "which looks like a place for reading, not the API.";
        Finding::warning("address.looks_like_documentation", wrong(what), advice)
    } else {
        return None;
    };
    Some(address.of(found))
}

fn looks_like_reading(url: &Url, host: &str) -> bool {
    let under = |portal: &str| host == portal || host.strip_suffix(portal).is_some_and(|rest| rest.ends_with('.'));
    if PORTALS.into_iter().any(under) {
        return true;
    }
    let parts: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    if parts.first().is_some_and(|part| READING_PATHS.contains(part)) {
        return true;
    }
    // `developer.api.example.com` and `developers.example.com/api/v1` answer calls.
    let mut labels = host.split('.');
    let first = labels.next().unwrap_or_default();
    let version =
        |part: &&str| part.len() <= 3 && part.starts_with('v') && part[1..].bytes().all(|b| b.is_ascii_digit());
    let calls = labels.any(|label| label == "api") || parts.iter().any(|part| *part == "api" || version(part));
    READING_LABELS.contains(&first) && !calls
}

fn host_of(text: &str) -> Option<String> {
    Some(Url::parse(text).ok()?.host_str()?.to_owned())
}

/// What is wrong with where the addresses lead. Names are looked up, each once.
pub(super) async fn leading(addresses: &[Address], allow_private: bool) -> Vec<Finding> {
    let Ok(egress) = Egress::new(false) else {
        return Vec::new();
    };
    let mut hosts = BTreeMap::new();
    for address in addresses {
        if hosts.len() < LOOKED_UP_MAX {
            hosts.entry(address.shown()).or_insert(false);
        }
    }
    let shown: Vec<String> = hosts.keys().cloned().collect();
    let looked_up = stream::iter(shown).map(|shown| async {
        let private = matches!(egress.vet(&shown).await, Err(EgressError::Guarded { .. }));
        (shown, private)
    });
    let mut looked_up = std::pin::pin!(looked_up.buffer_unordered(LOOKUPS));
    let all = async {
        while let Some((shown, private)) = looked_up.next().await {
            hosts.insert(shown, private);
        }
    };
    // What was not looked up in time counts as public, as it does when it is saved.
    let _ = tokio::time::timeout(LOOKUPS_WITHIN, all).await;
    let private = |address: &Address| hosts.get(&address.shown()).copied().unwrap_or(false);
    let led = addresses
        .iter()
        .filter_map(|address| judge(address, private(address), allow_private));
    led.collect()
}

fn judge(address: &Address, private: bool, allow_private: bool) -> Option<Finding> {
    let (setting, whose, shown) = (&address.setting, &address.whose, address.shown());
    if private && !allow_private {
        return Some(address.of(Finding::problem(
            "address.private",
            format!("{setting} of {whose} is {shown}, which leads to this machine or a private network: nothing is sent there."),
            "Set it to a public address, or allow_private_targets = true if that is meant.",
        )));
    }
    if address.url.scheme() == "http" && !private {
        return Some(address.of(Finding::warning(
            "address.plain_http",
            format!("{setting} of {whose} is {shown}: credentials travel there in the clear."),
            "Set it to the same address with https.",
        )));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let text = "key = 'acme'\nname = 'Acme'\nsummary = 's'\ndocs = 'https://api.acme.test/reference'\n\
                    status_page = 'https://status.acme.test'\n\
                    [[fields]]\nkey = 'site'\nlabel = 'Site'\nkind = 'url'\nplaceholder = 'https://help.acme.test/v1'\n";
        Manifest::parse(text).unwrap()
    }

    fn address(url: &str) -> Address {
        Address {
            whose: "Acme of default".to_owned(),
            integration: "1".to_owned(),
            setting: "base_url".to_owned(),
            url: Url::parse(url).unwrap(),
        }
    }

    #[test]
    fn pages_for_people_are_not_the_api() {
        for (url, code) in [
            ("https://api.acme.test/users", "address.documentation"),
            ("https://status.acme.test", "address.status_page"),
            ("https://docs.other.test/v1", ""),
            ("https://docs.other.test/start", "address.looks_like_documentation"),
            ("https://developers.other.test", "address.looks_like_documentation"),
            ("https://developer.api.other.test", ""),
            ("https://developers.other.test/api/2", ""),
            ("https://acme.readme.io/v1", "address.looks_like_documentation"),
            ("https://notreadme.io/", ""),
            (
                "https://app.other.test/reference/users",
                "address.looks_like_documentation",
            ),
            ("https://app.other.test/api/reference", ""),
            ("https://help.acme.test/v1", ""),
            ("https://app.acme.test/api", ""),
        ] {
            let found = reading(&address(url), &manifest()).map_or("", |finding| finding.code);
            assert_eq!(found, code, "{url}");
        }
    }

    #[test]
    fn addresses_show_no_more_than_their_host() {
        let found = reading(&address("https://u:pa55@api.acme.test/x?key=s3cret"), &manifest()).unwrap();
        let text = format!("{found:?}");
        assert!(text.contains("https://api.acme.test,") && !text.contains("pa55") && !text.contains("s3cret"));
    }

    #[tokio::test]
    async fn private_and_plain_addresses_are_told() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let codes = async |url: &str, allow: bool| {
            let found = leading(&[address(url)], allow).await;
            found.iter().map(|finding| finding.code).collect::<Vec<_>>()
        };
        assert_eq!(codes("http://10.1.2.3:8080/", false).await, ["address.private"]);
        assert_eq!(codes("https://[::1]/", false).await, ["address.private"]);
        assert!(codes("http://127.0.0.1/", true).await.is_empty());
        assert_eq!(codes("http://93.184.216.34/", true).await, ["address.plain_http"]);
        assert!(codes("https://93.184.216.34/", false).await.is_empty());
    }
}
