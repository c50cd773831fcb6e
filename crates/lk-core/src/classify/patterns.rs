//! Many patterns over one text: a single pass for the words they begin with names the few that can
//! match, and only these are run. (One automaton of all patterns took milliseconds for each new
//! message: hundreds of patterns with gaps have a new state almost everywhere.)
//!
//! A pattern is parsed at once, so that mistakes are told, and compiled when it is first run: most
//! are never needed by an installation, and all of them together take tens of megabytes.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;
use regex_syntax::hir::literal::Extractor;

/// Bytes of states that one pattern may remember of its runs, for each thread that runs it.
const STATES: usize = 64 * 1024;

/// A pattern over bytes (its classes are ASCII, which keeps it small), compiled at first use.
#[derive(Debug)]
pub(super) struct Pattern {
    source: Box<str>,
    fold: bool,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Reads a pattern; `fold` makes it ignore case.
    pub(super) fn new(source: &str, fold: bool) -> Result<Self, regex::Error> {
        parse(source)?;
        Ok(Self {
            source: source.into(),
            fold,
            compiled: OnceLock::new(),
        })
    }

    /// Whether the text holds a match. A pattern that is too large to compile matches nothing.
    pub(super) fn is_match(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| self.compile().ok());
        compiled.as_ref().is_some_and(|p| p.is_match(text.as_bytes()))
    }

    /// Whether it can be compiled; nothing is kept.
    pub(super) fn check(&self) -> Result<(), regex::Error> {
        self.compile().map(|_| ())
    }

    fn compile(&self) -> Result<Regex, regex::Error> {
        RegexBuilder::new(&self.source)
            .unicode(false)
            .multi_line(true)
            .case_insensitive(self.fold)
            .dfa_size_limit(STATES)
            .build()
    }
}

fn parse(source: &str) -> Result<Hir, regex::Error> {
    ParserBuilder::new()
        .unicode(false)
        .multi_line(true)
        .utf8(false)
        .build()
        .parse(source)
        .map_err(|e| regex::Error::Syntax(e.to_string()))
}

/// Patterns in an order, the first of which that matches is wanted.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    all: Vec<Pattern>,
    /// Finds the beginnings of matches.
    words: Option<AhoCorasick>,
    /// The pattern that each word belongs to.
    owners: Vec<usize>,
    /// Patterns whose matches can begin with anything.
    always: Vec<usize>,
}

impl Patterns {
    /// Reads patterns; the error names the one at fault.
    pub(super) fn compile(patterns: &[String]) -> Result<Self, (usize, regex::Error)> {
        let mut out = Self::default();
        let mut words: Vec<Vec<u8>> = Vec::new();
        for (i, pattern) in patterns.iter().enumerate() {
            out.all.push(Pattern::new(pattern, false).map_err(|e| (i, e))?);
            match beginnings(pattern) {
                Some(found) => {
                    out.owners.extend(found.iter().map(|_| i));
                    words.extend(found);
                }
                None => out.always.push(i),
            }
        }
        if !words.is_empty() {
            let kind = Some(AhoCorasickKind::ContiguousNFA);
            match AhoCorasick::builder().kind(kind).build(&words) {
                Ok(finder) => out.words = Some(finder),
                // Too many words to look for: then every pattern is run.
                Err(_) => out.always = (0..out.all.len()).collect(),
            }
        }
        Ok(out)
    }

    /// Compiles every pattern and keeps nothing; the error names the one at fault.
    pub(super) fn check(&self) -> Result<(), (usize, regex::Error)> {
        let mut patterns = self.all.iter().enumerate();
        patterns.try_for_each(|(i, p)| p.check().map_err(|e| (i, e)))
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The first pattern in order that `wanted` accepts and that is found in `text`.
    pub(super) fn first(&self, text: &str, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let mut possible = vec![false; self.all.len()];
        for i in &self.always {
            possible[*i] = true;
        }
        for found in self.words.iter().flat_map(|w| w.find_overlapping_iter(text)) {
            possible[self.owners[found.pattern().as_usize()]] = true;
        }
        (0..possible.len()).find(|i| possible[*i] && wanted(*i) && self.all[*i].is_match(text))
    }
}

/// Words one of which every match begins with, unless it can begin with anything.
fn beginnings(pattern: &str) -> Option<Vec<Vec<u8>>> {
    let hir = parse(pattern).ok()?;
    let seq = Extractor::new().limit_total(1000).limit_literal_len(10).extract(&hir);
    let mut words: Vec<Vec<u8>> = seq.literals()?.iter().map(|l| l.as_bytes().to_vec()).collect();
    words.sort_unstable();
    words.dedup();
    let useful = !words.is_empty() && words.iter().all(|w| !w.is_empty());
    useful.then_some(words)
}

/// Rewrites a pattern for lower-case text: letters folded, and `\b`, `\d`, `\w`, `\s` kept to
/// ASCII, which keeps the automaton small and fast.
pub(super) fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars();
    let mut in_class = false;
    let mut before = ' ';
    while let Some(c) = chars.next() {
        if c != '\\' {
            in_class = (in_class || c == '[') && c != ']';
            // `(?P<name>` is syntax, not text.
            out.push(if before == '?' { c } else { c.to_ascii_lowercase() });
            before = c;
            continue;
        }
        match chars.next() {
            Some('b') => out.push_str("(?-u:\\b)"),
            Some('d') => out.push_str(if in_class { "0-9" } else { "[0-9]" }),
            Some('w') => out.push_str(if in_class { "0-9a-z_" } else { "[0-9a-z_]" }),
            Some('s') => out.push_str(if in_class { " \\t-\\r" } else { "[ \\t-\\r]" }),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
        before = ' ';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_in_order_wins_and_others_are_not_run() {
        let sources = ["card .{0,20}declined", "(not|no) found", "[0-9]{3} gone", "declined"];
        let patterns = Patterns::compile(&sources.map(str::to_owned)).expect("patterns");
        assert_eq!(patterns.first("your card was declined", |_| true), Some(0));
        assert_eq!(patterns.first("your card was declined", |i| i > 0), Some(3));
        assert_eq!(patterns.first("404 gone", |_| true), Some(2));
        assert_eq!(patterns.first("nothing", |_| true), None);
        assert!(beginnings("(?-u:\\b)(rate|too many) limit").is_some());
        assert!(Patterns::compile(&["(".to_owned()]).is_err());
    }

    #[test]
    fn patterns_are_folded_and_kept_to_ascii() {
        assert_eq!(ascii_classes(r"Card\b \d+[\w.]"), r"card(?-u:\b) [0-9]+[0-9a-z_.]");
        assert_eq!(ascii_classes(r"\(R01\)"), r"\(r01\)");
    }
}
