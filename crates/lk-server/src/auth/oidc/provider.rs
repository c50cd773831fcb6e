//! The identity provider: discovery, the way there, and the proof brought back.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use lk_core::Time;
use lk_core::time::{HOUR, MINUTE, SECOND};
use lk_engine::egress::Egress;
use lk_store::NewIdentity;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreGrantType, CoreIdToken, CoreIdTokenClaims, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl, Scope, SignatureVerificationError,
    TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::config::{OidcConfig, is_trusted};
use super::flow::{Failure, Flow, Purpose};
use super::http::Http;
use crate::dto::session::check_email;

/// How long what the provider says of itself is believed.
const DISCOVERED_FOR_MS: i64 = HOUR;
/// Pause after a discovery before the next one, whether it failed or an unknown key asks for it.
const DISCOVER_AGAIN_MS: i64 = 5 * SECOND;
/// How long ago somebody may have signed in at the provider to count as proven again.
const PROOF_AGE_MS_MAX: i64 = 5 * MINUTE;
/// How far the provider's clock may be off.
const CLOCK_SKEW_MS: i64 = MINUTE;
/// Longest subject, by the standard.
const SUBJECT_BYTES_MAX: usize = 255;

/// The signatures that are believed: those that only the provider can make. Never `none`, and
/// never one made with the secret that we know too.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What the provider says of itself beside the standard's fields.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Extra {
    /// Whether it names itself when it sends people back (RFC 9207).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What discovery found.
struct Found {
    at: Time,
    client: Client,
    names_itself: bool,
}

#[derive(Default)]
struct Known {
    found: Option<Arc<Found>>,
    tried_at: Option<Time>,
}

/// Who somebody is, as the provider has proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proven {
    issuer: String,
    subject: String,
    email: Option<String>,
    email_verified: bool,
    /// Their name.
    pub(crate) name: Option<String>,
}

impl Proven {
    /// The identity, to be looked up and linked.
    pub(crate) fn identity(&self) -> NewIdentity {
        NewIdentity {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            email: self.email.clone(),
        }
    }

    /// The e-mail address, when the provider vouches for it.
    pub(crate) fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }
}

/// The identity provider that the configuration names.
pub(crate) struct IdentityProvider {
    config: OidcConfig,
    egress: OnceLock<Egress>,
    known: Mutex<Known>,
}

impl IdentityProvider {
    /// Asks nobody anything yet: a provider that is down must not keep us from starting.
    pub(crate) fn new(config: OidcConfig) -> Self {
        Self {
            config,
            egress: OnceLock::new(),
            known: Mutex::default(),
        }
    }

    /// The configuration.
    pub(crate) fn config(&self) -> &OidcConfig {
        &self.config
    }

    /// The address at the provider that `flow` begins with.
    pub(crate) async fn way_there(&self, flow: &Flow, state: String, now: Time) -> Result<String, Failure> {
        let found = self.discovered(now).await?;
        let nonce = flow.nonce.clone();
        let verifier = PkceCodeVerifier::new(flow.verifier.clone());
        let scopes = self.config.scopes.iter().filter(|scope| *scope != "openid");
        let mut request = found
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .set_redirect_uri(Cow::Owned(redirect_url(flow)?))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(scopes.map(|scope| Scope::new(scope.clone())));
        if flow.purpose == Purpose::Sudo {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let (url, _, _) = request.url();
        Ok(url.into())
    }

    /// Checks the name that the provider gave itself when it sent somebody back: an answer of
    /// another provider must not be taken for its own.
    pub(crate) async fn check_issuer(&self, given: Option<&str>, now: Time) -> Result<(), Failure> {
        let fine = match given {
            Some(given) => given == self.config.issuer,
            None => !self.discovered(now).await?.names_itself,
        };
        if fine {
            return Ok(());
        }
        tracing::warn!("the answer is not the identity provider's: its `iss` is another one or missing");
        Err(Failure::Failed)
    }

    /// Exchanges the code and checks all that the provider says.
    pub(crate) async fn prove(&self, flow: &Flow, code: String, now: Time) -> Result<Proven, Failure> {
        let found = self.discovered(now).await?;
        let answer = self.exchange(&found, flow, code).await?;
        let id_token = answer.id_token().ok_or_else(|| failed("it sent no ID token"))?;
        let mut keys = Arc::clone(&found);
        let mut checked = check(&found, id_token, &answer, flow, now);
        let unknown_key = ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey);
        if matches!(&checked, Err(error) if *error == unknown_key) {
            keys = self.discover_again(&found, now).await?;
            checked = check(&keys, id_token, &answer, flow, now);
        }
        let claims = checked.map_err(failed)?;
        let mut proven = self.read(&claims)?;
        if proven.email.is_none() && flow.purpose != Purpose::Sudo {
            self.ask_email(&keys, &answer, &claims, &mut proven).await;
        }
        Ok(proven)
    }

