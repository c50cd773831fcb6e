//! What must happen after a commit. Effects are stored with the state that asked for them.

use crate::classify::Fingerprint;
use crate::observation::IntegrationRid;

/// What an executor may do when it does not know whether an earlier attempt arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatRule {
    /// Repeating changes nothing: repeat.
    Safe,
    /// The other side deduplicates by our key: repeat with the same key.
    Keyed,
    /// Repeating could do it twice: ask a person.
    Ask,
}

impl RepeatRule {
    /// The stable text used in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Keyed => "keyed",
            Self::Ask => "ask",
        }
    }
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the language model about a failure seen for the first time.
    Explain {
        /// Whose failure.
        integration: IntegrationRid,
        /// Which.
        fingerprint: Fingerprint,
    },
    /// Tell the provider that we own the webhook address (its handshake's second half).
    ConfirmWebhook {
        /// Whose webhook.
        integration: IntegrationRid,
        /// The handshake to confirm, sealed: it holds a secret.
        handshake: Vec<u8>,
    },
}

impl Effect {
    /// The stable name used in storage.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Explain { .. } => "explain",
            Self::ConfirmWebhook { .. } => "confirm_webhook",
        }
    }

    /// Whom it concerns.
    pub const fn integration(&self) -> IntegrationRid {
        match self {
            Self::Explain { integration, .. } | Self::ConfirmWebhook { integration, .. } => *integration,
        }
    }

    /// What to do after an unknown outcome.
    pub const fn repeat_rule(&self) -> RepeatRule {
        match self {
            // Both only state again what is already true.
            Self::Explain { .. } | Self::ConfirmWebhook { .. } => RepeatRule::Safe,
        }
    }
}
