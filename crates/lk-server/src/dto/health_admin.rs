//! The health of the whole installation, for who runs it.

use lk_core::Time;
use lk_core::words::Health;
use lk_store::{ProviderIncident, Rollup};
use serde::Serialize;
use utoipa::ToSchema;

use super::health::{mean, percent};
use super::{IsoTime, iso};

/// How many integrations are in which condition.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct HealthTotals {
    integrations: u64,
    healthy: u64,
    degraded: u64,
    down: u64,
    unknown: u64,
}

impl HealthTotals {
    /// Counts one integration.
    pub(crate) fn count(&mut self, health: Health) {
        self.integrations += 1;
        match health {
            Health::Healthy => self.healthy += 1,
            Health::Degraded => self.degraded += 1,
            Health::Down => self.down += 1,
            Health::Unknown => self.unknown += 1,
        }
    }
}

/// Checks in numbers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthChecks {
    count: u64,
    /// Percent.
    #[schema(required)]
    success_rate: Option<f64>,
    #[schema(required)]
    average_ms: Option<f64>,
    #[schema(required)]
    p95_ms: Option<u32>,
}

impl From<&Rollup> for HealthChecks {
    fn from(sum: &Rollup) -> Self {
        Self {
            count: sum.checks(),
            success_rate: percent(sum.ok, sum.checks()),
            average_ms: mean(sum.sum_ms, sum.checks()),
            p95_ms: sum.sketch.quantile(0.95),
        }
    }
}

/// One stretch of a trend.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthTrend {
    from: IsoTime,
    checks: u64,
    failed: u64,
    #[schema(required)]
    p95_ms: Option<u32>,
}

impl HealthTrend {
    /// The stretch that begins at `from`.
    pub(crate) fn of(from: Time, sum: &Rollup) -> Self {
        Self {
            from: from.into(),
            checks: sum.checks(),
            failed: sum.failed,
            p95_ms: sum.sketch.quantile(0.95),
        }
    }
}

/// What was told of an incident.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct IncidentUpdate {
    at: IsoTime,
    text: String,
}

/// One stretch in which a provider was in trouble.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Incident {
    id: String,
    /// The provider's key; empty where it is our own way out.
    provider: String,
    /// `status_page`, `inferred` or `own_egress`.
    cause: String,
    summary: String,
    opened_at: IsoTime,
    #[schema(required)]
    closed_at: Option<IsoTime>,
    /// Integrations concerned.
    affected: u64,
    /// Oldest first.
    updates: Vec<IncidentUpdate>,
}

impl From<ProviderIncident> for Incident {
    fn from(row: ProviderIncident) -> Self {
        let update = |(at, text): (Time, String)| IncidentUpdate { at: at.into(), text };
        Self {
            id: row.id,
            provider: row.provider,
            cause: row.cause.as_str().to_owned(),
            summary: row.summary,
            opened_at: row.opened_at.into(),
            closed_at: iso(row.closed_at),
            affected: row.affected,
            updates: row.updates.into_iter().map(update).collect(),
        }
    }
}

/// A provider in numbers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProviderHealth {
    pub(crate) provider: String,
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) totals: HealthTotals,
    pub(crate) checks: u64,
    /// Percent.
    #[schema(required)]
    pub(crate) success_rate: Option<f64>,
    #[schema(required)]
    pub(crate) average_ms: Option<f64>,
    #[schema(required)]
    pub(crate) p95_ms: Option<u32>,
    /// The incident that is open.
    #[schema(required)]
    pub(crate) incident: Option<Incident>,
    /// Oldest first.
    pub(crate) trend: Vec<HealthTrend>,
}

/// An integration among the slowest or the most failing.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RankedIntegration {
    pub(crate) integration_id: String,
    pub(crate) project_id: String,
    pub(crate) name: String,
    pub(crate) provider: String,
    pub(crate) checks: u64,
    pub(crate) failed: u64,
    pub(crate) average_ms: f64,
    pub(crate) p95_ms: u32,
}

/// The health of the whole installation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminHealth {
    pub(crate) generated_at: IsoTime,
    /// `24h`, `7d` or `30d`.
    pub(crate) window: String,
    pub(crate) totals: HealthTotals,
    pub(crate) checks: HealthChecks,
    /// By name.
    pub(crate) providers: Vec<ProviderHealth>,
    /// Oldest first.
    pub(crate) trend: Vec<HealthTrend>,
    /// The ten slowest by p95.
    pub(crate) slowest: Vec<RankedIntegration>,
    /// The ten that fail most.
    pub(crate) most_failing: Vec<RankedIntegration>,
    /// Open ones first, then the newest.
    pub(crate) incidents: Vec<Incident>,
}
