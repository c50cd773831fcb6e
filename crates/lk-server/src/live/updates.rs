//! Health as WebSocket messages (requirement S2): a client names integrations, and is told of each at
//! once and whenever something changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_engine::live::{Card, Moment};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::dto::health::HealthNow;
use crate::dto::present::Present;
use crate::error::ApiError;

/// Integrations of one subscription.
const SUBSCRIBED_MAX: usize = 1_000;
/// Largest message of a client, bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Between two signs of life.
const PING: Duration = Duration::from_secs(30);
/// Between two looks at whether the caller may still look.
const RECHECK: Duration = Duration::from_secs(4);
/// A client that takes longer for a message is too slow.
const SEND_WITHIN: Duration = Duration::from_secs(5);
/// How long the message that closes may take.
const FAREWELL_WITHIN: Duration = Duration::from_secs(1);

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Said {
    /// From now on, these integrations and no others.
    #[serde(rename_all = "camelCase")]
    Subscribe { integration_ids: Vec<String> },
    /// A sign of life.
    Ping,
}

/// What a client is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Told {
    #[serde(rename_all = "camelCase")]
    Health {
        integration_id: String,
        service: String,
        provider: String,
        health: Box<HealthNow>,
    },
    #[serde(rename_all = "camelCase")]
    Error {
        code: &'static str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_id: Option<String>,
    },
    Pong,
}

/// The projects that a caller may look at.
async fn projects(app: &App, caller: &Caller) -> Result<Vec<ProjectRid>, ApiError> {
    let all = Access::all(app, caller).await?;
    Ok(all.into_iter().map(|access| access.project.rid).collect())
}

/// An integration that was made a moment ago and that the board does not show yet.
async fn just_made(app: &App, id: &str) -> Option<Arc<Card>> {
    let row = app.store().integration(id).await.ok()?;
    app.engine().card(row.rid).await.ok()?
}

async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means the sender is gone, which is an end too.
    drop(closing.wait_for(|closing| *closing).await);
}

/// One client.
pub(crate) struct Client {
    app: App,
    caller: Caller,
    socket: WebSocket,
    subscribed: HashMap<IntegrationRid, ProjectRid>,
    moments: broadcast::Receiver<Arc<Moment>>,
    _place: OwnedSemaphorePermit,
}

/// Why a conversation ends.
type Ended = Option<CloseFrame>;

