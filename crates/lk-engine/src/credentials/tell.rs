//! Where a credential stands, told through the journal, so that health follows.

use lk_core::observation::{Fact, Notice, Observation};
use lk_core::words::CredentialState;

use super::{Credentials, Subject};
use crate::journal::{Entry, Submission};

impl Credentials {
    /// Tells that a credential stands otherwise than before. What is not told now, the next check
    /// tells.
    pub(super) async fn tell(&self, subject: &Subject, state: CredentialState, sentence: &str) {
        let event_type = match state {
            CredentialState::Active => "credential.renewed",
            CredentialState::Expiring => "credential.expiring",
            CredentialState::NeedsReauth => "credential.needs_reauth",
            CredentialState::Misconfigured => "credential.misconfigured",
            CredentialState::Revoked => "credential.revoked",
            CredentialState::Pending => "credential.pending",
        };
        self.tell_as(subject, state, event_type, sentence, false).await;
    }

    /// The same under another name, with a check that is due because of it.
    pub(super) async fn tell_as(
        &self,
        subject: &Subject,
        state: CredentialState,
        event_type: &str,
        sentence: &str,
        due: bool,
    ) {
        let Some(renewer) = &self.0.renewer else { return };
        let fact = Fact::Standing {
            state,
            notice: Notice {
                event_type: event_type.to_owned(),
                summary: sentence.to_owned(),
                confirm: None,
            },
        };
        let entry = |fact| Entry {
            observation: Observation {
                integration: subject.rid,
                fact,
                received_at: self.now(),
            },
            key: None,
            payload: None,
            check: None,
        };
        let mut entries = vec![entry(fact)];
        if due {
            entries.push(entry(Fact::Due));
        }
        if let Err(error) = renewer.journal.submit(Submission::entries(entries)).await {
            tracing::warn!(%error, integration = subject.id, %state, "where a credential stands could not be told");
        }
    }
}
