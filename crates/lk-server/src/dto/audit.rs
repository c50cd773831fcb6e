//! The audit log.

use std::collections::HashMap;

use lk_store::{AuditCheck as Checked, AuditRow};
use serde::Serialize;
use utoipa::ToSchema;

use super::IsoTime;

/// One page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditList {
    /// Newest first.
    pub(crate) items: Vec<AuditEntry>,
    /// Send it as `cursor` for the next page; null at the end.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// Who changed what.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuditEntry {
    /// Its place in the log, without gaps over the whole installation.
    pub(crate) seq: i64,
    /// When.
    pub(crate) at: IsoTime,
    /// `user`, `api_key`, `command_line` or `system`.
    pub(crate) actor_kind: String,
    /// Who.
    #[schema(required)]
    pub(crate) actor_id: Option<String>,
    /// Their name then.
    pub(crate) actor_name: String,
    /// In which project; null for the installation.
    #[schema(required)]
    pub(crate) project_id: Option<String>,
    /// The project's name.
    #[schema(required)]
    pub(crate) project_name: Option<String>,
    /// What was done or tried, dotted.
    pub(crate) action: String,
    /// To what.
    pub(crate) target: String,
    /// What changed, without secrets.
    pub(crate) summary: String,
    /// How it ended: `ok`, `denied` (may not) or `failed` (could not prove it).
    pub(crate) result: String,
    /// The address it came from.
    #[schema(required)]
    pub(crate) source: Option<String>,
}

impl AuditEntry {
    /// An entry, with the names of projects by id.
    pub(crate) fn new(row: AuditRow, projects: &HashMap<String, String>) -> Self {
        Self {
            seq: row.seq,
            at: row.at.into(),
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            project_name: row.project_id.as_ref().and_then(|id| projects.get(id)).cloned(),
            project_id: row.project_id,
            action: row.action,
            target: row.target,
            summary: row.summary,
            result: row.result,
            source: row.source,
        }
    }
}

/// What a check of the whole log found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditCheck {
    /// Whether every row is there and as it was written.
    pub(crate) ok: bool,
    /// Rows that were looked at.
    pub(crate) rows: u64,
    /// The newest row. Note it elsewhere: rows taken away from the end later show against it.
    #[schema(required)]
    pub(crate) head: Option<AuditHead>,
    /// The first thing that is wrong.
    #[schema(required)]
    pub(crate) problem: Option<AuditProblem>,
}

/// The newest row of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditHead {
    /// Its place.
    pub(crate) seq: i64,
    /// Its hash, which depends on every row before it.
    pub(crate) hash: String,
}

/// What is wrong with the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditProblem {
    /// The row.
    pub(crate) seq: i64,
    /// `missing`, `edited` or `truncated`.
    pub(crate) kind: String,
    /// A sentence for people.
    pub(crate) message: String,
}

impl From<Checked> for AuditCheck {
    fn from(check: Checked) -> Self {
        Self {
            ok: check.problem.is_none(),
            rows: check.rows,
            head: check.head.map(|(seq, hash)| AuditHead { seq, hash }),
            problem: check.problem.map(|problem| AuditProblem {
                seq: problem.seq(),
                kind: problem.as_str().to_owned(),
                message: format!("{problem}."),
            }),
        }
    }
}
