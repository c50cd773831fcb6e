//! JSON Pointers plus `[*]` for every element of an array.

use serde::Deserialize;
use serde_json::Value;

/// Most values that one pointer yields; more says nothing more to people.
const MAX_VALUES: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Key(String),
    Every,
}

/// A parsed pointer. The empty pointer names the whole document.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(Vec<Token>);

/// A pointer that does not begin with `/`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a JSON Pointer: it has to begin with `/`")]
pub struct PointerError(String);

impl Pointer {
    /// Parses `/a/0/b` (RFC 6901), where `[*]` as a token stands for every element.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let rest = text.strip_prefix('/').ok_or_else(|| PointerError(text.to_owned()))?;
        let token = |part: &str| match part {
            "[*]" => Token::Every,
            key => Token::Key(key.replace("~1", "/").replace("~0", "~")),
        };
        Ok(Self(rest.split('/').map(token).collect()))
    }

    /// The member `name` of the document.
    pub fn key(name: &str) -> Self {
        Self(vec![Token::Key(name.to_owned())])
    }

    /// Every value the pointer names, in document order, at most 64.
    pub fn values<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![document];
        for token in &self.0 {
            found = found
                .into_iter()
                .flat_map(|value| step(value, token))
                .take(MAX_VALUES)
                .collect();
        }
        found
    }

    /// The last member name of the pointer.
    pub fn last_key(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|token| match token {
            Token::Key(key) => Some(key.as_str()),
            Token::Every => None,
        })
    }

    /// The first value the pointer names.
    pub fn first<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.values(document).into_iter().next()
    }

    /// Every value without the cap of [`Self::values`]; for splitting batches.
    pub fn split<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![document];
        for token in &self.0 {
            found = found.into_iter().flat_map(|value| step(value, token)).collect();
        }
        found
    }
}

fn step<'a>(value: &'a Value, token: &Token) -> Vec<&'a Value> {
    match (token, value) {
        (Token::Every, Value::Array(items)) => items.iter().collect(),
        (Token::Key(key), Value::Object(map)) => map.get(key).into_iter().collect(),
        (Token::Key(key), Value::Array(items)) => key
            .parse::<usize>()
            .ok()
            .and_then(|index| items.get(index))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

impl TryFrom<String> for Pointer {
    type Error = PointerError;
    fn try_from(text: String) -> Result<Self, PointerError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_members_elements_and_every_element() {
        let doc = json!({"a": [{"b": 1}, {"b": 2}, {}], "x/y": "z"});
        let texts = |p: &str| -> Vec<String> {
            Pointer::parse(p)
                .unwrap()
                .values(&doc)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(texts("/a/1/b"), ["2"]);
        assert_eq!(texts("/a/[*]/b"), ["1", "2"]);
        assert_eq!(texts("/x~1y"), ["\"z\""]);
        assert!(texts("/a/b").is_empty());
        assert!(Pointer::parse("a").is_err());
    }
}
