//! The house rules that no compiler checks. Every rule is a pure function over paths and texts;
//! this module only reads the tree and prints what they found.

mod crates;
mod names;
mod scan;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

/// One file of the repository: path relative to the root with forward slashes, and its text.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Path relative to the root, with forward slashes.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

/// A broken rule: where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// Short name of the rule.
    pub(crate) rule: &'static str,
    /// Path relative to the root.
    pub(crate) path: String,
    /// Line, counted from 1; 0 when the whole file is meant.
    pub(crate) line: usize,
    /// What is wrong, as a sentence.
    pub(crate) message: String,
}

impl Violation {
    fn new(rule: &'static str, path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            rule,
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

/// Folders that hold nothing written by people.
const SKIPPED_FOLDERS: [&str; 9] = [
    ".git",
    "target",
    "data",
    "node_modules",
    "dist",
    "test-results",
    "playwright-report",
    ".venv",
    "fixtures",
];
/// File names and endings that rules look at.
const READ_ENDINGS: [&str; 9] = [
    ".rs",
    ".ts",
    ".tsx",
    ".css",
    ".mjs",
    ".html",
    ".toml",
    "Cargo.lock",
    "package-lock.json",
];

/// Checks the tree under `root`; an error lists how many rules are broken, after printing each.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let found = check(root)?;
    for violation in &found {
        println!(
            "{}:{}: [{}] {}",
            violation.path, violation.line, violation.rule, violation.message
        );
    }
    if !found.is_empty() {
        bail!("{} broken house rules", found.len());
    }
    println!("tidy: all house rules hold");
    Ok(())
}

/// Every broken rule in the tree under `root`, sorted.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Violation>> {
    let mut files = Vec::new();
    read_tree(root, root, &mut files)?;
    let providers = provider_names(root)?;
    Ok(check_files(&files, &providers))
}

/// Every broken rule in `files`, given the names of the provider folders.
fn check_files(files: &[SourceFile], providers: &BTreeSet<String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        found.extend(crates::check(file));
        found.extend(names::check(file, providers));
        found.extend(text::check(file));
    }
    found.extend(text::check_lengths(files));
    found.sort();
    found
}

/// The folder names of `crates/lk-providers/src`: the providers this repository knows.
fn provider_names(root: &Path) -> anyhow::Result<BTreeSet<String>> {
    let folder = root.join("crates/lk-providers/src");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.path().join("manifest.toml").is_file() {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Whether the path's extension is `extension` (lowercase, as all of ours are).
fn is_a(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

/// Reads every file that a rule looks at, depth first.
fn read_tree(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                read_tree(root, &path, files)?;
            }
        } else if READ_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            let relative = path.strip_prefix(root).unwrap_or(&path);
            let path = relative.to_string_lossy().replace('\\', "/");
            files.push(SourceFile { path, text });
        }
    }
    Ok(())
}
