//! TLS: one certificate and its key from two files, looked at again while they are served.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Longest time for a handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// What is spoken inside, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error("the file {} cannot be read: {error}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file does not hold what it should.
    #[error("the file {} has no {what} in PEM form", path.display())]
    Pem {
        /// Which one.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The two do not belong together, or are of a kind that is not known.
    #[error("the certificate and the key cannot be used together: {0}")]
    Pair(#[from] rustls::Error),
}

/// A certificate that is served, and the files it came from.
#[derive(Debug)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    served: ArcSwap<ServerConfig>,
    seen: Mutex<Seen>,
}

/// What the files held when they were last looked at.
type Seen = Option<[Vec<u8>; 2]>;

impl Tls {
    /// Reads the certificate chain and its key, both PEM.
    pub fn open(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        let texts = [read(cert)?, read(key)?];
        Ok(Self {
            served: ArcSwap::from_pointee(configure(cert, key, &texts)?),
            cert: cert.to_owned(),
            key: key.to_owned(),
            seen: Mutex::new(Some(texts)),
        })
    }

    /// Reads the files again. Says whether something new is served now; what cannot be used is an
    /// error once, and the old pair stays.
    fn look(&self) -> Result<bool, TlsError> {
        let read_both = || Ok([read(&self.cert)?, read(&self.key)?]);
        let texts: Result<[Vec<u8>; 2], TlsError> = read_both();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match texts {
            Ok(texts) if seen.as_ref() == Some(&texts) => Ok(false),
            Ok(texts) => {
                let configured = configure(&self.cert, &self.key, &texts);
                *seen = Some(texts);
                self.served.store(Arc::new(configured?));
                Ok(true)
            }
            Err(error) => match seen.take() {
                Some(_) => Err(error),
                None => Ok(false),
            },
        }
    }

    /// Looks at the files again and again.
    pub(crate) async fn follow(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let this = Arc::clone(&self);
            // Reading files may block.
            match tokio::task::spawn_blocking(move || this.look()).await {
                Ok(Ok(true)) => tracing::info!("the certificate was replaced"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the new certificate cannot be served; the old one stays");
                }
                Err(error) => tracing::error!(%error, "looking at the certificate failed"),
            }
        }
    }

    /// Shakes hands, in bounded time.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.served.load_full());
        let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await;
        shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    use io::Read as _;
    let mut text = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut text))
        .map_err(|error| TlsError::File {
            path: path.to_owned(),
            error,
        })?;
    Ok(text)
}

/// TLS 1.2 and 1.3 with the pair in `texts`.
fn configure(cert: &Path, key: &Path, texts: &[Vec<u8>; 2]) -> Result<ServerConfig, TlsError> {
    let none = |path: &Path, what| TlsError::Pem {
        path: path.to_owned(),
        what,
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&texts[0]).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| none(cert, "certificate"))?;
    let secret = PrivateKeyDer::from_pem_slice(&texts[1]).map_err(|_| none(key, "private key"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, secret)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    fn pair() -> (String, String) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    #[test]
    fn what_cannot_be_served_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let said = || Tls::open(&cert, &key).unwrap_err().to_string();
        assert!(said().contains("cert.pem cannot be read"), "{}", said());
        let (one, other) = (pair(), pair());
        fs::write(&cert, &one.0).unwrap();
        fs::write(&key, "no key").unwrap();
        assert!(said().contains("key.pem has no private key"), "{}", said());
        fs::write(&key, &other.1).unwrap();
        assert!(said().contains("cannot be used together"), "{}", said());
        fs::write(&key, &one.1).unwrap();
        assert!(Tls::open(&cert, &key).is_ok());
        fs::write(&cert, &one.1).unwrap();
        assert!(said().contains("cert.pem has no certificate"), "{}", said());
    }

    #[test]
    fn a_new_pair_is_taken_and_a_bad_one_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let write = |pair: &(String, String)| {
            fs::write(&cert, &pair.0).unwrap();
            fs::write(&key, &pair.1).unwrap();
        };
        let (one, other) = (pair(), pair());
        write(&one);
        let tls = Tls::open(&cert, &key).unwrap();
        let served = || Arc::as_ptr(&tls.served.load_full());
        let first = served();
        assert!(!tls.look().unwrap());
        // Halfway through a replacement the two do not fit.
        fs::write(&cert, &other.0).unwrap();
        assert!(matches!(tls.look(), Err(TlsError::Pair(_))));
        assert!(!tls.look().unwrap());
        fs::remove_file(&key).unwrap();
        assert!(matches!(tls.look(), Err(TlsError::File { .. })));
        assert!(!tls.look().unwrap());
        assert_eq!(served(), first);
        write(&other);
        assert!(tls.look().unwrap());
        assert_ne!(served(), first);
    }
}
