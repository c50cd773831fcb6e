//! `integration add` and `integration list`.

use std::collections::HashMap;

use anyhow::{Context as _, bail};
use lk_core::access::{Standing, Verb, authorize};
use lk_engine::Clock;
use lk_engine::egress::Egress;
use lk_provider::manifest::{HandshakeRule, Webhook};
use lk_provider::{Manifest, Registry};
use lk_store::{NewIntegration, NewWebhookSecret, SecretSource, SecretText};
use serde_json::{Map, Value, json};

use super::print_line;
use crate::cli::{IntegrationAdd, IntegrationList};
use crate::config::Config;
use crate::providers::Providers;
use crate::wiring;

/// Adds an integration and prints where to send its webhooks and how to sign them.
pub(crate) async fn add(args: IntegrationAdd) -> anyhow::Result<()> {
    let config = Config::read(&args.at)?;
    let registry = Providers::load(&config)?.registry;
    let manifest = connectable(&registry, &args.provider)?;
    let mut given = None;
    let mut settings = Map::new();
    for (key, value) in args.settings {
        if key == "webhook_secret" {
            given = Some(value);
        } else {
            settings.insert(key, Value::String(value));
        }
    }
    let checked = lk_server::check_settings(manifest, settings, &[]).map_err(told)?;
    let egress = Egress::new(config.allow_private_targets)?;
    lk_server::vet_settings(&egress, manifest, &checked.settings)
        .await
        .map_err(told)?;
    if given.is_some() && manifest.webhook.is_none() {
        bail!("{} sends no webhooks, so it has no webhook secret", manifest.name);
    }
    let (secret, printed) = first_secret(given, manifest.webhook.as_ref())?;
    let key = manifest
        .webhook
        .is_some()
        .then(lk_server::new_token)
        .transpose()
        .map_err(told)?;
    let store = wiring::open_store(&config).await?;
    let project = store.project(&args.project).await?;
    let new = NewIntegration {
        project_id: project.id,
        provider: args.provider.clone(),
        service: None,
        name: args.name.unwrap_or_else(|| manifest.name.clone()),
        settings: Value::Object(checked.settings).to_string(),
        demo: false,
        endpoint_key: key.clone().map(SecretText::new),
        secret,
        credentials: checked
            .credentials
            .into_iter()
            .filter_map(|(field, value)| Some((field, value?)))
            .collect(),
    };
    let permit = authorize(&Standing::command_line(), Verb::ConnectIntegration)?;
    let created = store.create_integration(&permit, &new, Clock::system().now()).await?;
    let url = key.map(|key| format!("{}/webhooks/{}/{key}", wiring::base_url(&config), args.provider));
    if args.json {
        let mut answer = json!({ "id": created.integration.id, "webhookUrl": url });
        if let Some(secret) = printed {
            answer["webhookSecret"] = secret.into();
        }
        return print_line(&answer.to_string());
    }
    print_line(&format!("{} ({})", created.integration.name, created.integration.id))?;
    if let Some(url) = url {
        print_line(&format!("  webhook address  {url}"))?;
    }
    if let Some(secret) = printed {
        print_line(&format!("  webhook secret   {secret}  (shown this once)"))?;
    }
    Ok(())
}

/// The server's error in its own words.
fn told(error: lk_server::ApiError) -> anyhow::Error {
    anyhow::anyhow!("{}", error.message())
}

/// The secret to begin with, and the same again when it is ours to print.
fn first_secret(
    given: Option<String>,
    webhook: Option<&Webhook>,
) -> anyhow::Result<(Option<NewWebhookSecret>, Option<String>)> {
    let new = |value: &str, source| {
        Some(NewWebhookSecret {
            value: SecretText::new(value),
            source,
        })
    };
    match (given, webhook) {
        (Some(value), _) => Ok((new(&value, SecretSource::Manual), None)),
        (None, Some(webhook)) if !brings_its_secret(webhook) => {
            let made = lk_server::new_webhook_secret(&webhook.secret.prefix).map_err(told)?;
            Ok((new(&made, SecretSource::Generated), Some(made)))
        }
        _ => Ok((None, None)),
    }
}

/// Whether the provider sends its secret itself, in a first unsigned delivery.
fn brings_its_secret(webhook: &Webhook) -> bool {
    webhook
        .handshake
        .iter()
        .any(|rule| matches!(rule, HandshakeRule::TokenIsSecret { .. }))
}

/// The manifest of a provider that can be connected.
fn connectable<'a>(registry: &'a Registry, key: &str) -> anyhow::Result<&'a Manifest> {
    let ready = |manifest: &&Manifest| !manifest.capabilities.is_empty();
    let known = registry.get(key).map(|p| p.manifest()).filter(ready);
    known.with_context(|| {
        let all = registry.iter().map(|p| p.manifest()).filter(ready);
        let keys: Vec<&str> = all.map(|manifest| manifest.key.as_str()).collect();
        format!(
            "there is no provider `{key}` to connect; there are: {}",
            keys.join(", ")
        )
    })
}

/// Lists a project's integrations.
pub(crate) async fn list(args: IntegrationList) -> anyhow::Result<()> {
    let config = Config::read(&args.at)?;
    let store = wiring::open_store(&config).await?;
    let project = store.project(&args.project).await?;
    let integrations = store.integrations(project.rid).await?;
    let rids: Vec<_> = integrations.iter().map(|i| i.rid).collect();
    let states: HashMap<_, _> = store.states(Some(&rids)).await?.into_iter().collect();
    for i in integrations {
        let health = states.get(&i.rid).map_or("unknown", |state| state.health.as_str());
        if args.json {
            let line = json!({
                "id": i.id, "provider": i.provider, "name": i.name,
                "enabled": i.enabled, "health": health,
            });
            print_line(&line.to_string())?;
        } else {
            print_line(&format!("{}  {:<10} {:<18} {}", i.id, health, i.provider, i.name))?;
        }
    }
    Ok(())
}
