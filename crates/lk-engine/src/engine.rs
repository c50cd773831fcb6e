//! The engine: what the server and the command line hold.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use lk_core::observation::IntegrationRid;
use lk_provider::Registry;
use lk_store::{Store, StoreError};
use tokio::sync::{Mutex, Notify, watch};

use crate::Clock;
use crate::checks::{self, Checks};
use crate::credentials::{self, Credentials};
use crate::directory::{Directory, SharedDirectory};
use crate::effects;
use crate::egress::{Egress, EgressError};
use crate::journal::Journal;
use crate::journal::after::After;
use crate::live::{Card, Live};
use crate::outages::{self, Outages};
use crate::rejections::Rejections;
use crate::retention;
use crate::rules::Rules;
use crate::tasks::{Tasks, pause};

/// How often the configuration's generation is looked at when nobody told of a change.
pub const CONFIGURATION_EVERY: Duration = Duration::from_millis(500);

/// What an engine is started with.
#[derive(Debug, Clone, Default)]
pub struct EngineConfig {
    /// The clock.
    pub clock: Clock,
    /// Whether integrations may point at private and loopback addresses.
    pub allow_private_targets: bool,
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The outgoing client.
    #[error(transparent)]
    Egress(#[from] EgressError),
}

/// A running engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<Parts>,
}

struct Parts {
    store: Store,
    registry: Registry,
    rules: Rules,
    clock: Clock,
    directory: SharedDirectory,
    looking: Mutex<()>,
    journal: Journal,
    live: Live,
    rejections: Rejections,
    egress: Egress,
    credentials: Credentials,
    checks: Checks,
    outages: Outages,
    tasks: Tasks,
}

impl Engine {
    /// Reads the configuration and starts the journal and the background tasks.
    pub async fn start(
        store: Store,
        registry: Registry,
        rules: Rules,
        config: EngineConfig,
    ) -> Result<Self, StartError> {
        let clock = config.clock;
        let egress = Egress::new(config.allow_private_targets)?;
        let directory: SharedDirectory = Arc::new(ArcSwap::from_pointee(Directory::read(&store, &registry).await?));
        // Before the first result is written: a partition cannot be made around rows.
        store.ensure_months(clock.now()).await?;
        let after = After::default();
        let journal = Journal::start(&store, Arc::clone(&directory), clock.clone(), after.clone()).await?;
        store.void_refresh_leases().await?;
        let tasks = Tasks::default();
        let credentials = Credentials::new(
            store.clone(),
            registry.clone(),
            egress.clone(),
            clock.clone(),
            (journal.clone(), tasks.clone()),
        )?;
        let checks = Checks::new(
            clock.clone(),
            egress.clone(),
            credentials.clone(),
            Arc::clone(&after.due),
        );
        let parts = Arc::new(Parts {
            live: Live::new(
                store.clone(),
                Arc::clone(&directory),
                journal.committed(),
                after.clone(),
                clock.clone(),
            ),
            store,
            registry,
            rules,
            clock,
            directory,
            looking: Mutex::default(),
            journal,
            rejections: Rejections::default(),
            credentials,
            checks,
            outages: Outages::default(),
            egress,
            tasks,
        });
        let engine = Self { parts };
        engine.spawn_tasks(after.effects);
        Ok(engine)
    }

    fn spawn_tasks(&self, effects_due: Arc<Notify>) {
        let p = &self.parts;
        let stop = || p.tasks.stopping();
        p.tasks.spawn("live", p.live.clone().tail(stop()));
        p.tasks.spawn("switches", self.clone().catch_up_switches());
        p.tasks
            .spawn("configuration", self.clone().follow_configuration(stop()));
        p.tasks
            .spawn("rejections", p.rejections.clone().flush_until(p.store.clone(), stop()));
        p.tasks
            .spawn("retention", retention::run(p.store.clone(), p.clock.clone(), stop()));
        p.tasks
            .spawn("summaries", retention::sum_up(p.store.clone(), p.clock.clone(), stop()));
        p.tasks
            .spawn("effects", effects::run(self.clone(), effects_due, stop()));
        p.tasks.spawn("credentials", credentials::run(self.clone(), stop()));
        p.tasks.spawn("checks", checks::run(self.clone(), stop()));
        p.tasks.spawn("outages", outages::run(self.clone(), stop()));
        p.tasks.spawn("status pages", outages::read_pages(self.clone(), stop()));
    }

