//! Puts the parts together: store, providers, engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use lk_engine::rules::Rules;
use lk_engine::{Clock, Engine, EngineConfig};
use lk_provider::Registry;
use lk_store::{MasterKey, Store, StoreConfig};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::providers::Providers;

/// The database's file in the data folder.
const DATABASE_FILE: &str = "linekeeper.db";
/// The master key's file in the data folder.
const KEY_FILE: &str = "master.key";
/// The variable that holds the master key instead of the file.
pub(crate) const KEY_VARIABLE: &str = "LINEKEEPER_MASTER_KEY";
/// The variable that holds, beside [`KEY_VARIABLE`], the keys before it, separated by commas.
pub(crate) const PREVIOUS_VARIABLE: &str = "LINEKEEPER_MASTER_KEY_PREVIOUS";
/// Where a serving process says how it is reached.
const ADDRESS_FILE: &str = "address";

/// Opens the database that the configuration names.
pub(crate) async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let dir = &config.data_dir;
    let key = if let Some(key) = key_of_environment()? {
        key
    } else {
        make_private(dir)?;
        MasterKey::from_file(&key_file(config))?
    };
    if config.database.is_none() {
        make_private(dir)?;
    }
    Store::open(&target(config), key, Clock::system().now())
        .await
        .context("the database cannot be opened")
}

/// The database that the configuration names.
pub(crate) fn target(config: &Config) -> StoreConfig {
    match &config.database {
        Some(url) => StoreConfig::Postgres { url: url.clone() },
        None => StoreConfig::Sqlite {
            path: database_file(config),
        },
    }
}

/// The SQLite file, where the database is one.
pub(crate) fn database_file(config: &Config) -> PathBuf {
    config.data_dir.join(DATABASE_FILE)
}

/// The master key, where the environment holds it and no file.
pub(crate) fn key_of_environment() -> anyhow::Result<Option<MasterKey>> {
    let read = |name| std::env::var(name).ok().map(Zeroizing::new);
    match (read(KEY_VARIABLE), read(PREVIOUS_VARIABLE)) {
        (None, None) => Ok(None),
        (None, Some(_)) => bail!("{PREVIOUS_VARIABLE} is set without {KEY_VARIABLE}, which must hold the key in use"),
        (Some(current), previous) => {
            let previous = previous.unwrap_or_default();
            let key = MasterKey::from_env_values((KEY_VARIABLE, &current), (PREVIOUS_VARIABLE, &previous))?;
            Ok(Some(key))
        }
    }
}

/// Where the master key is when the environment does not hold it.
pub(crate) fn key_file(config: &Config) -> PathBuf {
    config.data_dir.join(KEY_FILE)
}

/// The data folder holds secrets: nobody else may look into it.
fn make_private(dir: &Path) -> anyhow::Result<()> {
    if dir.exists() {
        return Ok(());
    }
    fs::create_dir_all(dir).with_context(|| format!("the folder {} cannot be made", dir.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The classification rules of the registry's providers.
pub(crate) fn rules(registry: &Registry) -> anyhow::Result<Rules> {
    let explainers = lk_providers::explainers(registry)
        .map_err(|(provider, error)| anyhow::anyhow!("the error rules of {provider}: {error}"))?;
    Ok(Rules::new(explainers))
}

/// Starts an engine on the configured database.
pub(crate) async fn start_engine(config: &Config) -> anyhow::Result<Engine> {
    // Before the database is touched: a broken file leaves everything as it was.
    let Providers { registry, files } = Providers::load(config)?;
    for (key, file) in &files {
        tracing::info!(provider = key, file = %file.display(), "a provider was read from a file");
    }
    let rules = rules(&registry)?;
    let store = open_store(config).await?;
    store.prove_master_key().await.context(
        "the secrets in this database cannot be opened (if the key is lost for good, see `linekeeper key lost --help`)",
    )?;
    let engine_config = EngineConfig {
        clock: Clock::system(),
        allow_private_targets: config.allow_private_targets,
    };
    Ok(Engine::start(store, registry, rules, engine_config).await?)
}

/// Notes how a serving process is reached, for commands that print addresses.
pub(crate) fn note_address(config: &Config, address: &str) {
    let file = config.data_dir.join(ADDRESS_FILE);
    if let Err(error) = fs::write(&file, address) {
        tracing::debug!(%error, "the address was not noted");
    }
}

/// How the outside reaches the server, as far as a command can know.
pub(crate) fn base_url(config: &Config) -> String {
    let noted = || fs::read_to_string(config.data_dir.join(ADDRESS_FILE)).ok();
    let url = config.public_url.clone().or_else(noted);
    url.map_or_else(
        || format!("{}://{}", config.scheme(), config.listen),
        |url| url.trim_end_matches('/').to_owned(),
    )
}

/// A runtime for a command that talks to the database and ends.
pub(crate) fn runtime() -> anyhow::Result<Arc<tokio::runtime::Runtime>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    Ok(Arc::new(runtime.context("the operating system gives no threads")?))
}
