//! Serves connections: header limits, slow-client timeouts and a graceful end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::Service as _;

use crate::app::App;

/// Connections served at the same time; further ones wait in the system's backlog.
pub(crate) const CONNECTIONS_MAX: usize = 16_384;
/// Headers of one request.
pub(crate) const HEADERS_MAX: usize = 100;
/// Bytes of one request's line and headers together.
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Longest time for a request's head to arrive; also how long a connection may idle.
pub(crate) const HEAD_READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests at the same time on one HTTP/2 connection.
pub(crate) const STREAMS_PER_CONNECTION_MAX: u32 = 256;
/// Longest wait for requests in flight after the signal to stop.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often samples of histograms are summed up, so that they do not pile up unread.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// Pause after the system refused to accept (no file descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where a request came from, as the socket says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Serves `app` on `listener` until `shutdown` resolves, then drains: no new connections, live
/// streams end at once, requests in flight get [`DRAIN_TIMEOUT`].
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let router = crate::router(&app);
    let builder = Arc::new(builder());
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut upkeep = tokio::time::interval(METRICS_UPKEEP);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            _ = upkeep.tick() => {
                app.metrics_upkeep();
                continue;
            }
            accepted = accept(&listener, &slots) => accepted,
        };
        let (stream, peer, slot) = accepted?;
        let (router, builder) = (router.clone(), Arc::clone(&builder));
        let watcher = graceful.watcher();
        connections.spawn(async move {
            let connection = builder
                .serve_connection(TokioIo::new(stream), service(router, peer))
                .into_owned();
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(peer = %peer, error = %error, "connection ended");
            }
            drop(slot);
        });
    }
    drop(listener);
    app.close_streams();
    let drained = tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await;
    if drained.is_err() {
        tracing::warn!(left = connections.len(), "requests still in flight were cut off");
    }
    connections.shutdown().await;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers must not wait for an acknowledgement.
                let _ = stream.set_nodelay(true);
                return Ok((stream, peer, slot));
            }
            Err(error) => {
                tracing::warn!(error = %error, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_READ_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

fn service(
    router: Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send + 'static,
> + Send
+ 'static {
    hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.clone().call(request.map(Body::new))
    })
}
