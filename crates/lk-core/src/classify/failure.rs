//! A failure as the rules see it.

use crate::words::Transport;

/// One failed call or one failure told by a webhook. Text fields are redacted already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// The provider's key.
    pub provider: String,
    /// What was attempted: `payroll.submit`, `POST /v1/invoices/123`, or an event type.
    pub operation: String,
    /// HTTP status of the answer, or the one its body states.
    pub http_status: Option<u16>,
    /// The provider's own codes, the most specific first (a decline reason before `card_declined`).
    pub codes: Vec<String>,
    /// The field or record path the provider blames, e.g. `line_items[0].amount`.
    pub field: Option<String>,
    /// What the provider said, in its words.
    pub message: String,
    /// Set when no HTTP answer arrived.
    pub transport: Option<Transport>,
    /// The answer was an HTML page where data was expected; `message` is then its title.
    pub html: bool,
}

impl Failure {
    /// The most specific code of the provider.
    pub fn code(&self) -> Option<&str> {
        self.codes.first().map(String::as_str)
    }
}
