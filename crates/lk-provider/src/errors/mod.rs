//! Error rules as data, and what a raw error body says before any rule is asked.
//!
//! `errors.toml` is read into [`ErrorRules`], compiled over the generic rules into [`Explainer`],
//! and [`Explainer::explain`] turns a raw body into a failure, its verdict and its explanation.

mod all;
mod json;
mod markup;
pub(crate) mod network;
mod text;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use lk_core::classify::{
    Context, Explanation, Failure, Fingerprint, Layer, Rule, RuleError, RuleSet, Verdict, doc, fingerprint,
};
use lk_core::words::{Severity, Transport};
use serde::Deserialize;
use serde_json::Value;

use crate::pointer::Pointer;

pub use all::Explainers;

/// Bytes of a body that are read; what comes later explains nothing.
const MAX_BODY: usize = 64 * 1024;
/// Bytes of a message that are kept.
const MAX_MESSAGE: usize = 2000;
/// Codes that are kept of one failure.
const MAX_CODES: usize = 6;

/// A parsed `errors.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRules {
    /// Where the provider documents its errors; rules without a link of their own point there.
    pub docs: Option<String>,
    /// Where its bodies keep codes and words, beyond the usual places.
    #[serde(default)]
    pub extract: Extract,
    /// The rules, in order.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Entry>,
}

/// Places in a JSON body, as pointers in the order of their weight.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// Codes, the most specific first.
    #[serde(default)]
    pub code: Vec<Pointer>,
    /// Words for people.
    #[serde(default)]
    pub message: Vec<Pointer>,
    /// The field to blame.
    #[serde(default)]
    pub field: Vec<Pointer>,
}

/// One rule as written: every condition given must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Any of these codes; `*` at one end makes a family.
    #[serde(default)]
    pub code: Vec<String>,
    /// Any of these HTTP statuses.
    #[serde(default)]
    pub status: Vec<u16>,
    /// Only failures without an answer, of these kinds: dns, connect, tls, timeout, reset.
    #[serde(default)]
    pub transport: Vec<String>,
    /// Regular expression found in the message.
    #[serde(rename = "match")]
    pub pattern: Option<String>,
    /// Regular expression found in the operation.
    pub operation: Option<String>,
    /// Name of the document.
    pub doc: String,
    /// Instead of the document's severity.
    pub severity: Option<String>,
    /// Instead of the document's `transient`.
    pub transient: Option<bool>,
    /// Instead of the document's link.
    pub link: Option<String>,
    /// Percent.
    pub confidence: Option<u8>,
    /// Ask message patterns before this code.
    #[serde(default)]
    pub vague: bool,
}

/// Why an `errors.toml` is refused.
#[derive(Debug, thiserror::Error)]
pub enum ErrorRulesError {
    /// Not TOML of the expected form.
    #[error("errors.toml: {0}")]
    Syntax(#[from] Box<toml::de::Error>),
    /// A word that is not in its vocabulary.
    #[error("errors.toml, rule {index}: `{word}` is no {kind}")]
    Word {
        /// Position of the rule, from 0.
        index: usize,
        /// What was written.
        word: String,
        /// What was expected.
        kind: &'static str,
    },
    /// A rule that does not compile.
    #[error("errors.toml: {0}")]
    Rule(#[from] RuleError),
}

impl ErrorRulesError {
    /// Position of the rule that is wrong, from 0, when it is one.
    pub const fn index(&self) -> Option<usize> {
        match self {
            Self::Syntax(_) => None,
            Self::Word { index, .. } => Some(*index),
            Self::Rule(error) => Some(error.index()),
        }
    }
}

impl ErrorRules {
    /// Parses the text of an `errors.toml`.
    pub fn parse(source: &str) -> Result<Self, ErrorRulesError> {
        toml::from_str(source).map_err(|e| ErrorRulesError::Syntax(Box::new(e)))
    }

    /// Compiles the rules.
    pub fn compile(&self) -> Result<Layer, ErrorRulesError> {
        let rules: Result<Vec<Rule>, ErrorRulesError> = self
            .rules
            .iter()
            .enumerate()
            .map(|(index, entry)| self.rule(index, entry))
            .collect();
        Ok(Layer::compile(rules?)?)
    }

    fn rule(&self, index: usize, entry: &Entry) -> Result<Rule, ErrorRulesError> {
        let word = |word: &str, kind| ErrorRulesError::Word {
            index,
            word: word.to_owned(),
            kind,
        };
        let severity = entry
            .severity
            .as_deref()
            .map(|s| Severity::parse(s).ok_or_else(|| word(s, "severity")))
            .transpose()?;
        let transports: Result<Vec<Transport>, _> = entry
            .transport
            .iter()
            .map(|t| Transport::parse(t).ok_or_else(|| word(t, "transport")))
            .collect();
        Ok(Rule {
            codes: entry.code.clone(),
            statuses: entry.status.clone(),
            transports: transports?,
            pattern: entry.pattern.clone(),
            operation: entry.operation.clone(),
            doc: entry.doc.clone(),
            severity,
            transient: entry.transient,
            link: entry.link.clone().or_else(|| self.docs.clone()),
            confidence: entry.confidence,
            vague: entry.vague,
        })
    }
}

/// What is known of the call that failed.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The provider's key.
    pub provider: &'a str,
    /// The provider's display name.
    pub provider_name: &'a str,
    /// What was attempted.
    pub operation: &'a str,
    /// HTTP status of the answer, when there was one.
    pub http_status: Option<u16>,
}

/// A raw error, explained.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What the body says.
    pub failure: Failure,
    /// What the rules say of it.
    pub verdict: Verdict,
    /// Which problem it belongs to.
    pub fingerprint: Fingerprint,
    /// The document, filled in; its link is the rule's where that has one.
    pub explanation: Explanation,
}

