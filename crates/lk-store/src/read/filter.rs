//! What an event query may ask for, and how that becomes SQL.

use lk_core::Time;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::words::{Category, EventKind, Outcome, Severity};
use sea_orm::Value;

use super::events::EventRow;
use crate::db::{Dialect, like_pattern, rid_list};

/// How an event ended, as a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeFilter {
    /// Ended so.
    Is(Outcome),
    /// Had no outcome.
    Neutral,
}

/// Which event types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeFilter {
    /// This one.
    Exactly(String),
    /// Those that begin so.
    StartsWith(String),
}

impl TypeFilter {
    /// Reads a type, or a prefix when it ends in `*`.
    pub fn parse(text: &str) -> Self {
        text.strip_suffix('*')
            .map_or_else(|| Self::Exactly(text.into()), |prefix| Self::StartsWith(prefix.into()))
    }
}

/// Which events of a project. Empty fields do not filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// The project.
    pub project: ProjectRid,
    /// Only these integrations (one, or those of a provider). `Some` of nothing finds nothing.
    pub integrations: Option<Vec<IntegrationRid>>,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only those that ended so.
    pub outcome: Option<OutcomeFilter>,
    /// Only failures of this category.
    pub category: Option<Category>,
    /// Only failures this bad.
    pub severity: Option<Severity>,
    /// Only these types.
    pub event_type: Option<TypeFilter>,
    /// Only those whose message, code or type contains this, upper or lower case alike.
    pub q: Option<String>,
    /// Received at or after.
    pub from: Option<Time>,
    /// Received before.
    pub to: Option<Time>,
    /// Only events with a smaller `seq`: where the page before ended.
    pub before: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

impl EventFilter {
    /// All events of a project, the newest `limit` first.
    pub const fn all(project: ProjectRid, limit: u32) -> Self {
        Self {
            project,
            integrations: None,
            kind: None,
            outcome: None,
            category: None,
            severity: None,
            event_type: None,
            q: None,
            from: None,
            to: None,
            before: None,
            limit,
        }
    }

    /// Whether only failures can match, so that the index of failures may be used. Only failures
    /// are classified.
    pub(super) fn only_failures(&self) -> bool {
        self.outcome == Some(OutcomeFilter::Is(Outcome::Failure))
            || (self.outcome.is_none() && (self.category.is_some() || self.severity.is_some()))
    }

    /// Whether anything must be looked at in the row itself, beyond project and integration.
    pub(super) fn looks_inside(&self) -> bool {
        self.kind.is_some()
            || self.category.is_some()
            || self.severity.is_some()
            || self.event_type.is_some()
            || self.q.is_some()
            || self.from.is_some()
            || self.to.is_some()
            || matches!(
                self.outcome,
                Some(OutcomeFilter::Neutral | OutcomeFilter::Is(Outcome::Success))
            )
    }

    /// The conditions on the row itself, to be appended to a `WHERE`, and their parameters pushed
    /// to `values`. Project, integration, `seq` and "is a failure" belong to the access path.
    pub(super) fn conditions(&self, dialect: Dialect, values: &mut Vec<Value>) -> String {
        let mut sql = String::new();
        let mut add = |condition: &dyn Fn(usize) -> String, value: Value| {
            values.push(value);
            sql.push_str(" AND ");
            sql.push_str(&condition(values.len()));
        };
        if let Some(kind) = self.kind {
            add(&|n| format!("kind = ${n}"), i16::from(kind.code()).into());
        }
        if let Some(category) = self.category {
            add(&|n| format!("category = ${n}"), i16::from(category.code()).into());
        }
        if let Some(severity) = self.severity {
            add(&|n| format!("severity = ${n}"), i16::from(severity.code()).into());
        }
        match &self.event_type {
            Some(TypeFilter::Exactly(text)) => {
                add(&|n| format!("event_type = ${n}"), text.as_str().into());
            }
            Some(TypeFilter::StartsWith(prefix)) if !prefix.is_empty() => {
                let length = prefix.chars().count();
                add(
                    &|n| format!("substr(event_type, 1, {length}) = ${n}"),
                    prefix.as_str().into(),
                );
            }
            _ => {}
        }
        if let Some(q) = self.q.as_deref().filter(|q| !q.is_empty()) {
            let anywhere = |n| {
                let columns = ["message", "code", "event_type"];
                let each = columns.map(|column| dialect.contains(column, n));
                format!("({})", each.join(" OR "))
            };
            add(&anywhere, like_pattern(q).into());
        }
        if let Some(from) = self.from {
            add(&|n| format!("received_at >= ${n}"), from.ms().into());
        }
        if let Some(to) = self.to {
            add(&|n| format!("received_at < ${n}"), to.ms().into());
        }
        match self.outcome {
            Some(OutcomeFilter::Neutral) => sql.push_str(" AND outcome IS NULL"),
            Some(OutcomeFilter::Is(Outcome::Success)) => sql.push_str(" AND outcome = 0"),
            Some(OutcomeFilter::Is(Outcome::Failure)) | None => {}
        }
        sql
    }

    /// The parameter that names the wanted integrations.
    pub(super) fn wanted(&self) -> Option<Value> {
        self.integrations
            .as_ref()
            .map(|rids| rid_list(rids.iter().map(|rid| rid.0)))
    }
}

/// One page of events, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events.
    pub items: Vec<EventRow>,
    /// What to pass as `before` for the next page; `None` when everything was looked at.
    pub next: Option<i64>,
    /// Everything from this `seq` up was looked at. A page may be short, even empty, although
    /// there is more below.
    pub scanned_to: i64,
}
