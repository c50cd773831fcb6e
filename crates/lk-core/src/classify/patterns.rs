//! Many patterns over one text: a single pass for the words they begin with names the few that can
//! match, and only these are run. (One automaton of all patterns took milliseconds for each new
//! message: hundreds of patterns with gaps have a new state almost everywhere.)

use aho_corasick::AhoCorasick;
use regex::Regex;
use regex_syntax::hir::literal::Extractor;

/// Patterns in an order, the first of which that matches is wanted.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    regexes: Vec<Regex>,
    /// Finds the beginnings of matches.
    words: Option<AhoCorasick>,
    /// The pattern that each word belongs to.
    owners: Vec<usize>,
    /// Patterns whose matches can begin with anything.
    always: Vec<usize>,
}

impl Patterns {
    /// Compiles patterns; the error names the one at fault.
    pub(super) fn compile(patterns: &[String]) -> Result<Self, (usize, regex::Error)> {
        let mut out = Self::default();
        let mut words: Vec<Vec<u8>> = Vec::new();
        for (i, pattern) in patterns.iter().enumerate() {
            out.regexes.push(Regex::new(pattern).map_err(|e| (i, e))?);
            match beginnings(pattern) {
                Some(found) => {
                    out.owners.extend(found.iter().map(|_| i));
                    words.extend(found);
                }
                None => out.always.push(i),
            }
        }
        if !words.is_empty() {
            match AhoCorasick::new(&words) {
                Ok(finder) => out.words = Some(finder),
                // Too many words to look for: then every pattern is run.
                Err(_) => out.always = (0..out.regexes.len()).collect(),
            }
        }
        Ok(out)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.regexes.is_empty()
    }

    /// The first pattern in order that `wanted` accepts and that is found in `text`.
    pub(super) fn first(&self, text: &str, wanted: impl Fn(usize) -> bool) -> Option<usize> {
        let mut possible = vec![false; self.regexes.len()];
        for i in &self.always {
            possible[*i] = true;
        }
        for found in self.words.iter().flat_map(|w| w.find_overlapping_iter(text)) {
            possible[self.owners[found.pattern().as_usize()]] = true;
        }
        (0..possible.len()).find(|i| possible[*i] && wanted(*i) && self.regexes[*i].is_match(text))
    }
}

/// Words one of which every match begins with, unless it can begin with anything.
fn beginnings(pattern: &str) -> Option<Vec<Vec<u8>>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let seq = Extractor::new().limit_total(1000).limit_literal_len(24).extract(&hir);
    let words: Vec<Vec<u8>> = seq.literals()?.iter().map(|l| l.as_bytes().to_vec()).collect();
    let useful = !words.is_empty() && words.iter().all(|w| !w.is_empty());
    useful.then_some(words)
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
}
