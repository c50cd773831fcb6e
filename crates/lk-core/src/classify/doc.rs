//! The documents that explain failures: `codes/<code>.md`, parsed once.

use std::sync::LazyLock;

use super::codes::SOURCES;
use crate::words::{Category, Severity};

/// The name of a document in `codes/`, e.g. `auth.token_expired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocCode(&'static str);

impl DocCode {
    pub(super) const APP_NOT_CONNECTED: Self = Self("auth.app_not_connected");
    pub(super) const AUTH_FORBIDDEN: Self = Self("auth.permission_denied");
    pub(super) const AUTH_UNAUTHORIZED: Self = Self("auth.credentials_rejected");
    pub(super) const COMPLIANCE_LEGAL: Self = Self("compliance.legal_block");
    pub(super) const CONFIG_BASE_URL: Self = Self("configuration.wrong_base_url");
    pub(super) const CONFIG_ENDPOINT: Self = Self("configuration.unknown_endpoint");
    pub(super) const CONFIG_HTML: Self = Self("configuration.html_response");
    pub(super) const CONFIG_PROXY: Self = Self("configuration.proxy");
    pub(super) const CONFIG_VERSION: Self = Self("configuration.api_version");
    pub(super) const DATA_REJECTED: Self = Self("data_validation.rejected");
    pub(super) const NETWORK_DNS: Self = Self("network.dns");
    pub(super) const NETWORK_REFUSED: Self = Self("network.refused");
    pub(super) const NETWORK_RESET: Self = Self("network.reset");
    pub(super) const NETWORK_TIMEOUT: Self = Self("network.timeout");
    pub(super) const NETWORK_TLS: Self = Self("network.tls");
    pub(super) const OUTAGE_GATEWAY: Self = Self("provider_outage.gateway");
    pub(super) const OUTAGE_INTERNAL: Self = Self("provider_outage.internal_error");
    pub(super) const OUTAGE_UNAVAILABLE: Self = Self("provider_outage.unavailable");
    pub(super) const RATE_LIMIT_STORAGE: Self = Self("rate_limit.storage_full");
    pub(super) const RATE_LIMIT_THROTTLED: Self = Self("rate_limit.throttled");
    pub(super) const SPENDING_PAYMENT_REQUIRED: Self = Self("spending_control.payment_required");
    pub(super) const STATE_CONFLICT: Self = Self("data_state_mismatch.conflict");
    pub(super) const STATE_GONE: Self = Self("data_state_mismatch.deleted");
    pub(super) const STATE_NOT_FOUND: Self = Self("data_state_mismatch.not_found");
    /// Nothing is known of the failure.
    pub const UNKNOWN: Self = Self("unknown.unclassified");

    /// The codes this crate itself falls back to; each must have a document.
    #[cfg(test)]
    pub(super) const OWN: [Self; 25] = [
        Self::APP_NOT_CONNECTED,
        Self::AUTH_FORBIDDEN,
        Self::AUTH_UNAUTHORIZED,
        Self::COMPLIANCE_LEGAL,
        Self::CONFIG_BASE_URL,
        Self::CONFIG_ENDPOINT,
        Self::CONFIG_HTML,
        Self::CONFIG_PROXY,
        Self::CONFIG_VERSION,
        Self::DATA_REJECTED,
        Self::NETWORK_DNS,
        Self::NETWORK_REFUSED,
        Self::NETWORK_RESET,
        Self::NETWORK_TIMEOUT,
        Self::NETWORK_TLS,
        Self::OUTAGE_GATEWAY,
        Self::OUTAGE_INTERNAL,
        Self::OUTAGE_UNAVAILABLE,
        Self::RATE_LIMIT_STORAGE,
        Self::RATE_LIMIT_THROTTLED,
        Self::SPENDING_PAYMENT_REQUIRED,
        Self::STATE_CONFLICT,
        Self::STATE_GONE,
        Self::STATE_NOT_FOUND,
        Self::UNKNOWN,
    ];

    /// The code's text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The code whose text is `text`, when there is such a document.
    pub fn parse(text: &str) -> Option<Self> {
        index(text).map(|i| Self(SOURCES[i].0))
    }

