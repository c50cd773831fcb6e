//! Which node checks what, and what is due there.

use lk_core::Time;
use lk_core::observation::IntegrationRid;

use crate::db::{self, Dialect, Row, values};
use crate::{Result, Store};

/// Integrations are spread over this many shards, by their row number.
const SHARDS: u8 = 64;

impl Store {
    /// Renews the shards that `node` holds, takes free ones, and says which it holds now, each with
    /// its fence. On SQLite one process holds all of them. Nodes that take many leave some for
    /// others: each asks for at most its share, counted from the nodes that are alive.
    pub async fn lease_shards(&self, node: &str, ttl_ms: i64) -> Result<Vec<(u8, i64)>> {
        if self.dialect() == Dialect::Sqlite {
            return Ok((0..SHARDS).map(|shard| (shard, 1)).collect());
        }
        let (txn, _turn) = self.begin().await?;
        // One clock for all nodes: the database's.
        let clock = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        db::one(&txn, "SELECT pg_advisory_xact_lock($1)", values![LEASE_LOCK]).await?;
        let fill = "INSERT INTO check_leases (shard, owner, fence, expires_at)
                    SELECT n, '', 0, 0 FROM generate_series(0, 63) AS n ON CONFLICT DO NOTHING";
        db::run(&txn, fill, vec![]).await?;
        let seen = format!(
            "INSERT INTO check_nodes (node, seen_until) VALUES ($1, {clock} + $2)
             ON CONFLICT (node) DO UPDATE SET seen_until = excluded.seen_until"
        );
        db::run(&txn, seen, values![node, ttl_ms]).await?;
        db::run(
            &txn,
            format!("DELETE FROM check_nodes WHERE seen_until <= {clock}"),
            vec![],
        )
        .await?;
        let others = db::one(
            &txn,
            "SELECT COUNT(*) AS n FROM check_nodes WHERE node <> $1",
            values![node],
        )
        .await?;
        let others = others.map_or(Ok(0), |row| row.int("n"))?;
        let share = i64::from(SHARDS) / (others + 1) + i64::from(i64::from(SHARDS) % (others + 1) > 0);
        let renew = format!(
            "UPDATE check_leases SET expires_at = {clock} + $2, owner = $1,
                 fence = CASE WHEN owner = $1 THEN fence ELSE fence + 1 END
             WHERE shard IN (
                 SELECT shard FROM check_leases WHERE owner = $1 OR expires_at <= {clock}
                 ORDER BY CASE WHEN owner = $1 THEN 0 ELSE 1 END, shard LIMIT $3)"
        );
        db::run(&txn, renew, values![node, ttl_ms, share]).await?;
        // What is over the share is given up at once, so that a node that joined gets its part.
        let give_up = "UPDATE check_leases SET owner = '', expires_at = 0 WHERE owner = $1 AND shard NOT IN (
                 SELECT shard FROM check_leases WHERE owner = $1 ORDER BY shard LIMIT $2)";
        db::run(&txn, give_up, values![node, share]).await?;
        let held = "SELECT CAST(shard AS BIGINT) AS shard, fence FROM check_leases WHERE owner = $1 ORDER BY shard";
        let rows = db::all(&txn, held, values![node]).await?;
        txn.commit().await?;
        let held = |row: &Row| Ok((u8::try_from(row.int("shard")?).unwrap_or_default(), row.int("fence")?));
        rows.iter().map(held).collect()
    }

    /// Gives up every shard of a node that ends, so that another takes over at once.
    pub async fn release_shards(&self, node: &str) -> Result<()> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let (txn, _turn) = self.begin().await?;
        for sql in [
            "UPDATE check_leases SET owner = '', expires_at = 0 WHERE owner = $1",
            "DELETE FROM check_nodes WHERE node = $1",
        ] {
            db::run(&txn, sql, values![node]).await?;
        }
        txn.commit().await.map_err(Into::into)
    }

    /// When the integrations of some shards are due, as stored.
    pub async fn due_checks(&self, shards: &[u8]) -> Result<Vec<(IntegrationRid, Option<Time>)>> {
        let sql = format!(
            "SELECT integration_rid, next_check_at FROM integration_health_checks WHERE {}",
            self.dialect().one_of("(integration_rid % 64)", 1)
        );
        let list = db::rid_list(shards.iter().map(|shard| i64::from(*shard)));
        let rows = db::all(self.reader(), sql, vec![list]).await?;
        let due = |row: &Row| {
            Ok((
                IntegrationRid(row.int("integration_rid")?),
                row.opt_time("next_check_at")?,
            ))
        };
        rows.iter().map(due).collect()
    }

    /// The ladders of the last checks, JSON text, of some integrations or of all.
    pub async fn last_checks(&self, only: Option<&[IntegrationRid]>) -> Result<Vec<(IntegrationRid, String)>> {
        let base = "SELECT integration_rid, last_check FROM integration_health_checks WHERE last_check IS NOT NULL";
        let rows = match only {
            None => db::all(self.reader(), base, vec![]).await?,
            Some(rids) => {
                let sql = format!("{base} AND {}", self.dialect().one_of("integration_rid", 1));
                db::all(self.reader(), sql, vec![db::rid_list(rids.iter().map(|rid| rid.0))]).await?
            }
        };
        let text = |row: &Row| Ok((IntegrationRid(row.int("integration_rid")?), row.text("last_check")?));
        rows.iter().map(text).collect()
    }
}

/// Held while shards are handed out.
const LEASE_LOCK: i64 = 0x6c6b_6c65_6173;
