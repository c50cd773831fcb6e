//! The straight path of a webhook: find the integration, verify, observe, classify, journal, answer.

use std::sync::Arc;

use lk_core::Time;
use lk_core::access::{Standing, Verb, authorize};
use lk_core::observation::{Delivery, Fact, IntegrationRid, Notice, Observation};
use lk_core::time::{DAY, SECOND};
use lk_provider::item::{Item, Unreadable};
use lk_provider::{Accepted, Handshake, HttpResponse, Inbound, Provider, Redacted, Rejection, receive};
use lk_store::journal::{DeliveryKey, Payload};
use lk_store::{NewWebhookSecret, SecretSource, SecretText};

use crate::Engine;
use crate::directory::Integration;
use crate::effects;
use crate::journal::{Entry, Receipt, Refused, Submission};

/// Seconds a sender should wait after a 503.
pub const RETRY_AFTER_S: u32 = 5;
/// A provider's clock may be this far from ours before its time is not believed.
const MAX_AGE_MS: i64 = 400 * DAY;
/// How far into the future an event may be dated.
const MAX_AHEAD_MS: i64 = 3_600 * SECOND;

/// Which address a delivery was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// `/webhooks/{provider}/{key}`.
    Key(&'a str),
    /// `/webhooks/{provider}`.
    Alias,
}

/// What the sender is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngestReply {
    /// Accepted and durable (or already known, or a handshake): the provider's own answer.
    Accepted(HttpResponse),
    /// No such address; the same words for a wrong provider and a wrong key.
    UnknownAddress,
    /// Not verified: nothing was changed but a counter.
    Rejected {
        /// Stable name of the reason.
        code: &'static str,
        /// One sentence.
        message: String,
    },
    /// Ours to mend: the sender should try again.
    TryAgain {
        /// In how many seconds.
        after_s: u32,
    },
}

impl Engine {
    /// Receives one delivery.
    pub async fn ingest(&self, provider: &str, endpoint: Endpoint<'_>, inbound: Inbound) -> IngestReply {
        let found = match self.addressed(provider, endpoint) {
            Some(found) => Some(found),
            // It may have been added a moment ago by a command beside this process.
            None if self.reload_if_changed().await.is_ok() => self.addressed(provider, endpoint),
            None => None,
        };
        let Some((provider, integration)) = found else {
            metrics::counter!("lk_webhooks_unknown_address_total").increment(1);
            return IngestReply::UnknownAddress;
        };
        let reply = self.receive(provider.as_ref(), &integration, &inbound).await;
        let result = match &reply {
            IngestReply::Accepted(_) => "accepted",
            IngestReply::Rejected { .. } => "rejected",
            IngestReply::TryAgain { .. } => "try_again",
            IngestReply::UnknownAddress => "gone",
        };
        metrics::counter!(
            "lk_webhooks_total", "provider" => integration.provider.clone(), "result" => result
        )
        .increment(1);
        reply
    }

    /// The provider and integration behind an address.
    fn addressed(&self, provider: &str, endpoint: Endpoint<'_>) -> Option<(Arc<dyn Provider>, Arc<Integration>)> {
        let directory = self.directory();
        let integration = match endpoint {
            Endpoint::Key(key) => directory.by_key(provider, key),
            Endpoint::Alias => directory.by_alias(provider),
        };
        integration
            .cloned()
            .and_then(|i| Some((self.registry().get(provider)?.clone(), i)))
    }

