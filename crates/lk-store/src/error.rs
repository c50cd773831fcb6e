//! What can go wrong in the store, sorted by what the caller can do about it.

use lk_core::access::Verb;
use sea_orm::{DbErr, RuntimeErr};

use crate::config::{Integration, Member, Project, User};
use crate::read::{AuditRow, ProblemRow};
use crate::seal::SealError;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row, or it belongs to another project.
    #[error("there is no such {what}")]
    NotFound {
        /// What was looked for, e.g. "integration".
        what: &'static str,
    },
    /// The row changed since the caller read it. Carries the row as it is now, so that the caller
    /// can show both.
    #[error("the {what} was changed by somebody else (it is at version {} now)", .current.version())]
    Conflict {
        /// What was to be changed.
        what: &'static str,
        /// The row as it is now.
        current: Box<Current>,
        /// The change that came first, as the audit log has it.
        change: Option<Box<AuditRow>>,
    },
    /// The value must be unique and is taken.
    #[error("{what} is already taken")]
    Taken {
        /// What is taken, e.g. "this e-mail address".
        what: &'static str,
    },
    /// The request itself cannot be carried out; asking again will not help.
    #[error("{0}")]
    Invalid(String),
    /// The permit was given for another verb. A mistake in the calling code.
    #[error("a permit for {} cannot be used for this write", .0.as_str())]
    WrongPermit(Verb),
    /// The database is busy, restarting or out of reach. Nothing was changed, or it is not known
    /// whether it was; the caller may try again.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database holds something it should not, or refuses for a reason that trying again does
    /// not cure (a full disk, a damaged file, a newer schema).
    #[error("the database cannot be used: {0}")]
    Corrupt(String),
    /// A sealed value could not be opened or made.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// A row as it is now, in the answer to a write that came too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Current {
    /// An integration.
    Integration(Integration),
    /// A problem.
    Problem(ProblemRow),
    /// A project.
    Project(Project),
    /// A member of a project.
    Member(Member),
    /// A person.
    User(User),
}

impl Current {
    /// The version it has now.
    pub const fn version(&self) -> i64 {
        match self {
            Self::Integration(row) => row.version,
            Self::Problem(row) => row.version,
            Self::Project(row) => row.version,
            Self::Member(row) => row.version,
            Self::User(row) => row.version,
        }
    }
}

impl StoreError {
    /// Whether the same call may succeed later without anybody repairing anything.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Not found, in the words of one kind of row.
    pub(crate) const fn missing(what: &'static str) -> Self {
        Self::NotFound { what }
    }

    /// A stored value that no version of this program writes.
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}

/// SQLite's primary result codes and PostgreSQL's SQLSTATE classes that mean "later".
fn is_transient_code(code: &str) -> bool {
    if let Ok(number) = code.parse::<u32>() {
        // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_INTERRUPT; the extended code keeps the primary one in
        // its low byte. PostgreSQL's numeric-looking states have five digits.
        if code.len() < 5 {
            return matches!(number & 0xff, 5 | 6 | 9);
        }
    }
    // Connection exceptions, resources, operator intervention, serialisation failures, deadlocks,
    // lock timeouts.
    code.starts_with("08")
        || code.starts_with("53")
        || code.starts_with("57")
        || matches!(code, "40001" | "40P01" | "55P03" | "25P03")
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let text = error.to_string();
        match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(text),
            DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
                match inner.as_ref() {
                    sea_orm::sqlx::Error::Database(db) => match db.code() {
                        Some(code) if is_transient_code(&code) => Self::Unavailable(text),
                        _ => Self::Corrupt(text),
                    },
                    sea_orm::sqlx::Error::Io(_)
                    | sea_orm::sqlx::Error::PoolTimedOut
                    | sea_orm::sqlx::Error::PoolClosed
                    | sea_orm::sqlx::Error::WorkerCrashed => Self::Unavailable(text),
                    _ => Self::Corrupt(text),
                }
            }
            _ => Self::Corrupt(text),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, OperationInterrupted};
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked | OperationInterrupted) => Self::Unavailable(text),
            _ => Self::Corrupt(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_transient_code;

    #[test]
    fn busy_is_transient_and_a_constraint_is_not() {
        for code in [
            "5", "261", "517", "6", "08006", "57P01", "40001", "40P01", "55P03", "53300",
        ] {
            assert!(is_transient_code(code), "{code}");
        }
        for code in ["1555", "19", "13", "23505", "42P01", "22001", "11"] {
            assert!(!is_transient_code(code), "{code}");
        }
    }
}
