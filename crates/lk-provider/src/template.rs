//! Text with `{name}` substitution, and lists of alternatives of it.

use serde::Deserialize;
use serde_json::Value;

use crate::pointer::Pointer;
use crate::{Headers, Settings};

/// Longest text one placeholder contributes, in bytes.
const MAX_PART: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Pointer(Pointer),
    Header(String),
    Query(String),
    Setting(String),
}

/// Literal text with placeholders: `{/json/pointer}`, `{header:name}`, `{query:name}`,
/// `{setting:key}`. Rendering gives nothing when a placeholder finds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template(Vec<Part>);

/// What placeholders are filled from.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The item or body.
    pub body: &'a Value,
    /// The delivery's headers.
    pub headers: &'a Headers,
    /// The delivery's query.
    pub query: &'a [(String, String)],
    /// The integration's settings.
    pub settings: &'a Settings,
}

/// A placeholder that names no source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template `{text}`: {problem}")]
pub struct TemplateError {
    text: String,
    problem: String,
}

impl Template {
    /// Parses the text of a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let fail = |problem: &str| TemplateError {
            text: text.to_owned(),
            problem: problem.to_owned(),
        };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                parts.push(Part::Literal(rest[..open].to_owned()));
            }
            let close = rest[open..].find('}').ok_or_else(|| fail("`{` without `}`"))? + open;
            parts.push(
                placeholder(&rest[open + 1..close])
                    .ok_or_else(|| fail("a placeholder is {/pointer}, {header:..}, {query:..} or {setting:..}"))?,
            );
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The text, or nothing when any placeholder finds nothing or an empty text.
    pub fn render(&self, scope: &Scope<'_>) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Pointer(pointer) => out.push_str(&joined(&pointer.values(scope.body))?),
                Part::Header(name) => out.push_str(non_empty(scope.headers.text(name)?)?),
                Part::Query(name) => {
                    let (_, value) = scope.query.iter().find(|(key, _)| key == name)?;
                    out.push_str(non_empty(value)?);
                }
                Part::Setting(key) => out.push_str(scope.settings.get(key)?),
            }
        }
        Some(out)
    }

    /// The settings it needs.
    pub fn settings(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Setting(key) => Some(key.as_str()),
            _ => None,
        })
    }
}

fn placeholder(inner: &str) -> Option<Part> {
    if inner.starts_with('/') {
        return Pointer::parse(inner).ok().map(Part::Pointer);
    }
    let (source, name) = inner.split_once(':').filter(|(_, name)| !name.is_empty())?;
    match source {
        "header" => Some(Part::Header(name.to_ascii_lowercase())),
        "query" => Some(Part::Query(name.to_owned())),
        "setting" => Some(Part::Setting(name.to_owned())),
        _ => None,
    }
}

fn non_empty(text: &str) -> Option<&str> {
    Some(crate::observe::cut(text.trim(), MAX_PART)).filter(|text| !text.is_empty())
}

/// The scalars among the values, joined by "; ".
fn joined(values: &[&Value]) -> Option<String> {
    let texts: Vec<String> = values.iter().take(8).filter_map(|value| scalar(value)).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// The text of a string, number or boolean; nothing for empty strings, null, arrays and objects.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => non_empty(text).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;
    fn try_from(text: String) -> Result<Self, TemplateError> {
        Self::parse(&text)
    }
}

/// Alternatives in order; the first that renders counts. In TOML a text or a list of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct FirstOf(Vec<Template>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Template),
    Many(Vec<Template>),
}

impl From<OneOrMany> for FirstOf {
    fn from(value: OneOrMany) -> Self {
        match value {
            OneOrMany::One(template) => Self(vec![template]),
            OneOrMany::Many(templates) => Self(templates),
        }
    }
}

impl FirstOf {
    /// The first alternative that renders.
    pub fn render(&self, scope: &Scope<'_>) -> Option<String> {
        self.0.iter().find_map(|template| template.render(scope))
    }

    /// Every alternative that renders, in order, without repeats.
    pub fn render_all(&self, scope: &Scope<'_>) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for text in self.0.iter().filter_map(|template| template.render(scope)) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    }

    /// Whether there are no alternatives.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Settings the last alternative needs: what to ask for when none rendered.
    pub fn settings(&self) -> impl Iterator<Item = &str> {
        self.0.last().into_iter().flat_map(Template::settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fills_from_every_source_or_gives_nothing() {
        let body = json!({"a": "x", "n": 7, "list": [{"m": "one"}, {"m": "two"}], "empty": ""});
        let headers: Headers = [("X-Event", "push")].into_iter().collect();
        let settings: Settings = [("host", "h")].into_iter().collect();
        let query = vec![("q".to_owned(), "v".to_owned())];
        let scope = Scope {
            body: &body,
            headers: &headers,
            query: &query,
            settings: &settings,
        };
        let render = |text: &str| Template::parse(text).unwrap().render(&scope);
        assert_eq!(
            render("{header:x-event}.{/a}/{/n}?{query:q}@{setting:host}").as_deref(),
            Some("push.x/7?v@h")
        );
        assert_eq!(render("{/list/[*]/m}").as_deref(), Some("one; two"));
        assert_eq!(render("{/missing}"), None);
        assert_eq!(render("{/empty}"), None);
        assert!(Template::parse("{nope}").is_err() && Template::parse("{/open").is_err());
    }
}
