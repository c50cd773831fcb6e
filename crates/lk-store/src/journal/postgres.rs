//! The journal on PostgreSQL: rows locked in one order, everything written as arrays, and the
//! event insert alone under the advisory lock that makes sequence numbers visible in their order.

use lk_core::Time;
use lk_core::classify::Fingerprint;
use lk_core::codec;
use lk_core::observation::IntegrationRid;
use lk_core::state::IntegrationState;
use lk_core::words::Outcome;
use sea_orm::sqlx::{self, PgPool, Postgres, Row, Transaction, postgres::PgRow};
use tokio::runtime::Handle;

use super::rows::{EventFlags, ProblemColumns, effect_columns};
use super::{Batch, CommitError, Committed, Loaded, StoredProblem, Touch, rule_code};
use crate::{Store, StoreError};

/// The advisory lock under which events get their sequence numbers.
const SEQ_LOCK: i64 = 0x6c6b_5f73_6571;
/// The channel that tells other nodes of new events.
const CHANNEL: &str = "linekeeper_events";

type Result<T, E = StoreError> = std::result::Result<T, E>;

pub(super) struct PgJournal {
    pool: PgPool,
    runtime: Handle,
    open: Option<Transaction<'static, Postgres>>,
}

impl PgJournal {
    pub(super) fn open(store: &Store, runtime: Handle) -> Result<Self> {
        let pool = store
            .postgres_pool()
            .ok_or_else(|| StoreError::Invalid("the store is not on PostgreSQL".to_owned()))?
            .clone();
        Ok(Self {
            pool,
            runtime,
            open: None,
        })
    }

    pub(super) fn generation(&mut self) -> Result<i64> {
        let sql = "SELECT value::bigint FROM meta WHERE key = 'generation'";
        let row = self.runtime.block_on(sqlx::query(sql).fetch_one(&self.pool))?;
        Ok(row.try_get(0)?)
    }

    pub(super) fn load(&mut self, touch: &Touch, now: Time) -> Result<Loaded> {
        self.abandon();
        let runtime = self.runtime.clone();
        let (txn, loaded) = runtime.block_on(async {
            let mut txn = self.pool.begin().await?;
            let loaded = read(&mut txn, touch, now).await?;
            Ok::<_, StoreError>((txn, loaded))
        })?;
        self.open = Some(txn);
        Ok(loaded)
    }

    pub(super) fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        let missing = || StoreError::Invalid("no transaction is open".to_owned());
        let mut txn = self.open.take().ok_or_else(|| CommitError::RolledBack(missing()))?;
        let pool = self.pool.clone();
        self.runtime.clone().block_on(async move {
            let written = write(&mut txn, batch).await;
            let committed = match written {
                Ok(committed) => committed,
                Err(e) => {
                    // The connection is dropped with the transaction, which ends it either way.
                    drop(txn.rollback().await);
                    return Err(CommitError::RolledBack(e));
                }
            };
            txn.commit().await.map_err(|e| CommitError::Unknown(e.into()))?;
            // After the commit and from another connection: a notification inside the transaction
            // would serialise all committers on the notification queue.
            let notified = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(&pool);
            if let Err(error) = notified.await {
                tracing::debug!(%error, "other nodes will notice by polling");
            }
            Ok(committed)
        })
    }

    pub(super) fn abandon(&mut self) {
        if let Some(txn) = self.open.take()
            && let Err(error) = self.runtime.block_on(txn.rollback())
        {
            tracing::warn!(%error, "rollback failed");
        }
    }

    pub(super) fn last_batch(&mut self, node: &str) -> Result<i64> {
        let sql = "SELECT batch_id FROM journal_marks WHERE node = $1";
        let found = sqlx::query(sql).bind(node).fetch_optional(&self.pool);
        match self.runtime.block_on(found)? {
            Some(row) => Ok(row.try_get(0)?),
            None => Ok(0),
        }
    }

    pub(super) fn sleepers(&mut self) -> Result<Vec<(IntegrationRid, Time)>> {
        let sql = "SELECT integration_rid, wake_at FROM integration_health_checks \
                   WHERE wake_at IS NOT NULL";
        let rows = self.runtime.block_on(sqlx::query(sql).fetch_all(&self.pool))?;
        rows.iter()
            .map(|r| Ok((IntegrationRid(r.try_get(0)?), Time(r.try_get(1)?))))
            .collect()
    }
}

