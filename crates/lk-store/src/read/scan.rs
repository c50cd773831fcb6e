//! Event queries: which index is walked, and how far.
//!
//! Nothing is indexed but integration, failure and problem, so that writing stays cheap. Any other
//! filter is checked row by row while walking down from the newest, over at most [`SCAN_LIMIT`]
//! rows an answer ([`LOOKUP_LIMIT`] where an index leads to each); the answer says how far it looked. Three ways down:
//!
//! - failures of a project: the partial index on failures;
//! - some integrations: the index of each, merged;
//! - everything: the table itself, by `seq`.

use lk_core::Time;
use lk_core::observation::ProjectRid;
use lk_core::time::MINUTE;
use sea_orm::Value;

use super::events::{COLUMNS, EventRow};
use super::filter::{EventFilter, EventPage};
use crate::db::{self, rid_list, values};
use crate::{Result, Store};

/// Rows of the table that one answer looks at, at most.
pub const SCAN_LIMIT: i64 = 20_000;
/// Rows that one answer looks up through an index, at most. Each lies on a page of its own.
pub const LOOKUP_LIMIT: i64 = 8_000;
/// Integrations whose indexes one answer merges, at most; more are filtered out of the table.
pub const MERGE_LIMIT: usize = 64;
/// `seq` follows the receiving time but for what waited in the queue of one node or another.
const DISORDER_MS: i64 = 2 * MINUTE;

/// Where to walk.
enum Path {
    Table,
    Failures,
    Integrations(Vec<i64>),
}

/// Rows with `floor <= seq < below`.
#[derive(Clone, Copy)]
struct Range {
    floor: i64,
    below: i64,
}

impl Store {
    /// The newest events that a filter lets through.
    pub async fn events(&self, filter: &EventFilter) -> Result<EventPage> {
        let limit = i64::from(filter.limit.max(1));
        let range = self.range(filter).await?;
        let path = self.path(filter).await?;
        let floor = self.reach(filter, &path, range).await?;
        let looked = Range {
            floor: floor.unwrap_or(range.floor),
            below: range.below,
        };
        let (sql, values) = self.page_sql(filter, &path, looked, limit);
        let rows = db::all(self.reader(), sql, values).await?;
        let full = rows.len() as i64 == limit;
        let items = self.dress(rows).await?;
        let last = items.last().map(|event: &EventRow| event.seq);
        let (next, scanned_to) = match (full, last, floor) {
            (true, Some(last), _) => (Some(last), last),
            (_, _, Some(floor)) => (Some(floor), floor),
            _ => (None, range.floor),
        };
        Ok(EventPage {
            items,
            next,
            scanned_to,
        })
    }

    /// The rows that the times and the cursor allow.
    async fn range(&self, filter: &EventFilter) -> Result<Range> {
        let before = filter.before.unwrap_or(i64::MAX);
        let Some((first, last)) = self.bounds().await? else {
            return Ok(Range { floor: 0, below: 0 });
        };
        let floor = match filter.from {
            Some(from) => self.seek(first, last, from - DISORDER_MS).await?,
            None => first,
        };
        let below = match filter.to {
            Some(to) => self.seek(first, last, to + DISORDER_MS).await?,
            None => last + 1,
        };
        Ok(Range {
            floor,
            below: below.min(before),
        })
    }

    /// The first and the last `seq`.
    async fn bounds(&self) -> Result<Option<(i64, i64)>> {
        let sql = "SELECT (SELECT seq FROM integration_events ORDER BY seq LIMIT 1) AS first,
                          (SELECT seq FROM integration_events ORDER BY seq DESC LIMIT 1) AS last";
        let row = db::one(self.reader(), sql, vec![]).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(row.opt_int("first")?.zip(row.opt_int("last")?))
    }

