//! Integrations: listed, created, changed, deleted.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use lk_core::access::Verb;
use lk_core::observation::IntegrationRid;
use lk_core::words::ProblemState;
use lk_provider::{Manifest, Registry};
use lk_store::{
    Integration as Row, IntegrationPatch as StoredPatch, NewIntegration as StoredNew, NewWebhookSecret, ProblemFilter,
    SecretSource, SecretText,
};
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ProjectParam;
use crate::app::App;
use crate::auth::{Access, Caller, new_token};
use crate::dto::integration::{
    CreatedIntegration, Credential, Integration, IntegrationDetail, IntegrationList, IntegrationPatch, NewIntegration,
    Webhook,
};
use crate::dto::present::Present;
use crate::dto::{Private, Viewer, cards};
use crate::error::{ApiError, ErrorCode};
use crate::extract::{BaseUrl, Body, Id, NoParams, Query};
use crate::settings::{CheckedSettings, check_settings, keep_secrets_home, vet_settings};

/// Problems shown with an integration.
const PROBLEMS_SHOWN: usize = 5;
/// Problems looked at to find the worst.
const PROBLEMS_RANKED: u32 = 100;
/// Characters of a webhook key that a masked address keeps.
const KEY_TAIL_CHARS: usize = 4;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_integrations, create_integration))
        .routes(routes!(get_integration, update_integration, delete_integration))
}

/// The integration with this id and the caller's access to its project.
pub(super) async fn find(app: &App, caller: &Caller, id: &str) -> Result<(Access, Row), ApiError> {
    let row = app.store().integration(id).await?;
    let access = Access::by_id(app, caller, &row.project_id).await?;
    Ok((access, row))
}

/// What a project's integrations have beside their rows.
struct Surroundings {
    keys: HashMap<String, SecretText>,
    aliases: HashMap<String, String>,
    secrets: HashMap<String, i64>,
    rejected: HashMap<IntegrationRid, i64>,
}

impl Surroundings {
    async fn of(app: &App, access: &Access) -> Result<Self, ApiError> {
        let (store, project) = (app.store(), &access.project);
        Ok(Self {
            keys: store.endpoint_keys(project.rid).await?.into_iter().collect(),
            aliases: store.aliases().await?.into_iter().map(|(p, id)| (id, p)).collect(),
            secrets: store.active_secret_counts(&project.id).await?.into_iter().collect(),
            rejected: store.rejected_24h(project.rid, app.now()).await?.into_iter().collect(),
        })
    }

    fn webhook(&self, row: &Row, access: &Access, base: &BaseUrl) -> Option<Webhook> {
        let key = self.keys.get(&row.id)?.expose();
        let url = if access.viewer().sees_webhook_address() {
            webhook_url(base, &row.provider, key)
        } else {
            let from = key.len().saturating_sub(KEY_TAIL_CHARS);
            let tail = key.get(from..).unwrap_or_default();
            webhook_url(base, &row.provider, &format!("…{tail}"))
        };
        Some(Webhook {
            url,
            alias_url: self.aliases.get(&row.id).map(|p| format!("{}/webhooks/{p}", base.0)),
            secrets: self.secrets.get(&row.id).copied().unwrap_or(0),
            rejected_24h: self.rejected.get(&row.rid).copied().unwrap_or(0),
        })
    }
}

fn webhook_url(base: &BaseUrl, provider: &str, key: &str) -> String {
    format!("{}/webhooks/{provider}/{key}", base.0)
}

/// The integrations of a project and how they do.
#[utoipa::path(
    get, path = "/api/integrations", operation_id = "listIntegrations", tag = "integrations",
    params(ProjectParam),
    responses((status = 200, body = IntegrationList))
)]
async fn list_integrations(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<ProjectParam>,
    base: BaseUrl,
) -> Result<Json<IntegrationList>, ApiError> {
    let access = Access::to_project(&app, &caller, query.project_id.as_deref()).await?;
    let rows = app.store().integrations(access.project.rid).await?;
    let around = Surroundings::of(&app, &access).await?;
    let cards = app.engine().live().cards(access.project.rid).await?;
    let cards: HashMap<_, _> = cards.iter().map(|card| (card.integration.rid, card)).collect();
    let (present, now) = (Present::new(app.registry()), app.now());
    let mut items: Vec<Integration> = rows
        .iter()
        .map(|row| {
            let card = cards.get(&row.rid).map(AsRef::as_ref);
            cards::integration(present, row, card, around.webhook(row, &access, &base), now)
        })
        .collect();
    items.sort_by_cached_key(|item| (item.name.to_lowercase(), item.id.clone()));
    Ok(Json(IntegrationList { items }))
}

