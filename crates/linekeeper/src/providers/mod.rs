//! The providers of this process: those built in, and those that the folder `providers.d` gives.

mod lint;
pub(crate) mod nearest;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use lk_provider::{Provider, Registry};

use crate::config::Config;

/// Ending of the files that are read; others beside them are nobody's business.
const ENDING: &str = "toml";
/// Files that are read of one folder.
const FILES_MAX: usize = 256;
/// Largest file that is read, bytes. The largest built-in provider has a tenth of it.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Every provider, and the files of those that are not built in.
pub(crate) struct Providers {
    /// Key to provider.
    pub(crate) registry: Registry,
    /// Key to file.
    pub(crate) files: BTreeMap<String, PathBuf>,
}

/// What is wrong with a file: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// The file, or the folder.
    pub(crate) path: PathBuf,
    /// The line, from 1, where it is known.
    pub(crate) line: Option<usize>,
    /// What is wrong, and what to do where that does not say itself.
    pub(crate) problem: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path.display(), self.problem),
            None => write!(f, "{}: {}", self.path.display(), self.problem),
        }
    }
}

/// A file that is a provider.
pub(crate) struct Given {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it is.
    pub(crate) provider: Arc<dyn Provider>,
}

/// What was found in a file or a folder of them.
#[derive(Default)]
pub(crate) struct Reading {
    /// The providers, in the order of their files' names.
    pub(crate) given: Vec<Given>,
    /// What is wrong with the other files.
    pub(crate) flaws: Vec<Flaw>,
}

impl Providers {
    /// Every provider that the configuration gives; one broken file is an error, so that none is
    /// missing without anybody noticing.
    pub(crate) fn load(config: &Config) -> anyhow::Result<Self> {
        let (providers, flaws) = Self::load_what_can_be(config)?;
        let Some(first) = flaws.first() else {
            return Ok(providers);
        };
        let more = match flaws.len() - 1 {
            0 => String::new(),
            n => format!(
                " ({n} more: run `linekeeper provider lint {}`)",
                config.providers_dir().display()
            ),
        };
        bail!("a provider file cannot be used: {first}{more}")
    }

    /// The providers that can be used, and what is wrong with the files of the others.
    pub(crate) fn load_what_can_be(config: &Config) -> anyhow::Result<(Self, Vec<Flaw>)> {
        let built_in = built_in()?;
        let folder = config.providers_dir();
        let reading = if config.providers_dir.is_none() && !folder.exists() {
            Reading::default()
        } else {
            read(&folder, &built_in)
        };
        let files = reading
            .given
            .iter()
            .map(|given| (given.key().to_owned(), given.path.clone()));
        let files = files.collect();
        let given = reading.given.into_iter().map(|given| given.provider);
        let all = built_in.iter().cloned().chain(given).collect();
        let registry = Registry::new(all).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok((Self { registry, files }, reading.flaws))
    }
}

impl Given {
    fn key(&self) -> &str {
        &self.provider.manifest().key
    }
}

/// The providers built into the binary.
pub(crate) fn built_in() -> anyhow::Result<Registry> {
    lk_providers::registry().context("the providers in this program are broken")
}

/// Reads the file at `path`, or every file of the folder there. Keys of `built_in` are taken.
pub(crate) fn read(path: &Path, built_in: &Registry) -> Reading {
    let mut reading = Reading::default();
    let files = match fs::metadata(path) {
        Ok(at) if at.is_dir() => list(path),
        Ok(_) => Ok(vec![path.to_owned()]),
        Err(error) => Err(error.to_string()),
    };
    let files = match files {
        Ok(files) => files,
        Err(problem) => {
            reading.flaws.push(Flaw {
                path: path.to_owned(),
                line: None,
                problem: format!("cannot be read: {problem}"),
            });
            return reading;
        }
    };
    for file in files {
        match lint::check(&file, built_in) {
            Ok(provider) => reading.add(file, provider),
            Err(flaws) => reading.flaws.extend(flaws),
        }
    }
    reading
}

impl Reading {
    fn add(&mut self, path: PathBuf, provider: Arc<dyn Provider>) {
        let key = &provider.manifest().key;
        if let Some(first) = self.given.iter().find(|given| given.key() == key) {
            let problem = format!(
                "{} has the key `{key}` too: give one of them another",
                first.path.display()
            );
            self.flaws.push(Flaw {
                path,
                line: None,
                problem,
            });
        } else {
            self.given.push(Given { path, provider });
        }
    }
}

/// The files of a folder, by name. Hidden ones are an editor's or the file system's.
fn list(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|ending| ending == ENDING) {
            files.push(path);
        }
    }
    if files.len() > FILES_MAX {
        return Err(format!(
            "it has {} provider files, at most {FILES_MAX} are read",
            files.len()
        ));
    }
    files.sort();
    Ok(files)
}

/// The text of a file. A link is followed when it stays in the folder (as mounted configuration
/// does), and refused when it leads elsewhere: what is in the folder is what is served.
fn text(path: &Path) -> Result<String, String> {
    let told = |error: std::io::Error| match error.kind() {
        ErrorKind::InvalidData => "it is not text in UTF-8".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let home = fs::canonicalize(folder.unwrap_or(Path::new("."))).map_err(told)?;
    let real = fs::canonicalize(path).map_err(told)?;
    if !real.starts_with(&home) {
        return Err("it is a link that leads out of its folder: put the file itself here".to_owned());
    }
    let file = fs::File::open(&real).map_err(told)?;
    if !file.metadata().map_err(told)?.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(told)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("it is larger than {} KiB", FILE_BYTES_MAX / 1024));
    }
    Ok(text)
}
