//! The identity provider's requests, sent through egress.

use std::future::Future;
use std::pin::Pin;

use lk_engine::egress::{Egress, EgressError};
use lk_provider::message::HttpRequest;
use openidconnect::{AsyncHttpClient, HttpRequest as Request, HttpResponse as Response};
use url::Url;

use super::config::is_trusted;

/// Why a request to the identity provider gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// The provider's documents name an address that is neither https nor on this machine.
    #[error("`{0}` is not https")]
    Insecure(String),
    /// No connection, no answer, or one that is too large.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The answer cannot be expressed.
    #[error("the answer is malformed: {0}")]
    Malformed(#[from] http::Error),
}

/// Sends through egress.
#[derive(Clone)]
pub(super) struct Http(pub(super) Egress);

impl Http {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let url = request.uri().to_string();
        if !Url::parse(&url).is_ok_and(|url| is_trusted(&url)) {
            return Err(HttpError::Insecure(url.chars().take(200).collect()));
        }
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)));
        let request = HttpRequest {
            method: request.method().to_string(),
            url,
            headers: headers.collect(),
            body: request.body().clone(),
        };
        let answer = self.0.send(&request).await?;
        let mut response = http::Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        Ok(response.body(answer.body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: Request) -> Self::Future {
        Box::pin(self.send(request))
    }
}
