//! The OpenAPI document: what the routes declare, completed by what holds for all of them.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, Info, License, OpenApi, PathItem, Ref, RefOr, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::dto::cards::IntegrationStatus;
use crate::error::{ErrorBody, ErrorDetail};
use crate::live::StreamEvent;

/// Routes that anybody may call.
const PUBLIC: [&str; 15] = [
    "/api/invitations/join",
    "/api/invitations/look",
    "/api/password-reset",
    "/api/password-reset/look",
    "/api/session",
    "/api/setup",
    "/api/oidc/start",
    "/api/oidc/callback",
    "/api/connect/callback",
    "/api/openapi.json",
    "/api/providers/{key}/icon.svg",
    "/healthz",
    "/readyz",
    "/webhooks/{provider}",
    "/webhooks/{provider}/{key}",
];

/// The whole document. Pure: it needs neither a store nor a running server.
pub fn openapi() -> OpenApi {
    complete(crate::routes::documented().into_openapi())
}

/// Adds what every operation shares.
fn complete(mut api: OpenApi) -> OpenApi {
    let mut info = Info::new("Linekeeper", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Integration health and control center. JSON in camelCase, times in ISO-8601 UTC. \
         Every error has one shape; a parameter or field that is not declared here is refused."
            .to_owned(),
    );
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    info.license = Some(license);
    api.info = info;
    let components = api.components.get_or_insert_default();
    components.schemas.insert("Error".to_owned(), ErrorBody::schema());
    components
        .schemas
        .insert(ErrorDetail::name().into_owned(), ErrorDetail::schema());
    // What the live stream carries has no response of its own to hang on.
    components
        .schemas
        .insert(StreamEvent::name().into_owned(), StreamEvent::schema());
    components
        .schemas
        .insert(IntegrationStatus::name().into_owned(), IntegrationStatus::schema());
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            crate::auth::COOKIE,
            "Set by signing in; over https its name is `__Host-lk_session`. Writes also need the header `x-csrf-token`.",
        ))),
    );
    components.add_security_scheme(
        "key",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("An API key."))
                .build(),
        ),
    );
    for (path, item) in &mut api.paths.paths {
        let public = PUBLIC.contains(&path.as_str());
        let project = path.starts_with("/api/");
        for operation in operations(item) {
            complete_operation(operation, public, project);
        }
    }
    api
}

/// The operations of a path, whatever their method.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
}

fn complete_operation(operation: &mut Operation, public: bool, project: bool) {
    let mut errors = vec![
        ("400", "A parameter or field is not right; the message names it."),
        ("500", "A fault of ours; logged."),
        ("503", "Not at the moment; see `Retry-After`."),
    ];
    if operation.request_body.is_some() {
        errors.extend([
            ("408", "The body did not arrive in time."),
            ("413", "The body is too large."),
            ("415", "The content type is not the right one."),
        ]);
    }
    if project {
        errors.push(("429", "Too many attempts; see `Retry-After`."));
    }
    if !public {
        errors.extend([
            ("401", "No valid session or API key."),
            ("403", "The role does not allow it, or the CSRF token is missing."),
            ("404", "Nothing here, or nothing that the caller may know of."),
        ]);
        operation.security = Some(vec![
            SecurityRequirement::new("session", [] as [&str; 0]),
            SecurityRequirement::new("key", [] as [&str; 0]),
        ]);
    }
    let body = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Error")))
        .build();
    for (status, description) in errors {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| {
                RefOr::T(
                    ResponseBuilder::new()
                        .description(description)
                        .content("application/json", body.clone())
                        .build(),
                )
            });
    }
}
