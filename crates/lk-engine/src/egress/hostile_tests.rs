//! Servers that do everything wrong: each is told apart by its code, within the time given, and
//! disturbs nobody else.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lk_core::words::Rung;
use lk_provider::check::Call;
use lk_provider::message::HttpRequest;
use tokio::time::Instant;

use super::{Egress, Exchange};

/// Time for each call of these tests.
const WITHIN: Duration = Duration::from_millis(700);
/// What a call may take beyond its time on a busy machine.
const GRACE: Duration = Duration::from_millis(400);

fn egress() -> Egress {
    drop(rustls::crypto::ring::default_provider().install_default());
    Egress::new(true).expect("a client")
}

/// A server that treats each connection so, after the head of a request has arrived.
fn site(treat: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let treat = Arc::new(treat);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let treat = Arc::clone(&treat);
            thread::spawn(move || {
                let mut head = [0; 2048];
                // A client that says nothing is answered too.
                let _ = stream.read(&mut head);
                treat(stream);
            });
        }
    });
    address
}

#[expect(clippy::disallowed_methods, reason = "a server that lets its client wait")]
fn wait(time: Duration) {
    thread::sleep(time);
}

fn saying(answer: &'static str) -> SocketAddr {
    site(move |mut stream| drop(stream.write_all(answer.as_bytes())))
}

fn get(url: String) -> Call {
    Call::Http(HttpRequest {
        method: "GET".to_owned(),
        url,
        headers: Vec::new(),
        body: Vec::new(),
    })
}

async fn ask(egress: &Egress, address: SocketAddr) -> Exchange {
    egress.probe(&get(format!("http://{address}/")), WITHIN).await
}

fn code(exchange: &Exchange) -> (&'static str, Rung) {
    match &exchange.result {
        Ok(response) => panic!("it answered {}", response.status),
        Err(failure) => (failure.code, failure.rung),
    }
}

#[tokio::test]
async fn each_way_to_misbehave_has_its_code_in_time() {
    let drip = site(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n");
        for _ in 0..60 {
            if stream.write_all(b"x").is_err() {
                return;
            }
            wait(Duration::from_secs(1));
        }
    });
    let huge = site(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n");
        let piece = vec![b'x'; 64 << 10];
        while stream.write_all(&piece).is_ok() {}
    });
    let hang = site(|_stream| wait(Duration::from_secs(30)));
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address")
    };
    let cases: [(&str, SocketAddr, &str); 9] = [
        ("hangs", hang, "no_answer"),
        ("drips", drip, "answer_too_slow"),
        ("sends 100 MB", huge, "answer_too_large"),
        (
            "closes in the middle",
            saying("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"),
            "answer_cut_off",
        ),
        ("closes at once", site(drop), "connection_closed"),
        ("is no HTTP", saying("SSH-2.0-OpenSSH_9.2\r\n"), "answer_malformed"),
        (
            "has malformed headers",
            saying("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"),
            "answer_malformed",
        ),
        (
            "redirects for ever",
            saying("HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
            "redirect_loop",
        ),
        ("refuses", refused, "connection_refused"),
    ];
    let egress = egress();
    let fine = saying("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
    // Calls that go well run all the while and must not notice.
    let healthy = async {
        for _ in 0..20 {
            let exchange = ask(&egress, fine).await;
            assert!(exchange.result.is_ok(), "{exchange:?}");
            assert!(exchange.timings.total_ms < 500, "{exchange:?}");
            assert!(exchange.timings.tcp_ms.is_some() && exchange.timings.dns_ms.is_none());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    let hostile = async {
        for (what, address, expected) in cases {
            let began = Instant::now();
            let exchange = ask(&egress, address).await;
            let rung = if expected == "connection_refused" {
                Rung::Tcp
            } else {
                Rung::Http
            };
            assert_eq!(code(&exchange), (expected, rung), "{what}: {exchange:?}");
            assert!(began.elapsed() < WITHIN + GRACE, "{what} took {:?}", began.elapsed());
        }
    };
    tokio::join!(healthy, hostile);
}

/// A TLS server with a certificate of these dates for this name.
fn tls_site(name: &str, from_days: i64, to_days: i64) -> (SocketAddr, Vec<u8>) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let now = std::time::UNIX_EPOCH + Duration::from_millis(crate::Clock::system().now().ms().unsigned_abs());
    let day = |n: i64| {
        let shift = Duration::from_secs(n.unsigned_abs() * 86_400);
        if n < 0 { now - shift } else { now + shift }
    };
    params.not_before = day(from_days).into();
    params.not_after = day(to_days).into();
    let certificate = params.self_signed(&key).expect("a certificate");
    let der = certificate.der().to_vec();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .expect("a configuration");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let Ok(mut session) = rustls::ServerConnection::new(Arc::clone(&config)) else {
                return;
            };
            thread::spawn(move || {
                let mut tls = rustls::Stream::new(&mut session, &mut stream);
                let mut head = [0; 2048];
                if tls.read(&mut head).is_ok_and(|n| n > 0) {
                    let _ = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi");
                    tls.conn.send_close_notify();
                    let _ = tls.flush();
                }
            });
        }
    });
    (address, der)
}

