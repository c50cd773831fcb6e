//! The conformance suite that every provider passes: what its folder has to hold, how its
//! signatures refuse, how it reads any body, and what its fixtures expect.

mod bodies;
mod checks;
mod fixture;
mod signing;

use crate::manifest::Capability;
use crate::{Provider, Settings};

pub use checks::CheckFixture;
pub use fixture::{Fixture, FixtureError};

/// Everything that is wrong with a provider, one sentence each; empty when it conforms.
pub fn check(provider: &dyn Provider, fixtures: &[Fixture], checks: &[CheckFixture]) -> Vec<String> {
    let mut findings = folder(provider, fixtures);
    findings.extend(check_behaviour(provider));
    if provider.manifest().can(Capability::Check) && checks.is_empty() {
        findings.push("checks/ is empty".to_owned());
    }
    findings.extend(checks.iter().flat_map(|fixture| fixture.check(provider)));
    if provider.manifest().can(Capability::Webhook) {
        findings.extend(fixtures.iter().flat_map(|fixture| fixture.check(provider)));
    }
    let key = &provider.manifest().key;
    findings
        .into_iter()
        .map(|finding| format!("{key}: {finding}"))
        .collect()
}

/// The part that needs neither folder nor fixtures: how the provider verifies and reads, and what
/// it makes of refusals.
pub fn check_behaviour(provider: &dyn Provider) -> Vec<String> {
    let mut findings = checks::refusals(provider);
    if !provider.manifest().can(Capability::Webhook) {
        return findings;
    }
    let signing = variants(provider)
        .into_iter()
        .flat_map(|settings| signing::check(provider, &settings));
    findings.extend(signing.chain(bodies::check(provider)));
    findings
}

/// What is wrong with an icon: one that is not a plain glyph, or holds more than one.
pub fn icon_flaw(svg: &str) -> Option<String> {
    let plain = svg.starts_with("<svg") && svg.contains("currentColor") && svg.contains("viewBox=\"0 0 24 24\"");
    let holds = |bad: &str| svg.contains(bad);
    let more = ["<script", "href", "onload", "<style", "style="].into_iter().any(holds);
    (!plain || more).then(|| "the icon is not a plain 24x24 SVG glyph in currentColor".to_owned())
}

/// What the folder has to hold. A provider that cannot be connected yet needs no icon and help.
fn folder(provider: &dyn Provider, fixtures: &[Fixture]) -> Vec<String> {
    let mut findings = Vec::new();
    if let Some(errors) = provider.described().errors()
        && let Err(error) = crate::errors::ErrorRules::parse(errors).and_then(|rules| rules.compile())
    {
        findings.push(error.to_string());
    }
    if provider.manifest().capabilities.is_empty() {
        return findings;
    }
    match provider.icon() {
        None => findings.push("icon.svg is missing".to_owned()),
        Some(svg) => findings.extend(icon_flaw(svg)),
    }
    if provider.help().is_none_or(|help| help.trim().len() < 100) {
        findings.push("help.md is missing or says nothing".to_owned());
    }
    if provider.manifest().can(Capability::Webhook) && fixtures.is_empty() {
        findings.push("fixtures/ is empty".to_owned());
    }
    findings
}

/// The settings to check signatures under: the form's defaults, and every signature scheme offered.
fn variants(provider: &dyn Provider) -> Vec<Settings> {
    let offered = provider
        .manifest()
        .fields
        .iter()
        .find(|field| field.key == "signature_scheme");
    match offered {
        None => vec![Settings::new()],
        Some(field) => field
            .options
            .iter()
            .map(|scheme| [("signature_scheme", scheme.as_str())].into_iter().collect())
            .collect(),
    }
}
