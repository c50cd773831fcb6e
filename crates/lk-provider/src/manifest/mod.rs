//! A provider as data: `manifest.toml`. Constants, pointers, substitution, closed enums and an
//! ordered list of matches; unknown keys are refused. A condition or a loop is Rust in the folder.

mod answer;
mod auth;
mod check;
mod validate;
mod webhook;

use serde::Deserialize;

pub use answer::{TokenAnswer, TokenErrors, TokenRefusal};
pub use auth::{
    AUTH, ApiKey, AppInstallation, Auth, AuthKind, Basic, ClientAuth, ClientCredentials, OAuth2, Open, Placement,
    ServiceAccount,
};
pub use check::{
    Bucket, Check, HeaderFamily, JsonKind, Limits, Need, Per, ProbeRule, Require, ResetUnit, StatusKind, StatusPage,
    Typed, When,
};
pub use webhook::{
    Algorithm, BodyRules, Confirm, EchoAs, Encoding, Glob, HandshakeRule, KeyForm, Match, MatchOutcome, Moment, Scheme,
    SecretForm, TimeUnit, Webhook,
};

/// A whole manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Stable key: lowercase letters, digits, underscores. The folder's name.
    pub key: String,
    /// The name people know.
    pub name: String,
    /// One line: what it is and what is watched here.
    pub summary: String,
    /// Accent of its icon, `#rrggbb`.
    #[serde(default = "neutral")]
    pub color: String,
    /// Where its developer documentation is.
    pub docs: Option<String>,
    /// Its public status page.
    pub status_page: Option<String>,
    /// What it can do here; none means it can be explained but not connected yet.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// The form that connects it.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// How its deliveries are verified and read.
    pub webhook: Option<Webhook>,
    /// The ways it can be connected.
    #[serde(default)]
    pub auth: Vec<Auth>,
    /// How it is checked.
    pub check: Option<Check>,
    /// What it allows.
    #[serde(default)]
    pub limits: Limits,
    /// Where it tells how it is.
    pub status: Option<StatusPage>,
    /// Keys under which it puts personal data.
    #[serde(default)]
    pub redact: Redact,
}

fn neutral() -> String {
    "#6b7280".to_owned()
}

/// What a provider can do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Sends webhooks.
    Webhook,
    /// Can be checked on a schedule.
    Check,
    /// Has data to sync.
    Sync,
    /// Has quick actions.
    Action,
    /// Has a status page that is read.
    Status,
    /// Alerts go out through it.
    Channel,
    /// Explains failures.
    Explain,
}

impl Capability {
    /// The stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Check => "check",
            Self::Sync => "sync",
            Self::Action => "action",
            Self::Status => "status",
            Self::Channel => "channel",
            Self::Explain => "explain",
        }
    }
}

/// One field of the form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Key in the integration's settings.
    pub key: String,
    /// What people read beside it.
    pub label: String,
    /// One sentence of help.
    #[serde(default)]
    pub hint: String,
    /// How it is entered.
    #[serde(default)]
    pub kind: FieldKind,
    /// Whether it must be filled.
    #[serde(default)]
    pub required: bool,
    /// Regular expression the whole value has to match.
    pub pattern: Option<String>,
    /// Example shown while it is empty.
    pub placeholder: Option<String>,
    /// Choices of a select.
    #[serde(default)]
    pub options: Vec<String>,
    /// Value used while it is empty.
    pub default: Option<String>,
    /// What people who only look read in place of the value, e.g. "Private repo"; without it they
    /// read the value.
    pub private: Option<String>,
}

/// How a field is entered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of text.
    #[default]
    Text,
    /// A credential: sealed, never shown again.
    Secret,
    /// An absolute http or https address.
    Url,
    /// A number.
    Number,
    /// One of `options`.
    Select,
    /// On or off.
    Boolean,
}

impl FieldKind {
    /// The stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Secret => "secret",
            Self::Url => "url",
            Self::Number => "number",
            Self::Select => "select",
            Self::Boolean => "boolean",
        }
    }
}

/// Structural redaction of this provider's payloads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redact {
    /// Keys whose values are personal data (names, addresses, pay); compared without case and
    /// separators, so `first_name` covers `firstName`; `parent.key` counts only inside the object `parent`.
    #[serde(default)]
    pub keys: Vec<String>,
}

