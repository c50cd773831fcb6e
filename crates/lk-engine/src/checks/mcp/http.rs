//! The HTTP side of a session: our own client under the protocol's library, so that guard, caps and
//! times hold. What ends a session is noted here, in our words, the moment it is seen.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use http::{HeaderName, HeaderValue, StatusCode};
use lk_provider::message::{HttpRequest, HttpResponse};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData, RequestId, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use sse_stream::{Sse, SseStream};
use tokio::sync::SetOnce;

use crate::egress::{Coming, Conversation, WireFailure};

/// Both forms in which an answer may come.
const ACCEPT: &str = "application/json, text/event-stream";
/// The header that names a session.
const SESSION: &str = "mcp-session-id";
/// Headers that the protocol sets; those of the settings do not replace them.
const RESERVED: [&str; 4] = ["accept", "content-type", SESSION, "last-event-id"];
/// Characters of a refusal that the library is told; the whole of it is noted beside.
const TOLD_CHARS: usize = 200;

/// What ended a session.
#[derive(Debug, Clone)]
pub(super) enum Cut {
    /// No usable answer.
    Wire(WireFailure),
    /// An answer that is none of the protocol.
    Answer(HttpResponse),
}

/// The session is over; why is noted beside.
#[derive(Debug, thiserror::Error)]
#[error("the session was ended")]
pub(super) struct Ended;

type Failure = StreamableHttpError<Ended>;
type Headers = HashMap<HeaderName, HeaderValue>;

/// Sends what the protocol's library wants sent.
#[derive(Clone)]
pub(super) struct Wires {
    pub(super) conversation: Conversation,
    pub(super) cut: Arc<SetOnce<Cut>>,
}

impl Wires {
    pub(super) fn new(conversation: Conversation) -> Self {
        Self {
            conversation,
            cut: Arc::default(),
        }
    }

    fn end(&self, cut: Cut) -> Failure {
        // The first reason is the reason.
        drop(self.cut.set(cut));
        StreamableHttpError::Client(Ended)
    }

    async fn post(
        &self,
        url: &str,
        message: &ClientJsonRpcMessage,
        session: Option<&str>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let mut request = request("POST", url, session, headers);
        request
            .headers
            .push(("content-type".to_owned(), "application/json".to_owned()));
        request.body = serde_json::to_vec(message)?;
        let coming = self.conversation.ask(&request).await;
        let coming = coming.map_err(|failure| self.end(Cut::Wire(failure)))?;
        let Some(asked) = Asked::of(message) else {
            return self.noticed(coming).await;
        };
        let status = coming.status();
        let session = coming.header(SESSION).map(str::to_owned);
        if status.is_success() && is_stream(&coming) {
            return Ok(StreamableHttpPostResponse::Sse(self.events(coming), session));
        }
        let answer = coming.read().await.map_err(|failure| self.end(Cut::Wire(failure)))?;
        match asked.understand(status, &answer) {
            Some(message) => Ok(StreamableHttpPostResponse::Json(message, session)),
            None => Err(self.end(Cut::Answer(answer))),
        }
    }

    /// The answer to a message that asks for none: only a refusal of the caller means anything.
    async fn noticed(&self, coming: Coming) -> Result<StreamableHttpPostResponse, Failure> {
        if !refuses(coming.status()) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let answer = coming.read().await.map_err(|failure| self.end(Cut::Wire(failure)))?;
        Err(self.end(Cut::Answer(answer)))
    }

    fn events(&self, coming: Coming) -> BoxStream<'static, Result<Sse, SseError>> {
        let ours = self.clone();
        let bytes = coming.stream().map_err(move |failure| {
            drop(ours.cut.set(Cut::Wire(failure)));
            Ended
        });
        SseStream::from_bytes_stream(bytes).boxed()
    }
}

/// A message that asks for an answer.
struct Asked {
    id: RequestId,
    /// It asks whether the server is of the newer era; one of the older refuses in many ways.
    discovers: bool,
}

impl Asked {
    fn of(message: &ClientJsonRpcMessage) -> Option<Self> {
        match message {
            ClientJsonRpcMessage::Request(request) => Some(Self {
                id: request.id.clone(),
                discovers: matches!(request.request, ClientRequest::DiscoverRequest(_)),
            }),
            _ => None,
        }
    }

    /// The answer as a message of the protocol, if it is one.
    fn understand(&self, status: StatusCode, answer: &HttpResponse) -> Option<ServerJsonRpcMessage> {
        if refuses(status) {
            return self.told_error(answer).filter(|_| status.is_server_error());
        }
        if self.discovers && !status.is_success() {
            let old = || ErrorData::invalid_request(format!("refused with HTTP {}", status.as_u16()), None);
            let error = match serde_json::from_slice(&answer.body) {
                Ok(ServerJsonRpcMessage::Error(told)) => told.error,
                _ => old(),
            };
            return Some(ServerJsonRpcMessage::error(error, Some(self.id.clone())));
        }
        if status.is_success() {
            return serde_json::from_slice(&answer.body).ok();
        }
        self.told_error(answer)
    }

    /// An error of the protocol in an answer that HTTP calls a failure. Whoever refuses before
    /// reading the message cannot name it, so it is named here.
    fn told_error(&self, answer: &HttpResponse) -> Option<ServerJsonRpcMessage> {
        match serde_json::from_slice(&answer.body) {
            Ok(ServerJsonRpcMessage::Error(mut told)) => {
                told.error.message = told.error.message.chars().take(TOLD_CHARS).collect::<String>().into();
                Some(ServerJsonRpcMessage::error(told.error, Some(self.id.clone())))
            }
            _ => None,
        }
    }
}

/// Statuses that mean the caller or the server whatever the body says.
fn refuses(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401 | 403 | 407 | 429) || status.is_server_error()
}

fn is_stream(coming: &Coming) -> bool {
    let kind = coming.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("text/event-stream")
}

fn request(method: &str, url: &str, session: Option<&str>, headers: Headers) -> HttpRequest {
    let mut all = vec![("accept".to_owned(), ACCEPT.to_owned())];
    all.extend(session.map(|id| (SESSION.to_owned(), id.to_owned())));
    for (name, value) in &headers {
        if let Ok(value) = value.to_str() {
            all.push((name.to_string(), value.to_owned()));
        }
    }
    HttpRequest {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: all,
        body: Vec::new(),
    }
}

/// The headers of the settings as the library takes them; what the protocol sets itself is left out.
pub(super) fn headers(given: &[(String, String)]) -> Result<Headers, WireFailure> {
    let mut headers = Headers::new();
    for (name, value) in given {
        if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
            continue;
        }
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| WireFailure::bad_request())?;
        let value = HeaderValue::from_str(value).map_err(|_| WireFailure::bad_request())?;
        headers.insert(name, value);
    }
    Ok(headers)
}

impl StreamableHttpClient for Wires {
    type Error = Ended;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _auth: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        self.post(&uri, &message, session_id.as_deref(), headers).await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        _auth: Option<String>,
        headers: Headers,
    ) -> Result<(), Failure> {
        // How a server takes our leave changes nothing of what was found.
        drop(
            self.conversation
                .ask(&request("DELETE", &uri, Some(&session_id), headers))
                .await,
        );
        Ok(())
    }

    async fn get_stream(
        &self,
        _uri: Arc<str>,
        _session_id: Option<Arc<str>>,
        _last_event_id: Option<String>,
        _auth: Option<String>,
        _headers: Headers,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        // A check waits for nothing the server might say unasked.
        Err(StreamableHttpError::ServerDoesNotSupportSse)
    }
}
