//! A fake provider's API on loopback: strict about what it is sent, remembers every request, and
//! answers one connection per thread. For the demo and the tests; nothing here is fast.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use lk_provider::{HttpRequest, HttpResponse};

/// Longest body that is read.
const BODY_MAX: usize = 1 << 20;
/// Longest head (request line and headers) that is read.
const HEAD_MAX: u64 = 64 << 10;
/// A client that says nothing for this long is cut off.
const IDLE: Duration = Duration::from_secs(10);

/// What a fake API answers. `request.url` is the path with its query; header names are lowercase.
pub trait Api: Send {
    /// The answer to one request; may change the fake's state.
    fn answer(&mut self, request: &HttpRequest) -> HttpResponse;

    /// The same with the manner in which it is sent.
    fn reply(&mut self, request: &HttpRequest) -> Reply {
        self.answer(request).into()
    }
}

/// An answer and how it is sent.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The answer.
    pub response: HttpResponse,
    /// How.
    pub manner: Manner,
}

impl From<HttpResponse> for Reply {
    fn from(response: HttpResponse) -> Self {
        Self {
            response,
            manner: Manner::Whole,
        }
    }
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// At once, with its length.
    Whole,
    /// In chunks of this many bytes.
    Chunked(usize),
    /// The head at once, the body a byte at a time with this pause between them.
    Drip(Duration),
    /// Not at all: the connection stays open.
    Stall,
    /// Half of the body, then the connection ends.
    CloseMidBody,
    /// The connection ends without a word.
    CloseAtOnce,
}

/// A running fake API; dropping it stops it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
    stop: Arc<Stop>,
}

impl Running {
    /// Where it listens, as a base URL without a slash at its end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<HttpRequest> {
        lock(&self.requests).clone()
    }
}

/// Tells every thread of a fake to end, also those that wait.
#[derive(Debug, Default)]
struct Stop(Mutex<bool>, Condvar);

impl Stop {
    fn set(&self) {
        *lock(&self.0) = true;
        self.1.notify_all();
    }

    /// Whether it is told within this time; waits no longer.
    fn within(&self, time: Duration) -> bool {
        let waited = self.1.wait_timeout_while(lock(&self.0), time, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.set();
        // Wakes the listener so that it sees the flag; if that fails it ends with the process.
        let _ = TcpStream::connect(self.address);
    }
}

/// Serves `api` on a free port of loopback.
pub fn serve(api: impl Api + 'static) -> io::Result<Running> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let running = Running {
        address: listener.local_addr()?,
        requests: Arc::default(),
        stop: Arc::default(),
    };
    let (requests, stop) = (Arc::clone(&running.requests), Arc::clone(&running.stop));
    let api = Arc::new(Mutex::new(api));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if stop.within(Duration::ZERO) {
                return;
            }
            let (api, requests, stop) = (Arc::clone(&api), Arc::clone(&requests), Arc::clone(&stop));
            thread::spawn(move || {
                let answer = |request: HttpRequest| {
                    let reply = lock(&api).reply(&request);
                    lock(&requests).push(request);
                    reply
                };
                // A broken connection is the client's affair.
                let _ = converse(stream, &stop, answer);
            });
        }
    });
    Ok(running)
}

