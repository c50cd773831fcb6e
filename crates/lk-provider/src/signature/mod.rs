//! Webhook signature schemes: verification, and the signing that senders, fakes and tests use.
//!
//! Every comparison of a signature or token is constant-time. A blank secret never verifies
//! anything. The signature is judged before its time, so that "too old" is said of genuine
//! deliveries only.

mod claim;
mod diagnose;
mod encoding;
mod key;

use std::borrow::Cow;

use lk_core::Time;
use subtle::ConstantTimeEq;

use crate::manifest::{Algorithm, Encoding, KeyForm, Scheme, TimeUnit};
use crate::{Headers, Inbound, Rejection, Secret, Settings};
use claim::{Claim, Proof};
use key::Key;

pub use encoding::{decode, encode};

/// A delivery whose origin is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Which of the given secrets fitted, so that the use of a retiring one can be seen.
    pub secret_index: usize,
}

/// Verifies a delivery by its provider's scheme. `secrets` are all that count now (several while
/// they are rotated); `now` is the receiver's clock.
pub fn verify(
    scheme: &Scheme,
    inbound: &Inbound,
    settings: &Settings,
    secrets: &[Secret],
    now: Time,
) -> Result<Verified, Rejection> {
    let scheme = resolve(scheme, settings)?;
    let usable: Vec<(usize, &Secret)> = secrets.iter().enumerate().filter(|(_, s)| !s.is_blank()).collect();
    if usable.is_empty() {
        return Err(Rejection::NoSecret);
    }
    if let Scheme::SharedHeader { header, prefixes } = scheme.as_ref() {
        return shared_header(header, prefixes, &inbound.headers, &usable);
    }
    let claim = Claim::read(&scheme, &inbound.headers)?;
    let fitting = usable.iter().find(|(_, secret)| {
        key::keys(secret, claim.key_form)
            .iter()
            .any(|key| fits(key, &claim, &claim.signed_prefix, &inbound.body))
    });
    let Some((secret_index, _)) = fitting else {
        let near_miss = diagnose::near_miss(&claim, &usable, &inbound.body);
        return Err(Rejection::WrongSecret {
            tried: usable.len(),
            near_miss,
        });
    };
    claim.check_time(now)?;
    Ok(Verified {
        secret_index: *secret_index,
    })
}

/// Signs a body as a sender with `secret` would; `id` is the delivery's id where the scheme has
/// one. Nothing when the scheme or secret cannot sign.
pub fn sign(
    scheme: &Scheme,
    settings: &Settings,
    secret: &Secret,
    id: &str,
    now: Time,
    body: &[u8],
) -> Option<Headers> {
    let scheme = resolve(scheme, settings).ok()?;
    let mac = |form, algorithm, prefix: &str| {
        let keys = key::keys(secret, form);
        keys.first().and_then(|key| key.mac(algorithm, prefix.as_bytes(), body))
    };
    let seconds = now.ms().div_euclid(1_000);
    let mut headers = Headers::new();
    match scheme.as_ref() {
        Scheme::Hmac {
            header,
            algorithm,
            encoding,
            prefix,
        } => {
            let tag = mac(KeyForm::Text, *algorithm, "")?;
            headers.push(header, format!("{prefix}{}", encode(*encoding, &tag)));
        }
        Scheme::TimestampedList {
            header, encoding, unit, ..
        } => {
            let t = if *unit == TimeUnit::Ms { now.ms() } else { seconds };
            let tag = mac(KeyForm::Text, Algorithm::Sha256, &format!("{t}."))?;
            headers.push(header, format!("t={t},v1={}", encode(*encoding, &tag)));
        }
        Scheme::Versioned {
            header,
            timestamp_header,
            version,
            ..
        } => {
            let tag = mac(KeyForm::Text, Algorithm::Sha256, &format!("{version}:{seconds}:"))?;
            headers.push(header, format!("{version}={}", encode(Encoding::Hex, &tag)));
            headers.push(timestamp_header, seconds.to_string());
        }
        Scheme::StandardWebhooks { families, key, .. } => {
            let family = families.first()?;
            let tag = mac(*key, Algorithm::Sha256, &format!("{id}.{seconds}."))?;
            headers.push(&format!("{family}-id"), id);
            headers.push(&format!("{family}-timestamp"), seconds.to_string());
            headers.push(
                &format!("{family}-signature"),
                format!("v1,{}", encode(Encoding::Base64, &tag)),
            );
        }
        Scheme::SharedHeader { header, prefixes } => {
            let prefix = prefixes.first().map_or("", String::as_str);
            headers.push(header, format!("{prefix}{}", secret.expose()));
        }
        Scheme::Configured {} => return None,
    }
    Some(headers)
}

