//! `key rotate-master`: a new master key in the place of the one before, while servers run.
//!
//! The key file goes from `[old]` to `[new, old]` to `[new]`. Whatever state a crash leaves it in,
//! running the command again goes on from there: a file with more than one key is a replacement
//! under way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use lk_core::access::{Standing, Verb, authorize};
use lk_engine::{CONFIGURATION_EVERY, Clock, crash};
use lk_store::{HeldKeyFile, KeyId, MasterKey, Store, StoreError, Sweep, Swept};
use tokio::time::{Instant, sleep};

use super::print_line;
use crate::cli::KeyRotateMaster;
use crate::config::Config;
use crate::wiring::{self, KEY_VARIABLE, PREVIOUS_VARIABLE};

/// When every running server has noticed a new key file and has stored what it had sealed with the
/// key before: a look at the generation, the reading, the two seconds that the journal may take,
/// and as much again.
const NOTICED_WITHIN: Duration = CONFIGURATION_EVERY.saturating_mul(6);
/// Walks over all values before a server is taken not to know the new key.
const WALKS_MAX: u32 = 20;
/// Pause between two walks.
const BETWEEN_WALKS: Duration = Duration::from_millis(500);
/// Attempts at one step while the database is busy.
const ATTEMPTS_MAX: u32 = 10;
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Replaces the master key.
pub(crate) async fn rotate_master(args: KeyRotateMaster) -> anyhow::Result<()> {
    let config = Config::read(&args.at)?;
    match wiring::key_of_environment()? {
        Some(_) if args.discard_old => {
            bail!(
                "--discard-old is about the key file, and {KEY_VARIABLE} is set: take the variable away to discard it"
            )
        }
        Some(ring) => with_environment(&config, &ring).await,
        None => with_file(&config, args.discard_old).await,
    }
}

/// Seals everything with the key of the environment; the keys themselves are the operator's.
async fn with_environment(config: &Config, ring: &MasterKey) -> anyhow::Result<()> {
    let store = wiring::open_store(config).await?;
    let (key, older) = (ring.id(), ring.older_ids());
    if older.is_empty() {
        let seen = walk(&store, Sweep::look(ring)).await?;
        if let Some(unknown) = listed(&seen.unknown_keys) {
            bail!(
                "{} values are sealed with key {unknown}, and {KEY_VARIABLE} holds key {key}: set {PREVIOUS_VARIABLE} \
                 to the key before, here and for every server, and run this again",
                seen.unopened
            );
        }
        bail!(
            "{PREVIOUS_VARIABLE} is not set, so there is no key to replace: set it to the key in use and \
             {KEY_VARIABLE} to a new one (openssl rand -hex 32), restart every server with both, and run this again"
        );
    }
    let done = reseal_all(&store, ring).await?;
    note(&store, key, &older, &done).await?;
    print_line(&format!(
        "every value is sealed with master key {key} ({} sealed anew): {PREVIOUS_VARIABLE} can be taken away",
        done.count()
    ))
}

async fn with_file(config: &Config, discard_old: bool) -> anyhow::Result<()> {
    let path = wiring::key_file(config);
    if !path.exists() {
        bail!(
            "there is no master key at {}: name the data folder of the server with --data-dir, or set {KEY_VARIABLE} \
             and {PREVIOUS_VARIABLE}",
            path.display()
        );
    }
    let store = wiring::open_store(config).await?;
    let held = HeldKeyFile::hold(&path)?;
    if held.older_ids()?.is_empty() {
        begin(&store, &held, &path, config.database.is_some()).await?;
    } else {
        eprintln!("{} holds more than one key: finishing that replacement", path.display());
    }
    // The older keys stay in this ring to the end, whatever becomes of the file.
    let (ring, older) = (held.ring()?, held.older_ids()?);
    announce(&store).await?;
    let mut done = reseal_all(&store, &ring).await?;
    crash::point("rotate.resealed");
    note(&store, ring.id(), &older, &done).await?;
    crash::point("rotate.noted");
    let kept = held.keep_older()?;
    crash::point("rotate.kept");
    held.remove_older()?;
    crash::point("rotate.removed");
    announce(&store).await?;
    // A server that slept through all of this may have woken and used the key it knew.
    let late = reseal_all(&store, &ring).await?;
    if late.count() > 0 {
        store.announce_master_key().await?;
    }
    done.add(&late.0);
    let kept = if discard_old { discard(&kept)? } else { told(&kept) };
    print_line(&format!(
        "the master key is now {}: {} values sealed anew; {kept}",
        ring.id(),
        done.count()
    ))
}

