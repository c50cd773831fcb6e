//! What goes on the wire to prove who we are.

use lk_core::words::CredentialState;
use lk_provider::{Registry, Settings, auth};

use crate::directory::Integration;

/// Why there is no credential to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialTrouble {
    /// Where the credential stands.
    pub state: CredentialState,
    /// Stable name; error rules lead from it to a document.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// Whether trying later could help.
    pub transient: bool,
}

/// Opens credentials. Cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    registry: Registry,
}

impl Credentials {
    /// For the providers of `registry`.
    pub fn new(registry: Registry) -> Self {
        Self { registry }
    }

    /// The integration's settings with what goes on the wire as [`auth::ACCESS_TOKEN`].
    pub async fn open(&self, integration: &Integration) -> Result<Settings, CredentialTrouble> {
        if let Some(field) = &integration.unreadable_credential {
            return Err(CredentialTrouble {
                state: CredentialState::Misconfigured,
                code: "credential_unreadable",
                message: format!("The stored value of `{field}` cannot be opened with the master key in use."),
                transient: false,
            });
        }
        let mut settings = integration.settings.clone();
        if let Some(provider) = self.registry.get(&integration.provider)
            && let Some(token) = auth::static_token(provider.manifest(), &settings)
        {
            settings.set(auth::ACCESS_TOKEN, token);
        }
        Ok(settings)
    }

    /// After the provider refused the credential: another one, where there is one to be had.
    pub async fn refresh_after_refusal(&self, _: &Integration) -> Result<Option<Settings>, CredentialTrouble> {
        Ok(None)
    }

    /// Whether the credential is renewed here without a person.
    pub fn renews(&self, _: &Integration) -> bool {
        false
    }
}
