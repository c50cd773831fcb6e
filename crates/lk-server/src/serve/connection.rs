//! One connection: its protocol's limits, and the watch over clients that only hold it open.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Version, header};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use lk_engine::tasks::stopped;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::Service as _;

use super::Peer;
use crate::app::App;
use crate::error::{ApiError, ErrorCode};
use crate::tls::Tls;

/// Headers of one request.
const HEADERS_MAX: usize = 100;
/// Bytes of one request's line and headers together.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Requests at the same time on one HTTP/2 connection.
const STREAMS_PER_CONNECTION_MAX: u32 = 256;
/// Requests that an HTTP/2 client took back before we looked at them (rapid reset): one more ends
/// the connection.
const RESETS_PENDING_MAX: usize = 20;
/// Requests that we reset because the client broke the protocol: one more ends the connection.
const RESETS_BY_US_MAX: usize = 256;
/// Between two questions whether an HTTP/2 client is still there, and the wait for its answer.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Time for the farewell of a connection that is closed for idling.
const FAREWELL_WITHIN: Duration = Duration::from_secs(2);

/// How connections are served. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connections {
    builder: Arc<auto::Builder<TokioExecutor>>,
    router: Router,
    closing: watch::Receiver<bool>,
    head_timeout: Duration,
}

impl Connections {
    pub(super) fn new(app: &App) -> Self {
        let head_timeout = app.config().head_timeout;
        Self {
            builder: Arc::new(builder(head_timeout)),
            router: crate::router(app),
            closing: app.closing(),
            head_timeout,
        }
    }

    /// Shakes hands and serves one connection to its end.
    pub(super) async fn serve_tls(mut self, tls: &Tls, stream: TcpStream, peer: SocketAddr) {
        let shaken = tokio::select! {
            shaken = tls.accept(stream) => shaken,
            () = stopped(&mut self.closing) => return,
        };
        match shaken {
            Ok(stream) => self.serve(stream, peer).await,
            Err(error) => {
                metrics::counter!("http_handshakes_failed_total").increment(1);
                tracing::debug!(peer = %peer, error = %error, "no TLS connection came of it");
            }
        }
    }

    /// Serves one connection to its end.
    pub(super) async fn serve<I>(mut self, io: I, peer: SocketAddr)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::default());
        let service = service(self.router, peer, Arc::clone(&activity));
        let mut connection = std::pin::pin!(self.builder.serve_connection_with_upgrades(TokioIo::new(io), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut self.closing) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            () = activity.idles(self.head_timeout) => {
                metrics::counter!("http_connections_idled_total").increment(1);
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(FAREWELL_WITHIN, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer = %peer, error = %error, "connection ended");
        }
    }
}

fn builder(head_timeout: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_pending_accept_reset_streams(RESETS_PENDING_MAX)
        .max_local_error_reset_streams(RESETS_BY_US_MAX)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY);
    builder
}

/// What a connection has been used for. The protocol's own time limits begin when its version is
/// known and, over HTTP/2, do not count an idle connection at all; this does.
#[derive(Default)]
struct Activity {
    http1: AtomicBool,
    begun: AtomicUsize,
    open: AtomicUsize,
}

impl Activity {
    /// Notes that a request's head is here. Over HTTP/2 it counts as open until the answer is sent;
    /// over HTTP/1 the protocol's own limits hold from now on, and nothing more is counted.
    fn begin(self: Arc<Self>, version: Version) -> Option<Open> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        if version < Version::HTTP_2 {
            self.http1.store(true, Ordering::Relaxed);
            return None;
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Open(self))
    }

    /// Waits until the connection was of no use for at least `limit`.
    async fn idles(&self, limit: Duration) {
        loop {
            let before = self.begun.load(Ordering::Relaxed);
            tokio::time::sleep(limit).await;
            if self.http1.load(Ordering::Relaxed) {
                return std::future::pending().await;
            }
            if self.open.load(Ordering::Relaxed) == 0 && self.begun.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// One request in flight.
struct Open(Arc<Activity>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer's body that keeps its request open until it is sent.
struct Sending {
    body: Body,
    _open: Open,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether every program in between understands the same host (RFC 9112, section 3.2).
fn names_one_host(headers: &HeaderMap) -> bool {
    headers.get_all(header::HOST).iter().nth(1).is_none()
}

fn service(
    router: Router,
    peer: SocketAddr,
    activity: Arc<Activity>,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = Response,
    Error = Infallible,
    Future: Future<Output = Result<Response, Infallible>> + Send + 'static,
> + Send
+ 'static {
    hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        let open = Arc::clone(&activity).begin(request.version());
        request.extensions_mut().insert(Peer(peer));
        let answer = names_one_host(request.headers()).then(|| router.clone().call(request.map(Body::new)));
        async move {
            let response = match answer {
                Some(answer) => answer.await?,
                None => ApiError::new(ErrorCode::InvalidRequest, "Send one `Host` header.").into_response(),
            };
            Ok(match open {
                Some(open) => response.map(|body| Body::new(Sending { body, _open: open })),
                None => response,
            })
        }
    })
}
