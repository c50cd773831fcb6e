//! Sealing of secrets at rest: XChaCha20-Poly1305 with a master key from a file or the
//! environment.
//!
//! A sealed value is `version (1 byte) | key id (4) | nonce (24) | ciphertext and tag`. The table
//! and the row's identifier are authenticated with it, so that a value moved to another row does
//! not open. The key id makes a wrong key a clear error, and tells which key of the ring opens it
//! while a key is being replaced by the next.

mod file;
mod key;
mod ring;

use std::path::PathBuf;

use zeroize::Zeroizing;

pub use file::HeldKeyFile;
pub use ring::MasterKey;

/// Layout version of sealed values.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + 4 + NONCE_BYTES;

/// Why a value could not be sealed or opened, or the key not be had.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The value was sealed with another master key.
    #[error(
        "this value was sealed with another master key ({sealed_with}; the key in use is {in_use}): restore the key the data was written with"
    )]
    WrongKey {
        /// The key the value names.
        sealed_with: KeyId,
        /// The key that seals now; neither it nor an older one of the ring is the one.
        in_use: KeyId,
    },
    /// The bytes are damaged, cut short, or belong to another row.
    #[error("a sealed value is damaged or belongs to another row")]
    Damaged,
    /// The master key is not 64 hexadecimal digits.
    #[error("the master key {from} must be 64 hexadecimal digits (32 bytes)")]
    BadKey {
        /// Where the key came from: a file's path and line, or the environment.
        from: String,
    },
    /// The key file cannot be read or written.
    #[error("the master key file {path} cannot be {doing}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// "read", "created", "replaced" ...
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody else is replacing the key file.
    #[error("another process is replacing the master key in {path}: wait until it has ended")]
    Busy {
        /// Which file.
        path: PathBuf,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// Names a master key without telling anything of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 4]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A sealed value as it lies in the database.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Bytes that were stored.
    pub const fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The key that sealed it; `None` for what was never a sealed value.
    pub fn key_id(&self) -> Option<KeyId> {
        self.parts().map(|(id, _, _)| id)
    }

    fn parts(&self) -> Option<(KeyId, [u8; NONCE_BYTES], &[u8])> {
        let (header, text) = self.0.split_at_checked(HEADER_BYTES)?;
        let [VERSION, a, b, c, d, nonce @ ..] = header else {
            return None;
        };
        Some((KeyId([*a, *b, *c, *d]), nonce.try_into().ok()?, text))
    }
}

/// A secret in the clear. Has no `Debug`, `Display` or `Serialize`; wiped when dropped.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret itself. Whoever calls this decides where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, for recognising it; nothing of a secret shorter than twelve.
    pub fn last4(&self) -> String {
        let count = self.0.chars().count();
        if count < 12 {
            String::new()
        } else {
            self.0.chars().skip(count - 4).collect()
        }
    }
}

