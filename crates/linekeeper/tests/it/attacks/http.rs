//! A client that says exactly what it is told to: any header, any cookie, from any address of this
//! machine.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::Server;

/// Longest wait for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// An answer read whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    /// Reads one from the bytes of a connection that has ended.
    pub(crate) fn read(raw: &[u8]) -> Self {
        let at = raw.windows(4).position(|window| window == b"\r\n\r\n");
        let at = at.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(raw)));
        let head = String::from_utf8_lossy(&raw[..at]).into_owned();
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let pair = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = lines.filter_map(pair).collect();
        let chunked = headers.iter().any(|(n, v)| n == "transfer-encoding" && v == "chunked");
        let body = &raw[at + 4..];
        let body = if chunked { unchunked(body) } else { body.to_vec() };
        Self {
            status: status.unwrap_or_else(|| panic!("no status: {first}")),
            headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text))
    }

    /// The error's code; empty when this is no error of ours.
    pub(crate) fn error(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        body["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Status and error's code, to compare with what must be.
    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status, self.error())
    }

    /// Every cookie that was set, as name and value.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let set = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        set.filter_map(|(_, value)| value.split(';').next()?.split_once('='))
    }

    /// The cookie that was set, as `name=value`.
    pub(crate) fn cookie(&self) -> String {
        let set = self
            .header("set-cookie")
            .unwrap_or_else(|| panic!("no cookie: {self:?}"));
        set.split(';').next().unwrap_or_default().to_owned()
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(at) = body.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&body[..at]), 16).unwrap_or(0);
        let from = at + 2;
        if size == 0 || from + size > body.len() {
            break;
        }
        whole.extend_from_slice(&body[from..from + size]);
        body = body.get(from + size + 2..).unwrap_or_default();
    }
    whole
}

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

/// A request to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    line: String,
    headers: String,
    body: Vec<u8>,
    from: Option<IpAddr>,
}

impl Ask {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            line: format!("{method} {path} HTTP/1.1\r\n"),
            headers: String::new(),
            body: Vec::new(),
            from: None,
        }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A POST with a JSON body.
    pub(crate) fn post(path: &str, body: &Value) -> Self {
        Self::new("POST", path).json(body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.extend([name, ": ", value, "\r\n"]);
        self
    }

    /// A body of any kind.
    pub(crate) fn body(mut self, kind: &str, body: &[u8]) -> Self {
        body.clone_into(&mut self.body);
        self.header("content-type", kind)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().as_bytes())
    }

    /// With the browser's cookie and its token.
    pub(crate) fn by(self, browser: &Browser) -> Self {
        self.header("cookie", &browser.cookie)
            .header("x-csrf-token", &browser.csrf)
    }

    /// With an API key.
    pub(crate) fn with_key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// From another address of this machine.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.from = Some(address.parse().expect("an address"));
        self
    }

    /// As a proxy that the server trusts says.
    pub(crate) fn through_proxy_for(self, client: &str) -> Self {
        self.header("x-forwarded-for", client)
    }

    /// Sends it and reads the answer.
    pub(crate) async fn send(self, server: &Server) -> Answer {
        self.send_to(&server.url).await
    }

    /// The same to any address, such as `http://127.0.0.1:8080`.
    pub(crate) async fn send_to(self, url: &str) -> Answer {
        let line = self.line.clone();
        let mut stream = self.open_at(url).await;
        let mut raw = Vec::new();
        let read = tokio::time::timeout(ANSWER_WITHIN, stream.read_to_end(&mut raw)).await;
        assert!(read.is_ok(), "no answer in time: {line}");
        Answer::read(&raw)
    }

    /// Sends it and gives the connection, for streams.
    pub(crate) async fn open(self, server: &Server) -> TcpStream {
        self.open_at(&server.url).await
    }

    async fn open_at(self, url: &str) -> TcpStream {
        let mut stream = connect_to(url, self.from).await;
        let authority = url.trim_start_matches("http://");
        let host = if self.headers.to_ascii_lowercase().contains("\r\nhost:") || self.headers.starts_with("host:") {
            String::new()
        } else {
            format!("host: {authority}\r\n")
        };
        let length = self.body.len();
        let head = format!(
            "{}{host}connection: close\r\ncontent-length: {length}\r\n{}\r\n",
            self.line, self.headers
        );
        stream.write_all(head.as_bytes()).await.expect("is sent");
        // A server that refuses the head may close before it has read the body.
        drop(stream.write_all(&self.body).await);
        stream
    }
}

/// A connection from this address of the machine.
pub(crate) async fn connect(server: &Server, from: Option<IpAddr>) -> TcpStream {
    connect_to(&server.url, from).await
}

async fn connect_to(url: &str, from: Option<IpAddr>) -> TcpStream {
    let address: SocketAddr = url.trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    if let Some(from) = from {
        socket
            .bind(SocketAddr::new(from, 0))
            .expect("an address of this machine");
    }
    socket.connect(address).await.expect("connects")
}