/// Puts a new key into the file, once it is sure that every value can be taken along.
async fn begin(store: &Store, held: &HeldKeyFile, path: &Path, shared: bool) -> anyhow::Result<()> {
    let seen = walk(store, Sweep::look(&held.ring()?)).await?;
    if seen.unopened > 0 {
        bail!("nothing was changed, because {}", unopened(&seen));
    }
    eprintln!("{} values to seal anew", seen.current + seen.older_count());
    if shared {
        eprintln!(
            "other nodes on this database need the same {}; where each has a copy of its own, replace the key as \
             docs/operations.md says for several nodes",
            path.display()
        );
    }
    held.add_key()?;
    crash::point("rotate.added");
    Ok(())
}

async fn announce(store: &Store) -> anyhow::Result<()> {
    store.announce_master_key().await?;
    crash::point("rotate.announced");
    eprintln!(
        "waiting {} s for running servers to read the key file",
        NOTICED_WITHIN.as_secs()
    );
    sleep(NOTICED_WITHIN).await;
    Ok(())
}

/// What was sealed anew, by table.
#[derive(Default)]
struct Done(BTreeMap<&'static str, u64>);

impl Done {
    fn add(&mut self, more: &BTreeMap<&'static str, u64>) {
        for (table, count) in more {
            *self.0.entry(table).or_default() += count;
        }
    }

    fn count(&self) -> u64 {
        self.0.values().sum()
    }
}

/// Walks until a walk finds nothing but values that name the current key and open.
async fn reseal_all(store: &Store, ring: &MasterKey) -> anyhow::Result<Done> {
    let mut done = Done::default();
    for _ in 0..WALKS_MAX {
        let swept = walk(store, Sweep::reseal(ring)).await?;
        done.add(&swept.older);
        if swept.is_clean() {
            eprintln!("all {} values name key {} and open", swept.current, ring.id());
            return Ok(done);
        }
        if swept.unopened > 0 {
            bail!("the keys before stay in use, because {}", unopened(&swept));
        }
        sleep(BETWEEN_WALKS).await;
    }
    bail!(
        "some server still seals with a key before {}: give it the new key (or restart it with it), and run this again",
        ring.id()
    )
}

async fn walk(store: &Store, mut sweep: Sweep) -> anyhow::Result<Swept> {
    let (mut told, mut failures) = (Instant::now(), 0);
    loop {
        match store.sweep_step(&mut sweep).await {
            Ok(true) => failures = 0,
            Ok(false) => return Ok(sweep.swept().clone()),
            Err(StoreError::Unavailable(_)) if failures < ATTEMPTS_MAX => {
                failures += 1;
                sleep(BETWEEN_WALKS).await;
            }
            Err(error) => return Err(error.into()),
        }
        crash::point("rotate.step");
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let swept = sweep.swept();
            eprintln!("{} values seen", swept.current + swept.older_count());
        }
    }
}

async fn note(store: &Store, key: KeyId, older: &[KeyId], done: &Done) -> anyhow::Result<()> {
    let permit = authorize(&Standing::command_line(), Verb::ManageUsers)?;
    let tables: Vec<String> = done.0.iter().map(|(table, n)| format!("{table} {n}")).collect();
    let before = listed(older).unwrap_or_default();
    let mut summary = format!("{before} to {key}: {} values sealed anew", done.count());
    if !tables.is_empty() {
        summary = format!("{summary} ({})", tables.join(", "));
    }
    store
        .note_master_key(&permit, key, summary, Clock::system().now())
        .await?;
    Ok(())
}

fn unopened(swept: &Swept) -> String {
    format!(
        "{} sealed values cannot be opened: {}. Restore the key they name, enter them again, or remove what they belong \
         to; then run this again",
        swept.unopened,
        swept.told.join("; ")
    )
}

/// The ids in words; nothing when there are none.
fn listed<'a>(ids: impl IntoIterator<Item = &'a KeyId>) -> Option<String> {
    let ids: Vec<String> = ids.into_iter().map(ToString::to_string).collect();
    (!ids.is_empty()).then(|| ids.join(", "))
}

fn told(kept: &[PathBuf]) -> String {
    let kept: Vec<String> = kept.iter().map(|path| path.display().to_string()).collect();
    format!("the key before is kept in {} for backups made before", kept.join(", "))
}

fn discard(kept: &[PathBuf]) -> anyhow::Result<String> {
    for path in kept {
        std::fs::remove_file(path)?;
    }
    Ok("the key before is discarded, and backups made before need a copy of it".to_owned())
}