impl Store {
    fn postgres_pool(&self) -> Option<&PgPool> {
        match self.config() {
            crate::StoreConfig::Postgres { .. } => Some(self.reader().get_postgres_connection_pool()),
            crate::StoreConfig::Sqlite { .. } => None,
        }
    }
}

async fn read(txn: &mut Transaction<'_, Postgres>, touch: &Touch, now: Time) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut rids: Vec<i64> = touch.integrations.iter().map(|r| r.0).collect();
    rids.sort_unstable();
    // A state that does not exist yet is made first, so that there is a row to lock and two nodes
    // that meet a new integration take turns.
    sqlx::query(
        "INSERT INTO integration_health_checks (integration_rid, project_rid, status, \
         status_since, state, version, consecutive_failures, updated_at) \
         SELECT i.rid, i.project_rid, 0, i.created_at, $2, 0, 0, i.created_at \
         FROM project_integrations i WHERE i.rid = ANY($1) ORDER BY i.rid \
         ON CONFLICT (integration_rid) DO NOTHING",
    )
    .bind(&rids)
    .bind(codec::encode(&IntegrationState::new(now)))
    .execute(&mut **txn)
    .await?;
    let states = sqlx::query(
        "SELECT integration_rid, state FROM integration_health_checks \
         WHERE integration_rid = ANY($1) ORDER BY integration_rid FOR UPDATE",
    )
    .bind(&rids)
    .fetch_all(&mut **txn)
    .await?;
    for row in states {
        let bytes: Vec<u8> = row.try_get(1)?;
        loaded
            .states
            .insert(IntegrationRid(row.try_get(0)?), codec::decode(&bytes)?);
    }
    let clock: i64 = sqlx::query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        .fetch_one(&mut **txn)
        .await?
        .try_get(0)?;
    loaded.now = Some(Time(clock));
    read_problems(txn, touch, &mut loaded).await?;
    read_keys(txn, touch, now, &mut loaded).await?;
    Ok(loaded)
}

/// Problems need no lock against other nodes (their integration's row is locked), but people change
/// them too.
async fn read_problems(txn: &mut Transaction<'_, Postgres>, touch: &Touch, loaded: &mut Loaded) -> Result<()> {
    if touch.problems.is_empty() {
        return Ok(());
    }
    let (rids, prints): (Vec<i64>, Vec<Vec<u8>>) = touch.problems.iter().map(|(r, f)| (r.0, f.0.to_vec())).unzip();
    let rows = sqlx::query(
        "SELECT p.rid, p.integration_rid, p.fingerprint, p.state, p.doc, p.category, p.severity, \
         p.transient, p.confidence, p.operation, p.code, p.http_status, p.message, p.count, \
         p.first_seen, p.last_seen, p.pinned_category FROM problems p \
         JOIN unnest($1::bigint[], $2::bytea[]) AS t (i, f) \
         ON p.integration_rid = t.i AND p.fingerprint = t.f ORDER BY p.rid FOR UPDATE OF p",
    )
    .bind(rids)
    .bind(prints)
    .fetch_all(&mut **txn)
    .await?;
    for row in rows {
        let rid: i64 = row.try_get(0)?;
        let integration = IntegrationRid(row.try_get(1)?);
        let problem = problem_columns(&row)?.into_problem()?;
        let fingerprint: Fingerprint = problem.failure.fingerprint;
        loaded
            .problems
            .insert((integration, fingerprint), StoredProblem { rid, problem });
    }
    Ok(())
}

fn problem_columns(row: &PgRow) -> Result<ProblemColumns> {
    Ok(ProblemColumns {
        fingerprint: row.try_get(2)?,
        state: row.try_get(3)?,
        doc: row.try_get(4)?,
        category: row.try_get(5)?,
        severity: row.try_get(6)?,
        transient: row.try_get(7)?,
        confidence: row.try_get(8)?,
        operation: row.try_get(9)?,
        code: row.try_get(10)?,
        http_status: row.try_get(11)?,
        message: row.try_get(12)?,
        count: row.try_get(13)?,
        first_seen: row.try_get(14)?,
        last_seen: row.try_get(15)?,
        pinned: row.try_get(16)?,
    })
}

