//! Events: rows for lists and the live tail, and one event with its payload.

use std::collections::HashMap;

use lk_core::Time;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::words::{Category, EventKind, Health, Outcome, Severity};
use uuid::Uuid;

use crate::db::{self, Row, rid_list, values};
use crate::ids::{event_id, parse_event_id};
use crate::journal::EventFlags;
use crate::{Result, Store, StoreError};

pub(super) const COLUMNS: &str = "seq, project_rid, integration_rid, problem_rid, occurred_at, \
     received_at, kind, outcome, severity, category, http_status, confidence, flags, transient, \
     doc, event_type, message, code, operation";

/// One row of the journal with the names that people see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its place in the journal.
    pub seq: i64,
    /// Its public id.
    pub id: Uuid,
    /// Whose project.
    pub project_rid: ProjectRid,
    /// Which integration.
    pub integration_rid: IntegrationRid,
    /// The integration's public id; empty when it is gone.
    pub integration_id: String,
    /// The integration's name.
    pub integration_name: String,
    /// The provider's key.
    pub provider: String,
    /// Row number of the problem it belongs to.
    pub problem_rid: Option<i64>,
    /// Public id of that problem.
    pub problem_id: Option<String>,
    /// The category a person pinned that problem to.
    pub pinned_category: Option<Category>,
    /// When it happened.
    pub occurred_at: Time,
    /// When it was received.
    pub received_at: Time,
    /// What it tells of.
    pub kind: EventKind,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// How bad, for failures.
    pub severity: Option<Severity>,
    /// Kind of failure.
    pub category: Option<Category>,
    /// The HTTP status a failure carried.
    pub http_status: Option<u16>,
    /// Certainty of the classification, percent.
    pub confidence: Option<u8>,
    /// Whether repeating would probably work.
    pub transient: Option<bool>,
    /// The document that explains it.
    pub doc: Option<String>,
    /// The provider's or our own dotted type.
    pub event_type: String,
    /// One line for people.
    pub message: String,
    /// The provider's own code.
    pub code: Option<String>,
    /// What was attempted.
    pub operation: Option<String>,
    /// Stored although its body could not be read.
    pub quarantined: bool,
    /// Health before and after, where this event changed it.
    pub health: Option<(Health, Health)>,
}

/// The redacted request behind an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadRow {
    /// The headers that were kept, as a JSON object.
    pub headers: String,
    /// The redacted body: JSON text, or a redacted piece of what could not be read.
    pub body: Option<String>,
    /// Size of the body as it arrived.
    pub body_bytes: i64,
    /// Hash of the body as it arrived.
    pub body_hash: Vec<u8>,
    /// What the sender called it.
    pub content_type: Option<String>,
}

/// One event with all that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDetail {
    /// The event.
    pub event: EventRow,
    /// Its request, when it came by webhook and is still kept.
    pub payload: Option<PayloadRow>,
}

fn read(row: &Row) -> Result<EventRow> {
    let (seq, received_at) = (row.int("seq")?, row.time("received_at")?);
    let flags = EventFlags::from_bits(row.get("flags")?);
    Ok(EventRow {
        seq,
        id: event_id(seq, received_at),
        project_rid: ProjectRid(row.int("project_rid")?),
        integration_rid: IntegrationRid(row.int("integration_rid")?),
        integration_id: String::new(),
        integration_name: String::new(),
        provider: String::new(),
        problem_rid: row.opt_int("problem_rid")?,
        problem_id: None,
        pinned_category: None,
        occurred_at: row.time("occurred_at")?,
        received_at,
        kind: row.word("kind", EventKind::from_code)?,
        outcome: row.opt_word("outcome", Outcome::from_code)?,
        severity: row.opt_word("severity", Severity::from_code)?,
        category: row.opt_word("category", Category::from_code)?,
        http_status: row.opt_small("http_status")?.map(i16::cast_unsigned),
        confidence: row.opt_small("confidence")?.map(|percent| percent.clamp(0, 100) as u8),
        transient: row.get("transient")?,
        doc: row.opt_text("doc")?,
        event_type: row.text("event_type")?,
        message: row.text("message")?,
        code: row.opt_text("code")?,
        operation: row.opt_text("operation")?,
        quarantined: flags.quarantined,
        health: flags.health,
    })
}

impl Store {
    /// The events after `seq`, oldest first, at most `limit`, of every project: for the one tail
    /// that feeds the live stream.
    pub async fn events_after(&self, seq: i64, limit: u32) -> Result<Vec<EventRow>> {
        let sql = format!("SELECT {COLUMNS} FROM integration_events WHERE seq > $1 ORDER BY seq LIMIT $2");
        self.dress(db::all(self.reader(), sql, values![seq, i64::from(limit)]).await?)
            .await
    }

