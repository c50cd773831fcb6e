//! Problems: failures with one fingerprint, as people see them.

use std::collections::HashMap;

use lk_core::Time;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::words::{Category, ProblemState, Severity};
use sea_orm::{ConnectionTrait, Value};
use uuid::Uuid;

use crate::db::{self, Row, rid_list, values};
use crate::ids::event_id;
use crate::{Result, Store, StoreError};

const SELECT: &str = "SELECT p.rid, p.id, p.project_rid, p.integration_rid, i.id AS integration_id, \
     i.name AS integration_name, i.provider, p.state, p.doc, p.category, p.severity, p.transient, \
     p.confidence, p.operation, p.code, p.http_status, p.message, p.count, p.first_seen, \
     p.last_seen, p.owner_user_id, u.name AS owner_name, p.pinned_category, p.helpful, \
     p.not_helpful, p.resolved_at, p.version \
     FROM problems p JOIN project_integrations i ON i.rid = p.integration_rid \
     LEFT JOIN users u ON u.id = p.owner_user_id \
     WHERE i.deleted_at IS NULL";

/// A problem with the names that people see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemRow {
    /// Its row number.
    pub rid: i64,
    /// Its public id.
    pub id: String,
    /// Whose project.
    pub project_rid: ProjectRid,
    /// Which integration.
    pub integration_rid: IntegrationRid,
    /// The integration's public id.
    pub integration_id: String,
    /// The integration's name.
    pub integration_name: String,
    /// The provider's key.
    pub provider: String,
    /// Where it stands.
    pub state: ProblemState,
    /// The document that explains it.
    pub doc: String,
    /// Kind of failure by the rules.
    pub category: Category,
    /// How bad.
    pub severity: Severity,
    /// Whether repeating would probably work.
    pub transient: bool,
    /// Certainty of the rules, percent.
    pub confidence: u8,
    /// What was attempted.
    pub operation: String,
    /// The provider's own code.
    pub code: Option<String>,
    /// The HTTP status it carried.
    pub http_status: Option<u16>,
    /// The message as last seen.
    pub message: String,
    /// How often.
    pub count: i64,
    /// The first time.
    pub first_seen: Time,
    /// The last time.
    pub last_seen: Time,
    /// Who takes care of it.
    pub owner_user_id: Option<String>,
    /// The owner's name.
    pub owner_name: Option<String>,
    /// A person's correction of the category, which outranks the rules.
    pub pinned_category: Option<Category>,
    /// How many found its explanation helpful.
    pub helpful: i64,
    /// How many did not.
    pub not_helpful: i64,
    /// When somebody said it was fixed.
    pub resolved_at: Option<Time>,
    /// Counts changes of state, owner and pin.
    pub version: i64,
    /// Its newest event that is still kept.
    pub last_event: Option<Uuid>,
}

/// Which problems of a project. Empty fields do not filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemFilter {
    /// The project.
    pub project: ProjectRid,
    /// Only in these states; empty for all.
    pub states: Vec<ProblemState>,
    /// Only these integrations.
    pub integrations: Option<Vec<IntegrationRid>>,
    /// Only of this category, corrections counted.
    pub category: Option<Category>,
    /// Only this bad.
    pub severity: Option<Severity>,
    /// Where the page before ended: last seen and row number.
    pub before: Option<(Time, i64)>,
    /// At most this many.
    pub limit: u32,
}

impl ProblemFilter {
    /// All problems of a project, the `limit` last seen first.
    pub const fn all(project: ProjectRid, limit: u32) -> Self {
        Self {
            project,
            states: Vec::new(),
            integrations: None,
            category: None,
            severity: None,
            before: None,
            limit,
        }
    }
}

/// One page of problems, the last seen first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemPage {
    /// The problems.
    pub items: Vec<ProblemRow>,
    /// What to pass as `before` for the next page.
    pub next: Option<(Time, i64)>,
}

fn read(row: &Row) -> Result<ProblemRow> {
    Ok(ProblemRow {
        rid: row.int("rid")?,
        id: row.text("id")?,
        project_rid: ProjectRid(row.int("project_rid")?),
        integration_rid: IntegrationRid(row.int("integration_rid")?),
        integration_id: row.text("integration_id")?,
        integration_name: row.text("integration_name")?,
        provider: row.text("provider")?,
        state: row.word("state", ProblemState::from_code)?,
        doc: row.text("doc")?,
        category: row.word("category", Category::from_code)?,
        severity: row.word("severity", Severity::from_code)?,
        transient: row.flag("transient")?,
        confidence: row.get::<i16>("confidence")?.clamp(0, 100) as u8,
        operation: row.text("operation")?,
        code: row.opt_text("code")?,
        http_status: row.opt_small("http_status")?.map(i16::cast_unsigned),
        message: row.text("message")?,
        count: row.int("count")?,
        first_seen: row.time("first_seen")?,
        last_seen: row.time("last_seen")?,
        owner_user_id: row.opt_text("owner_user_id")?,
        owner_name: row.opt_text("owner_name")?,
        pinned_category: row.opt_word("pinned_category", Category::from_code)?,
        helpful: row.int("helpful")?,
        not_helpful: row.int("not_helpful")?,
        resolved_at: row.opt_time("resolved_at")?,
        version: row.int("version")?,
        last_event: None,
    })
}

