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
        let parts = self.0.iter().map(|part| part.fill(scope));
        parts.collect()
    }

    /// The same as an address. A setting at its beginning is where it leads to; everything else is
    /// escaped, so that what a sender wrote stays within the place it is put in.
    pub fn render_address(&self, scope: &Scope<'_>) -> Option<String> {
        let parts = self.0.iter().enumerate().map(|(at, part)| {
            let text = part.fill(scope)?;
            match part {
                Part::Literal(_) => Some(text),
                Part::Setting(_) if at == 0 => Some(text),
                // Escaped or not, these two would lead up the path.
                _ if text == "." || text == ".." => None,
                _ => Some(escaped(&text)),
            }
        });
        parts.collect()
    }

    /// A template without placeholders.
    pub fn literal(text: &str) -> Self {
        Self(vec![Part::Literal(text.to_owned())])
    }

    /// The template with the bare names of its placeholders, as operations are named.
    pub fn shape(&self) -> String {
        let name = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Pointer(pointer) => format!("{{{}}}", pointer.last_key().unwrap_or_default()),
            Part::Header(name) | Part::Query(name) | Part::Setting(name) => format!("{{{name}}}"),
        };
        self.0.iter().map(name).collect()
    }

    /// Whether it begins with exactly this text.
    pub fn begins_with(&self, text: &str) -> bool {
        matches!(self.0.first(), Some(Part::Literal(literal)) if literal.starts_with(text))
    }

    /// Whether a setting decides how it begins.
    pub fn begins_with_setting(&self) -> bool {
        matches!(self.0.first(), Some(Part::Setting(_)))
    }

    /// The settings it needs.
    pub fn settings(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Setting(key) => Some(key.as_str()),
            _ => None,
        })
    }
}

impl Part {
    fn fill(&self, scope: &Scope<'_>) -> Option<String> {
        Some(match self {
            Self::Literal(text) => text.clone(),
            Self::Pointer(pointer) => joined(&pointer.values(scope.body))?,
            Self::Header(name) => non_empty(scope.headers.text(name)?)?.to_owned(),
            Self::Query(name) => {
                let (_, value) = scope.query.iter().find(|(key, _)| key == name)?;
                non_empty(value)?.to_owned()
            }
            Self::Setting(key) => scope.settings.get(key)?.to_owned(),
        })
    }
}

/// Percent-encodes all but the characters that mean nothing in an address (RFC 3986).
pub(crate) fn escaped(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 0xf].map(|digit| char::from(DIGITS[usize::from(digit)]));
            out.extend(['%', digits[0], digits[1]]);
        }
    }
    out
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

    /// The first alternative that renders as an address.
    pub fn render_address(&self, scope: &Scope<'_>) -> Option<String> {
        self.0.iter().find_map(|template| template.render_address(scope))
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

    #[test]
    fn in_an_address_what_a_sender_wrote_stays_in_its_place() {
        let settings: Settings = [("base", "https://api.example/x"), ("id", "a/b")].into_iter().collect();
        let render = |id: &str, text: &str| {
            let body = json!({ "id": id });
            let scope = Scope {
                body: &body,
                headers: &Headers::default(),
                query: &[],
                settings: &settings,
            };
            Template::parse(text).unwrap().render_address(&scope)
        };
        let template = "{setting:base}/v1/{/id}/verify";
        for (id, put) in [
            ("0c5e-1f", Some("0c5e-1f")),
            ("../../admin", Some("..%2F..%2Fadmin")),
            ("x?all=1#", Some("x%3Fall%3D1%23")),
            ("@evil.example", Some("%40evil.example")),
            ("%2e%2e", Some("%252e%252e")),
            ("é", Some("%C3%A9")),
            ("..", None),
            (".", None),
        ] {
            let whole = put.map(|put| format!("https://api.example/x/v1/{put}/verify"));
            assert_eq!(render(id, template), whole, "{id}");
        }
        assert_eq!(
            render("1", "{setting:base}/{setting:id}").as_deref(),
            Some("https://api.example/x/a%2Fb")
        );
    }
}