    /// The first `seq` received at or after `at` (`last + 1` when none), found by halving: no
    /// index on a time is kept for it.
    async fn seek(&self, first: i64, last: i64, at: Time) -> Result<i64> {
        let sql = "SELECT seq, received_at FROM integration_events WHERE seq >= $1 ORDER BY seq LIMIT 1";
        let (mut low, mut high) = (first, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match db::one(self.reader(), sql, values![middle]).await? {
                // Nothing lies between `middle` and the row found.
                Some(row) if row.time("received_at")? < at => low = row.int("seq")? + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    async fn path(&self, filter: &EventFilter) -> Result<Path> {
        let wanted = filter.integrations.as_ref();
        if let Some(rids) = wanted
            && rids.len() <= MERGE_LIMIT
        {
            return Ok(Path::Integrations(rids.iter().map(|rid| rid.0).collect()));
        }
        if filter.only_failures() {
            return Ok(Path::Failures);
        }
        if wanted.is_some() {
            return Ok(Path::Table);
        }
        // A small project in a large installation would have to look past everybody else's rows.
        Ok(self
            .alone_or_small(filter.project)
            .await?
            .map_or(Path::Table, Path::Integrations))
    }

    /// The integrations of a project that is not the only one with any, when they are few enough
    /// to merge.
    async fn alone_or_small(&self, project: ProjectRid) -> Result<Option<Vec<i64>>> {
        let sql = "SELECT rid FROM project_integrations WHERE project_rid <> $1 LIMIT 1";
        if db::one(self.reader(), sql, values![project.0]).await?.is_none() {
            return Ok(None);
        }
        let sql = "SELECT rid FROM project_integrations WHERE project_rid = $1 LIMIT $2";
        let values = values![project.0, MERGE_LIMIT as i64 + 1];
        let rows = db::all(self.reader(), sql, values).await?;
        if rows.len() > MERGE_LIMIT {
            return Ok(None);
        }
        rows.iter()
            .map(|row| row.int("rid"))
            .collect::<Result<Vec<_>>>()
            .map(Some)
    }

    /// The `seq` at which this answer stops looking; `None` when it can look at everything.
    async fn reach(&self, filter: &EventFilter, path: &Path, range: Range) -> Result<Option<i64>> {
        match path {
            Path::Table => {
                let floor = range.below.saturating_sub(SCAN_LIMIT);
                Ok((floor > range.floor).then_some(floor))
            }
            // Every row found is wanted: the page's own limit ends it.
            Path::Failures if !filter.looks_inside() && filter.integrations.is_none() => Ok(None),
            Path::Integrations(_) if !filter.looks_inside() && !filter.only_failures() => Ok(None),
            Path::Failures => {
                let (span, order) = self.dialect().walk("project_rid", "$1", "$2", "$3");
                let sql = format!(
                    "SELECT seq FROM integration_events WHERE {span} AND outcome = 1
                     {order} LIMIT 1 OFFSET $4"
                );
                let values = values![filter.project.0, range.floor, range.below, LOOKUP_LIMIT];
                let row = db::one(self.reader(), sql, values).await?;
                row.map(|row| row.int("seq")).transpose()
            }
            Path::Integrations(rids) => {
                // Where each has had its share, the highest of these; nothing below it is looked at.
                let share = LOOKUP_LIMIT / rids.len().max(1) as i64;
                let rid = self.dialect().listed("r");
                let (span, order) = self.dialect().walk("integration_rid", &rid, "$2", "$3");
                let sql = format!(
                    "SELECT MAX((SELECT seq FROM integration_events WHERE {span}
                                 {order} LIMIT 1 OFFSET $4)) AS seq FROM {}",
                    self.dialect().list("r", 1),
                );
                let values = values![rid_list(rids.iter().copied()), range.floor, range.below, share];
                let row = db::one(self.reader(), sql, values).await?;
                row.map_or(Ok(None), |row| row.opt_int("seq"))
            }
        }
    }

    fn page_sql(&self, filter: &EventFilter, path: &Path, range: Range, limit: i64) -> (String, Vec<Value>) {
        let dialect = self.dialect();
        let mut values = values![range.floor, range.below, limit, filter.project.0];
        let mut inside = filter.conditions(dialect, &mut values);
        if filter.only_failures() {
            inside.push_str(" AND outcome = 1");
        }
        let select = format!("SELECT {COLUMNS} FROM integration_events");
        // A plus sign hides a column from the planner: each path has one index, and it is known
        // here which.
        let Path::Integrations(rids) = path else {
            if let Some(wanted) = filter.wanted() {
                values.push(wanted);
                inside.push_str(" AND ");
                inside.push_str(&dialect.one_of("+integration_rid", values.len()));
            }
            let (span, order) = if matches!(path, Path::Failures) {
                dialect.walk("project_rid", "$4", "$1", "$2")
            } else {
                let span = "seq >= $1 AND seq < $2 AND +project_rid = $4";
                (span.to_owned(), "ORDER BY seq DESC".to_owned())
            };
            return (format!("{select} WHERE {span}{inside} {order} LIMIT $3"), values);
        };
        let mut each = Vec::with_capacity(rids.len());
        for rid in rids {
            values.push((*rid).into());
            let n = values.len();
            let (span, order) = dialect.walk("integration_rid", &format!("${n}"), "$1", "$2");
            each.push(format!(
                "SELECT * FROM ({select} WHERE {span} AND +project_rid = $4{inside} {order} LIMIT $3) AS i{n}"
            ));
        }
        if each.is_empty() {
            // A page of nothing, in the shape of a page.
            each.push(format!(
                "{select} WHERE seq >= $1 AND seq < $2 AND project_rid = $4{inside} AND 1 = 0"
            ));
        }
        let sql = format!("{} ORDER BY seq DESC LIMIT $3", each.join(" UNION ALL "));
        (sql, values)
    }
}
