//! A provider's name belongs in its folder, the fakes, the binary, tests and docs, and nowhere
//! else: that is what keeps "a provider is a folder" true.

use std::collections::BTreeSet;

use super::scan::{scan, test_ranges};
use super::{SourceFile, Violation, is_a};

/// Where names are at home.
const NAMING_PLACES: [&str; 5] = [
    "crates/lk-providers/",
    "crates/lk-fakes/",
    "crates/linekeeper/",
    "xtask/",
    "docs/",
];
/// Where names are looked for.
const SEARCHED_PLACES: [&str; 2] = ["crates/", "web/src/"];
/// Provider folders whose name is also an ordinary word or the name of a published format.
const ORDINARY_WORDS: [(&str, &str); 7] = [
    ("generic", "the adapter for any sender; also an ordinary word"),
    (
        "standard_webhooks",
        "a published signature scheme that many providers share",
    ),
    ("webhook", "the word for every delivery"),
    ("http", "a protocol"),
    ("smtp", "a protocol"),
    ("mcp", "a protocol"),
    ("linear", "an ordinary word (time, gradients)"),
];
/// Single places that may name one: (path, name, why).
const ALLOWED_PLACES: [(&str, &str, &str); 0] = [];

/// Finds provider names in `file`.
pub(crate) fn check(file: &SourceFile, providers: &BTreeSet<String>) -> Vec<Violation> {
    let path = file.path.as_str();
    let searched = SEARCHED_PLACES.iter().any(|p| path.starts_with(p)) && !is_a(path, "toml");
    if !searched || NAMING_PLACES.iter().any(|p| path.starts_with(p)) || is_test(path) {
        return Vec::new();
    }
    let tests = if is_a(path, "rs") {
        test_ranges(&scan(&file.text, true).code)
    } else {
        Vec::new()
    };
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let number = index + 1;
        if tests.iter().any(|(first, last)| (*first..=*last).contains(&number)) {
            continue;
        }
        for name in names_in(line, providers) {
            if ALLOWED_PLACES.iter().any(|(p, n, _)| *p == path && *n == name) {
                continue;
            }
            let message = format!("names the provider `{name}`; only its folder, the fakes and the binary may");
            found.push(Violation::new("provider-name", path, number, message));
        }
    }
    found
}

/// Whether the path belongs to tests, which may name providers.
fn is_test(path: &str) -> bool {
    path.starts_with("web/src/test/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || [".test.ts", ".test.tsx", ".spec.ts"]
            .iter()
            .any(|ending| path.ends_with(ending))
}

/// The provider names that occur in `line` as whole words: alone, or as a part of an identifier
/// set off by `_` or by a capital.
fn names_in<'a>(line: &str, providers: &'a BTreeSet<String>) -> Vec<&'a str> {
    let words: Vec<Vec<String>> = line
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty())
        .map(pieces)
        .collect();
    let known = |name: &&String| !ORDINARY_WORDS.iter().any(|(word, _)| word == name);
    let occurs = |name: &String| {
        let wanted = name.replace('_', "");
        words.iter().any(|word| has_run(word, &wanted))
    };
    providers
        .iter()
        .filter(known)
        .filter(|name| occurs(name))
        .map(String::as_str)
        .collect()
}

/// `GitHubClient` and `git_hub_client` both become `[git, hub, client]`.
fn pieces(word: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut last_lower = false;
    for c in word.chars() {
        let starts = found.is_empty() || c == '_' || (c.is_uppercase() && last_lower);
        if starts {
            found.push(String::new());
        }
        if let Some(piece) = found.last_mut().filter(|_| c != '_') {
            piece.extend(c.to_lowercase());
        }
        last_lower = c.is_lowercase() || c.is_numeric();
    }
    found.retain(|piece| !piece.is_empty());
    found
}

/// Whether neighbouring pieces put together make `wanted`.
fn has_run(pieces: &[String], wanted: &str) -> bool {
    (0..pieces.len()).any(|start| {
        let mut joined = String::new();
        pieces[start..].iter().any(|piece| {
            joined.push_str(piece);
            joined == wanted
        })
    })
}
