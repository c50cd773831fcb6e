//! Executes what the journal committed as effects. An attempt is committed before the call, so that
//! a crash in between is seen as an unknown outcome and handled by the effect's rule.

use std::sync::Arc;
use std::time::Duration;

use lk_core::effect::{Effect, RepeatRule};
use lk_core::observation::IntegrationRid;
use lk_core::time::{MINUTE, SECOND};
use lk_provider::{Headers, Inbound};
use lk_store::journal::{AttemptResult, HANDSHAKE_SEALED_AS, OpenEffect};
use lk_store::{Sealed, StoreError};
use tokio::sync::{Notify, watch};

use crate::tasks::stopped;
use crate::{Engine, crash};

/// Effects read at once.
const TAKE: u32 = 64;
/// Attempts before an effect is given up.
pub const MAX_ATTEMPTS: u32 = 8;
/// How often the outbox is looked at when nobody told of a new effect.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Wait before the second attempt; doubled each time, up to [`LONGEST_WAIT_MS`].
const FIRST_WAIT_MS: i64 = 2 * SECOND;
/// The longest wait between two attempts.
const LONGEST_WAIT_MS: i64 = 30 * MINUTE;

/// Runs due effects until told to stop; the first look takes up what a crash interrupted.
pub async fn run(engine: Engine, due: Arc<Notify>, mut stop: watch::Receiver<bool>) {
    let mut resume = true;
    loop {
        match round(&engine, resume).await {
            Ok(()) => resume = false,
            Err(error) => tracing::warn!(%error, "the outbox cannot be read"),
        }
        tokio::select! {
            () = due.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stopped(&mut stop) => return,
        }
    }
}

async fn round(engine: &Engine, resume: bool) -> Result<(), StoreError> {
    let now = engine.clock().now();
    for open in engine.store().due_effects(now, resume, TAKE).await? {
        execute(engine, open).await?;
    }
    Ok(())
}

async fn execute(engine: &Engine, open: OpenEffect) -> Result<(), StoreError> {
    let clock = engine.clock();
    let n = engine.store().begin_attempt(open.id, clock.now()).await?;
    crash::point("effect.begun");
    let result = if open.interrupted && open.effect.repeat_rule() == RepeatRule::Ask {
        let error = "an earlier attempt was interrupted and may have worked".to_owned();
        AttemptResult::Failed { error }
    } else {
        match perform(engine, &open.effect).await {
            Ok(()) => AttemptResult::Done,
            Err(error) if open.attempts + 1 >= MAX_ATTEMPTS => AttemptResult::Failed { error },
            Err(error) => {
                let wait = (FIRST_WAIT_MS << open.attempts.min(20)).min(LONGEST_WAIT_MS);
                AttemptResult::Retry {
                    at: clock.now() + wait,
                    error,
                }
            }
        }
    };
    crash::point("effect.done");
    let kind = open.effect.kind();
    match &result {
        AttemptResult::Done => tracing::info!(effect = kind, id = open.id, "effect done"),
        AttemptResult::Retry { error, .. } | AttemptResult::Failed { error } => {
            metrics::counter!("lk_effect_failures_total", "effect" => kind).increment(1);
            tracing::warn!(effect = kind, id = open.id, error, ?result, "effect failed");
        }
    }
    engine.store().finish_attempt(open.id, n, clock.now(), &result).await?;
    crash::point("effect.finished");
    Ok(())
}

/// Does what the effect says; an error is one redacted sentence.
async fn perform(engine: &Engine, effect: &Effect) -> Result<(), String> {
    match effect {
        Effect::ConfirmWebhook { integration, handshake } => confirm(engine, *integration, handshake).await,
        // No language model is configured, and none is asked for (`Policy::explain` is off).
        Effect::Explain { .. } => Ok(()),
    }
}

async fn confirm(engine: &Engine, rid: IntegrationRid, handshake: &[u8]) -> Result<(), String> {
    let directory = engine.directory();
    // A deleted integration has nothing left to confirm.
    let Some(integration) = directory.integration(rid) else {
        return Ok(());
    };
    let provider = engine
        .registry()
        .get(&integration.provider)
        .ok_or_else(|| format!("the provider `{}` is not known", integration.provider))?;
    let body = open_handshake(engine, &integration.id, handshake)?;
    let inbound = Inbound::post("/", Headers::new(), body.into_bytes(), engine.clock().now());
    let Some(again) = provider.handshake(&inbound, &integration.settings) else {
        return Ok(());
    };
    if !again.missing.is_empty() {
        return Err(format!("these settings are missing: {}", again.missing.join(", ")));
    }
    let Some(request) = again.confirm else { return Ok(()) };
    let response = engine.egress().send(&request).await.map_err(|e| e.to_string())?;
    if (200..300).contains(&response.status) {
        Ok(())
    } else {
        Err(format!("the provider answered {} to the confirmation", response.status))
    }
}

/// Seals the body of a handshake, which holds a secret, for the outbox.
pub(crate) fn seal_handshake(engine: &Engine, integration_id: &str, body: &[u8]) -> Result<Vec<u8>, String> {
    let sealed = engine
        .store()
        .master_key()
        .seal(HANDSHAKE_SEALED_AS, integration_id, body);
    sealed.map(|s| s.as_bytes().to_vec()).map_err(|e| e.to_string())
}

fn open_handshake(engine: &Engine, integration_id: &str, sealed: &[u8]) -> Result<String, String> {
    let sealed = Sealed::from_stored(sealed.to_vec());
    let opened = engine
        .store()
        .master_key()
        .open(HANDSHAKE_SEALED_AS, integration_id, &sealed);
    opened.map(|text| text.expose().to_owned()).map_err(|e| e.to_string())
}
