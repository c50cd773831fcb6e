//! The call of a renewal, and what becomes of its answer.

use std::sync::PoisonError;
use std::time::Duration;

use lk_core::Time;
use lk_core::credential::{refresh_at, retry_at};
use lk_core::observation::IntegrationRid;
use lk_core::time::{MINUTE, SECOND};
use lk_core::words::{CredentialState, Rung};
use lk_provider::auth::answer::{Refused, Tokens, missing};
use lk_provider::manifest::TokenRefusal;
use lk_provider::{HttpRequest, Manifest, Secret, Settings, auth};
use lk_store::{Connection, FailedRefresh, NewTokens, SecretText};

use super::renew::{away, unknown_outcome};
use super::{CredentialTrouble, Credentials, Subject};
use crate::crash;

/// Time for a call to a token endpoint; less than a lease lasts.
const CALL_WITHIN: Duration = Duration::from_secs(20);
/// How long storing a new token is tried, while the lease lasts.
const STORE_WITHIN: Duration = Duration::from_secs(30);
/// Between two tries.
const STORE_EVERY: Duration = Duration::from_millis(500);
/// How soon a provider that refused our own client is asked again with the same settings.
const MISCONFIGURED_MS: i64 = 15 * MINUTE;
/// Longest sentence of a provider that is kept, in characters.
const SENTENCE_MAX: usize = 300;

/// What of a call is stored.
enum Outcome {
    New(NewTokens),
    Failed(FailedRefresh),
}

/// Why a call gave no tokens.
pub(super) struct Failure {
    pub(super) kind: TokenRefusal,
    pub(super) code: String,
    pub(super) message: String,
    retry_after_s: Option<i64>,
    /// The request may have been acted upon.
    doubt: bool,
}

impl Credentials {
    /// Fetches tokens and stores them under the fence, or notes why there are none.
    pub(super) async fn call(
        &self,
        subject: &Subject,
        known: &Connection,
        (fence, again): (i64, bool),
        refresh: Option<&Secret>,
    ) -> Result<(), CredentialTrouble> {
        let answer = self.fetch(subject, refresh).await;
        crash::point("refresh.answered");
        let at = (known.version, fence);
        let result = match &answer {
            Ok(_) => "renewed",
            Err(failure) => match failure.kind {
                TokenRefusal::NeedsReauth => "needs_reauth",
                TokenRefusal::Misconfigured => "misconfigured",
                TokenRefusal::Transient => "unavailable",
            },
        };
        metrics::counter!("lk_token_refreshes_total", "result" => result).increment(1);
        let outcome = match answer {
            Ok(tokens) => Outcome::New(self.new_tokens(subject, &tokens, refresh.is_some())),
            Err(failure) => Outcome::Failed(self.failed(subject, known, failure, again)),
        };
        // Not stored: somebody connected it anew meanwhile, and this is of the past.
        if !self.persist(&subject.id, at, &outcome).await? {
            return Ok(());
        }
        crash::point("refresh.stored");
        let (state, sentence) = match &outcome {
            Outcome::New(new) => (new.state, "Its token was renewed."),
            Outcome::Failed(failed) => (failed.state, failed.message.as_str()),
        };
        // A first token is what everybody expects.
        let expected = known.state == CredentialState::Pending && state == CredentialState::Active;
        if known.state != state && !expected {
            self.tell(subject, state, sentence).await;
        }
        crash::point("refresh.told");
        Ok(())
    }

    async fn fetch(&self, subject: &Subject, refresh: Option<&Secret>) -> Result<Tokens, Failure> {
        let manifest = self
            .manifest(&subject.provider)
            .ok_or_else(|| misconfigured("its provider is not known"))?;
        let request = auth::token_request(manifest, &subject.settings, refresh, self.now());
        let request = match request {
            Some(Ok(request)) => request,
            Some(Err(error)) => {
                return Err(Failure {
                    code: "credential_key".to_owned(),
                    ..misconfigured(&error.to_string())
                });
            }
            None => return Err(misconfigured("settings that it needs are not filled in")),
        };
        self.send(manifest, &subject.settings, &request).await
    }

    /// Sends a request for tokens and reads the answer.
    pub(super) async fn send(
        &self,
        manifest: &Manifest,
        settings: &Settings,
        request: &HttpRequest,
    ) -> Result<Tokens, Failure> {
        let exchange = self.0.egress.exchange(request, CALL_WITHIN).await;
        match exchange.result {
            Ok(response) => {
                auth::read_tokens(manifest, settings, &response, self.now()).map_err(|r| self.told(manifest, r))
            }
            Err(wire) => Err(Failure {
                kind: TokenRefusal::Transient,
                code: wire.code.to_owned(),
                // Beyond TLS the request was on its way.
                doubt: wire.rung >= Rung::Http,
                message: wire.message,
                retry_after_s: None,
            }),
        }
    }

