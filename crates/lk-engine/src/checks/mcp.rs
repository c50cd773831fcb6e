//! A check of a Model Context Protocol server: open a session in whichever era it speaks, list its
//! tools, call one that only reads, take leave. Everything within the time of the check.

mod http;

use std::time::Duration;

use lk_provider::check::McpCall;
use lk_provider::message::HttpResponse;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ClientConfig, ErrorData,
    Implementation, PaginatedRequestParams, ProtocolVersion, ServerPeerInfo, Tool,
};
use rmcp::service::{ClientInitializeError, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::NeverRetry;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceError};
use serde_json::{Value, json};
use tokio::time::Instant;

use self::http::{Cut, Wires, headers};
use crate::egress::{Conversation, Egress, Exchange, MAX_RESPONSE_BYTES, WireFailure};

/// Pages of tools that are read.
const MAX_PAGES: usize = 50;
/// Tools that are kept; a server with more is not one that a person set up.
const MAX_TOOLS: usize = 5_000;
/// Characters kept of a tool's answer.
const MAX_CONTENT: usize = 16 << 10;
/// Characters kept of what came instead of an answer: a server may say anything.
const MAX_DETAIL: usize = 200;
/// The longest leave-taking, within what is left of the check's time.
const LEAVE_WITHIN: Duration = Duration::from_millis(500);

type Session = RunningService<RoleClient, ClientConfig>;

/// Why a session came to nothing, where HTTP had no part in it.
enum Trouble {
    /// In the words of the wire.
    Wire(WireFailure),
    /// The server refused a request of the protocol.
    Refused { stage: &'static str, error: ErrorData },
}

/// Makes one session. The answer is the JSON that [`McpCall`] describes, or the server's own where
/// it refused over HTTP (401, 403, 429, a page).
pub(super) async fn call(egress: &Egress, call: &McpCall, within: Duration) -> Exchange {
    let conversation = Conversation::new(egress);
    let wires = Wires::new(conversation.clone());
    let deadline = Instant::now() + within;
    let ended = tokio::select! {
        // What HTTP saw comes first: the library's own word for it says less.
        biased;
        cut = wires.cut.wait() => Err(Some(cut.clone())),
        ended = tokio::time::timeout_at(deadline, hold(wires.clone(), call, deadline)) => match ended {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(trouble)) => match wires.cut.get() {
                Some(cut) => Err(Some(cut.clone())),
                None => trouble.told(),
            },
            Err(_) => Err(None),
        },
    };
    conversation.end(match ended {
        Ok(found) => Ok(HttpResponse::json(200, &found)),
        Err(Some(Cut::Wire(failure))) => Err(failure),
        Err(Some(Cut::Answer(answer))) => Ok(answer),
        Err(None) => Err(conversation.out_of_time()),
    })
}

impl Trouble {
    fn told(self) -> Result<Value, Option<Cut>> {
        match self {
            Self::Wire(failure) => Err(Some(Cut::Wire(failure))),
            Self::Refused { stage, error } => Ok(json!({
                "error": { "stage": stage, "code": error.code.0, "message": error.message },
            })),
        }
    }

    /// The session ended or what came was no answer to what was asked.
    fn other(detail: &str) -> Self {
        let detail: String = detail.chars().take(MAX_DETAIL).collect();
        Self::Wire(WireFailure::other_protocol().because(&detail))
    }

    fn at(stage: &'static str) -> impl Fn(ServiceError) -> Self {
        move |error| match error {
            ServiceError::McpError(error) => Self::Refused { stage, error },
            other => Self::other(&other.to_string()),
        }
    }
}

/// Why no session was opened.
fn not_opened(error: ClientInitializeError) -> Trouble {
    match error {
        ClientInitializeError::JsonRpcError(error) => Trouble::Refused {
            stage: "initialize",
            error,
        },
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => not_opened(*fallback),
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            let theirs: Vec<&str> = server_supported.iter().map(ProtocolVersion::as_str).collect();
            Trouble::Wire(
                WireFailure::no_common_version()
                    .because(&theirs.join(", ").chars().take(MAX_DETAIL).collect::<String>()),
            )
        }
        other => Trouble::other(&other.to_string()),
    }
}

/// Opens a session, asks, and takes leave.
async fn hold(wires: Wires, call: &McpCall, deadline: Instant) -> Result<Value, Trouble> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(call.url.as_str())
        .custom_headers(headers(&call.headers).map_err(Trouble::Wire)?)
        .max_sse_event_size(MAX_RESPONSE_BYTES)
        .max_json_response_size(MAX_RESPONSE_BYTES)
        .reinit_on_expired_session(false);
    config.retry_config = std::sync::Arc::new(NeverRetry::default());
    let transport = StreamableHttpClientTransport::with_client(wires, config);
    let ourselves = Implementation::new("linekeeper", env!("CARGO_PKG_VERSION"));
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    };
    let mut session = ClientConfig::new(ClientCapabilities::default(), ourselves)
        .serve_with_lifecycle(transport, lifecycle)
        .await
        .map_err(not_opened)?;
    let found = ask(&session, call).await;
    let left = deadline.saturating_duration_since(Instant::now());
    // An older server keeps the session until it is told; that it was told late changes nothing.
    drop(session.close_with_timeout(left.min(LEAVE_WITHIN)).await);
    found
}

