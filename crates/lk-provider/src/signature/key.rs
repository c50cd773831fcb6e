//! From the text of a secret to keys.

use ring::{hmac, signature};
use zeroize::Zeroizing;

use super::encoding::decode;
use crate::Secret;
use crate::manifest::{Algorithm, Encoding, KeyForm};

/// Most keys in one secret's text (rotation joins several by a vertical bar).
const MAX_KEYS: usize = 8;

/// A key made from a secret.
pub(super) enum Key {
    Mac(Zeroizing<Vec<u8>>),
    Public(signature::UnparsedPublicKey<Vec<u8>>),
}

impl Key {
    /// The HMAC of `prefix` and `body`; nothing for a public key.
    pub(super) fn mac(&self, algorithm: Algorithm, prefix: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        let Self::Mac(bytes) = self else { return None };
        let algorithm = match algorithm {
            Algorithm::Sha256 => hmac::HMAC_SHA256,
            Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::Sha512 => hmac::HMAC_SHA512,
        };
        let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, bytes));
        context.update(prefix);
        context.update(body);
        Some(context.sign().as_ref().to_vec())
    }

    /// The Ed25519 key, when it is one.
    pub(super) fn public(&self) -> Option<&signature::UnparsedPublicKey<Vec<u8>>> {
        match self {
            Self::Public(key) => Some(key),
            Self::Mac(_) => None,
        }
    }

    fn mac_key(bytes: Vec<u8>) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self::Mac(Zeroizing::new(bytes)))
    }
}

/// The keys a secret's text stands for; none when it cannot be one, which verifies nothing.
pub(super) fn keys(secret: &Secret, form: KeyForm) -> Vec<Key> {
    match form {
        KeyForm::Text => from_text(secret.expose()).into_iter().collect(),
        KeyForm::Base64 => secret
            .expose()
            .split('|')
            .take(MAX_KEYS)
            .filter_map(from_base64)
            .collect(),
    }
}

/// The bytes of the text, whole.
pub(super) fn from_text(text: &str) -> Option<Key> {
    Key::mac_key(text.as_bytes().to_vec())
}

/// The bytes behind `whsec_` or `whpk_`.
pub(super) fn from_base64(text: &str) -> Option<Key> {
    let text = text
        .strip_prefix("v1,")
        .or_else(|| text.strip_prefix("v1a,"))
        .unwrap_or(text);
    if let Some(public) = text.strip_prefix("whpk_") {
        let bytes = decode(Encoding::Base64, public).filter(|bytes| bytes.len() == 32)?;
        return Some(Key::Public(signature::UnparsedPublicKey::new(
            &signature::ED25519,
            bytes,
        )));
    }
    Key::mac_key(decode(Encoding::Base64, text.strip_prefix("whsec_").unwrap_or(text))?)
}
