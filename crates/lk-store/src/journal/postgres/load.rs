//! What a batch touches, read and locked in one order: (table, id).

use lk_core::Time;
use lk_core::classify::Fingerprint;
use lk_core::codec;
use lk_core::observation::IntegrationRid;
use lk_core::state::IntegrationState;
use sea_orm::sqlx::{self, Postgres, Row, Transaction, postgres::PgRow};

use super::Result;
use crate::journal::rows::ProblemColumns;
use crate::journal::{Loaded, StoredProblem, Touch};

pub(super) async fn read(txn: &mut Transaction<'_, Postgres>, touch: &Touch, now: Time) -> Result<Loaded> {
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
