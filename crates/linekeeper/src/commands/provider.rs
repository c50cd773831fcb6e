//! `provider lint` and `provider list`.

use anyhow::bail;
use serde_json::json;

use super::print_line;
use crate::cli::{ProviderLint, ProviderList};
use crate::config::Config;
use crate::providers::{self, Providers};

/// Checks a provider file, or a folder of them.
pub(crate) fn lint(args: &ProviderLint) -> anyhow::Result<()> {
    let reading = providers::read(&args.path, &providers::built_in()?);
    for given in &reading.given {
        print_line(&format!("ok {}", given.provider.manifest().key))?;
    }
    for flaw in &reading.flaws {
        print_line(&flaw.to_string())?;
    }
    match (reading.flaws.len(), reading.given.len()) {
        (0, 0) => bail!("there is no file that ends in .toml in {}", args.path.display()),
        (0, _) => Ok(()),
        (1, _) => bail!("1 problem"),
        (n, _) => bail!("{n} problems"),
    }
}

/// Lists every provider and where it comes from.
pub(crate) fn list(args: &ProviderList) -> anyhow::Result<()> {
    let Providers { registry, files } = Providers::load(&Config::read(&args.at)?)?;
    for provider in registry.iter() {
        let manifest = provider.manifest();
        let capabilities: Vec<&str> = manifest.capabilities.iter().map(|c| c.as_str()).collect();
        let file = files.get(&manifest.key).map(|path| path.display().to_string());
        if args.json {
            let line = json!({
                "key": manifest.key, "name": manifest.name, "capabilities": capabilities, "file": file,
            });
            print_line(&line.to_string())?;
        } else {
            let can = if capabilities.is_empty() {
                "-".to_owned()
            } else {
                capabilities.join(",")
            };
            let source = file.as_deref().unwrap_or("built-in");
            print_line(&format!(
                "{:<20} {:<26} {can:<10} {source}",
                manifest.key, manifest.name
            ))?;
        }
    }
    Ok(())
}