    async fn exchange(&self, found: &Found, flow: &Flow, code: String) -> Result<CoreTokenResponse, Failure> {
        found
            .client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(failed)?
            .set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone()))
            .set_redirect_uri(Cow::Owned(redirect_url(flow)?))
            .request_async(&self.http()?)
            .await
            .map_err(failed)
    }

    /// Asks for the e-mail address where the ID token does not carry it. Somebody whose identity
    /// is linked can do without, so a failure is only noted.
    async fn ask_email(
        &self,
        found: &Found,
        answer: &CoreTokenResponse,
        claims: &CoreIdTokenClaims,
        proven: &mut Proven,
    ) {
        let token = answer.access_token();
        // It becomes a header.
        if !token.secret().bytes().all(|b| b.is_ascii_graphic()) {
            return;
        }
        let Ok(request) = found.client.user_info(token.clone(), Some(claims.subject().clone())) else {
            return;
        };
        let Ok(http) = self.http() else { return };
        let told: CoreUserInfoClaims = match request.request_async(&http).await {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the identity provider did not tell the e-mail address");
                return;
            }
        };
        proven.email = told.email().and_then(|email| plausible(email));
        proven.email_verified = told.email_verified() == Some(true);
        let name = told.name().and_then(|name| name.get(None));
        proven.name = name.map(|name| name.to_string()).or(proven.name.take());
    }

    fn read(&self, claims: &CoreIdTokenClaims) -> Result<Proven, Failure> {
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX || subject.chars().any(char::is_control) {
            return Err(failed("its subject is empty, too long or no text"));
        }
        Ok(Proven {
            issuer: self.config.issuer.clone(),
            subject: subject.to_owned(),
            email: claims.email().and_then(|email| plausible(email)),
            email_verified: claims.email_verified() == Some(true),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.to_string()),
        })
    }

    /// An egress of its own: the operator names the issuer, so it may be on a private network.
    fn http(&self) -> Result<Http, Failure> {
        if self.egress.get().is_none() {
            let egress = Egress::new(true).map_err(failed)?;
            // Of two made at once either is good.
            let _ = self.egress.set(egress);
        }
        self.egress.get().cloned().map(Http).ok_or(Failure::Failed)
    }

    /// What the provider says of itself, asked for at most once an hour. When it does not answer
    /// then, what it said before is good enough.
    async fn discovered(&self, now: Time) -> Result<Arc<Found>, Failure> {
        // Held while asking: those who come meanwhile wait for the one answer.
        let mut known = self.known.lock().await;
        let fresh = |found: &&Arc<Found>| now.since(found.at) < DISCOVERED_FOR_MS;
        if let Some(found) = known.found.as_ref().filter(fresh) {
            return Ok(Arc::clone(found));
        }
        self.discover(&mut known, now).await
    }

    /// Asks again, because a key is not among those in `before`.
    async fn discover_again(&self, before: &Arc<Found>, now: Time) -> Result<Arc<Found>, Failure> {
        let mut known = self.known.lock().await;
        match &known.found {
            Some(found) if !Arc::ptr_eq(found, before) => Ok(Arc::clone(found)),
            _ => self.discover(&mut known, now).await,
        }
    }

    async fn discover(&self, known: &mut Known, now: Time) -> Result<Arc<Found>, Failure> {
        let pausing = known.tried_at.is_some_and(|at| now.since(at) < DISCOVER_AGAIN_MS);
        if !pausing {
            known.tried_at = Some(now);
            if let Ok(found) = self.ask(now).await {
                known.found = Some(Arc::new(found));
            }
        }
        known.found.clone().ok_or(Failure::Failed)
    }

    async fn ask(&self, now: Time) -> Result<Found, Failure> {
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(failed)?;
        let metadata = Metadata::discover_async(issuer, &self.http()?).await.map_err(failed)?;
        if !is_trusted(metadata.authorization_endpoint().url()) {
            return Err(failed("its authorisation address is not https"));
        }
        let names_itself = metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        let methods = metadata.token_endpoint_auth_methods_supported();
        // Basic is what holds unless the provider says otherwise.
        let in_body = methods.is_some_and(|methods| {
            !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let secret = ClientSecret::new(self.config.client_secret.expose().to_owned());
        let id = ClientId::new(self.config.client_id.clone());
        let mut client = CoreClient::from_provider_metadata(metadata, id, Some(secret));
        if in_body {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        Ok(Found {
            at: now,
            client,
            names_itself,
        })
    }
}

/// Everything that an ID token must be.
fn check(
    found: &Found,
    id_token: &CoreIdToken,
    answer: &CoreTokenResponse,
    flow: &Flow,
    now: Time,
) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
    let other = |text: &str| ClaimsVerificationError::Other(text.to_owned());
    let moment: DateTime<Utc> =
        DateTime::from_timestamp_millis(now.ms()).ok_or_else(|| other("our clock is out of range"))?;
    let mut verifier = found
        .client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || moment);
    if flow.purpose == Purpose::Sudo {
        verifier = verifier.set_auth_time_verifier_fn(move |at| recent(at, now));
    }
    let claims = id_token.claims(&verifier, &Nonce::new(flow.nonce.clone()))?;
    let for_us = claims
        .authorized_party()
        .is_none_or(|party| party == found.client.client_id());
    if !for_us {
        return Err(ClaimsVerificationError::InvalidAudience(
            "`azp` is another client".to_owned(),
        ));
    }
    if let Some(expected) = claims.access_token_hash() {
        let signature = ClaimsVerificationError::SignatureVerification;
        let algorithm = id_token.signing_alg().map_err(signature)?;
        let key = id_token.signing_key(&verifier).map_err(signature)?;
        let actual = AccessTokenHash::from_token(answer.access_token(), algorithm, key);
        if actual.ok().as_ref() != Some(expected) {
            return Err(other("`at_hash` is not the access token's"));
        }
    }
    Ok(claims.clone())
}

