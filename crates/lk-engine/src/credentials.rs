//! What goes on the wire to prove who we are.

use lk_core::words::CredentialState;
use lk_provider::{Manifest, Settings, auth};

use crate::directory::Integration;

/// Why there is no credential to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialTrouble {
    /// Where the credential stands.
    pub(crate) state: CredentialState,
    /// Stable name; error rules lead from it to a document.
    pub(crate) code: &'static str,
    /// One sentence.
    pub(crate) message: String,
}

/// The integration's settings with what goes on the wire as [`auth::ACCESS_TOKEN`].
pub(crate) fn open(manifest: &Manifest, integration: &Integration) -> Result<Settings, CredentialTrouble> {
    if let Some(field) = &integration.unreadable_credential {
        return Err(CredentialTrouble {
            state: CredentialState::Misconfigured,
            code: "credential_unreadable",
            message: format!("The stored value of `{field}` cannot be opened with the master key in use."),
        });
    }
    let mut settings = integration.settings.clone();
    if let Some(token) = auth::static_token(manifest, &settings) {
        settings.set(auth::ACCESS_TOKEN, token);
    }
    Ok(settings)
}
