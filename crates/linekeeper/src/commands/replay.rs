//! `replay`: runs stored failures through the rules again.

use anyhow::Context as _;
use lk_core::access::{Standing, Verb, authorize};
use lk_engine::Clock;
use lk_engine::replay::{Scope, replay};

use super::print_line;
use crate::cli::Replay;
use crate::config::Config;
use crate::providers::Providers;
use crate::wiring;

/// Classifies a project's open problems again and says what changed.
pub(crate) async fn replay_command(args: Replay) -> anyhow::Result<()> {
    let config = Config::read(&args.at)?;
    let registry = Providers::load(&config)?.registry;
    let rules = wiring::rules(&registry)?;
    let store = wiring::open_store(&config).await?;
    let project = store.project(&args.project).await?;
    let integration = match &args.integration {
        Some(id) => {
            let found = store.integration(id).await.context("no such integration")?;
            Some(found.rid)
        }
        None => None,
    };
    let permit = authorize(&Standing::command_line(), Verb::Replay)?;
    let scope = Scope {
        project,
        integration,
        dry_run: args.dry_run,
    };
    let now = Clock::system().now();
    let report = replay(&store, &registry, &rules, &permit, &scope, now).await?;
    for change in &report.changes {
        print_line(&format!(
            "{}  {} -> {}  {} -> {}  {}",
            change.problem_id, change.before.0, change.after.0, change.before.1, change.after.1, change.message
        ))?;
    }
    let verb = if args.dry_run { "would change" } else { "changed" };
    print_line(&format!(
        "{} problems looked at, {} {verb}",
        report.looked_at,
        report.changes.len()
    ))
}
