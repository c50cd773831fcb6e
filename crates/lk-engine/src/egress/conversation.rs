//! Several requests that belong to one call of a check: a session of another protocol over HTTP.
//! Its answers may be streams; what is noted on the way is that of the whole call.

use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use lk_provider::message::{HttpRequest, HttpResponse};
use tokio::time::Instant;

use super::connect::{Known, PROGRESS, Phase, Progress};
use super::probe::{Seen, finish, of_hyper, read, refused};
use super::redirect::Hop;
use super::wire::{Exchange, WireFailure};
use super::{Egress, MAX_RESPONSE_BYTES};

/// The requests of one call. Redirects are not followed: none of them only reads.
#[derive(Clone)]
pub(crate) struct Conversation(Arc<Parts>);

struct Parts {
    egress: Egress,
    progress: Progress,
    seen: Mutex<Seen>,
    began: Instant,
}

/// An answer whose body is still to come.
pub(crate) struct Coming(http::Response<Incoming>);

impl Conversation {
    pub(crate) fn new(egress: &Egress) -> Self {
        Self(Arc::new(Parts {
            egress: egress.clone(),
            progress: Progress::default(),
            seen: Mutex::default(),
            began: Instant::now(),
        }))
    }

    /// Sends one request, to an address that is checked as every other is.
    pub(crate) async fn ask(&self, request: &HttpRequest) -> Result<Coming, WireFailure> {
        let Parts {
            egress, progress, seen, ..
        } = &*self.0;
        let url = egress.guard.check(&request.url).map_err(refused)?;
        let hop = Hop::first(request, url).map_err(refused)?;
        progress.enter(Phase::Answer);
        let response = PROGRESS.scope(progress.clone(), egress.call(&hop)).await?;
        if let Some(known) = response.extensions().get::<Known>() {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.note(known, self.0.began);
        }
        progress.enter(Phase::Body);
        Ok(Coming(response))
    }

    /// What it means that the time is over now.
    pub(crate) fn out_of_time(&self) -> WireFailure {
        self.0.progress.out_of_time()
    }

    /// The whole call, ended so.
    pub(crate) fn end(&self, result: Result<HttpResponse, WireFailure>) -> Exchange {
        let seen = std::mem::take(&mut *self.0.seen.lock().unwrap_or_else(PoisonError::into_inner));
        finish(result, seen, self.0.began)
    }
}

impl Coming {
    pub(crate) fn status(&self) -> http::StatusCode {
        self.0.status()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// The whole answer, capped.
    pub(crate) async fn read(self) -> Result<HttpResponse, WireFailure> {
        read(self.0).await
    }

    /// The body as it comes, capped in all.
    pub(crate) fn stream(self) -> impl futures_util::Stream<Item = Result<bytes::Bytes, WireFailure>> + Send {
        let body = Limited::new(self.0.into_body(), MAX_RESPONSE_BYTES);
        body.map_err(|error| match error.downcast_ref::<hyper::Error>() {
            Some(hyper) => of_hyper(hyper, WireFailure::cut_off()),
            None if error.is::<LengthLimitError>() => WireFailure::too_large(),
            None => WireFailure::cut_off().because(&error.to_string()),
        })
        .into_data_stream()
    }
}
