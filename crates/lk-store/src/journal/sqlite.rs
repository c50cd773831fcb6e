//! The journal on SQLite: one connection, prepared statements, group commit.

use std::path::Path;

use lk_core::Time;
use lk_core::classify::Fingerprint;
use lk_core::codec;
use lk_core::observation::IntegrationRid;
use rusqlite::{Connection, OptionalExtension, params};

use super::incidents::{self, Param};
use super::rows::{EventFlags, ProblemColumns, effect_columns};
use super::{Batch, CommitError, Committed, EventRow, Loaded, StoredProblem, Touch, rule_code};
use crate::StoreError;
use crate::gate::{WriteGate, WriteTurn};

/// Prepared statements kept by the connection.
const STATEMENTS: usize = 32;
/// Page cache of the journal's connection, KiB.
const CACHE_KIB: i64 = 64 * 1024;

pub(super) struct SqliteJournal {
    db: Connection,
    gate: WriteGate,
    held: Option<WriteTurn>,
    seen_version: Option<i64>,
    generation: i64,
}

impl SqliteJournal {
    pub(super) fn open(path: &Path, gate: WriteGate) -> Result<Self, StoreError> {
        let db = Connection::open(path)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        db.pragma_update(None, "cache_size", -CACHE_KIB)?;
        db.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(Self {
            db,
            gate,
            held: None,
            seen_version: None,
            generation: 0,
        })
    }

    pub(super) fn generation(&mut self) -> Result<i64, StoreError> {
        // data_version changes with every commit of another connection; the table is asked only then.
        let version: i64 = self.db.pragma_query_value(None, "data_version", |r| r.get(0))?;
        if self.seen_version != Some(version) {
            self.generation = self
                .db
                .prepare_cached("SELECT value FROM meta WHERE key = 'generation'")?
                .query_row([], |r| r.get::<_, String>(0))?
                .parse()
                .map_err(|_| StoreError::corrupt("meta.generation is not a number"))?;
            self.seen_version = Some(version);
        }
        Ok(self.generation)
    }

    pub(super) fn load(&mut self, touch: &Touch, now: Time) -> Result<Loaded, StoreError> {
        self.abandon();
        self.held = Some(self.gate.acquire_blocking());
        let loaded = self.begin_and_read(touch, now);
        if loaded.is_err() {
            self.abandon();
        }
        loaded
    }

    fn begin_and_read(&mut self, touch: &Touch, now: Time) -> Result<Loaded, StoreError> {
        self.db.execute_batch("BEGIN IMMEDIATE")?;
        let mut loaded = Loaded::default();
        let mut select = self
            .db
            .prepare_cached("SELECT state FROM integration_health_checks WHERE integration_rid = ?1")?;
        for rid in &touch.integrations {
            let bytes: Option<Vec<u8>> = select.query_row([rid.0], |r| r.get(0)).optional()?;
            if let Some(bytes) = bytes {
                loaded.states.insert(*rid, codec::decode(&bytes)?);
            }
        }
        for &(rid, fingerprint) in &touch.problems {
            if let Some(problem) = self.problem(rid, fingerprint)? {
                loaded.problems.insert((rid, fingerprint), problem);
            }
        }
        let mut seen = self
            .db
            .prepare_cached("SELECT 1 FROM delivery_keys WHERE integration_rid = ?1 AND bucket = ?2 AND key = ?3")?;
        for key in &touch.keys {
            let mut found = false;
            for bucket in key.buckets(now) {
                found = found || seen.exists(params![key.integration.0, bucket, key.key])?;
            }
            loaded.seen.push(found);
        }
        Ok(loaded)
    }

    fn problem(&self, rid: IntegrationRid, fingerprint: Fingerprint) -> Result<Option<StoredProblem>, StoreError> {
        let row = self
            .db
            .prepare_cached(
                "SELECT rid, fingerprint, state, doc, category, severity, transient, confidence, \
                 operation, code, http_status, message, count, first_seen, last_seen, \
                 pinned_category FROM problems WHERE integration_rid = ?1 AND fingerprint = ?2",
            )?
            .query_row(params![rid.0, fingerprint.0], |r| {
                let columns = ProblemColumns {
                    fingerprint: r.get(1)?,
                    state: r.get(2)?,
                    doc: r.get(3)?,
                    category: r.get(4)?,
                    severity: r.get(5)?,
                    transient: r.get(6)?,
                    confidence: r.get(7)?,
                    operation: r.get(8)?,
                    code: r.get(9)?,
                    http_status: r.get(10)?,
                    message: r.get(11)?,
                    count: r.get(12)?,
                    first_seen: r.get(13)?,
                    last_seen: r.get(14)?,
                    pinned: r.get(15)?,
                };
                Ok((r.get::<_, i64>(0)?, columns))
            })
            .optional()?;
        row.map(|(rid, columns)| {
            Ok(StoredProblem {
                rid,
                problem: columns.into_problem()?,
            })
        })
        .transpose()
    }

