//! The live stream.

use std::time::Duration;

use axum::body::Body;
use futures_util::StreamExt as _;
use http::header;
use lk_core::access::Verb;
use lk_core::words::Role;
use serde_json::{Value, json};

use crate::harness::{As, NOW, TestServer, permit};

const VIEWER: As = As::Role(Role::Viewer);
/// Longest wait for a frame that must come.
const SOON: Duration = Duration::from_secs(8);

/// A stream read frame by frame.
struct Reader {
    body: axum::body::BodyDataStream,
    text: String,
}

impl Reader {
    async fn open(server: &TestServer, last: Option<i64>) -> Self {
        let mut request = server.request(VIEWER, "GET", "/api/integrations/events", None);
        let compressed = http::HeaderValue::from_static("br, gzip");
        request.headers_mut().insert(header::ACCEPT_ENCODING, compressed);
        if let Some(last) = last {
            request.headers_mut().insert("last-event-id", last.into());
        }
        let response = server.open(request).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
        let body: Body = response.into_body();
        Self {
            body: body.into_data_stream(),
            text: String::new(),
        }
    }

    /// The next frame; `None` at the end of the stream.
    async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(frame);
            }
            let chunk = tokio::time::timeout(SOON, self.body.next())
                .await
                .expect("a frame in time")?;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }

    /// The next frame with this event name: its id and data.
    async fn named(&mut self, name: &str) -> (Option<i64>, Value) {
        loop {
            let frame = self.frame().await.expect("the stream goes on");
            let field = |field: &str| {
                frame
                    .lines()
                    .find_map(|line| line.strip_prefix(field))
                    .map(|value| value.trim().to_owned())
            };
            if field("event:").as_deref() == Some(name) {
                let id = field("id:").map(|id| id.parse().unwrap());
                return (id, serde_json::from_str(&field("data:").unwrap()).unwrap());
            }
        }
    }
}

fn failure(n: u32) -> Value {
    json!({"id": format!("d{n}"), "type": "a.failed", "message": "no", "code": "c"})
}

#[tokio::test]
async fn what_is_committed_is_told_and_resumed() {
    let server = TestServer::start().await;
    let created = server.connect().await;
    server.get("/api/integrations").await;
    let mut reader = Reader::open(&server, None).await;
    let first = reader.frame().await.unwrap();
    assert!(first.starts_with("retry: ") && first.contains("\nid: "), "{first}");

    server.deliver(&created, &failure(1)).await;
    let (id, event) = reader.named("event").await;
    assert_eq!(event["status"], "failure");
    assert_eq!(event["seq"], json!(id.unwrap()));
    assert!(event["cause"].is_string() && event["suggestedFix"].is_string());
    let (none, status) = reader.named("status").await;
    assert_eq!(none, None, "a status is no event to resume from");
    assert_eq!(status["id"], created["integration"]["id"]);
    assert_eq!(status["record24h"]["errors"], 1);

    drop(reader);
    server.deliver(&created, &failure(2)).await;
    server.shown(id.unwrap() + 1).await;
    let mut resumed = Reader::open(&server, id).await;
    let (next, _) = resumed.named("event").await;
    assert!(next > id);
    server.deliver(&created, &failure(3)).await;
    assert!(resumed.named("event").await.0 > next, "no event comes twice");
}

#[tokio::test]
async fn a_client_from_the_future_starts_over() {
    let server = TestServer::start().await;
    let mut reader = Reader::open(&server, Some(1_000_000)).await;
    reader.named("reset").await;
}

#[tokio::test]
async fn another_projects_events_are_not_told() {
    let server = TestServer::start().await;
    let created = server.connect().await;
    let request = server.request(As::Stranger, "GET", "/api/integrations/events", None);
    let mut stream = server.open(request).await.into_body().into_data_stream();
    let first = stream.next().await.unwrap().unwrap();
    assert!(first.starts_with(b"retry:"));
    server.deliver(&created, &failure(1)).await;
    let more = tokio::time::timeout(Duration::from_millis(700), stream.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_revoked_key_loses_its_stream_within_five_seconds() {
    let server = TestServer::start().await;
    let mut reader = Reader::open(&server, None).await;
    reader.frame().await.unwrap();
    let store = server.engine.store();
    let keys = store.api_keys(&server.project.id).await.unwrap();
    let id = &keys.iter().find(|key| key.role == Role::Viewer).unwrap().id;
    store
        .revoke_api_key(&permit(Verb::ManageKeys), &server.project.id, id, NOW)
        .await
        .unwrap();
    let end = tokio::time::timeout(Duration::from_secs(5), reader.frame()).await;
    assert_eq!(end.expect("ends within five seconds"), None);
}

#[tokio::test]
async fn places_are_limited_and_given_back() {
    let config = lk_server::Config {
        streams_max: 1,
        ..lk_server::Config::default()
    };
    let server = TestServer::with(config).await;
    let reader = Reader::open(&server, None).await;
    let full = server.get("/api/integrations/events").await;
    assert_eq!((full.status.as_u16(), full.error().as_str()), (503, "unavailable"));
    drop(reader);
    Reader::open(&server, None).await;
}

#[tokio::test]
async fn shutting_down_ends_streams() {
    let server = TestServer::start().await;
    let mut reader = Reader::open(&server, None).await;
    reader.frame().await.unwrap();
    server.app.close_streams();
    assert_eq!(reader.frame().await, None);
    assert_eq!(server.get("/readyz").await.status, 503);
}
