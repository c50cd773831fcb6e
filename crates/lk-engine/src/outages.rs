//! Provider incidents: vendors' status pages, read once for everybody, and what many failing checks
//! together say. An incident is committed by the journal like everything else; integrations get it
//! laid over their health when they are read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use lk_core::Time;
use lk_core::observation::IntegrationRid;
use lk_core::outage::{self, Looked};
use lk_core::schedule;
use lk_core::time::MINUTE;
use lk_provider::status::{self, VendorStatus};
use lk_provider::{HttpRequest, HttpResponse};
use lk_store::{IncidentCause, IncidentChange, ProviderIncident, StoreError};
use tokio::sync::watch;

use crate::Engine;
use crate::journal::Submission;
use crate::tasks::pause;

/// How often the checks are judged together.
const JUDGE_EVERY: Duration = Duration::from_secs(5);
/// How often a vendor's page is read.
const PAGE_EVERY_MS: i64 = 2 * MINUTE;
/// An inferred incident ends when nothing has shown it for this long.
const QUIET_MS: i64 = 2 * MINUTE;
/// The provider under which our own way out is filed.
pub const OWN_EGRESS: &str = "";

/// Incidents that are open now, by provider.
pub type OpenIncidents = HashMap<String, Arc<ProviderIncident>>;

/// What is known of providers as such. Cheap to clone.
#[derive(Clone, Default)]
pub struct Outages(Arc<Parts>);

#[derive(Default)]
struct Parts {
    open: ArcSwap<OpenIncidents>,
    pages: ArcSwap<BTreeMap<String, (VendorStatus, Time)>>,
}

impl Outages {
    /// The open incidents by provider; [`OWN_EGRESS`] stands for our own way out.
    pub fn open(&self) -> Arc<OpenIncidents> {
        self.0.open.load_full()
    }

    /// What vendors' pages last said, with when they were read.
    pub fn pages(&self) -> Arc<BTreeMap<String, (VendorStatus, Time)>> {
        self.0.pages.load_full()
    }
}

/// Judges until told to stop.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    let mut last_seen: HashMap<String, Time> = HashMap::new();
    loop {
        if let Err(error) = round(&engine, &mut last_seen).await {
            tracing::warn!(%error, "provider incidents cannot be judged now");
        }
        if !pause(&mut stop, JUDGE_EVERY).await {
            return;
        }
    }
}

/// Reads vendors' pages until told to stop, each provider's once whatever the number of its
/// integrations.
pub(crate) async fn read_pages(engine: Engine, mut stop: watch::Receiver<bool>) {
    loop {
        let now = engine.clock().now();
        for (provider, request) in pages_due(&engine, now) {
            let answer = engine.egress().send(&request).await;
            let read = read_page(&engine, &provider, answer.ok());
            let mut pages = (*engine.outages().pages()).clone();
            pages.insert(provider, (read, engine.clock().now()));
            engine.outages().0.pages.store(Arc::new(pages));
        }
        if !pause(&mut stop, JUDGE_EVERY).await {
            return;
        }
    }
}

fn pages_due(engine: &Engine, now: Time) -> Vec<(String, HttpRequest)> {
    let pages = engine.outages().pages();
    let directory = engine.directory();
    let mut due: BTreeMap<String, HttpRequest> = BTreeMap::new();
    for integration in directory.integrations() {
        let key = &integration.provider;
        let watched = integration.enabled && integration.policy.check_interval_ms.is_some();
        let fresh = pages.get(key).is_some_and(|(_, at)| now.since(*at) < PAGE_EVERY_MS);
        if !watched || fresh || due.contains_key(key) {
            continue;
        }
        let provider = engine.registry().get(key);
        let Some(page) = provider.and_then(|p| p.manifest().status.as_ref()) else {
            continue;
        };
        // A fake or a mirror of the provider may bring a page of its own.
        let url = integration.settings.get("status_url");
        due.insert(
            key.clone(),
            HttpRequest {
                method: "GET".to_owned(),
                url: url.map_or_else(|| status::address(page), str::to_owned),
                headers: vec![("accept".to_owned(), "application/json".to_owned())],
                body: Vec::new(),
            },
        );
    }
    due.into_iter().collect()
}

fn read_page(engine: &Engine, provider: &str, answer: Option<HttpResponse>) -> VendorStatus {
    let provider = engine.registry().get(provider);
    let page = provider.and_then(|p| p.manifest().status.clone());
    match (page, answer) {
        (Some(page), Some(answer)) => status::read(page.kind, page.component.as_deref(), &answer),
        _ => VendorStatus::unknown(),
    }
}