async fn read_keys(txn: &mut Transaction<'_, Postgres>, touch: &Touch, now: Time, loaded: &mut Loaded) -> Result<()> {
    loaded.seen = vec![false; touch.keys.len()];
    let mut places = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, key) in touch.keys.iter().enumerate() {
        for bucket in key.buckets(now) {
            places.0.push(index as i64);
            places.1.push(key.integration.0);
            places.2.push(bucket);
            places.3.push(key.key.to_vec());
        }
    }
    let rows = sqlx::query(
        "SELECT DISTINCT t.n FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) \
         AS t (n, i, b, k) JOIN delivery_keys d \
         ON d.integration_rid = t.i AND d.bucket = t.b AND d.key = t.k",
    )
    .bind(places.0)
    .bind(places.1)
    .bind(places.2)
    .bind(places.3)
    .fetch_all(&mut **txn)
    .await?;
    for row in rows {
        let index: i64 = row.try_get(0)?;
        loaded.seen[index as usize] = true;
    }
    Ok(())
}

async fn write(txn: &mut Transaction<'_, Postgres>, batch: &Batch) -> Result<Committed> {
    write_keys(txn, batch).await?;
    write_states(txn, batch).await?;
    let mut problem_rids = Vec::with_capacity(batch.problems.len());
    for row in &batch.problems {
        problem_rids.push(write_problem(txn, row, batch.now).await?);
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
    let column = |f: fn(&super::StateRow) -> i64| -> Vec<i64> { batch.states.iter().map(f).collect() };
    let blobs: Vec<Vec<u8>> = batch.states.iter().map(|r| codec::encode(&r.state)).collect();
    let wakes: Vec<Option<i64>> = batch.states.iter().map(|r| r.wake_at.map(Time::ms)).collect();
    sqlx::query(
        "UPDATE integration_health_checks h SET status = t.status, status_since = t.since, \
         state = t.state, version = h.version + 1, wake_at = t.wake, \
         consecutive_failures = t.streak, updated_at = $7 \
         FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], \
         $6::bigint[]) AS t (rid, status, since, state, wake, streak) \
         WHERE h.integration_rid = t.rid",
    )
    .bind(column(|r| r.integration.0))
    .bind(column(|r| i64::from(r.state.health.code())))
    .bind(column(|r| r.state.since.0))
    .bind(blobs)
    .bind(wakes)
    .bind(column(|r| i64::from(r.state.event_streak)))
    .bind(batch.now.0)
    .execute(&mut **txn)
    .await?;
    Ok(())
}

async fn write_problem(txn: &mut Transaction<'_, Postgres>, row: &super::ProblemRow, now: Time) -> Result<i64> {
    let p = &row.problem;
    let f = &p.failure;
    let v = &f.verdict;
    let sql = if row.rid.is_some() {
        "UPDATE problems SET state = $6, doc = $7, category = $8, severity = $9, transient = $10, \
         confidence = $11, operation = $12, code = $13, http_status = $14, message = $15, \
         count = $16, last_seen = $18, version = version + (CASE WHEN state <> $6 THEN 1 ELSE 0 END) \
         WHERE rid = $19 AND $1 = $1 AND $2 = $2 AND $3 = $3 AND $4 = $4 AND $5 = $5 AND $17 = $17 \
         RETURNING rid"
    } else {
        "INSERT INTO problems (id, project_rid, integration_rid, fingerprint, fp_version, state, \
         doc, category, severity, transient, confidence, operation, code, http_status, message, \
         count, first_seen, last_seen, helpful, not_helpful, version) SELECT $1, $2, $3, $4, $5, \
         $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, 0, 1 \
         WHERE $19::bigint IS NULL RETURNING rid"
    };
    let found = sqlx::query(sql)
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
        .bind(f.http_status.map(|s| s as i16))
        .bind(&f.message)
        .bind(p.count as i64)
        .bind(p.first_seen.0)
        .bind(p.last_seen.0)
        .bind(row.rid)
        .fetch_one(&mut **txn)
        .await?;
    Ok(found.try_get(0)?)
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
