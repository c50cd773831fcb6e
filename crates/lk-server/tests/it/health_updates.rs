//! `/health-updates`, with a real client over a real connection.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use lk_core::access::Verb;
use lk_core::words::Role;
use lk_server::serve;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::harness::{As, NOW, TestServer, permit};

const VIEWER: As = As::Role(Role::Viewer);
/// Longest wait for a message that must come.
const SOON: Duration = Duration::from_secs(5);

/// Serves until the test ends.
async fn listen(server: &TestServer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = server.app.clone();
    server.engine.tasks().spawn("serving", async {
        serve(listener, app, std::future::pending::<()>()).await.unwrap();
    });
    address
}

/// One end of a conversation.
struct Talk(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Talk {
    /// Opens one with these headers, or says with which status it was refused.
    async fn open(address: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/health-updates").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    async fn by_key(server: &TestServer, who: As, address: SocketAddr) -> Result<Self, u16> {
        let key = format!("Bearer {}", server.key(who).unwrap());
        Self::open(address, &[("authorization", &key)]).await
    }

    async fn say(&mut self, what: &Value) {
        self.0.send(Message::text(what.to_string())).await.unwrap();
    }

    async fn follow(&mut self, ids: &[&str]) {
        self.say(&json!({"type": "subscribe", "integrationIds": ids})).await;
    }

    /// The next message, or with which code it was closed.
    async fn hear(&mut self) -> Result<Value, u16> {
        loop {
            let next = tokio::time::timeout(SOON, self.0.next()).await.expect("in time");
            match next.expect("closed with a reason").unwrap() {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => return Err(frame.expect("a reason").code.into()),
                _ => {}
            }
        }
    }

    async fn silent(&mut self) {
        let more = tokio::time::timeout(Duration::from_millis(700), self.hear()).await;
        assert!(more.is_err(), "{more:?}");
    }
}

fn failure(n: u32) -> Value {
    json!({"id": format!("d{n}"), "type": "a.failed", "message": "no", "code": "c"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_is_told_at_once_and_of_every_change() {
    let server = TestServer::start().await;
    let address = listen(&server).await;
    let created = server.connect().await;
    let id = created["integration"]["id"].as_str().unwrap();
    let mut talk = Talk::by_key(&server, VIEWER, address).await.ok().unwrap();
    talk.follow(&[id]).await;
    let first = talk.hear().await.unwrap();
    assert_eq!(
        (&first["type"], &first["integrationId"]),
        (&json!("health"), &json!(id))
    );
    assert_eq!(
        (&first["service"], &first["provider"]),
        (&json!("sample"), &json!("sample"))
    );
    assert_eq!(first["health"]["status"], "unknown");
    // A delivery, and a check that is worth no event.
    assert_eq!(server.deliver(&created, &failure(1)).await.status, 200);
    let began = tokio::time::Instant::now();
    while talk.hear().await.unwrap()["health"]["status"] == "unknown" {}
    assert!(began.elapsed() < Duration::from_secs(1));
    for n in 1..4 {
        server.clock.set(NOW + n * 1_000);
        server.passed(id, &json!({"account": format!("account {n}")})).await;
        let began = tokio::time::Instant::now();
        while talk.hear().await.unwrap()["health"]["account"] != format!("account {n}") {}
        assert!(began.elapsed() < Duration::from_secs(1));
    }
    talk.say(&json!({"type": "ping"})).await;
    assert_eq!(talk.hear().await.unwrap()["type"], "pong");
    // From now on nothing.
    talk.follow(&[]).await;
    assert_eq!(server.deliver(&created, &failure(2)).await.status, 200);
    talk.silent().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_follows_what_they_may_not_see() {
    let server = TestServer::start().await;
    let address = listen(&server).await;
    let created = server.connect().await;
    let id = created["integration"]["id"].as_str().unwrap();
    let mut talk = Talk::by_key(&server, As::Stranger, address).await.ok().unwrap();
    let nowhere = "01890f6e-0000-7000-8000-000000000000";
    talk.follow(&[id, nowhere, "no id at all"]).await;
    for asked in [id, nowhere, "no id at all"] {
        let told = talk.hear().await.unwrap();
        let wanted = json!({
            "type": "error", "code": "not_found", "integrationId": asked,
            "message": "There is no such integration.",
        });
        assert_eq!(told, wanted, "theirs and nobody's look the same");
    }
    assert_eq!(server.deliver(&created, &failure(1)).await.status, 200);
    talk.silent().await;
    let many = vec![id; 1_001];
    talk.follow(&many).await;
    assert_eq!(talk.hear().await.unwrap()["code"], "invalid_request");
    for odd in [json!([]), json!({"type": "unsubscribe"}), json!({"type": "subscribe"})] {
        talk.say(&odd).await;
        assert_eq!(talk.hear().await.unwrap()["code"], "invalid_request", "{odd}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_site_cannot_use_a_session() {
    let server = TestServer::start().await;
    let address = listen(&server).await;
    let cookie = server.browser(As::Signed(Role::Viewer)).unwrap().cookie.clone();
    let own = format!("http://{address}");
    let open = async |headers: &[(&'static str, &str)]| Talk::open(address, headers).await.err();
    assert_eq!(open(&[]).await, Some(401));
    assert_eq!(open(&[("cookie", &cookie), ("origin", &own)]).await, None);
    for origin in ["https://evil.example", "null", "http://127.0.0.1", "file://"] {
        assert_eq!(
            open(&[("cookie", &cookie), ("origin", origin)]).await,
            Some(403),
            "{origin}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_signed_out_is_told_nothing_more() {
    let server = TestServer::start().await;
    let address = listen(&server).await;
    let id = server.watch().await;
    let who = As::Signed(Role::Viewer);
    let cookie = server.browser(who).unwrap().cookie.clone();
    let own = format!("http://{address}");
    let mut talk = Talk::open(address, &[("cookie", &cookie), ("origin", &own)])
        .await
        .ok()
        .unwrap();
    talk.follow(&[&id]).await;
    assert_eq!(talk.hear().await.unwrap()["type"], "health");
    assert!(
        server
            .call(who, "DELETE", "/api/session", None)
            .await
            .status
            .is_success()
    );
    while let Ok(told) = talk.hear().await.map_err(|code| assert_eq!(code, 1008)) {
        assert_eq!(told["type"], "health");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_and_a_stop_end_it() {
    let server = TestServer::start().await;
    let address = listen(&server).await;
    let mut revoked = Talk::by_key(&server, VIEWER, address).await.ok().unwrap();
    let mut other = Talk::by_key(&server, As::Role(Role::Owner), address)
        .await
        .ok()
        .unwrap();
    let store = server.engine.store();
    let keys = store.api_keys(&server.project.id).await.unwrap();
    let id = &keys.iter().find(|key| key.role == Role::Viewer).unwrap().id;
    store
        .revoke_api_key(&permit(Verb::ManageKeys), &server.project.id, id, NOW)
        .await
        .unwrap();
    assert_eq!(revoked.hear().await, Err(1008));
    server.app.close_streams();
    assert_eq!(other.hear().await, Err(1001));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_read_is_dropped_and_gives_its_place_back() {
    let config = lk_server::Config {
        streams_max: 1,
        ..lk_server::Config::default()
    };
    let server = TestServer::with(config).await;
    let address = listen(&server).await;
    let id = server.watch().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let slow = socket.connect(address).await.unwrap();
    let mut request = format!("ws://{address}/health-updates").into_client_request().unwrap();
    let key = format!("Bearer {}", server.key(VIEWER).unwrap());
    request.headers_mut().insert("authorization", key.parse().unwrap());
    let (mut slow, _) = tokio_tungstenite::client_async(request, slow).await.unwrap();
    assert_eq!(
        Talk::by_key(&server, VIEWER, address).await.err(),
        Some(503),
        "it has the one place"
    );
    // Each asks for more than a megabyte, of which nothing is read.
    let ids = vec![id.as_str(); 1_000];
    let ask = json!({"type": "subscribe", "integrationIds": ids}).to_string();
    for _ in 0..10 {
        let sent = tokio::time::timeout(Duration::from_millis(200), slow.send(Message::text(ask.clone()))).await;
        if sent.is_err() {
            break;
        }
    }
    let began = tokio::time::Instant::now();
    loop {
        if Talk::by_key(&server, VIEWER, address).await.is_ok() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "it keeps its place");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(3), "it had time to read");
}

#[tokio::test]
async fn without_the_upgrade_it_is_refused_in_a_sentence() {
    let server = TestServer::start().await;
    let address = listen(&server).await;
    let mut plain = TcpStream::connect(address).await.unwrap();
    let key = server.key(VIEWER).unwrap();
    let request =
        format!("GET /health-updates HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n");
    plain.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}
