//! Sealing of secrets at rest: XChaCha20-Poly1305 with a master key from a file or the
//! environment.
//!
//! A sealed value is `version (1 byte) | key id (4) | nonce (24) | ciphertext and tag`. The table
//! and the row's identifier are authenticated with it, so that a value moved to another row does
//! not open. The key id makes a wrong key a clear error and leaves room for rotation.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, Zeroizing};

/// Layout version of sealed values.
const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
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
        /// The key that was tried.
        in_use: KeyId,
    },
    /// The bytes are damaged, cut short, or belong to another row.
    #[error("a sealed value is damaged or belongs to another row")]
    Damaged,
    /// The master key is not 64 hexadecimal digits.
    #[error("the master key {from} must be 64 hexadecimal digits (32 bytes)")]
    BadKey {
        /// Where the key came from: a file's path or the environment.
        from: String,
    },
    /// The key file cannot be read or made.
    #[error("the master key file {path} cannot be {doing}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// "read" or "created".
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// Names a master key without telling anything of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 4]);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The key that seals every secret of an installation. Cannot be printed; wiped when dropped.
#[derive(Clone)]
pub struct MasterKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: KeyId,
}

impl MasterKey {
    /// A fresh random key.
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self::from_bytes(random_bytes()?))
    }

    /// The key in `hex`, 64 hexadecimal digits (white space around them is ignored), as given by
    /// the environment variable called `name`.
    pub fn from_env_value(name: &str, hex: &str) -> Result<Self, SealError> {
        Self::parse(hex).ok_or_else(|| SealError::BadKey {
            from: format!("in {name}"),
        })
    }

    /// The key in the file at `path`. Makes the file with a fresh key, readable by its owner
    /// alone, when there is none.
    pub fn from_file(path: &Path) -> Result<Self, SealError> {
        match Self::create_file(path) {
            Err(SealError::File { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::read_file(path)
            }
            made => made,
        }
    }

    /// Which key this is.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Seals `plain` for the row `row` of `table`. Two calls never give the same bytes.
    pub fn seal(&self, table: &str, row: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        let nonce: [u8; NONCE_BYTES] = random_bytes()?;
        let aad = associated(table, row);
        let text = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .map_err(|_| SealError::Damaged)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + text.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.id.0);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&text);
        Ok(Sealed(bytes))
    }

    /// Opens what [`seal`](Self::seal) made for the same table and row.
    pub fn open(&self, table: &str, row: &str, sealed: &Sealed) -> Result<SecretText, SealError> {
        let (header, text) = sealed.0.split_at_checked(HEADER_BYTES).ok_or(SealError::Damaged)?;
        let [VERSION, a, b, c, d, nonce @ ..] = header else {
            return Err(SealError::Damaged);
        };
        let sealed_with = KeyId([*a, *b, *c, *d]);
        if sealed_with != self.id {
            return Err(SealError::WrongKey {
                sealed_with,
                in_use: self.id,
            });
        }
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| SealError::Damaged)?;
        let aad = associated(table, row);
        let plain = self
            .cipher()
            .decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad })
            .map_err(|_| SealError::Damaged)?;
        String::from_utf8(plain).map(SecretText::new).map_err(|error| {
            error.into_bytes().zeroize();
            SealError::Damaged
        })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.bytes).into())
    }

    fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        let hash = blake3::derive_key("linekeeper master key id v1", &bytes);
        let id = KeyId([hash[0], hash[1], hash[2], hash[3]]);
        Self {
            bytes: Zeroizing::new(bytes),
            id,
        }
    }

    fn parse(hex: &str) -> Option<Self> {
        let hex = hex.trim().as_bytes();
        if hex.len() != KEY_BYTES * 2 {
            return None;
        }
        let mut bytes = [0; KEY_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let digit = |c: u8| (c as char).to_digit(16);
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Some(Self::from_bytes(bytes))
    }

    fn create_file(path: &Path) -> Result<Self, SealError> {
        let failed = |source| SealError::File {
            path: path.to_owned(),
            doing: "created",
            source,
        };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        let key = Self::generate()?;
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_BYTES));
        for byte in key.bytes.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        file.write_all(text.as_bytes())
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        Ok(key)
    }

    fn read_file(path: &Path) -> Result<Self, SealError> {
        let failed = |source| SealError::File {
            path: path.to_owned(),
            doing: "read",
            source,
        };
        let mut text = Zeroizing::new(String::new());
        std::fs::File::open(path)
            .and_then(|mut f| f.read_to_string(&mut text))
            .map_err(failed)?;
        Self::parse(&text).ok_or_else(|| SealError::BadKey {
            from: format!("in {}", path.display()),
        })
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

/// What a sealed value is bound to.
fn associated(table: &str, row: &str) -> Vec<u8> {
    [table.as_bytes(), b"\0", row.as_bytes()].concat()
}

/// Random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(SealError::Randomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
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
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("exists").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&path, "too short").expect("writes");
        let Err(error) = MasterKey::from_file(&path) else {
            panic!("accepted a short key")
        };
        assert!(error.to_string().contains("64 hexadecimal digits"), "{error}");
    }

    #[test]
    fn only_long_secrets_show_their_end() {
        assert_eq!(SecretText::new("short").last4(), "");
        assert_eq!(SecretText::new("0123456789abcdef").last4(), "cdef");
    }
}