/// One look: opens what is new, closes what is over.
async fn round(engine: &Engine, last_seen: &mut HashMap<String, Time>) -> Result<(), StoreError> {
    let now = engine.clock().now();
    let open = engine.store().open_incidents().await?;
    let shown = shown(engine, now);
    for provider in shown.keys() {
        last_seen.insert(provider.clone(), now);
    }
    let mut changes = Vec::new();
    for (provider, (cause, summary, affected)) in &shown {
        match open.iter().find(|incident| incident.provider == *provider) {
            None => changes.push(IncidentChange::Open {
                provider: provider.clone(),
                cause: *cause,
                summary: summary.clone(),
                affected: *affected,
            }),
            Some(known) if known.summary != *summary => changes.push(IncidentChange::Update {
                id: known.id.clone(),
                text: summary.clone(),
                affected: *affected,
            }),
            Some(_) => {}
        }
    }
    let mut over = Vec::new();
    for incident in &open {
        // After a start nothing has been seen yet: then the wait begins now.
        let seen = *last_seen.entry(incident.provider.clone()).or_insert(now);
        if !shown.contains_key(&incident.provider) && now.since(seen) >= QUIET_MS {
            over.push(incident.provider.clone());
            changes.push(IncidentChange::Close {
                id: incident.id.clone(),
            });
        }
    }
    let changed = !changes.is_empty();
    if changed {
        let submitted = engine.journal().submit(Submission::incidents(changes)).await;
        submitted.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        look_again(engine, &over, now);
    }
    let open = if changed {
        engine.store().open_incidents().await?
    } else {
        open
    };
    let providers = open.iter().map(|incident| incident.provider.clone());
    engine.live().lay_incidents(providers.collect());
    let by_provider = open.into_iter().map(|i| (i.provider.clone(), Arc::new(i)));
    engine.outages().0.open.store(Arc::new(by_provider.collect()));
    Ok(())
}

type Shown = BTreeMap<String, (IncidentCause, String, u64)>;

/// What is shown to be out now: by the vendors' pages and by the checks together.
fn shown(engine: &Engine, now: Time) -> Shown {
    let cards = engine.live().looked();
    let hosts: Vec<String> = cards.iter().map(|card| host_of(&card.integration.settings)).collect();
    let looked: Vec<Looked<'_>> = cards
        .iter()
        .zip(&hosts)
        .filter_map(|(card, host)| {
            Some(Looked {
                integration: card.integration.rid,
                project: card.integration.project,
                credential: card.integration.credential_hash(),
                provider: &card.integration.provider,
                host,
                at: card.state.checks.last_at?,
                failed: card.state.checks.failed,
            })
        })
        .collect();
    let inferred = outage::infer(&looked, now);
    let mut shown = Shown::new();
    if inferred.own_egress {
        let summary = "Checks of most providers fail before anything answers: the way out from here is broken. \
                       No provider is to blame."
            .to_owned();
        shown.insert(
            OWN_EGRESS.to_owned(),
            (IncidentCause::OwnEgress, summary, looked.len() as u64),
        );
        return shown;
    }
    for (provider, failing) in inferred.providers {
        let affected = failing.len() as u64;
        let summary = format!(
            "{} fails for integrations of several owners at once.",
            name_of(engine, &provider)
        );
        shown.insert(provider, (IncidentCause::Inferred, summary, affected));
    }
    for (provider, (page, _)) in engine.outages().pages().iter() {
        if page.state.is_trouble() {
            let affected = cards
                .iter()
                .filter(|card| card.integration.provider == *provider)
                .count();
            let words = if page.summary.is_empty() {
                page.state.as_str()
            } else {
                &page.summary
            };
            let summary = format!("{} reports trouble: {words}", name_of(engine, provider));
            shown.insert(provider.clone(), (IncidentCause::StatusPage, summary, affected as u64));
        }
    }
    shown
}

fn name_of(engine: &Engine, provider: &str) -> String {
    let known = engine.registry().get(provider);
    known.map_or_else(|| provider.to_owned(), |p| p.manifest().name.clone())
}

/// Where an integration of its own address points to; integrations at the provider's usual address
/// share the empty text.
fn host_of(settings: &lk_provider::Settings) -> String {
    let own = settings.get("base_url").or_else(|| settings.get("url"));
    let parsed = own.and_then(|text| url::Url::parse(text).ok());
    parsed
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

/// An outage is over: its integrations are looked at again soon, evenly, not after their backoff.
fn look_again(engine: &Engine, over: &[String], now: Time) {
    let directory = engine.directory();
    let failing: Vec<IntegrationRid> = engine
        .live()
        .looked()
        .iter()
        .filter(|card| card.state.checks.streak > 0 && over.contains(&card.integration.provider))
        .map(|card| card.integration.rid)
        .collect();
    for rid in failing {
        let interval = directory.integration(rid).and_then(|i| i.policy.check_interval_ms);
        let interval = interval.unwrap_or(schedule::DEFAULT_INTERVAL_MS);
        engine.checks().look_by(rid, schedule::catch_up(rid, interval, now));
    }
}
