//! Why a signature does not fit, when something simple would have made it fit. Runs only after a
//! refusal, never changes it, and does a bounded amount of work.

use serde::Serialize as _;
use subtle::ConstantTimeEq;

use super::claim::{Claim, Proof};
use super::encoding::decode;
use super::fits;
use super::key::{self, Key};
use crate::Secret;
use crate::manifest::{Encoding, KeyForm};
use crate::observe::{MAX_DEPTH, deeper_than};
use crate::rejection::NearMiss;

/// Larger bodies are not examined: an unverified sender must not cost much.
const MAX_BODY: usize = 65_536;
/// Most secrets that are examined.
const MAX_SECRETS: usize = 4;

/// The variant under which the claim would have fitted.
pub(super) fn near_miss(claim: &Claim, secrets: &[(usize, &Secret)], body: &[u8]) -> Option<NearMiss> {
    if body.len() > MAX_BODY {
        return None;
    }
    let bodies = variants(body);
    secrets.iter().take(MAX_SECRETS).find_map(|(_, secret)| {
        let keys = key::keys(secret, claim.key_form);
        let any = |prefix: &[u8], body: &[u8]| keys.iter().any(|key| fits(key, claim, prefix, body));
        if keys.iter().any(|key| other_encoding(key, claim, body)) {
            return Some(NearMiss::OtherEncoding);
        }
        if let Some((miss, _)) = bodies.iter().find(|(_, variant)| any(&claim.signed_prefix, variant)) {
            return Some(*miss);
        }
        if !claim.signed_prefix.is_empty() && any(b"", body) {
            return Some(NearMiss::OtherSignedString);
        }
        other_key(claim, secret, body)
    })
}

type FromText = fn(&str) -> Option<Key>;

fn other_key(claim: &Claim, secret: &Secret, body: &[u8]) -> Option<NearMiss> {
    let fits = |key: Option<Key>| key.is_some_and(|key| fits(&key, claim, &claim.signed_prefix, body));
    let text = secret.expose();
    let trimmed = text.trim();
    let (own, other): (FromText, FromText) = match claim.key_form {
        KeyForm::Text => (key::from_text, key::from_base64),
        KeyForm::Base64 => (key::from_base64, key::from_text),
    };
    if trimmed != text && fits(own(trimmed)) {
        return Some(NearMiss::SecretWhitespace);
    }
    let bare = trimmed.strip_prefix("whsec_").unwrap_or(trimmed);
    (fits(other(trimmed)) || fits(key::from_text(bare))).then_some(NearMiss::SecretDecoding)
}

fn other_encoding(key: &Key, claim: &Claim, body: &[u8]) -> bool {
    let Some(tag) = key.mac(claim.algorithm, &claim.signed_prefix, body) else {
        return false;
    };
    let others = [Encoding::Hex, Encoding::Base64, Encoding::Base64url];
    claim.proofs.iter().any(|proof| match proof {
        Proof::Mac { text, .. } => others
            .iter()
            .filter(|encoding| **encoding != claim.encoding)
            .filter_map(|encoding| decode(*encoding, text))
            .any(|bytes| bytes.ct_eq(&tag).into()),
        Proof::Ed25519(_) => false,
    })
}

/// The body as it may have been when it was signed.
fn variants(body: &[u8]) -> Vec<(NearMiss, Vec<u8>)> {
    let mut out = Vec::new();
    let trimmed = body.trim_ascii_end();
    if trimmed.len() < body.len() {
        out.push((NearMiss::TrailingNewline, trimmed.to_vec()));
    }
    out.push((NearMiss::TrailingNewline, [body, b"\n"].concat()));
    if deeper_than(body, MAX_DEPTH) {
        return out;
    }
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) {
        out.extend(
            serde_json::to_vec(&value)
                .ok()
                .map(|bytes| (NearMiss::CompactJson, bytes)),
        );
        out.extend(spaced(&value).map(|bytes| (NearMiss::CompactJson, bytes)));
        out.extend(
            serde_json::to_vec_pretty(&value)
                .ok()
                .map(|bytes| (NearMiss::IndentedJson, bytes)),
        );
    }
    out
}

/// JSON on one line with a space after commas and colons, as several languages write it.
fn spaced(value: &serde_json::Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Spaced);
    value.serialize(&mut serializer).ok()?;
    Some(out)
}

struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}
