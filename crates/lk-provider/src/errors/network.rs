//! HTTP statuses and network failures as programs print them.

use std::sync::LazyLock;

use lk_core::words::Transport;
use regex::Regex;
use regex::bytes::{RegexSet, RegexSetBuilder};

/// Ways a status is printed; the first group that is a failing status counts.
static STATUS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(?i)\bHttpError:? ?\(?(?:status:? ?)?(\d{3})\b",
        r"(?i)\bHTTP(?:/\d(?:\.\d)?)?[ -]?(?:Error|Status(?: Code)?|Code|Response)?:? ?=?(\d{3})\b",
        r#"(?i)\bstatus(?:[ _-]?code)?["']?\s*(?:[:=]|of|is)?\s*["']?(\d{3})\b"#,
        r"(?i)\b(?:server response|responded with(?: an?)?(?: status)?|response|response code was|returned(?: an?)?|request failed with|failed with|received) ?:?(?: error| status)?(?: code)?:? (\d{3})\b",
        r"\b(?:GET|PUT|POST|PATCH|DELETE) https?://\S+ (\d{3})\b",
        r"\((\d{3})\)",
        r"\[(\d{3})[\]=]",
        r"^(?:[\w. ]*[Ee]rror:? )?\W?(\d{3})(?::| [A-Za-z]| ?$| -)",
        r"(?i)\bCode:? ?(\d{3})\b",
        r": (\d{3}) (?:- |[A-Z\{'])",
        r"(?i)\b(\d{3}):? (?:Bad Request|Unauthorized|Payment Required|Forbidden|Not Found|Method Not Allowed|Conflict|Gone|Unprocessable|Too Many Requests|Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time)",
    ]
    .iter()
    .filter_map(|p| Regex::new(p).ok())
    .collect()
});

/// The failing status a text states.
pub(super) fn status(text: &str) -> Option<u16> {
    let text = super::head(text, 2000);
    STATUS.iter().find_map(|p| {
        p.captures_iter(text)
            .find_map(|c| c.get(1)?.as_str().parse().ok().filter(|s| (400..600).contains(s)))
    })
}

/// Signs of a network failure in the order they are asked: TLS before a reset that it causes.
const SIGNS: [(Transport, &str); 5] = [
    (
        Transport::Dns,
        r"\b(enotfound|eai_again|eai_noname|eai_nodata|getaddrinfo|gaierror|nxdomain|unknownhostexception|err_name_not_resolved|servfail)\b|no such host|name or service not known|(could not|couldn't|cannot|can't|failed to|unable to) resolve( the)?( host| hostname| address| proxy)|name resolution|nodename nor servname|no address associated with hostname|name has no usable address|dns (lookup|resolution|error|name does not exist)|server misbehaving",
    ),
    (
        Transport::Tls,
        r"\b(err_)?cert_[a-z_]+\b|\bx509\b|\berr_(tls|ssl)_|\b(eproto|sslerror|sslhandshakeexception|sslv3_alert[a-z_]*|ssl_error[a-z_]*|unable_to_verify_leaf_signature|depth_zero_self_signed_cert|self_signed_cert_in_chain|unable_to_get_issuer_cert[a-z_]*|cert_has_expired)\b|(ssl|tls)[ _:]?(handshake|alert|routines|certificate|connection|error)|certificate[ _]verify[ _]failed|self[- ]signed certificate|unable to (verify the first certificate|get local issuer)|wrong version number|handshake[ _]failure|certificate (has expired|is not valid|is not yet valid|signed by unknown|is valid for|is not trusted|verification)|hostname\S* (does not|doesn't) match|(does not|doesn't) match (the )?certificate|\bpkix\b|\bremote error: tls|\btls:|unsupported protocol|unexpected_eof_while_reading|ssl peer certificate|schannel",
    ),
    (
        Transport::Timeout,
        r"\b(etimedout|esockettimedout|connecttimeout|connecttimeouterror|readtimeout|readtimeouterror|sockettimeoutexception|und_err_(connect|headers|body)_timeout|timeouterror|err_timed_out|err_connection_timed_out|connect_timeout|read_timeout|httpx\.\w*timeout)\b|(connect|connection|connecting|read|request|operation|socket|dial|i/o|fetch|response|handshake|server|query|call|session|websocket|pong)\S*( has| was| have)? ?timed[ -]?out|\btimed out (after|waiting|while|connecting|reading)|\btimeout (of \d+|exceeded|after|was reached|expired|while|waiting|awaiting)|(i/o|read|connect|connection|request|network|socket|client|server|idle|http) timeout|context deadline exceeded|deadline_exceeded|client\.timeout|no response (was )?received|before the timeout|:timeout\b|took too long to respond|curl error 28|^(error: )?(the )?(operation |request )?timed out\.?$|^timeout$",
    ),
    (
        Transport::Connect,
        r"\b(econnrefused|ehostunreach|enetunreach|ehostdown|eaddrnotavail|newconnectionerror|err_connection_refused|connectexception|conn_refused)\b|connection refused|connection was refused|refused (the|to) connect|actively refused|no route to host|(network|host) is unreachable|(failed|unable) to (establish a( new)? connection|connect to)|(couldn't|could not|cannot|can't) (connect|reach|establish a connection)|curl error 7\b|max retries exceeded|connection attempt failed|tunneling socket could not|tunnel connection failed",
    ),
    (
        Transport::Reset,
        r"\b(econnreset|epipe|econnaborted|remotedisconnected|und_err_socket|err_stream_premature_close|err_http2_[a-z_]+|err_connection_reset|err_connection_closed|incompleteread|chunkedencodingerror|protocolerror|econnclosed)\b|socket hang ?up|connection (was )?(reset|aborted|closed|lost|dropped|terminated)|(reset|closed|terminated) by (the )?(remote |peer|server)|forcibly closed|premature close|broken pipe|unexpected eof|\beof\b.*(read|post|get|put)|(post|get|put) \S+: eof|server closed the connection|remote end closed|other side closed|terminated unexpectedly|goaway|stream (was )?(reset|closed|error)|network (connection was lost|socket disconnected)|client network socket disconnected|empty reply from server|fetch failed|network error|websocket (is |was )?closed|websocket connection .{0,120}failed|failed to send a request|disconnect/reset before headers|incomplete chunked|transfer closed|an error occurred with our connection|curl error (52|55|56)|connection error\b|apiconnectionerror|stripeconnectionerror|failed to fetch|load failed",
    ),
];

static SIGN_SET: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    let signs = SIGNS.iter().map(|(_, p)| p);
    RegexSetBuilder::new(signs).unicode(false).build().ok()
});

/// How a call failed before an answer, when codes or words say so. With a code that rules know,
/// only codes count: `webhook_timeout` is no timeout of ours.
pub(crate) fn transport(codes: &[String], message: &str, known: bool) -> Option<Transport> {
    let mut text = codes.join(" ").to_ascii_lowercase();
    if !known {
        text.push(' ');
        text.push_str(
            &super::head(message, 2000)
                .to_ascii_lowercase()
                .replace('\n', " ")
                .replace(['\u{2019}', '\u{2018}'], "'"),
        );
    }
    let text = text.trim();
    let found = SIGN_SET.as_ref()?.matches(text.as_bytes());
    if known
        && !codes
            .iter()
            .any(|c| c.starts_with('E') && c.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
    {
        return None;
    }
    found.iter().next().map(|i| SIGNS[i].0)
}