    pub(super) fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        let written = self.write(batch);
        let committed = match written {
            Err(e) => {
                self.abandon();
                return Err(CommitError::RolledBack(e));
            }
            Ok(committed) => committed,
        };
        let ended = self.db.execute_batch("COMMIT");
        match ended {
            Ok(()) => {
                self.held = None;
                Ok(committed)
            }
            Err(e) => {
                self.abandon();
                Err(CommitError::Unknown(e.into()))
            }
        }
    }

    fn write(&self, batch: &Batch) -> Result<Committed, StoreError> {
        let mut key = self
            .db
            .prepare_cached("INSERT OR IGNORE INTO delivery_keys (integration_rid, bucket, key) VALUES (?1, ?2, ?3)")?;
        for k in &batch.keys {
            key.execute(params![k.integration.0, k.bucket(batch.now), k.key])?;
        }
        self.write_states(batch)?;
        self.write_history(batch)?;
        let problem_rids = self.write_problems(batch)?;
        let mut seqs = Vec::with_capacity(batch.events.len());
        for event in &batch.events {
            seqs.push(self.write_event(event, &problem_rids)?);
        }
        let mut effect = self.db.prepare_cached(
            "INSERT OR IGNORE INTO outbox (kind, rule, idem_key, payload, due_at, attempts, state, \
             created_at) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?5)",
        )?;
        for e in &batch.effects {
            let (kind, payload) = effect_columns(&e.effect);
            let rule = rule_code(e.effect.repeat_rule());
            effect.execute(params![kind, rule, e.idem_key, payload, batch.now.0])?;
        }
        for change in &batch.incidents {
            for (sql, params) in incidents::statements(change, batch.now)? {
                self.db
                    .execute(sql, rusqlite::params_from_iter(params.into_iter().map(value)))?;
            }
        }
        self.db
            .prepare_cached(
                "INSERT INTO journal_marks (node, batch_id) VALUES (?1, ?2) \
                 ON CONFLICT (node) DO UPDATE SET batch_id = excluded.batch_id",
            )?
            .execute(params![batch.node, batch.id])?;
        Ok(Committed { seqs, problem_rids })
    }

    fn write_states(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut state = self.db.prepare_cached(
            "INSERT INTO integration_health_checks (integration_rid, project_rid, status, \
             status_since, state, version, wake_at, consecutive_failures, updated_at, \
             last_check_at, next_check_at, response_time_ms, last_check) \
             VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
             ON CONFLICT (integration_rid) DO UPDATE SET status = excluded.status, \
             status_since = excluded.status_since, state = excluded.state, version = version + 1, \
             wake_at = excluded.wake_at, consecutive_failures = excluded.consecutive_failures, \
             updated_at = excluded.updated_at, last_check_at = excluded.last_check_at, \
             next_check_at = excluded.next_check_at, response_time_ms = excluded.response_time_ms, \
             last_check = COALESCE(excluded.last_check, last_check)",
        )?;
        for row in &batch.states {
            let s = &row.state;
            state.execute(params![
                row.integration.0,
                row.project.0,
                s.health.code(),
                s.since.0,
                codec::encode(s),
                row.wake_at.map(Time::ms),
                s.event_streak.max(s.checks.streak),
                batch.now.0,
                s.checks.last_at.map(Time::ms),
                s.checks.next_at.map(Time::ms),
                s.checks.last_at.map(|_| s.checks.took_ms),
                row.last_check,
            ])?;
        }
        Ok(())
    }

    fn write_history(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut result = self.db.prepare_cached(
            "INSERT OR IGNORE INTO integration_health_history (integration_rid, checked_at, status, outcome, \
             response_time_ms, rung, category, error_code, error_message, next_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        let mut quota = self.db.prepare_cached(
            "INSERT OR IGNORE INTO integration_quota_history (integration_rid, at, name, limit_calls, \
             remaining, resets_at, own_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for row in &batch.history {
            result.execute(params![
                row.integration.0,
                row.checked_at.0,
                row.status.code(),
                row.outcome.code(),
                row.took_ms,
                row.rung.map(lk_core::words::Rung::code),
                row.category.map(lk_core::words::Category::code),
                row.doc.map(lk_core::classify::DocCode::as_str),
                row.message,
                row.next_at.map(Time::ms),
            ])?;
            for q in &row.quotas {
                quota.execute(params![
                    row.integration.0,
                    row.checked_at.0,
                    q.name,
                    q.limit.map(u64::cast_signed),
                    q.remaining.cast_signed(),
                    q.resets_at.map(Time::ms),
                    q.own_count,
                ])?;
            }
        }
        Ok(())
    }

    fn write_problems(&self, batch: &Batch) -> Result<Vec<i64>, StoreError> {
        let mut update = self.db.prepare_cached(
            "UPDATE problems SET state = ?2, doc = ?3, category = ?4, severity = ?5, \
             transient = ?6, confidence = ?7, operation = ?8, code = ?9, http_status = ?10, \
             message = ?11, count = ?12, last_seen = ?13, version = version + (state <> ?2) \
             WHERE rid = ?1",
        )?;
        let mut insert = self.db.prepare_cached(
            "INSERT INTO problems (id, project_rid, integration_rid, fingerprint, fp_version, \
             state, doc, category, severity, transient, confidence, operation, code, http_status, \
             message, count, first_seen, last_seen, helpful, not_helpful, version) VALUES \
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 0, 0, 1)",
        )?;
        let mut rids = Vec::with_capacity(batch.problems.len());
        for row in &batch.problems {
            let p = &row.problem;
            let f = &p.failure;
            let v = &f.verdict;
            let (state, category, severity) = (p.state.code(), v.category.code(), v.severity.code());
            let doc = v.doc.as_str();
            if let Some(rid) = row.rid {
                update.execute(params![
                    rid,
                    state,
                    doc,
                    category,
                    severity,
                    v.transient,
                    v.confidence,
                    f.operation,
                    f.code,
                    f.http_status,
                    f.message,
                    p.count as i64,
                    p.last_seen.0,
                ])?;
                rids.push(rid);
            } else {
                rids.push(insert.insert(params![
                    crate::new_id(batch.now)?.to_string(),
                    row.project.0,
                    row.integration.0,
                    f.fingerprint.0,
                    lk_core::classify::FP_VERSION,
                    state,
                    doc,
                    category,
                    severity,
                    v.transient,
                    v.confidence,
                    f.operation,
                    f.code,
                    f.http_status,
                    f.message,
                    p.count as i64,
                    p.first_seen.0,
                    p.last_seen.0,
                ])?);
            }
        }
        Ok(rids)
    }

    fn write_event(&self, row: &EventRow, problem_rids: &[i64]) -> Result<i64, StoreError> {
        let d = &row.draft;
        let seq = self
            .db
            .prepare_cached(
                "INSERT INTO integration_events (project_rid, integration_rid, problem_rid, \
                 occurred_at, received_at, kind, outcome, severity, category, http_status, \
                 confidence, flags, transient, doc, event_type, message, code, operation) VALUES \
                 (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
            )?
            .insert(params![
                row.project.0,
                row.integration.0,
                row.problem.and_then(|i| problem_rids.get(i)),
                d.occurred_at.0,
                row.received_at.0,
                d.kind.code(),
                d.outcome.map(lk_core::words::Outcome::code),
                d.judged.map(|j| j.severity.code()),
                d.judged.map(|j| j.category.code()),
                d.http_status,
                d.judged.map(|j| j.confidence),
                EventFlags::of(d).bits(),
                d.judged.map(|j| j.transient),
                d.judged.map(|j| j.doc.as_str()),
                d.event_type,
                d.message,
                d.code,
                d.operation,
            ])?;
        if let Some(p) = &row.payload {
            self.db
                .prepare_cached(
                    "INSERT INTO integration_event_payloads (seq, headers, body, body_bytes, \
                     body_hash, content_type) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    seq,
                    p.headers,
                    p.body,
                    p.body_bytes as i64,
                    p.body_hash,
                    p.content_type,
                ])?;
        }
        Ok(seq)
    }

    pub(super) fn abandon(&mut self) {
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "rollback failed");
        }
        self.held = None;
    }

    pub(super) fn last_batch(&mut self, node: &str) -> Result<i64, StoreError> {
        let id = self
            .db
            .prepare_cached("SELECT batch_id FROM journal_marks WHERE node = ?1")?
            .query_row([node], |r| r.get(0))
            .optional()?;
        Ok(id.unwrap_or(0))
    }

    pub(super) fn sleepers(&mut self) -> Result<Vec<(IntegrationRid, Time)>, StoreError> {
        let mut select = self
            .db
            .prepare("SELECT integration_rid, wake_at FROM integration_health_checks WHERE wake_at IS NOT NULL")?;
        let rows = select.query_map([], |r| Ok((IntegrationRid(r.get(0)?), Time(r.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn value(param: Param) -> rusqlite::types::Value {
    match param {
        Param::Text(text) => text.into(),
        Param::Int(number) => number.into(),
    }
}