/// The scheme itself, or the one the integration's settings configure.
fn resolve<'a>(scheme: &'a Scheme, settings: &Settings) -> Result<Cow<'a, Scheme>, Rejection> {
    if !matches!(scheme, Scheme::Configured {}) {
        return Ok(Cow::Borrowed(scheme));
    }
    let header = |default: &str| settings.get("signature_header").unwrap_or(default).to_owned();
    let prefix = settings.get("signature_prefix").unwrap_or_default().to_owned();
    Ok(Cow::Owned(match settings.get("signature_scheme").unwrap_or("hmac") {
        "hmac" => Scheme::Hmac {
            header: header("x-signature"),
            algorithm: match settings.get("signature_algorithm").unwrap_or("sha256") {
                "sha256" => Algorithm::Sha256,
                "sha1" => Algorithm::Sha1,
                "sha512" => Algorithm::Sha512,
                _ => return Err(Rejection::NotReceivable),
            },
            encoding: match settings.get("signature_encoding").unwrap_or("hex") {
                "hex" => Encoding::Hex,
                "base64" => Encoding::Base64,
                "base64url" => Encoding::Base64url,
                _ => return Err(Rejection::NotReceivable),
            },
            prefix,
        },
        "header" => Scheme::SharedHeader {
            header: header("authorization"),
            prefixes: if prefix.is_empty() {
                vec!["Bearer ".to_owned()]
            } else {
                vec![prefix]
            },
        },
        "standard_webhooks" => Scheme::StandardWebhooks {
            families: vec!["webhook".to_owned(), "svix".to_owned()],
            key: KeyForm::Base64,
            tolerance_s: 300,
        },
        _ => return Err(Rejection::NotReceivable),
    }))
}

fn shared_header(
    header: &str,
    prefixes: &[String],
    headers: &Headers,
    secrets: &[(usize, &Secret)],
) -> Result<Verified, Rejection> {
    let value = headers.one(header).map_err(|fault| claim::rejection(header, fault))?;
    // The bare value, and the value behind each prefix; people paste either into the provider.
    let mut tokens = vec![value];
    tokens.extend(prefixes.iter().filter_map(|prefix| value.strip_prefix(prefix.as_str())));
    let fitting = |secret: &str| {
        // Hashes compare in constant time and hide the length.
        let wanted = blake3::hash(secret.as_bytes());
        tokens.iter().any(|token| blake3::hash(token.as_bytes()) == wanted)
    };
    if let Some((secret_index, _)) = secrets.iter().find(|(_, secret)| fitting(secret.expose())) {
        return Ok(Verified {
            secret_index: *secret_index,
        });
    }
    let trimmed = secrets.iter().any(|(_, secret)| fitting(secret.expose().trim()));
    let near_miss = trimmed.then_some(crate::rejection::NearMiss::SecretWhitespace);
    Err(Rejection::WrongSecret {
        tried: secrets.len(),
        near_miss,
    })
}

/// Whether `key` proves one of the claim's signatures over `prefix` and `body`.
fn fits(key: &Key, claim: &Claim, prefix: &[u8], body: &[u8]) -> bool {
    if let Some(public) = key.public() {
        let mut message = prefix.to_vec();
        message.extend_from_slice(body);
        return claim.proofs.iter().any(|proof| match proof {
            Proof::Ed25519(signature) => public.verify(&message, signature).is_ok(),
            Proof::Mac { .. } => false,
        });
    }
    let Some(tag) = key.mac(claim.algorithm, prefix, body) else {
        return false;
    };
    claim.proofs.iter().any(|proof| match proof {
        Proof::Mac { bytes: Some(bytes), .. } => bytes.ct_eq(&tag).into(),
        _ => false,
    })
}

#[cfg(test)]
mod tests;
