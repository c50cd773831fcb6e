//! Rejected deliveries: counted and explained, never kept. What proves nothing about its sender
//! changes nothing but these counters.

use lk_core::Time;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::time::HOUR;

use crate::db::{self, values};
use crate::{Result, Store};

/// Why deliveries of an integration were rejected, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The reason's code.
    pub reason: String,
    /// How often.
    pub count: i64,
    /// First time.
    pub first_at: Time,
    /// Last time.
    pub last_at: Time,
    /// What is known of the last one, as a JSON object without anything of its body or secret.
    pub detail: String,
}

/// Rejections that happened since the last flush.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionDelta {
    /// Whose address was used.
    pub integration: IntegrationRid,
    /// The reason's code.
    pub reason: String,
    /// How many.
    pub count: i64,
    /// First of them.
    pub first_at: Time,
    /// Last of them.
    pub last_at: Time,
    /// What is known of the last one, as a JSON object.
    pub detail: String,
}

impl Store {
    /// Adds counted rejections, all in one transaction. No audit row: nobody who was let in did it.
    pub async fn add_rejections(&self, deltas: &[RejectionDelta]) -> Result<()> {
        if deltas.is_empty() {
            return Ok(());
        }
        // One order for everybody, so that two nodes cannot wait for each other.
        let mut deltas: Vec<&RejectionDelta> = deltas.iter().collect();
        deltas.sort_by(|a, b| (a.integration, &a.reason).cmp(&(b.integration, &b.reason)));
        let (txn, _turn) = self.begin().await?;
        for delta in &deltas {
            db::run(
                &txn,
                "INSERT INTO webhook_rejections
                   (integration_rid, reason, count, first_at, last_at, detail)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (integration_rid, reason) DO UPDATE SET
                   count = webhook_rejections.count + excluded.count,
                   last_at = excluded.last_at, detail = excluded.detail",
                values![
                    delta.integration.0,
                    delta.reason.as_str(),
                    delta.count,
                    delta.first_at.ms(),
                    delta.last_at.ms(),
                    delta.detail.as_str(),
                ],
            )
            .await?;
        }
        for delta in &deltas {
            db::run(
                &txn,
                "INSERT INTO webhook_rejection_hours (integration_rid, hour, count)
                 VALUES ($1, $2, $3)
                 ON CONFLICT (hour, integration_rid) DO UPDATE SET
                   count = webhook_rejection_hours.count + excluded.count",
                values![delta.integration.0, delta.last_at.ms().div_euclid(HOUR), delta.count],
            )
            .await?;
        }
        txn.commit().await?;
        Ok(())
    }

    /// What was rejected for an integration, the latest first.
    pub async fn rejections(&self, integration: IntegrationRid) -> Result<Vec<Rejection>> {
        let rows = db::all(
            self.reader(),
            "SELECT reason, count, first_at, last_at, detail FROM webhook_rejections
             WHERE integration_rid = $1 ORDER BY last_at DESC, reason",
            values![integration.0],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Rejection {
                    reason: row.text("reason")?,
                    count: row.int("count")?,
                    first_at: row.time("first_at")?,
                    last_at: row.time("last_at")?,
                    detail: row.text("detail")?,
                })
            })
            .collect()
    }

    /// How many deliveries each integration of a project rejected in the last 24 hours (counted
    /// by whole hours). Integrations without any are left out.
    pub async fn rejected_24h(&self, project: ProjectRid, now: Time) -> Result<Vec<(IntegrationRid, i64)>> {
        let rows = db::all(
            self.reader(),
            "SELECT h.integration_rid, CAST(SUM(h.count) AS BIGINT) AS n
             FROM project_integrations i JOIN webhook_rejection_hours h ON h.integration_rid = i.rid
             WHERE i.project_rid = $1 AND i.deleted_at IS NULL AND h.hour > $2
             GROUP BY h.integration_rid",
            values![project.0, now.ms().div_euclid(HOUR) - 24],
        )
        .await?;
        rows.iter()
            .map(|row| Ok((IntegrationRid(row.int("integration_rid")?), row.int("n")?)))
            .collect()
    }
}
