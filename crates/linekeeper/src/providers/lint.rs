//! One provider file: read, validated, and run through the part of the conformance suite that
//! needs no fixtures.

use std::path::Path;
use std::sync::Arc;

use lk_core::classify::DocCode;
use lk_provider::{ManifestProvider, Provider, ProviderFile, Registry, conformance};

use super::nearest::nearest;
use super::{Flaw, text};

/// Where to look when a provider does not verify or read as every provider must.
const BEHAVIOUR: &str = "; look at [webhook.signature], [webhook.body] and [[webhook.match]]";

/// The provider in the file at `path`, or everything that is wrong with it.
pub(super) fn check(path: &Path, built_in: &Registry) -> Result<Arc<dyn Provider>, Vec<Flaw>> {
    let flaw = |line: Option<usize>, problem: String| Flaw {
        path: path.to_owned(),
        line,
        problem,
    };
    let text = text(path).map_err(|problem| vec![flaw(None, problem)])?;
    let file = ProviderFile::parse(&text).map_err(|found| vec![flaw(found.line, in_words(&found.problem))])?;
    let key = file.manifest.key.clone();
    if built_in.get(&key).is_some() {
        let problem = format!("the key `{key}` is a built-in provider's: choose another");
        return Err(vec![flaw(None, problem)]);
    }
    let provider = ManifestProvider::from_file(file);
    let findings = conformance::check_behaviour(&provider);
    if findings.is_empty() {
        return Ok(Arc::new(provider));
    }
    let flaws = findings.into_iter().map(|finding| flaw(None, finding + BEHAVIOUR));
    Err(flaws.collect())
}

/// The parser's sentence in the words of this file, with the name that was probably meant.
fn in_words(problem: &str) -> String {
    let quoted: Vec<&str> = problem.split('`').skip(1).step_by(2).collect();
    if let Some((unknown, known)) = quoted.split_first()
        && let Some(what) = ["unknown field", "unknown variant"]
            .iter()
            .find(|what| problem.starts_with(**what))
    {
        let what = if *what == "unknown field" {
            "unknown key"
        } else {
            "unknown word"
        };
        return match nearest(unknown, known.iter().copied()) {
            Some(near) => format!("{what} `{unknown}`: did you mean `{near}`?"),
            None if known.is_empty() => format!("{what} `{unknown}`: take it out"),
            None => format!("{what} `{unknown}`: there are {}", known.join(", ")),
        };
    }
    if let Some(unknown) = quoted.first().filter(|_| problem.contains("no document named")) {
        let near = nearest(unknown, DocCode::all().map(DocCode::as_str));
        let near = near.map(|near| format!(": did you mean `{near}`?"));
        return format!("{problem}{}", near.unwrap_or_default());
    }
    match quoted.first() {
        Some(missing) if problem.starts_with("missing field") => format!("the key `{missing}` is missing: add it"),
        _ => problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn the_name_that_was_meant_is_told() {
        for (problem, words) in [
            (
                "unknown field `colour`, expected one of `key`, `color`, `docs`",
                "unknown key `colour`: did you mean `color`?",
            ),
            (
                "unknown field `zzz`, expected `key` or `color`",
                "unknown key `zzz`: there are key, color",
            ),
            (
                "unknown variant `hmacs`, expected one of `hmac`, `versioned`",
                "unknown word `hmacs`: did you mean `hmac`?",
            ),
            ("missing field `summary`", "the key `summary` is missing: add it"),
            (
                "[errors]: rule 0: there is no document named `auth.token_expird`",
                "[errors]: rule 0: there is no document named `auth.token_expird`: did you mean `auth.token_expired`?",
            ),
            (
                "invalid type: integer `7`, expected a string",
                "invalid type: integer `7`, expected a string",
            ),
        ] {
            assert_eq!(in_words(problem), words);
        }
    }
}
