//! Active checks: whom to ask when, what an answer means, and that it is journaled.

mod buckets;
pub(crate) mod due;
mod forecast;
mod ladder;
mod mcp;
mod report;
mod scheduler;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lk_core::Time;
use lk_core::check::CheckResult;
use lk_core::observation::{Fact, IntegrationRid, Observation};
use lk_core::words::Outcome;
use lk_provider::Provider;
use lk_store::journal::QuotaSample;
use tokio::sync::{OnceCell, Semaphore};

use crate::credentials::Credentials;
use crate::directory::Integration;
use crate::egress::Egress;
use crate::journal::{CheckDetail, Entry, Refused, Submission};
use crate::rules::Rules;
use crate::{Clock, Engine};

use buckets::Buckets;
use due::Due;
use forecast::Forecasts;
use ladder::{Walk, Walked};

pub(crate) use scheduler::run;

/// Checks under way at once.
pub const MAX_CHECKS: usize = 512;
/// The longest a manual check waits for a free place in its provider's rate.
const WAIT_FOR_RATE: Duration = Duration::from_secs(2);

/// Why a check is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was due at this moment.
    Due(Time),
    /// Somebody asked for it.
    Asked,
}

/// Why a check was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotChecked {
    /// It was deleted.
    #[error("the integration does not exist")]
    Gone,
    /// Its provider is not checked here, or checks are switched off.
    #[error("nothing is checked here: {0}")]
    NotWatched(&'static str),
    /// The provider's own rate leaves no room now.
    #[error("the provider's rate limit leaves no room for {wait_ms} ms")]
    NoRoom {
        /// Milliseconds until there is room.
        wait_ms: i64,
    },
    /// What was found could not be stored.
    #[error("the result could not be stored: {0}")]
    NotStored(#[from] Refused),
}

/// A check that was made and committed.
#[derive(Debug, Clone)]
pub struct Finished {
    /// What it found, as the rules see it.
    pub result: CheckResult,
    /// The ladder with its timings, JSON text.
    pub detail: Arc<str>,
    /// When it ended.
    pub at: Time,
}

type Running = Arc<OnceCell<Result<Arc<Finished>, NotChecked>>>;

/// Makes checks. Cheap to clone.
#[derive(Clone)]
pub struct Checks(Arc<Parts>);

struct Parts {
    clock: Clock,
    egress: Egress,
    credentials: Credentials,
    due: Arc<Due>,
    buckets: Buckets,
    forecasts: Forecasts,
    places: Arc<Semaphore>,
    running: Mutex<HashMap<IntegrationRid, Running>>,
}

impl Checks {
    pub(crate) fn new(clock: Clock, egress: Egress, credentials: Credentials, due: Arc<Due>) -> Self {
        Self(Arc::new(Parts {
            clock,
            egress,
            credentials,
            due,
            buckets: Buckets::default(),
            forecasts: Forecasts::default(),
            places: Arc::new(Semaphore::new(MAX_CHECKS)),
            running: Mutex::default(),
        }))
    }

    /// For a command that looks and records nothing.
    pub fn standalone(clock: Clock, egress: Egress, credentials: Credentials) -> Self {
        Self::new(clock, egress, credentials, Arc::default())
    }

    /// Looks at one integration and records nothing.
    pub async fn look(&self, integration: &Integration, provider: &dyn Provider, rules: &Rules) -> Finished {
        let within = Duration::from_millis(integration.check.timeout_ms.unsigned_abs());
        let slot = self.now();
        let Walked { result, report } = Walk::new(self, integration, provider, rules, within).walk(slot).await;
        Finished {
            result,
            detail: report.text().into(),
            at: self.now(),
        }
    }

    /// Has an integration looked at by then, unless that is planned sooner anyway.
    pub(crate) fn look_by(&self, rid: IntegrationRid, at: Time) {
        self.due().sooner_than(rid, at);
    }

    fn now(&self) -> Time {
        self.0.clock.now()
    }

    fn egress(&self) -> &Egress {
        &self.0.egress
    }

    fn buckets(&self) -> &Buckets {
        &self.0.buckets
    }

    fn forecasts(&self) -> &Forecasts {
        &self.0.forecasts
    }

    fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    fn due(&self) -> &Due {
        &self.0.due
    }

    /// Checks one integration and returns when the result is committed. Whoever asks while a check
    /// of it is under way gets that one's result.
    pub async fn run(&self, engine: &Engine, rid: IntegrationRid, why: Why) -> Result<Arc<Finished>, NotChecked> {
        let cell = {
            let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(running.entry(rid).or_default())
        };
        let finished = cell.get_or_init(|| self.check(engine, rid, why)).await.clone();
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.get(&rid).is_some_and(|now| Arc::ptr_eq(now, &cell)) {
            running.remove(&rid);
        }
        finished
    }

    async fn check(&self, engine: &Engine, rid: IntegrationRid, why: Why) -> Result<Arc<Finished>, NotChecked> {
        let directory = engine.directory();
        let integration = directory.integration(rid).ok_or(NotChecked::Gone)?;
        if !integration.enabled {
            return Err(NotChecked::NotWatched("it is switched off"));
        }
        if integration.policy.check_interval_ms.is_none() {
            return Err(NotChecked::NotWatched("it has no checks, or they are switched off"));
        }
        let provider = engine
            .registry()
            .get(&integration.provider)
            .ok_or(NotChecked::NotWatched("its provider is not known to this installation"))?;
        self.room(integration, provider.as_ref(), why).await?;
        let within = Duration::from_millis(integration.check.timeout_ms.unsigned_abs());
        let slot = match why {
            Why::Due(at) => at,
            Why::Asked => self.now(),
        };
        let walk = Walk::new(self, integration, provider.as_ref(), engine.rules(), within);
        let walked = walk.walk(slot).await;
        self.journal(engine, rid, walked).await
    }

    /// Waits for a place in the provider's own rate, for a short while.
    async fn room(&self, integration: &Integration, provider: &dyn Provider, why: Why) -> Result<(), NotChecked> {
        let cost = provider.check_cost(&integration.settings);
        loop {
            let Some(wait_ms) = self.0.buckets.take(integration, provider, cost, self.now()) else {
                return Ok(());
            };
            let wait = Duration::from_millis(wait_ms.unsigned_abs());
            if wait > WAIT_FOR_RATE || why != Why::Asked {
                metrics::counter!("lk_checks_put_off_total").increment(1);
                return Err(NotChecked::NoRoom { wait_ms });
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn journal(
        &self,
        engine: &Engine,
        rid: IntegrationRid,
        Walked { result, report }: Walked,
    ) -> Result<Arc<Finished>, NotChecked> {
        let at = self.now();
        let detail: Arc<str> = report.text().into();
        let quotas: Vec<QuotaSample> = report.samples();
        tell(&result);
        let entry = Entry {
            observation: Observation {
                integration: rid,
                fact: Fact::Check(result.clone()),
                received_at: at,
            },
            key: None,
            payload: None,
            check: Some(CheckDetail {
                text: detail.to_string(),
                quotas,
            }),
        };
        let stored = engine.journal().submit(Submission::entries(vec![entry])).await?;
        if stored.quarantined {
            return Err(NotChecked::NotStored(Refused::Unavailable));
        }
        Ok(Arc::new(Finished { result, detail, at }))
    }
}

fn tell(result: &CheckResult) {
    let outcome = match result.outcome() {
        Outcome::Success => "success",
        Outcome::Failure => "failure",
    };
    metrics::counter!("lk_checks_total", "outcome" => outcome).increment(1);
    metrics::histogram!("lk_check_seconds").record(f64::from(result.took_ms) / 1_000.0);
}