fn ticking(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

fn close(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame {
        code,
        reason: reason.into(),
    }
}

impl Client {
    pub(crate) fn new(app: App, caller: Caller, socket: WebSocket, place: OwnedSemaphorePermit) -> Self {
        Self {
            moments: app.engine().live().subscribe(),
            app,
            caller,
            socket,
            subscribed: HashMap::new(),
            _place: place,
        }
    }

    /// Talks until one of both ends it.
    pub(crate) async fn talk(mut self) {
        let ended = self.conversation().await;
        // Whoever is gone needs no farewell, and whoever does not read gets none.
        let farewell = self.socket.send(Message::Close(ended));
        drop(tokio::time::timeout(FAREWELL_WITHIN, farewell).await);
    }

    async fn conversation(&mut self) -> Ended {
        let (mut ping, mut recheck) = (ticking(PING), ticking(RECHECK));
        let mut closing = self.app.closing();
        loop {
            let step = tokio::select! {
                () = closed(&mut closing) => return Some(close(close_code::AWAY, "The server stops.")),
                _ = recheck.tick() => self.recheck().await,
                _ = ping.tick() => self.send(Message::Ping(bytes::Bytes::new())).await,
                said = self.socket.recv() => match said {
                    Some(Ok(message)) => self.hear(message).await,
                    _ => return None,
                },
                moment = self.moments.recv() => match moment {
                    Ok(moment) => self.tell_of(&moment).await,
                    Err(RecvError::Lagged(_)) => self.start_over().await,
                    Err(RecvError::Closed) => return Some(close(close_code::AWAY, "The server stops.")),
                },
            };
            if let Err(ended) = step {
                return ended;
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Ended> {
        match tokio::time::timeout(SEND_WITHIN, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some(close(close_code::POLICY, "Messages are not taken fast enough."))),
        }
    }

    async fn tell(&mut self, told: &Told) -> Result<(), Ended> {
        match serde_json::to_string(told) {
            Ok(text) => self.send(Message::Text(text.into())).await,
            Err(error) => {
                tracing::error!(%error, "a health message could not be written");
                Ok(())
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), Ended> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Err(None),
            Message::Binary(_) => return Err(Some(close(close_code::UNSUPPORTED, "Messages are text."))),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        match serde_json::from_str::<Said>(&text) {
            Ok(Said::Ping) => self.tell(&Told::Pong).await,
            Ok(Said::Subscribe { integration_ids }) if integration_ids.len() > SUBSCRIBED_MAX => {
                let message = format!("At most {SUBSCRIBED_MAX} integrations can be followed at once.");
                self.refuse("invalid_request", message, None).await
            }
            Ok(Said::Subscribe { integration_ids }) => self.subscribe(integration_ids).await,
            Err(_) => {
                let message = "Send {\"type\":\"subscribe\",\"integrationIds\":[...]}.".to_owned();
                self.refuse("invalid_request", message, None).await
            }
        }
    }

    async fn refuse(&mut self, code: &'static str, message: String, id: Option<String>) -> Result<(), Ended> {
        let told = Told::Error {
            code,
            message,
            integration_id: id,
        };
        self.tell(&told).await
    }

    /// Follows these integrations from now on, as far as the caller may see them.
    async fn subscribe(&mut self, ids: Vec<String>) -> Result<(), Ended> {
        let seen = match projects(&self.app, &self.caller).await {
            Ok(projects) => projects,
            Err(error) => {
                return self
                    .refuse(error.code().as_str(), error.message().to_owned(), None)
                    .await;
            }
        };
        let cards = self.app.engine().live().everybody().await;
        let by_id: HashMap<&str, &Arc<Card>> = cards.iter().map(|card| (card.integration.id.as_str(), card)).collect();
        self.subscribed.clear();
        for id in ids {
            // Of another project it is not said that it exists.
            let known = match by_id.get(id.as_str()) {
                Some(card) => Some(Arc::clone(card)),
                None => just_made(&self.app, &id).await,
            };
            let Some(card) = known.filter(|card| seen.contains(&card.integration.project)) else {
                self.refuse("not_found", "There is no such integration.".to_owned(), Some(id))
                    .await?;
                continue;
            };
            self.subscribed.insert(card.integration.rid, card.integration.project);
            let told = self.health_of(&card);
            self.tell(&told).await?;
        }
        Ok(())
    }

    fn health_of(&self, card: &Card) -> Told {
        let (now, integration) = (self.app.now(), &card.integration);
        let as_of = self.app.engine().live().as_of(now);
        let present = Present::new(self.app.registry());
        Told::Health {
            integration_id: integration.id.clone(),
            service: integration.service.as_ref().unwrap_or(&integration.provider).clone(),
            provider: integration.provider.clone(),
            health: Box::new(HealthNow::of(present, card, as_of, now)),
        }
    }

    async fn tell_of(&mut self, moment: &Moment) -> Result<(), Ended> {
        for card in &moment.cards {
            if self.subscribed.contains_key(&card.integration.rid) {
                let told = self.health_of(card);
                self.tell(&told).await?;
            }
        }
        Ok(())
    }

    /// More happened than is kept for a slow client: it is told everything again.
    async fn start_over(&mut self) -> Result<(), Ended> {
        self.moments = self.app.engine().live().subscribe();
        for card in self.app.engine().live().all() {
            if self.subscribed.contains_key(&card.integration.rid) {
                let told = self.health_of(&card);
                self.tell(&told).await?;
            }
        }
        Ok(())
    }

    /// Whether the caller is still who they were, and may still see what they follow.
    async fn recheck(&mut self) -> Result<(), Ended> {
        match self.caller.again(&self.app).await {
            Ok(Some(caller)) => self.caller = caller,
            Ok(None) => return Err(Some(close(close_code::POLICY, "You are signed out."))),
            // The database is away: what was allowed stays so until it says otherwise.
            Err(_) => return Ok(()),
        }
        match projects(&self.app, &self.caller).await {
            Ok(seen) => self.subscribed.retain(|_, project| seen.contains(project)),
            Err(error) if error.code().status().is_server_error() => {}
            Err(_) => self.subscribed.clear(),
        }
        Ok(())
    }
}
