//! What the disk and SQLite can do at best: rows of the same size, committed in groups with fsync.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::load::clock;

/// Rows per second that one writer commits when each transaction has `group` rows.
pub(crate) fn group_commit(folder: &Path, group: usize, bytes: usize, length: Duration) -> anyhow::Result<f64> {
    let path = folder.join("baseline.sqlite");
    let mut db = rusqlite::Connection::open(&path).context("opening the baseline's database")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    let body = vec![b'x'; bytes];
    let (start, mut rows) = (clock(), 0_u64);
    while clock().duration_since(start).unwrap_or_default() < length {
        let transaction = db.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO rows (body) VALUES (?1)")?;
            for _ in 0..group {
                insert.execute([&body])?;
                rows += 1;
            }
        }
        transaction.commit()?;
    }
    let took = clock().duration_since(start).unwrap_or_default();
    Ok(rows as f64 / took.as_secs_f64().max(1e-9))
}
