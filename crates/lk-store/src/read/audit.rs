//! The audit log.

use lk_core::Time;

use crate::db::{self, values};
use crate::{Result, Store};

/// One row of `admin_logs`: who did what, when, from where, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the log.
    pub seq: i64,
    /// When.
    pub at: Time,
    /// "user", "api_key", "command_line" or "system".
    pub actor_kind: String,
    /// The user's or key's public id.
    pub actor_id: Option<String>,
    /// The name it was done under.
    pub actor_name: String,
    /// In which project; `None` for the installation.
    pub project_id: Option<String>,
    /// What was done, dotted.
    pub action: String,
    /// To what.
    pub target: String,
    /// In one redacted line.
    pub summary: String,
    /// How it ended.
    pub result: String,
    /// Where the call came from.
    pub source: Option<String>,
}

impl Store {
    /// The newest audit rows of a project (of everything, when `None`), at most `limit`, older
    /// than `before` when given.
    pub async fn audit_log(&self, project_id: Option<&str>, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>> {
        let scope = if project_id.is_some() {
            "project_id = $3 AND"
        } else {
            ""
        };
        let sql = format!(
            "SELECT seq, at, actor_kind, actor_id, actor_name, project_id, action, target, summary,
                    result, source
             FROM admin_logs WHERE {scope} seq < $1 ORDER BY seq DESC LIMIT $2"
        );
        let mut values = values![before.unwrap_or(i64::MAX), i64::from(limit)];
        values.extend(project_id.map(sea_orm::Value::from));
        let rows = db::all(self.reader(), sql, values).await?;
        rows.iter()
            .map(|row| {
                Ok(AuditRow {
                    seq: row.int("seq")?,
                    at: row.time("at")?,
                    actor_kind: row.text("actor_kind")?,
                    actor_id: row.opt_text("actor_id")?,
                    actor_name: row.text("actor_name")?,
                    project_id: row.opt_text("project_id")?,
                    action: row.text("action")?,
                    target: row.text("target")?,
                    summary: row.text("summary")?,
                    result: row.text("result")?,
                    source: row.opt_text("source")?,
                })
            })
            .collect()
    }
}
