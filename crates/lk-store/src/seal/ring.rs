//! The ring: one key that seals, and older ones that still open what they sealed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;
use zeroize::{Zeroize, Zeroizing};

use super::key::Key;
use super::{KeyId, SealError, Sealed, SecretText, file};

/// Least time between two looks at the key file for values that no key of the ring opens.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The keys of an installation. Seals with the current one, opens with each. Cannot be printed;
/// cheap to clone, and every clone follows the key file that it was read from: a changed file is
/// taken over by [`refresh`](Self::refresh), and when a value names a key that is not known.
#[derive(Clone)]
pub struct MasterKey {
    shared: Arc<Shared>,
}

struct Shared {
    keys: RwLock<Arc<Keys>>,
    /// The file to read again; `None` for keys that cannot change while the process lives.
    file: Option<PathBuf>,
    looked_at: Mutex<Option<Instant>>,
}

/// The keys at one moment.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) current: Key,
    pub(super) older: Vec<Key>,
    version: u64,
}

impl Keys {
    /// `current` seals; of `older`, repetitions are left out.
    pub(super) fn new(current: Key, older: Vec<Key>) -> Self {
        let mut keys = Self {
            current,
            older: Vec::new(),
            version: 0,
        };
        for key in older {
            if keys.find(key.id()).is_none() {
                keys.older.push(key);
            }
        }
        keys
    }

    /// Every key, the current one first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }

    fn find(&self, id: KeyId) -> Option<&Key> {
        self.all().find(|key| key.id() == id)
    }

    fn is_same(&self, other: &Self) -> bool {
        self.all().map(Key::id).eq(other.all().map(Key::id))
    }

    fn open(&self, table: &str, row: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let id = sealed.key_id().ok_or(SealError::Damaged)?;
        let key = self.find(id).ok_or(SealError::WrongKey {
            sealed_with: id,
            in_use: self.current.id(),
        })?;
        key.open(table, row, sealed)
    }
}

impl MasterKey {
    /// A ring of one fresh random key.
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self::of(Keys::new(Key::generate()?, Vec::new()), None))
    }

    /// The key in `hex`, 64 hexadecimal digits (white space around them is ignored), as given by
    /// the environment variable called `name`.
    pub fn from_env_value(name: &str, hex: &str) -> Result<Self, SealError> {
        Self::from_env_values((name, hex), ("", ""))
    }

    /// The keys given by two environment variables, each with its name: the current one, and the
    /// older ones, separated by commas.
    pub fn from_env_values(current: (&str, &str), previous: (&str, &str)) -> Result<Self, SealError> {
        let parse = |name: &str, hex: &str| {
            Key::parse(hex).ok_or_else(|| SealError::BadKey {
                from: format!("in {name}"),
            })
        };
        let given = previous.1.split(',').filter(|hex| !hex.trim().is_empty());
        let older = given.map(|hex| parse(previous.0, hex)).collect::<Result<_, _>>()?;
        Ok(Self::of(Keys::new(parse(current.0, current.1)?, older), None))
    }

    /// The keys in the file at `path`: one a line, the current one first; blank lines and lines
    /// beginning with `#` are ignored. Makes the file with a fresh key, readable by its owner
    /// alone, when there is none; warns in the log of one that others may read.
    pub fn from_file(path: &Path) -> Result<Self, SealError> {
        let keys = match file::read(path) {
            Err(SealError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => file::create(path)?,
            read => read?,
        };
        if let Some(mode) = file::open_to_others(path) {
            tracing::warn!(
                path = %path.display(), mode = format!("{mode:o}"),
                "other accounts of this machine may read the master key: run chmod 600 on it"
            );
        }
        Ok(Self::of(keys, Some(path.to_owned())))
    }

    pub(super) fn of(keys: Keys, file: Option<PathBuf>) -> Self {
        Self {
            shared: Arc::new(Shared {
                keys: RwLock::new(Arc::new(keys)),
                file,
                looked_at: Mutex::new(None),
            }),
        }
    }

    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.shared.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key that seals.
    pub fn id(&self) -> KeyId {
        self.keys().current.id()
    }

    /// The keys that still open, without the current one.
    pub fn older_ids(&self) -> Vec<KeyId> {
        self.keys().older.iter().map(Key::id).collect()
    }

    /// Counts the changes of the ring since it was read first.
    pub fn version(&self) -> u64 {
        self.keys().version
    }

    /// Seals `plain` for the row `row` of `table`. Two calls never give the same bytes.
    pub fn seal(&self, table: &str, row: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        self.keys().current.seal(table, row, plain)
    }

    /// Opens what [`seal`](Self::seal) made for the same table and row, with whichever key of the
    /// ring the value names. When it names none of them, the key file may have changed: it is read
    /// again, though not more than five times a second.
    pub fn open(&self, table: &str, row: &str, sealed: &Sealed) -> Result<SecretText, SealError> {
        let opened = match self.keys().open(table, row, sealed) {
            Err(SealError::WrongKey { .. }) if self.shared.file.is_some() => {
                self.look();
                self.keys().open(table, row, sealed)
            }
            opened => opened,
        };
        let mut bytes = opened?;
        String::from_utf8(std::mem::take(&mut *bytes))
            .map(SecretText::new)
            .map_err(|error| {
                error.into_bytes().zeroize();
                SealError::Damaged
            })
    }

    /// Seals a value anew with the current key, after opening it; `None` when it names the current
    /// key already (and opens).
    pub fn reseal(&self, table: &str, row: &str, sealed: &Sealed) -> Result<Option<Sealed>, SealError> {
        let keys = self.keys();
        let plain = keys.open(table, row, sealed)?;
        if sealed.key_id() == Some(keys.current.id()) {
            return Ok(None);
        }
        keys.current.seal(table, row, &plain).map(Some)
    }

    /// Reads the key file again and takes its keys over if they are others. A file that cannot be
    /// read is told in the log and changes nothing.
    pub fn refresh(&self) {
        let Some(path) = &self.shared.file else { return };
        let mut next = match file::read(path) {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the master key was not read again; the one before stays in use");
                return;
            }
        };
        let mut keys = self.shared.keys.write().unwrap_or_else(PoisonError::into_inner);
        if next.is_same(&keys) {
            return;
        }
        next.version = keys.version + 1;
        let older = next.older.len();
        tracing::info!(before = %keys.current.id(), now = %next.current.id(), older, "the master key file changed");
        *keys = Arc::new(next);
    }

    /// Reads the file again unless that was done a moment ago. Whoever comes while it is read
    /// waits for it.
    fn look(&self) {
        let mut looked_at = self.shared.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if looked_at.is_none_or(|at| now.saturating_duration_since(at) >= LOOK_EVERY) {
            self.refresh();
            *looked_at = Some(now);
        }
    }
}