/// The newest event of a problem that is still kept.
async fn last_event<C: ConnectionTrait>(on: &C, problem: i64) -> Result<Option<Uuid>> {
    let sql = "SELECT seq, received_at FROM integration_events WHERE problem_rid = $1
               ORDER BY seq DESC LIMIT 1";
    let row = db::one(on, sql, values![problem]).await?;
    row.map(|row| Ok(event_id(row.int("seq")?, row.time("received_at")?)))
        .transpose()
}

/// The problem with this public id, inside or outside a transaction.
pub(crate) async fn problem_on<C: ConnectionTrait>(on: &C, id: &str) -> Result<ProblemRow> {
    let row = db::one(on, format!("{SELECT} AND p.id = $1"), values![id]).await?;
    let mut problem = read(&row.ok_or(StoreError::missing("problem"))?)?;
    problem.last_event = last_event(on, problem.rid).await?;
    Ok(problem)
}

impl Store {
    /// The problem with this public id. Compare its project with the caller's.
    pub async fn problem(&self, id: &str) -> Result<ProblemRow> {
        problem_on(self.reader(), id).await
    }

    /// The problems that a filter lets through.
    pub async fn problems(&self, filter: &ProblemFilter) -> Result<ProblemPage> {
        let mut sql = format!("{SELECT} AND p.project_rid = $1");
        let mut values = values![filter.project.0];
        if !filter.states.is_empty() {
            let codes: Vec<String> = filter.states.iter().map(|state| state.code().to_string()).collect();
            sql.push_str(" AND p.state IN (");
            sql.push_str(&codes.join(", "));
            sql.push(')');
        }
        let mut add = |condition: &dyn Fn(usize) -> String, value: Value| {
            values.push(value);
            sql.push_str(" AND ");
            sql.push_str(&condition(values.len()));
        };
        if let Some(category) = filter.category {
            let corrected = |n| format!("COALESCE(p.pinned_category, p.category) = ${n}");
            add(&corrected, i16::from(category.code()).into());
        }
        if let Some(severity) = filter.severity {
            add(&|n| format!("p.severity = ${n}"), i16::from(severity.code()).into());
        }
        if let Some(rids) = &filter.integrations {
            let one_of = |n| self.dialect().one_of("p.integration_rid", n);
            add(&one_of, rid_list(rids.iter().map(|rid| rid.0)));
        }
        if let Some((seen, rid)) = filter.before {
            add(&|n| format!("p.last_seen <= ${n}"), seen.ms().into());
            let n = values.len();
            values.push(rid.into());
            let tie = format!(" AND (p.last_seen < ${n} OR p.rid < ${})", n + 1);
            sql.push_str(&tie);
        }
        values.push(i64::from(filter.limit).into());
        let tail = format!(" ORDER BY p.last_seen DESC, p.rid DESC LIMIT ${}", values.len());
        sql.push_str(&tail);
        let rows = db::all(self.reader(), sql, values).await?;
        let mut items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        self.add_last_events(&mut items).await?;
        let full = items.len() as i64 == i64::from(filter.limit);
        let next = items
            .last()
            .filter(|_| full)
            .map(|problem| (problem.last_seen, problem.rid));
        Ok(ProblemPage { items, next })
    }

    /// Adds to each problem its newest event that is still kept.
    async fn add_last_events(&self, problems: &mut [ProblemRow]) -> Result<()> {
        let sql = format!(
            "SELECT x.rid, e.seq, e.received_at FROM (
               SELECT p.rid, (SELECT MAX(v.seq) FROM integration_events v WHERE v.problem_rid = p.rid) AS seq
               FROM problems p WHERE {}) x
             JOIN integration_events e ON e.seq = x.seq",
            self.dialect().one_of("p.rid", 1)
        );
        let wanted = rid_list(problems.iter().map(|problem| problem.rid));
        let mut newest = HashMap::new();
        for row in db::all(self.reader(), sql, vec![wanted]).await? {
            newest.insert(row.int("rid")?, event_id(row.int("seq")?, row.time("received_at")?));
        }
        for problem in problems {
            problem.last_event = newest.get(&problem.rid).copied();
        }
        Ok(())
    }
}
