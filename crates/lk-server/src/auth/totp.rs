//! Codes of authenticator apps (RFC 6238: SHA-1, six digits, 30 seconds, as every app expects) and
//! recovery codes.

use lk_core::Time;
use lk_store::SecretText;
use totp_rs::{Algorithm, Builder, Secret, Totp};

use crate::error::ApiError;

/// Bytes of the shared secret, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// Digits of a code.
const DIGITS: u8 = 6;
/// Seconds a code is shown.
const STEP_S: u64 = 30;
/// Steps before and after the present one whose codes count: clocks differ.
const SKEW_STEPS: u16 = 1;
/// Recovery codes a person is given.
const RECOVERY_CODES: usize = 10;
/// Bytes of randomness in a recovery code: too many to try, so that a plain hash is enough.
const RECOVERY_BYTES: usize = 10;
/// The name authenticator apps show.
const ISSUER: &str = "Linekeeper";

/// A new shared secret, in base32.
pub(crate) fn new_secret() -> Result<SecretText, ApiError> {
    let mut bytes = [0_u8; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
    Ok(SecretText::new(Secret::from(bytes).to_base32()))
}

fn totp(secret: &SecretText, account: &str) -> Result<Totp, ApiError> {
    let secret =
        Secret::try_from_base32(secret.expose()).map_err(|_| ApiError::internal("a shared secret is damaged"))?;
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_step_duration(STEP_S)
        .with_skew(SKEW_STEPS)
        .with_secret(secret)
        // A colon would end the issuer's part of the address.
        .with_account_name(account.replace(':', " "))
        .with_issuer(Some(ISSUER))
        .build()
        .map_err(|_| ApiError::internal("an authenticator cannot be set up"))
}

/// The address that authenticator apps read, and its picture as SVG.
pub(crate) fn address(secret: &SecretText, account: &str) -> Result<(String, String), ApiError> {
    let url = totp(secret, account)?
        .to_url()
        .map_err(|_| ApiError::internal("an authenticator has no address"))?;
    let code = qrcode::QrCode::new(url.as_bytes()).map_err(ApiError::internal)?;
    let picture = code
        .render::<qrcode::render::svg::Color<'_>>()
        .min_dimensions(200, 200)
        .build();
    Ok((url, picture))
}

/// The time step whose code this is, when it is one that counts now. Whether it was used before is
/// the store's to know.
pub(crate) fn step_of(secret: &SecretText, code: &str, now: Time) -> Result<Option<i64>, ApiError> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let time_s = u64::try_from(now.ms() / 1_000).unwrap_or(0);
    let step = totp(secret, "account")?.check(&digits, time_s);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// The latest step whose code can count at `now`.
pub(crate) const fn latest_step(now: Time) -> i64 {
    now.ms() / 1_000 / STEP_S as i64 + SKEW_STEPS as i64
}

/// New recovery codes: as they are shown, and as they are stored.
pub(crate) fn new_recovery_codes() -> Result<(Vec<String>, Vec<[u8; 32]>), ApiError> {
    let mut shown = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0_u8; RECOVERY_BYTES];
        getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
        let text = Secret::from(bytes).to_base32().to_lowercase();
        let groups: Vec<&str> = (0..4).map(|n| &text[n * 4..n * 4 + 4]).collect();
        shown.push(groups.join("-"));
    }
    let stored = shown.iter().map(|code| recovery_hash(code)).collect();
    Ok((shown, stored))
}

/// What is stored of a recovery code, however it is typed.
pub(crate) fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    blake3::derive_key("linekeeper recovery code v1", plain.to_lowercase().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_the_standard_are_right() {
        // RFC 6238, appendix B, SHA-1: the last six digits.
        let secret = SecretText::new(Secret::from(*b"12345678901234567890").to_base32());
        for (time_s, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let step = step_of(&secret, code, Time(time_s * 1_000)).unwrap();
            assert_eq!(step, Some(time_s / 30), "{time_s}");
            assert_eq!(step_of(&secret, code, Time((time_s + 90) * 1_000)).unwrap(), None);
            let neighbour = step_of(&secret, code, Time((time_s + 30) * 1_000)).unwrap();
            assert_eq!(neighbour, Some(time_s / 30));
        }
        let spaced = step_of(&secret, " 287 082 ", Time(59_000)).unwrap();
        assert!(spaced.is_some_and(|step| step <= latest_step(Time(59_000))));
        for wrong in ["", "28708", "2870820", "abcdef", "２８７０８２"] {
            assert_eq!(step_of(&secret, wrong, Time(59_000)).unwrap(), None, "{wrong}");
        }
    }

    #[test]
    fn recovery_codes_are_found_however_they_are_typed() {
        let (shown, stored) = new_recovery_codes().unwrap();
        assert_eq!((shown.len(), shown[0].len()), (RECOVERY_CODES, 19));
        assert_eq!(recovery_hash(&shown[3].to_uppercase().replace('-', " ")), stored[3]);
        assert_ne!(stored[0], stored[1]);
    }

    #[test]
    fn the_address_names_us_and_the_account() {
        let secret = new_secret().unwrap();
        let (url, picture) = address(&secret, "ann:x@example.com").unwrap();
        assert!(url.starts_with("otpauth://totp/Linekeeper:"), "{url}");
        assert!(url.contains(secret.expose()) && picture.contains("<svg"));
    }
}
