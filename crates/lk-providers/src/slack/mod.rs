//! Slack: a refusal for want of a scope names what is needed and what was granted.

use lk_provider::check::{self, Answer, Reading};
use lk_provider::manifest::ManifestError;
use lk_provider::{Described, Folder, Settings};
use serde_json::Value;

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

    fn read_probe(&self, answer: Answer<'_>, settings: &Settings) -> Reading {
        let mut reading = check::read(self.manifest(), &answer, settings);
        if reading.failed.is_some() {
            let body: Value = serde_json::from_slice(&answer.response.body).unwrap_or_default();
            let listed = |key: &str| {
                let scopes = body[key].as_str()?.split(',').map(str::trim);
                Some(scopes.filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
            };
            reading.missing_scopes = listed("needed").unwrap_or_default();
            reading.scopes = listed("provided");
        }
        reading
    }
}
