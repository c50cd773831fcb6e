//! Providers as their manifests describe them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use lk_provider::Provider;
use lk_provider::manifest::FieldKind as ManifestKind;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::auth::Caller;
use crate::dto::provider::{FieldKind, ProviderAuth, ProviderField, ProviderInfo, ProviderList, ProviderWebhook};
use crate::error::ApiError;
use crate::extract::{Key, NoParams, Query};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_providers))
        .routes(routes!(get_provider_icon))
}

/// Every provider that can be connected, with its form.
#[utoipa::path(
    get, path = "/api/providers", operation_id = "listProviders", tag = "providers",
    responses((status = 200, body = ProviderList))
)]
async fn list_providers(State(app): State<App>, _: Query<NoParams>, _: Caller) -> Result<Json<ProviderList>, ApiError> {
    let mut items: Vec<ProviderInfo> = app
        .registry()
        .iter()
        // One without a capability can be explained but not connected.
        .filter(|provider| !provider.manifest().capabilities.is_empty())
        .map(describe)
        .collect();
    items.sort_by_key(|item| item.name.to_lowercase());
    Ok(Json(ProviderList { items }))
}

fn describe(provider: &Arc<dyn Provider>) -> ProviderInfo {
    let manifest = provider.manifest();
    ProviderInfo {
        key: manifest.key.clone(),
        name: manifest.name.clone(),
        icon: icon_of(provider.as_ref()),
        color: manifest.color.clone(),
        summary: manifest.summary.clone(),
        capabilities: manifest.capabilities.iter().map(|c| c.as_str().to_owned()).collect(),
        docs_url: manifest.docs.clone(),
        status_page: manifest.status_page.clone(),
        help: provider.help().unwrap_or_default().to_owned(),
        fields: manifest
            .fields
            .iter()
            .map(|field| ProviderField {
                key: field.key.clone(),
                label: field.label.clone(),
                hint: field.hint.clone(),
                kind: kind(field.kind),
                required: field.required,
                pattern: field.pattern.clone(),
                placeholder: field.placeholder.clone(),
                options: field.options.clone(),
                default: field.default.clone(),
            })
            .collect(),
        auth: manifest
            .auth
            .iter()
            .map(|auth| ProviderAuth {
                kind: auth.kind().as_str().to_owned(),
                label: auth.label().to_owned(),
                fields: auth.fields().into_iter().map(str::to_owned).collect(),
            })
            .collect(),
        webhook: manifest.webhook.as_ref().map(|webhook| ProviderWebhook {
            scheme: webhook.signature.as_str().to_owned(),
            secret_label: webhook.secret.label.clone(),
            secret_hint: webhook.secret.hint.clone(),
            secret_generated: webhook.secret.generated,
            handshake: !webhook.handshake.is_empty(),
        }),
    }
}

/// Its icon; the first letter of its name where it has none.
fn icon_of(provider: &dyn Provider) -> String {
    let letter = || {
        let mut letters = provider.manifest().name.chars().filter(|c| c.is_alphanumeric());
        let letter = letters.next().map_or("?".to_owned(), |c| c.to_uppercase().to_string());
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 24 24\" aria-hidden=\"true\">\
             <text x=\"12\" y=\"17.5\" text-anchor=\"middle\" font-family=\"sans-serif\" font-size=\"16\" \
             font-weight=\"600\" fill=\"currentColor\">{letter}</text></svg>"
        )
    };
    provider.icon().map_or_else(letter, str::to_owned)
}

const fn kind(kind: ManifestKind) -> FieldKind {
    match kind {
        ManifestKind::Text => FieldKind::Text,
        ManifestKind::Secret => FieldKind::Secret,
        ManifestKind::Url => FieldKind::Url,
        ManifestKind::Number => FieldKind::Number,
        ManifestKind::Select => FieldKind::Select,
        ManifestKind::Boolean => FieldKind::Boolean,
    }
}

/// A provider's icon.
#[utoipa::path(
    get, path = "/api/providers/{key}/icon.svg", operation_id = "getProviderIcon", tag = "providers",
    params(("key" = String, Path, description = "The provider's key.", max_length = 128)),
    responses(
        (status = 200, body = String, content_type = "image/svg+xml"),
        (status = 404, body = crate::error::ErrorBody, description = "No such provider."),
    )
)]
async fn get_provider_icon(State(app): State<App>, _: Query<NoParams>, Key(key): Key) -> Result<Response, ApiError> {
    let provider = app.registry().get(&key).ok_or_else(ApiError::not_found)?;
    let icon = icon_of(provider.as_ref());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
        // Opened as a page of its own it must not run anything.
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, icon).into_response())
}
