//! Rules of one provider (or the generic ones), compiled for lookup.

use std::collections::HashMap;

use super::patterns::{Pattern, Patterns, ascii_classes};
use super::{DocCode, Failure, Verdict, doc};
use crate::words::{Category, Severity, Transport};

/// One rule: conditions that must all hold, and what then is known.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Any of these codes; `*` at one end matches a family. Compared without case.
    pub codes: Vec<String>,
    /// Any of these HTTP statuses.
    pub statuses: Vec<u16>,
    /// Any of these ways to fail before an answer. Such rules apply to nothing else.
    pub transports: Vec<Transport>,
    /// A regular expression found in the message (or in the words of its codes), without case.
    pub pattern: Option<String>,
    /// A regular expression found in the operation, without case.
    pub operation: Option<String>,
    /// Name of the document.
    pub doc: String,
    /// Instead of the document's severity.
    pub severity: Option<Severity>,
    /// Instead of the document's `transient`.
    pub transient: Option<bool>,
    /// Instead of the document's link.
    pub link: Option<String>,
    /// Instead of the default certainty of the step that matched, percent.
    pub confidence: Option<u8>,
    /// The code says little: message patterns are asked before it.
    pub vague: bool,
}

/// Why rules could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The rule names a document that does not exist.
    #[error("rule {index}: there is no document named `{name}`")]
    UnknownDoc {
        /// Position of the rule, from 0.
        index: usize,
        /// The name it gives.
        name: String,
    },
    /// The rule has no condition at all.
    #[error("rule {index} (doc `{name}`) has no condition")]
    Unconditional {
        /// Position of the rule, from 0.
        index: usize,
        /// Its document.
        name: String,
    },
    /// A regular expression is invalid.
    #[error("rule {index}: {source}")]
    Pattern {
        /// Position of the rule, from 0.
        index: usize,
        /// What is wrong with it.
        source: Box<regex::Error>,
    },
    /// A code has `*` in its middle or is empty.
    #[error("rule {index}: `{code}` is not a code or a family (`prefix*`, `*suffix`)")]
    Code {
        /// Position of the rule, from 0.
        index: usize,
        /// The text.
        code: String,
    },
}

impl RuleError {
    /// Position of the rule, from 0.
    pub const fn index(&self) -> usize {
        match self {
            Self::UnknownDoc { index, .. }
            | Self::Unconditional { index, .. }
            | Self::Pattern { index, .. }
            | Self::Code { index, .. } => *index,
        }
    }
}

/// A rule ready to answer.
#[derive(Debug)]
struct Ready {
    verdict: Verdict,
    /// Whether the rule states its own confidence.
    sure: bool,
    statuses: Vec<u16>,
    transports: Vec<Transport>,
    pattern: Option<Pattern>,
    operation: Option<Pattern>,
    link: Option<String>,
}

/// A family of codes.
#[derive(Debug)]
struct Family {
    text: String,
    suffix: bool,
    rule: usize,
    vague: bool,
}

impl Family {
    fn holds(&self, code: &str) -> bool {
        if self.suffix {
            code.ends_with(&self.text)
        } else {
            code.starts_with(&self.text)
        }
    }
}

/// Rules compiled for lookup by code, by pattern and by status.
#[derive(Debug, Default)]
pub struct Layer {
    rules: Vec<Ready>,
    exact: HashMap<String, Vec<usize>>,
    vague: HashMap<String, Vec<usize>>,
    families: Vec<Family>,
    patterns: Patterns,
    pattern_rules: Vec<usize>,
    by_status: Vec<usize>,
    by_transport: Vec<usize>,
}

/// A rule that matched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit<'a> {
    pub(super) verdict: Verdict,
    pub(super) link: Option<&'a str>,
}

/// What a failure looks like to patterns: lower case, codes spelled as words, capped.
pub(super) struct Text(pub(super) String);

