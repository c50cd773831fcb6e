//! `cargo xtask bench`: what the built server does on this machine, beside baselines measured in
//! the same run. The load generator shares the machine with the server; figures are single runs.

mod baseline;
mod fill;
mod load;
mod server;
mod table;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;

use load::{Load, Target};
use server::Server;
use table::Table;

/// How the benchmark runs.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The server to measure.
    #[arg(long, default_value = "target/release/linekeeper")]
    binary: std::path::PathBuf,
    /// Events that are in the table before anything is measured.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Seconds of load per measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Connections that post deliveries.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Where the data goes; a temporary folder when absent. It should be on the disk that counts.
    #[arg(long)]
    folder: Option<std::path::PathBuf>,
}

/// Deliveries of real variety that the table is filled with, over and over.
const VARIETY: usize = 20_000;
/// How often each query is asked.
const QUERY_ROUNDS: usize = 200;

/// Measures and prints.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let binary = root.join(&options.binary);
    ensure!(binary.is_file(), "{} is missing: run `make bench`", binary.display());
    let folder = match &options.folder {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    };
    let folder = folder.context("making a folder for the data")?;
    let mut table = Table::new();
    let seconds = Duration::from_secs(options.seconds);

    let mut server = Server::start(&binary, &folder.path().join("data"))?;
    table.row(
        "start, empty",
        &format!("{} ms to ready, {} MB", server.ready_ms, server.memory_mb()?),
    );
    let cast = load::cast(&mut server)?;
    println!("sending {VARIETY} deliveries of five providers");
    load::send_variety(&server, &cast, VARIETY)?;
    server.stop()?;

    println!("filling the table with {} events", options.events);
    fill::fill(&folder.path().join("data"), options.events)?;
    server = Server::start(&binary, &folder.path().join("data"))?;
    // Memory once the start's work is done, with nobody asking for anything.
    load::wait(Duration::from_secs(2));
    let full = format!("start, {} events", options.events);
    table.row(
        &full,
        &format!("{} ms to ready, {} MB idle", server.ready_ms, server.memory_mb()?),
    );

    accept(&mut table, &server, &cast, options, seconds, folder.path())?;
    queries(&mut table, &server, &cast)?;
    server.stop()?;
    table.print();
    Ok(())
}

/// Webhook acceptance, beside an empty handler of the same process and a bare group commit.
fn accept(
    table: &mut Table,
    server: &Server,
    cast: &[Target],
    options: &Options,
    seconds: Duration,
    folder: &Path,
) -> anyhow::Result<()> {
    let connections = options.connections;
    println!("empty handler, {connections} connections");
    let empty = Load::of_path("/healthz").run(server, connections, seconds)?;
    println!("deliveries, {connections} connections");
    let before = server.usage()?;
    let target = cast.first().context("no integration to post to")?;
    let posted = Load::of_deliveries(target).run(server, connections, seconds)?;
    let used = server.usage()?.since(before);
    println!("raw SQLite group commit, {connections} rows each");
    let bytes = posted.mean_bytes;
    let raw = baseline::group_commit(folder, connections, bytes, seconds)?;

    let rate = posted.per_second();
    ensure!(
        posted.refused == 0,
        "{} of {} deliveries were refused",
        posted.refused,
        posted.count
    );
    table.measured(&format!("webhook accepted, {bytes} bytes"), &posted);
    table.row(
        "  of the empty handler",
        &format!("{:.2} x of {:.0}/s", rate / empty.per_second(), empty.per_second()),
    );
    table.row(
        "  of raw group commit",
        &format!("{:.2} x of {raw:.0} rows/s", rate / raw),
    );
    let events = posted.count.max(1) as f64;
    table.row(
        "  per event",
        &format!(
            "{:.0} bytes written, {:.0} us CPU",
            used.written_bytes / events,
            used.cpu_us / events
        ),
    );
    Ok(())
}

/// Every filter the UI offers, one request at a time.
fn queries(table: &mut Table, server: &Server, cast: &[Target]) -> anyhow::Result<()> {
    let id = cast
        .first()
        .map(|target| target.integration.clone())
        .unwrap_or_default();
    let filters = [
        ("all", String::new()),
        ("integration", format!("&integration={id}")),
        ("failures", "&status=failure".to_owned()),
        ("category", "&category=auth".to_owned()),
        ("severity", "&severity=critical".to_owned()),
        ("rare type", "&type=topup.succeeded".to_owned()),
        ("text", "&q=ThrottleExceeded".to_owned()),
        ("text, none", "&q=nothing-has-this-text".to_owned()),
    ];
    for (name, filter) in filters {
        let path = format!("/api/events?limit=50{filter}");
        let measured = Load::of_path(&path).rounds(server, QUERY_ROUNDS)?;
        ensure!(measured.refused == 0, "{path} was refused");
        table.measured(&format!("events by {name}"), &measured);
    }
    for (name, path) in [("overview", "/api/overview"), ("problems", "/api/problems")] {
        table.measured(name, &Load::of_path(path).rounds(server, QUERY_ROUNDS)?);
    }
    Ok(())
}
