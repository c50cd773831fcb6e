//! What a batch changes, written as arrays; the events last, alone under the advisory lock.

use lk_core::Time;
use lk_core::codec;
use lk_core::problem::Problem;
use lk_core::words::Outcome;
use sea_orm::sqlx::{self, Postgres, Row, Transaction};

use super::Result;
use crate::journal::incidents::{self, Param};
use crate::journal::rows::{EventFlags, effect_columns};
use crate::journal::{Batch, Committed, HistoryRow, ProblemRow, StateRow, rule_code};

/// The advisory lock under which events get their sequence numbers.
const SEQ_LOCK: i64 = 0x6c6b_5f73_6571;

pub(super) async fn write(txn: &mut Transaction<'_, Postgres>, batch: &Batch) -> Result<Committed> {
    write_keys(txn, batch).await?;
    write_states(txn, batch).await?;
    write_history(txn, batch).await?;
    let mut problem_rids = Vec::with_capacity(batch.problems.len());
    for row in &batch.problems {
        problem_rids.push(match row.rid {
            Some(rid) => update_problem(txn, rid, &row.problem).await?,
            None => insert_problem(txn, row, batch.now).await?,
        });
    }
    for e in &batch.effects {
        let (kind, payload) = effect_columns(&e.effect);
        sqlx::query(
            "INSERT INTO outbox (kind, rule, idem_key, payload, due_at, attempts, state, \
             created_at) VALUES ($1, $2, $3, $4, $5, 0, 0, $5) ON CONFLICT DO NOTHING",
        )
        .bind(kind)
        .bind(rule_code(e.effect.repeat_rule()))
        .bind(&e.idem_key)
        .bind(payload)
        .bind(batch.now.0)
        .execute(&mut **txn)
        .await?;
    }
    for change in &batch.incidents {
        for (sql, params) in incidents::statements(change, batch.now)? {
            // Numbered parameters carry another sign here.
            let sql = sql.replace('?', "$");
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for param in params {
                query = match param {
                    Param::Text(text) => query.bind(text),
                    Param::Int(number) => query.bind(number),
                };
            }
            query.execute(&mut **txn).await?;
        }
    }
    sqlx::query(
        "INSERT INTO journal_marks (node, batch_id) VALUES ($1, $2) \
         ON CONFLICT (node) DO UPDATE SET batch_id = excluded.batch_id",
    )
    .bind(&batch.node)
    .bind(batch.id)
    .execute(&mut **txn)
    .await?;
    let seqs = write_events(txn, batch, &problem_rids).await?;
    Ok(Committed { seqs, problem_rids })
}

async fn write_keys(txn: &mut Transaction<'_, Postgres>, batch: &Batch) -> Result<()> {
    let rids: Vec<i64> = batch.keys.iter().map(|k| k.integration.0).collect();
    let buckets: Vec<i64> = batch.keys.iter().map(|k| k.bucket(batch.now)).collect();
    let keys: Vec<Vec<u8>> = batch.keys.iter().map(|k| k.key.to_vec()).collect();
    sqlx::query(
        "INSERT INTO delivery_keys (integration_rid, bucket, key) \
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) ON CONFLICT DO NOTHING",
    )
    .bind(rids)
    .bind(buckets)
    .bind(keys)
    .execute(&mut **txn)
    .await?;
    Ok(())
}

