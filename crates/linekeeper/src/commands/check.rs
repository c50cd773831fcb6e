//! `check`: one integration, rung by rung, without a server.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use lk_core::Time;
use lk_core::classify::{Context, doc};
use lk_core::time::DAY;
use lk_engine::Clock;
use lk_engine::checks::{Checks, Finished};
use lk_engine::credentials::Credentials;
use lk_engine::directory::{Directory, Integration};
use lk_engine::egress::Egress;
use lk_provider::Provider;
use serde_json::Value;

use super::print_line;
use crate::cli::Check;
use crate::config::Config;
use crate::providers::Providers;
use crate::wiring;

/// Checks once, or again and again.
pub(crate) async fn check(args: Check) -> anyhow::Result<()> {
    let config = Config::read(&args.at)?;
    let registry = Providers::load(&config)?.registry;
    let rules = wiring::rules(&registry)?;
    let store = wiring::open_store(&config).await?;
    let clock = Clock::system();
    let egress = Egress::new(config.allow_private_targets)?;
    let credentials = Credentials::reading(store.clone(), registry.clone(), egress.clone(), clock.clone());
    let checks = Checks::standalone(clock, egress, credentials);
    loop {
        // Read each time: --watch is for seeing what a change of settings does.
        let directory = Directory::read(&store, &registry).await?;
        let integration = find(&directory, &args.integration)?;
        let Some(provider) = registry.get(&integration.provider) else {
            bail!(
                "the provider `{}` is not known to this installation",
                integration.provider
            );
        };
        let finished = checks.look(integration, provider.as_ref(), &rules).await;
        print(&args, integration, provider.as_ref(), &finished)?;
        if !args.watch {
            // Said on standard output already; the status says it to programs.
            std::process::exit(i32::from(finished.result.failed.is_some()));
        }
        tokio::time::sleep(Duration::from_secs(args.every)).await;
    }
}

fn find<'a>(directory: &'a Directory, wanted: &str) -> anyhow::Result<&'a Arc<Integration>> {
    let mut found: Vec<&Arc<Integration>> = directory
        .integrations()
        .filter(|i| i.id == wanted || i.name.eq_ignore_ascii_case(wanted))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => bail!(
            "{} integrations are called `{wanted}`; give the id (see `linekeeper integration list`)",
            found.len() + 1
        ),
        (None, _) => bail!("no integration has the id or name `{wanted}` (see `linekeeper integration list`)"),
    }
}

fn print(args: &Check, integration: &Integration, provider: &dyn Provider, finished: &Finished) -> anyhow::Result<()> {
    if args.json {
        return print_line(&finished.detail);
    }
    let told: Value = serde_json::from_str(&finished.detail)?;
    let name = &provider.manifest().name;
    print_line(ladder(&integration.name, name, finished, &told).trim_end())?;
    if finished.result.failed.is_some() {
        print_line(advice(name, finished).trim_end())?;
    }
    Ok(())
}

/// The rungs, one a line, then what works and yet needs attention.
fn ladder(name: &str, provider: &str, finished: &Finished, told: &Value) -> String {
    let verdict = match (&finished.result.failed, finished.result.warnings.is_empty()) {
        (Some(failed), _) => format!("failed at {}", lk_core::health::place(failed.rung)),
        (None, true) => "passed".to_owned(),
        (None, false) => "passed with warnings".to_owned(),
    };
    let mut text = format!("{name} ({provider}): {verdict} in {} ms\n", finished.result.took_ms);
    for step in told["steps"].as_array().into_iter().flatten() {
        let mark = if step["ok"] == true { "ok  " } else { "FAIL" };
        let rung = step["rung"].as_str().unwrap_or_default();
        let ms = step["ms"].as_u64().map_or_else(String::new, |ms| format!("{ms} ms"));
        let what = step["note"].as_str().or(step["name"].as_str()).unwrap_or_default();
        let what = if what == rung { "" } else { what };
        let _ = writeln!(text, "  {mark} {rung:<11}{ms:>9}  {what}");
    }
    if let Some(ends) = told["certificateEndsAt"].as_i64() {
        let days = Time(ends).since(finished.at) / DAY;
        let _ = writeln!(text, "  certificate ends in {days} days");
    }
    for quota in told["quotas"].as_array().into_iter().flatten() {
        let limit = quota["limit"]
            .as_u64()
            .map_or_else(String::new, |limit| format!(" of {limit}"));
        let (name, left) = (quota["name"].as_str().unwrap_or_default(), &quota["remaining"]);
        let _ = writeln!(text, "  quota {name}: {left}{limit} left");
    }
    for (_, sentence) in finished.result.warnings.each() {
        let _ = writeln!(text, "  warning: {sentence}");
    }
    for note in told["notes"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "  {}", note.as_str().unwrap_or_default());
    }
    text
}

/// Cause and fix of the rung that failed.
fn advice(provider: &str, finished: &Finished) -> String {
    let Some(failed) = &finished.result.failed else {
        return String::new();
    };
    let failure = &failed.failure;
    let context = Context {
        provider,
        operation: &failure.operation,
        code: failure.code.as_deref(),
    };
    let told = doc(failure.verdict.doc).explain(&context);
    let status = failure
        .http_status
        .map_or_else(String::new, |status| format!(" (HTTP {status})"));
    let mut text = format!("\n  {}{status}\n  {}\n", failure.message, told.cause);
    for (n, step) in told.fix_steps.iter().enumerate() {
        let _ = writeln!(text, "  {}. {step}", n + 1);
    }
    if let Some(link) = told.link {
        let _ = writeln!(text, "  {link}");
    }
    let _ = writeln!(text, "  code: {}", failure.verdict.doc.as_str());
    text
}
