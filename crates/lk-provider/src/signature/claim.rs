//! What a delivery's headers claim, before any key is tried.

use lk_core::Time;
use lk_core::time::SECOND;

use super::encoding::decode;
use crate::headers::HeaderFault;
use crate::manifest::{Algorithm, Encoding, KeyForm, Scheme, TimeUnit};
use crate::{Headers, Rejection};

/// Most signatures of one delivery; more are ignored.
const MAX_PROOFS: usize = 16;
/// Longest signature header that is read.
const MAX_HEADER: usize = 4_096;

/// One signature as sent.
pub(super) enum Proof {
    /// Text, and its bytes where it decodes.
    Mac {
        text: String,
        bytes: Option<Vec<u8>>,
    },
    Ed25519(Vec<u8>),
}

/// The parsed claim.
pub(super) struct Claim {
    pub(super) algorithm: Algorithm,
    pub(super) key_form: KeyForm,
    pub(super) encoding: Encoding,
    /// What is signed before the body.
    pub(super) signed_prefix: Vec<u8>,
    pub(super) proofs: Vec<Proof>,
    /// Signed time in epoch seconds and the tolerance.
    time: Option<(i64, i64)>,
}

/// The rejection a header fault is.
pub(super) fn rejection(header: &str, fault: HeaderFault) -> Rejection {
    let name = header.to_ascii_lowercase();
    match fault {
        HeaderFault::Missing => Rejection::MissingHeader { name },
        HeaderFault::Duplicate => Rejection::DuplicateHeader { name },
        HeaderFault::Malformed => Rejection::MalformedHeader { name },
    }
}

fn one<'a>(headers: &'a Headers, name: &str) -> Result<&'a str, Rejection> {
    let text = headers.one(name).map_err(|fault| rejection(name, fault))?;
    if text.is_empty() || text.len() > MAX_HEADER {
        return Err(rejection(name, HeaderFault::Malformed));
    }
    Ok(text)
}

