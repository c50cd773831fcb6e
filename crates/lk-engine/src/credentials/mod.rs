//! What goes on the wire to prove who we are: what people typed, or a token that is fetched, renewed
//! ahead of its end by one caller at a time, and stored before it is used.

mod call;
mod connect;
mod keeper;
mod renew;
mod tell;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lk_core::Time;
use lk_core::observation::IntegrationRid;
use lk_core::words::CredentialState;
use lk_provider::manifest::{Auth, AuthKind};
use lk_provider::{Manifest, Registry, Secret, Settings, auth};
use lk_store::{Connection, Store, StoreError};

use crate::Clock;
use crate::directory::Integration;
use crate::egress::Egress;
use crate::journal::Journal;
use crate::tasks::Tasks;

pub use connect::{Begun, ConnectError, Consented};
pub(crate) use keeper::run;
use renew::Wanted;

/// Tokens kept in memory; more are read from the database again.
const KEPT_MAX: usize = 50_000;
/// What tells apart a home from everything else that is hashed.
const HOME_CONTEXT: &str = "linekeeper 2026 what a token is for";

/// Why there is no credential to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialTrouble {
    /// Where the credential stands.
    pub state: CredentialState,
    /// Stable name; error rules lead from it to a document.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// Nobody has to do anything: it says nothing of the credential itself.
    pub transient: bool,
}

impl CredentialTrouble {
    /// A renewal takes longer than whoever needs it can wait.
    pub(crate) fn too_slow() -> Self {
        Self {
            state: CredentialState::Active,
            code: "credential_token_endpoint",
            message: "Its token is being renewed, and the provider takes long to answer.".to_owned(),
            transient: true,
        }
    }
}

/// A credential ready for use.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The integration's settings, with what goes on the wire as [`auth::ACCESS_TOKEN`].
    pub settings: Settings,
    /// Scopes that were asked for and not granted.
    pub missing: Vec<String>,
    /// When it ends and nothing but a person can renew it.
    pub ends: Option<Time>,
    /// Whether nothing but a person's consent brings another.
    pub only_a_person: bool,
    /// Which token it is; `None` for what people typed.
    version: Option<i64>,
}

/// What people may know of an integration's credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its kind.
    pub kind: &'static str,
    /// Where it stands, where that is not the state's to say.
    pub state: Option<CredentialState>,
    /// Why, in a sentence.
    pub message: Option<String>,
    /// The provider's account.
    pub account: Option<String>,
    /// When it ends, unless it is renewed.
    pub expires_at: Option<Time>,
    /// Scopes that were granted.
    pub scopes: Vec<String>,
    /// Scopes that were asked for and not granted.
    pub missing: Vec<String>,
    /// Whether a person can renew it by consenting.
    pub can_reconnect: bool,
}

/// A token in memory.
struct Kept {
    token: Secret,
    home: String,
    version: i64,
    missing: Vec<String>,
    ends: Option<Time>,
    only_a_person: bool,
    /// Until when it is used without looking into the database.
    good_until: Time,
}

/// Opens credentials. Cheap to clone.
#[derive(Clone)]
pub struct Credentials(Arc<Parts>);

struct Parts {
    store: Store,
    registry: Registry,
    egress: Egress,
    clock: Clock,
    /// Without one nothing is renewed: a command that looks.
    renewer: Option<Renewer>,
    turns: Mutex<HashMap<IntegrationRid, Arc<tokio::sync::Mutex<()>>>>,
    kept: Mutex<HashMap<IntegrationRid, Kept>>,
    /// The settings with which a provider refused our own client last.
    refused_with: Mutex<HashMap<IntegrationRid, [u8; 32]>>,
}

/// What renewing takes.
struct Renewer {
    owner: String,
    journal: Journal,
    tasks: Tasks,
}

