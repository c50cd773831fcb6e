//! The first page in one answer, and the demo.

use serde::Serialize;
use utoipa::ToSchema;

use super::IsoTime;
use super::integration::Bar;
use super::problem::Votes;

/// How a project does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overview {
    /// The project.
    pub(crate) project: ProjectRef,
    /// When this was true.
    pub(crate) generated_at: IsoTime,
    /// Integrations by health.
    pub(crate) health: HealthCounts,
    /// Outcomes of the last 24 hours.
    #[serde(rename = "events24h")]
    pub(crate) events_24h: EventCounts,
    /// Problems that are open.
    pub(crate) open_problems: i64,
    /// Marks on explanations.
    pub(crate) helpful: Votes,
    /// Ids of integrations that are not healthy, worst first.
    pub(crate) needs_attention: Vec<String>,
    /// The demo.
    pub(crate) demo: DemoRef,
}

/// A project in short.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectRef {
    /// Public id.
    pub(crate) id: String,
    /// Short name in addresses.
    pub(crate) slug: String,
    /// Name.
    pub(crate) name: String,
}

/// Integrations by health.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct HealthCounts {
    /// Work.
    pub(crate) healthy: i64,
    /// Work with trouble.
    pub(crate) degraded: i64,
    /// Do not work.
    pub(crate) down: i64,
    /// Not known.
    pub(crate) unknown: i64,
}

/// Outcomes of 24 hours over all integrations.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventCounts {
    /// Events with an outcome.
    pub(crate) total: i64,
    /// Failures among them.
    pub(crate) failures: i64,
    /// Successes in percent; null without any.
    #[schema(required)]
    pub(crate) success_rate: Option<f64>,
    /// By hour, oldest first.
    pub(crate) per_hour: Vec<Bar>,
}

/// Whether the demo is loaded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DemoRef {
    /// Whether its integrations are here.
    pub(crate) loaded: bool,
}

/// The demo's state.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Demo {
    /// Whether its integrations are here.
    pub(crate) loaded: bool,
    /// Whether its providers are sending.
    pub(crate) running: bool,
    /// How many integrations it made.
    pub(crate) integrations: i64,
}
