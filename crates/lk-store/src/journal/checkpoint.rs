//! The checkpointer of SQLite's write-ahead log. `wal_autocheckpoint` is off on every connection,
//! because a checkpoint inside a commit would hold everybody who waits for that commit.

use std::path::Path;

use rusqlite::Connection;

use crate::gate::WriteGate;
use crate::{Result, Store};

/// Pages in the log from which writers wait for the checkpoint to finish (256 MiB).
const FINISH_PAGES: i64 = 65_536;

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Pages in the log before the round.
    pub log_pages: i64,
    /// Pages moved into the database.
    pub moved_pages: i64,
    /// Whether writers were held for it.
    pub held_writers: bool,
}

/// Moves the log into the database from a connection of its own.
pub struct Checkpointer {
    db: Connection,
    gate: WriteGate,
}

impl Checkpointer {
    /// A checkpointer for the store; `None` where the database looks after itself.
    pub fn open(store: &Store) -> Result<Option<Self>> {
        store
            .sqlite_path()
            .map(|path| Self::on(path, store.gate().clone()))
            .transpose()
    }

    fn on(path: &Path, gate: WriteGate) -> Result<Self> {
        let db = Connection::open(path)?;
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        Ok(Self { db, gate })
    }

    /// One round: passive (writers go on), and when readers or writers kept it from finishing and
    /// the log has grown large, once more while writers wait at the gate.
    pub fn round(&self) -> Result<Round> {
        let (log_pages, mut moved_pages) = self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)")?;
        // The log file restarts from its beginning only when everything in it has been moved while
        // nobody adds to it.
        let held_writers = log_pages >= FINISH_PAGES;
        if held_writers {
            let _turn = self.gate.acquire_blocking();
            (_, moved_pages) = self.checkpoint("PRAGMA wal_checkpoint(RESTART)")?;
        }
        Ok(Round {
            log_pages,
            moved_pages,
            held_writers,
        })
    }

    /// Moves everything and empties the log, at the end of serving.
    pub fn finish(&self) -> Result<()> {
        let _turn = self.gate.acquire_blocking();
        self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)").map(|_| ())
    }

    fn checkpoint(&self, pragma: &str) -> Result<(i64, i64)> {
        Ok(self.db.query_row(pragma, [], |r| Ok((r.get(1)?, r.get(2)?)))?)
    }
}
