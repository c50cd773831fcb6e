//! DoorLoop: the addresses people take for its API, and a missing permission told with 405.

use lk_core::Time;
use lk_core::words::Rung;
use lk_provider::check::{self, Answer, BASE_URL, Call, Probe, Reading};
use lk_provider::manifest::ManifestError;
use lk_provider::{Described, Folder, Settings};

/// The host of the documentation, which answers every path with a page.
const DOCS_HOST: &str = "api.doorloop.com";
/// The API's host.
const HOST: &str = "app.doorloop.com";
/// The API's address.
const ADDRESS: &str = "https://app.doorloop.com/api";

/// The provider.
#[derive(Debug)]
pub(crate) struct Provider(Described);

impl Provider {
    pub(crate) fn load(folder: Folder) -> Result<Self, ManifestError> {
        Described::load(folder).map(Self)
    }
}

impl lk_provider::Provider for Provider {
    fn described(&self) -> &Described {
        &self.0
    }

    fn probes(&self, settings: &Settings, _now: Time) -> Vec<Probe> {
        let mut probes = check::probes(self.manifest(), settings);
        if trap(settings).is_some() {
            // The key goes to no address that is known to be the wrong one.
            probes.truncate(1);
            for probe in &mut probes {
                if let Call::Http(request) = &mut probe.call {
                    request.headers.retain(|(name, _)| name != "authorization");
                }
            }
        }
        probes
    }

    fn read_probe(&self, answer: Answer<'_>, settings: &Settings) -> Reading {
        let mut reading = check::read(self.manifest(), &answer, settings);
        let Some(failed) = &mut reading.failed else {
            return reading;
        };
        if failed.http_status == Some(405) {
            failed.rung = Rung::Scopes;
        }
        let page = failed.body.trim_start().starts_with('<') && failed.http_status.is_some_and(|status| status < 500);
        let wrong = trap(settings).or_else(|| page.then(|| "it answers with a page for people".to_owned()));
        if let Some(wrong) = wrong {
            failed.rung = Rung::Http;
            let sentence = format!("The address is not the one of the API: {wrong}. Use {ADDRESS}");
            failed.body = check::own("WRONG_BASE_URL", &sentence);
            reading.credential = None;
        }
        reading
    }
}

/// What is wrong with the address, where it is one that people take for the API's.
fn trap(settings: &Settings) -> Option<String> {
    let address = settings
        .get(BASE_URL)?
        .trim()
        .trim_end_matches('/')
        .to_ascii_lowercase();
    let (scheme, rest) = address.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    match (host, path) {
        (DOCS_HOST, _) => Some(format!("{DOCS_HOST} is the documentation")),
        (HOST, _) if scheme != "https" => Some("it is not https".to_owned()),
        (HOST, "api") => None,
        (HOST, "") => Some("/api is missing at its end".to_owned()),
        (HOST, path) if path.starts_with("api/api") => Some("/api is there twice".to_owned()),
        (HOST, path) if path.contains("v1") => Some("there is no version in it".to_owned()),
        (HOST, path) => Some(format!("/{path} is not /api")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_people_take_for_the_api() {
        for (address, wrong) in [
            ("https://app.doorloop.com/api", None),
            ("https://app.doorloop.com/api/", None),
            ("http://127.0.0.1:8080", None),
            ("https://api.doorloop.com/reference", Some("documentation")),
            ("https://app.doorloop.com/api/api", Some("twice")),
            ("https://app.doorloop.com/api/v1", Some("version")),
            ("https://app.doorloop.com/v1", Some("version")),
            ("http://app.doorloop.com/api", Some("https")),
            ("https://app.doorloop.com", Some("missing")),
            ("https://app.doorloop.com/apis", Some("not /api")),
        ] {
            let settings: Settings = [("base_url", address)].into_iter().collect();
            let found = trap(&settings);
            let fits = wrong.map_or(found.is_none(), |word| {
                found.as_ref().is_some_and(|text| text.contains(word))
            });
            assert!(fits, "{address}: {found:?}");
        }
    }
}
