//! Replacing the master key: every sealed value is opened with the key it names and sealed anew
//! with the current one, a few rows at a time, while servers run on the same data.

mod columns;

use std::collections::{BTreeMap, BTreeSet};

use lk_core::Time;
use lk_core::access::{Permit, Verb};
use sea_orm::Value;

use crate::audit::Audit;
use crate::db;
use crate::seal::{KeyId, MasterKey, SealError, Sealed};
use crate::store::bump_generation;
use crate::{Result, Store};
use columns::{SEALED_COLUMNS, SealedColumn, Stored};

/// Rows that one step reads, and at most writes in one transaction.
const STEP_ROWS: i64 = 200;
/// Values that do not open, told by name.
const TOLD_MAX: usize = 5;

/// What a walk over the sealed values found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Values that name the current key and open.
    pub current: u64,
    /// Values, by table, that named an older key of the ring and open: sealed anew, or only
    /// counted by a walk that writes nothing.
    pub older: BTreeMap<&'static str, u64>,
    /// Values that somebody else changed between reading and writing. They were left alone.
    pub changed: u64,
    /// Values that nobody can open any more because what they belong to is gone; wiped.
    pub wiped: u64,
    /// Values that do not open.
    pub unopened: u64,
    /// The first of them: table, row and why.
    pub told: Vec<String>,
    /// The keys they name that are not in the ring.
    pub unknown_keys: BTreeSet<KeyId>,
}

impl Swept {
    /// How many values named an older key.
    pub fn older_count(&self) -> u64 {
        self.older.values().sum()
    }

    /// Whether every value was found to name the current key and to open.
    pub fn is_clean(&self) -> bool {
        self.older.is_empty() && self.changed + self.wiped + self.unopened == 0
    }
}

/// A walk over every sealed value, in steps.
pub struct Sweep {
    ring: MasterKey,
    write: bool,
    column: usize,
    after: Vec<Value>,
    swept: Swept,
}

impl Sweep {
    /// A walk that opens every value with the keys of `ring` and writes nothing.
    pub fn look(ring: &MasterKey) -> Self {
        Self {
            ring: ring.clone(),
            write: false,
            column: 0,
            after: Vec::new(),
            swept: Swept::default(),
        }
    }

    /// A walk that seals anew, with the current key of `ring`, what names an older one.
    pub fn reseal(ring: &MasterKey) -> Self {
        Self {
            write: true,
            ..Self::look(ring)
        }
    }

    /// What was found and done so far.
    pub const fn swept(&self) -> &Swept {
        &self.swept
    }
}

/// What is to become of one value.
enum Judged {
    Current,
    Older(Sealed),
    Orphan,
    Unopened(SealError),
}

/// One value to be replaced.
struct Change {
    key: Vec<Value>,
    before: Stored,
    after: Stored,
    wipe: bool,
}

impl Store {
    /// Goes one step further on a walk: up to 200 rows, changed in one transaction. `false` when
    /// there was nothing left. After an error nothing of the step happened, and it may be tried
    /// again.
    pub async fn sweep_step(&self, sweep: &mut Sweep) -> Result<bool> {
        let Some(column) = SEALED_COLUMNS.get(sweep.column) else {
            return Ok(false);
        };
        let rows = db::all(self.reader(), select(column, &sweep.after), sweep.after.clone()).await?;
        let mut swept = sweep.swept.clone();
        let mut changes = Vec::new();
        let mut after = Vec::new();
        for row in &rows {
            let key: Vec<Value> = column.key.iter().map(|k| k.read(row)).collect::<Result<_>>()?;
            after.clone_from(&key);
            let before = Stored::read(column.form, row, column.column)?;
            let Some(sealed) = before.sealed() else { continue };
            let bound = row.opt_text("bound_row")?;
            match judge(&sweep.ring, column, bound.as_deref(), &sealed) {
                Judged::Current => swept.current += 1,
                Judged::Older(_) | Judged::Orphan if !sweep.write => {
                    *swept.older.entry(column.table).or_default() += 1;
                }
                Judged::Older(sealed) => changes.push(Change {
                    key,
                    after: before.with(Some(&sealed)),
                    before,
                    wipe: false,
                }),
                Judged::Orphan => changes.push(Change {
                    key,
                    after: before.with(None),
                    before,
                    wipe: true,
                }),
                Judged::Unopened(error) => swept.cannot_open(column, bound.as_deref(), &error),
            }
        }
        self.apply(column, &changes, &mut swept).await?;
        sweep.swept = swept;
        if (rows.len() as i64) < STEP_ROWS {
            sweep.column += 1;
            after.clear();
        }
        sweep.after = after;
        Ok(sweep.column < SEALED_COLUMNS.len())
    }