impl Layer {
    /// Files rules for lookup; their order decides between rules of the same step. Patterns are
    /// read here and compiled when they are first run, see [`Layer::check`].
    pub fn compile(rules: Vec<Rule>) -> Result<Self, RuleError> {
        let mut layer = Self::default();
        let mut patterns = Vec::new();
        for (index, rule) in rules.into_iter().enumerate() {
            let at = layer.rules.len();
            layer.file(index, at, &rule, &mut patterns)?;
            layer.rules.push(ready(index, rule)?);
        }
        layer.patterns = Patterns::compile(&patterns).map_err(|(n, e)| RuleError::Pattern {
            index: layer.pattern_rules[n],
            source: Box::new(e),
        })?;
        layer.prefer_narrow();
        Ok(layer)
    }

    /// Compiles every pattern, as rules from outside must be before they are trusted: a pattern can
    /// be well formed and still too large. Keeps nothing.
    pub fn check(&self) -> Result<(), RuleError> {
        let wrong = |index, e| RuleError::Pattern {
            index,
            source: Box::new(e),
        };
        self.patterns
            .check()
            .map_err(|(n, e)| wrong(self.pattern_rules[n], e))?;
        for (index, rule) in self.rules.iter().enumerate() {
            for pattern in rule.pattern.iter().chain(&rule.operation) {
                pattern.check().map_err(|e| wrong(index, e))?;
            }
        }
        Ok(())
    }

