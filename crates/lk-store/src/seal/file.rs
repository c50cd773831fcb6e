//! The key file: one key a line, the current one first. It is replaced as a whole or not at all.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::key::Key;
use super::ring::Keys;
use super::{KeyId, MasterKey, SealError};

/// The largest key file that is read.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;
/// Ending of the file that keeps a key which is no longer in use.
const RETIRED: &str = ".retired";

fn failed(path: &Path, doing: &'static str) -> impl FnOnce(std::io::Error) -> SealError {
    let path = path.to_owned();
    move |source| SealError::File { path, doing, source }
}

/// The keys in the file at `path`.
pub(super) fn read(path: &Path) -> Result<Keys, SealError> {
    // All of it fits from the start: growing would leave copies of the keys in freed memory.
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX as usize));
    File::open(path)
        .and_then(|file| file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text))
        .map_err(failed(path, "read"))?;
    let mut keys = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        keys.push(Key::parse(line).ok_or_else(|| SealError::BadKey {
            from: format!("in line {} of {}", n + 1, path.display()),
        })?);
    }
    let mut keys = keys.into_iter();
    let current = keys.next().ok_or_else(|| SealError::BadKey {
        from: format!("in {}", path.display()),
    })?;
    Ok(Keys::new(current, keys.collect()))
}

/// Makes the file with a fresh key, or reads the one that somebody else made meanwhile.
pub(super) fn create(path: &Path) -> Result<Keys, SealError> {
    let lock = lock_file(path)?;
    lock.lock().map_err(failed(path, "created"))?;
    if path.exists() {
        return read(path);
    }
    let keys = Keys::new(Key::generate()?, Vec::new());
    replace(path, &keys)?;
    Ok(keys)
}

/// The mode of a file that others than its owner may read.
#[cfg(unix)]
pub(super) fn open_to_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// The mode of a file that others than its owner may read; not known here.
#[cfg(not(unix))]
pub(super) fn open_to_others(_path: &Path) -> Option<u32> {
    None
}

/// What a file that only its owner may read is opened with.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// The file whose lock belongs to whoever changes the key file (the key file itself is replaced,
/// and its lock would go with it).
fn lock_file(path: &Path) -> Result<File, SealError> {
    let lock = beside(path, ".lock");
    let opened = private().create(true).truncate(false).open(&lock);
    opened.map_err(failed(path, "locked"))
}

/// Writes the keys, so that after a crash either the old file or the new one is there. Only for
/// whoever holds the lock.
fn replace(path: &Path, keys: &Keys) -> Result<(), SealError> {
    let next = beside(path, ".new");
    let write = || {
        // A crash may have left one behind; its mode is not to be relied on.
        match std::fs::remove_file(&next) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private().create_new(true).open(&next)?;
        for key in keys.all() {
            file.write_all(key.hex().as_bytes())?;
            file.write_all(b"\n")?;
        }
        file.sync_all()?;
        std::fs::rename(&next, path)?;
        sync_folder(path)
    };
    write().map_err(failed(path, "replaced"))
}

/// Makes a rename last.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    if cfg!(unix)
        && let Some(folder) = path.parent()
    {
        let here = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        File::open(here)?.sync_all()?;
    }
    Ok(())
}

/// The key file, held by whoever replaces the key, so that nobody else does.
pub struct HeldKeyFile {
    path: PathBuf,
    _lock: File,
}

impl HeldKeyFile {
    /// Takes hold of the key file at `path`; [`SealError::Busy`] when somebody else has.
    pub fn hold(path: &Path) -> Result<Self, SealError> {
        let lock = lock_file(path)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(SealError::Busy { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(path, "locked")(source)),
        }
    }

    /// The keys of the file, and to open with also those kept in files beside it: what a server
    /// that slept through the last replacement may have sealed with.
    pub fn ring(&self) -> Result<MasterKey, SealError> {
        let keys = read(&self.path)?;
        let mut older = keys.older.clone();
        for path in self.kept()? {
            older.extend(read(&path)?.all().cloned());
        }
        Ok(MasterKey::of(Keys::new(keys.current, older), None))
    }

    /// The older keys of the file: not empty while a replacement is under way.
    pub fn older_ids(&self) -> Result<Vec<KeyId>, SealError> {
        Ok(read(&self.path)?.older.iter().map(Key::id).collect())
    }

    /// Puts a fresh key before those of the file.
    pub fn add_key(&self) -> Result<(), SealError> {
        let keys = read(&self.path)?;
        let older = keys.all().cloned().collect();
        replace(&self.path, &Keys::new(Key::generate()?, older))
    }

    /// Keeps each older key of the file in a file of its own beside it, named after the key, and
    /// says where.
    pub fn keep_older(&self) -> Result<Vec<PathBuf>, SealError> {
        let mut kept = Vec::new();
        for key in read(&self.path)?.older {
            let path = self.kept_at(key.id());
            replace(&path, &Keys::new(key, Vec::new()))?;
            kept.push(path);
        }
        Ok(kept)
    }

    /// Takes the older keys out of the file.
    pub fn remove_older(&self) -> Result<(), SealError> {
        replace(&self.path, &Keys::new(read(&self.path)?.current, Vec::new()))
    }

    fn kept_at(&self, id: KeyId) -> PathBuf {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!("{stem}-{id}{RETIRED}"))
    }

    /// The files that [`keep_older`](Self::keep_older) made, now and before.
    fn kept(&self) -> Result<Vec<PathBuf>, SealError> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let folder = self.path.parent().filter(|f| !f.as_os_str().is_empty());
        let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).map_err(failed(&self.path, "found"))?;
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed(&self.path, "found"))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&format!("{stem}-")) && name.ends_with(RETIRED) {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
}