/// A panic of one request leaves the fake usable for the next.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers the requests of one connection until one of both closes it.
fn converse(stream: TcpStream, stop: &Stop, mut answer: impl FnMut(HttpRequest) -> Reply) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        match read_request(&mut reader) {
            Ok(Some(request)) => {
                if !send(&mut writer, stop, &answer(request))? {
                    return writer.shutdown(Shutdown::Both);
                }
            }
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return write_response(&mut writer, &HttpResponse::text(400, &error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Sends an answer in its manner; false when the connection has to end.
fn send(writer: &mut TcpStream, stop: &Stop, reply: &Reply) -> io::Result<bool> {
    let response = &reply.response;
    match reply.manner {
        Manner::Whole => write_response(writer, response).map(|()| true),
        Manner::Chunked(size) => {
            writer.write_all(head(response, "transfer-encoding: chunked").as_bytes())?;
            for chunk in response.body.chunks(size.max(1)) {
                write!(writer, "{:x}\r\n", chunk.len())?;
                writer.write_all(chunk)?;
                writer.write_all(b"\r\n")?;
                writer.flush()?;
            }
            writer.write_all(b"0\r\n\r\n").map(|()| true)
        }
        Manner::Drip(pause) => {
            writer.write_all(head(response, &length(response)).as_bytes())?;
            for byte in &response.body {
                writer.write_all(std::slice::from_ref(byte))?;
                if stop.within(pause) {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Manner::Stall => {
            // Until the client gives up, seen as the end of what it sends, or the fake stops.
            writer.set_read_timeout(Some(Duration::from_millis(200)))?;
            while !stop.within(Duration::ZERO) {
                match writer.read(&mut [0; 64]) {
                    Ok(0) => break,
                    Err(error) if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => break,
                    _ => {}
                }
            }
            Ok(false)
        }
        Manner::CloseMidBody => {
            writer.write_all(head(response, &length(response)).as_bytes())?;
            writer.write_all(&response.body[..response.body.len() / 2])?;
            Ok(false)
        }
        Manner::CloseAtOnce => Ok(false),
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<HttpRequest>> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut head = reader.by_ref().take(HEAD_MAX);
    let mut line = String::new();
    if head.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(url), Some("HTTP/1.1"), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(invalid("not an HTTP/1.1 request line"));
    };
    let (method, url) = (method.to_owned(), url.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        head.read_line(&mut line)?;
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            break;
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| invalid("a header without a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = match header(&headers, "content-length") {
        Some(text) => text.parse().map_err(|_| invalid("content-length is no number"))?,
        None if header(&headers, "transfer-encoding").is_some() => return Err(invalid("send a content-length")),
        None => 0,
    };
    if length > BODY_MAX {
        return Err(invalid("the body is too long"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(HttpRequest {
        method,
        url,
        headers,
        body,
    }))
}

fn write_response(writer: &mut TcpStream, response: &HttpResponse) -> io::Result<()> {
    writer.write_all(head(response, &length(response)).as_bytes())?;
    writer.write_all(&response.body)?;
    writer.flush()
}

fn length(response: &HttpResponse) -> String {
    format!("content-length: {}", response.body.len())
}

/// Status line and headers, `framing` among them.
fn head(response: &HttpResponse, framing: &str) -> String {
    let mut text = format!("HTTP/1.1 {} \r\n{framing}\r\n", response.status);
    for (name, value) in &response.headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    text
}

/// The first value of a header, by its lowercase name.
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Counts requests and echoes what it was sent.
    struct Echo(usize);

    impl Api for Echo {
        fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
            self.0 += 1;
            let body = String::from_utf8_lossy(&request.body);
            HttpResponse::text(201, &format!("{} {} {} {body}", self.0, request.method, request.url))
        }
    }

    pub(crate) fn exchange(running: &Running, raw: &str) -> String {
        let mut stream = TcpStream::connect(running.address).unwrap();
        stream.write_all(raw.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn answers_remembers_and_keeps_connections() {
        let running = serve(Echo(0)).unwrap();
        let post = "POST /a?b=1 HTTP/1.1\r\nHost: x\r\nX-Key: k\r\nContent-Length: 2\r\n\r\nhi";
        let get = "GET /c HTTP/1.1\r\nHost: x\r\n\r\n";
        let answers = exchange(&running, &format!("{post}{get}"));
        assert!(
            answers.contains("1 POST /a?b=1 hi") && answers.contains("2 GET /c "),
            "{answers}"
        );
        let requests = running.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(header(&requests[0].headers, "x-key"), Some("k"));
    }

    #[test]
    fn refuses_what_is_not_http() {
        let running = serve(Echo(0)).unwrap();
        for raw in [
            "nonsense\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n",
        ] {
            assert!(exchange(&running, raw).starts_with("HTTP/1.1 400"), "{raw}");
        }
        assert!(running.requests().is_empty());
    }

    /// Sends every answer in one manner.
    struct Mannered(Manner);

    impl Api for Mannered {
        fn answer(&mut self, _: &HttpRequest) -> HttpResponse {
            HttpResponse::text(200, "abcdefgh")
        }
        fn reply(&mut self, request: &HttpRequest) -> Reply {
            Reply {
                response: self.answer(request),
                manner: self.0,
            }
        }
    }

    #[test]
    fn answers_come_in_their_manner() {
        let get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let answer = |manner| exchange(&serve(Mannered(manner)).unwrap(), get);
        assert!(answer(Manner::Whole).ends_with("\r\n\r\nabcdefgh"));
        assert!(answer(Manner::Chunked(5)).ends_with("5\r\nabcde\r\n3\r\nfgh\r\n0\r\n\r\n"));
        assert!(answer(Manner::Drip(Duration::from_millis(1))).ends_with("abcdefgh"));
        let half = answer(Manner::CloseMidBody);
        assert!(
            half.contains("content-length: 8") && half.ends_with("\r\n\r\nabcd"),
            "{half}"
        );
        assert_eq!(answer(Manner::CloseAtOnce), "");
        // The client's end of sending ends the stall.
        assert_eq!(answer(Manner::Stall), "");
    }
}
