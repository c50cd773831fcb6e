//! From the board's cards to answers.

use std::sync::Arc;

use lk_core::Time;
use lk_core::health::score::{self, Score};
use lk_core::health::windows::Counts;
use lk_core::health::{self, record};
use lk_core::policy::Policy;
use lk_core::state::IntegrationState;
use lk_core::words::Health;
use lk_engine::live::Card;
use lk_store::Integration as Row;
use serde::Serialize;
use utoipa::ToSchema;

use super::integration::{Bar, Integration, Reason, Record, ScoreParts, Webhook};
use super::present::{Present, summary};
use super::words::HealthWord;
use super::{IsoTime, iso};

/// How an integration does at one moment.
pub(crate) struct Condition {
    /// The condition.
    pub(crate) health: Health,
    /// Since when.
    pub(crate) since: Time,
    /// Why, worst first.
    pub(crate) reasons: Vec<Reason>,
    score: Option<Score>,
    record: record::Record,
}

impl Condition {
    /// What `state` means at `now`. `incident` says that the provider has one open, which is
    /// laid over: it is them, not this integration.
    pub(crate) fn of(state: &IntegrationState, policy: &Policy, incident: bool, now: Time) -> Self {
        let (mut health, mut reasons) = health::evaluate(state, now);
        if incident && health != Health::Unknown {
            let at = if health > Health::Degraded { reasons.len() } else { 0 };
            reasons.insert(at, health::Reason::ProviderIncident);
            health = health.max(Health::Degraded);
        }
        let reasons = reasons
            .into_iter()
            .map(|reason| Reason {
                code: reason.code().to_owned(),
                message: reason.sentence(),
            })
            .collect();
        Self {
            health,
            since: state.since,
            reasons,
            score: score::score(&score::inputs(state, policy, incident, now)),
            record: record::record(state.windows.last_day(now), &policy.record),
        }
    }

    /// The score, when there is one.
    pub(crate) fn score(&self) -> Option<u8> {
        self.score.as_ref().map(|score| score.value)
    }

    fn score_parts(&self) -> ScoreParts {
        let score = self.score.as_ref();
        ScoreParts {
            freshness: score.and_then(|score| score.freshness),
            success: score.and_then(|score| score.success),
            error_rate: score.and_then(|score| score.error_rate),
            caps: score
                .map(|score| score.caps.iter().map(|cap| cap.as_str().to_owned()).collect())
                .unwrap_or_default(),
            sentence: score.map_or_else(|| "No data yet.".to_owned(), Score::sentence),
        }
    }

    fn record(&self) -> Record {
        Record {
            status: self.record.status.into(),
            success_rate: self.record.success_rate,
            total: i64::from(self.record.counts.total()),
            errors: i64::from(self.record.counts.failed),
        }
    }
}

/// How the credential stands. Where nothing is checked, nobody can tell.
fn credential_state(state: &IntegrationState, policy: &Policy, enabled: bool) -> Option<String> {
    let checked = policy.check_interval_ms.is_some() && enabled;
    checked.then(|| state.credential.as_str().to_owned())
}

/// One hour of outcomes.
pub(crate) fn bar(at: Time, counts: Counts) -> Bar {
    Bar {
        at: at.into(),
        ok: i64::from(counts.ok),
        failed: i64::from(counts.failed),
    }
}

