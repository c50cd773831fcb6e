//! Writes the generated files of the repository, or checks that they are up to date.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::{codes, fakes, registry};

/// A file that a program writes: path relative to the root, and its whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generated {
    /// Path relative to the root.
    pub(crate) path: &'static str,
    /// The whole text.
    pub(crate) text: String,
}

/// Every generated file, as the tree under `root` asks for it.
fn generate(root: &Path) -> anyhow::Result<Vec<Generated>> {
    let mut files = vec![
        codes::generate(root)?,
        fakes::generate(root)?,
        registry::generate(root)?,
    ];
    for file in &mut files {
        file.text = formatted(root, &file.text).with_context(|| format!("formatting {}", file.path))?;
    }
    Ok(files)
}

/// The text as `cargo fmt` leaves it, so that formatting never makes a generated file stale.
fn formatted(root: &Path, text: &str) -> anyhow::Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting rustfmt")?;
    // Taken, so that the pipe closes when everything is written; rustfmt answers only then.
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "rustfmt failed");
    Ok(String::from_utf8(output.stdout)?)
}

/// Writes what has changed; with `check`, changes nothing and fails when something has.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for Generated { path, text } in generate(root)? {
        let found = fs::read_to_string(root.join(path)).unwrap_or_default();
        if found == text {
            continue;
        }
        stale.push(path);
        if !check {
            fs::write(root.join(path), text).with_context(|| format!("writing {path}"))?;
            println!("wrote {path}");
        }
    }
    if check && !stale.is_empty() {
        bail!(
            "stale: {}; run `cargo xtask codegen` and commit what it writes",
            stale.join(", ")
        );
    }
    if stale.is_empty() {
        println!("codegen: everything is up to date");
    }
    Ok(())
}

/// Names of the folders in `folder` that hold the file `file`, sorted.
pub(crate) fn folders_with(folder: &Path, file: &str) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let entry = entry?;
        if entry.path().join(file).is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    #[test]
    fn generated_files_are_up_to_date() {
        super::run(&crate::repository_root(), true).unwrap();
    }
}