    /// Writes each change whose row still holds what was read.
    async fn apply(&self, column: &SealedColumn, changes: &[Change], swept: &mut Swept) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let SealedColumn {
            table, column: name, ..
        } = column;
        let n = column.key.len();
        let sql = format!(
            "UPDATE {table} SET {name} = ${} WHERE ({}) = ({}) AND {name} = ${}",
            n + 1,
            names(column),
            places(n),
            n + 2
        );
        let (txn, _turn) = self.begin().await?;
        for change in changes {
            let mut values = change.key.clone();
            values.extend([change.after.value(), change.before.value()]);
            match (db::run(&txn, sql.as_str(), values).await?, change.wipe) {
                (0, _) => swept.changed += 1,
                (_, true) => swept.wiped += 1,
                (_, false) => *swept.older.entry(table).or_default() += 1,
            }
        }
        txn.commit().await?;
        Ok(())
    }

    /// Tells every process that the configuration is to be read again, and with it the key file.
    pub async fn announce_master_key(&self) -> Result<()> {
        let (txn, _turn) = self.begin().await?;
        bump_generation(&txn).await?;
        txn.commit().await?;
        Ok(())
    }

    /// Notes in the audit log that `key` took the place of the keys before. `summary` says which
    /// and how many values.
    pub async fn note_master_key(&self, permit: &Permit, key: KeyId, summary: String, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageUsers], now).await?;
        write
            .commit(Audit {
                project_id: None,
                action: "master_key.rotated",
                target: key.to_string(),
                summary,
            })
            .await
    }
}

impl Swept {
    fn cannot_open(&mut self, column: &SealedColumn, row: Option<&str>, error: &SealError) {
        self.unopened += 1;
        if let SealError::WrongKey { sealed_with, .. } = error {
            self.unknown_keys.insert(*sealed_with);
        }
        if self.told.len() < TOLD_MAX {
            let row = row.unwrap_or("of something deleted");
            self.told.push(format!("{} {row}: {error}", column.table));
        }
    }
}

fn judge(ring: &MasterKey, column: &SealedColumn, row: Option<&str>, sealed: &Sealed) -> Judged {
    let Some(row) = row else { return Judged::Orphan };
    match ring.reseal(column.bound_table, row, sealed) {
        Ok(None) => Judged::Current,
        Ok(Some(sealed)) => Judged::Older(sealed),
        Err(error) => Judged::Unopened(error),
    }
}

fn names(column: &SealedColumn) -> String {
    let names: Vec<&str> = column.key.iter().map(|k| k.name()).collect();
    names.join(", ")
}

fn places(n: usize) -> String {
    let places: Vec<String> = (1..=n).map(|i| format!("${i}")).collect();
    places.join(", ")
}

/// The rows after the key in the placeholders, or the first ones.
fn select(column: &SealedColumn, after: &[Value]) -> String {
    let SealedColumn {
        table,
        column: name,
        only,
        bound_row,
        ..
    } = column;
    let keys = names(column);
    let further = if after.is_empty() {
        String::new()
    } else {
        format!(" AND ({keys}) > ({})", places(after.len()))
    };
    format!(
        "SELECT {keys}, {name}, {bound_row} AS bound_row FROM {table}
         WHERE {only}{further} ORDER BY {keys} LIMIT {STEP_ROWS}"
    )
}
