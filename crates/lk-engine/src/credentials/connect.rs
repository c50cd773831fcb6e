//! Connecting through a person's consent: the way there, and what is made of the code that comes
//! back.

use std::time::Duration;

use lk_core::access::Permit;
use lk_core::words::CredentialState;
use lk_provider::auth::oauth::{self, Consent};
use lk_provider::check::{Answer, Call};
use lk_provider::manifest::TokenRefusal;
use lk_provider::{HttpResponse, Secret, auth};
use lk_store::{ConnectFlow, Connection, NewConnection, StoreError};

use super::{CredentialTrouble, Credentials, Subject};
use crate::directory::Integration;

/// Time for one question after whose account it is.
const ACCOUNT_WITHIN: Duration = Duration::from_secs(8);
/// Questions that are asked for it.
const ACCOUNT_QUESTIONS: usize = 3;

/// The way to a provider's consent page.
pub struct Begun {
    /// Where to.
    pub url: String,
    /// Whether it is to the account that is known: then it takes less permission.
    pub again: bool,
}

/// A consent that can be stored.
pub struct Consented {
    new: NewConnection,
    subject: Subject,
    again: bool,
}

impl Consented {
    /// Whether it is to the account that is known: then it takes less permission.
    pub const fn again(&self) -> bool {
        self.again
    }
}

/// Why nothing was connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// This integration does not prove itself with anybody's consent.
    #[error("it is not connected by signing in at the provider")]
    NotByConsent,
    /// Settings are missing.
    #[error("{0}")]
    Settings(String),
    /// The provider gave no token: the code was used, too old, or refused.
    #[error("the provider did not accept the sign-in: {0}")]
    Refused(String),
    /// The provider refuses our own client.
    #[error("the provider refuses the client in the settings: {0}")]
    Misconfigured(String),
    /// The provider could not be asked.
    #[error("the provider could not be reached: {0}")]
    Unavailable(String),
    /// Somebody signed in to another account.
    #[error("it is connected to another account")]
    OtherAccount,
    /// Whose account it is could not be found out.
    #[error("whose account it is could not be found out")]
    Unverified,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CredentialTrouble> for ConnectError {
    fn from(trouble: CredentialTrouble) -> Self {
        Self::Settings(trouble.message)
    }
}

impl Credentials {
    /// The address where a person consents.
    pub async fn begin(
        &self,
        integration: &Integration,
        redirect_uri: &str,
        state: &str,
        verifier: &Secret,
    ) -> Result<Begun, ConnectError> {
        let subject = self.by_consent(integration)?;
        let manifest = self.manifest(&subject.provider).ok_or(ConnectError::NotByConsent)?;
        let way = auth::consent(manifest, &subject.settings).ok_or(ConnectError::NotByConsent)?;
        let consent = Consent { redirect_uri, verifier };
        let url = oauth::authorize_url(way, manifest, &subject.settings, &consent, state);
        let known = self.known(&subject).await?;
        Ok(Begun {
            url: url.ok_or_else(|| ConnectError::Settings("Settings for signing in are missing.".to_owned()))?,
            again: known.is_some(),
        })
    }

    /// Turns a code into tokens, and finds out whose they are.
    pub async fn consented(
        &self,
        integration: &Integration,
        flow: &ConnectFlow,
        code: &Secret,
    ) -> Result<Consented, ConnectError> {
        let subject = self.by_consent(integration)?;
        let manifest = self.manifest(&subject.provider).ok_or(ConnectError::NotByConsent)?;
        let way = auth::consent(manifest, &subject.settings).ok_or(ConnectError::NotByConsent)?;
        let verifier = Secret::new(flow.verifier.expose());
        let consent = Consent {
            redirect_uri: &flow.redirect_uri,
            verifier: &verifier,
        };
        let request = oauth::exchange(way, manifest, &subject.settings, &consent, code);
        let request =
            request.ok_or_else(|| ConnectError::Settings("Settings for signing in are missing.".to_owned()))?;
        let tokens = self.send(manifest, &subject.settings, &request).await;
        let tokens = tokens.map_err(|failure| match failure.kind {
            TokenRefusal::NeedsReauth => ConnectError::Refused(failure.message),
            TokenRefusal::Misconfigured => ConnectError::Misconfigured(failure.message),
            TokenRefusal::Transient => ConnectError::Unavailable(failure.message),
        })?;
        let told = self.account(&subject, &tokens.access).await;
        let known = self.known(&subject).await?;
        let account = tokens.account.clone().or_else(|| told.clone());
        match (&known, &account) {
            (Some(known), Some(account)) if known.account_id.as_ref() != Some(account) => {
                return Err(ConnectError::OtherAccount);
            }
            (Some(_), None) => return Err(ConnectError::Unverified),
            _ => {}
        }
        let new = NewConnection {
            kind: subject.kind.as_str().to_owned(),
            home: subject.home.clone(),
            account_name: told.or_else(|| account.clone()),
            account_id: account,
            tokens: self.new_tokens(&subject, &tokens, false),
        };
        Ok(Consented {
            new,
            subject,
            again: known.is_some(),
        })
    }

    /// Stores a consent in place of what there was; the check is due at once.
    pub async fn connect(&self, permit: &Permit, consented: Consented) -> Result<Connection, ConnectError> {
        let Consented { new, subject, again } = consented;
        let turn = self.turn(subject.rid);
        let _mine = turn.lock().await;
        let connection = self.0.store.connect(permit, &subject.id, &new, self.now()).await?;
        self.forget(subject.rid);
        let event = if again {
            "credential.reconnected"
        } else {
            "credential.connected"
        };
        let mut sentence = match &connection.account_name {
            Some(account) => format!("Connected to {account}."),
            None => "Connected.".to_owned(),
        };
        if !connection.missing.is_empty() {
            sentence.push_str(" Not granted: ");
            sentence.push_str(&connection.missing.join(", "));
            sentence.push('.');
        }
        self.tell_as(&subject, CredentialState::Active, event, &sentence, true)
            .await;
        Ok(connection)
    }

    fn by_consent(&self, integration: &Integration) -> Result<Subject, ConnectError> {
        let subject = self.subject(integration)?.ok_or(ConnectError::NotByConsent)?;
        if subject.asks_a_person() {
            Ok(subject)
        } else {
            Err(ConnectError::NotByConsent)
        }
    }

    /// The connection whose account is known, at the same client and hosts.
    async fn known(&self, subject: &Subject) -> Result<Option<Connection>, StoreError> {
        let known = self.0.store.connection(&subject.id).await?;
        Ok(known.filter(|known| known.home == subject.home && known.account_id.is_some()))
    }

    /// The account that a token belongs to, by the first question of a check that tells.
    async fn account(&self, subject: &Subject, token: &Secret) -> Option<String> {
        let provider = self.0.registry.get(&subject.provider)?;
        let mut settings = subject.settings.clone();
        settings.set(auth::ACCESS_TOKEN, token.expose());
        for probe in provider.probes(&settings, self.now()).iter().take(ACCOUNT_QUESTIONS) {
            let Call::Http(request) = &probe.call else { continue };
            let Ok(response) = self.0.egress.exchange(request, ACCOUNT_WITHIN).await.result else {
                continue;
            };
            let response: HttpResponse = response;
            let answer = Answer {
                probe,
                response: &response,
                now: self.now(),
            };
            let reading = provider.read_probe(answer, &settings);
            if let Some(account) = reading.account.filter(|_| reading.failed.is_none()) {
                return Some(account);
            }
        }
        None
    }
}
