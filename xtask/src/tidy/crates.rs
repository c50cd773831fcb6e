//! Which crate may depend on which: our own edges, homes of outside crates, reasons, duplicates.

use toml::{Table, Value};

use super::{SourceFile, Violation};

/// For each crate of ours, those it may depend on (DESIGN, "Rooms").
const ALLOWED_EDGES: [(&str, &[&str]); 8] = [
    ("lk-core", &[]),
    ("lk-provider", &["lk-core"]),
    ("lk-providers", &["lk-provider", "lk-core", "lk-fakes"]),
    ("lk-store", &["lk-core"]),
    ("lk-engine", &["lk-core", "lk-provider", "lk-store"]),
    ("lk-server", &["lk-core", "lk-provider", "lk-store", "lk-engine"]),
    ("lk-fakes", &["lk-provider", "lk-core"]),
    (
        "linekeeper",
        &[
            "lk-core",
            "lk-provider",
            "lk-providers",
            "lk-store",
            "lk-engine",
            "lk-server",
            "lk-fakes",
        ],
    ),
];
/// All that the core may use: nothing that does IO, parses JSON or knows a database. The first and
/// the fourth are parts of `regex` itself, used to choose which of many patterns to run.
const CORE_DEPENDENCIES: [&str; 5] = ["aho-corasick", "blake3", "regex", "regex-syntax", "thiserror"];
/// Outside crates that have one home, so that what they do happens in one room.
const HOMES: [(&str, &[&str]); 5] = [
    ("rusqlite", &["lk-store"]),
    ("sea-orm", &["lk-store"]),
    ("sea-orm-migration", &["lk-store"]),
    ("reqwest", &["lk-engine"]),
    ("axum", &["lk-server"]),
];
/// Packages that must not be in the lock file: a second TLS back end costs minutes of build.
const DENIED_PACKAGES: [&str; 2] = ["aws-lc-sys", "openssl-sys"];
/// Packages that must be there once at most.
const SINGLE_PACKAGES: [&str; 2] = ["reqwest", "libsqlite3-sys"];

/// Checks a Cargo.toml or a lock file; other files pass.
pub(crate) fn check(file: &SourceFile) -> Vec<Violation> {
    let path = file.path.as_str();
    if path == "Cargo.toml" {
        return check_reasons(path, &file.text);
    }
    if path == "Cargo.lock" {
        return check_lock(path, &file.text);
    }
    match path.strip_prefix("crates/").and_then(|p| p.strip_suffix("/Cargo.toml")) {
        Some(name) => check_member(path, name, &file.text),
        None => Vec::new(),
    }
}

/// Crate edges, the core's short list, and homes of outside crates.
pub(crate) fn check_member(path: &str, name: &str, text: &str) -> Vec<Violation> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            return vec![Violation::new("crate-edges", path, 0, format!("not TOML: {error}"))];
        }
    };
    let Some((_, allowed)) = ALLOWED_EDGES.iter().find(|(member, _)| *member == name) else {
        let message = format!("crate {name} has no row in the table of allowed edges");
        return vec![Violation::new("crate-edges", path, 0, message)];
    };
    let mut found = Vec::new();
    for (section, dependency) in dependencies(&table) {
        if dependency.starts_with("lk-") && !allowed.contains(&dependency.as_str()) {
            let message = format!("{name} may not depend on {dependency}; allowed: {}", allowed.join(", "));
            found.push(Violation::new("crate-edges", path, 0, message));
        }
        let home = HOMES.iter().find(|(package, _)| *package == dependency);
        let at_home = home.is_none_or(|(_, homes)| homes.contains(&name));
        if !at_home && section != "dev-dependencies" {
            let message = format!("{dependency} has its home elsewhere; {name} may not use it");
            found.push(Violation::new("crate-homes", path, 0, message));
        }
    }
    if name == "lk-core" {
        let mut names: Vec<String> = dependencies(&table)
            .into_iter()
            .filter(|(s, _)| s == "dependencies")
            .map(|(_, d)| d)
            .collect();
        names.sort();
        if names != CORE_DEPENDENCIES {
            let message = format!("lk-core depends on exactly {CORE_DEPENDENCIES:?}, found {names:?}");
            found.push(Violation::new("core-dependencies", path, 0, message));
        }
    }
    found
}

/// (section, dependency) of every dependency table, target-specific ones included.
fn dependencies(table: &Table) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let names = table
            .get(section)
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::keys);
        found.extend(names.map(|name| (section.to_owned(), name.clone())));
    }
    let targets = table
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values);
    for target in targets.filter_map(Value::as_table) {
        found.extend(dependencies(target));
    }
    found
}

/// Every outside dependency of the workspace says why it is there, in the comment line above it
/// (`# name: why`, or `# name, other: why` for several).
pub(crate) fn check_reasons(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut explained: Vec<String> = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == "[workspace.dependencies]";
        } else if let Some((names, why)) = line.strip_prefix('#').and_then(|l| l.split_once(':')) {
            let has_reason = !why.trim().is_empty();
            explained = names
                .split(',')
                .filter(|_| has_reason)
                .map(|n| n.trim().to_owned())
                .collect();
        } else if let Some((name, value)) = line.split_once('=').filter(|_| inside) {
            let name = name.trim().trim_matches('"');
            let ours = value.contains("path =");
            if !ours && !explained.iter().any(|n| n == name) {
                let message = format!("dependency {name} needs a comment above it: `# {name}: why`");
                found.push(Violation::new("dependency-reason", path, index + 1, message));
            }
        }
    }
    found
}

/// No denied package, and no second version of the heavy ones.
pub(crate) fn check_lock(path: &str, text: &str) -> Vec<Violation> {
    let names: Vec<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("name = "))
        .map(|n| n.trim_matches('"'))
        .collect();
    let count = |package: &str| names.iter().filter(|n| **n == package).count();
    let denied = DENIED_PACKAGES
        .iter()
        .filter(|p| count(p) > 0)
        .map(|p| format!("{p} must not be linked"));
    let twice = SINGLE_PACKAGES
        .iter()
        .filter(|p| count(p) > 1)
        .map(|p| format!("{p} is linked in several versions"));
    denied
        .chain(twice)
        .map(|message| Violation::new("lock-file", path, 0, message))
        .collect()
}
