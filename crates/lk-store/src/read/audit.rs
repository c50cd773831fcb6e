//! Reading the audit log.

use lk_core::Time;

use crate::db::{self, Row, values};
use crate::{Result, Store};

pub(crate) const AUDIT_COLUMNS: &str =
    "seq, at, actor_kind, actor_id, actor_name, project_id, action, target, summary, result, source";

/// One row of `admin_logs`: who did what, when, from where, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the log, without gaps.
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
    /// How it ended: "ok", "denied" or "failed".
    pub result: String,
    /// Where the call came from.
    pub source: Option<String>,
}

/// Which rows of the log. Empty fields choose everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this project; `None` for the whole installation.
    pub project_id: Option<String>,
    /// By the person or key with this public id, or with this in their name.
    pub actor: Option<String>,
    /// Actions that begin so, e.g. "member." or "api_key.created".
    pub action: Option<String>,
    /// How it ended.
    pub result: Option<String>,
    /// At or after.
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
    /// Name, action, target or summary contain this.
    pub text: Option<String>,
}

pub(crate) fn read_audit(row: &Row) -> Result<AuditRow> {
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
}

impl Store {
    /// The newest audit rows that `filter` chooses, at most `limit`, older than `before` when given.
    pub async fn audit_log(&self, filter: &AuditFilter, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>> {
        let mut values = values![before.unwrap_or(i64::MAX), i64::from(limit)];
        let mut conditions = vec!["seq < $1".to_owned()];
        if let Some(actor) = &filter.actor {
            values.push(actor.as_str().into());
            values.push(db::like_pattern(actor).into());
            let (id, name) = (values.len() - 1, self.dialect().contains("actor_name", values.len()));
            conditions.push(format!("(actor_id = ${id} OR {name})"));
        }
        let mut choose = |condition: &dyn Fn(usize) -> String, value: sea_orm::Value| {
            values.push(value);
            conditions.push(condition(values.len()));
        };
        let equal = |column: &'static str| move |n: usize| format!("{column} = ${n}");
        for (column, value) in [("project_id", &filter.project_id), ("result", &filter.result)] {
            if let Some(value) = value {
                choose(&equal(column), value.as_str().into());
            }
        }
        if let Some(action) = &filter.action {
            let pattern = format!("{}%", db::escape_like(action));
            choose(&|n| format!("action LIKE ${n} ESCAPE '\\'"), pattern.into());
        }
        if let Some(from) = filter.from {
            choose(&|n| format!("at >= ${n}"), from.ms().into());
        }
        if let Some(to) = filter.to {
            choose(&|n| format!("at < ${n}"), to.ms().into());
        }
        if let Some(text) = &filter.text {
            let dialect = self.dialect();
            let any = |n: usize| {
                let columns = ["actor_name", "action", "target", "summary"];
                format!("({})", columns.map(|column| dialect.contains(column, n)).join(" OR "))
            };
            choose(&any, db::like_pattern(text).into());
        }
        let sql = format!(
            "SELECT {AUDIT_COLUMNS} FROM admin_logs WHERE {} ORDER BY seq DESC LIMIT $2",
            conditions.join(" AND ")
        );
        db::all(self.reader(), sql, values)
            .await?
            .iter()
            .map(read_audit)
            .collect()
    }
}
