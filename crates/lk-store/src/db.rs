//! Connections, and the few words in which the two databases differ.

use std::path::Path;
use std::time::Duration;

use lk_core::Time;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, QueryResult, Statement, TryGetable, Value,
};

use crate::{Result, StoreError};

/// How long a connection waits for another process's write before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that only read, on SQLite.
const SQLITE_READERS: u32 = 4;
/// Bytes of the file that readers map instead of copying page by page.
const SQLITE_MAPPED: &str = "2147418112";
/// Connections to PostgreSQL, beside the journal's own.
const POSTGRES_CONNECTIONS: u32 = 8;
/// How long a caller waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// What PostgreSQL is told for each of our sessions: limits, because a paused node must not hold
/// everyone, and how to plan, because all our queries are short walks along one index each.
const POSTGRES_SETTINGS: &[(&str, &str)] = &[
    ("idle_in_transaction_session_timeout", "10s"),
    ("lock_timeout", "5s"),
    ("tcp_user_timeout", "15s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    // Compiling a plan, starting workers for it or making it anew for each value costs more than
    // any of our queries.
    ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// Which database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    pub(crate) const fn of(backend: DbBackend) -> Self {
        match backend {
            DbBackend::Postgres => Self::Postgres,
            _ => Self::Sqlite,
        }
    }

    /// An empty value of a BYTEA column.
    pub(crate) const fn no_bytes(self) -> &'static str {
        match self {
            Self::Sqlite => "X''",
            Self::Postgres => "''::bytea",
        }
    }

    /// `column` contains the pattern in placeholder `n`, upper or lower case alike.
    pub(crate) fn contains(self, column: &str, n: usize) -> String {
        match self {
            Self::Sqlite => format!("{column} LIKE ${n} ESCAPE '\\'"),
            Self::Postgres => format!("{column} ILIKE ${n} ESCAPE '\\'"),
        }
    }

    /// The events of one `key` column's value in placeholder `n` with `floor <= seq < below`, the
    /// newest first, in words that leave no choice but the index on that column and `seq`: the
    /// condition and the order. SQLite takes the index for an equality. PostgreSQL sometimes
    /// believes the primary key to be shorter and walks past everybody's rows, so it is given an
    /// order that only the index has.
    pub(crate) fn walk(self, key: &str, n: &str, floor: &str, below: &str) -> (String, String) {
        match self {
            Self::Sqlite => (
                format!("{key} = {n} AND seq >= {floor} AND seq < {below}"),
                "ORDER BY seq DESC".to_owned(),
            ),
            Self::Postgres => (
                format!("({key}, seq) >= ({n}, {floor}) AND ({key}, seq) < ({n}, {below})"),
                format!("ORDER BY {key} DESC, seq DESC"),
            ),
        }
    }

    /// The row numbers in placeholder `n` (a [`rid_list`]) as rows of a table called `name`.
    pub(crate) fn list(self, name: &str, n: usize) -> String {
        match self {
            Self::Sqlite => format!("json_each(${n}) AS {name}"),
            Self::Postgres => format!("jsonb_array_elements_text(${n}::jsonb) AS {name}(value)"),
        }
    }

    /// The row number in a row of [`Dialect::list`].
    pub(crate) fn listed(self, name: &str) -> String {
        match self {
            Self::Sqlite => format!("{name}.value"),
            Self::Postgres => format!("{name}.value::bigint"),
        }
    }

    /// `column` is one of the row numbers in placeholder `n`, which holds [`rid_list`] of them, so
    /// that the statement's text (and with it its plan) is the same for any number of them.
    pub(crate) fn one_of(self, column: &str, n: usize) -> String {
        match self {
            Self::Sqlite => format!("{column} IN (SELECT value FROM json_each(${n}))"),
            Self::Postgres => {
                format!("{column} = ANY (ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(${n}::jsonb)))")
            }
        }
    }
}

/// The parameter for [`Dialect::one_of`].
pub(crate) fn rid_list(rids: impl IntoIterator<Item = i64>) -> Value {
    let mut text = String::from("[");
    for rid in rids {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&rid.to_string());
    }
    text.push(']');
    text.into()
}

/// A `LIKE` pattern for "contains `text`", with the pattern's own characters escaped by `\`.
pub(crate) fn like_pattern(text: &str) -> String {
    format!("%{}%", escape_like(text))
}

/// `text` as a part of a LIKE pattern in which nothing has a second meaning.
pub(crate) fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The pools of an open database.
#[derive(Clone)]
pub(crate) struct Pools {
    /// One connection on SQLite; the same as `read` on PostgreSQL.
    pub(crate) write: DatabaseConnection,
    pub(crate) read: DatabaseConnection,
    pub(crate) dialect: Dialect,
}

impl Pools {
    /// Opens (and makes) the SQLite file at `path`.
    pub(crate) async fn sqlite(path: &Path) -> Result<Self> {
        let write = sqlite_pool(path, 1, false).await?;
        let read = sqlite_pool(path, SQLITE_READERS, true).await?;
        Ok(Self {
            write,
            read,
            dialect: Dialect::Sqlite,
        })
    }

