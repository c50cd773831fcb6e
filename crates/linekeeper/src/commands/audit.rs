//! `audit check`.

use anyhow::{Context as _, bail};
use lk_store::{AuditCheck as Found, AuditFilter, Store};

use super::print_line;
use crate::cli::AuditCheck;
use crate::config::Config;
use crate::wiring;

/// Checks the audit log and prints its end, to be noted elsewhere.
pub(crate) async fn check(args: AuditCheck) -> anyhow::Result<()> {
    let store = wiring::open_store(&Config::read(&args.at)?).await?;
    let found = store.check_audit_log().await?;
    if let Some(problem) = found.problem {
        bail!(
            "the audit log is not whole: {problem} ({} rows before it are as they were written)",
            found.rows
        );
    }
    if let Some(expected) = &args.expect {
        still_there(&store, &found, expected).await?;
    }
    let Some((seq, hash)) = &found.head else {
        return print_line("the audit log is empty");
    };
    let older = match found.begins_after {
        0 => String::new(),
        before => format!(" after {before} older ones, which cannot be checked"),
    };
    let newest = store.audit_log(&AuditFilter::default(), None, 1).await?;
    let last = newest.first().map_or("nobody", |row| row.actor_name.as_str());
    print_line(&format!(
        "{} rows are whole{older}, the last one by {last}; end {seq}:{hash}",
        found.rows
    ))
}

/// Fails when the end that was noted earlier is not in the log any more.
async fn still_there(store: &Store, found: &Found, expected: &str) -> anyhow::Result<()> {
    let (row, hash) = expected.split_once(':').context("--expect takes ROW:HASH")?;
    let row: i64 = row.parse().context("--expect takes ROW:HASH")?;
    if row <= found.begins_after || found.head.is_none() {
        bail!("the audit log is not whole: row {row}, which was noted as its end, is before where it begins now");
    }
    match store.audit_hash(row).await? {
        None => bail!("the audit log is not whole: row {row} is not there any more"),
        Some(now) if now != hash.to_lowercase() => {
            bail!("the audit log is not whole: row {row} has another hash than was noted")
        }
        Some(_) => Ok(()),
    }
}
