//! One master key: what seals and opens.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{HEADER_BYTES, KeyId, NONCE_BYTES, SealError, Sealed, VERSION, random_bytes};

const KEY_BYTES: usize = 32;

/// A single key. Cannot be printed; wiped when dropped.
#[derive(Clone)]
pub(super) struct Key {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: KeyId,
}

impl Key {
    /// A fresh random key.
    pub(super) fn generate() -> Result<Self, SealError> {
        Ok(Self::from_bytes(Zeroizing::new(random_bytes()?)))
    }

    /// The key in 64 hexadecimal digits; white space around them is ignored.
    pub(super) fn parse(hex: &str) -> Option<Self> {
        let hex = hex.trim().as_bytes();
        if hex.len() != KEY_BYTES * 2 {
            return None;
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            let digit = |c: u8| (c as char).to_digit(16);
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Some(Self::from_bytes(bytes))
    }

    /// What [`Key::parse`] reads.
    pub(super) fn hex(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_BYTES));
        for byte in self.bytes.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text
    }

    pub(super) const fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn seal(&self, table: &str, row: &str, plain: &[u8]) -> Result<Sealed, SealError> {
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

    /// Opens a value that names this key.
    pub(super) fn open(&self, table: &str, row: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (_, nonce, text) = sealed.parts().ok_or(SealError::Damaged)?;
        let aad = associated(table, row);
        self.cipher()
            .decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad })
            .map(Zeroizing::new)
            .map_err(|_| SealError::Damaged)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&(*self.bytes).into())
    }

    fn from_bytes(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let hash = blake3::derive_key("linekeeper master key id v1", bytes.as_slice());
        let id = KeyId([hash[0], hash[1], hash[2], hash[3]]);
        Self { bytes, id }
    }
}

/// What a sealed value is bound to.
fn associated(table: &str, row: &str) -> Vec<u8> {
    [table.as_bytes(), b"\0", row.as_bytes()].concat()
}