/// Whether somebody signed in at the provider just now.
fn recent(at: Option<DateTime<Utc>>, now: Time) -> Result<(), String> {
    let at = at.ok_or("it does not say when somebody signed in there (`auth_time`)")?;
    let age_ms = now.ms().saturating_sub(at.timestamp_millis());
    if (-CLOCK_SKEW_MS..=PROOF_AGE_MS_MAX + CLOCK_SKEW_MS).contains(&age_ms) {
        Ok(())
    } else {
        Err(format!("somebody signed in there {} s ago", age_ms / SECOND))
    }
}

fn redirect_url(flow: &Flow) -> Result<RedirectUrl, Failure> {
    RedirectUrl::new(flow.redirect_uri.clone()).map_err(failed)
}

/// An e-mail address as we would take it from a person, in lower case.
fn plausible(email: &str) -> Option<String> {
    let email = email.trim().to_ascii_lowercase();
    let fine = check_email("email", &email).is_ok() && !email.chars().any(char::is_control);
    fine.then_some(email)
}

/// Logs why the provider's answer is not believed.
fn failed(cause: impl Into<Box<dyn std::error::Error>>) -> Failure {
    let cause = cause.into();
    tracing::warn!(cause = %chain(cause.as_ref()), "the identity provider could not be used");
    Failure::Failed
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proof_is_recent_with_some_skew() {
        let now = Time(1_772_348_400_000);
        let at = |offset_ms: i64| recent(DateTime::from_timestamp_millis((now + offset_ms).ms()), now).is_ok();
        for (offset_ms, fine) in [
            (0, true),
            (59 * SECOND, true),
            (61 * SECOND, false),
            (-6 * MINUTE, true),
            (-6 * MINUTE - SECOND, false),
        ] {
            assert_eq!(at(offset_ms), fine, "{offset_ms}");
        }
        assert!(recent(None, now).is_err());
    }
}
