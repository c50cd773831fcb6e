//! `audit check`.

use anyhow::{Context as _, bail};
use lk_store::AuditFilter;

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
        let (row, hash) = expected.split_once(':').context("--expect takes ROW:HASH")?;
        let row: i64 = row.parse().context("--expect takes ROW:HASH")?;
        match store.audit_hash(row).await? {
            None => bail!("the audit log is not whole: row {row} is not there any more"),
            Some(now) if hex(&now) != hash.to_lowercase() => {
                bail!("the audit log is not whole: row {row} has another hash than was noted")
            }
            Some(_) => {}
        }
    }
    let newest = store.audit_log(&AuditFilter::default(), None, 1).await?;
    let last = newest
        .first()
        .map_or_else(String::new, |row| format!(", the last one by {}", row.actor_name));
    match found.head {
        Some((seq, hash)) => print_line(&format!(
            "{} rows are whole{last}; end {seq}:{}",
            found.rows,
            hex(&hash)
        )),
        None => print_line("the audit log is empty"),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or_default();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}
