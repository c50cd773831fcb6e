//! The one error of the HTTP surface.
//!
//! What a caller may read is `code`, `message` and `details`. What went wrong inside is logged
//! once, where the error is made, and never shown.

use std::borrow::Cow;
use std::fmt::{Debug, Display};

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use lk_core::words::Scope;
use lk_store::{AuditRow, Current};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::ProofMethods;
use crate::dto::IsoTime;

/// Seconds to wait when the database does not answer.
const STORE_RETRY_S: u64 = 2;

/// Why a request was refused. Each has a stable text and one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// A parameter or field is missing, malformed or out of range.
    InvalidRequest,
    /// A query parameter that this route does not know.
    UnknownParameter,
    /// No session and no API key, or one that is no longer valid.
    Unauthenticated,
    /// E-mail and password do not match.
    BadCredentials,
    /// The password was right; the authenticator's code is wanted too.
    CodeRequired,
    /// The authenticator's code is wrong, old or used.
    BadCode,
    /// A one-time link that is used, expired or unknown.
    BadLink,
    /// A delivery that is not verified.
    DeliveryRejected,
    /// The role does not allow it.
    Forbidden,
    /// The API key was not given the scope.
    ScopeMissing,
    /// It must be proven again who is there; `details` says how.
    SudoRequired,
    /// A write with a session cookie came without its CSRF token.
    CsrfMismatch,
    /// There is nothing here, or nothing that the caller may know of.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The request did not arrive completely in time.
    RequestTimeout,
    /// The change contradicts what is stored.
    Conflict,
    /// The caller changed an older version than the stored one.
    StaleVersion,
    /// The body is larger than the limit.
    PayloadTooLarge,
    /// The body is not of the content type this route reads.
    UnsupportedMediaType,
    /// Too many attempts; see `retryAfter`.
    RateLimited,
    /// A fault of ours.
    Internal,
    /// We cannot take it at the moment; see `retryAfter`.
    Unavailable,
}

impl ErrorCode {
    /// The text in the answer's `code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnknownParameter => "unknown_parameter",
            Self::Unauthenticated => "unauthenticated",
            Self::BadCredentials => "bad_credentials",
            Self::CodeRequired => "code_required",
            Self::BadCode => "bad_code",
            Self::BadLink => "bad_link",
            Self::DeliveryRejected => "delivery_rejected",
            Self::Forbidden => "forbidden",
            Self::ScopeMissing => "scope_missing",
            Self::SudoRequired => "sudo_required",
            Self::CsrfMismatch => "csrf_mismatch",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::Conflict => "conflict",
            Self::StaleVersion => "stale_version",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
        }
    }

    /// The HTTP status that goes with the code.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::UnknownParameter => StatusCode::BAD_REQUEST,
            Self::Unauthenticated
            | Self::BadCredentials
            | Self::CodeRequired
            | Self::BadCode
            | Self::BadLink
            | Self::DeliveryRejected => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ScopeMissing | Self::SudoRequired | Self::CsrfMismatch => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict | Self::StaleVersion => StatusCode::CONFLICT,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// An error as its caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    code: ErrorCode,
    message: Cow<'static, str>,
    details: Option<serde_json::Value>,
    retry_after_s: Option<u64>,
}