    /// Every code, in alphabetical order.
    pub fn all() -> impl Iterator<Item = Self> {
        SOURCES.iter().map(|(name, _)| Self(name))
    }
}

/// A document: what one kind of failure means and what to do.
#[derive(Debug, Clone)]
pub struct Doc {
    code: DocCode,
    category: Category,
    severity: Severity,
    transient: bool,
    title: String,
    affected: Vec<String>,
    link: Option<String>,
    cause: String,
    impact: String,
    steps: Vec<String>,
}

/// What a document's placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The provider's display name.
    pub provider: &'a str,
    /// What was attempted.
    pub operation: &'a str,
    /// The provider's code, where it gave one.
    pub code: Option<&'a str>,
}

/// A document filled in for one failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// One line.
    pub title: String,
    /// Why it happened.
    pub cause: String,
    /// What to do, in order.
    pub fix_steps: Vec<String>,
    /// The first step.
    pub suggested_fix: String,
    /// Kinds of data concerned.
    pub affected_data: Vec<String>,
    /// What it means for the people who depend on it.
    pub business_impact: String,
    /// Where to read more.
    pub link: Option<String>,
}

impl Doc {
    /// Its name.
    pub fn code(&self) -> DocCode {
        self.code
    }

    /// The category of failures it explains.
    pub fn category(&self) -> Category {
        self.category
    }

    /// How bad, unless a rule says otherwise.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Whether repeating helps, unless a rule says otherwise.
    pub fn transient(&self) -> bool {
        self.transient
    }

    /// One line, placeholders not filled.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where to read more.
    pub fn link(&self) -> Option<&str> {
        self.link.as_deref()
    }

    /// Fills the placeholders `{provider}`, `{operation}` and `{code}`.
    pub fn explain(&self, context: &Context<'_>) -> Explanation {
        let fill = |text: &str| fill(text, context);
        let fix_steps: Vec<String> = self.steps.iter().map(|s| fill(s)).collect();
        Explanation {
            title: fill(&self.title),
            cause: fill(&self.cause),
            suggested_fix: fix_steps.first().cloned().unwrap_or_default(),
            fix_steps,
            affected_data: self.affected.clone(),
            business_impact: fill(&self.impact),
            link: self.link.clone(),
        }
    }

    /// Reads a document: front matter between `---` lines, then the sections Cause, Business
    /// impact and Steps to fix (a numbered list). The error is a sentence.
    fn read(code: DocCode, source: &str) -> Result<Self, String> {
        let rest = source.strip_prefix("---\n").ok_or("does not begin with front matter")?;
        let (front, body) = rest.split_once("\n---\n").ok_or("has no end of front matter")?;
        let field = |key: &str| {
            front.lines().find_map(|l| {
                l.split_once(':')
                    .filter(|(k, _)| k.trim() == key)
                    .map(|(_, v)| v.trim().to_owned())
            })
        };
        let need = |key: &str| field(key).filter(|v| !v.is_empty()).ok_or(format!("lacks `{key}`"));
        let steps: Vec<String> = section(body, "Steps to fix")?
            .lines()
            .filter_map(|l| {
                l.split_once(". ")
                    .filter(|(n, _)| n.parse::<u8>().is_ok())
                    .map(|(_, s)| s.trim().to_owned())
            })
            .collect();
        if steps.is_empty() {
            return Err("has no numbered step".to_owned());
        }
        Ok(Self {
            code,
            category: Category::parse(&need("category")?).ok_or("has an unknown category")?,
            severity: Severity::parse(&need("severity")?).ok_or("has an unknown severity")?,
            transient: need("transient")?
                .parse()
                .map_err(|_| "`transient` is neither true nor false")?,
            title: need("title")?,
            affected: need("affected")?
                .split(',')
                .map(|a| a.trim().to_owned())
                .filter(|a| !a.is_empty())
                .collect(),
            link: field("link").filter(|v| !v.is_empty()),
            cause: section(body, "Cause")?,
            impact: section(body, "Business impact")?,
            steps,
        })
    }