    /// A refusal with the provider's words redacted.
    fn told(&self, manifest: &Manifest, refused: Refused) -> Failure {
        let redactor = self.0.registry.get(&manifest.key);
        let clean = |text: &str| redactor.map_or_else(String::new, |p| p.redactor().text(text).into_inner());
        Failure {
            kind: refused.kind,
            message: clean(&refused.message).chars().take(SENTENCE_MAX).collect(),
            code: clean(&refused.code),
            retry_after_s: refused.retry_after_s,
            doubt: false,
        }
    }

    /// Tokens as they are stored.
    pub(super) fn new_tokens(&self, subject: &Subject, tokens: &Tokens, renewed: bool) -> NewTokens {
        let asked = self
            .manifest(&subject.provider)
            .map_or(&[][..], |m| auth::asked_scopes(m, &subject.settings));
        let granted = tokens.scopes.as_deref();
        let renewable = renewed || tokens.refresh.is_some() || !subject.asks_a_person();
        let secret = |token: &Secret| SecretText::new(token.expose());
        let now = self.now();
        let due = refresh_at(subject.rid, now, tokens.expires_at);
        NewTokens {
            access: secret(&tokens.access),
            refresh: tokens.refresh.as_ref().map(secret),
            scopes: granted.unwrap_or(asked).to_vec(),
            missing: missing(asked, granted),
            expires_at: tokens.expires_at,
            refresh_expires_at: tokens.refresh_expires_at,
            refresh_at: if renewable {
                Some(due)
            } else {
                limited(subject.rid, tokens.expires_at, now)
            },
            state: CredentialState::Active,
        }
    }

    fn failed(&self, subject: &Subject, known: &Connection, failure: Failure, again: bool) -> FailedRefresh {
        let now = self.now();
        let mut refused = self.0.refused_with.lock().unwrap_or_else(PoisonError::into_inner);
        refused.remove(&subject.rid);
        match failure.kind {
            TokenRefusal::NeedsReauth if again || known.doubt => unknown_outcome(),
            TokenRefusal::NeedsReauth => FailedRefresh {
                state: CredentialState::NeedsReauth,
                reason: failure.code,
                message: format!("The provider no longer renews it: {}", failure.message),
                retry_at: None,
                doubt: false,
            },
            TokenRefusal::Misconfigured => {
                refused.insert(subject.rid, subject.credential_hash);
                FailedRefresh {
                    state: CredentialState::Misconfigured,
                    reason: failure.code,
                    message: format!("The provider refuses our own client or key: {}", failure.message),
                    retry_at: Some(now + MISCONFIGURED_MS),
                    doubt: false,
                }
            }
            TokenRefusal::Transient => FailedRefresh {
                state: known.state,
                reason: failure.code,
                message: format!("It could not be renewed yet: {}", failure.message),
                retry_at: Some(retry_at(known.failures, failure.retry_after_s, now)),
                doubt: failure.doubt,
            },
        }
    }

    /// Whether the provider refused our own client with these very settings.
    pub(super) fn was_refused_with(&self, subject: &Subject) -> bool {
        let refused = self.0.refused_with.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(&subject.rid) == Some(&subject.credential_hash)
    }

    /// Stores what a call brought, again and again while the database is away: there is no other copy.
    async fn persist(&self, id: &str, at: (i64, i64), outcome: &Outcome) -> Result<bool, CredentialTrouble> {
        let (store, began) = (&self.0.store, tokio::time::Instant::now());
        loop {
            let stored = match outcome {
                Outcome::New(new) => store.finish_refresh(id, at, new, self.now()).await,
                Outcome::Failed(failed) => store.fail_refresh(id, at, failed, self.now()).await,
            };
            match stored {
                Ok(stored) => return Ok(stored),
                Err(error) if error.is_transient() && began.elapsed() < STORE_WITHIN => {
                    tracing::warn!(%error, "a new token cannot be stored yet");
                    tokio::time::sleep(STORE_EVERY).await;
                }
                Err(error) => {
                    tracing::error!(%error, "a new token could not be stored");
                    return Err(away("the database does not answer"));
                }
            }
        }
    }
}

fn misconfigured(why: &str) -> Failure {
    Failure {
        kind: TokenRefusal::Misconfigured,
        code: "credential_settings".to_owned(),
        message: format!("{why}."),
        retry_after_s: None,
        doubt: false,
    }
}

/// When to look at a token that only a person renews: when it is about to end, and at its end.
fn limited(rid: IntegrationRid, ends: Option<Time>, now: Time) -> Option<Time> {
    let warned = ends? - lk_core::credential::EXPIRING_MS;
    // Many that were connected together are not looked at together.
    Some(warned.max(now + SECOND + rid.0.rem_euclid(30) * SECOND))
}