async fn write_states(txn: &mut Transaction<'_, Postgres>, batch: &Batch) -> Result<()> {
    let column = |f: fn(&StateRow) -> i64| -> Vec<i64> { batch.states.iter().map(f).collect() };
    let blobs: Vec<Vec<u8>> = batch.states.iter().map(|r| codec::encode(&r.state)).collect();
    let moments = |f: fn(&StateRow) -> Option<Time>| -> Vec<Option<i64>> {
        batch.states.iter().map(|r| f(r).map(Time::ms)).collect()
    };
    let texts: Vec<Option<String>> = batch.states.iter().map(|r| r.last_check.clone()).collect();
    let wakes: Vec<Option<i64>> = batch.states.iter().map(|r| r.wake_at.map(Time::ms)).collect();
    sqlx::query(
        "UPDATE integration_health_checks h SET status = t.status, status_since = t.since, \
         state = t.state, version = h.version + 1, wake_at = t.wake, \
         consecutive_failures = t.streak, updated_at = $7, \
         last_check_at = t.last_at, next_check_at = t.next_at, \
         response_time_ms = CASE WHEN t.last_at IS NULL THEN NULL ELSE t.took END, \
         last_check = COALESCE(t.last_check, h.last_check) \
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], \
         $6::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[]) \
         AS t (rid, status, since, state, wake, streak, last_at, next_at, took, last_check) \
         WHERE h.integration_rid = t.rid",
    )
    .bind(column(|r| r.integration.0))
    .bind(column(|r| i64::from(r.state.health.code())))
    .bind(column(|r| r.state.since.0))
    .bind(blobs)
    .bind(wakes)
    .bind(column(|r| {
        let streak = r.state.event_streak.max(r.state.checks.streak);
        i64::from(streak)
    }))
    .bind(batch.now.0)
    .bind(moments(|r| r.state.checks.last_at))
    .bind(moments(|r| r.state.checks.next_at))
    .bind(column(|r| i64::from(r.state.checks.took_ms)))
    .bind(texts)
    .execute(&mut **txn)
    .await?;
    Ok(())
}

