//! Configuration: defaults, then `linekeeper.toml`, then `LINEKEEPER_*` variables, then flags.

mod oidc;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use lk_engine::Ranges;
use serde::{Deserialize, Serialize};

use crate::cli::Where;

/// Prefix of the environment's variables: `LINEKEEPER_LISTEN` sets `listen`.
pub(crate) const PREFIX: &str = "LINEKEEPER_";
/// Read when no file is named.
const DEFAULT_FILE: &str = "linekeeper.toml";
/// Folder of provider files, where no other is set.
const PROVIDERS_FOLDER: &str = "providers.d";
/// Variables with the prefix that are not configuration.
const NOT_CONFIGURATION: &[&str] = &["crash_at", "master_key", "master_key_previous", "bin", "log"];

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Folder of the database and the key file.
    pub(crate) data_dir: PathBuf,
    /// PostgreSQL address; SQLite in the data folder when absent.
    pub(crate) database: Option<String>,
    /// Folder of provider files; `providers.d` beside the configuration file, or in the data folder
    /// when there is no file.
    pub(crate) providers_dir: Option<PathBuf>,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// How the outside reaches us, for webhook addresses, e.g. https://health.example.com.
    pub(crate) public_url: Option<String>,
    /// Certificate chain in PEM form; with it, and its key, TLS ends here.
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's key in PEM form.
    pub(crate) tls_key: Option<PathBuf>,
    /// Addresses and ranges of our own proxies, whose `X-Forwarded-*` headers are believed.
    pub(crate) trusted_proxies: List,
    /// Largest webhook body, bytes.
    pub(crate) webhook_bytes_max: usize,
    /// Live streams open at the same time.
    pub(crate) streams_max: usize,
    /// Calls each API key may make in a minute; 0 does not limit them.
    pub(crate) key_calls_per_minute: u32,
    /// Whether `/metrics` answers without signing in.
    pub(crate) metrics_open: bool,
    /// Whether integrations may point at private and loopback addresses.
    pub(crate) allow_private_targets: bool,
    /// How logs are written.
    pub(crate) log_format: LogFormat,
    /// The identity provider that people sign in with.
    pub(crate) oidc: Option<oidc::Section>,
    /// The file that was read, if there was one.
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        let server = lk_server::Config::default();
        Self {
            data_dir: "data".into(),
            database: None,
            providers_dir: None,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8787),
            public_url: server.public_url,
            tls_cert: None,
            tls_key: None,
            trusted_proxies: List::default(),
            webhook_bytes_max: server.webhook_bytes_max,
            streams_max: server.streams_max,
            key_calls_per_minute: server.key_calls_per_minute,
            metrics_open: server.metrics_open,
            allow_private_targets: false,
            log_format: LogFormat::Text,
            oidc: None,
            file: None,
        }
    }
}

impl Config {
    /// Reads the configuration for a command, and warns of variables that do nothing.
    pub(crate) fn read(at: &Where) -> anyhow::Result<Self> {
        for key in unused_variables() {
            eprintln!(
                "linekeeper: {PREFIX}{} is not a setting and is ignored",
                key.to_uppercase()
            );
        }
        Self::load(at)
    }

    /// Reads the configuration.
    pub(crate) fn load(at: &Where) -> anyhow::Result<Self> {
        let file = match &at.config {
            Some(file) if !file.exists() => {
                bail!("the configuration file {} does not exist", file.display())
            }
            Some(file) => Some(file.clone()),
            None => Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()),
        };
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = &file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let known = known_keys();
        let figment = figment.merge(Env::prefixed(PREFIX).filter(move |key| known.iter().any(|k| key == k.as_str())));
        let mut config: Self = oidc::merge_variables(figment)
            .extract()
            .context("the configuration cannot be used")?;
        config.file = file;
        if let Some(dir) = &at.data_dir {
            config.data_dir.clone_from(dir);
            // A folder on the command line means SQLite in it, whatever the file says.
            config.database = None;
        }
        if at.database.is_some() {
            config.database.clone_from(&at.database);
        }
        let is_web = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if let Some(url) = config.public_url.as_ref().filter(|url| !is_web(url)) {
            bail!("public_url must begin with http:// or https://, it is `{url}`");
        }
        if config.tls_cert.is_some() != config.tls_key.is_some() {
            bail!("tls_cert and tls_key belong together: set both, or neither to serve without TLS");
        }
        Ok(config)
    }

    /// The folder of provider files.
    pub(crate) fn providers_dir(&self) -> PathBuf {
        let beside = self.file.as_deref().and_then(Path::parent);
        let set = self.providers_dir.clone();
        set.unwrap_or_else(|| beside.unwrap_or(&self.data_dir).join(PROVIDERS_FOLDER))
    }

    /// The files of the certificate and its key, if TLS ends here.
    pub(crate) fn tls_files(&self) -> Option<(&Path, &Path)> {
        Some((self.tls_cert.as_deref()?, self.tls_key.as_deref()?))
    }

    /// What this process itself speaks.
    pub(crate) fn scheme(&self) -> &'static str {
        self.tls_files().map_or("http", |_| "https")
    }

    /// The server's part.
    pub(crate) fn server(&self) -> anyhow::Result<lk_server::Config> {
        let proxies = Ranges::parse(&self.trusted_proxies.text());
        Ok(lk_server::Config {
            public_url: self.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
            tls: self.tls_files().is_some(),
            trusted_proxies: proxies.context("trusted_proxies cannot be used")?,
            webhook_bytes_max: self.webhook_bytes_max,
            streams_max: self.streams_max,
            key_calls_per_minute: self.key_calls_per_minute,
            metrics_open: self.metrics_open,
            oidc: self.oidc.as_ref().map(oidc::Section::resolve).transpose()?,
            ..lk_server::Config::default()
        })
    }
}

/// Several values: a list in the file, or a text with commas between them, as a variable must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum List {
    /// One text.
    Text(String),
    /// One text each.
    Each(Vec<String>),
}

impl Default for List {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl List {
    /// The values with commas between them.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Each(values) => values.join(", "),
        }
    }
}

/// The names of all settings.
pub(crate) fn known_keys() -> Vec<String> {
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    defaults
        .as_object()
        .into_iter()
        .flat_map(|o| o.keys().cloned())
        .collect()
}

/// Variables with the prefix that nothing reads: mostly a misspelt name.
pub(crate) fn unused_variables() -> Vec<String> {
    let known = known_keys();
    std::env::vars()
        .filter_map(|(name, _)| name.strip_prefix(PREFIX).map(str::to_lowercase))
        .filter(|key| !known.contains(key) && !NOT_CONFIGURATION.contains(&key.as_str()) && !oidc::is_variable(key))
        .collect()
}
