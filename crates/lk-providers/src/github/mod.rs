//! GitHub: which questions a token may ask depends on its kind, and one question answers to
//! everybody.

use lk_core::Time;
use lk_core::words::{CredentialState, Rung};
use lk_provider::check::{self, Answer, Failed, Probe, Reading};
use lk_provider::manifest::{Auth, AuthKind, ManifestError};
use lk_provider::{Described, Folder, Settings};
use serde_json::Value;

/// What callers without a token are allowed in an hour.
const ANONYMOUS: u64 = 60;

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
        // An installation is nobody: its token has no user.
        if self.manifest().auth_of(settings).map(Auth::kind) == Some(AuthKind::AppInstallation) {
            probes.retain(|probe| probe.name != "user");
        }
        probes
    }

    fn read_probe(&self, answer: Answer<'_>, settings: &Settings) -> Reading {
        let mut reading = check::read(self.manifest(), &answer, settings);
        if answer.probe.name == "rate_limit" && reading.failed.is_none() && is_anonymous(&answer) {
            reading.credential = Some(CredentialState::NeedsReauth);
            reading.failed = Some(Failed {
                rung: Rung::Credential,
                http_status: Some(answer.response.status),
                body: check::own(
                    "requires_authentication",
                    "Requires authentication: the call counted as anonymous",
                ),
            });
        }
        reading
    }
}

fn is_anonymous(answer: &Answer<'_>) -> bool {
    let body: Value = serde_json::from_slice(&answer.response.body).unwrap_or_default();
    body["resources"]["core"]["limit"]
        .as_u64()
        .is_some_and(|limit| limit <= ANONYMOUS)
}