async fn one(app: &App, access: &Access, base: &BaseUrl, row: &Row) -> Result<Integration, ApiError> {
    let around = Surroundings::of(app, access).await?;
    let card = app.engine().live().card(row.rid).await?;
    let webhook = around.webhook(row, access, base);
    let present = Present::new(app.registry());
    Ok(cards::integration(present, row, card.as_deref(), webhook, app.now()))
}

/// One integration with its settings and worst problems.
#[utoipa::path(
    get, path = "/api/integrations/{id}", operation_id = "getIntegration", tag = "integrations",
    params(("id" = String, Path, format = Uuid)),
    responses((status = 200, body = IntegrationDetail))
)]
async fn get_integration(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    base: BaseUrl,
) -> Result<Json<IntegrationDetail>, ApiError> {
    let (access, row) = find(&app, &caller, &id).await?;
    let filter = ProblemFilter {
        states: vec![ProblemState::Open, ProblemState::Acknowledged],
        integrations: Some(vec![row.rid]),
        ..ProblemFilter::all(access.project.rid, PROBLEMS_RANKED)
    };
    let mut problems = app.store().problems(&filter).await?.items;
    problems.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.last_seen.cmp(&a.last_seen)));
    problems.truncate(PROBLEMS_SHOWN);
    let present = Present::new(app.registry());
    let credentials = app.store().integration_credentials(&id).await?;
    Ok(Json(IntegrationDetail {
        integration: one(&app, &access, &base, &row).await?,
        settings: settings_for(access.viewer(), app.registry(), &row),
        credentials: credentials.into_iter().map(Credential::from).collect(),
        problems: problems.into_iter().map(|row| present.problem(row)).collect(),
    }))
}

/// The settings as `viewer` may know them: what the provider's form marks as private is its label
/// for those who only look.
fn settings_for(viewer: Viewer, registry: &Registry, row: &Row) -> Map<String, Value> {
    let mut settings: Map<String, Value> = serde_json::from_str(&row.settings).unwrap_or_default();
    let fields = registry.get(&row.provider).map(|provider| &provider.manifest().fields);
    for field in fields.into_iter().flatten() {
        if let Some(label) = &field.private
            && let Some(value) = settings.get_mut(&field.key)
        {
            *value = Private::new(value.take(), Value::String(label.clone())).shown_to(viewer);
        }
    }
    settings
}

fn manifest<'a>(app: &'a App, provider: &str) -> Result<&'a Manifest, ApiError> {
    app.registry()
        .get(provider)
        .map(|provider| provider.manifest())
        .filter(|manifest| !manifest.capabilities.is_empty())
        .ok_or_else(|| ApiError::invalid("provider", "is not one that can be connected."))
}

/// A new webhook secret in the form that the provider's scheme expects.
pub(super) fn generated_secret(app: &App, provider: &str) -> Result<String, ApiError> {
    let webhook = manifest(app, provider)?
        .webhook
        .as_ref()
        .ok_or_else(|| ApiError::new(ErrorCode::Conflict, "This provider sends no webhooks."))?;
    crate::auth::new_webhook_secret(&webhook.secret.prefix)
}

/// Connect a provider.
#[utoipa::path(
    post, path = "/api/integrations", operation_id = "createIntegration", tag = "integrations",
    request_body = NewIntegration,
    responses((status = 201, body = CreatedIntegration, description = "Created; a secret we made is shown this once."))
)]
async fn create_integration(
    State(app): State<App>,
    caller: Caller,
    _: Query<NoParams>,
    base: BaseUrl,
    Body(input): Body<NewIntegration>,
) -> Result<(StatusCode, Json<CreatedIntegration>), ApiError> {
    let access = Access::to_project(&app, &caller, input.project_id.as_deref()).await?;
    let permit = access.permit(&app, Verb::ConnectIntegration).await?;
    let manifest = manifest(&app, &input.provider)?;
    let checked = check_settings(manifest, input.settings.unwrap_or_default(), &[])?;
    vet_settings(app.engine().egress(), manifest, &checked.settings).await?;
    if input.webhook_secret.is_some() && manifest.webhook.is_none() {
        return Err(ApiError::invalid(
            "webhookSecret",
            "is given, but this provider sends nothing.",
        ));
    }
    let generates = manifest
        .webhook
        .as_ref()
        .is_some_and(|webhook| webhook.secret.generated);
    let (secret, shown) = match input.webhook_secret {
        Some(given) => (Some((given.trim().to_owned(), SecretSource::Manual)), None),
        None if generates => {
            let made = generated_secret(&app, &input.provider)?;
            (Some((made.clone(), SecretSource::Generated)), Some(made))
        }
        None => (None, None),
    };
    let key = manifest.webhook.is_some().then(new_token).transpose()?;
    let new = StoredNew {
        project_id: access.project.id.clone(),
        provider: input.provider,
        service: input.service,
        name: input.name.trim().to_owned(),
        settings: Value::Object(checked.settings).to_string(),
        demo: false,
        endpoint_key: key.clone().map(SecretText::new),
        secret: secret.map(|(value, source)| NewWebhookSecret {
            value: SecretText::new(value),
            source,
        }),
        credentials: given(checked.credentials),
    };
    let created = app.store().create_integration(&permit, &new, app.now()).await?;
    app.engine().reload().await?;
    let row = created.integration;
    Ok((
        StatusCode::CREATED,
        Json(CreatedIntegration {
            webhook_url: key.map(|key| webhook_url(&base, &row.provider, &key)),
            webhook_secret: shown,
            integration: one(&app, &access, &base, &row).await?,
        }),
    ))
}