    async fn receive(&self, provider: &dyn Provider, integration: &Integration, inbound: &Inbound) -> IngestReply {
        let now = self.clock().now();
        if let Some(rejection) = integration.refusal(inbound.source) {
            return self.reject(integration, &rejection, now);
        }
        let secrets = integration.secrets(now);
        let accepted = receive(provider, inbound, &integration.settings, &secrets, now);
        match accepted {
            Err(rejection) => self.reject(integration, &rejection, now),
            Ok(Accepted::Handshake(handshake)) => self.shake(integration, handshake, inbound, now).await,
            Ok(Accepted::Items { items, headers, .. }) => {
                let headers = headers_json(&headers);
                let whole = blake3::hash(&inbound.body);
                let entries = items
                    .into_iter()
                    .map(|item| self.entry(integration.rid, item, &headers, inbound, *whole.as_bytes()));
                self.commit(provider, Submission::entries(entries.collect())).await
            }
            Ok(Accepted::Unreadable {
                unreadable, headers, ..
            }) => {
                let entry = quarantined(integration.rid, &unreadable, &headers_json(&headers), inbound);
                self.commit(provider, Submission::entries(vec![entry])).await
            }
        }
    }

    async fn commit(&self, provider: &dyn Provider, submission: Submission) -> IngestReply {
        match self.journal().submit(submission).await {
            Ok(Receipt { duplicates, .. }) => {
                if duplicates > 0 {
                    metrics::counter!("lk_webhook_duplicates_total").increment(duplicates as u64);
                }
                IngestReply::Accepted(provider.reply())
            }
            Err(Refused::Gone) => IngestReply::UnknownAddress,
            Err(refused) => {
                tracing::warn!(%refused, "a delivery was not stored; the sender is asked to try again");
                IngestReply::TryAgain { after_s: RETRY_AFTER_S }
            }
        }
    }

    fn reject(&self, integration: &Integration, rejection: &Rejection, now: Time) -> IngestReply {
        self.rejections().count(integration.rid, rejection, now);
        tracing::debug!(
            provider = integration.provider,
            integration = integration.id,
            reason = rejection.code(),
            "a delivery was refused"
        );
        IngestReply::Rejected {
            code: rejection.code(),
            message: rejection.explanation(),
        }
    }

    /// Answers a handshake; a secret it brings is stored (with its audit row) before the answer.
    async fn shake(
        &self,
        integration: &Integration,
        handshake: Handshake,
        inbound: &Inbound,
        now: Time,
    ) -> IngestReply {
        let Some(secret) = &handshake.store_secret else {
            return IngestReply::Accepted(handshake.response);
        };
        // A repeat brings the secret that is stored already.
        let known = integration.secrets(now).iter().any(|s| s.is_same(secret));
        let stored = if known {
            Ok(())
        } else {
            self.store_handshake_secret(integration, secret.expose(), now).await
        };
        if let Err(error) = stored {
            tracing::error!(%error, integration = integration.id, "a handshake was not stored");
            return IngestReply::TryAgain { after_s: RETRY_AFTER_S };
        }
        let summary = if handshake.missing.is_empty() {
            "The provider sent its verification token; it is kept as the webhook secret.".to_owned()
        } else {
            format!(
                "The provider sent its verification token; it is kept as the webhook secret. To \
                 confirm it, fill in: {}.",
                handshake.missing.join(", ")
            )
        };
        let sealed = handshake
            .confirm
            .as_ref()
            .map(|_| effects::seal_handshake(self, &integration.id, &inbound.body))
            .transpose();
        let Ok(confirm) = sealed else {
            return IngestReply::TryAgain { after_s: RETRY_AFTER_S };
        };
        let notice = Notice {
            event_type: "webhook_secret.received".to_owned(),
            summary,
            confirm,
        };
        let observation = Observation {
            integration: integration.rid,
            fact: Fact::Credential(notice),
            received_at: now,
        };
        match self.journal().submit(Submission::of(observation)).await {
            Ok(_) => IngestReply::Accepted(handshake.response),
            Err(_) => IngestReply::TryAgain { after_s: RETRY_AFTER_S },
        }
    }