/// What of an integration a renewal needs, owned: it goes on when whoever asked is gone.
#[derive(Clone)]
struct Subject {
    rid: IntegrationRid,
    id: String,
    provider: String,
    kind: AuthKind,
    settings: Settings,
    home: String,
    credential_hash: [u8; 32],
    enabled: bool,
}

impl Credentials {
    /// Renews; results and standings go to the journal.
    pub(crate) fn new(
        store: Store,
        registry: Registry,
        egress: Egress,
        clock: Clock,
        (journal, tasks): (Journal, Tasks),
    ) -> Result<Self, StoreError> {
        let owner = lk_store::new_id(clock.now())?.to_string();
        let renewer = Renewer { owner, journal, tasks };
        Ok(Self::with(store, registry, egress, clock, Some(renewer)))
    }

    /// Only reads: for a command that looks beside a server.
    pub fn reading(store: Store, registry: Registry, egress: Egress, clock: Clock) -> Self {
        Self::with(store, registry, egress, clock, None)
    }

    fn with(store: Store, registry: Registry, egress: Egress, clock: Clock, renewer: Option<Renewer>) -> Self {
        Self(Arc::new(Parts {
            store,
            registry,
            egress,
            clock,
            renewer,
            turns: Mutex::default(),
            kept: Mutex::default(),
            refused_with: Mutex::default(),
        }))
    }

    /// The integration's settings with its credential, renewed ahead when that is due.
    pub async fn open(&self, integration: &Integration) -> Result<Opened, CredentialTrouble> {
        match self.subject(integration)? {
            None => Ok(self.typed(integration)),
            Some(subject) => match self.kept(&subject) {
                Some(opened) => Ok(opened),
                None => self.renew(subject, Wanted::Usable).await,
            },
        }
    }

    /// After the provider refused what [`Self::open`] gave: one renewal, whatever its end. `None`
    /// when there is nothing to renew, or when it was renewed just now.
    pub async fn refresh_after_refusal(
        &self,
        integration: &Integration,
        refused: &Opened,
    ) -> Result<Option<Opened>, CredentialTrouble> {
        let (Some(subject), Some(version)) = (self.subject(integration)?, refused.version) else {
            return Ok(None);
        };
        self.forget(subject.rid);
        let opened = self.renew(subject, Wanted::Other(version)).await?;
        Ok((opened.version != Some(version)).then_some(opened))
    }

    /// What may be shown of the integration's credential; nothing where it needs none.
    pub async fn summary(&self, integration: &Integration) -> Result<Option<Summary>, StoreError> {
        let Some(manifest) = self.manifest(&integration.provider) else {
            return Ok(None);
        };
        let kind = manifest.auth_of(&integration.settings).map(Auth::kind);
        let Some(kind) = kind.filter(|kind| *kind != AuthKind::None) else {
            return Ok(None);
        };
        let home = home(manifest, &integration.settings);
        let known = if kind.is_static() {
            None
        } else {
            self.0.store.connection(&integration.id).await?
        };
        let can_reconnect = kind == AuthKind::OAuth2 && home.is_some();
        let summary = Summary {
            kind: kind.as_str(),
            state: None,
            message: None,
            account: None,
            expires_at: None,
            scopes: Vec::new(),
            missing: Vec::new(),
            can_reconnect,
        };
        Ok(Some(match known {
            Some(known) if home.as_deref() == Some(&known.home) => shown(summary, known),
            Some(_) if kind == AuthKind::OAuth2 => Summary {
                state: Some(CredentialState::NeedsReauth),
                message: Some(MOVED.to_owned()),
                ..summary
            },
            None if kind == AuthKind::OAuth2 => Summary {
                state: Some(CredentialState::Pending),
                ..summary
            },
            _ => summary,
        }))
    }

