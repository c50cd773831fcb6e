//! Providers as their manifests describe them.

use serde::Serialize;
use utoipa::ToSchema;

/// Every provider that can be connected.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProviderList {
    /// By name.
    pub(crate) items: Vec<ProviderInfo>,
}

/// A provider: all that a form needs.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProviderInfo {
    /// Stable key.
    pub(crate) key: String,
    /// Name.
    pub(crate) name: String,
    /// The icon as SVG text; also at `/api/providers/{key}/icon.svg`.
    pub(crate) icon: String,
    /// The brand's colour as `#rrggbb`.
    pub(crate) color: String,
    /// What it is, in one sentence.
    pub(crate) summary: String,
    /// What it can do here.
    pub(crate) capabilities: Vec<String>,
    /// Its documentation.
    #[schema(required)]
    pub(crate) docs_url: Option<String>,
    /// Its status page.
    #[schema(required)]
    pub(crate) status_page: Option<String>,
    /// How to connect it, in Markdown.
    pub(crate) help: String,
    /// The fields of its form.
    pub(crate) fields: Vec<ProviderField>,
    /// The credentials it takes; alternatives.
    pub(crate) auth: Vec<ProviderAuth>,
    /// How it sends; null when it does not.
    #[schema(required)]
    pub(crate) webhook: Option<ProviderWebhook>,
}

/// One kind of credential that a provider takes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ProviderAuth {
    /// Its kind: `api_key`, `basic` or `none`; the setting `auth` chooses one.
    pub(crate) kind: String,
    /// What people call it.
    pub(crate) label: String,
    /// Keys of the form's fields that belong to it alone.
    pub(crate) fields: Vec<String>,
}

/// A field of a provider's form.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ProviderField {
    /// Key in `settings`.
    pub(crate) key: String,
    /// Label.
    pub(crate) label: String,
    /// Where to find the value.
    pub(crate) hint: String,
    /// How to enter it.
    pub(crate) kind: FieldKind,
    /// Whether it must be filled in.
    pub(crate) required: bool,
    /// A regular expression that the value matches.
    #[schema(required)]
    pub(crate) pattern: Option<String>,
    /// An example.
    #[schema(required)]
    pub(crate) placeholder: Option<String>,
    /// The choices of a `select`.
    pub(crate) options: Vec<String>,
    /// What is used when left empty.
    #[schema(required)]
    pub(crate) default: Option<String>,
}

/// How a field is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FieldKind {
    /// A line of text.
    Text,
    /// A secret: never shown again.
    Secret,
    /// An address.
    Url,
    /// A number.
    Number,
    /// One of the options.
    Select,
    /// Yes or no.
    Boolean,
}

/// How a provider's webhooks are set up.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProviderWebhook {
    /// The signature scheme.
    pub(crate) scheme: String,
    /// What the provider calls the secret.
    pub(crate) secret_label: String,
    /// Where to find or enter it.
    pub(crate) secret_hint: String,
    /// Whether we make the secret and the provider is told it.
    pub(crate) secret_generated: bool,
    /// Whether the provider verifies the address by a handshake.
    pub(crate) handshake: bool,
}