async fn ask_tls(egress: &Egress, host: &str, address: SocketAddr) -> Exchange {
    egress
        .probe(&get(format!("https://{host}:{}/", address.port())), WITHIN)
        .await
}

#[tokio::test]
async fn certificates_are_told_apart_and_their_end_is_known() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let (expired, expired_der) = tls_site("127.0.0.1", -30, -1);
    let (early, early_der) = tls_site("127.0.0.1", 1, 30);
    let (other, other_der) = tls_site("other.test", -1, 30);
    let (good, good_der) = tls_site("127.0.0.1", -1, 61);
    let (stranger, _) = tls_site("127.0.0.1", -1, 30);
    let egress = Egress::trusting(&[expired_der, early_der, other_der, good_der]).expect("a client");
    let host = "127.0.0.1";
    for (address, expected) in [
        (expired, "certificate_expired"),
        (early, "certificate_not_yet_valid"),
        (other, "certificate_wrong_name"),
        (stranger, "certificate_unknown_issuer"),
    ] {
        let exchange = ask_tls(&egress, host, address).await;
        assert_eq!(code(&exchange), (expected, Rung::Tls), "{exchange:?}");
    }
    let exchange = ask_tls(&egress, host, good).await;
    assert!(exchange.result.is_ok(), "{exchange:?}");
    assert!(exchange.timings.tls_ms.is_some());
    let ends = exchange.certificate_ends.expect("a certificate was shown");
    let days = ends.since(crate::Clock::system().now()) / lk_core::time::DAY;
    assert!((60..=61).contains(&days), "{days}");
    // Plain HTTP where TLS is spoken to, and a connection alone.
    let plain = saying("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
    let exchange = ask_tls(&egress, host, plain).await;
    assert_eq!(code(&exchange).1, Rung::Tls, "{exchange:?}");
    let call = Call::Connect {
        host: host.to_owned(),
        port: good.port(),
        tls: true,
    };
    let exchange = egress.probe(&call, WITHIN).await;
    assert!(
        exchange.result.is_ok() && exchange.certificate_ends == Some(ends),
        "{exchange:?}"
    );
}

#[tokio::test]
async fn connections_are_kept_and_said_to_be() {
    let address = site(|mut stream| {
        let mut head = [0; 2048];
        loop {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
            if !stream.read(&mut head).is_ok_and(|n| n > 0) {
                return;
            }
        }
    });
    let egress = egress();
    let first = ask(&egress, address).await;
    assert!(first.timings.tcp_ms.is_some() && !first.timings.reused, "{first:?}");
    // The connection goes back to the pool in a moment of its own.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let second = ask(&egress, address).await;
    assert!(second.timings.tcp_ms.is_none() && second.timings.reused, "{second:?}");
}

#[tokio::test]
async fn a_name_that_nobody_knows_and_a_private_address_are_told() {
    let egress = egress();
    let unknown = egress.probe(&get("http://nobody.invalid/".to_owned()), WITHIN).await;
    let told = code(&unknown);
    assert!(
        matches!(told, ("name_not_found" | "name_timeout", Rung::Dns)),
        "{unknown:?}"
    );
    let guarded = Egress::new(false).expect("a client");
    let private = guarded.probe(&get("http://127.0.0.1:9/".to_owned()), WITHIN).await;
    assert_eq!(code(&private), ("address_not_allowed", Rung::Dns));
}
