//! JSON Web Tokens signed with a key of ours (RS256).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::Secret;

/// Why an assertion could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is no private key in PEM.
    #[error("the private key is not a PEM text (-----BEGIN PRIVATE KEY-----)")]
    NotPem,
    /// The key is no RSA key that can be used: not RSA, under 2048 bits, or encrypted.
    #[error("the private key is not an RSA key of at least 2048 bits without a password")]
    NotRsa,
    /// The key file is not the JSON that the provider gives out.
    #[error("the key file is not the JSON file with `client_email` and `private_key`")]
    NotAKeyFile,
    /// The system gave no randomness.
    #[error("the system gave no randomness for signing")]
    NoRandomness,
}

/// A signed token with these claims; `key_id` names the key where several are in use.
pub(super) fn signed(pem: &str, key_id: Option<&str>, claims: &Value) -> Result<Secret, KeyError> {
    let mut header = serde_json::json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = key_id {
        header["kid"] = id.into();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&header), part(claims));
    let key = key(pem)?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &ring::rand::SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .map_err(|_| KeyError::NoRandomness)?;
    Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// Reads a key as providers hand them out: PKCS#8, or the older form of RSA keys alone.
fn key(pem: &str) -> Result<RsaKeyPair, KeyError> {
    // Copied out of a JSON file, line ends are still written as two characters.
    let pem = Zeroizing::new(pem.replace("\\n", "\n"));
    let body = Zeroizing::new(body(&pem).ok_or(KeyError::NotPem)?);
    let der = Zeroizing::new(STANDARD.decode(body.as_bytes()).map_err(|_| KeyError::NotPem)?);
    RsaKeyPair::from_pkcs8(&der)
        .or_else(|_| RsaKeyPair::from_der(&der))
        .map_err(|_| KeyError::NotRsa)
}

/// What stands between the two marks. Forms that take one line make blanks of line ends.
fn body(pem: &str) -> Option<String> {
    let from = pem.find("-----BEGIN ")?;
    let rest = &pem[from + "-----BEGIN ".len()..];
    let rest = &rest[rest.find("-----")? + 5..];
    let inner = &rest[..rest.find("-----END ")?];
    let digits: String = inner.chars().filter(|c| !c.is_whitespace()).collect();
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
pub(super) mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::json;

    use super::*;

    /// A key made for these tests alone.
    pub(in crate::auth) const KEY: &str = include_str!("test_key.pem");
    const OLD_FORM: &str = include_str!("test_key_pkcs1.pem");

    /// The claims, if the signature holds.
    pub(in crate::auth) fn opened(token: &Secret) -> (Value, Value) {
        let parts: Vec<&str> = token.expose().split('.').collect();
        let public = key(KEY).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.public().as_ref());
        let text = format!("{}.{}", parts[0], parts[1]);
        public
            .verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap())
            .unwrap();
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        (json(parts[0]), json(parts[1]))
    }

    #[test]
    fn both_forms_of_a_key_sign_and_others_are_told_apart() {
        let claims = json!({"iss": "me"});
        let one_line = KEY.replace('\n', " ");
        let as_json = KEY.replace('\n', "\\n");
        for pem in [KEY, OLD_FORM, &one_line, &as_json] {
            let (header, told) = opened(&signed(pem, Some("k1"), &claims).unwrap());
            assert_eq!(
                (header["alg"].as_str(), header["kid"].as_str()),
                (Some("RS256"), Some("k1"))
            );
            assert_eq!(told, claims);
        }
        let wrong = |pem: &str| signed(pem, None, &claims).unwrap_err();
        assert_eq!(wrong("nothing"), KeyError::NotPem);
        assert_eq!(
            wrong("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"),
            KeyError::NotPem
        );
        assert_eq!(
            wrong("-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----"),
            KeyError::NotPem
        );
        assert_eq!(
            wrong("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
            KeyError::NotRsa
        );
    }
}
