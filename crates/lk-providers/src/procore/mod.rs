//! Procore: resources are named in words for people ("Daily Logs"); event types are made of them.

use lk_provider::manifest::ManifestError;
use lk_provider::observe::Found;
use lk_provider::{Described, Folder, Headers};
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

    fn amend(&self, item: &Value, _headers: &Headers, found: &mut Found) {
        // A forwarded report names its own dotted type; Procore's are `create`, `update`, `delete`.
        found.event_type = match item["event_type"].as_str() {
            Some(own) if own.contains('.') => own.to_owned(),
            _ => found.event_type.to_lowercase().replace(' ', "_"),
        };
    }
}
