//! Sessions with servers of both eras and with servers that misbehave, over real sockets.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use lk_core::words::Rung;
use lk_provider::check::McpCall;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::call;
use crate::egress::{Egress, Exchange};

const WITHIN: Duration = Duration::from_millis(1_500);
const GRACE: Duration = Duration::from_millis(300);

/// One request as it arrived.
#[derive(Debug, Clone)]
struct Seen {
    http: String,
    headers: String,
    message: Value,
}

impl Seen {
    fn method(&self) -> &str {
        self.message["method"].as_str().unwrap_or(&self.http)
    }

    fn has(&self, header: &str) -> bool {
        self.headers.contains(header)
    }
}

type Log = Arc<Mutex<Vec<Seen>>>;

/// A server that answers each request with the bytes that `answer` gives.
fn site(answer: impl Fn(&Seen, &mut TcpStream) + Send + Sync + 'static) -> (SocketAddr, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let log = Log::default();
    let (answer, kept) = (Arc::new(answer), Arc::clone(&log));
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (answer, log) = (Arc::clone(&answer), Arc::clone(&kept));
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
                while let Some(seen) = read(&mut reader) {
                    log.lock().expect("no panic").push(seen.clone());
                    answer(&seen, &mut stream);
                }
            });
        }
    });
    (address, log)
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_lowercase());
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |text| text.parse().expect("a length"))];
    reader.read_exact(&mut body).ok()?;
    Some(Seen {
        http: lines[0].split(' ').next().unwrap_or_default().to_uppercase(),
        headers: lines.join("\n"),
        message: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

fn send(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let text = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    // A client that has gone is the test's affair.
    drop(stream.write_all(text.as_bytes()));
}

const JSON: &str = "content-type: application/json\r\n";

fn result(stream: &mut TcpStream, seen: &Seen, result: Value) {
    let body = json!({"jsonrpc": "2.0", "id": seen.message["id"], "result": result});
    send(stream, "200 OK", JSON, &body.to_string());
}

fn tool(name: &str, hints: Value) -> Value {
    json!({"name": name, "inputSchema": {"type": "object"}, "annotations": hints})
}

fn tools() -> Value {
    json!([
        tool("list_items", json!({"readOnlyHint": true})),
        tool("broken", json!({"readOnlyHint": true})),
        tool("add_item", json!({"readOnlyHint": false, "destructiveHint": false})),
        tool("delete_all", json!({"destructiveHint": true})),
        tool("unmarked", Value::Null),
    ])
}

/// What a server of the era without sessions says of itself.
fn discovered(version: &str) -> Value {
    json!({
        "resultType": "complete", "supportedVersions": [version], "capabilities": {"tools": {}},
        "ttlMs": 0, "cacheScope": "private",
    })
}

/// A well-behaved server of the era without sessions, with its tools on two pages.
fn newer(seen: &Seen, stream: &mut TcpStream) {
    let done = |mut value: Value| {
        value["resultType"] = json!("complete");
        value
    };
    let all = tools();
    let all = all.as_array().expect("a list");
    match seen.method() {
        "server/discover" => result(stream, seen, discovered("2026-07-28")),
        "tools/list" if seen.message["params"]["cursor"].is_null() => {
            result(stream, seen, done(json!({"tools": all[..2], "nextCursor": "two"})));
        }
        "tools/list" => result(stream, seen, done(json!({"tools": all[2..]}))),
        "tools/call" => {
            let failed = seen.message["params"]["name"] == "broken";
            let text = if failed {
                "the account was disconnected"
            } else {
                "2 items"
            };
            let content = json!([{"type": "text", "text": text}]);
            result(stream, seen, done(json!({"content": content, "isError": failed})));
        }
        _ => send(stream, "405 Method Not Allowed", "", ""),
    }
}

/// A well-behaved server of the era of sessions, which answers with streams.
fn older(seen: &Seen, stream: &mut TcpStream) {
    let event = |stream: &mut TcpStream, headers: &str, value: Value| {
        let message = json!({"jsonrpc": "2.0", "id": seen.message["id"], "result": value});
        let body = format!(": hello\n\nevent: message\ndata: {message}\n\n");
        send(
            stream,
            "200 OK",
            &format!("content-type: text/event-stream\r\n{headers}"),
            &body,
        );
    };
    match seen.method() {
        "initialize" => event(
            stream,
            "mcp-session-id: s1\r\n",
            json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "old", "version": "1"}}),
        ),
        "DELETE" => send(stream, "204 No Content", "", ""),
        _ if !seen.has("mcp-session-id: s1") => send(stream, "400 Bad Request", "", "no session"),
        "notifications/initialized" => send(stream, "202 Accepted", "", ""),
        "tools/list" => event(stream, "", json!({"tools": tools()})),
        "tools/call" => event(stream, "", json!({"content": [{"type": "text", "text": "fine"}]})),
        other => panic!("{other}"),
    }
}

