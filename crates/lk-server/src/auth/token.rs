//! Session tokens and their cookie.

use std::borrow::Cow;

use http::HeaderValue;
use lk_core::time::DAY;

use crate::error::ApiError;

/// The session cookie's name.
pub(crate) const COOKIE: &str = "lk_session";
/// What our cookies' names begin with over https. Of this prefix browsers take only what this very
/// host set over https, for all its paths: neither a neighbour's host nor a plain connection can
/// put a cookie in its place.
const SECURE_PREFIX: &str = "__Host-";
/// How long a session lives after signing in.
pub(crate) const SESSION_LIFE_MS: i64 = 14 * DAY;
/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;

/// Bytes of randomness in a webhook secret; a multiple of three needs no padding.
const SECRET_BYTES: usize = 24;

/// A new secret token, 43 characters.
pub fn new_token() -> Result<String, ApiError> {
    use base64::Engine as _;
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

/// A new webhook secret: `prefix` and 192 bits in base64 without the characters that a double
/// click stops at.
pub fn new_webhook_secret(prefix: &str) -> Result<String, ApiError> {
    use base64::Engine as _;
    loop {
        let mut bytes = [0_u8; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        if !text.contains(['+', '/']) {
            return Ok(format!("{prefix}{text}"));
        }
    }
}

/// What is stored of a token: it cannot be turned back.
pub fn token_hash(token: &str) -> [u8; 32] {
    blake3::hash(token.as_bytes()).into()
}

/// What a cookie of ours is called on a connection.
pub(crate) fn cookie_name(name: &str, https: bool) -> Cow<'_, str> {
    if https {
        format!("{SECURE_PREFIX}{name}").into()
    } else {
        name.into()
    }
}

/// The `Set-Cookie` that keeps the session's `token`, or with `None` ends the session.
pub(crate) fn set_cookie(token: Option<&str>, secure: bool) -> Result<HeaderValue, ApiError> {
    cookie(COOKIE, token, SESSION_LIFE_MS, secure)
}

/// The `Set-Cookie` that keeps `value` for so long, or with `None` forgets it.
pub(crate) fn cookie(name: &str, value: Option<&str>, life_ms: i64, secure: bool) -> Result<HeaderValue, ApiError> {
    let (value, age_s) = value.map_or(("", 0), |value| (value, life_ms / 1_000));
    let name = cookie_name(name, secure);
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age_s}{secure}");
    HeaderValue::from_str(&text).map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_different() {
        let (a, b) = (new_token().unwrap(), new_token().unwrap());
        assert_eq!(a.len(), 43);
        assert_ne!(a, b);
        assert_ne!(token_hash(&a), token_hash(&b));
    }

    #[test]
    fn the_cookie_is_not_for_scripts() {
        let cookie = set_cookie(Some("abc"), true).unwrap();
        let text = cookie.to_str().unwrap();
        assert!(text.starts_with("__Host-lk_session=abc;"), "{text}");
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/;"] {
            assert!(text.contains(part), "{text}");
        }
        // The prefix forbids it.
        assert!(!text.contains("Domain"));
        let plain = set_cookie(Some("abc"), false).unwrap();
        let plain = plain.to_str().unwrap();
        assert!(
            plain.starts_with("lk_session=abc;") && !plain.contains("Secure"),
            "{plain}"
        );
        assert!(set_cookie(None, false).unwrap().to_str().unwrap().contains("Max-Age=0"));
    }
}
