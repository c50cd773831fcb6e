//! `export`: a project's events, read by key so that no snapshot is held long.

use std::io::Write as _;

use lk_store::{EventFilter, EventRow};
use serde_json::json;

use crate::cli::{Export, Format};
use crate::config::Config;
use crate::wiring;

/// Events read at once.
const PAGE: u32 = 1_000;
/// The columns of the CSV form, in order.
const COLUMNS: &str = "id,seq,received_at,occurred_at,kind,provider,integration,integration_id,\
                       event_type,status,category,severity,code,operation,http_status,message";

/// Writes every event of a project, newest first.
pub(crate) async fn export(args: Export) -> anyhow::Result<()> {
    let config = Config::read(&args.at)?;
    let store = wiring::open_store(&config).await?;
    let project = store.project(&args.project).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if matches!(args.format, Format::Csv) {
        writeln!(out, "{COLUMNS}")?;
    }
    let mut before = None;
    loop {
        let filter = EventFilter {
            before,
            ..EventFilter::all(project.rid, PAGE)
        };
        let page = store.events(&filter).await?;
        for event in &page.items {
            match args.format {
                Format::Jsonl => writeln!(out, "{}", line(event))?,
                Format::Csv => writeln!(out, "{}", row(event))?,
            }
        }
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    Ok(out.flush()?)
}

fn iso(time: lk_core::Time) -> String {
    jiff::Timestamp::from_millisecond(time.ms()).map_or_else(|_| String::new(), |t| format!("{t:.3}"))
}

fn line(e: &EventRow) -> serde_json::Value {
    json!({
        "id": e.id.to_string(), "seq": e.seq,
        "receivedAt": iso(e.received_at), "timestamp": iso(e.occurred_at),
        "kind": e.kind.as_str(), "integration": e.provider, "integrationName": e.integration_name,
        "integrationId": e.integration_id, "eventType": e.event_type,
        "status": e.outcome.map(lk_core::words::Outcome::as_str),
        "category": e.category.map(lk_core::words::Category::as_str),
        "severity": e.severity.map(lk_core::words::Severity::as_str),
        "code": e.code, "operation": e.operation, "httpStatus": e.http_status,
        "message": e.message, "quarantined": e.quarantined,
    })
}

fn row(e: &EventRow) -> String {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        e.id.to_string(),
        e.seq.to_string(),
        iso(e.received_at),
        iso(e.occurred_at),
        e.kind.to_string(),
        e.provider.clone(),
        e.integration_name.clone(),
        e.integration_id.clone(),
        e.event_type.clone(),
        e.outcome.map(|o| o.to_string()).unwrap_or_default(),
        e.category.map(|c| c.to_string()).unwrap_or_default(),
        e.severity.map(|s| s.to_string()).unwrap_or_default(),
        optional(&e.code),
        optional(&e.operation),
        e.http_status.map(|s| s.to_string()).unwrap_or_default(),
        e.message.clone(),
    ]
    .map(|cell| csv_cell(&cell))
    .join(",")
}

/// A CSV cell: quoted where needed, and never read as a formula by a spreadsheet.
fn csv_cell(text: &str) -> String {
    let guarded = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn cells_are_quoted_and_formulas_are_text() {
        assert_eq!(csv_cell("a,b"), "\"a,b\"");
        assert_eq!(csv_cell("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(csv_cell("=1+1"), "'=1+1");
        assert_eq!(csv_cell("plain"), "plain");
    }
}