fn egress() -> Egress {
    drop(rustls::crypto::ring::default_provider().install_default());
    Egress::new(true).expect("a client")
}

fn asked(address: SocketAddr, tool: Option<&str>) -> McpCall {
    McpCall {
        url: format!("http://{address}/mcp"),
        headers: vec![("authorization".to_owned(), "Bearer t0ken".to_owned())],
        tool: tool.map(str::to_owned),
        arguments: json!({"limit": 1}),
    }
}

async fn ask(address: SocketAddr, tool: Option<&str>) -> Exchange {
    call(&egress(), &asked(address, tool), WITHIN).await
}

fn found(exchange: &Exchange) -> Value {
    let response = exchange.result.as_ref().expect("an answer");
    assert_eq!(response.status, 200, "{response:?}");
    serde_json::from_slice(&response.body).expect("JSON")
}

fn methods(log: &Log) -> Vec<String> {
    let seen = log.lock().expect("no panic");
    seen.iter().map(|seen| seen.method().to_owned()).collect()
}

#[tokio::test]
async fn the_era_without_sessions() {
    let (address, log) = site(newer);
    let exchange = ask(address, Some("list_items")).await;
    let answer = found(&exchange);
    assert_eq!(
        (&answer["era"], &answer["version"]),
        (&json!("stateless"), &json!("2026-07-28"))
    );
    assert_eq!(answer["tools"].as_array().map(Vec::len), Some(5), "both pages");
    assert_eq!(answer["tools"][0], json!({"name": "list_items", "readOnly": true}));
    let said = (&answer["tool"], &answer["isError"], &answer["content"]);
    assert_eq!(said, (&json!("list_items"), &json!(false), &json!("2 items")));
    assert_eq!(
        methods(&log),
        ["server/discover", "tools/list", "tools/list", "tools/call"]
    );
    for seen in log.lock().expect("no panic").iter() {
        assert!(seen.has("authorization: bearer t0ken"), "{seen:?}");
        assert!(
            seen.has("mcp-protocol-version: 2026-07-28") && seen.has("accept: application/json, text/event-stream")
        );
    }
    assert!(
        exchange.timings.tcp_ms.is_some() && exchange.remote.is_some(),
        "{exchange:?}"
    );
}

