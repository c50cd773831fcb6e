//! What people configured, as the hot paths read it: one immutable snapshot, replaced when the
//! configuration's generation moves.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use lk_core::Time;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::policy::Policy;
use lk_core::schedule;
use lk_core::time::SECOND;
use lk_provider::manifest::Capability;
use lk_provider::{Provider, Registry, Rejection, Secret, Settings, auth};
use lk_store::journal::Setup;
use lk_store::{SecretText, Store, StoreError};

use crate::ranges::Ranges;

/// The setting that limits where a webhook takes deliveries from.
pub const WEBHOOK_SOURCES: &str = "webhook_sources";

/// The current directory, shared by everybody who reads it.
pub type SharedDirectory = Arc<ArcSwap<Directory>>;

/// One integration as it is set up.
#[derive(Debug)]
pub struct Integration {
    /// Row number.
    pub rid: IntegrationRid,
    /// Public id.
    pub id: String,
    /// Row number of its project.
    pub project: ProjectRid,
    /// The provider's key.
    pub provider: String,
    /// What is reached, where that differs from the provider.
    pub service: Option<String>,
    /// The name people gave it.
    pub name: String,
    /// Whether it is watched.
    pub enabled: bool,
    /// When it was created.
    pub created_at: Time,
    /// Its form's values, the opened credentials of its secret fields among them.
    pub settings: Settings,
    /// What the rules read of its settings.
    pub policy: Policy,
    /// How it is checked.
    pub check: CheckSettings,
    /// A secret field whose value the master key does not open.
    pub unreadable_credential: Option<String>,
    secrets: Vec<(Secret, Option<Time>)>,
    sources: Option<Ranges>,
    credential_hash: [u8; 32],
}

/// How an integration is checked. When is [`Policy::check_interval_ms`]'s to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckSettings {
    /// Time for a whole check, milliseconds.
    pub timeout_ms: i64,
    /// A check that takes this long or longer is slow, milliseconds.
    pub latency_limit_ms: Option<i64>,
}

impl Integration {
    /// Whether two readings say the same of what a check asks and how.
    pub(crate) fn is_checked_as(&self, other: &Self) -> bool {
        self.settings == other.settings && self.policy == other.policy && self.check == other.check
    }

    /// What tells apart the credentials that share a provider's rate limit. A hash of the whole
    /// settings would be too fine: names and intervals do not make another credential.
    pub(crate) fn credential_hash(&self) -> [u8; 32] {
        self.credential_hash
    }

    /// Secrets that are valid at `now`.
    pub fn secrets(&self, now: Time) -> Vec<Secret> {
        self.secrets
            .iter()
            .filter(|(_, until)| until.is_none_or(|until| now < until))
            .map(|(secret, _)| secret.clone())
            .collect()
    }

    /// Why a delivery from `source` is refused, if its webhook takes deliveries from some addresses
    /// alone.
    pub fn refusal(&self, source: Option<IpAddr>) -> Option<Rejection> {
        let allowed = self.sources.as_ref()?;
        if source.is_some_and(|ip| allowed.contains(ip)) {
            return None;
        }
        let address = source.map_or_else(|| "unknown".to_owned(), |ip| ip.to_canonical().to_string());
        Some(Rejection::SourceNotAllowed { address })
    }
}

/// Everything that is configured.
#[derive(Debug, Default)]
pub struct Directory {
    /// The generation it was read at.
    pub generation: i64,
    /// The version of the master key with which something could not be opened.
    pub unopened_with: Option<u64>,
    integrations: HashMap<IntegrationRid, Arc<Integration>>,
    endpoints: HashMap<[u8; 32], Arc<Integration>>,
    aliases: HashMap<String, Arc<Integration>>,
}

impl Directory {
    /// Reads the directory from the store; `registry` says which providers are checked.
    pub async fn read(store: &Store, registry: &Registry) -> Result<Self, StoreError> {
        Ok(Self::from_setup(store.setup().await?, registry))
    }

