//! The section `[oidc]`: the identity provider that people sign in with.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use figment::Figment;
use figment::providers::Serialized;
use lk_core::words::Role;
use lk_server::{OidcConfig, OidcSecret};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Prefix of the section's variables: `LINEKEEPER_OIDC__ISSUER` sets `issuer` in `[oidc]`.
const PREFIX: &str = "LINEKEEPER_OIDC__";
/// What is asked for unless configured otherwise.
const SCOPES: &str = "openid email profile";
/// What the provider is called unless configured otherwise.
const NAME: &str = "single sign-on";

/// The section as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    issuer: String,
    client_id: String,
    client_secret: Option<Secret>,
    client_secret_file: Option<PathBuf>,
    name: Option<String>,
    #[serde(default, deserialize_with = "list")]
    scopes: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    allowed_domains: Vec<String>,
    #[serde(default, deserialize_with = "switch")]
    create_people: bool,
    project: Option<String>,
    role: Option<String>,
}

/// A secret as it is read. Shows nothing of itself.
#[derive(Clone, PartialEq, Eq)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl<'de> Deserialize<'de> for Secret {
    /// Says nothing of a value that is no text: the usual error would show it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Text(String),
            Other(serde::de::IgnoredAny),
        }
        match Given::deserialize(deserializer)? {
            Given::Text(text) => Ok(Self(text)),
            Given::Other(_) => Err(serde::de::Error::custom("client_secret must be text in quotes")),
        }
    }
}

impl Serialize for Secret {
    /// Needed for the defaults, which have none.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

impl Section {
    /// Reads the secret and checks everything that can be checked without asking the provider.
    pub(crate) fn resolve(&self) -> anyhow::Result<OidcConfig> {
        let role = match self.role.as_deref() {
            None => Role::Viewer,
            Some(_) if self.project.is_none() => {
                bail!("[oidc] role is the role in a project; set project too");
            }
            Some(word) => Role::parse(word).with_context(|| {
                let words: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
                format!("[oidc] role must be one of {}, it is `{word}`", words.join(", "))
            })?,
        };
        let scopes = if self.scopes.is_empty() {
            SCOPES.split(' ').map(str::to_owned).collect()
        } else {
            self.scopes.clone()
        };
        let config = OidcConfig {
            issuer: self.issuer.trim().to_owned(),
            client_id: self.client_id.trim().to_owned(),
            client_secret: self.secret()?,
            name: self.name.as_deref().unwrap_or(NAME).trim().to_owned(),
            scopes,
            allowed_domains: self.allowed_domains.clone(),
            create_people: self.create_people,
            project: self.project.clone(),
            role,
        };
        config.check()?;
        Ok(config)
    }

    fn secret(&self) -> anyhow::Result<OidcSecret> {
        match (&self.client_secret, &self.client_secret_file) {
            (Some(secret), None) => Ok(OidcSecret::new(secret.0.trim())),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("[oidc] client_secret_file {} cannot be read", file.display()))?;
                Ok(OidcSecret::new(text.trim()))
            }
            (None, None) => bail!("[oidc] client_secret is missing; set it or client_secret_file"),
            (Some(_), Some(_)) => bail!("[oidc] set client_secret or client_secret_file, not both"),
        }
    }
}

/// Whether a variable's name without `LINEKEEPER_`, in lower case, belongs to the section.
pub(crate) fn is_variable(key: &str) -> bool {
    key.starts_with("oidc__")
}

/// Adds the section's variables. Their text is taken as it is: a client id of digits alone is
/// still text, which figment's own reading of variables would not leave it.
pub(crate) fn merge_variables(figment: Figment) -> Figment {
    std::env::vars().fold(figment, |figment, (name, value)| match name.strip_prefix(PREFIX) {
        Some(key) => figment.merge(Serialized::default(&format!("oidc.{}", key.to_lowercase()), value)),
        None => figment,
    })
}

/// A list, or one text of words between spaces or commas.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Text(String),
        List(Vec<String>),
    }
    let words = match Given::deserialize(deserializer)? {
        Given::List(list) => list,
        Given::Text(text) => text.split([' ', ',']).map(str::to_owned).collect(),
    };
    let trimmed = words.iter().map(|word| word.trim().to_owned());
    Ok(trimmed.filter(|word| !word.is_empty()).collect())
}

/// A switch, or its text.
fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Switch(bool),
        Text(String),
    }
    match Given::deserialize(deserializer)? {
        Given::Switch(on) => Ok(on),
        Given::Text(text) => text
            .trim()
            .parse()
            .map_err(|_| serde::de::Error::custom("must be true or false")),
    }
}