impl ApiError {
    /// An error with a message for the caller.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            retry_after_s: None,
        }
    }

    /// 400: the parameter or field `name` is wrong in the way `message` says.
    pub fn invalid(name: &str, message: impl Display) -> Self {
        Self::new(ErrorCode::InvalidRequest, format!("`{name}` {message}"))
            .with_details(serde_json::json!({ "parameter": name }))
    }

    /// 401: who is it?
    pub fn unauthenticated() -> Self {
        Self::new(
            ErrorCode::Unauthenticated,
            "Sign in, or send an API key as a bearer token.",
        )
    }

    /// 403 for a verb or an area.
    pub fn forbidden(why: impl Display) -> Self {
        Self::new(ErrorCode::Forbidden, format!("Your role does not allow this: {why}."))
    }

    /// 403: the API key was made without this scope.
    pub(crate) fn scope_missing(scope: Scope) -> Self {
        let message = format!("This API key lacks the scope `{scope}`. Make a key that has it.");
        Self::new(ErrorCode::ScopeMissing, message).with_details(serde_json::json!({ "scope": scope.as_str() }))
    }

    /// 403: it must be proven again who is there, in one of the ways `methods` names.
    pub(crate) fn sudo_required(methods: ProofMethods) -> Self {
        let details = serde_json::json!({
            "password": methods.password,
            "code": methods.code,
            "identityProvider": methods.identity_provider,
        });
        Self::new(
            ErrorCode::SudoRequired,
            "Confirm that it is you: this area asks again after 15 minutes.",
        )
        .with_details(details)
    }

    /// 401: the one-time link does not work.
    pub(crate) fn bad_link() -> Self {
        Self::new(
            ErrorCode::BadLink,
            "This link is used, expired or unknown. Ask whoever gave it to you for a new one.",
        )
    }

    /// 404, in the same words for "does not exist" and "not yours to know".
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is nothing here.")
    }

    /// 500: a fault of ours. `cause` goes to the log, not to the caller.
    pub fn internal(cause: impl Display) -> Self {
        tracing::error!(cause = %cause, "request failed");
        Self::new(ErrorCode::Internal, "Something failed on our side. It has been logged.")
    }

    /// 503: not now. `cause` goes to the log, not to the caller.
    pub fn unavailable(cause: impl Display, retry_after_s: u64) -> Self {
        tracing::warn!(cause = %cause, "request refused, to be tried again");
        Self::new(
            ErrorCode::Unavailable,
            "Not available at the moment. Try again shortly.",
        )
        .with_retry_after(retry_after_s)
    }

    /// 429 with the seconds to wait.
    pub fn rate_limited(message: impl Into<Cow<'static, str>>, retry_after_s: u64) -> Self {
        Self::new(ErrorCode::RateLimited, message).with_retry_after(retry_after_s)
    }

    /// Adds machine-readable details.
    #[must_use]
    pub fn with_details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds.max(1));
        self
    }

    /// The stable code.
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The text for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<lk_store::StoreError> for ApiError {
    fn from(error: lk_store::StoreError) -> Self {
        use lk_store::StoreError as E;
        match error {
            E::NotFound { .. } => Self::not_found(),
            E::Conflict {
                what,
                ref current,
                ref change,
            } => stale(what, current, change.as_deref()),
            E::Taken { .. } => Self::new(ErrorCode::Conflict, sentence(&error)),
            E::Invalid(_) => Self::new(ErrorCode::InvalidRequest, sentence(&error)),
            E::Unavailable(_) => Self::unavailable(error, STORE_RETRY_S),
            E::WrongPermit(_) | E::Corrupt(_) | E::Seal(_) => Self::internal(error),
        }
    }
}

/// 409: who changed what first, and the row's fields as they are now.
fn stale(what: &str, current: &Current, change: Option<&AuditRow>) -> ApiError {
    let (who, told) = match change {
        Some(row) if row.summary.is_empty() => (row.actor_name.as_str(), String::new()),
        Some(row) => (row.actor_name.as_str(), format!(": {}", row.summary)),
        None => ("Somebody else", String::new()),
    };
    let message = format!("{who} changed this {what} meanwhile{told}. Load it again before you change it.");
    ApiError::new(ErrorCode::StaleVersion, message).with_details(serde_json::json!({
        "version": current.version(),
        "changedBy": change.map(|row| row.actor_name.as_str()),
        "changedAt": change.map(|row| IsoTime(row.at).to_string()),
        "change": change.map(|row| row.summary.as_str()),
        "current": now_is(current),
    }))
}

/// What people can change of a row, as it is now. Settings of an integration may hold what not
/// everybody sees: they are read again, not repeated here.
fn now_is(current: &Current) -> serde_json::Value {
    match current {
        Current::Integration(row) => serde_json::json!({ "name": row.name, "enabled": row.enabled }),
        Current::Problem(row) => serde_json::json!({ "state": row.state.as_str(), "ownerId": row.owner_user_id }),
        Current::Project(row) => serde_json::json!({ "name": row.name, "flags": row.flags }),
        Current::Member(row) => serde_json::json!({ "role": row.role.as_str() }),
        Current::User(row) => serde_json::json!({
            "name": row.name, "operator": row.operator, "disabled": row.disabled_at.is_some(),
        }),
    }
}

/// The error's text as a sentence.
fn sentence(error: &impl Display) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

/// Every error answer has this shape.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    /// What was wrong.
    pub error: ErrorDetail,
}

/// What was wrong with a request.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorDetail {
    /// Stable, for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// More for programs, e.g. `parameter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub details: Option<serde_json::Value>,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            error: ErrorDetail {
                code: self.code.as_str().to_owned(),
                message: self.message.into_owned(),
                details: self.details,
                retry_after: self.retry_after_s,
            },
        };
        let mut response = (self.code.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // Some errors are told before the layer that adds it: what they repeat is never a page.
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == ErrorCode::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The answer to a request whose handler panicked.
pub(crate) fn from_panic(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic without a message");
    metrics::counter!("http_panics_total").increment(1);
    ApiError::internal(format_args!("handler panicked: {what}")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_shape_is_the_contract() {
        let response = ApiError::rate_limited("Slow down.", 0).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            r#"{"error":{"code":"rate_limited","message":"Slow down.","retryAfter":1}}"#
        );
    }

    #[tokio::test]
    async fn what_failed_inside_is_not_shown() {
        let response = ApiError::internal("database password is wrong").into_response();
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("password"));
    }

    #[tokio::test]
    async fn a_panic_is_answered_like_any_other_fault() {
        let response = from_panic(Box::new("secret detail".to_owned()));
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("internal") && !text.contains("secret"), "{text}");
    }
}
