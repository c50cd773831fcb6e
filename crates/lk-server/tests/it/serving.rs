//! The listening server: headers, draining, slow clients.

use std::time::Duration;

use lk_server::serve;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::harness::{As, TestServer};

async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    read.expect("an answer in time").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn it_serves_and_drains() {
    let server = TestServer::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let app = server.app.clone();
    let serving = serve(listener, app, async {
        let _ = stopped.await;
    });
    let client = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let answer = exchange(
            &mut stream,
            "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{answer}");
        assert!(
            answer.contains("content-security-policy: default-src 'self'"),
            "{answer}"
        );
        assert!(answer.contains("x-request-id: "), "{answer}");

        let mut stream = TcpStream::connect(address).await.unwrap();
        let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(500));
        assert!(exchange(&mut stream, &many).await.starts_with("HTTP/1.1 431"));

        // An idle connection and an open stream do not hold up the end.
        let _idle = TcpStream::connect(address).await.unwrap();
        let mut live = TcpStream::connect(address).await.unwrap();
        let key = server.key(As::Operator).unwrap();
        let request =
            format!("GET /api/integrations/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n");
        live.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 15];
        live.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        stop.send(()).unwrap();
        let mut rest = Vec::new();
        live.read_to_end(&mut rest).await.unwrap();
    };
    let both = async { tokio::join!(serving, client) };
    let (served, ()) = tokio::time::timeout(Duration::from_secs(8), both)
        .await
        .expect("drains in time");
    served.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn metrics_are_the_operators() {
    let server = TestServer::start().await;
    let answer = server.call(As::Operator, "GET", "/metrics", None).await;
    assert_eq!(answer.status, 200);
    assert_eq!(server.call(As::Anonymous, "GET", "/metrics", None).await.status, 401);
}
