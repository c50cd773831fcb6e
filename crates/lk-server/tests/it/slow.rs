//! Clients that hold on to what they do not use, and bodies that are too large.

use std::time::Duration;

use axum::body::Body;
use http::{Request, header};
use lk_core::words::Role;
use lk_server::{Config, serve};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::harness::{As, TestServer};

/// Far below the default, so that the test need not wait.
const LIMIT: Duration = Duration::from_secs(2);
/// Nothing may last longer than this: two windows of the limit, the farewell, a slow machine.
const CUT_WITHIN: Duration = Duration::from_secs(9);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty SETTINGS frame.
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// Runs `client` against a server with the short limit.
async fn against<F: Future<Output = ()>>(client: impl FnOnce(std::net::SocketAddr) -> F) {
    let config = Config {
        head_timeout: LIMIT,
        ..Config::default()
    };
    let server = TestServer::with(config).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::select! {
        served = serve(listener, server.app.clone(), std::future::pending()) => panic!("it ended: {served:?}"),
        () = client(address) => {}
    }
}

/// Sends `first`, then `drip` byte by byte, until the server ends the connection; how long it took.
async fn holds_on(address: std::net::SocketAddr, first: &[u8], drip: &[u8]) -> Duration {
    let stream = TcpStream::connect(address).await.unwrap();
    let begun = Instant::now();
    let (mut read, mut write) = stream.into_split();
    write.write_all(first).await.unwrap();
    let dripping = async {
        for byte in drip {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let ended = async {
        // A reset is an end too.
        drop(read.read_to_end(&mut answer).await);
    };
    let cut = async {
        tokio::select! { () = dripping => {}, () = ended => {} }
    };
    timeout(CUT_WITHIN, cut).await.expect("it is cut off");
    begun.elapsed()
}

#[tokio::test]
async fn whoever_sends_no_request_is_cut_off() {
    against(|address| async move {
        let one = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
        let settled = [PREFACE, SETTINGS].concat();
        let all = tokio::join!(
            holds_on(address, b"", b""),
            holds_on(address, b"", b"GET /healthz HTTP/1.1\r\nhost: x\r\n"),
            holds_on(address, b"", PREFACE),
            holds_on(address, one, b"GET /healthz"),
            holds_on(address, &settled, b""),
        );
        for took in [all.0, all.1, all.2, all.3, all.4] {
            assert!(took >= LIMIT && took < CUT_WITHIN, "{all:?}");
        }
    })
    .await;
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

#[tokio::test]
async fn requests_taken_back_in_a_flood_end_the_connection() {
    against(|address| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut bytes = [PREFACE, SETTINGS].concat();
        // `GET http://x/`: three fields of the static table and the authority as it is.
        let head = [0x82, 0x84, 0x86, 0x41, 0x01, b'x'];
        for n in 0..1_000_u32 {
            bytes.extend(frame(1, 0x5, 2 * n + 1, &head));
            bytes.extend(frame(3, 0, 2 * n + 1, &8_u32.to_be_bytes()));
        }
        // It may be cut off before it has written everything.
        drop(stream.write_all(&bytes).await);
        let mut answer = Vec::new();
        let read = timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        drop(read.expect("it is cut off"));
        // GOAWAY with the reason ENHANCE_YOUR_CALM.
        let calm = 11_u32.to_be_bytes();
        let goaway = answer.windows(17).any(|f| f[3] == 7 && f[13..17] == calm);
        assert!(goaway || answer.is_empty(), "{answer:?}");
    })
    .await;
}

/// A field of a head, literal and short.
fn field(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0, name.len() as u8];
    bytes.extend(name.as_bytes());
    bytes.push(value.len() as u8);
    bytes.extend(value.as_bytes());
    bytes
}

#[tokio::test]
async fn a_live_stream_over_http2_is_not_idle() {
    let config = Config {
        head_timeout: Duration::from_millis(500),
        ..Config::default()
    };
    let server = TestServer::with(config).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let key = format!("Bearer {}", server.key(As::Operator).unwrap());
    let client = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = [
            vec![0x82, 0x86],
            field(":path", "/api/integrations/events"),
            field(":authority", "x"),
            field("authorization", &key),
        ];
        let bytes = [PREFACE.to_vec(), SETTINGS.to_vec(), frame(1, 0x5, 1, &head.concat())].concat();
        stream.write_all(&bytes).await.unwrap();
        let mut answer = Vec::new();
        let read = timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
        assert!(read.is_err(), "it was ended: {}", String::from_utf8_lossy(&answer));
        assert!(answer.len() > 50, "{answer:?}");
        // Taken back by its reader, it leaves an idle connection behind.
        stream.write_all(&frame(3, 0, 1, &8_u32.to_be_bytes())).await.unwrap();
        let read = timeout(CUT_WITHIN, stream.read_to_end(&mut answer)).await;
        drop(read.expect("it is cut off"));
    };
    tokio::select! {
        served = serve(listener, server.app.clone(), std::future::pending()) => panic!("it ended: {served:?}"),
        () = client => {}
    }
}

#[tokio::test]
async fn every_route_that_reads_a_body_limits_it() {
    let config = Config {
        webhook_bytes_max: 10_000,
        ..Config::default()
    };
    let server = TestServer::with(config).await;
    let document: Value = serde_json::from_str(&lk_server::openapi().to_json().unwrap()).unwrap();
    let person = server.browser(As::Signed(Role::Owner)).unwrap();
    let mut tried = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if operation["requestBody"].is_null() {
                continue;
            }
            let id = "01890000-0000-7000-8000-000000000000";
            let path: Vec<&str> = path
                .split('/')
                .map(|p| if p.starts_with('{') { id } else { p })
                .collect();
            let method = method.to_uppercase();
            let request = Request::builder()
                .method(method.as_str())
                .uri(path.join("/"))
                .header(header::COOKIE, &person.cookie)
                .header("x-csrf-token", &person.csrf)
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(vec![b' '; 300 * 1024]))
                .unwrap();
            let answer = server.send(request).await;
            assert_eq!(answer.status, 413, "{method} {}: {}", path.join("/"), answer.text);
            assert_eq!(answer.error(), "payload_too_large");
            tried += 1;
        }
    }
    assert!(tried >= 10, "{tried}");
}
