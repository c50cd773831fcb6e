//! What a replay of the rules changes.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::classify::Verdict;

use crate::audit::Audit;
use crate::db::{self, values};
use crate::{Result, Store};

/// A problem as the rules see it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reclassified {
    /// The problem's row number.
    pub rid: i64,
    /// The new verdict.
    pub verdict: Verdict,
}

impl Store {
    /// Writes new verdicts of a project's problems. Events keep what was said when they arrived.
    pub async fn reclassify(
        &self,
        permit: &Permit,
        project_id: &str,
        changed: &[Reclassified],
        now: Time,
    ) -> Result<()> {
        let write = self.write(permit, &[Verb::Replay], now).await?;
        for one in changed {
            let v = &one.verdict;
            db::run(
                write.on(),
                "UPDATE problems SET doc = $2, category = $3, severity = $4, transient = $5,
                     confidence = $6, version = version + 1 WHERE rid = $1",
                values![
                    one.rid,
                    v.doc.as_str(),
                    i16::from(v.category.code()),
                    i16::from(v.severity.code()),
                    v.transient,
                    i16::from(v.confidence),
                ],
            )
            .await?;
        }
        write
            .commit(Audit {
                project_id: Some(project_id),
                action: "events.replayed",
                target: project_id.to_owned(),
                summary: format!("{} problems classified anew", changed.len()),
            })
            .await
    }
}
