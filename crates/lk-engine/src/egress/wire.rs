//! What happens on the wire, told apart: every way in which no usable answer comes has a code, and
//! each code a document.

use std::net::IpAddr;

use lk_core::Time;
use lk_core::words::{Rung, Transport};
use lk_provider::message::HttpResponse;

/// One exchange: what came back, and how long each part took.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The answer, or why there is none.
    pub result: Result<HttpResponse, WireFailure>,
    /// How long it took.
    pub timings: Timings,
    /// When the certificate that was shown ends.
    pub certificate_ends: Option<Time>,
    /// Who answered.
    pub remote: Option<IpAddr>,
}

/// Durations in milliseconds. Those of the connection are there when one was made for this exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// Resolving the name.
    pub dns_ms: Option<u32>,
    /// Connecting.
    pub tcp_ms: Option<u32>,
    /// Agreeing on TLS.
    pub tls_ms: Option<u32>,
    /// From the request to the head of the answer, a connection made for it included.
    pub wait_ms: Option<u32>,
    /// All of it.
    pub total_ms: u32,
    /// Whether a connection was used that an earlier exchange had made.
    pub reused: bool,
}

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WireFailure {
    /// Where on the ladder.
    pub rung: Rung,
    /// Stable name; error rules lead from it to a document.
    pub code: &'static str,
    /// How it failed, in the words of the error rules.
    pub transport: Option<Transport>,
    /// One sentence.
    pub message: String,
}

/// Declares the ways to fail: name, rung, code, transport, sentence.
macro_rules! ways {
    ($($(#[$meta:meta])* $name:ident: $rung:ident, $code:literal, $transport:expr, $sentence:literal;)+) => {
        impl WireFailure {
            $($(#[$meta])* pub(crate) fn $name() -> Self {
                Self { rung: Rung::$rung, code: $code, transport: $transport, message: $sentence.to_owned() }
            })+

            /// Every code, for the test that each has its document.
            pub const CODES: &'static [&'static str] = &[$($code,)+];
        }
    };
}

ways! {
    /// The address is not one that can be called.
    bad_address: Dns, "address_not_usable", None, "The address is not an http or https address.";
    /// The address is private and that is not allowed.
    not_allowed: Dns, "address_not_allowed", None, "The address leads to this machine or a private network, which is not allowed.";
    /// The name is not known.
    no_such_name: Dns, "name_not_found", Some(Transport::Dns), "The host name is not known.";
    /// No answer from name servers.
    name_timeout: Dns, "name_timeout", Some(Transport::Dns), "No name server answered in time.";
    /// Refused.
    refused: Tcp, "connection_refused", Some(Transport::Connect), "The connection was refused.";
    /// No route.
    unreachable: Tcp, "host_unreachable", Some(Transport::Connect), "The host cannot be reached from here.";
    /// Nobody answered the connection.
    connect_timeout: Tcp, "connect_timeout", Some(Transport::Timeout), "Nobody answered the connection in time.";
    /// The connection failed otherwise.
    not_connected: Tcp, "connection_failed", Some(Transport::Connect), "The connection could not be made.";
    /// Out of date.
    certificate_expired: Tls, "certificate_expired", Some(Transport::Tls), "The certificate has expired.";
    /// Not valid yet.
    certificate_early: Tls, "certificate_not_yet_valid", Some(Transport::Tls), "The certificate is not valid yet.";
    /// For another name.
    certificate_name: Tls, "certificate_wrong_name", Some(Transport::Tls), "The certificate is made for another name.";
    /// From nobody we know.
    certificate_issuer: Tls, "certificate_unknown_issuer", Some(Transport::Tls), "The certificate is signed by somebody who is not trusted.";
    /// Otherwise.
    tls: Tls, "tls_failed", Some(Transport::Tls), "TLS could not be agreed on.";
    /// No answer to the handshake.
    tls_timeout: Tls, "tls_timeout", Some(Transport::Tls), "The TLS handshake was not answered in time.";
    /// Connected, and then nothing.
    no_answer: Http, "no_answer", Some(Transport::Timeout), "The connection was made, but no answer came in time.";
    /// An answer that does not end.
    too_slow: Http, "answer_too_slow", Some(Transport::Timeout), "The answer began and did not end in time.";
    /// Larger than is read.
    too_large: Http, "answer_too_large", None, "The answer is larger than is read.";
    /// Closed in the middle.
    cut_off: Http, "answer_cut_off", Some(Transport::Reset), "The connection broke in the middle of the answer.";
    /// Closed before anything.
    hung_up: Http, "connection_closed", Some(Transport::Reset), "The connection was closed before an answer.";
    /// Not HTTP.
    malformed: Http, "answer_malformed", None, "What came back is not a well-formed HTTP answer.";
    /// Round and round.
    redirects: Http, "redirect_loop", None, "There are more than five redirects in a row.";
    /// Led somewhere we do not go.
    redirect: Http, "redirect_not_followed", None, "The redirect leads somewhere that is not followed.";
    /// Answers, but in another protocol than the one asked in.
    other_protocol: Http, "mcp_not_spoken", None, "The server answers, but not in the Model Context Protocol.";
    /// Speaks it in versions that we do not.
    no_common_version: Http, "mcp_no_common_version", None, "The server speaks no version of the Model Context Protocol that we know.";
    /// Our request is malformed.
    bad_request: Http, "request_not_usable", None, "The request cannot be sent: a method, header or address is not valid.";
}

impl WireFailure {
    /// The same with what the machine says of it.
    #[must_use]
    pub(crate) fn because(mut self, detail: &str) -> Self {
        let detail = detail.trim();
        if !detail.is_empty() {
            self.message = format!("{} ({detail})", self.message);
        }
        self
    }
}