/// The compiled rules of one provider over the generic ones, with its extraction.
#[derive(Debug, Clone)]
pub struct Explainer {
    extract: Arc<Extract>,
    rules: RuleSet,
}

impl Explainer {
    /// Compiles a provider's `errors.toml` over the compiled generic rules.
    pub fn new(own: &ErrorRules, generic: &Arc<Layer>) -> Result<Self, ErrorRulesError> {
        Ok(Self {
            extract: Arc::new(own.extract.clone()),
            rules: RuleSet::new(own.compile()?, Arc::clone(generic)),
        })
    }

    /// For a provider that has no rules of its own.
    pub fn generic(generic: &Arc<Layer>) -> Self {
        Self {
            extract: Arc::default(),
            rules: RuleSet::generic(Arc::clone(generic)),
        }
    }

    /// The compiled rules.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Reads a raw body into a failure. `redact` is given the free text, after codes, status and
    /// field were taken out of it, and returns what may be kept.
    pub fn extract(&self, call: &Call<'_>, body: &str, redact: impl FnOnce(String) -> String) -> Failure {
        let body = head(body, MAX_BODY);
        let mut parts = Parts::default();
        text::read(body, self, &mut parts);
        self.failure(call, parts, redact)
    }

    /// The same for a body that is parsed already, such as a webhook's.
    pub fn extract_value(&self, call: &Call<'_>, value: &Value, redact: impl FnOnce(String) -> String) -> Failure {
        let mut parts = Parts::default();
        json::read(value, &self.extract, &mut parts);
        self.failure(call, parts, redact)
    }

    /// Extracts, classifies and explains a raw body.
    pub fn explain(&self, call: &Call<'_>, body: &str, redact: impl FnOnce(String) -> String) -> Explained {
        self.judge(call, self.extract(call, body, redact))
    }

    /// Classifies and explains a failure that is extracted already.
    pub fn judge(&self, call: &Call<'_>, failure: Failure) -> Explained {
        let verdict = self.rules.classify(&failure);
        let context = Context {
            provider: call.provider_name,
            operation: call.operation,
            code: failure.code(),
        };
        let mut explanation = doc(verdict.doc).explain(&context);
        explanation.link = self.rules.link(&failure).map(str::to_owned);
        Explained {
            fingerprint: fingerprint(&failure, &verdict),
            verdict,
            explanation,
            failure,
        }
    }

    fn failure(&self, call: &Call<'_>, parts: Parts, redact: impl FnOnce(String) -> String) -> Failure {
        let (codes, message) = parts.sorted(|code| self.rules.knows_code(code));
        let told = call.http_status.filter(|s| *s >= 400);
        let http_status = told.or(parts.status).or(call.http_status);
        let answered = told.is_some() || parts.status.is_some();
        let known = codes.iter().any(|c| self.rules.knows_code(c));
        let transport = if answered {
            None
        } else {
            network::transport(&codes, &message, known)
        };
        Failure {
            provider: call.provider.to_owned(),
            operation: call.operation.to_owned(),
            http_status,
            codes,
            field: parts.field,
            message: redact(message),
            transport,
            html: parts.html,
        }
    }
}

/// What was found in a body.
#[derive(Debug, Default)]
struct Parts {
    /// Weight (the smaller, the more specific) and code.
    codes: Vec<(u16, String)>,
    messages: Vec<String>,
    field: Option<String>,
    status: Option<u16>,
    html: bool,
}

impl Parts {
    fn code(&mut self, weight: u16, code: &str) {
        let code = code.trim();
        let fits = !code.is_empty() && code.len() <= 120 && !code.contains(char::is_whitespace);
        if fits && !self.codes.iter().any(|(_, c)| c == code) {
            self.codes.push((weight, code.to_owned()));
        }
    }

    fn message(&mut self, message: &str) {
        let message = message.trim();
        if !message.is_empty() && !self.messages.iter().any(|m| m.contains(message)) {
            self.messages.push(head(message, MAX_MESSAGE).to_owned());
        }
    }

    fn status(&mut self, status: u64) {
        if (400..600).contains(&status) && self.status.is_none() {
            self.status = u16::try_from(status).ok();
        }
    }

    /// Codes by weight, and the messages as one text. A code that names itself by digits and
    /// capitals (`AADSTS50057`, `PGRST205`) in the text outranks the envelope's code.
    fn sorted(&self, knows: impl Fn(&str) -> bool) -> (Vec<String>, String) {
        let message = head(&self.messages.join(" "), MAX_MESSAGE).to_owned();
        let mut codes = self.codes.clone();
        codes.sort_by_key(|(weight, _)| *weight);
        let mut codes: Vec<String> = codes.into_iter().map(|(_, c)| c).collect();
        let mut at = 0;
        for token in text::tokens(&message) {
            let labelled = token.bytes().any(|b| b.is_ascii_digit())
                && token.bytes().filter(u8::is_ascii_uppercase).count() >= 1
                && !token.bytes().any(|b| b.is_ascii_lowercase());
            if codes.iter().any(|c| c == token) || !knows(token) {
                continue;
            }
            if labelled {
                codes.insert(at, token.to_owned());
                at += 1;
            } else if text::is_code_like(token) {
                codes.push(token.to_owned());
            }
        }
        codes.truncate(MAX_CODES);
        (codes, message)
    }
}

/// The first `max` bytes, cut at a character.
fn head(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
