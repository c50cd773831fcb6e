//! From stored rows to answers.

use std::collections::BTreeMap;

use lk_core::classify::{Context, DocCode, doc};
use lk_core::words::{Category, EventKind, Outcome, Severity};
use lk_provider::manifest::AuthKind;
use lk_provider::{Registry, Settings};
use lk_store::{EventRow, PayloadRow, ProblemRow};

use super::event::{Classification, ClassificationSource, Event, EventError, EventErrorContext, EventSummary};
use super::health::CheckFailure;

use super::problem::{Owner, Problem, Votes};

/// What a classification is made of, wherever it is stored.
struct Judged<'a> {
    provider: &'a str,
    operation: &'a str,
    code: Option<&'a str>,
    doc: &'a str,
    category: Category,
    pinned: Option<Category>,
    severity: Severity,
    transient: bool,
    confidence: u8,
}

/// Builds answers with the names that providers have here.
#[derive(Clone, Copy)]
pub(crate) struct Present<'a> {
    registry: &'a Registry,
}

impl<'a> Present<'a> {
    pub(crate) const fn new(registry: &'a Registry) -> Self {
        Self { registry }
    }

    /// The name people know a provider by; its key when it is not registered any more.
    pub(crate) fn provider_name<'k>(self, key: &'k str) -> &'k str
    where
        'a: 'k,
    {
        self.registry
            .get(key)
            .map_or(key, |provider| provider.manifest().name.as_str())
    }

    /// The kind of credential an integration proves itself with; none where none is needed.
    pub(crate) fn credential_kind(self, provider: &str, settings: &Settings) -> Option<&'static str> {
        let manifest = self.registry.get(provider)?.manifest();
        let kind = manifest.auth_of(settings)?.kind();
        (kind != AuthKind::None).then(|| kind.as_str())
    }

    /// An event with what failed and why.
    pub(crate) fn event(self, row: EventRow) -> Event {
        let failed = row.outcome == Some(Outcome::Failure);
        let error = (failed && row.kind != EventKind::Health).then(|| EventError {
            message: row.message.clone(),
            code: row.code.clone(),
            context: EventErrorContext {
                operation: row.operation.clone(),
                http_status: row.http_status,
            },
        });
        let classification = self.classification_of_event(&row);
        let quarantined = row.quarantined;
        Event {
            summary: summary(row),
            error,
            classification,
            quarantined,
        }
    }

    fn classification_of_event(self, row: &EventRow) -> Option<Classification> {
        let (category, severity) = (row.category?, row.severity?);
        Some(self.classification(&Judged {
            provider: &row.provider,
            operation: row.operation.as_deref().unwrap_or(&row.event_type),
            code: row.code.as_deref(),
            doc: row.doc.as_deref().unwrap_or_default(),
            category,
            pinned: row.pinned_category,
            severity,
            transient: row.transient.unwrap_or(false),
            confidence: row.confidence.unwrap_or(0),
        }))
    }

    /// The failure of a check, explained.
    pub(crate) fn check_failure(self, provider: &str, failure: &CheckFailure) -> Classification {
        self.classification(&Judged {
            provider,
            operation: &failure.operation,
            code: failure.code.as_deref(),
            doc: &failure.doc,
            category: Category::parse(&failure.category).unwrap_or(Category::Unknown),
            pinned: None,
            severity: Severity::parse(&failure.severity).unwrap_or(Severity::Medium),
            transient: failure.transient,
            confidence: failure.confidence,
        })
    }

    fn classification(self, judged: &Judged<'_>) -> Classification {
        let context = Context {
            provider: self.provider_name(judged.provider),
            operation: judged.operation,
            code: judged.code,
        };
        // A document that an older or newer program named leaves the words out, not the answer.
        let told = DocCode::parse(judged.doc).map(|code| doc(code).explain(&context));
        let told = told.as_ref();
        let text = |pick: fn(&lk_core::classify::Explanation) -> &String| {
            told.map(|told| pick(told).clone()).unwrap_or_default()
        };
        Classification {
            category: judged.pinned.unwrap_or(judged.category).into(),
            severity: judged.severity.into(),
            cause: text(|told| &told.cause),
            suggested_fix: text(|told| &told.suggested_fix),
            fix_steps: told.map(|told| told.fix_steps.clone()).unwrap_or_default(),
            affected_data: told.map(|told| told.affected_data.clone()).unwrap_or_default(),
            business_impact: text(|told| &told.business_impact),
            confidence: f64::from(judged.confidence) / 100.0,
            transient: judged.transient,
            code: judged.doc.to_owned(),
            title: text(|told| &told.title),
            documentation_url: told.and_then(|told| told.link.clone()),
            source: match judged.pinned {
                Some(_) => ClassificationSource::Pin,
                None => ClassificationSource::Rule,
            },
        }
    }

    /// A problem.
    pub(crate) fn problem(self, row: ProblemRow) -> Problem {
        let classification = self.classification(&Judged {
            provider: &row.provider,
            operation: &row.operation,
            code: row.code.as_deref(),
            doc: &row.doc,
            category: row.category,
            pinned: row.pinned_category,
            severity: row.severity,
            transient: row.transient,
            confidence: row.confidence,
        });
        let owner = row.owner_user_id.map(|id| Owner {
            name: row.owner_name.unwrap_or_default(),
            id,
        });
        Problem {
            id: row.id,
            integration_id: row.integration_id,
            integration_name: row.integration_name,
            provider: row.provider,
            state: row.state.into(),
            title: classification.title.clone(),
            message: row.message,
            code: row.code,
            operation: row.operation,
            http_status: row.http_status,
            count: row.count,
            first_seen: row.first_seen.into(),
            last_seen: row.last_seen.into(),
            classification,
            owner,
            helpful: Votes {
                yes: row.helpful,
                no: row.not_helpful,
            },
            last_event_id: row.last_event.map(|id| id.to_string()),
            version: row.version,
        }
    }
}

/// An event in short.
pub(crate) fn summary(row: EventRow) -> EventSummary {
    let category = row.pinned_category.filter(|_| row.category.is_some()).or(row.category);
    EventSummary {
        id: row.id.to_string(),
        seq: row.seq,
        kind: row.kind.into(),
        integration: row.provider,
        integration_id: row.integration_id,
        integration_name: row.integration_name,
        event_type: row.event_type,
        status: row.outcome.map(Into::into),
        timestamp: row.occurred_at.into(),
        received_at: row.received_at.into(),
        message: row.message,
        category: category.map(Into::into),
        severity: row.severity.map(Into::into),
        code: row.code,
        problem_id: row.problem_id,
    }
}

/// The kept headers by name; several values of one name are joined.
pub(crate) fn headers(payload: &PayloadRow) -> BTreeMap<String, String> {
    let parsed: serde_json::Value = serde_json::from_str(&payload.headers).unwrap_or_default();
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => {
            let texts: Vec<&str> = items.iter().filter_map(serde_json::Value::as_str).collect();
            texts.join(", ")
        }
        other => other.to_string(),
    };
    let pairs = parsed.as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The kept body: JSON where it is JSON, else text.
pub(crate) fn body(payload: &PayloadRow) -> Option<serde_json::Value> {
    let text = payload.body.as_ref()?;
    let parsed = serde_json::from_str(text);
    Some(parsed.unwrap_or_else(|_| serde_json::Value::String(text.clone())))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