/// An integration from its configuration, and its card once there is one.
pub(crate) fn integration(
    present: Present<'_>,
    row: &Row,
    card: Option<&Card>,
    webhook: Option<Webhook>,
    now: Time,
) -> Integration {
    let known = card.map_or_else(|| IntegrationState::new(row.created_at), |card| card.state.clone());
    // The switch is configuration: the row knows first.
    let state = &IntegrationState {
        enabled: row.enabled,
        ..known
    };
    let policy = card.map(|card| card.integration.policy).unwrap_or_default();
    let incident = card.is_some_and(|card| card.incident);
    let condition = Condition::of(state, &policy, incident, now);
    let last_events = card.and_then(|card| card.last_events.as_deref()).unwrap_or_default();
    Integration {
        id: row.id.clone(),
        provider: row.provider.clone(),
        provider_name: present.provider_name(&row.provider).to_owned(),
        service: row.service.clone(),
        name: row.name.clone(),
        enabled: row.enabled,
        demo: row.demo,
        health: condition.health.into(),
        health_since: condition.since.into(),
        score: condition.score(),
        score_parts: condition.score_parts(),
        status: condition.record.status.into(),
        record_24h: condition.record(),
        reasons: condition.reasons,
        sparkline: state
            .windows
            .hourly(now)
            .into_iter()
            .map(|(at, n)| bar(at, n))
            .collect(),
        last_event_at: iso(state.last_seen),
        last_success_at: iso(state.last_success),
        last_failure_at: iso(state.last_failure),
        last_events: last_events
            .iter()
            .map(|event| summary(event.as_ref().clone()))
            .collect(),
        open_problems: card.map_or(0, |card| card.open_problems),
        webhook,
        checked: policy.check_interval_ms.is_some() && row.enabled,
        credential_state: credential_state(state, &policy, row.enabled),
        last_check_at: iso(state.checks.last_at),
        next_check_at: iso(state.checks.next_at),
        response_time_ms: state.checks.last_at.map(|_| state.checks.took_ms),
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        version: row.version,
    }
}

/// What the live stream says of an integration whose condition may have changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IntegrationStatus {
    /// The integration.
    pub(crate) id: String,
    /// The condition now.
    pub(crate) health: HealthWord,
    /// Since when.
    pub(crate) health_since: IsoTime,
    /// Why, worst first.
    pub(crate) reasons: Vec<Reason>,
    /// 0 to 100; null without data.
    #[schema(required, minimum = 0, maximum = 100)]
    pub(crate) score: Option<u8>,
    /// What the score is made of.
    pub(crate) score_parts: ScoreParts,
    /// The record of the last 24 hours in one word.
    pub(crate) status: HealthWord,
    /// The record of the last 24 hours.
    #[serde(rename = "record24h")]
    pub(crate) record_24h: Record,
    /// The last delivery or check.
    #[schema(required)]
    pub(crate) last_event_at: Option<IsoTime>,
    /// The last success.
    #[schema(required)]
    pub(crate) last_success_at: Option<IsoTime>,
    /// The last failure.
    #[schema(required)]
    pub(crate) last_failure_at: Option<IsoTime>,
    /// Whether it is checked on a schedule.
    pub(crate) checked: bool,
    /// How its credential stands, as in `HealthCredential`; null where it is not checked.
    #[schema(required)]
    pub(crate) credential_state: Option<String>,
    /// The last check.
    #[schema(required)]
    pub(crate) last_check_at: Option<IsoTime>,
    /// The next check.
    #[schema(required)]
    pub(crate) next_check_at: Option<IsoTime>,
    /// How long the last check took, milliseconds.
    #[schema(required)]
    pub(crate) response_time_ms: Option<u32>,
    /// How many problems are open.
    pub(crate) open_problems: i64,
}

impl IntegrationStatus {
    /// What `card` says at `now`.
    pub(crate) fn of(card: &Arc<Card>, now: Time) -> Self {
        let condition = Condition::of(&card.state, &card.integration.policy, card.incident, now);
        Self {
            id: card.integration.id.clone(),
            health: condition.health.into(),
            health_since: condition.since.into(),
            score: condition.score(),
            score_parts: condition.score_parts(),
            status: condition.record.status.into(),
            record_24h: condition.record(),
            reasons: condition.reasons,
            last_event_at: iso(card.state.last_seen),
            last_success_at: iso(card.state.last_success),
            last_failure_at: iso(card.state.last_failure),
            checked: card.integration.policy.check_interval_ms.is_some() && card.integration.enabled,
            credential_state: credential_state(&card.state, &card.integration.policy, card.integration.enabled),
            last_check_at: iso(card.state.checks.last_at),
            next_check_at: iso(card.state.checks.next_at),
            response_time_ms: card.state.checks.last_at.map(|_| card.state.checks.took_ms),
            open_problems: card.open_problems,
        }
    }
}
