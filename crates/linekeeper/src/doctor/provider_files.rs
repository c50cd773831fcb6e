//! The provider files of `providers.d`.

use lk_provider::Registry;

use super::Finding;
use crate::config::Config;
use crate::providers::Providers;

/// The providers that can be used, and what is wrong with the files of the others.
pub(super) fn check(config: &Config) -> (Registry, Vec<Finding>) {
    let (providers, flaws) = match Providers::load_what_can_be(config) {
        Ok(read) => read,
        Err(error) => {
            let broken = Finding::problem(
                "provider_files.broken",
                format!("{error:#}."),
                "Install this program again.",
            );
            return (Registry::default(), vec![broken]);
        }
    };
    let mut found: Vec<Finding> = flaws
        .iter()
        .map(|flaw| {
            Finding::problem(
                "provider_files.broken",
                format!("A provider file cannot be used, and no server starts with it: {flaw}"),
                "Correct the file or take it out of the folder; `linekeeper provider lint` checks it again.",
            )
        })
        .collect();
    if found.is_empty() {
        let (all, files) = (providers.registry.len(), providers.files.len());
        let message = format!("{all} providers are known, {files} of them from files.");
        found.push(Finding::ok("provider_files.ok", message));
    }
    (providers.registry, found)
}
