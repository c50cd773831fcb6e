//! A provider in one file, as a running installation is given it: the manifest, and as further
//! keys what lies beside a manifest in a folder.
//!
//! ```toml
//! key = "acme"            # the manifest, as in a folder
//! help = "..."            # help.md
//! icon = "<svg ...>"      # icon.svg
//! [errors]                # errors.toml: `docs`, `[errors.extract]`, `[[errors.rule]]`
//! ```

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use crate::errors::{ErrorRules, ErrorRulesError};
use crate::manifest::ManifestError;
use crate::{Manifest, conformance};

/// The keys that are not the manifest's.
const BESIDE: [&str; 3] = ["errors", "help", "icon"];

/// A provider that one file says wholly.
#[derive(Debug, Clone)]
pub struct ProviderFile {
    /// The manifest.
    pub manifest: Manifest,
    /// Its error rules, compiled once to know that they can be.
    pub errors: ErrorRules,
    /// The icon as SVG text.
    pub icon: Option<String>,
    /// What people need to connect it, as Markdown.
    pub help: Option<String>,
}

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct FileFlaw {
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl ProviderFile {
    /// Reads and validates the text of a file.
    pub fn parse(text: &str) -> Result<Self, FileFlaw> {
        let source = Source(text);
        let table = DeTable::parse(text).map_err(|error| source.syntax(&error, None))?;
        let (span, whole) = (table.span(), table.into_inner());
        let (mut rest, mut beside) = (DeTable::new(), DeTable::new());
        for (key, value) in whole.clone() {
            let part = if BESIDE.contains(&key.get_ref().as_ref()) {
                &mut beside
            } else {
                &mut rest
            };
            part.insert(key, value);
        }
        let manifest: Manifest = source.read(rest, span.clone())?;
        let beside: Beside = source.read(beside, span)?;
        manifest
            .validate()
            .map_err(|error| source.of_manifest(&error, &whole))?;
        let compiled = beside.errors.compile().and_then(|layer| Ok(layer.check()?));
        compiled.map_err(|error| source.of_errors(&error, &whole))?;
        if let Some(problem) = beside.icon.as_deref().and_then(conformance::icon_flaw) {
            return Err(FileFlaw {
                line: source.line_at("icon", &whole),
                problem,
            });
        }
        Ok(Self {
            manifest,
            errors: beside.errors,
            icon: beside.icon,
            help: beside.help,
        })
    }
}

/// What lies beside a manifest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Beside {
    #[serde(default)]
    errors: ErrorRules,
    icon: Option<String>,
    help: Option<String>,
}

/// The text, for finding lines.
struct Source<'a>(&'a str);

impl Source<'_> {
    fn read<T: for<'de> Deserialize<'de>>(&self, table: DeTable<'_>, span: Range<usize>) -> Result<T, FileFlaw> {
        let read = T::deserialize(Deserializer::from(Spanned::new(span.clone(), table)));
        read.map_err(|error| self.syntax(&error, Some(span)))
    }

    /// What the parser says. What is missing is missing from the `whole` file, whose first line
    /// would say nothing.
    fn syntax(&self, error: &Error, whole: Option<Range<usize>>) -> FileFlaw {
        let span = error.span().filter(|span| whole.as_ref() != Some(span));
        FileFlaw {
            line: span.map(|span| self.line(span.start)),
            problem: error.message().replace('\n', " "),
        }
    }

    fn of_manifest(&self, error: &ManifestError, whole: &DeTable<'_>) -> FileFlaw {
        match error {
            ManifestError::Syntax { message, .. } => FileFlaw {
                line: None,
                problem: message.clone(),
            },
            ManifestError::Invalid { at, problem, .. } => FileFlaw {
                line: self.line_at(at, whole),
                problem: problem.clone(),
            },
        }
    }

    fn of_errors(&self, error: &ErrorRulesError, whole: &DeTable<'_>) -> FileFlaw {
        let at = error.index().map(|index| format!("errors.rule.{index}"));
        FileFlaw {
            line: at.and_then(|at| self.line_at(&at, whole)),
            problem: error.to_string().replace("errors.toml", "[errors]"),
        }
    }

    /// The line of the value at a path: keys and positions with dots between them.
    fn line_at(&self, at: &str, whole: &DeTable<'_>) -> Option<usize> {
        let mut steps = at.split('.');
        let mut found = whole.get(steps.next()?)?;
        for step in steps {
            let next = match (found.get_ref(), step.parse::<usize>()) {
                (DeValue::Array(items), Ok(index)) => items.get(index),
                (DeValue::Table(table), _) => table.get(step),
                _ => None,
            };
            // The nearest that is there is near enough: a default is written nowhere.
            let Some(next) = next else { break };
            found = next;
        }
        Some(self.line(found.span().start))
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.0.as_bytes().iter().take(offset);
        before.filter(|byte| **byte == b'\n').count() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"key = "acme"
name = "Acme"
summary = "Parcels."
capabilities = ["webhook"]
help = "Where to find the secret."

[webhook.signature]
scheme = "hmac"
header = "x-acme-signature"

[webhook.secret]
label = "Secret"
hint = "In its settings."

[[fields]]
key = "region"
label = "Region"

[errors]
docs = "https://docs.example.com/errors"

[errors.extract]
code = ["/fault/id"]

[[errors.rule]]
code = ["TOKEN_GONE"]
doc = "auth.token_expired"
"#;

    fn refused(from: &str, to: &str) -> (Option<usize>, String) {
        assert!(GOOD.contains(from), "{from}");
        let flaw = ProviderFile::parse(&GOOD.replacen(from, to, 1)).expect_err("refused");
        (flaw.line, flaw.problem)
    }

    #[test]
    fn one_file_is_a_whole_provider() {
        let file = ProviderFile::parse(GOOD).unwrap();
        assert_eq!(file.manifest.key, "acme");
        assert_eq!(file.errors.rules.len(), 1);
        assert_eq!(file.help.as_deref(), Some("Where to find the secret."));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (from, to, line, words) in [
            ("name =", "nome =", Some(2), "unknown field `nome`"),
            ("\nname = \"Acme\"", "", None, "missing field `name`"),
            ("\"Acme\"", "\"Acme", Some(2), "string"),
            ("\"Acme\"", "7", Some(2), "expected a string"),
            ("\"acme\"", "\"Ac me\"", Some(1), "lowercase"),
            ("\"Region\"", "\" \"", Some(15), "field `region`"),
            ("[\"webhook\"]", "[]", Some(4), "go together"),
            ("[\"webhook\"]", "[\"webhok\"]", Some(4), "unknown variant `webhok`"),
            (
                "label = \"Secret\"",
                "lable = \"Secret\"",
                Some(12),
                "unknown field `lable`",
            ),
            ("auth.token_expired", "auth.token_expird", Some(25), "no document named"),
            ("code = [\"TOKEN_GONE\"]\n", "", Some(25), "no condition"),
            ("code = [\"TOKEN_GONE\"]", "match = \"(\"", Some(25), "regex"),
            ("[[errors.rule]]", "[[errors.rules]]", Some(25), "unknown field `rules`"),
            ("help = ", "icon = ", Some(5), "icon"),
        ] {
            let (found, problem) = refused(from, to);
            assert!(problem.contains(words), "{from} -> {to}: {problem}");
            assert_eq!(found, line, "{from} -> {to}: {problem}");
        }
    }
}