/// What the session is for.
async fn ask(session: &Session, call: &McpCall) -> Result<Value, Trouble> {
    let peer = session.peer_info();
    let peer = peer.as_deref();
    let version = peer.map(|peer| &peer.protocol_version);
    let newer = version.is_some_and(|version| !version.has_initialize());
    let tools = tools(session, peer).await?;
    let mut found = json!({
        "era": if newer { "stateless" } else { "session" },
        "version": version.map(ProtocolVersion::as_str),
        "server": peer.and_then(|peer| peer.server_info.as_ref()).map(|server| &server.name),
        "tools": tools.iter().map(|tool| json!({ "name": tool.name, "readOnly": only_reads(tool) })).collect::<Vec<_>>(),
        "toolsHash": hash(&tools),
        "tool": null,
        "refused": null,
        "isError": null,
        "content": null,
    });
    let Some(wanted) = call.tool.as_deref() else {
        return Ok(found);
    };
    match tools.iter().find(|tool| tool.name == wanted) {
        None => found["refused"] = json!("unknown"),
        Some(tool) if may_write(tool) => found["refused"] = json!("may_write"),
        Some(_) => {
            let result = run(session, wanted, &call.arguments).await?;
            found["tool"] = json!(wanted);
            found["isError"] = json!(result.is_error.unwrap_or(false));
            found["content"] = json!(text(&result));
        }
    }
    Ok(found)
}

/// Every page of the server's tools; none where it says that it has none.
async fn tools(session: &Session, peer: Option<&ServerPeerInfo>) -> Result<Vec<Tool>, Trouble> {
    const STAGE: &str = "tools/list";
    let mut tools = Vec::new();
    if peer.is_some_and(|peer| peer.capabilities.tools.is_none()) {
        return Ok(tools);
    }
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let asked = PaginatedRequestParams::default().with_cursor(cursor.clone());
        let page = session.list_tools(Some(asked)).await.map_err(Trouble::at(STAGE))?;
        tools.extend(page.tools);
        if page.next_cursor.is_none() {
            return Ok(tools);
        }
        if page.next_cursor == cursor || tools.len() > MAX_TOOLS {
            break;
        }
        cursor = page.next_cursor;
    }
    Err(Trouble::other("the list of its tools has no end"))
}

/// Whether the server says that the tool only reads.
fn only_reads(tool: &Tool) -> Option<bool> {
    tool.annotations.as_ref().and_then(|hints| hints.read_only_hint)
}

/// Whether the server says that the tool changes something. One of which nothing is said is called:
/// a person chose it by name, and most servers say nothing of any tool.
fn may_write(tool: &Tool) -> bool {
    let destroys = tool.annotations.as_ref().and_then(|hints| hints.destructive_hint);
    match only_reads(tool) {
        Some(reads) => !reads,
        None => destroys == Some(true),
    }
}

async fn run(session: &Session, tool: &str, arguments: &Value) -> Result<CallToolResult, Trouble> {
    const STAGE: &str = "tools/call";
    let mut asked = CallToolRequestParams::new(tool.to_owned());
    if let Value::Object(arguments) = arguments {
        asked = asked.with_arguments(arguments.clone());
    }
    let refused = |message: &'static str| Trouble::Refused {
        stage: STAGE,
        error: ErrorData::invalid_request(message, None),
    };
    match session.call_tool_once(asked).await.map_err(Trouble::at(STAGE))? {
        CallToolResponse::Complete(result) => Ok(result),
        CallToolResponse::InputRequired(_) => Err(refused("the tool asks a person for input")),
        _ => Err(refused("the tool answers with a task, not with a result")),
    }
}

/// The text of a tool's answer, or its structure where it has no text.
fn text(result: &CallToolResult) -> String {
    let parts = result.content.iter().filter_map(|part| part.as_text());
    let text = parts.map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n");
    let structure = result.structured_content.as_ref().filter(|_| text.is_empty());
    let text = structure.map_or(text, Value::to_string);
    text.chars().take(MAX_CONTENT).collect()
}

/// A hash of names and input forms that does not depend on any order: it changes when the tools do.
fn hash(tools: &[Tool]) -> String {
    let mut each: Vec<[u8; 32]> = tools
        .iter()
        .map(|tool| {
            let mut hasher = blake3::Hasher::new();
            let form = Value::Object((*tool.input_schema).clone());
            feed(&mut hasher, &Value::from(tool.name.as_ref()));
            feed(&mut hasher, &form);
            *hasher.finalize().as_bytes()
        })
        .collect();
    each.sort_unstable();
    let all = blake3::hash(&each.concat());
    all.to_hex().chars().take(16).collect()
}

fn feed(hasher: &mut blake3::Hasher, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            hasher.update(b"{");
            for (name, value) in fields {
                feed(hasher, &Value::from(name.as_str()));
                feed(hasher, value);
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                feed(hasher, item);
            }
            hasher.update(b"]");
        }
        plain => {
            let text = plain.to_string();
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
