//! Fills the events table of a stopped server with copies of the events that are in it.

use std::path::Path;

use anyhow::{Context, ensure};
use rusqlite::{Connection, params};

/// The events are spread over this many days back from the newest one, evenly.
const DAYS: i64 = 30;
/// Payloads are kept for at most this many of the newest events: they are the bulk of the bytes and
/// no list reads them.
const PAYLOADS_MAX: i64 = 1_000_000;

/// Makes the table hold `wanted` events.
pub(crate) fn fill(data: &Path, wanted: u64) -> anyhow::Result<()> {
    let file = database(data)?;
    let mut db = Connection::open(&file).with_context(|| format!("opening {}", file.display()))?;
    db.pragma_update(None, "synchronous", "OFF")?;
    db.pragma_update(None, "cache_size", -512 * 1024)?;
    let transaction = db.transaction()?;
    copy(&transaction, wanted as i64)?;
    transaction.commit()?;
    db.pragma_update(None, "wal_checkpoint", "TRUNCATE").ok();
    Ok(())
}

fn database(data: &Path) -> anyhow::Result<std::path::PathBuf> {
    let is_database = |path: &Path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3\0"));
    let found = std::fs::read_dir(data)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| is_database(path));
    found.with_context(|| format!("no database in {}", data.display()))
}

fn copy(db: &Connection, wanted: i64) -> anyhow::Result<()> {
    let (have, newest): (i64, i64) =
        db.query_row("SELECT count(*), max(received_at) FROM integration_events", [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })?;
    ensure!(have > 0, "there is nothing to copy");
    db.execute_batch(
        "CREATE TEMP TABLE base AS SELECT row_number() OVER (ORDER BY seq) AS n, * FROM integration_events;
         CREATE TEMP TABLE base_payloads AS SELECT b.n, p.* FROM base b JOIN integration_event_payloads p ON p.seq = b.seq;
         DELETE FROM integration_event_payloads;
         DELETE FROM integration_events;",
    )?;
    let events = columns(db, "integration_events", &["seq", "occurred_at", "received_at"])?;
    let payloads = columns(db, "integration_event_payloads", &["seq"])?;
    let step = (DAYS * 86_400_000 / wanted).max(1);
    let first = newest - step * wanted;
    let insert_events = format!(
        "INSERT INTO integration_events (seq, occurred_at, received_at, {events})
         SELECT ?1 + n, ?2 + (?1 + n) * ?3, ?2 + (?1 + n) * ?3, {events} FROM base WHERE ?1 + n <= ?4 ORDER BY n"
    );
    let insert_payloads = format!(
        "INSERT INTO integration_event_payloads (seq, {payloads})
         SELECT ?1 + n, {payloads} FROM base_payloads WHERE ?1 + n <= ?2 ORDER BY n"
    );
    let mut done = 0;
    while done < wanted {
        db.prepare_cached(&insert_events)?
            .execute(params![done, first, step, wanted])?;
        if done + have > wanted - PAYLOADS_MAX {
            db.prepare_cached(&insert_payloads)?.execute(params![done, wanted])?;
        }
        // Keys of deliveries are kept for a week, so a full table has that many.
        db.prepare_cached(
            "INSERT OR IGNORE INTO delivery_keys (integration_rid, bucket, key)
             SELECT integration_rid, ?2 + (?1 + n) * ?3, randomblob(16) FROM base
             WHERE ?1 + n <= ?4 AND ?2 + (?1 + n) * ?3 > ?5",
        )?
        .execute(params![done, first, step, wanted, newest - 7 * 86_400_000])?;
        done += have;
    }
    db.execute_batch("DROP TABLE base; DROP TABLE base_payloads;")?;
    Ok(())
}

/// The columns of a table without some of them, as a list for a statement.
fn columns(db: &Connection, table: &str, without: &[&str]) -> anyhow::Result<String> {
    let mut statement = db.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names: Vec<String> = statement.query_map([table], |r| r.get(0))?.collect::<Result<_, _>>()?;
    let kept: Vec<String> = names
        .into_iter()
        .filter(|name| !without.contains(&name.as_str()))
        .collect();
    ensure!(!kept.is_empty(), "the table {table} has no columns");
    Ok(kept.join(", "))
}