async fn write_history(txn: &mut Transaction<'_, Postgres>, batch: &Batch) -> Result<()> {
    if batch.history.is_empty() {
        return Ok(());
    }
    fn each<T>(batch: &Batch, f: impl Fn(&HistoryRow) -> T) -> Vec<T> {
        batch.history.iter().map(f).collect()
    }
    sqlx::query(
        "INSERT INTO integration_health_history (integration_rid, checked_at, status, outcome, \
         response_time_ms, rung, category, error_code, error_message, next_at) \
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::bigint[], \
         $6::smallint[], $7::smallint[], $8::text[], $9::text[], $10::bigint[]) ON CONFLICT DO NOTHING",
    )
    .bind(each(batch, |r| r.integration.0))
    .bind(each(batch, |r| r.checked_at.0))
    .bind(each(batch, |r| i16::from(r.status.code())))
    .bind(each(batch, |r| i16::from(r.outcome.code())))
    .bind(each(batch, |r| i64::from(r.took_ms)))
    .bind(each(batch, |r| r.rung.map(|rung| i16::from(rung.code()))))
    .bind(each(batch, |r| r.category.map(|category| i16::from(category.code()))))
    .bind(each(batch, |r| r.doc.map(|doc| doc.as_str().to_owned())))
    .bind(each(batch, |r| r.message.clone()))
    .bind(each(batch, |r| r.next_at.map(Time::ms)))
    .execute(&mut **txn)
    .await?;
    for row in &batch.history {
        for q in &row.quotas {
            sqlx::query(
                "INSERT INTO integration_quota_history (integration_rid, at, name, limit_calls, remaining, \
                 resets_at, own_count) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            )
            .bind(row.integration.0)
            .bind(row.checked_at.0)
            .bind(&q.name)
            .bind(q.limit.map(u64::cast_signed))
            .bind(q.remaining.cast_signed())
            .bind(q.resets_at.map(Time::ms))
            .bind(q.own_count)
            .execute(&mut **txn)
            .await?;
        }
    }
    Ok(())
}

async fn update_problem(txn: &mut Transaction<'_, Postgres>, rid: i64, problem: &Problem) -> Result<i64> {
    let f = &problem.failure;
    let v = &f.verdict;
    let found = sqlx::query(
        "UPDATE problems SET state = $2, doc = $3, category = $4, severity = $5, transient = $6, \
         confidence = $7, operation = $8, code = $9, http_status = $10, message = $11, count = $12, \
         last_seen = $13, version = version + (CASE WHEN state <> $2 THEN 1 ELSE 0 END) \
         WHERE rid = $1 RETURNING rid",
    )
    .bind(rid)
    .bind(i16::from(problem.state.code()))
    .bind(v.doc.as_str())
    .bind(i16::from(v.category.code()))
    .bind(i16::from(v.severity.code()))
    .bind(v.transient)
    .bind(i16::from(v.confidence))
    .bind(&f.operation)
    .bind(&f.code)
    .bind(f.http_status.map(u16::cast_signed))
    .bind(&f.message)
    .bind(problem.count as i64)
    .bind(problem.last_seen.0)
    .fetch_one(&mut **txn)
    .await?;
    Ok(found.try_get(0)?)
}

async fn insert_problem(txn: &mut Transaction<'_, Postgres>, row: &ProblemRow, now: Time) -> Result<i64> {
    let p = &row.problem;
    let f = &p.failure;
    let v = &f.verdict;
    let made = sqlx::query(
        "INSERT INTO problems (id, project_rid, integration_rid, fingerprint, fp_version, state, \
         doc, category, severity, transient, confidence, operation, code, http_status, message, \
         count, first_seen, last_seen, helpful, not_helpful, version) VALUES ($1, $2, $3, $4, $5, \
         $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, 0, 1) RETURNING rid",
    )
    .bind(crate::new_id(now)?.to_string())
    .bind(row.project.0)
    .bind(row.integration.0)
    .bind(f.fingerprint.0.to_vec())
    .bind(i16::from(lk_core::classify::FP_VERSION))
    .bind(i16::from(p.state.code()))
    .bind(v.doc.as_str())
    .bind(i16::from(v.category.code()))
    .bind(i16::from(v.severity.code()))
    .bind(v.transient)
    .bind(i16::from(v.confidence))
    .bind(&f.operation)
    .bind(&f.code)
    .bind(f.http_status.map(u16::cast_signed))
    .bind(&f.message)
    .bind(p.count as i64)
    .bind(p.first_seen.0)
    .bind(p.last_seen.0)
    .fetch_one(&mut **txn)
    .await?;
    Ok(made.try_get(0)?)
}

#[derive(Default)]
struct EventColumns {
    n: Vec<i64>,
    project: Vec<i64>,
    integration: Vec<i64>,
    problem: Vec<Option<i64>>,
    occurred: Vec<i64>,
    received: Vec<i64>,
    kind: Vec<i16>,
    outcome: Vec<Option<i16>>,
    severity: Vec<Option<i16>>,
    category: Vec<Option<i16>>,
    http_status: Vec<Option<i16>>,
    confidence: Vec<Option<i16>>,
    flags: Vec<i16>,
    transient: Vec<Option<bool>>,
    doc: Vec<Option<String>>,
    event_type: Vec<String>,
    message: Vec<String>,
    code: Vec<Option<String>>,
    operation: Vec<Option<String>>,
    headers: Vec<Option<String>>,
    body: Vec<Option<String>>,
    body_bytes: Vec<Option<i64>>,
    body_hash: Vec<Option<Vec<u8>>>,
    content_type: Vec<Option<String>>,
}

fn columns(batch: &Batch, problem_rids: &[i64]) -> EventColumns {
    let mut c = EventColumns::default();
    for (n, e) in batch.events.iter().enumerate() {
        let d = &e.draft;
        c.n.push(n as i64);
        c.project.push(e.project.0);
        c.integration.push(e.integration.0);
        c.problem.push(e.problem.and_then(|i| problem_rids.get(i).copied()));
        c.occurred.push(d.occurred_at.0);
        c.received.push(e.received_at.0);
        c.kind.push(i16::from(d.kind.code()));
        c.outcome.push(d.outcome.map(Outcome::code).map(i16::from));
        c.severity.push(d.judged.map(|j| i16::from(j.severity.code())));
        c.category.push(d.judged.map(|j| i16::from(j.category.code())));
        c.http_status.push(d.http_status.map(|s| s as i16));
        c.confidence.push(d.judged.map(|j| i16::from(j.confidence)));
        c.flags.push(EventFlags::of(d).bits());
        c.transient.push(d.judged.map(|j| j.transient));
        c.doc.push(d.judged.map(|j| j.doc.as_str().to_owned()));
        // PostgreSQL text cannot hold NUL.
        c.event_type.push(d.event_type.replace('\0', ""));
        c.message.push(d.message.replace('\0', ""));
        c.code.push(d.code.clone());
        c.operation.push(d.operation.clone());
        let p = e.payload.as_ref();
        c.headers.push(p.map(|p| p.headers.replace('\0', "")));
        c.body
            .push(p.and_then(|p| p.body.as_ref().map(|b| b.replace('\0', ""))));
        c.body_bytes.push(p.map(|p| p.body_bytes as i64));
        c.body_hash.push(p.map(|p| p.body_hash.to_vec()));
        c.content_type.push(p.and_then(|p| p.content_type.clone()));
    }
    c
}

/// The last statement before COMMIT: sequence numbers are given and become visible in one order.
/// Numbers are drawn by row, so the payload can be inserted in the same statement.
async fn write_events(txn: &mut Transaction<'_, Postgres>, batch: &Batch, problem_rids: &[i64]) -> Result<Vec<i64>> {
    if batch.events.is_empty() {
        return Ok(Vec::new());
    }
    let c = columns(batch, problem_rids);
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(SEQ_LOCK)
        .execute(&mut **txn)
        .await?;
    let rows = sqlx::query(
        "WITH t AS MATERIALIZED (SELECT nextval(pg_get_serial_sequence('integration_events', 'seq')) \
           AS seq, u.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], \
           $5::bigint[], $6::bigint[], $7::smallint[], $8::smallint[], $9::smallint[], \
           $10::smallint[], $11::smallint[], $12::smallint[], $13::smallint[], $14::boolean[], \
           $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], \
           $21::text[], $22::bigint[], $23::bytea[], $24::text[]) AS u (n, project, integration, \
           problem, occurred, received, kind, outcome, severity, category, http, confidence, \
           flags, transient, doc, type, message, code, operation, headers, body, bytes, hash, \
           content)), \
         e AS (INSERT INTO integration_events (seq, project_rid, integration_rid, problem_rid, \
           occurred_at, received_at, kind, outcome, severity, category, http_status, confidence, \
           flags, transient, doc, event_type, message, code, operation) \
           SELECT seq, project, integration, problem, occurred, received, kind, outcome, severity, \
           category, http, confidence, flags, transient, doc, type, message, code, operation FROM t), \
         p AS (INSERT INTO integration_event_payloads (seq, headers, body, body_bytes, body_hash, \
           content_type) SELECT seq, headers, body, bytes, hash, content FROM t \
           WHERE headers IS NOT NULL) \
         SELECT seq FROM t ORDER BY n",
    )
    .bind(c.n)
    .bind(c.project)
    .bind(c.integration)
    .bind(c.problem)
    .bind(c.occurred)
    .bind(c.received)
    .bind(c.kind)
    .bind(c.outcome)
    .bind(c.severity)
    .bind(c.category)
    .bind(c.http_status)
    .bind(c.confidence)
    .bind(c.flags)
    .bind(c.transient)
    .bind(c.doc)
    .bind(c.event_type)
    .bind(c.message)
    .bind(c.code)
    .bind(c.operation)
    .bind(c.headers)
    .bind(c.body)
    .bind(c.body_bytes)
    .bind(c.body_hash)
    .bind(c.content_type)
    .fetch_all(&mut **txn)
    .await?;
    rows.iter().map(|r| Ok(r.try_get(0)?)).collect()
}