#[tokio::test]
async fn the_era_of_sessions_and_its_leave_taking() {
    let (address, log) = site(older);
    let answer = found(&ask(address, Some("unmarked")).await);
    assert_eq!(
        (&answer["era"], &answer["version"]),
        (&json!("session"), &json!("2025-06-18"))
    );
    assert_eq!((&answer["server"], &answer["content"]), (&json!("old"), &json!("fine")));
    let seen = methods(&log);
    assert_eq!(seen[..2], ["server/discover", "initialize"], "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some("DELETE"), "{seen:?}");
    let last = log.lock().expect("no panic").last().cloned().expect("a request");
    assert!(
        last.has("mcp-session-id: s1") && last.has("authorization: bearer t0ken"),
        "{last:?}"
    );
}

#[tokio::test]
async fn what_changes_something_is_never_called() {
    for (name, refused) in [
        ("add_item", "may_write"),
        ("delete_all", "may_write"),
        ("nowhere", "unknown"),
    ] {
        let (address, log) = site(newer);
        let answer = found(&ask(address, Some(name)).await);
        assert_eq!(
            (&answer["refused"], &answer["tool"]),
            (&json!(refused), &Value::Null),
            "{name}"
        );
        assert!(!methods(&log).contains(&"tools/call".to_owned()), "{name}");
    }
    let (address, _) = site(newer);
    let answer = found(&ask(address, Some("broken")).await);
    let said = (&answer["isError"], &answer["content"]);
    assert_eq!(said, (&json!(true), &json!("the account was disconnected")));
}

#[tokio::test]
async fn the_hash_of_the_tools_changes_with_them_alone() {
    let of = |tools: Value| super::hash(&serde_json::from_value::<Vec<_>>(tools).expect("tools"));
    let form = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let a = form(r#"{"name":"a","inputSchema":{"type":"object","properties":{"x":{},"y":{}}}}"#);
    let turned = form(r#"{"description":"d","inputSchema":{"properties":{"y":{},"x":{}},"type":"object"},"name":"a"}"#);
    let other = form(r#"{"name":"a","inputSchema":{"type":"object","properties":{"x":{}}}}"#);
    let b = form(r#"{"name":"b","inputSchema":{"type":"object"}}"#);
    assert_eq!(of(json!([a, b])), of(json!([b, turned])));
    assert_ne!(of(json!([a, b])), of(json!([other, b])));
    assert_ne!(of(json!([a, b])), of(json!([a])));
}

#[tokio::test]
async fn refusals_over_http_reach_the_reading_as_they_are() {
    for (status, headers, body) in [
        (
            "401 Unauthorized",
            "www-authenticate: Bearer error=\"invalid_token\"\r\n",
            "",
        ),
        (
            "403 Forbidden",
            "www-authenticate: Bearer error=\"insufficient_scope\"\r\n",
            "",
        ),
        ("429 Too Many Requests", "retry-after: 30\r\n", ""),
        ("503 Service Unavailable", "content-type: text/html\r\n", "<html>"),
        ("404 Not Found", "", "nothing here"),
        (
            "200 OK",
            "content-type: text/html\r\n",
            "<!doctype html><title>Hello</title>",
        ),
        ("200 OK", JSON, "{\"status\":\"ok\"}"),
        ("307 Temporary Redirect", "location: http://127.0.0.1:9/\r\n", ""),
    ] {
        let (address, log) = site(move |_, stream| send(stream, status, headers, body));
        let began = Instant::now();
        let exchange = ask(address, Some("list_items")).await;
        let response = exchange.result.as_ref().expect(status);
        assert_eq!(response.status.to_string(), status[..3], "{response:?}");
        assert_eq!(String::from_utf8_lossy(&response.body), body, "{status}");
        if let Some(header) = headers.trim().split_once(": ") {
            let has = |(name, value): &(String, String)| (name.as_str(), value.as_str()) == header;
            assert!(response.headers.iter().any(has), "{response:?}");
        }
        assert!(
            began.elapsed() < WITHIN,
            "{status} is told at once: {:?}",
            began.elapsed()
        );
        assert!(methods(&log).len() <= 2, "{status}: {:?}", methods(&log));
    }
}

#[tokio::test]
async fn refusals_of_the_protocol_are_told_with_their_stage() {
    let error = |seen: &Seen, status: &str, stream: &mut TcpStream| {
        let body =
            json!({"jsonrpc": "2.0", "id": seen.message["id"], "error": {"code": -32_602, "message": "no such owner"}});
        send(stream, status, JSON, &body.to_string());
    };
    for (stage, status) in [
        ("initialize", "200 OK"),
        ("tools/list", "200 OK"),
        ("tools/call", "400 Bad Request"),
    ] {
        let (address, _) = site(move |seen, stream| {
            if seen.method() == stage || (stage == "initialize" && seen.method() == "server/discover") {
                error(seen, status, stream);
            } else {
                newer(seen, stream);
            }
        });
        let answer = found(&ask(address, Some("list_items")).await);
        let expected = json!({"stage": stage, "code": -32_602, "message": "no such owner"});
        assert_eq!(answer["error"], expected);
    }
}

#[expect(clippy::disallowed_methods, reason = "a server that lets its client wait")]
fn wait(time: Duration) {
    thread::sleep(time);
}

static LARGE: [u8; 64 << 10] = [b'x'; 64 << 10];

/// A stream that begins and goes on with this piece for ever.
fn stream_of(piece: &'static [u8], pause: Duration) -> SocketAddr {
    let streaming = site(move |_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"));
        while stream.write_all(piece).is_ok() {
            wait(pause);
        }
    });
    streaming.0
}

/// These bytes for an answer, and the connection closed.
fn saying(text: &'static [u8]) -> SocketAddr {
    let closing = site(move |_, stream| {
        drop(stream.write_all(text));
        drop(stream.shutdown(std::net::Shutdown::Both));
    });
    closing.0
}

/// A good server but for what it answers to one method.
fn but_for(method: &'static str, answer: impl Fn(&Seen) -> Value + Send + Sync + 'static) -> SocketAddr {
    let odd = site(move |seen, stream| {
        if seen.method() == method {
            result(stream, seen, answer(seen));
        } else {
            newer(seen, stream);
        }
    });
    odd.0
}

/// Each is refused with this code and, after a colon, a part of its sentence; in time.
async fn all_told(cases: impl IntoIterator<Item = (&str, SocketAddr, &str)>) {
    for (what, address, expected) in cases {
        let began = Instant::now();
        let exchange = ask(address, None).await;
        let failure = exchange.result.as_ref().expect_err(what);
        let (code, sentence) = expected.split_once(": ").unwrap_or((expected, ""));
        assert_eq!(failure.code, code, "{what}: {failure:?}");
        assert!(failure.message.contains(sentence), "{what}: {failure:?}");
        assert!(began.elapsed() < WITHIN + GRACE, "{what} took {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn each_way_to_misbehave_on_the_wire_has_its_code_in_time() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    all_told([
        (
            "says nothing",
            site(|_, _| wait(Duration::from_secs(20))).0,
            "no_answer",
        ),
        ("drips", stream_of(b":", Duration::from_millis(500)), "answer_too_slow"),
        ("never ends", stream_of(&LARGE, Duration::ZERO), "answer_too_large"),
        ("hangs up", saying(b""), "connection_closed"),
        (
            "breaks off",
            saying(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 900\r\n\r\ndata: {"),
            "answer_cut_off",
        ),
        ("is no HTTP", saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "answer_malformed"),
        ("refuses", closed.expect("a port"), "connection_refused"),
    ])
    .await;
}

#[tokio::test]
async fn each_way_to_misbehave_in_the_protocol_has_its_code_in_time() {
    let endless = but_for(
        "tools/list",
        |seen| json!({"resultType": "complete", "tools": [], "nextCursor": seen.message["id"].to_string()}),
    );
    let foreign = but_for("server/discover", |_| discovered("2031-01-01"));
    all_told([
        (
            "ends its stream without an answer",
            saying(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9\r\n\r\n: hello\n\n"),
            "mcp_not_spoken",
        ),
        (
            "lists tools for ever",
            endless,
            "mcp_not_spoken: list of its tools has no end",
        ),
        (
            "speaks a version of the future",
            foreign,
            "mcp_no_common_version: 2031-01-01",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_disturbs_no_other() {
    let hang = site(|_, _| wait(Duration::from_secs(20))).0;
    let (fine, _) = site(newer);
    let egress = egress();
    let (bad, good) = (asked(hang, None), asked(fine, Some("list_items")));
    let hanging = call(&egress, &bad, WITHIN);
    let healthy = async {
        for _ in 0..20 {
            let answer = call(&egress, &good, WITHIN).await;
            assert!(answer.timings.total_ms < 700, "{answer:?}");
            assert_eq!(found(&answer)["content"], "2 items");
        }
    };
    let (ended, ()) = tokio::join!(hanging, healthy);
    assert_eq!(ended.result.expect_err("a failure").code, "no_answer");
}

#[tokio::test]
async fn what_a_server_says_instead_is_told_shortly() {
    let (address, _) = site(|seen, stream| {
        let long = "x".repeat(100_000);
        result(stream, seen, json!({"resultType": "complete", "other": long}));
    });
    let failure = ask(address, None).await.result.expect_err("no session");
    assert_eq!(failure.code, "mcp_not_spoken");
    assert!(failure.message.len() < 500, "{} bytes", failure.message.len());
}

#[tokio::test]
async fn a_private_address_is_not_asked() {
    let (address, log) = site(newer);
    let guarded = Egress::new(false).expect("a client");
    let exchange = call(&guarded, &asked(address, None), WITHIN).await;
    let failure = exchange.result.expect_err("refused");
    assert_eq!((failure.code, failure.rung), ("address_not_allowed", Rung::Dns));
    assert!(methods(&log).is_empty());
}
