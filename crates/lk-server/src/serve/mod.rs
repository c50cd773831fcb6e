//! Serves connections: header limits, slow-client timeouts and a graceful end.

mod connection;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::app::App;
use crate::tls::Tls;

use connection::Connections;

/// Connections served at the same time; further ones wait in the system's backlog.
pub(crate) const CONNECTIONS_MAX: usize = 16_384;
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
    run(listener, None, app, shutdown).await
}

/// The same over TLS. The certificate's files are looked at again while serving.
pub async fn serve_tls(
    listener: TcpListener,
    tls: Tls,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    run(listener, Some(Arc::new(tls)), app, shutdown).await
}

async fn run(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let mut followers = JoinSet::new();
    if let Some(tls) = &tls {
        followers.spawn(Arc::clone(tls).follow());
    }
    let connections = Connections::new(&app);
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut open = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut upkeep = tokio::time::interval(METRICS_UPKEEP);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = open.join_next(), if !open.is_empty() => continue,
            _ = upkeep.tick() => {
                app.metrics_upkeep();
                continue;
            }
            accepted = accept(&listener, &slots) => accepted,
        };
        let (stream, peer, slot) = accepted?;
        let (connections, tls) = (connections.clone(), tls.clone());
        open.spawn(async move {
            // The handshake is the connection's own affair: nobody waits for it but its client.
            match tls {
                None => connections.serve(stream, peer).await,
                Some(tls) => connections.serve_tls(&tls, stream, peer).await,
            }
            drop(slot);
        });
    }
    drop(listener);
    app.close_streams();
    let all_ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIMEOUT, all_ended).await.is_err() {
        tracing::warn!(left = open.len(), "requests still in flight were cut off");
    }
    open.shutdown().await;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
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
