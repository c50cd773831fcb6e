//! The integrations: what they are set to, with what secrets, and where that leads.

use std::collections::HashMap;

use lk_core::Time;
use lk_engine::directory::Directory;
use lk_provider::manifest::{FieldKind, HandshakeRule};
use lk_provider::{Manifest, Registry, Settings};
use lk_store::{Integration, Project, Store, StoreError};
use serde_json::{Map, Value};
use url::Url;

use super::addresses::{self, Address};
use super::secrets::{masked, misshapen};
use super::{Finding, Level};
use crate::config::Config;

/// Looks at every integration that is watched.
pub(super) async fn check(store: &Store, registry: &Registry, config: &Config, now: Time) -> Vec<Finding> {
    match look(store, registry, config, now).await {
        Ok(found) => found,
        Err(error) => {
            let message = format!("The integrations could not be read: {error}.");
            vec![Finding::problem("integrations.unread", message, "Run this again.")]
        }
    }
}

async fn look(store: &Store, registry: &Registry, config: &Config, now: Time) -> Result<Vec<Finding>, StoreError> {
    let directory = Directory::read(store, registry).await?;
    let (mut found, mut addresses, mut looked_at) = (Vec::new(), Vec::new(), 0);
    for project in store.projects().await? {
        let counts: HashMap<String, i64> = store.active_secret_counts(&project.id).await?.into_iter().collect();
        for row in store
            .integrations(project.rid)
            .await?
            .into_iter()
            .filter(|row| row.enabled)
        {
            looked_at += 1;
            let about = About::new(&row, &project);
            let Some(provider) = registry.get(&row.provider) else {
                found.push(about.unknown_provider(&row));
                continue;
            };
            let opened = directory.integration(row.rid);
            let settings = opened.map(|opened| opened.settings.clone()).unwrap_or_default();
            let stored = store.integration_credentials(&row.id).await?;
            let stored: Vec<&str> = stored.iter().map(|credential| credential.field.as_str()).collect();
            let one = One {
                about,
                manifest: provider.manifest(),
                plain: serde_json::from_str(&row.settings).unwrap_or_default(),
                settings,
            };
            found.extend(one.form(&stored));
            found.extend(one.webhook_secret(counts.get(&row.id).copied().unwrap_or(0)));
            found.extend(one.credentials());
            let secrets = opened.map(|opened| opened.secrets(now)).unwrap_or_default();
            found.extend(
                secrets
                    .iter()
                    .filter_map(|secret| one.shape("the webhook secret", secret.expose())),
            );
            let of_one = one.addresses();
            found.extend(
                of_one
                    .iter()
                    .filter_map(|address| addresses::reading(address, one.manifest)),
            );
            addresses.extend(of_one);
        }
    }
    found.extend(addresses::leading(&addresses, config.allow_private_targets).await);
    if !found.iter().any(|finding| finding.level > Level::Ok) {
        let message = match looked_at {
            1 => "Nothing is wrong with the settings of the one integration that is watched.".to_owned(),
            n => format!("Nothing is wrong with the settings of the {n} integrations that are watched."),
        };
        found.push(Finding::ok("integrations.ok", message));
    }
    Ok(found)
}

/// Which integration a finding is about.
struct About {
    id: String,
    whose: String,
}

impl About {
    fn new(row: &Integration, project: &Project) -> Self {
        Self {
            id: row.id.clone(),
            whose: format!("{} ({}) in {}", row.name, row.provider, project.slug),
        }
    }

    fn of(&self, mut finding: Finding) -> Finding {
        finding.integration = Some(self.id.clone());
        finding
    }

    fn unknown_provider(&self, row: &Integration) -> Finding {
        self.of(Finding::problem(
            "integration.unknown_provider",
            format!(
                "{} belongs to a provider that is not known: its deliveries are refused.",
                self.whose
            ),
            format!(
                "Put the file that gives `{}` back into the folder of provider files, or delete the integration.",
                row.provider
            ),
        ))
    }
}

/// One integration and its provider.
struct One<'a> {
    about: About,
    manifest: &'a Manifest,
    /// The settings as they are stored, without secrets.
    plain: Map<String, Value>,
    /// All settings, opened credentials among them.
    settings: Settings,
}

impl One<'_> {
    fn secret_fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self
            .manifest
            .fields
            .iter()
            .filter(|field| field.kind == FieldKind::Secret);
        fields.filter_map(|field| Some((field.key.as_str(), self.settings.get(&field.key)?)))
    }

    /// Whether the settings still fit the form, which may be another than when they were saved.
    fn form(&self, stored: &[&str]) -> Option<Finding> {
        let mut all = self.plain.clone();
        for (key, value) in self.secret_fields() {
            all.insert(key.to_owned(), value.into());
        }
        let error = lk_server::check_settings(self.manifest, all, stored).err()?;
        Some(self.about.of(Finding::problem(
            "integration.settings",
            format!(
                "The settings of {} do not fit its form: {}",
                self.about.whose,
                error.message()
            ),
            "Correct them on the integration's page.",
        )))
    }

    fn webhook_secret(&self, active: i64) -> Option<Finding> {
        let webhook = self.manifest.webhook.as_ref().filter(|_| active == 0)?;
        let brings = |rule: &HandshakeRule| matches!(rule, HandshakeRule::TokenIsSecret { .. });
        let whose = &self.about.whose;
        Some(self.about.of(if webhook.handshake.iter().any(brings) {
            Finding::warning(
                "integration.waits_for_secret",
                format!("{whose} has no webhook secret yet: the provider brings it with its first delivery."),
                "Subscribe its webhook address at the provider.",
            )
        } else {
            Finding::problem(
                "integration.no_secret",
                format!("{whose} has no webhook secret: every delivery is refused."),
                "Add one on the integration's page, the same as at the provider.",
            )
        }))
    }

    fn credentials(&self) -> Vec<Finding> {
        let shapes = self.secret_fields().filter_map(|(key, value)| self.shape(key, value));
        shapes.collect()
    }

    fn shape(&self, what: &str, secret: &str) -> Option<Finding> {
        let (wrong, advice) = misshapen(secret)?;
        let message = format!("{what} of {} ({}) {wrong}.", self.about.whose, masked(secret));
        Some(self.about.of(Finding::warning("secret.shape", message, advice)))
    }

    fn addresses(&self) -> Vec<Address> {
        let texts = self
            .plain
            .iter()
            .filter(|(key, _)| addresses::is_address(self.manifest, key));
        let addresses = texts.filter_map(|(key, value)| {
            Some(Address {
                whose: self.about.whose.clone(),
                integration: self.about.id.clone(),
                setting: key.clone(),
                url: Url::parse(value.as_str()?.trim()).ok().filter(Url::has_host)?,
            })
        });
        addresses.collect()
    }
}
