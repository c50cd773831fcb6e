//! One exchange, timed: the request with its redirects, or a connection alone.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use lk_core::Time;
use lk_provider::check::Call;
use lk_provider::message::{HttpRequest, HttpResponse};
use tokio::time::Instant;

use super::connect::{Known, PROGRESS, Phase, Progress, ms};
use super::redirect::Hop;
use super::wire::{Exchange, Timings, WireFailure};
use super::{Egress, EgressError, MAX_RESPONSE_BYTES};

/// Redirects followed in a row.
const MAX_REDIRECTS: usize = 5;
/// What we call ourselves.
const USER_AGENT: &str = concat!("linekeeper/", env!("CARGO_PKG_VERSION"));

/// What is noted on the way.
#[derive(Default)]
pub(super) struct Seen {
    timings: Timings,
    certificate_ends: Option<Time>,
    remote: Option<IpAddr>,
}

impl Seen {
    pub(super) fn note(&mut self, known: &Known, began: Instant) {
        if known.is_first() {
            let made = known.timings;
            self.timings.dns_ms = self.timings.dns_ms.or(made.dns_ms);
            self.timings.tcp_ms = self.timings.tcp_ms.or(made.tcp_ms);
            self.timings.tls_ms = self.timings.tls_ms.or(made.tls_ms);
        } else if self.timings.wait_ms.is_none() {
            self.timings.reused = true;
        }
        self.timings.wait_ms.get_or_insert(ms(began));
        self.certificate_ends = self.certificate_ends.or(known.certificate_ends);
        self.remote = Some(known.remote.ip());
    }
}

impl Egress {
    /// Makes one call of a check within the time given. A call that speaks another protocol over
    /// HTTP is not asked for here.
    pub async fn probe(&self, call: &Call, within: Duration) -> Exchange {
        match call {
            Call::Http(request) => self.exchange(request, within).await,
            Call::Connect { host, port, tls } => self.reach(host, *port, *tls, within).await,
            Call::Mcp(_) => unreachable_call(),
        }
    }

    /// Sends one request with its redirects within the time given.
    pub async fn exchange(&self, request: &HttpRequest, within: Duration) -> Exchange {
        let began = Instant::now();
        let progress = Progress::default();
        let mut seen = Seen::default();
        let walk = PROGRESS.scope(progress.clone(), self.walk(request, &progress, &mut seen, began));
        let ended = tokio::time::timeout(within, walk).await;
        let result = ended.unwrap_or_else(|_| Err(progress.out_of_time()));
        finish(result, seen, began)
    }

    async fn walk(
        &self,
        request: &HttpRequest,
        progress: &Progress,
        seen: &mut Seen,
        began: Instant,
    ) -> Result<HttpResponse, WireFailure> {
        let first = self.guard.check(&request.url).map_err(refused)?;
        let mut hop = Hop::first(request, first).map_err(refused)?;
        for _ in 0..=MAX_REDIRECTS {
            progress.enter(Phase::Answer);
            let response = self.call(&hop).await?;
            if let Some(known) = response.extensions().get::<Known>() {
                seen.note(known, began);
            }
            let next = hop.after(response.status(), response.headers()).map_err(refused)?;
            let Some(next) = next else {
                progress.enter(Phase::Body);
                return read(response).await;
            };
            self.guard.check(next.url.as_str()).map_err(refused)?;
            hop = next;
        }
        Err(WireFailure::redirects())
    }

    pub(super) async fn call(&self, hop: &Hop) -> Result<http::Response<Incoming>, WireFailure> {
        let mut request = Request::builder().method(hop.method.clone()).uri(hop.url.as_str());
        let named = |name: &str| hop.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if !named("user-agent") {
            request = request.header(http::header::USER_AGENT, USER_AGENT);
        }
        if !named("accept") {
            request = request.header(http::header::ACCEPT, "*/*");
        }
        for (name, value) in &hop.headers {
            request = request.header(name.as_str(), value.as_str());
        }
        let request = request
            .body(Full::new(Bytes::copy_from_slice(&hop.body)))
            .map_err(|error| WireFailure::bad_request().because(&error.to_string()))?;
        self.client.request(request).await.map_err(|error| classify(&error))
    }

    /// Connects, agrees on TLS where that is asked for, and hangs up.
    async fn reach(&self, host: &str, port: u16, tls: bool, within: Duration) -> Exchange {
        let began = Instant::now();
        let progress = Progress::default();
        let mut seen = Seen::default();
        let scheme = if tls { "https" } else { "http" };
        let connect = async {
            let url = format!("{scheme}://{host}:{port}/");
            self.guard.check(&url).map_err(refused)?;
            self.connector.connect(host, port, tls, &progress).await
        };
        let ended = tokio::time::timeout(within, connect).await;
        let result = ended.unwrap_or_else(|_| Err(progress.out_of_time())).map(|wire| {
            seen.note(&wire.known, began);
            HttpResponse::ok()
        });
        finish(result, seen, began)
    }
}

pub(super) fn finish(result: Result<HttpResponse, WireFailure>, seen: Seen, began: Instant) -> Exchange {
    Exchange {
        result,
        timings: Timings {
            total_ms: ms(began),
            ..seen.timings
        },
        certificate_ends: seen.certificate_ends,
        remote: seen.remote,
    }
}

/// What the guard or the redirect rules refuse.
pub(super) fn refused(error: EgressError) -> WireFailure {
    match error {
        EgressError::BadAddress(_) => WireFailure::bad_address(),
        EgressError::Guarded { .. } => WireFailure::not_allowed(),
        EgressError::Redirect(why) => WireFailure::redirect().because(why),
        other => WireFailure::bad_request().because(&other.to_string()),
    }
}

pub(super) async fn read(response: http::Response<Incoming>) -> Result<HttpResponse, WireFailure> {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
        .collect();
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| of_hyper(&error, WireFailure::cut_off()))?;
        let Ok(chunk) = frame.into_data() else { continue };
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(WireFailure::too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body })
}

/// Which way to fail a client error is: our connector's own, or one of HTTP.
fn classify(error: &hyper_util::client::legacy::Error) -> WireFailure {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(one) = cause {
        if let Some(ours) = one.downcast_ref::<WireFailure>() {
            return ours.clone();
        }
        if let Some(hyper) = one.downcast_ref::<hyper::Error>() {
            return of_hyper(hyper, WireFailure::hung_up());
        }
        cause = one.source();
    }
    WireFailure::hung_up().because(&error.to_string())
}

pub(super) fn of_hyper(error: &hyper::Error, broken: WireFailure) -> WireFailure {
    if error.is_parse() || error.is_parse_too_large() || error.is_parse_status() {
        WireFailure::malformed().because(&error.to_string())
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        broken
    } else {
        let detail = error.source().map(ToString::to_string).unwrap_or_default();
        broken.because(&detail)
    }
}

/// The engine sends such calls another way; asked here it is told, not sent.
fn unreachable_call() -> Exchange {
    Exchange {
        result: Err(WireFailure::bad_request()),
        timings: Timings::default(),
        certificate_ends: None,
        remote: None,
    }
}
