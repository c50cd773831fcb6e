//! One folder per provider: a manifest, error rules, an icon, help, fixtures, and Rust only for
//! what data cannot say. Adding a folder and running `cargo xtask codegen` adds a provider.

#[cfg(feature = "fakes")]
pub mod fakes;
mod registry;

use lk_provider::Registry;
use lk_provider::errors::{ErrorRulesError, Explainers};
use lk_provider::manifest::ManifestError;

pub use registry::all;

/// Key of the provider whose error rules hold for every provider.
pub const GENERIC: &str = "generic";

/// The registry of every provider. Fails only when a manifest in this crate is broken.
pub fn registry() -> Result<Registry, ManifestError> {
    Registry::new(all()?).map_err(|error| ManifestError::Invalid {
        key: "registry".to_owned(),
        at: String::new(),
        problem: error.to_string(),
    })
}

/// The error rules of the registry's providers, those given at run time too; the error names whose
/// are broken.
pub fn explainers(registry: &Registry) -> Result<Explainers, (String, ErrorRulesError)> {
    let errors = |key: &str| registry.get(key).and_then(|p| p.described().errors());
    let own = registry
        .iter()
        .map(|p| p.manifest().key.as_str())
        .filter(|key| *key != GENERIC)
        .filter_map(|key| Some((key, errors(key)?)));
    let explainers = Explainers::load(errors(GENERIC).unwrap_or_default(), own)?;
    Ok(registry.iter().fold(explainers, |explainers, provider| {
        match provider.described().inline_errors() {
            Some(rules) => explainers.with(&provider.manifest().key, rules.clone()),
            None => explainers,
        }
    }))
}

#[cfg(test)]
mod error_tests;
#[cfg(test)]
mod tests;