    fn from_setup(setup: Setup, registry: &Registry) -> Self {
        let mut secrets: HashMap<IntegrationRid, Vec<(Secret, Option<Time>)>> = HashMap::new();
        for s in setup.secrets {
            secrets
                .entry(s.integration)
                .or_default()
                .push((Secret::new(s.value.expose()), s.expires_at));
        }
        let mut credentials: HashMap<IntegrationRid, Vec<(String, Option<SecretText>)>> = HashMap::new();
        for c in setup.credentials {
            credentials.entry(c.integration).or_default().push((c.field, c.value));
        }
        let connected: HashSet<IntegrationRid> = setup.connected.into_iter().collect();
        let integrations: HashMap<_, _> = setup
            .integrations
            .into_iter()
            .map(|i| {
                let json = serde_json::from_str(&i.settings).unwrap_or_default();
                let mut settings = Settings::from_json(&json);
                let mut hasher = blake3::Hasher::new();
                let mut unreadable = None;
                for (field, value) in credentials.remove(&i.rid).unwrap_or_default() {
                    let Some(value) = value else {
                        unreadable = Some(field);
                        continue;
                    };
                    hasher.update(field.as_bytes()).update(&[0]);
                    hasher.update(value.expose().as_bytes()).update(&[0]);
                    settings.set(field, value.expose());
                }
                // A credential that does not open is one all the same: its check says what is wrong.
                let checkable = registry.get(&i.provider).is_some_and(|p| {
                    p.checks(&settings)
                        || (unreadable.is_some() && p.manifest().can(Capability::Check))
                        || has_fetched(p.as_ref(), &settings, connected.contains(&i.rid))
                });
                let integration = Integration {
                    rid: i.rid,
                    project: i.project,
                    provider: i.provider,
                    service: i.service,
                    name: i.name,
                    enabled: i.enabled,
                    created_at: i.created_at,
                    sources: sources(&settings, &i.id),
                    id: i.id,
                    policy: policy(&settings, checkable),
                    check: check(&settings),
                    unreadable_credential: unreadable,
                    credential_hash: *hasher.finalize().as_bytes(),
                    settings,
                    secrets: secrets.remove(&i.rid).unwrap_or_default(),
                };
                (i.rid, Arc::new(integration))
            })
            .collect();
        let find = |rid: IntegrationRid| integrations.get(&rid).cloned();
        Self {
            generation: setup.generation,
            unopened_with: setup.incomplete.then_some(setup.key_version),
            endpoints: setup
                .endpoints
                .into_iter()
                .filter_map(|(hash, rid)| Some((hash, find(rid)?)))
                .collect(),
            aliases: setup
                .aliases
                .into_iter()
                .filter_map(|(provider, rid)| Some((provider, find(rid)?)))
                .collect(),
            integrations,
        }
    }

    /// The integration with this row number.
    pub fn integration(&self, rid: IntegrationRid) -> Option<&Arc<Integration>> {
        self.integrations.get(&rid)
    }

    /// Every integration, in no order.
    pub fn integrations(&self) -> impl Iterator<Item = &Arc<Integration>> {
        self.integrations.values()
    }

    /// The integration behind `/webhooks/{provider}/{key}`. A wrong key and a wrong provider look
    /// the same.
    pub fn by_key(&self, provider: &str, key: &str) -> Option<&Arc<Integration>> {
        let hash = lk_store::endpoint_key_hash(key);
        self.endpoints.get(&hash).filter(|i| i.provider == provider)
    }

    /// The integration behind `/webhooks/{provider}`.
    pub fn by_alias(&self, provider: &str) -> Option<&Arc<Integration>> {
        self.aliases.get(provider)
    }
}

/// Whether there is something to check with a token that is fetched: once somebody has consented,
/// or where nobody has to.
fn has_fetched(provider: &dyn Provider, settings: &Settings, connected: bool) -> bool {
    let manifest = provider.manifest();
    if auth::bound_to(manifest, settings).is_none() || (!connected && auth::consent(manifest, settings).is_some()) {
        return false;
    }
    let mut with_token = settings.clone();
    with_token.set(auth::ACCESS_TOKEN, "a token");
    provider.checks(&with_token)
}

/// The addresses that a webhook takes deliveries from; `None` for all.
fn sources(settings: &Settings, id: &str) -> Option<Ranges> {
    let text = settings.get(WEBHOOK_SOURCES)?;
    match Ranges::parse(text) {
        Ok(ranges) => Some(ranges).filter(|ranges| !ranges.is_empty()),
        // They were checked when they were saved. Whatever happened since, the door stays shut.
        Err(error) => {
            tracing::warn!(%error, integration = id, "the sources of a webhook cannot be read; every delivery is refused");
            Some(Ranges::default())
        }
    }
}

/// How the settings want it checked; values that cannot be read leave the default.
fn check(settings: &Settings) -> CheckSettings {
    let number = |key: &str| settings.get(key).and_then(|text| text.parse::<i64>().ok());
    let timeout = number("timeout_ms").unwrap_or(schedule::DEFAULT_TIMEOUT_MS);
    CheckSettings {
        timeout_ms: timeout.clamp(schedule::MIN_TIMEOUT_MS, schedule::MAX_TIMEOUT_MS),
        latency_limit_ms: number("latency_limit_ms").filter(|limit| *limit > 0),
    }
}

/// The rules' part of the settings; values that cannot be read leave the default.
fn policy(settings: &Settings, checkable: bool) -> Policy {
    let mut policy = Policy::default();
    let wanted = settings.get("check").is_none_or(|value| value != "false");
    policy.check_interval_ms = (checkable && wanted).then(|| {
        let seconds: Option<i64> = settings.get("interval_s").and_then(|text| text.parse().ok());
        let asked = seconds.map_or(schedule::DEFAULT_INTERVAL_MS, |s| s.saturating_mul(SECOND));
        asked.clamp(schedule::MIN_INTERVAL_MS, schedule::MAX_INTERVAL_MS)
    });
    let number = |key: &str| settings.get(key).and_then(|text| text.parse::<f64>().ok());
    policy.business_failures_count = settings.get("business_failures_count").is_some_and(|v| v == "true");
    let record = &mut policy.record;
    if let Some(rate) = number("record_healthy_rate") {
        record.healthy_rate = rate;
    }
    if let Some(rate) = number("record_degraded_rate") {
        record.degraded_rate = rate;
    }
    if let Some(errors) = number("record_healthy_errors") {
        record.healthy_errors = errors as u32;
    }
    if let Some(errors) = number("record_degraded_errors") {
        record.degraded_errors = errors as u32;
    }
    policy
}
