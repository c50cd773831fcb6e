//! Query strings.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use lk_core::Time;

use crate::error::{ApiError, ErrorCode};

/// Longest query string in bytes.
const QUERY_BYTES_MAX: usize = 8 * 1024;

/// A query string read by `T`, every parameter of it known and in range.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

/// What a route reads from its query string.
pub(crate) trait FromParams: Sized {
    /// Takes its parameters out of `params`; those left over are refused by the extractor.
    fn read(params: &mut Params) -> Result<Self, ApiError>;
}

/// A route without query parameters.
#[derive(Debug)]
pub(crate) struct NoParams;

impl FromParams for NoParams {
    fn read(_: &mut Params) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// Two groups of parameters that a route reads together.
impl<A: FromParams, B: FromParams> FromParams for (A, B) {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok((A::read(params)?, B::read(params)?))
    }
}

impl<S: Send + Sync, T: FromParams> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut params = Params::parse(parts.uri.query().unwrap_or(""))?;
        let value = T::read(&mut params)?;
        params.finish()?;
        Ok(Self(value))
    }
}

/// The decoded pairs of a query string, taken out one by one.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes `query`; a parameter given twice and text that is not UTF-8 are refused.
    pub(crate) fn parse(query: &str) -> Result<Self, ApiError> {
        if query.len() > QUERY_BYTES_MAX {
            return Err(ApiError::new(
                ErrorCode::InvalidRequest,
                format!("The query string is longer than {QUERY_BYTES_MAX} bytes."),
            ));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| ApiError::invalid("query", NOT_TEXT))?;
            let value = decode(value).ok_or_else(|| ApiError::invalid(&name, NOT_TEXT))?;
            if pairs.iter().any(|(n, _)| *n == name) {
                return Err(ApiError::invalid(&name, "is given more than once."));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Text of 1 to `chars_max` characters.
    pub(crate) fn text(&mut self, name: &str, chars_max: usize) -> Result<Option<String>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let chars = value.chars().count();
        if chars == 0 || chars > chars_max {
            return Err(ApiError::invalid(
                name,
                format!("must have 1 to {chars_max} characters."),
            ));
        }
        Ok(Some(value))
    }

    /// A whole number within `min..=max`.
    pub(crate) fn int<N>(&mut self, name: &str, min: N, max: N) -> Result<Option<N>, ApiError>
    where
        N: FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(value) = self.take(name) else { return Ok(None) };
        match value.parse::<N>() {
            Ok(n) if n >= min && n <= max => Ok(Some(n)),
            _ => Err(ApiError::invalid(
                name,
                format!("must be a whole number from {min} to {max}."),
            )),
        }
    }

    /// One word of a closed vocabulary.
    pub(crate) fn word<W>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<W>,
        choices: &[&str],
    ) -> Result<Option<W>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        parse(&value)
            .map(Some)
            .ok_or_else(|| ApiError::invalid(name, format!("must be one of {}.", choices.join(", "))))
    }

    /// A moment in ISO-8601 with an offset, e.g. `2026-03-01T08:00:00Z`.
    pub(crate) fn time(&mut self, name: &str) -> Result<Option<Time>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let moment = jiff::Timestamp::from_str(&value)
            .map_err(|_| ApiError::invalid(name, "must be an ISO-8601 time such as 2026-03-01T08:00:00Z."))?;
        Ok(Some(Time(moment.as_millisecond())))
    }

    /// Text of 1 to `chars_max` characters; anything else counts as absent. For parameters that
    /// somebody else writes, where people would only be stopped by a refusal.
    pub(crate) fn lenient(&mut self, name: &str, chars_max: usize) -> Option<String> {
        self.text(name, chars_max).ok().flatten()
    }

    /// Takes what nobody took, for routes whose callers may add parameters of their own.
    pub(crate) fn ignore_rest(&mut self) {
        self.0.clear();
    }

    /// Refuses what nobody took.
    fn finish(self) -> Result<(), ApiError> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => {
                let shown: String = name.chars().take(60).collect();
                Err(ApiError::new(
                    ErrorCode::UnknownParameter,
                    format!("`{shown}` is not a parameter of this route."),
                )
                .with_details(serde_json::json!({ "parameter": shown })))
            }
        }
    }
}

const NOT_TEXT: &str = "must be text in UTF-8 without control characters.";

/// Percent- and plus-decodes; `None` unless the result is UTF-8 that any database stores as text.
fn decode(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(b) = rest.next() {
        match b {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex = |b: Option<u8>| (b? as char).to_digit(16).map(|d| d as u8);
                let (high, low) = (hex(rest.next())?, hex(rest.next())?);
                bytes.push(high << 4 | low);
            }
            b => bytes.push(b),
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.chars().any(|c| c.is_control() && c != '\t' && c != '\n')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(query: &str) -> Result<Option<u32>, ApiError> {
        let mut params = Params::parse(query)?;
        let limit = params.int("limit", 1, 200)?;
        params.finish()?;
        Ok(limit)
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        assert_eq!(limit("").unwrap(), None);
        assert_eq!(limit("limit=50").unwrap(), Some(50));
        for (query, word) in [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=", "limit"),
            ("limit=9999999999999999999999", "limit"),
            ("limit=5&limit=6", "limit"),
            ("limti=5", "limti"),
            ("limit=%ff", "limit"),
            ("a%00b=1", "query"),
            ("x=%zz", "x"),
        ] {
            let error = limit(query).unwrap_err();
            assert!(error.message().contains(word), "{query}: {}", error.message());
            assert_eq!(error.code().status(), 400);
        }
    }

    #[test]
    fn text_is_decoded_and_bounded() {
        let mut params = Params::parse("q=a+b%20%C3%A9&from=2026-03-01T08:00:00%2B01:00").unwrap();
        assert_eq!(params.text("q", 5).unwrap().as_deref(), Some("a b é"));
        assert_eq!(params.time("from").unwrap(), Some(Time(1_772_348_400_000)));
        assert!(Params::parse("q=abcdef").unwrap().text("q", 5).is_err());
        assert!(Params::parse("from=yesterday").unwrap().time("from").is_err());
    }
}
