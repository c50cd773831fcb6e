//! The configuration: whether it can be used, and what in it does nothing.

use super::Finding;
use crate::cli::Where;
use crate::config::{self, Config};
use crate::providers::nearest::nearest;

/// Reads the configuration as every command does.
pub(super) fn check(at: &Where) -> (Option<Config>, Vec<Finding>) {
    let config = match Config::load(at) {
        Ok(config) => config,
        Err(error) => return (None, vec![unusable(&error)]),
    };
    let mut found = unused_variables();
    if let Err(error) = config.server() {
        found.push(unusable(&error));
        return (Some(config), found);
    }
    let source = config.file.as_ref().map(|file| file.display().to_string());
    let source = source.unwrap_or_else(|| "defaults and variables, there is no file".to_owned());
    found.push(Finding::ok(
        "configuration.ok",
        format!("The configuration can be used ({source})."),
    ));
    (Some(config), found)
}

fn unusable(error: &anyhow::Error) -> Finding {
    let said = format!("{error:#}");
    let (said, known) = without_list(&said);
    let unknown = said.contains("unknown field").then(|| said.split('`').nth(1)).flatten();
    let meant = unknown.and_then(|unknown| nearest(unknown, known.iter().map(String::as_str)));
    let advice = meant.map_or_else(
        || "Correct it; docs/configuration.md lists every setting.".to_owned(),
        |meant| format!("Did you mean `{meant}`? docs/configuration.md lists every setting."),
    );
    Finding::problem("configuration.unusable", format!("{said}."), advice)
}

/// The parser's sentence without its list of everything there is, and that list.
fn without_list(said: &str) -> (String, Vec<String>) {
    const BEGINS: &str = ", expected `one of ";
    const ENDS: &str = "`` for key";
    let (Some(from), Some(to)) = (said.find(BEGINS), said.find(ENDS)) else {
        return (said.to_owned(), Vec::new());
    };
    let list = said.get(from + BEGINS.len()..to).unwrap_or_default();
    let known = list.split(", ").map(|word| word.trim_matches('`').to_owned()).collect();
    (format!("{}{}", &said[..from], &said[to + 2..]), known)
}

fn unused_variables() -> Vec<Finding> {
    let known = config::known_keys();
    let found = config::unused_variables().into_iter().map(|key| {
        let meant = nearest(&key, known.iter().map(String::as_str));
        let advice = match meant {
            Some(meant) => format!("Did you mean {}{}?", config::PREFIX, meant.to_uppercase()),
            None => "Take it away.".to_owned(),
        };
        let message = format!(
            "{}{} is not a setting and does nothing.",
            config::PREFIX,
            key.to_uppercase()
        );
        Finding::warning("configuration.unused_variable", message, advice)
    });
    found.collect()
}
