//! What every handler has at hand.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use lk_core::Time;
use lk_engine::Engine;
use lk_provider::Registry;
use lk_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use crate::auth::{IdentityProvider, KeyLimits, Passwords, Refusals, Throttle};
use crate::config::Config;
use crate::demo::Demo;
use crate::live::Frames;
use crate::routes::health::Asked;
use crate::telemetry::{RequestIds, WebhookMetrics};

/// The server's state. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    config: Config,
    metrics: Option<PrometheusHandle>,
    passwords: Passwords,
    throttle: Throttle,
    refusals: Refusals,
    key_limits: KeyLimits,
    oidc: Option<IdentityProvider>,
    request_ids: RequestIds,
    webhook_metrics: WebhookMetrics,
    frames: Frames,
    asked: Asked,
    demo: Option<Arc<dyn Demo>>,
    openapi: OnceLock<Bytes>,
    closing: watch::Sender<bool>,
}

impl App {
    /// A server around a running engine. `metrics` renders `/metrics`; install its recorder
    /// before, so that nothing is counted into the void. `demo` switches the demo, where there is
    /// one.
    pub fn new(engine: Engine, config: Config, metrics: Option<PrometheusHandle>, demo: Option<Arc<dyn Demo>>) -> Self {
        let frames = Frames::new(config.streams_max);
        let oidc = config.oidc.clone().map(IdentityProvider::new);
        let inner = Inner {
            key_limits: KeyLimits::new(config.key_calls_per_minute),
            refusals: Refusals::default(),
            engine,
            config,
            metrics,
            passwords: Passwords::new(),
            throttle: Throttle::default(),
            oidc,
            request_ids: RequestIds::new(),
            webhook_metrics: WebhookMetrics::new(),
            frames,
            asked: Asked::default(),
            demo,
            openapi: OnceLock::new(),
            closing: watch::Sender::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Ends every live stream, so that their connections can close.
    pub fn close_streams(&self) {
        self.inner.closing.send_replace(true);
    }

    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.inner.closing.subscribe()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn store(&self) -> &Store {
        self.inner.engine.store()
    }

    pub(crate) fn registry(&self) -> &Registry {
        self.inner.engine.registry()
    }

    pub(crate) fn now(&self) -> Time {
        self.inner.engine.clock().now()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn metrics(&self) -> Option<&PrometheusHandle> {
        self.inner.metrics.as_ref()
    }

    /// Sums up the samples of histograms.
    pub(crate) fn metrics_upkeep(&self) {
        if let Some(handle) = &self.inner.metrics {
            handle.run_upkeep();
        }
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.inner.throttle
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.inner.refusals
    }

    pub(crate) fn key_limits(&self) -> &KeyLimits {
        &self.inner.key_limits
    }

    /// The identity provider, when one is configured.
    pub(crate) fn oidc(&self) -> Option<&IdentityProvider> {
        self.inner.oidc.as_ref()
    }

    pub(crate) fn request_ids(&self) -> &RequestIds {
        &self.inner.request_ids
    }

    pub(crate) fn webhook_metrics(&self) -> &WebhookMetrics {
        &self.inner.webhook_metrics
    }

    pub(crate) fn frames(&self) -> &Frames {
        &self.inner.frames
    }

    /// Who asked for a check, and when.
    pub(crate) fn asked(&self) -> &Asked {
        &self.inner.asked
    }

    pub(crate) fn demo(&self) -> Option<&dyn Demo> {
        self.inner.demo.as_deref()
    }

    /// The OpenAPI document as text, made once.
    pub(crate) fn openapi(&self) -> Bytes {
        let text = || Bytes::from(crate::openapi().to_json().unwrap_or_default());
        self.inner.openapi.get_or_init(text).clone()
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("config", &self.inner.config)
            .finish_non_exhaustive()
    }
}
