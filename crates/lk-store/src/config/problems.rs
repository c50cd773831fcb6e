//! What people change of a problem. Everything else of it is the journal's.

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use lk_core::words::ProblemState;
use sea_orm::DatabaseTransaction;

use super::{conflict, users};
use crate::audit::Audit;
use crate::db::{self, values};
use crate::error::Current;
use crate::read::{self, ProblemRow};
use crate::{Result, Store, StoreError};

/// What to change of a problem; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProblemPatch {
    /// A new state.
    pub state: Option<ProblemState>,
    /// A new owner; `Some(None)` takes the owner away.
    pub owner_user_id: Option<Option<String>>,
}

impl Store {
    /// Changes a problem that is still at `version`. The version counts what people change and
    /// what the journal changes of the state, not occurrences.
    pub async fn patch_problem(
        &self,
        permit: &Permit,
        id: &str,
        patch: &ProblemPatch,
        version: i64,
        now: Time,
    ) -> Result<ProblemRow> {
        let write = self.write(permit, &[Verb::TriageProblem], now).await?;
        let problem = read::problem_on(write.on(), id).await?;
        if problem.version != version {
            return Err(conflict(
                write.on(),
                ("problem", &["problem.triaged"]),
                id,
                Current::Problem(problem),
            )
            .await?);
        }
        let project = Self::may_own(write.on(), &problem, patch).await?;
        let state = patch.state.unwrap_or(problem.state);
        let owner = patch.owner_user_id.clone().unwrap_or(problem.owner_user_id);
        let resolved_at = match (state, problem.state) {
            (ProblemState::Resolved, ProblemState::Resolved) => problem.resolved_at,
            (ProblemState::Resolved, _) => Some(now),
            _ => None,
        };
        let changed = db::run(
            write.on(),
            "UPDATE problems SET state = $3, owner_user_id = $4, resolved_at = $5,
                 version = version + 1 WHERE rid = $1 AND version = $2",
            values![
                problem.rid,
                version,
                i16::from(state.code()),
                owner.as_deref(),
                resolved_at.map(Time::ms),
            ],
        )
        .await?;
        let problem = read::problem_on(write.on(), id).await?;
        if changed == 0 {
            return Err(conflict(
                write.on(),
                ("problem", &["problem.triaged"]),
                id,
                Current::Problem(problem),
            )
            .await?);
        }
        let owned = match owner.as_deref() {
            Some(id) => users::find(write.on(), id).await?.name,
            None => "nobody".to_owned(),
        };
        write
            .commit(Audit {
                project_id: Some(&project),
                action: "problem.triaged",
                target: id.to_owned(),
                summary: format!("state {state}, owner {owned}"),
            })
            .await?;
        Ok(problem)
    }

    /// The public id of the problem's project, when the wanted owner belongs to it.
    async fn may_own(on: &DatabaseTransaction, problem: &ProblemRow, patch: &ProblemPatch) -> Result<String> {
        let sql = "SELECT id FROM projects WHERE rid = $1";
        let project = db::one(on, sql, values![problem.project_rid.0]).await?;
        let project = project.ok_or(StoreError::missing("project"))?.text("id")?;
        if let Some(Some(owner)) = &patch.owner_user_id {
            let sql = "SELECT user_id FROM project_members WHERE project_id = $1 AND user_id = $2
                       UNION ALL SELECT id FROM users WHERE id = $2 AND operator";
            let known = db::one(on, sql, values![project.as_str(), owner.as_str()]).await?;
            if known.is_none() {
                return Err(StoreError::Invalid("the owner must be a member of the project".into()));
            }
        }
        Ok(project)
    }
}
