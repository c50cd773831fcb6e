//! What a verified delivery tells.

use lk_core::Time;
use lk_core::classify::Failure;
use lk_core::words::Outcome;

use crate::Redacted;

/// One thing a delivery tells; a delivery that carries a batch gives several.
#[derive(Debug, Clone)]
pub struct Item {
    /// The provider's own identification of this item, stable over its retries; a hash of the
    /// content where the provider gives none. Unique within the integration, at most 200 bytes.
    pub delivery_key: String,
    /// When it happened by the provider's clock; `None` where it does not say.
    pub occurred_at: Option<Time>,
    /// The provider's own event type, at most 120 bytes.
    pub event_type: String,
    /// The provider's account the item belongs to, where it says.
    pub account: Option<String>,
    /// How what it tells of ended; `None` for neutral items.
    pub outcome: Option<Outcome>,
    /// The failure to classify, when `outcome` is a failure; its message is redacted.
    pub failure: Option<Failure>,
    /// One line for people, redacted.
    pub summary: String,
    /// The item as JSON text, redacted.
    pub payload: Redacted<String>,
}

/// Why a verified body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnreadableCause {
    /// Neither JSON nor a form, or cut off.
    Syntax,
    /// Not UTF-8.
    Encoding,
    /// Nested deeper than the limit.
    TooDeep,
    /// More items than a delivery may carry.
    TooMany,
    /// The sender gave nothing at all.
    Empty,
}

impl UnreadableCause {
    /// A sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Syntax => "The signature is valid, but the body is neither complete JSON nor a form.",
            Self::Encoding => "The signature is valid, but the body is not UTF-8 text.",
            Self::TooDeep => "The signature is valid, but the body is nested too deeply to read.",
            Self::TooMany => "The signature is valid, but the delivery carries more items than accepted.",
            Self::Empty => "The signature is valid, but the body is empty.",
        }
    }
}

/// A verified delivery whose body cannot be read: stored as quarantined, answered 200.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Why.
    pub cause: UnreadableCause,
    /// The provider's delivery id from the headers, or the hash.
    pub delivery_key: String,
    /// BLAKE3 of the exact body, hexadecimal.
    pub body_hash: String,
    /// Size of the body in bytes.
    pub body_bytes: usize,
    /// The first 2 KB, pattern-redacted.
    pub head: Redacted<String>,
}
