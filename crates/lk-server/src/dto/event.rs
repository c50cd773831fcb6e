//! Events and their classification.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::IsoTime;
use super::problem::Problem;
use super::words::{CategoryWord, KindWord, OutcomeWord, SeverityWord};
use crate::error::ApiError;
use crate::extract::Checked;

/// Longest comment on an explanation.
pub(crate) const COMMENT_CHARS_MAX: usize = 2_000;

/// One row of the journal, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventSummary {
    /// Public id.
    pub(crate) id: String,
    /// Position in the journal; later events have larger numbers.
    pub(crate) seq: i64,
    /// What it tells of.
    pub(crate) kind: KindWord,
    /// The provider's key.
    pub(crate) integration: String,
    /// The integration.
    pub(crate) integration_id: String,
    /// Its name.
    pub(crate) integration_name: String,
    /// The provider's or our own dotted type.
    pub(crate) event_type: String,
    /// How it ended; null where neutral.
    #[schema(required)]
    pub(crate) status: Option<OutcomeWord>,
    /// When it happened, by the provider's clock where it gives one.
    pub(crate) timestamp: IsoTime,
    /// When it was received.
    pub(crate) received_at: IsoTime,
    /// One line for people.
    pub(crate) message: String,
    /// Kind of failure.
    #[schema(required)]
    pub(crate) category: Option<CategoryWord>,
    /// How bad.
    #[schema(required)]
    pub(crate) severity: Option<SeverityWord>,
    /// The provider's own error code.
    #[schema(required)]
    pub(crate) code: Option<String>,
    /// The problem it belongs to.
    #[schema(required)]
    pub(crate) problem_id: Option<String>,
}

/// One row of the journal.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    /// The row in short.
    #[serde(flatten)]
    pub(crate) summary: EventSummary,
    /// What failed.
    #[schema(required)]
    pub(crate) error: Option<EventError>,
    /// Why, and what to do.
    #[schema(required)]
    pub(crate) classification: Option<Classification>,
    /// Stored although its body could not be read.
    pub(crate) quarantined: bool,
}

/// What failed, as the provider said it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventError {
    /// The message, redacted.
    pub(crate) message: String,
    /// The provider's own code.
    #[schema(required)]
    pub(crate) code: Option<String>,
    /// Where it failed.
    pub(crate) context: EventErrorContext,
}

/// Where something failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventErrorContext {
    /// What was attempted.
    #[schema(required)]
    pub(crate) operation: Option<String>,
    /// The HTTP status that carried the failure.
    #[schema(required)]
    pub(crate) http_status: Option<u16>,
}

/// Who decided a classification.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClassificationSource {
    /// The rules.
    Rule,
    /// A person's correction.
    Pin,
}

/// Why something failed and what to do.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Classification {
    /// Kind of failure.
    pub(crate) category: CategoryWord,
    /// How bad.
    pub(crate) severity: SeverityWord,
    /// Why it happened, in plain English.
    pub(crate) cause: String,
    /// What to do, in one sentence.
    pub(crate) suggested_fix: String,
    /// What to do, step by step.
    pub(crate) fix_steps: Vec<String>,
    /// What data is impacted.
    pub(crate) affected_data: Vec<String>,
    /// How this affects operations.
    pub(crate) business_impact: String,
    /// Certainty, 0 to 1.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub(crate) confidence: f64,
    /// Whether repeating would probably work.
    pub(crate) transient: bool,
    /// The document that explains it.
    pub(crate) code: String,
    /// The document's title.
    pub(crate) title: String,
    /// Where to read more.
    #[schema(required)]
    pub(crate) documentation_url: Option<String>,
    /// Who decided.
    pub(crate) source: ClassificationSource,
}

/// One page of events.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventList {
    /// Newest first.
    pub(crate) items: Vec<Event>,
    /// Send it as `cursor` for the next page; null at the end.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
    /// Everything down to this `seq` was looked at: a filter that matches rarely ends a page
    /// before it is full, although there is more below.
    pub(crate) scanned_to: i64,
}

/// One event with everything kept about it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventDetail {
    /// The event.
    #[serde(flatten)]
    pub(crate) event: Event,
    /// The redacted payload: JSON where it was JSON, else text; null when none is kept.
    #[schema(required, value_type = Option<serde_json::Value>)]
    pub(crate) payload: Option<serde_json::Value>,
    /// The headers kept, by lower-case name.
    pub(crate) headers: BTreeMap<String, String>,
    /// Size of the original body in bytes.
    pub(crate) payload_bytes: i64,
    /// Hash of the original body.
    #[schema(required)]
    pub(crate) payload_hash: Option<String>,
    /// Content type of the original body.
    #[schema(required)]
    pub(crate) content_type: Option<String>,
    /// Other events of the same problem, newest first.
    pub(crate) similar: Vec<EventSummary>,
    /// The problem it belongs to.
    #[schema(required)]
    pub(crate) problem: Option<Problem>,
    /// What people said of the explanation.
    pub(crate) feedback: Feedback,
}

/// What people said of an explanation.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Feedback {
    /// Whether it helped; null when nobody said.
    #[schema(required)]
    pub(crate) helpful: Option<bool>,
    /// The corrected category.
    #[schema(required)]
    pub(crate) category: Option<CategoryWord>,
    /// A comment.
    #[schema(required)]
    pub(crate) comment: Option<String>,
}

/// What a person says of an explanation. At least one field.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FeedbackInput {
    /// Whether it helped.
    pub(crate) helpful: Option<bool>,
    /// The right category; pins it for this problem.
    pub(crate) category: Option<CategoryWord>,
    /// A comment.
    #[schema(min_length = 1, max_length = 2000)]
    pub(crate) comment: Option<String>,
}

impl Checked for FeedbackInput {
    fn check(&self) -> Result<(), ApiError> {
        if self.helpful.is_none() && self.category.is_none() && self.comment.is_none() {
            return Err(ApiError::invalid(
                "helpful",
                "or `category` or `comment` must be given.",
            ));
        }
        super::check_text("comment", self.comment.as_deref(), COMMENT_CHARS_MAX)
    }
}