    /// Opens the SQLite file at `path`, which is there, for reading alone.
    pub(crate) async fn sqlite_readers(path: &Path) -> Result<Self> {
        let read = sqlite_pool(path, SQLITE_READERS, true).await?;
        Ok(Self {
            write: read.clone(),
            read,
            dialect: Dialect::Sqlite,
        })
    }

    /// Connects to the PostgreSQL database at `url`, for reading alone if that is all.
    pub(crate) async fn postgres(url: &str, read_only: bool) -> Result<Self> {
        let writes = ("default_transaction_read_only", if read_only { "on" } else { "off" });
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_timeout(ACQUIRE_TIMEOUT)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(move |o| {
                o.application_name("linekeeper")
                    .options(POSTGRES_SETTINGS.iter().copied().chain([writes]))
            });
        // The driver's own words for an address it cannot read repeat it, password and all.
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(StoreError::Invalid(
                "the database's address must begin with postgres://".into(),
            ));
        }
        let pool = Database::connect(options).await.map_err(|error| {
            let text = error.to_string();
            if text.contains(url) {
                StoreError::Invalid("the database's address cannot be read".into())
            } else {
                StoreError::from(error)
            }
        })?;
        Ok(Self {
            write: pool.clone(),
            read: pool,
            dialect: Dialect::Postgres,
        })
    }
}

async fn sqlite_pool(path: &Path, connections: u32, read_only: bool) -> Result<DatabaseConnection> {
    let file = path.to_owned();
    let mut options = ConnectOptions::new("sqlite://linekeeper");
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .sqlx_logging(false)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |o| {
            o.filename(&file)
                .create_if_missing(!read_only)
                .busy_timeout(BUSY_TIMEOUT)
                .foreign_keys(true)
                .pragma("journal_mode", "WAL")
                .pragma("synchronous", "FULL")
                // The journal's checkpointer does it, under the write gate.
                .pragma("wal_autocheckpoint", "0")
                .pragma("temp_store", "MEMORY")
                .pragma("mmap_size", if read_only { SQLITE_MAPPED } else { "0" })
                .pragma("query_only", if read_only { "1" } else { "0" })
        });
    Ok(Database::connect(options).await?)
}

/// Reads rows; works on a pool and inside a transaction.
pub(crate) async fn all<C: ConnectionTrait>(on: &C, sql: impl Into<String>, values: Vec<Value>) -> Result<Vec<Row>> {
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    Ok(on.query_all_raw(statement).await?.into_iter().map(Row).collect())
}

/// Reads at most one row.
pub(crate) async fn one<C: ConnectionTrait>(on: &C, sql: impl Into<String>, values: Vec<Value>) -> Result<Option<Row>> {
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    Ok(on.query_one_raw(statement).await?.map(Row))
}

/// Writes, and says how many rows it touched.
pub(crate) async fn run<C: ConnectionTrait>(on: &C, sql: impl Into<String>, values: Vec<Value>) -> Result<u64> {
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    Ok(on.execute_raw(statement).await?.rows_affected())
}

/// One row of an answer, read by column name.
pub(crate) struct Row(QueryResult);

impl Row {
    pub(crate) fn get<T: TryGetable>(&self, column: &str) -> Result<T> {
        Ok(self.0.try_get("", column)?)
    }

    pub(crate) fn text(&self, column: &str) -> Result<String> {
        self.get(column)
    }

    pub(crate) fn opt_text(&self, column: &str) -> Result<Option<String>> {
        self.get(column)
    }

    pub(crate) fn int(&self, column: &str) -> Result<i64> {
        self.get(column)
    }

    pub(crate) fn opt_int(&self, column: &str) -> Result<Option<i64>> {
        self.get(column)
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool> {
        self.get(column)
    }

    pub(crate) fn time(&self, column: &str) -> Result<Time> {
        Ok(Time(self.get(column)?))
    }

    pub(crate) fn opt_time(&self, column: &str) -> Result<Option<Time>> {
        Ok(self.get::<Option<i64>>(column)?.map(Time))
    }

    /// A SMALLINT that is no word.
    pub(crate) fn opt_small(&self, column: &str) -> Result<Option<i16>> {
        self.get(column)
    }

    /// One of `lk_core::words`, stored by its number.
    pub(crate) fn word<T>(&self, column: &str, from: impl Fn(u8) -> Option<T>) -> Result<T> {
        self.opt_word(column, from)?
            .ok_or_else(|| StoreError::corrupt(format!("{column} is missing")))
    }

    pub(crate) fn opt_word<T>(&self, column: &str, from: impl Fn(u8) -> Option<T>) -> Result<Option<T>> {
        let Some(code) = self.get::<Option<i16>>(column)? else {
            return Ok(None);
        };
        u8::try_from(code)
            .ok()
            .and_then(from)
            .map(Some)
            .ok_or_else(|| StoreError::corrupt(format!("{column} holds the unknown code {code}")))
    }
}

/// The parameters of a statement, each turned into a [`Value`].
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$(sea_orm::Value::from($value)),*] };
}
pub(crate) use values;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_escape_their_own_characters() {
        assert_eq!(like_pattern("50%_a\\b"), "%50\\%\\_a\\\\b%");
        assert_eq!(rid_list([1, 22]), Value::from("[1,22]"));
    }
}