    /// The `seq` of the newest event; 0 when there is none.
    pub async fn last_seq(&self) -> Result<i64> {
        let sql = "SELECT seq FROM integration_events ORDER BY seq DESC LIMIT 1";
        db::one(self.reader(), sql, vec![])
            .await?
            .map_or(Ok(0), |row| row.int("seq"))
    }

    /// The newest events of one integration.
    pub async fn latest_events(&self, integration: IntegrationRid, limit: u32) -> Result<Vec<EventRow>> {
        let (span, order) = self.dialect().walk("integration_rid", "$1", "$2", "$3");
        let sql = format!("SELECT {COLUMNS} FROM integration_events WHERE {span} {order} LIMIT $4");
        let values = values![integration.0, 0_i64, i64::MAX, i64::from(limit)];
        self.dress(db::all(self.reader(), sql, values).await?).await
    }

    /// One event of a project by its public id, with its payload.
    pub async fn event(&self, project: ProjectRid, id: &str) -> Result<EventDetail> {
        let missing = StoreError::missing("event");
        let Some((seq, received_at)) = Uuid::parse_str(id).ok().and_then(parse_event_id) else {
            return Err(missing);
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM integration_events
             WHERE seq = $1 AND received_at = $2 AND project_rid = $3"
        );
        let values = values![seq, received_at.ms(), project.0];
        let rows = db::all(self.reader(), sql, values).await?;
        let event = self.dress(rows).await?.pop().ok_or(missing)?;
        let sql = "SELECT headers, body, body_bytes, body_hash, content_type
                   FROM integration_event_payloads WHERE seq = $1";
        let payload = db::one(self.reader(), sql, values![seq])
            .await?
            .map(|row| {
                Ok::<_, StoreError>(PayloadRow {
                    headers: row.text("headers")?,
                    body: row.opt_text("body")?,
                    body_bytes: row.int("body_bytes")?,
                    body_hash: row.get("body_hash")?,
                    content_type: row.opt_text("content_type")?,
                })
            })
            .transpose()?;
        Ok(EventDetail { event, payload })
    }

    /// The newest other events of the same problem.
    pub async fn similar_events(&self, problem_rid: i64, except_seq: i64, limit: u32) -> Result<Vec<EventRow>> {
        let (span, order) = self.dialect().walk("problem_rid", "$1", "$2", "$3");
        let sql = format!(
            "SELECT {COLUMNS} FROM integration_events
             WHERE {span} AND problem_rid IS NOT NULL AND seq <> $4 {order} LIMIT $5"
        );
        let values = values![problem_rid, 0_i64, i64::MAX, except_seq, i64::from(limit)];
        self.dress(db::all(self.reader(), sql, values).await?).await
    }

    /// Reads rows and adds the names of their integrations and problems.
    pub(super) async fn dress(&self, rows: Vec<Row>) -> Result<Vec<EventRow>> {
        let mut events = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        if events.is_empty() {
            return Ok(events);
        }
        let mut integrations = HashMap::new();
        let sql = format!(
            "SELECT rid, id, name, provider FROM project_integrations WHERE {}",
            self.dialect().one_of("rid", 1)
        );
        let wanted = rid_list(distinct(events.iter().map(|e| e.integration_rid.0)));
        for row in db::all(self.reader(), sql, vec![wanted]).await? {
            let names = (row.text("id")?, row.text("name")?, row.text("provider")?);
            integrations.insert(row.int("rid")?, names);
        }
        let mut problems = HashMap::new();
        let wanted = distinct(events.iter().filter_map(|e| e.problem_rid));
        if !wanted.is_empty() {
            let sql = format!(
                "SELECT rid, id, pinned_category FROM problems WHERE {}",
                self.dialect().one_of("rid", 1)
            );
            for row in db::all(self.reader(), sql, vec![rid_list(wanted)]).await? {
                let pinned = row.opt_word("pinned_category", Category::from_code)?;
                problems.insert(row.int("rid")?, (row.text("id")?, pinned));
            }
        }
        for event in &mut events {
            if let Some((id, name, provider)) = integrations.get(&event.integration_rid.0) {
                event.integration_id.clone_from(id);
                event.integration_name.clone_from(name);
                event.provider.clone_from(provider);
            }
            if let Some((id, pinned)) = event.problem_rid.and_then(|rid| problems.get(&rid)) {
                event.problem_id = Some(id.clone());
                event.pinned_category = *pinned;
            }
        }
        Ok(events)
    }
}

fn distinct(rids: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut rids: Vec<i64> = rids.collect();
    rids.sort_unstable();
    rids.dedup();
    rids
}
