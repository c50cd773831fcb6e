//! Rules about the text itself: SQL's one home, lengths, unfinished work, inline styles, locks.

use std::sync::LazyLock;

use regex::Regex;

use super::scan::{Scanned, item_end, line_of, scan};
use super::{SourceFile, Violation, is_a};

/// No file is longer.
const FILE_LINES_MAX: usize = 800;
/// Nine files of ten are shorter.
const FILE_LINES_P90: usize = 400;
/// No Rust function has more lines of code (blank lines and comments not counted, as clippy does).
const FUNCTION_LINES_MAX: usize = 70;
/// Where SQL may be written.
const SQL_PLACES: [&str; 2] = ["crates/lk-store/", "xtask/"];

static SQL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?s)\bSELECT\b.{1,400}\bFROM\b|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bUPDATE\s+\S+\s+SET\b|\bDELETE\s+FROM\b|\b(CREATE|DROP|ALTER)\s+(UNIQUE\s+)?(TABLE|INDEX)\b|^\s*(select\s.{1,400}\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from)\s",
    )
});
static UNFINISHED_RUST: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(todo|unimplemented)!|#\[ignore\b"));
static UNFINISHED_SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(test|it|describe)(\.\w+)*\.(skip|only|todo|fixme|skipIf|runIf)\b|\b(xit|xdescribe|xtest|fit|fdescribe)\(",
    )
});
static UNFINISHED_COMMENT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(TODO|FIXME|XXX|HACK)\b|(?i)\b(for now|stub|dummy)\b"));
static INLINE_STYLE: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\sstyle=["{]"#));
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bfn\s+(\w+)"));
static LOCKED_HOST: LazyLock<Regex> = LazyLock::new(|| pattern(r#""resolved":\s*"https?://"#));

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants of this file, compiled by its tests"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// Checks one file by itself.
pub(crate) fn check(file: &SourceFile) -> Vec<Violation> {
    let (path, text) = (file.path.as_str(), file.text.as_str());
    if is_a(path, "rs") {
        let scanned = scan(text, true);
        let mut found = check_functions(path, text, &scanned);
        found.extend(check_sql(path, &scanned));
        found.extend(matches(
            &UNFINISHED_RUST,
            "unfinished",
            path,
            &scanned.code,
            "unfinished or ignored work",
        ));
        found.extend(matches(
            &UNFINISHED_COMMENT,
            "unfinished",
            path,
            &scanned.comments,
            "a reminder instead of the work",
        ));
        return found;
    }
    if is_script(path) {
        let scanned = scan(text, false);
        let mut found = matches(
            &UNFINISHED_SCRIPT,
            "unfinished",
            path,
            &scanned.code,
            "a test that does not run",
        );
        found.extend(matches(
            &UNFINISHED_COMMENT,
            "unfinished",
            path,
            &scanned.comments,
            "a reminder instead of the work",
        ));
        if path.starts_with("web/src/") {
            let style = "an inline style; use the tokens and classes";
            found.extend(matches(&INLINE_STYLE, "inline-style", path, text, style));
        }
        return found;
    }
    if path.starts_with("web/") && is_a(path, "html") {
        return matches(
            &INLINE_STYLE,
            "inline-style",
            path,
            text,
            "an inline style; the page's policy refuses it",
        );
    }
    if path.ends_with("package-lock.json") {
        return matches(
            &LOCKED_HOST,
            "lock-file",
            path,
            text,
            "a registry's address; see .npmrc",
        )
        .into_iter()
        .take(1)
        .collect();
    }
    Vec::new()
}

fn is_script(path: &str) -> bool {
    [".ts", ".tsx", ".mjs"].iter().any(|ending| path.ends_with(ending))
}

/// One violation for each place where `pattern` matches `text`.
fn matches(pattern: &Regex, rule: &'static str, path: &str, text: &str, what: &str) -> Vec<Violation> {
    let violation = |m: regex::Match<'_>| {
        let start = m.start() + m.as_str().len() - m.as_str().trim_start().len();
        Violation::new(
            rule,
            path,
            line_of(text, start),
            format!("{what}: `{}`", m.as_str().trim()),
        )
    };
    pattern.find_iter(text).map(violation).collect()
}

/// SQL is written in the store alone.
fn check_sql(path: &str, scanned: &Scanned) -> Vec<Violation> {
    if SQL_PLACES.iter().any(|place| path.starts_with(place)) {
        return Vec::new();
    }
    let sql = scanned.literals.iter().filter(|literal| SQL.is_match(&literal.text));
    sql.map(|literal| Violation::new("sql-home", path, literal.line, "SQL outside lk-store"))
        .collect()
}

/// Functions stay short enough to be read at once.
fn check_functions(path: &str, text: &str, scanned: &Scanned) -> Vec<Violation> {
    let mut found = Vec::new();
    for capture in FUNCTION.captures_iter(&scanned.code) {
        let (Some(whole), Some(name)) = (capture.get(0), capture.get(1)) else {
            continue;
        };
        let body = body_lines(text, &scanned.code, &scanned.comments, whole.start());
        if body > FUNCTION_LINES_MAX {
            let line = line_of(&scanned.code, whole.start());
            let message = format!(
                "function {} has {body} lines; at most {FUNCTION_LINES_MAX}",
                name.as_str()
            );
            found.push(Violation::new("function-length", path, line, message));
        }
    }
    found
}

/// Lines with code between the braces of the function that starts at byte `start` of `code`.
fn body_lines(text: &str, code: &str, comments: &str, start: usize) -> usize {
    let end = item_end(code, start);
    let Some(open) = code.get(start..end).and_then(|item| item.find('{')) else {
        return 0;
    };
    let first = line_of(code, start + open) + 1;
    let last = line_of(code, end).saturating_sub(1);
    let lines = text.lines().zip(comments.lines()).skip(first.saturating_sub(1));
    let counted = lines.take((last + 1).saturating_sub(first));
    // A line counts when something besides its comment is on it.
    counted
        .filter(|(line, comment)| !line.trim().is_empty() && line.trim() != comment.trim())
        .count()
}

/// Files stay short: none over the hard limit, nine of ten under the soft one.
pub(crate) fn check_lengths(files: &[SourceFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut lengths = Vec::new();
    let written = |f: &&SourceFile| (is_a(&f.path, "rs") || is_script(&f.path)) && !is_generated(f);
    for file in files.iter().filter(written) {
        let lines = file.text.lines().count();
        lengths.push(lines);
        if lines > FILE_LINES_MAX {
            let message = format!("{lines} lines; at most {FILE_LINES_MAX}");
            found.push(Violation::new("file-length", &file.path, 0, message));
        }
    }
    lengths.sort_unstable();
    let p90 = lengths
        .get(lengths.len().saturating_sub(1) * 9 / 10)
        .copied()
        .unwrap_or(0);
    if p90 >= FILE_LINES_P90 {
        let message = format!("nine files of ten should be under {FILE_LINES_P90} lines; the 90th percentile is {p90}");
        found.push(Violation::new("file-length", "", 0, message));
    }
    found
}

/// Files that a program writes say so in their first lines.
fn is_generated(file: &SourceFile) -> bool {
    file.text
        .lines()
        .take(5)
        .any(|line| line.to_ascii_lowercase().contains("generated by"))
}
