//! Makes connections: name, TCP and TLS, each timed and each with its own way to fail.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use lk_core::Time;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::guard::{AllRefused, Guard};
use super::wire::{Timings, WireFailure};

/// Time to connect to one host, all of its addresses together.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How far a call has come; said when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    Name = 0,
    Tcp = 1,
    Tls = 2,
    Answer = 3,
    Body = 4,
}

/// The phase of one call, shared with the connection that is made for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

impl Progress {
    pub(super) fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    /// What it means that the time is over now.
    pub(super) fn out_of_time(&self) -> WireFailure {
        match self.0.load(Ordering::Relaxed) {
            0 => WireFailure::name_timeout(),
            1 => WireFailure::connect_timeout(),
            2 => WireFailure::tls_timeout(),
            3 => WireFailure::no_answer(),
            _ => WireFailure::too_slow(),
        }
    }
}

tokio::task_local! {
    /// The call in whose name a connection is made.
    pub(super) static PROGRESS: Progress;
}

/// What is known of a connection, handed to every answer that comes over it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) timings: Timings,
    pub(super) certificate_ends: Option<Time>,
    pub(super) remote: SocketAddr,
    used: Arc<AtomicBool>,
}

impl Known {
    /// Whether this is the first answer over the connection.
    pub(super) fn is_first(&self) -> bool {
        !self.used.swap(true, Ordering::Relaxed)
    }
}

/// Makes connections for the pool.
#[derive(Clone)]
pub(super) struct Connector {
    guard: Guard,
    tls: TlsConnector,
}

impl Connector {
    pub(super) fn new(guard: Guard, tls: Arc<rustls::ClientConfig>) -> Self {
        Self {
            guard,
            tls: TlsConnector::from(tls),
        }
    }

    /// A connection, with TLS where it is wanted.
    pub(super) async fn connect(
        &self,
        host: &str,
        port: u16,
        tls: bool,
        progress: &Progress,
    ) -> Result<Wire, WireFailure> {
        let mut timings = Timings::default();
        let addresses = self.resolve(host, port, &mut timings, progress).await?;
        progress.enter(Phase::Tcp);
        let began = Instant::now();
        let stream = tokio::time::timeout(CONNECT_WITHIN, dial(&addresses))
            .await
            .unwrap_or_else(|_| Err(WireFailure::connect_timeout()))?;
        timings.tcp_ms = Some(ms(began));
        // Small requests wait for nothing.
        drop(stream.set_nodelay(true));
        let remote = stream.peer_addr().map_err(|error| told(&error))?;
        let mut certificate_ends = None;
        let stream = if tls {
            progress.enter(Phase::Tls);
            let began = Instant::now();
            let name = ServerName::try_from(host.to_owned()).map_err(|_| WireFailure::bad_address())?;
            let stream = self.tls.connect(name, stream).await.map_err(|error| of_tls(&error))?;
            timings.tls_ms = Some(ms(began));
            certificate_ends = ends(&stream);
            Stream::Tls(Box::new(stream))
        } else {
            Stream::Plain(stream)
        };
        progress.enter(Phase::Answer);
        Ok(Wire {
            stream: TokioIo::new(stream),
            known: Known {
                timings,
                certificate_ends,
                remote,
                used: Arc::default(),
            },
        })
    }

    async fn resolve(
        &self,
        host: &str,
        port: u16,
        timings: &mut Timings,
        progress: &Progress,
    ) -> Result<Vec<SocketAddr>, WireFailure> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        // An address was checked by the guard when the call was made.
        if let Ok(ip) = bare.parse() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        progress.enter(Phase::Name);
        let began = Instant::now();
        let mut found = self.guard.resolve(bare).await.map_err(|error| {
            if error.is::<AllRefused>() {
                WireFailure::not_allowed()
            } else {
                WireFailure::no_such_name().because(&error.to_string())
            }
        })?;
        timings.dns_ms = Some(ms(began));
        for address in found.iter_mut().filter(|address| address.port() == 0) {
            address.set_port(port);
        }
        if found.is_empty() {
            return Err(WireFailure::no_such_name());
        }
        Ok(found)
    }
}

/// Tries the addresses in turn; the last failure counts.
async fn dial(addresses: &[SocketAddr]) -> Result<TcpStream, WireFailure> {
    let mut last = WireFailure::not_connected();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = told(&error),
        }
    }
    Err(last)
}

fn told(error: &io::Error) -> WireFailure {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => WireFailure::refused(),
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => WireFailure::unreachable(),
        Kind::TimedOut => WireFailure::connect_timeout(),
        Kind::ConnectionReset | Kind::UnexpectedEof => WireFailure::hung_up(),
        _ => WireFailure::not_connected().because(&error.to_string()),
    }
}

fn of_tls(error: &io::Error) -> WireFailure {
    use rustls::CertificateError as Cert;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => match why {
            Cert::Expired | Cert::ExpiredContext { .. } => WireFailure::certificate_expired(),
            Cert::NotValidYet | Cert::NotValidYetContext { .. } => WireFailure::certificate_early(),
            Cert::NotValidForName | Cert::NotValidForNameContext { .. } => WireFailure::certificate_name(),
            Cert::UnknownIssuer => WireFailure::certificate_issuer(),
            other => WireFailure::certificate_issuer().because(&other.to_string()),
        },
        Some(other) => WireFailure::tls().because(&other.to_string()),
        None => WireFailure::tls().because(&error.to_string()),
    }
}

/// When the shown certificate ends.
fn ends(stream: &TlsStream<TcpStream>) -> Option<Time> {
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates()?.first()?;
    let (_, certificate) = x509_parser::parse_x509_certificate(shown).ok()?;
    Some(Time(certificate.validity().not_after.timestamp().saturating_mul(1_000)))
}

/// Whole milliseconds since `began`.
pub(super) fn ms(began: Instant) -> u32 {
    u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX)
}

impl tower::Service<http::Uri> for Connector {
    type Response = Wire;
    type Error = WireFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Wire, WireFailure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), WireFailure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        let connector = self.clone();
        // A connection may be made in nobody's name: when the pool prepares one.
        let progress = PROGRESS.try_with(Clone::clone).unwrap_or_default();
        Box::pin(async move {
            let host = uri.host().ok_or_else(WireFailure::bad_address)?;
            let tls = uri.scheme_str() == Some("https");
            let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
            connector.connect(host, port, tls, &progress).await
        })
    }
}

/// A connection with what is known of it.
pub(super) struct Wire {
    stream: TokioIo<Stream>,
    pub(super) known: Known,
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        let connected = Connected::new().extra(self.known.clone());
        if self.stream.inner().speaks_h2() {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}

/// Plain or TLS.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn speaks_h2(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2"))
    }
}

/// Hands a call on to whichever stream it is.
macro_rules! either {
    ($self:ident . $method:ident ( $($arg:expr),* )) => {
        match $self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).$method($($arg),*),
            Stream::Tls(stream) => Pin::new(stream).$method($($arg),*),
        }
    };
}

impl tokio::io::AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut tokio::io::ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self.poll_read(cx, buf))
    }
}

impl tokio::io::AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.poll_shutdown(cx))
    }
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