/// Digits only, in range: `-1`, `1e9` and 30 digits are refused.
fn epoch(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

impl Claim {
    /// Reads the headers a scheme needs.
    pub(super) fn read(scheme: &Scheme, headers: &Headers) -> Result<Self, Rejection> {
        match scheme {
            Scheme::Hmac {
                header,
                algorithm,
                encoding,
                prefix,
            } => {
                let text = one(headers, header)?;
                let text = text
                    .strip_prefix(prefix.as_str())
                    .filter(|text| !text.is_empty())
                    .ok_or_else(|| rejection(header, HeaderFault::Malformed))?;
                let mut claim = Self::new(*algorithm, KeyForm::Text, *encoding);
                claim.mac(text);
                Ok(claim)
            }
            Scheme::TimestampedList {
                header,
                encoding,
                unit,
                tolerance_s,
            } => Self::timestamped(headers, header, *encoding, *unit, *tolerance_s),
            Scheme::Versioned {
                header,
                timestamp_header,
                version,
                tolerance_s,
            } => Self::versioned(headers, header, timestamp_header, version, *tolerance_s),
            Scheme::StandardWebhooks {
                families,
                key,
                tolerance_s,
            } => Self::standard(headers, families, *key, *tolerance_s),
            Scheme::SharedHeader { .. } | Scheme::Configured {} => Err(Rejection::NotReceivable),
        }
    }

    fn new(algorithm: Algorithm, key_form: KeyForm, encoding: Encoding) -> Self {
        Self {
            algorithm,
            key_form,
            encoding,
            signed_prefix: Vec::new(),
            proofs: Vec::new(),
            time: None,
        }
    }

    fn mac(&mut self, text: &str) {
        if self.proofs.len() < MAX_PROOFS {
            self.proofs.push(Proof::Mac {
                text: text.to_owned(),
                bytes: decode(self.encoding, text),
            });
        }
    }

    fn timestamped(
        headers: &Headers,
        header: &str,
        encoding: Encoding,
        unit: TimeUnit,
        tolerance_s: i64,
    ) -> Result<Self, Rejection> {
        let malformed = || rejection(header, HeaderFault::Malformed);
        let mut claim = Self::new(Algorithm::Sha256, KeyForm::Text, encoding);
        let mut time = None;
        for part in one(headers, header)?.split(',') {
            match part.trim().split_once('=') {
                Some(("t", value)) if time.is_none() => time = Some(value),
                Some(("t", _)) | None => return Err(malformed()),
                Some(("v1", value)) if !value.is_empty() => claim.mac(value),
                Some(_) => {}
            }
        }
        let text = time.ok_or_else(malformed)?;
        let number = epoch(text).ok_or_else(malformed)?;
        if claim.proofs.is_empty() {
            return Err(malformed());
        }
        let seconds = if unit == TimeUnit::Ms { number / SECOND } else { number };
        claim.time = Some((seconds, tolerance_s));
        claim.signed_prefix = format!("{text}.").into_bytes();
        Ok(claim)
    }

    fn versioned(
        headers: &Headers,
        header: &str,
        timestamp_header: &str,
        version: &str,
        tolerance_s: i64,
    ) -> Result<Self, Rejection> {
        let signature = one(headers, header)?
            .strip_prefix(version)
            .and_then(|rest| rest.strip_prefix('='))
            .filter(|rest| !rest.is_empty())
            .ok_or_else(|| rejection(header, HeaderFault::Malformed))?;
        let time = one(headers, timestamp_header)?;
        let seconds = epoch(time).ok_or_else(|| rejection(timestamp_header, HeaderFault::Malformed))?;
        let mut claim = Self::new(Algorithm::Sha256, KeyForm::Text, Encoding::Hex);
        claim.mac(signature);
        claim.time = Some((seconds, tolerance_s));
        claim.signed_prefix = format!("{version}:{time}:").into_bytes();
        Ok(claim)
    }

    fn standard(headers: &Headers, families: &[String], key: KeyForm, tolerance_s: i64) -> Result<Self, Rejection> {
        let present = families
            .iter()
            .find(|family| headers.contains(&format!("{family}-signature")));
        let family = present.or(families.first()).map_or("webhook", String::as_str);
        let (id_name, time_name, name) = (
            format!("{family}-id"),
            format!("{family}-timestamp"),
            format!("{family}-signature"),
        );
        let list = one(headers, &name)?;
        let id = one(headers, &id_name)?;
        let time = one(headers, &time_name)?;
        let seconds = epoch(time).ok_or_else(|| rejection(&time_name, HeaderFault::Malformed))?;
        let mut claim = Self::new(Algorithm::Sha256, key, Encoding::Base64);
        for part in list.split(' ').filter(|part| !part.is_empty()) {
            match part.split_once(',') {
                Some(("v1", value)) if !value.is_empty() => claim.mac(value),
                Some(("v1a", value)) if claim.proofs.len() < MAX_PROOFS => {
                    claim.proofs.extend(decode(Encoding::Base64, value).map(Proof::Ed25519));
                }
                _ => {}
            }
        }
        if claim.proofs.is_empty() {
            return Err(rejection(&name, HeaderFault::Malformed));
        }
        claim.time = Some((seconds, tolerance_s));
        claim.signed_prefix = format!("{id}.{time}.").into_bytes();
        Ok(claim)
    }

    /// Whether the signed time is near enough to `now`, both ways.
    pub(super) fn check_time(&self, now: Time) -> Result<(), Rejection> {
        let Some((seconds, tolerance_s)) = self.time else {
            return Ok(());
        };
        let skew_s = now.ms().div_euclid(SECOND).saturating_sub(seconds);
        if skew_s > tolerance_s {
            Err(Rejection::TimestampTooOld { skew_s })
        } else if skew_s < -tolerance_s {
            Err(Rejection::TimestampInFuture { skew_s: -skew_s })
        } else {
            Ok(())
        }
    }
}
