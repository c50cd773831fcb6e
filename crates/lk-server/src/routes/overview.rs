//! The first page in one answer.

use axum::Json;
use axum::extract::State;
use lk_core::Time;
use lk_core::health::windows::Counts;
use lk_core::words::Health;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ProjectParam;
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::dto::cards::{Condition, bar};
use crate::dto::integration::Bar;
use crate::dto::overview::{DemoRef, EventCounts, HealthCounts, Overview, ProjectRef};
use crate::dto::problem::Votes;
use crate::error::ApiError;
use crate::extract::Query;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_overview))
}

/// How a project does.
#[utoipa::path(
    get, path = "/api/overview", operation_id = "getOverview", tag = "overview",
    params(ProjectParam),
    responses((status = 200, body = Overview))
)]
async fn get_overview(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
) -> Result<Json<Overview>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let now = app.now();
    let cards = app.engine().live().cards(access.project.rid).await?;
    let mut health = HealthCounts::default();
    let mut hours: [(Time, Counts); 24] = Default::default();
    let mut attention: Vec<(Health, u8, String)> = Vec::new();
    let mut open_problems = 0;
    for card in &cards {
        let condition = Condition::of(&card.state, &card.integration.policy, card.incident, now);
        match condition.health {
            Health::Healthy => health.healthy += 1,
            Health::Degraded => health.degraded += 1,
            Health::Down => health.down += 1,
            Health::Unknown => health.unknown += 1,
        }
        if condition.health > Health::Healthy {
            let score = condition.score().unwrap_or(0);
            attention.push((condition.health, score, card.integration.id.clone()));
        }
        for (sum, (at, counts)) in hours.iter_mut().zip(card.state.windows.hourly(now)) {
            sum.0 = at;
            sum.1.ok = sum.1.ok.saturating_add(counts.ok);
            sum.1.failed = sum.1.failed.saturating_add(counts.failed);
        }
        open_problems += card.open_problems;
    }
    // Worst health first, then the lowest score.
    attention.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let helpful = app.store().helpfulness(access.project.rid).await?;
    let loaded = super::demo::loaded(&app, access.project.rid).await? > 0;
    Ok(Json(Overview {
        generated_at: now.into(),
        health,
        events_24h: event_counts(&hours, cards.is_empty(), now),
        open_problems,
        helpful: Votes {
            yes: helpful.0,
            no: helpful.1,
        },
        needs_attention: attention.into_iter().map(|(_, _, id)| id).collect(),
        demo: DemoRef { loaded },
        project: ProjectRef {
            id: access.project.id,
            slug: access.project.slug,
            name: access.project.name,
        },
    }))
}

fn event_counts(hours: &[(Time, Counts)], empty: bool, now: Time) -> EventCounts {
    let ok: i64 = hours.iter().map(|(_, n)| i64::from(n.ok)).sum();
    let failures: i64 = hours.iter().map(|(_, n)| i64::from(n.failed)).sum();
    let total = ok + failures;
    let per_hour: Vec<Bar> = if empty {
        // Without integrations the hours are still named, so that an empty chart has its axis.
        let empty = lk_core::health::windows::Windows::default();
        empty.hourly(now).into_iter().map(|(at, n)| bar(at, n)).collect()
    } else {
        hours.iter().map(|(at, n)| bar(*at, *n)).collect()
    };
    EventCounts {
        total,
        failures,
        success_rate: (total > 0).then(|| ok as f64 * 100.0 / total as f64),
        per_hour,
    }
}