    /// Stops accepting, commits what waits, ends the background tasks.
    pub async fn stop(&self) {
        self.parts.journal.drain().await;
        self.parts.tasks.stop().await;
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    /// The providers.
    pub fn registry(&self) -> &Registry {
        &self.parts.registry
    }

    /// The classification rules.
    pub fn rules(&self) -> &Rules {
        &self.parts.rules
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.parts.clock
    }

    /// The one writer.
    pub fn journal(&self) -> &Journal {
        &self.parts.journal
    }

    /// What is shown.
    pub fn live(&self) -> &Live {
        &self.parts.live
    }

    /// Outgoing calls.
    pub fn egress(&self) -> &Egress {
        &self.parts.egress
    }

    /// What integrations prove themselves with.
    pub fn credentials(&self) -> &Credentials {
        &self.parts.credentials
    }

    /// What checks.
    pub fn checks(&self) -> &Checks {
        &self.parts.checks
    }

    /// What is known of providers as such.
    pub fn outages(&self) -> &Outages {
        &self.parts.outages
    }

    /// The card of an integration, also of one that another process made a moment ago and that the
    /// board does not show yet.
    pub async fn card(&self, rid: IntegrationRid) -> Result<Option<Arc<Card>>, StoreError> {
        if let Some(card) = self.live().card(rid).await? {
            return Ok(Some(card));
        }
        self.reload().await?;
        let directory = self.directory();
        Ok(directory
            .integration(rid)
            .map(|integration| Arc::new(Card::new(integration))))
    }

    /// The tasks that stop with the engine.
    pub fn tasks(&self) -> &Tasks {
        &self.parts.tasks
    }

    /// The configuration as the hot paths see it now.
    pub fn directory(&self) -> Arc<Directory> {
        self.parts.directory.load_full()
    }

    pub(crate) fn rejections(&self) -> &Rejections {
        &self.parts.rejections
    }

    /// Reads the configuration again at once. Call after a configuration write, before answering,
    /// so that the next request meets what was just written.
    pub async fn reload(&self) -> Result<(), StoreError> {
        let before = self.directory();
        let next = Arc::new(Directory::read(&self.parts.store, &self.parts.registry).await?);
        // Two reloads may overlap; an older reading never replaces a newer one.
        self.parts.directory.rcu(|current| {
            let newer = if current.generation > next.generation {
                current
            } else {
                &next
            };
            Arc::clone(newer)
        });
        self.note_switches(&before).await;
        Ok(())
    }

    /// Observes integrations that were switched on or off since `before`.
    async fn note_switches(&self, before: &Directory) {
        let after = self.directory();
        for integration in after.integrations() {
            let was = before.integration(integration.rid).is_none_or(|i| i.enabled);
            let submitted = if was != integration.enabled {
                self.configured(integration.rid, integration.enabled).await
            } else if worth_a_look(before, integration) {
                self.due(integration.rid).await
            } else {
                continue;
            };
            if let Err(error) = submitted {
                tracing::warn!(%error, integration = integration.id, "a change of settings was not noted");
            }
        }
    }

    /// Observes switches that a command turned while no server ran.
    async fn catch_up_switches(self) {
        let states = match self.parts.store.states(None).await {
            Ok(states) => states,
            Err(error) => {
                tracing::warn!(%error, "switches turned while nothing ran are not noted");
                return;
            }
        };
        let directory = self.directory();
        for (rid, state) in states {
            let Some(integration) = directory.integration(rid) else {
                continue;
            };
            if integration.enabled != state.enabled
                && let Err(error) = self.configured(rid, integration.enabled).await
            {
                tracing::warn!(%error, integration = integration.id, "a switch was not noted");
            }
        }
    }

    async fn follow_configuration(self, mut stop: watch::Receiver<bool>) {
        while pause(&mut stop, CONFIGURATION_EVERY).await {
            if let Err(error) = self.reload_if_changed().await {
                tracing::warn!(%error, "the configuration cannot be read; the last one stays in force");
            }
        }
    }

    /// Reads the configuration again if another process has changed it.
    pub(crate) async fn reload_if_changed(&self) -> Result<(), StoreError> {
        // One look at a time: a flood of unknown addresses must not become a flood of queries.
        let _turn = self.parts.looking.lock().await;
        if self.parts.store.generation().await? == self.directory().generation && !self.has_a_key_it_missed() {
            return Ok(());
        }
        self.reload().await
    }

    /// Whether the directory lacks something that did not open, and the master key is another by
    /// now: on a node that was given its copy of the new key file late.
    fn has_a_key_it_missed(&self) -> bool {
        let Some(version) = self.directory().unopened_with else {
            return false;
        };
        let key = self.parts.store.master_key();
        key.refresh();
        key.version() != version
    }
}

/// Whether what a check of the integration asks is new or different since `before`.
fn worth_a_look(before: &Directory, integration: &crate::directory::Integration) -> bool {
    if !integration.enabled || integration.policy.check_interval_ms.is_none() {
        return false;
    }
    before
        .integration(integration.rid)
        .is_none_or(|known| !known.is_checked_as(integration))
}