/// Why a manifest is refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML of this shape.
    #[error("manifest `{key}`: {message}")]
    Syntax {
        /// The key, or the file, as far as known.
        key: String,
        /// What the parser says.
        message: String,
    },
    /// Of the right shape but contradictory.
    #[error("manifest `{key}`: {problem}")]
    Invalid {
        /// The provider's key.
        key: String,
        /// Where: keys and positions (from 0) with dots between them, such as `fields.2`.
        at: String,
        /// What is wrong.
        problem: String,
    },
}

impl Manifest {
    /// Parses and validates the text of a `manifest.toml`.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text).map_err(|error| ManifestError::Syntax {
            key: text.lines().next().unwrap_or_default().to_owned(),
            message: error.to_string(),
        })?;
        manifest.validate()?;
        Ok(manifest)
    }

    /// Whether it has the capability.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// The same with the API's address as `base_url` while that is empty, for addresses that are
    /// made of it.
    pub fn with_base(&self, settings: &crate::Settings) -> crate::Settings {
        let base = self.check.as_ref().and_then(|check| check.base_url.clone());
        let base = base.map(|url| (crate::check::BASE_URL.to_owned(), url));
        self.with_defaults(settings).or(base.into_iter())
    }

    /// The way an integration with these settings proves itself.
    pub fn auth_of(&self, settings: &crate::Settings) -> Option<&Auth> {
        auth::choose(&self.auth, settings)
    }

    /// The integration's settings with the form's defaults where they are empty.
    pub fn with_defaults(&self, settings: &crate::Settings) -> crate::Settings {
        let defaults = self
            .fields
            .iter()
            .filter_map(|field| Some((field.key.clone(), field.default.clone()?)));
        settings.clone().or(defaults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "key = 'a'\nname = 'A'\nsummary = 's'\n";

    fn problem(more: &str) -> String {
        Manifest::parse(&format!("{GOOD}{more}")).unwrap_err().to_string()
    }

    #[test]
    fn unknown_keys_and_contradictions_are_refused() {
        assert!(Manifest::parse(GOOD).is_ok());
        assert!(problem("colour = 'red'").contains("unknown field"));
        assert!(problem("color = 'red'").contains("#rrggbb"));
        assert!(problem("docs = 'http://x'").contains("https"));
        assert!(problem("capabilities = ['webhook']").contains("go together"));
        assert!(problem("capabilities = ['fly']").contains("unknown variant"));
        assert!(problem("[[fields]]\nkey = 'k'\nlabel = 'l'\nkind = 'select'").contains("options"));
        assert!(problem("[[fields]]\nkey = 'k'\nlabel = 'l'\npattern = '('").contains("regular expression"));
        assert!(Manifest::parse("key = 'A b'\nname = 'A'\nsummary = 's'").is_err());
    }

    #[test]
    fn schemes_take_only_their_own_keys() {
        let webhook = |signature: &str, more: &str| {
            Manifest::parse(&format!(
                "{GOOD}capabilities = ['webhook']\n[webhook.signature]\n{signature}\n[webhook.secret]\nlabel = 'l'\nhint = 'h'\n{more}"
            ))
        };
        assert!(webhook("scheme = 'hmac'\nheader = 'h'", "").is_ok());
        assert!(webhook("scheme = 'hmac'", "").is_err());
        assert!(webhook("scheme = 'hmac'\nheader = ''", "").is_err());
        assert!(webhook("scheme = 'hmac'\nheader = 'h'\ntolerance_s = 5", "").is_err());
        assert!(webhook("scheme = 'none'", "").is_err());
        assert!(webhook("scheme = 'standard_webhooks'\ntolerance_s = 100000", "").is_err());
        let matched = |text: &str| {
            webhook(
                "scheme = 'hmac'\nheader = 'h'",
                &format!("[[webhook.match]]\noutcome = 'failure'\n{text}"),
            )
        };
        assert!(matched("type = ['a']").is_ok());
        assert!(matched("").is_err());
        assert!(matched("pointer = '/a'").is_err());
        assert!(matched("in = ['x']").is_err());
        assert!(matched("type = ['a']\nmessage = '{nope}'").is_err());
    }
}
