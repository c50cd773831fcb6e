//! Form-encoded bodies.

use serde_json::{Map, Value};

/// Decodes `a=b&c=d` into pairs; `None` for broken escapes or text that is not UTF-8.
pub fn decode(text: &str) -> Option<Vec<(String, String)>> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescape(key)?, unescape(value)?))
        })
        .collect()
}

/// A form as JSON: one member per field; a field `payload` that holds a JSON object is the body.
pub(super) fn to_json(text: &str) -> Option<Value> {
    let pairs = decode(text)?;
    if let [(key, value)] = pairs.as_slice()
        && key == "payload"
        && !super::deeper_than(value.as_bytes(), super::MAX_DEPTH)
        && let Ok(inner @ Value::Object(_)) = serde_json::from_str(value)
    {
        return Some(inner);
    }
    let mut map = Map::new();
    for (key, value) in pairs {
        map.insert(key, Value::String(value));
    }
    (!map.is_empty()).then_some(Value::Object(map))
}

/// Undoes percent encoding and `+` for a space.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = bytes.get(at + 1..at + 3)?;
                let high = (digits[0] as char).to_digit(16)?;
                let low = (digits[1] as char).to_digit(16)?;
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_or_refuses() {
        assert_eq!(
            decode("a=b+c&d=%C3%A9").unwrap(),
            [("a".into(), "b c".into()), ("d".into(), "é".into())]
        );
        assert_eq!(decode("a=%zz"), None);
        assert_eq!(decode("a=%ff"), None);
        assert_eq!(decode("a=%"), None);
        assert_eq!(
            to_json("payload=%7B%22a%22%3A1%7D").unwrap(),
            serde_json::json!({"a": 1})
        );
        assert_eq!(to_json("x=1&y=2").unwrap(), serde_json::json!({"x": "1", "y": "2"}));
    }
}