/// Random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(SealError::Randomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn sealing_twice_differs_and_both_open() {
        let key = MasterKey::generate().expect("randomness");
        let one = key.seal("t", "1", b"a secret").expect("seals");
        let two = key.seal("t", "1", b"a secret").expect("seals");
        assert!(one != two);
        for sealed in [&one, &two] {
            assert!(key.open("t", "1", sealed).is_ok_and(|s| s.expose() == "a secret"));
        }
        assert!(!one.as_bytes().windows(8).any(|w| w == b"a secret"));
    }

    #[test]
    fn another_row_another_key_or_a_flipped_bit_do_not_open() {
        let key = MasterKey::generate().expect("randomness");
        let sealed = key.seal("t", "1", b"x").expect("seals");
        assert!(matches!(key.open("t", "2", &sealed), Err(SealError::Damaged)));
        assert!(matches!(key.open("u", "1", &sealed), Err(SealError::Damaged)));
        let other = MasterKey::generate().expect("randomness");
        let Err(error) = other.open("t", "1", &sealed) else {
            panic!("opened with a wrong key")
        };
        assert!(error.to_string().contains("another master key"), "{error}");
        for at in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert!(key.open("t", "1", &Sealed::from_stored(bytes)).is_err(), "byte {at}");
        }
        assert!(key.open("t", "1", &Sealed::from_stored(Vec::new())).is_err());
    }

    #[test]
    fn the_key_file_is_made_once_and_private() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("master.key");
        let made = MasterKey::from_file(&path).expect("makes it");
        let read = MasterKey::from_file(&path).expect("reads it");
        assert_eq!(made.id(), read.id());
        let private = |path: &Path| {
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = std::fs::metadata(path).expect("exists").permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", path.display());
            }
        };
        let held = HeldKeyFile::hold(&path).expect("nobody else has it");
        assert!(matches!(HeldKeyFile::hold(&path), Err(SealError::Busy { .. })));
        // What a crash left behind, readable by all, is not written into.
        std::fs::write(dir.path().join("master.key.new"), "left behind").expect("writes");
        held.add_key().expect("adds");
        private(&path);
        assert_eq!(held.older_ids().expect("reads"), [made.id()]);
        for kept in held.keep_older().expect("keeps") {
            let name = format!("master-{}.retired", made.id());
            assert!(kept.ends_with(&name), "{}", kept.display());
            private(&kept);
        }
        held.remove_older().expect("removes");
        private(&path);
        let ring = held.ring().expect("reads");
        assert_ne!(ring.id(), made.id());
        assert_eq!(ring.older_ids(), [made.id()], "the kept key still opens here");
        assert!(MasterKey::from_file(&path).expect("reads").older_ids().is_empty());
        for (text, wrong) in [
            ("too short", "line 1"),
            ("# nothing\n\n", "64"),
            (&format!("{}\n{}", "a".repeat(64), "b".repeat(63)), "line 2"),
        ] {
            std::fs::write(&path, text).expect("writes");
            let Err(error) = MasterKey::from_file(&path) else {
                panic!("accepted {text:?}")
            };
            let error = error.to_string();
            assert!(
                error.contains("64 hexadecimal digits") && error.contains(wrong),
                "{error}"
            );
            assert!(!error.contains("bbb"), "{error}");
        }
    }

    #[test]
    fn many_that_make_the_file_at_once_have_the_same_key() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("master.key");
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || MasterKey::from_file(&path).expect("a key").id())
            })
            .collect();
        let ids: Vec<_> = threads.into_iter().map(|t| t.join().expect("no panic")).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn a_ring_seals_with_the_first_and_opens_with_each() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let old = MasterKey::from_env_value("OLD", &a).expect("a key");
        let sealed = old.seal("t", "1", b"x").expect("seals");
        let ring = MasterKey::from_env_values(("NEW", &b), ("OLD", &format!(" {a}, {a},{b}"))).expect("keys");
        assert_eq!(ring.older_ids(), [old.id()], "each key once");
        assert_eq!(ring.open("t", "1", &sealed).expect("opens").expose(), "x");
        let again = ring.reseal("t", "1", &sealed).expect("opens").expect("was old");
        assert_eq!(again.key_id(), Some(ring.id()));
        assert!(ring.reseal("t", "1", &again).expect("opens").is_none());
        assert!(matches!(old.open("t", "1", &again), Err(SealError::WrongKey { .. })));
        assert!(matches!(ring.reseal("t", "2", &sealed), Err(SealError::Damaged)));
        let Err(error) = MasterKey::from_env_values(("NEW", &b), ("OLD", "zz")) else {
            panic!("accepted a bad key")
        };
        assert!(error.to_string().contains("in OLD"), "{error}");
    }

    #[test]
    fn a_running_ring_follows_its_file() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("master.key");
        let running = MasterKey::from_file(&path).expect("makes it");
        let (clone, before) = (running.clone(), running.id());
        let old = running.seal("t", "1", b"old").expect("seals");
        let held = HeldKeyFile::hold(&path).expect("holds");
        held.add_key().expect("adds");
        let beside = MasterKey::from_file(&path).expect("reads");
        let new = beside.seal("t", "1", b"new").expect("seals");
        // It has not noticed yet, and notices by the value.
        assert_eq!(running.id(), before);
        assert_eq!(running.open("t", "1", &new).expect("opens").expose(), "new");
        assert_eq!((clone.id(), clone.version()), (beside.id(), 1), "every clone has");
        assert_eq!(clone.open("t", "1", &old).expect("opens").expose(), "old");
        held.remove_older().expect("removes");
        running.refresh();
        assert!(matches!(running.open("t", "1", &old), Err(SealError::WrongKey { .. })));
        // A file that is gone or damaged changes nothing.
        std::fs::write(&path, "nonsense").expect("writes");
        running.refresh();
        std::fs::remove_file(&path).expect("removes");
        running.refresh();
        assert_eq!((running.id(), running.version()), (beside.id(), 2));
    }

    #[test]
    fn only_long_secrets_show_their_end() {
        assert_eq!(SecretText::new("short").last4(), "");
        assert_eq!(SecretText::new("0123456789abcdef").last4(), "cdef");
    }
}
