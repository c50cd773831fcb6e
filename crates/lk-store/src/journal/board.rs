//! What the board of integrations is read from.

use lk_core::Time;
use lk_core::codec;
use lk_core::observation::IntegrationRid;
use lk_core::state::IntegrationState;
use lk_core::words::ProblemState;
use sea_orm::Value;

use crate::db::{self, Dialect, Row, rid_list, values};
use crate::{Result, Store};

/// That a state was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Whose.
    pub integration: IntegrationRid,
    /// When, by the database's time.
    pub at: Time,
    /// The last check it knows.
    pub last_check_at: Option<Time>,
}

impl Store {
    /// The committed states of some integrations, or of all. Integrations that never had an
    /// observation are absent.
    pub async fn states(&self, only: Option<&[IntegrationRid]>) -> Result<Vec<(IntegrationRid, IntegrationState)>> {
        let (filter, values) = self.only(only, "WHERE");
        let sql = format!("SELECT integration_rid, state FROM integration_health_checks {filter}");
        let rows = db::all(self.reader(), sql, values).await?;
        rows.iter()
            .map(|row| {
                let bytes: Vec<u8> = row.get("state")?;
                Ok((IntegrationRid(row.int("integration_rid")?), codec::decode(&bytes)?))
            })
            .collect()
    }

    /// States that were written at or after `at`, by the database's own time. None where there is
    /// one writer, which knows them.
    pub async fn states_written_since(&self, at: Time) -> Result<Vec<Written>> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(Vec::new());
        }
        let sql = "SELECT integration_rid, updated_at, last_check_at FROM integration_health_checks
                   WHERE updated_at >= $1";
        let rows = db::all(self.reader(), sql, values![at.ms()]).await?;
        let written = |row: &Row| {
            Ok(Written {
                integration: IntegrationRid(row.int("integration_rid")?),
                at: row.time("updated_at")?,
                last_check_at: row.opt_time("last_check_at")?,
            })
        };
        rows.iter().map(written).collect()
    }

    /// The integrations with events after `seq`, each with its newest.
    pub async fn touched_after(&self, seq: i64) -> Result<Vec<(IntegrationRid, i64)>> {
        // The plus keeps SQLite on the primary key: grouping in the order of the other index would
        // read all of it.
        let rows = db::all(
            self.reader(),
            "SELECT rid AS integration_rid, MAX(seq) AS newest FROM \
             (SELECT +integration_rid AS rid, seq FROM integration_events WHERE seq > $1) AS newer \
             GROUP BY rid",
            values![seq],
        )
        .await?;
        rows.iter()
            .map(|row| Ok((IntegrationRid(row.int("integration_rid")?), row.int("newest")?)))
            .collect()
    }

    /// How many problems of some integrations, or of all, wait for somebody. Integrations without
    /// any are absent.
    pub async fn open_problem_counts(&self, only: Option<&[IntegrationRid]>) -> Result<Vec<(IntegrationRid, i64)>> {
        let (filter, values) = self.only(only, "AND");
        let waiting = ProblemState::Acknowledged.code();
        let sql = format!(
            "SELECT integration_rid, CAST(COUNT(*) AS BIGINT) AS n FROM problems \
             WHERE state <= {waiting} {filter} GROUP BY integration_rid"
        );
        let rows = db::all(self.reader(), sql, values).await?;
        rows.iter()
            .map(|row| Ok((IntegrationRid(row.int("integration_rid")?), row.int("n")?)))
            .collect()
    }

    fn only(&self, only: Option<&[IntegrationRid]>, word: &str) -> (String, Vec<Value>) {
        match only {
            None => (String::new(), Vec::new()),
            Some(rids) => (
                format!("{word} {}", self.dialect().one_of("integration_rid", 1)),
                vec![rid_list(rids.iter().map(|rid| rid.0))],
            ),
        }
    }
}
