//! The one interface to a provider, with defaults that read its manifest.

use std::borrow::Cow;

use lk_core::Time;
use serde_json::Value;

use crate::check::{Answer, Probe, Reading};
use crate::errors::ErrorRules;
use crate::file::ProviderFile;
use crate::item::{Item, Unreadable};
use crate::manifest::{ManifestError, Scheme};
use crate::message::HttpResponse;
use crate::observe::Found;
use crate::{Handshake, Headers, Inbound, Manifest, Redactor, Rejection, Secret, Settings, Verified};

/// The texts of a provider's folder, embedded by the generated registry.
#[derive(Debug, Clone, Copy)]
pub struct Folder {
    /// `manifest.toml`.
    pub manifest: &'static str,
    /// `errors.toml`, where there is one.
    pub errors: Option<&'static str>,
    /// `icon.svg`, where there is one.
    pub icon: Option<&'static str>,
    /// `help.md`, where there is one.
    pub help: Option<&'static str>,
}

/// A parsed folder, or file, and what is derived from it once.
#[derive(Debug)]
pub struct Described {
    manifest: Manifest,
    redactor: Redactor,
    errors: Option<&'static str>,
    inline_errors: Option<ErrorRules>,
    icon: Option<Cow<'static, str>>,
    help: Option<Cow<'static, str>>,
}

impl Described {
    /// Parses the folder.
    pub fn load(folder: Folder) -> Result<Self, ManifestError> {
        Ok(Self {
            errors: folder.errors,
            icon: folder.icon.map(Cow::Borrowed),
            help: folder.help.map(Cow::Borrowed),
            ..Self::from_manifest(Manifest::parse(folder.manifest)?)
        })
    }

    /// A manifest alone, without error rules, icon and help.
    pub fn from_manifest(manifest: Manifest) -> Self {
        let redactor = Redactor::new(&manifest.redact.keys);
        Self {
            manifest,
            redactor,
            errors: None,
            inline_errors: None,
            icon: None,
            help: None,
        }
    }

    /// A provider given by one file at run time.
    pub fn from_file(file: ProviderFile) -> Self {
        Self {
            inline_errors: Some(file.errors),
            icon: file.icon.map(Cow::Owned),
            help: file.help.map(Cow::Owned),
            ..Self::from_manifest(file.manifest)
        }
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The redactor built from it.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The text of `errors.toml`, where there is one.
    pub fn errors(&self) -> Option<&'static str> {
        self.errors
    }

    /// The error rules of a provider given by one file, which have no text of their own.
    pub fn inline_errors(&self) -> Option<&ErrorRules> {
        self.inline_errors.as_ref()
    }
}

/// A provider. Everything but [`Provider::described`] has a default that reads the manifest; a
/// folder overrides only what data cannot say. Nothing here does IO or asks for the time.
pub trait Provider: Send + Sync {
    /// The parsed folder.
    fn described(&self) -> &Described;

    /// The manifest.
    fn manifest(&self) -> &Manifest {
        &self.described().manifest
    }

    /// The provider's redactor.
    fn redactor(&self) -> &Redactor {
        &self.described().redactor
    }

    /// The icon as SVG text.
    fn icon(&self) -> Option<&str> {
        self.described().icon.as_deref()
    }

    /// What people need to connect it, as Markdown.
    fn help(&self) -> Option<&str> {
        self.described().help.as_deref()
    }

    /// Whether the delivery comes from whoever holds one of `secrets` (the active ones).
    fn verify(
        &self,
        inbound: &Inbound,
        settings: &Settings,
        secrets: &[Secret],
        now: Time,
    ) -> Result<Verified, Rejection> {
        let webhook = self.manifest().webhook.as_ref().ok_or(Rejection::NotReceivable)?;
        if matches!(webhook.signature, Scheme::Configured {}) {
            let settings = self.manifest().with_defaults(settings);
            return crate::signature::verify(&webhook.signature, inbound, &settings, secrets, now);
        }
        crate::signature::verify(&webhook.signature, inbound, settings, secrets, now)
    }

    /// The handshake in a delivery, if it is one. The caller obeys its [`crate::Trust`].
    fn handshake(&self, inbound: &Inbound, settings: &Settings) -> Option<Handshake> {
        let webhook = self.manifest().webhook.as_ref()?;
        crate::observe::handshake(&webhook.handshake, inbound, &self.manifest().with_defaults(settings))
    }

    /// The items of a verified delivery.
    fn observe(&self, inbound: &Inbound, settings: &Settings) -> Result<Vec<Item>, Unreadable> {
        let split = |body| self.split(body);
        let amend = |item: &Value, found: &mut Found| self.amend(item, &inbound.headers, found);
        crate::observe::observe(self.described(), inbound, settings, &split, &amend)
    }

    /// The bodies of a batch's items; default: as the manifest's `batch` says.
    fn split(&self, body: Value) -> Vec<Value> {
        match &self.manifest().webhook {
            Some(webhook) => crate::observe::split(&webhook.body.batch, body),
            None => vec![body],
        }
    }

    /// Last word on what was found in one item, for conditions data cannot say.
    fn amend(&self, _item: &Value, _headers: &Headers, _found: &mut Found) {}

    /// The questions of a check, in the order of their rungs; none where nothing is checked, as
    /// while no credential is there. `settings` hold the form's values and, under `access_token`,
    /// what the credential gave; a key that people typed need not be repeated there.
    fn probes(&self, settings: &Settings, _now: Time) -> Vec<Probe> {
        crate::check::probes(self.manifest(), settings)
    }

    /// Whether there is anything to check with these settings. Whoever connects a provider for its
    /// webhooks alone gives no credential, and is asked nothing.
    fn checks(&self, settings: &Settings) -> bool {
        self.manifest().can(crate::manifest::Capability::Check) && !self.probes(settings, Time(0)).is_empty()
    }

    /// What a check costs in the units of the provider's limits.
    fn check_cost(&self, settings: &Settings) -> u32 {
        let rules = self.manifest().check.iter().flat_map(|check| &check.probes);
        let costs: Vec<(&str, u32)> = rules.map(|rule| (rule.name.as_str(), rule.cost)).collect();
        let cost = |probe: &Probe| {
            costs
                .iter()
                .find(|(name, _)| *name == probe.name)
                .map_or(1, |(_, cost)| *cost)
        };
        self.probes(settings, Time(0)).iter().map(cost).sum()
    }

    /// What an answer to one of the [`Provider::probes`] says.
    fn read_probe(&self, answer: Answer<'_>, settings: &Settings) -> Reading {
        crate::check::read(self.manifest(), &answer, settings)
    }

    /// The answer to an accepted delivery.
    fn reply(&self) -> HttpResponse {
        HttpResponse::ok()
    }
}

/// A provider that its manifest says wholly.
#[derive(Debug)]
pub struct ManifestProvider(Described);

impl ManifestProvider {
    /// Parses the folder.
    pub fn load(folder: Folder) -> Result<Self, ManifestError> {
        Described::load(folder).map(Self)
    }

    /// A provider given by its manifest alone.
    pub fn from_manifest(manifest: Manifest) -> Self {
        Self(Described::from_manifest(manifest))
    }

    /// A provider given by one file at run time.
    pub fn from_file(file: ProviderFile) -> Self {
        Self(Described::from_file(file))
    }
}

impl Provider for ManifestProvider {
    fn described(&self) -> &Described {
        &self.0
    }
}