    async fn store_handshake_secret(&self, integration: &Integration, secret: &str, now: Time) -> Result<(), String> {
        let permit = authorize(&Standing::system(), Verb::ManageWebhookSecrets).map_err(|e| e.to_string())?;
        let new = NewWebhookSecret {
            value: SecretText::new(secret),
            source: SecretSource::Handshake,
        };
        self.store()
            .add_webhook_secret(&permit, &integration.id, &new, now)
            .await
            .map_err(|e| e.to_string())?;
        self.reload().await.map_err(|e| e.to_string())
    }

    fn entry(
        &self,
        integration: IntegrationRid,
        item: Item,
        headers: &str,
        inbound: &Inbound,
        body_hash: [u8; 32],
    ) -> Entry {
        let received_at = inbound.received_at;
        let occurred_at = item.occurred_at.filter(|t| believable(*t, received_at));
        let failure = item.failure.as_ref().map(|failure| self.rules().judge(failure));
        let delivery = Delivery {
            event_type: item.event_type,
            occurred_at,
            outcome: item.outcome,
            failure,
            summary: item.summary,
            quarantined: false,
        };
        Entry {
            observation: Observation {
                integration,
                fact: Fact::Webhook(delivery),
                received_at,
            },
            key: Some(delivery_key(integration, occurred_at, &item.delivery_key)),
            payload: Some(Payload {
                headers: headers.to_owned(),
                body: Some(item.payload.into_inner()),
                body_bytes: inbound.body.len() as u64,
                body_hash,
                content_type: content_type(inbound),
            }),
            check: None,
        }
    }

    /// Makes the next check of an integration due now.
    pub async fn due(&self, rid: IntegrationRid) -> Result<Receipt, Refused> {
        let observation = Observation {
            integration: rid,
            fact: Fact::Due,
            received_at: self.clock().now(),
        };
        self.journal().submit(Submission::of(observation)).await
    }

    pub(crate) async fn configured(&self, rid: IntegrationRid, enabled: bool) -> Result<Receipt, Refused> {
        let received_at = self.clock().now();
        let observation = Observation {
            integration: rid,
            fact: Fact::Configured { enabled },
            received_at,
        };
        self.journal().submit(Submission::of(observation)).await
    }
}

/// A provider's time is part of the delivery key, so an absurd one must not be taken over.
fn believable(occurred_at: Time, received_at: Time) -> bool {
    occurred_at > received_at - MAX_AGE_MS && occurred_at < received_at + MAX_AHEAD_MS
}

fn delivery_key(integration: IntegrationRid, occurred_at: Option<Time>, key: &str) -> DeliveryKey {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(key.as_bytes()).as_bytes()[..16]);
    DeliveryKey {
        integration,
        occurred_at,
        key: short,
    }
}

fn quarantined(integration: IntegrationRid, unreadable: &Unreadable, headers: &str, inbound: &Inbound) -> Entry {
    let delivery = Delivery {
        event_type: "unreadable".to_owned(),
        occurred_at: None,
        outcome: None,
        failure: None,
        summary: unreadable.cause.sentence().to_owned(),
        quarantined: true,
    };
    Entry {
        observation: Observation {
            integration,
            fact: Fact::Webhook(delivery),
            received_at: inbound.received_at,
        },
        key: Some(delivery_key(integration, None, &unreadable.delivery_key)),
        payload: Some(Payload {
            headers: headers.to_owned(),
            body: Some(unreadable.head.get().clone()),
            body_bytes: inbound.body.len() as u64,
            body_hash: *blake3::hash(&inbound.body).as_bytes(),
            content_type: content_type(inbound),
        }),
        check: None,
    }
}

fn content_type(inbound: &Inbound) -> Option<String> {
    Some(inbound.media_type()).filter(|media| !media.is_empty() && media.len() <= 120)
}

fn headers_json(headers: &Redacted<Vec<(String, String)>>) -> String {
    let object: serde_json::Map<String, serde_json::Value> = headers
        .get()
        .iter()
        .map(|(n, v)| (n.clone(), v.clone().into()))
        .collect();
    serde_json::Value::Object(object).to_string()
}
