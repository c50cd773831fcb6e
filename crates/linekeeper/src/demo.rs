//! Plays the demo: integrations of its own, and a story of signed deliveries over loopback HTTP,
//! received like any others.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use lk_core::access::Permit;
use lk_engine::Engine;
use lk_engine::egress::Egress;
use lk_engine::tasks::pause;
use lk_fakes::{PlannedDelivery, Player, Scenario, Signer};
use lk_provider::{HttpRequest, Settings};
use lk_server::ApiError;
use lk_store::{NewIntegration, NewWebhookSecret, Project, SecretSource, SecretText, StoreError};
use tokio::sync::watch;

/// Seed of the story: the same each time, so that what people see can be talked about.
const SEED: u64 = 20_250_729;
/// A delivery that should have been sent longer ago than this is skipped (a machine that slept).
const LATE_MS: i64 = 5_000;

/// Loads, plays and removes the demo.
pub(crate) struct DemoRunner {
    engine: Engine,
    address: SocketAddr,
    playing: Mutex<HashMap<String, watch::Sender<bool>>>,
}

impl DemoRunner {
    /// A demo that sends to this process's own address.
    pub(crate) fn new(engine: Engine, listening: SocketAddr) -> Self {
        let ip = match listening.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        let address = SocketAddr::new(ip, listening.port());
        Self {
            engine,
            address,
            playing: Mutex::default(),
        }
    }

    /// Goes on with demos that were loaded before a restart.
    pub(crate) async fn resume(&self) -> Result<(), StoreError> {
        for project in self.engine.store().projects().await? {
            let integrations = self.engine.store().integrations(project.rid).await?;
            if integrations.iter().any(|i| i.demo) {
                self.play(&project).await?;
            }
        }
        Ok(())
    }

    /// Makes what is missing of the demo's integrations and plays.
    pub(crate) async fn start(&self, permit: &Permit, project: &Project) -> Result<(), StoreError> {
        let store = self.engine.store();
        let there = store.integrations(project.rid).await?;
        for key in Scenario::providers() {
            if there.iter().any(|i| i.demo && i.provider == key) {
                continue;
            }
            let Some(provider) = self.engine.registry().get(key) else {
                continue;
            };
            let manifest = provider.manifest();
            let Some(webhook) = &manifest.webhook else { continue };
            let token = |e: ApiError| StoreError::Invalid(e.message().to_owned());
            let secret = lk_server::new_webhook_secret(&webhook.secret.prefix).map_err(token)?;
            let new = NewIntegration {
                project_id: project.id.clone(),
                provider: key.to_owned(),
                service: None,
                name: manifest.name.clone(),
                settings: "{}".to_owned(),
                demo: true,
                endpoint_key: Some(SecretText::new(lk_server::new_token().map_err(token)?)),
                secret: Some(NewWebhookSecret {
                    value: SecretText::new(secret),
                    source: SecretSource::Generated,
                }),
                credentials: Vec::new(),
            };
            store
                .create_integration(permit, &new, self.engine.clock().now())
                .await?;
        }
        self.engine.reload().await?;
        self.play(project).await
    }

    async fn play(&self, project: &Project) -> Result<(), StoreError> {
        if self.is_playing(project) {
            return Ok(());
        }
        let (players, urls) = self.cast(project).await?;
        let (stop, stopped) = watch::channel(false);
        self.playing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(project.id.clone(), stop);
        let engine = self.engine.clone();
        let scenario = Scenario::new(SEED, engine.clock().now(), players);
        self.engine.tasks().spawn("demo", async move {
            let engine_stops = engine.tasks().stopping();
            perform(engine, scenario, urls, stopped, engine_stops).await;
        });
        Ok(())
    }

    /// The players of the loaded integrations and where each one's deliveries go.
    async fn cast(&self, project: &Project) -> Result<(Vec<Player>, HashMap<&'static str, String>), StoreError> {
        let store = self.engine.store();
        let directory = self.engine.directory();
        let now = self.engine.clock().now();
        let mut fakes: HashMap<_, _> = lk_providers::fakes::all()
            .into_iter()
            .map(|f| (f.provider(), f))
            .collect();
        let (mut players, mut urls) = (Vec::new(), HashMap::new());
        for row in store.integrations(project.rid).await?.into_iter().filter(|i| i.demo) {
            let Some((key, fake)) = fakes.remove_entry(row.provider.as_str()) else {
                continue;
            };
            let manifest = self.engine.registry().get(key).map(|p| p.manifest());
            let webhook = manifest.and_then(|m| m.webhook.as_ref());
            let secret = directory
                .integration(row.rid)
                .and_then(|i| i.secrets(now).into_iter().next());
            let endpoint = store.endpoint_key(&row.id).await?;
            let (Some(webhook), Some(secret), Some(endpoint)) = (webhook, secret, endpoint) else {
                continue;
            };
            urls.insert(
                key,
                format!("http://{}/webhooks/{key}/{}", self.address, endpoint.expose()),
            );
            let signer = Signer {
                scheme: webhook.signature.clone(),
                settings: Settings::new(),
                secret,
            };
            players.push(Player::new(fake, signer));
        }
        Ok((players, urls))
    }

    fn is_playing(&self, project: &Project) -> bool {
        self.playing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&project.id)
    }

    fn stop(&self, project: &Project) {
        let playing = self
            .playing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&project.id);
        if let Some(stop) = playing {
            stop.send_replace(true);
        }
    }
}

impl lk_server::Demo for DemoRunner {
    fn running(&self, project: &Project) -> bool {
        self.is_playing(project)
    }

    fn load<'a>(&'a self, permit: &'a Permit, project: &'a Project) -> BoxFuture<'a, Result<(), ApiError>> {
        async move { Ok(self.start(permit, project).await?) }.boxed()
    }

    fn remove<'a>(&'a self, permit: &'a Permit, project: &'a Project) -> BoxFuture<'a, Result<(), ApiError>> {
        async move {
            self.stop(project);
            let now = self.engine.clock().now();
            self.engine.store().delete_demo(permit, project.rid, now).await?;
            Ok(())
        }
        .boxed()
    }
}

/// Sends the story's deliveries at their times until told to stop.
async fn perform(
    engine: Engine,
    mut scenario: Scenario,
    urls: HashMap<&'static str, String>,
    mut stop: watch::Receiver<bool>,
    mut engine_stops: watch::Receiver<bool>,
) {
    let Ok(sender) = Egress::new(true) else { return };
    while let Some(delivery) = scenario.next() {
        let now = engine.clock().now();
        if now.since(delivery.at) > LATE_MS {
            scenario.skip_to(now);
            continue;
        }
        let wait = Duration::from_millis(delivery.at.since(now) as u64);
        let go_on = tokio::select! {
            go_on = pause(&mut stop, wait) => go_on,
            () = lk_engine::tasks::stopped(&mut engine_stops) => false,
        };
        if !go_on {
            return;
        }
        if let Some(url) = urls.get(delivery.provider) {
            send(&sender, url, &delivery).await;
        }
    }
}

async fn send(sender: &Egress, url: &str, delivery: &PlannedDelivery) {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let request = HttpRequest {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: delivery.headers.iter().map(|(n, v)| (n.to_owned(), text(v))).collect(),
        body: delivery.body.to_vec(),
    };
    match sender.send(&request).await {
        Ok(response) if response.status < 300 => {}
        Ok(response) => {
            tracing::warn!(
                provider = delivery.provider,
                status = response.status,
                "demo delivery refused"
            );
        }
        Err(error) => tracing::warn!(provider = delivery.provider, %error, "demo delivery failed"),
    }
}