    /// Files rule `at` under the lookup it answers.
    fn file(&mut self, index: usize, at: usize, rule: &Rule, patterns: &mut Vec<String>) -> Result<(), RuleError> {
        if !rule.transports.is_empty() {
            self.by_transport.push(at);
            return Ok(());
        }
        for code in &rule.codes {
            let text = code.to_ascii_lowercase();
            let bare = text.trim_matches('*');
            let stars = text.len() - bare.len();
            if bare.is_empty() || bare.contains('*') || stars > 1 {
                return Err(RuleError::Code {
                    index,
                    code: code.clone(),
                });
            }
            if stars == 1 {
                let suffix = text.starts_with('*');
                self.families.push(Family {
                    text: bare.to_owned(),
                    suffix,
                    rule: at,
                    vague: rule.vague,
                });
            } else {
                let table = if rule.vague { &mut self.vague } else { &mut self.exact };
                table.entry(text).or_default().push(at);
            }
        }
        if rule.codes.is_empty() {
            match &rule.pattern {
                Some(p) => {
                    patterns.push(ascii_classes(p));
                    self.pattern_rules.push(at);
                }
                None if !rule.statuses.is_empty() || rule.operation.is_some() => self.by_status.push(at),
                None => {
                    return Err(RuleError::Unconditional {
                        index,
                        name: rule.doc.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Among rules of one code, those with more conditions come first; file order stays otherwise.
    fn prefer_narrow(&mut self) {
        let narrow = |i: &usize| {
            let r = &self.rules[*i];
            let n = usize::from(!r.statuses.is_empty())
                + usize::from(r.pattern.is_some())
                + usize::from(r.operation.is_some());
            std::cmp::Reverse(n)
        };
        for list in self.exact.values_mut().chain(self.vague.values_mut()) {
            list.sort_by_key(narrow);
        }
    }

    /// Whether some rule names this code exactly (without case).
    pub fn knows_code(&self, code: &str) -> bool {
        let code = code.to_ascii_lowercase();
        self.exact.contains_key(&code) || self.vague.contains_key(&code)
    }

    /// Whether some rule names a family that this code belongs to.
    pub fn knows_family(&self, code: &str) -> bool {
        let code = code.to_ascii_lowercase();
        self.families.iter().any(|x| x.holds(&code))
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) fn by_code(&self, f: &Failure, text: &Text, vague: bool) -> Option<Hit<'_>> {
        let table = if vague { &self.vague } else { &self.exact };
        let sure = if vague { 70 } else { 98 };
        for code in &f.codes {
            let code = code.to_ascii_lowercase();
            let hit = table
                .get(&code)
                .into_iter()
                .flatten()
                .find(|i| self.holds(**i, f, text));
            if let Some(i) = hit {
                return Some(self.hit(*i, sure));
            }
        }
        for code in &f.codes {
            let code = code.to_ascii_lowercase();
            let hit = self
                .families
                .iter()
                .find(|x| x.holds(&code) && x.vague == vague && self.holds(x.rule, f, text));
            if let Some(x) = hit {
                return Some(self.hit(x.rule, if vague { 65 } else { 90 }));
            }
        }
        None
    }

    /// The first pattern rule that holds and whose category `plausible` accepts.
    pub(super) fn by_pattern(
        &self,
        f: &Failure,
        text: &Text,
        plausible: impl Fn(DocCode, Category) -> bool,
    ) -> Option<Hit<'_>> {
        if self.patterns.is_empty() || text.0.is_empty() {
            return None;
        }
        let rule = |n: usize| self.pattern_rules[n];
        let wanted = |n: usize| {
            let verdict = &self.rules[rule(n)].verdict;
            plausible(verdict.doc, verdict.category) && self.conditions(rule(n), f)
        };
        let i = rule(self.patterns.first(&text.0, wanted)?);
        Some(self.hit(i, 85))
    }

    pub(super) fn by_status(&self, f: &Failure) -> Option<Hit<'_>> {
        let i = self.by_status.iter().find(|i| self.conditions(**i, f))?;
        Some(self.hit(*i, 75))
    }

    pub(super) fn by_transport(&self, f: &Failure, text: &Text, kind: Transport) -> Option<Hit<'_>> {
        let i = self
            .by_transport
            .iter()
            .find(|i| self.rules[**i].transports.contains(&kind) && self.holds(**i, f, text))?;
        Some(self.hit(*i, 90))
    }

    /// Status and operation conditions.
    fn conditions(&self, i: usize, f: &Failure) -> bool {
        let r = &self.rules[i];
        let status = r.statuses.is_empty() || f.http_status.is_some_and(|s| r.statuses.contains(&s));
        status && r.operation.as_ref().is_none_or(|p| p.is_match(&f.operation))
    }

    /// Every condition, the pattern included.
    fn holds(&self, i: usize, f: &Failure, text: &Text) -> bool {
        self.conditions(i, f) && self.rules[i].pattern.as_ref().is_none_or(|p| p.is_match(&text.0))
    }

    fn hit(&self, i: usize, confidence: u8) -> Hit<'_> {
        let r = &self.rules[i];
        let mut verdict = r.verdict;
        if !r.sure {
            verdict.confidence = confidence;
        }
        Hit {
            verdict,
            link: r.link.as_deref(),
        }
    }
}

fn ready(index: usize, rule: Rule) -> Result<Ready, RuleError> {
    let Some(code) = DocCode::parse(&rule.doc) else {
        return Err(RuleError::UnknownDoc { index, name: rule.doc });
    };
    let known = doc(code);
    let regex = |p: &Option<String>, fold: bool| match p {
        None => Ok(None),
        Some(p) => Pattern::new(&ascii_classes(p), fold)
            .map(Some)
            .map_err(|e| RuleError::Pattern {
                index,
                source: Box::new(e),
            }),
    };
    // A rule of words alone is asked through the layer's patterns.
    let own_pattern = !rule.codes.is_empty() || !rule.transports.is_empty();
    Ok(Ready {
        verdict: Verdict {
            category: known.category(),
            severity: rule.severity.unwrap_or(known.severity()),
            doc: code,
            transient: rule.transient.unwrap_or(known.transient()),
            confidence: rule.confidence.unwrap_or(0),
        },
        sure: rule.confidence.is_some(),
        pattern: if own_pattern {
            regex(&rule.pattern, false)?
        } else {
            None
        },
        operation: regex(&rule.operation, true)?,
        statuses: rule.statuses,
        transports: rule.transports,
        link: rule.link,
    })
}
