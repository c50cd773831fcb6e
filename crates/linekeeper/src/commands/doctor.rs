//! `doctor`.

use anyhow::bail;

use super::print_line;
use crate::cli::Doctor;
use crate::doctor::{Level, examine};

/// Tells what is wrong; fails when there is a problem.
pub(crate) async fn doctor(args: Doctor) -> anyhow::Result<()> {
    let report = examine(&args.at).await;
    if args.json {
        print_line(&report.json().to_string())?;
    } else {
        print_line(&report.text())?;
    }
    match report.count(Level::Problem) {
        0 => Ok(()),
        _ => bail!("{}", report.summary()),
    }
}