/// Change an integration's name, settings or switch.
#[utoipa::path(
    patch, path = "/api/integrations/{id}", operation_id = "updateIntegration",
    tag = "integrations", params(("id" = String, Path, format = Uuid)),
    request_body = IntegrationPatch,
    responses(
        (status = 200, body = Integration),
        (status = 409, body = crate::error::ErrorBody, description = "It changed since `version`."),
    )
)]
async fn update_integration(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
    base: BaseUrl,
    Body(input): Body<IntegrationPatch>,
) -> Result<Json<Integration>, ApiError> {
    let (access, row) = find(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::ConfigureIntegration).await?;
    let mut input = input;
    let checked = match input.settings.take() {
        Some(settings) => {
            let stored = app.store().integration_credentials(&id).await?;
            let stored: Vec<&str> = stored.iter().map(|c| c.field.as_str()).collect();
            let manifest = manifest(&app, &row.provider)?;
            let checked = check_settings(manifest, settings, &stored)?;
            let before = serde_json::from_str(&row.settings).unwrap_or_default();
            keep_secrets_home(manifest, &before, &checked, &stored)?;
            vet_settings(app.engine().egress(), manifest, &checked.settings).await?;
            Some(checked)
        }
        None => None,
    };
    let summary = change_summary(&row, &input, checked.as_ref());
    let (settings, credentials) = match checked {
        Some(checked) => (Some(Value::Object(checked.settings).to_string()), checked.credentials),
        None => (None, Vec::new()),
    };
    let name = input.name.map(|name| name.trim().to_owned());
    let patch = StoredPatch {
        name,
        enabled: input.enabled,
        settings,
        credentials,
    };
    let row = app
        .store()
        .update_integration(&permit, &id, &patch, input.version, &summary, app.now())
        .await?;
    app.engine().reload().await?;
    Ok(Json(one(&app, &access, &base, &row).await?))
}

/// The credentials that have a value: a new integration has none to remove.
fn given(credentials: Vec<(String, Option<SecretText>)>) -> Vec<(String, SecretText)> {
    credentials
        .into_iter()
        .filter_map(|(field, value)| Some((field, value?)))
        .collect()
}

/// What changes, for the audit log: names of settings, never their values.
fn change_summary(row: &Row, input: &IntegrationPatch, checked: Option<&CheckedSettings>) -> String {
    let mut parts = Vec::new();
    if let Some(name) = input.name.as_deref().filter(|name| *name != row.name) {
        parts.push(format!("renamed from {} to {name}", row.name));
    }
    if let Some(enabled) = input.enabled.filter(|enabled| *enabled != row.enabled) {
        parts.push(if enabled { "switched on" } else { "switched off" }.to_owned());
    }
    if let Some(CheckedSettings { settings, credentials }) = checked {
        let before: Map<String, Value> = serde_json::from_str(&row.settings).unwrap_or_default();
        let mut changed: Vec<&str> = settings
            .iter()
            .filter(|(key, value)| before.get(*key) != Some(value))
            .map(|(key, _)| key.as_str())
            .chain(
                before
                    .keys()
                    .filter(|key| !settings.contains_key(*key))
                    .map(String::as_str),
            )
            .chain(credentials.iter().map(|(field, _)| field.as_str()))
            .collect();
        changed.sort_unstable();
        if !changed.is_empty() {
            parts.push(format!("settings changed: {}", changed.join(", ")));
        }
    }
    parts.join("; ")
}

/// Delete an integration.
#[utoipa::path(
    delete, path = "/api/integrations/{id}", operation_id = "deleteIntegration",
    tag = "integrations", params(("id" = String, Path, format = Uuid)),
    responses((status = 204, description = "Deleted; its address answers 404 from now on."))
)]
async fn delete_integration(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    _: Query<NoParams>,
) -> Result<StatusCode, ApiError> {
    let (access, _) = find(&app, &caller, &id).await?;
    let permit = access.permit(&app, Verb::DisconnectIntegration).await?;
    app.store().delete_integration(&permit, &id, app.now()).await?;
    app.engine().reload().await?;
    Ok(StatusCode::NO_CONTENT)
}