    /// What is to be renewed or read for the integration; nothing where people typed it all.
    fn subject(&self, integration: &Integration) -> Result<Option<Subject>, CredentialTrouble> {
        if let Some(field) = &integration.unreadable_credential {
            return Err(CredentialTrouble {
                state: CredentialState::Misconfigured,
                code: "credential_unreadable",
                message: format!("The stored value of `{field}` cannot be opened with the master key in use."),
                transient: false,
            });
        }
        let Some(manifest) = self.manifest(&integration.provider) else {
            return Ok(None);
        };
        let kind = manifest.auth_of(&integration.settings).map(Auth::kind);
        let Some(kind) = kind.filter(|kind| !kind.is_static()) else {
            return Ok(None);
        };
        let Some(home) = home(manifest, &integration.settings) else {
            return Err(CredentialTrouble {
                state: CredentialState::Misconfigured,
                code: "credential_missing",
                message: "Settings that its credential needs are not filled in.".to_owned(),
                transient: false,
            });
        };
        Ok(Some(Subject {
            rid: integration.rid,
            id: integration.id.clone(),
            provider: integration.provider.clone(),
            kind,
            settings: integration.settings.clone(),
            home,
            credential_hash: integration.credential_hash(),
            enabled: integration.enabled,
        }))
    }

    fn typed(&self, integration: &Integration) -> Opened {
        let mut settings = integration.settings.clone();
        let manifest = self.manifest(&integration.provider);
        if let Some(token) = manifest.and_then(|manifest| auth::static_token(manifest, &settings)) {
            settings.set(auth::ACCESS_TOKEN, token);
        }
        Opened {
            settings,
            missing: Vec::new(),
            ends: None,
            only_a_person: false,
            version: None,
        }
    }

    fn manifest(&self, provider: &str) -> Option<&Manifest> {
        self.0.registry.get(provider).map(|provider| provider.manifest())
    }

    fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// The token in memory, while it is good for these settings.
    fn kept(&self, subject: &Subject) -> Option<Opened> {
        let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let token = kept.get(&subject.rid)?;
        let good = token.home == subject.home && self.now() < token.good_until;
        good.then(|| Opened {
            only_a_person: token.only_a_person,
            ..subject.opened(&token.token, token.version, token.missing.clone(), token.ends)
        })
    }

    fn keep(&self, rid: IntegrationRid, token: Kept) {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(rid, token);
    }

    fn forget(&self, rid: IntegrationRid) {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&rid);
    }

    /// The one place in the queue of an integration's renewals in this process.
    fn turn(&self, rid: IntegrationRid) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() > KEPT_MAX {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(turns.entry(rid).or_default())
    }
}

impl Subject {
    fn opened(&self, token: &Secret, version: i64, missing: Vec<String>, ends: Option<Time>) -> Opened {
        let mut settings = self.settings.clone();
        settings.set(auth::ACCESS_TOKEN, token.expose());
        Opened {
            settings,
            missing,
            ends,
            only_a_person: false,
            version: Some(version),
        }
    }

    /// Whether a person has to consent before there is a token.
    fn asks_a_person(&self) -> bool {
        self.kind == AuthKind::OAuth2
    }
}

/// What is said of a token whose settings lead elsewhere by now.
const MOVED: &str = "The settings name another client or another address than it was connected with: connect it again.";

fn shown(summary: Summary, known: Connection) -> Summary {
    Summary {
        state: Some(known.state),
        message: known.message,
        account: known.account_name.or(known.account_id),
        expires_at: known.expires_at.filter(|_| !known.renewable && summary.can_reconnect),
        scopes: known.scopes,
        missing: known.missing,
        ..summary
    }
}

/// What a token of these settings is for, hashed; nothing while settings are missing.
fn home(manifest: &Manifest, settings: &Settings) -> Option<String> {
    let mut hasher = blake3::Hasher::new_derive_key(HOME_CONTEXT);
    for part in auth::bound_to(manifest, settings)? {
        hasher.update(part.as_bytes()).update(&[0]);
    }
    Some(hasher.finalize().to_hex().to_string())
}