    /// Stands for a document that cannot be read; a test keeps this from happening.
    fn unreadable(code: DocCode) -> Self {
        Self {
            code,
            category: Category::Unknown,
            severity: Severity::Medium,
            transient: false,
            title: "{provider} reported a failure".to_owned(),
            affected: Vec::new(),
            link: None,
            cause: "No explanation is available for this failure.".to_owned(),
            impact: "Not known.".to_owned(),
            steps: vec!["Read the message and the payload of the event.".to_owned()],
        }
    }
}

/// The text under a `## heading`, lines joined, lists kept as lines.
fn section(body: &str, heading: &str) -> Result<String, String> {
    let mut inside = false;
    let mut text = String::new();
    for line in body.lines() {
        if let Some(h) = line.strip_prefix("## ") {
            inside = h.trim() == heading;
        } else if inside && !line.trim().is_empty() {
            if !text.is_empty() {
                let item = line.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok());
                text.push(if item { '\n' } else { ' ' });
            }
            text.push_str(line.trim());
        }
    }
    if text.is_empty() {
        Err(format!("lacks the section `{heading}`"))
    } else {
        Ok(text)
    }
}

fn fill(text: &str, context: &Context<'_>) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = [
            ("{provider}", context.provider),
            ("{operation}", context.operation),
            ("{code}", context.code.unwrap_or("none given")),
        ];
        if let Some((name, value)) = known.iter().find(|(name, _)| rest.starts_with(name)) {
            out.push_str(value);
            rest = &rest[name.len()..];
        } else {
            out.push('{');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

fn index(name: &str) -> Option<usize> {
    SOURCES.binary_search_by_key(&name, |(n, _)| n).ok()
}

static DOCS: LazyLock<Vec<Doc>> = LazyLock::new(|| {
    SOURCES
        .iter()
        .map(|(name, text)| Doc::read(DocCode(name), text).unwrap_or_else(|_| Doc::unreadable(DocCode(name))))
        .collect()
});

/// The document of a code.
pub fn doc(code: DocCode) -> &'static Doc {
    static MISSING: LazyLock<Doc> = LazyLock::new(|| Doc::unreadable(DocCode::UNKNOWN));
    index(code.0).map_or(&MISSING, |i| &DOCS[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_complete_and_named_after_its_category() {
        for (name, text) in SOURCES {
            let doc = Doc::read(DocCode(name), text).unwrap_or_else(|e| panic!("codes/{name}.md {e}"));
            assert!(
                name.starts_with(&format!("{}.", doc.category)),
                "{name} is filed under {}",
                doc.category
            );
            assert!(!doc.affected.is_empty() && doc.steps.len() >= 2, "{name}");
            assert!(doc.link.as_ref().is_none_or(|l| l.starts_with("https://")), "{name}");
            let all = format!("{}{}{}{}", doc.title, doc.cause, doc.impact, doc.steps.join(""));
            let filled = fill(
                &all,
                &Context {
                    provider: "P",
                    operation: "O",
                    code: None,
                },
            );
            assert!(!filled.contains(['{', '}']), "{name} has an unknown placeholder");
        }
    }

    #[test]
    fn the_table_is_fresh_and_sorted() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/classify/codes");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder of documents")
            .map(|e| {
                e.expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .trim_end_matches(".md")
                    .to_owned()
            })
            .collect();
        names.sort();
        let listed: Vec<&str> = SOURCES.iter().map(|(n, _)| *n).collect();
        assert_eq!(names, listed, "run `cargo xtask codegen`");
    }

    #[test]
    fn every_fallback_has_a_document() {
        for code in DocCode::OWN {
            assert_eq!(DocCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(DocCode::parse("auth.nonsense"), None);
    }

    #[test]
    fn placeholders_are_filled_once() {
        let context = Context {
            provider: "{code}",
            operation: "payroll.submit",
            code: Some("invalid_grant"),
        };
        assert_eq!(
            fill("{provider} refused {operation} ({code}) {x}", &context),
            "{code} refused payroll.submit (invalid_grant) {x}"
        );
    }
}
