//! `doctor`: looks at the configuration, the files, the database and the integrations, changes
//! nothing, and says in sentences what is wrong and what to do.
//!
//! Each file is a group of checks: functions that return findings. A finding's code is stable;
//! scripts and docs/operations.md rely on it. No finding holds a secret, only its masked end.

mod addresses;
mod certificate;
mod configuration;
mod database;
mod exposure;
mod files;
mod identity;
mod integrations;
mod people;
mod provider_files;
mod report;
mod secrets;

use lk_engine::Clock;

use crate::cli::Where;

pub(crate) use report::{Finding, Level, Report};

/// Runs every check that can be run.
pub(crate) async fn examine(at: &Where) -> Report {
    let (config, found) = configuration::check(at);
    let mut report = Report::default();
    report.add(found);
    let Some(config) = config else { return report };
    let clock = Clock::system();
    report.add(exposure::check(&config));
    report.add(certificate::check(&config, clock.now()));
    report.add(identity::check(&config).await);
    let (registry, found) = provider_files::check(&config);
    report.add(found);
    let (key, found) = files::check(&config);
    report.add(found);
    let (store, found) = database::open(&config, key.as_ref()).await;
    report.add(found);
    let Some(store) = store else { return report };
    report.add(database::check(&store, key.is_some(), &clock).await);
    report.add(people::check(&store).await);
    report.add(integrations::check(&store, &registry, &config, clock.now()).await);
    report
}
