//! Request bodies.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use crate::error::{ApiError, ErrorCode};

/// Largest JSON body of an API call.
pub(crate) const JSON_BYTES_MAX: usize = 256 * 1024;
/// Longest time from a request's head to the end of its body.
pub(crate) const BODY_READ_TIMEOUT: Duration = Duration::from_secs(15);

/// A JSON body read by `T` and found in range.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

/// Ranges that a body's types alone do not say.
pub(crate) trait Checked {
    /// Refuses what is out of range, naming the field.
    fn check(&self) -> Result<(), ApiError>;
}

impl<S: Send + Sync, T: DeserializeOwned + Checked> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::new(
                ErrorCode::UnsupportedMediaType,
                "Send JSON with `Content-Type: application/json`.",
            ));
        }
        let bytes = read_body(request.into_body(), JSON_BYTES_MAX).await?;
        let value: T = parse(&bytes)?;
        value.check()?;
        Ok(Self(value))
    }
}

/// Reads a whole body of at most `bytes_max`, in bounded time.
pub(crate) async fn read_body(body: axum::body::Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    use axum::body::HttpBody as _;
    let too_large = || {
        ApiError::new(
            ErrorCode::PayloadTooLarge,
            format!("The body is larger than {bytes_max} bytes."),
        )
    };
    // An announced length is refused before a byte of it is read.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large());
    }
    let read = axum::body::to_bytes(body, bytes_max);
    match tokio::time::timeout(BODY_READ_TIMEOUT, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large()),
        Ok(Err(_)) => Err(ApiError::new(
            ErrorCode::InvalidRequest,
            "The body did not arrive completely.",
        )),
        Err(_) => Err(ApiError::new(
            ErrorCode::RequestTimeout,
            "The body did not arrive in time.",
        )),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else { return false };
    let essence = value.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| ApiError::new(ErrorCode::InvalidRequest, "The body is not UTF-8."))?;
    if has_nul_escape(text) {
        return Err(ApiError::new(
            ErrorCode::InvalidRequest,
            "The body contains the character U+0000, which is not text.",
        ));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        if cause.is_data() && path != "." {
            return ApiError::invalid(&path, format_args!("is not right: {cause}."));
        }
        ApiError::new(ErrorCode::InvalidRequest, format!("The body is not right: {cause}."))
    })?;
    reader
        .end()
        .map_err(|_| ApiError::new(ErrorCode::InvalidRequest, "The body has more than one value."))?;
    Ok(value)
}

/// Whether a JSON text escapes U+0000, which not every database stores.
fn has_nul_escape(text: &str) -> bool {
    text.match_indices("\\u0000").any(|(at, _)| {
        let slashes = text.as_bytes()[..at].iter().rev().take_while(|b| **b == b'\\').count();
        slashes % 2 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Sample {
        #[expect(dead_code, reason = "only read by serde")]
        display_name: String,
    }

    impl Checked for Sample {
        fn check(&self) -> Result<(), ApiError> {
            Ok(())
        }
    }

    fn message(body: &[u8]) -> String {
        let error = parse::<Sample>(body).unwrap_err();
        assert_eq!(error.code().status(), 400);
        error.message().to_owned()
    }

    #[test]
    fn malformed_json_is_named() {
        assert!(parse::<Sample>(br#"{"displayName":"x"}"#).is_ok());
        assert!(parse::<Sample>(br#"{"displayName":"\\u0000"}"#).is_ok());
        assert!(message(br#"{"displayName":"\u0000"}"#).contains("U+0000"));
        assert!(message(br#"{"displayName":"x","colour":1}"#).contains("colour"));
        assert!(message(br#"{"displayName":5}"#).contains("displayName"));
        assert!(message(br#"{"displayName":"#).contains("EOF"));
        assert!(message(br#"{"displayName":"x"}{}"#).contains("more than one"));
        assert!(message(b"{\"displayName\":\"\xff\"}").contains("UTF-8"));
        assert!(message("[".repeat(100_000).as_bytes()).contains("not right"));
        assert!(message(b"").contains("EOF"));
    }

    async fn status(content_type: Option<&str>, body: Vec<u8>) -> u16 {
        let mut request = http::Request::post("/");
        if let Some(value) = content_type {
            request = request.header("content-type", value);
        }
        let request = request.body(axum::body::Body::from(body)).unwrap();
        match Body::<Sample>::from_request(request, &()).await {
            Ok(_) => 200,
            Err(error) => error.code().status().as_u16(),
        }
    }

    #[tokio::test]
    async fn content_type_and_size_are_checked() {
        let good = br#"{"displayName":"x"}"#.to_vec();
        assert_eq!(status(Some("application/json; charset=utf-8"), good.clone()).await, 200);
        assert_eq!(status(Some("text/plain"), good.clone()).await, 415);
        assert_eq!(status(None, good).await, 415);
        assert_eq!(
            status(Some("application/json"), vec![b' '; JSON_BYTES_MAX + 1]).await,
            413
        );
    }

    #[tokio::test]
    async fn a_streamed_body_is_limited_too() {
        let chunks = (0..10).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 100])));
        let body = axum::body::Body::from_stream(futures_util::stream::iter(chunks));
        let error = read_body(body, 500).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::PayloadTooLarge);
    }
}
