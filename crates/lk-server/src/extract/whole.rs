//! Whole numbers as JSON has them: `5` and `5.0` are one value.

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// Largest whole number that every JSON reader keeps exactly.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;

struct Whole;

impl Visitor<'_> for Whole {
    type Value = i64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i64, E> {
        i64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<i64, E> {
        if number.fract() == 0.0 && number.abs() <= EXACT_MAX {
            Ok(number as i64)
        } else {
            Err(E::invalid_type(Unexpected::Float(number), &self))
        }
    }
}

/// A whole number.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_i64(Whole)
}

/// A whole number that fits, or null.
pub(crate) fn whole_u32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    struct Number(#[serde(deserialize_with = "whole")] i64);
    let number = Option::<Number>::deserialize(deserializer)?;
    let number = number.map(|Number(number)| {
        u32::try_from(number).map_err(|_| D::Error::invalid_value(Unexpected::Signed(number), &"a smaller number"))
    });
    number.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Sample {
        #[serde(deserialize_with = "whole")]
        a: i64,
        #[serde(default, deserialize_with = "whole_u32")]
        b: Option<u32>,
    }

    fn read(text: &str) -> Option<(i64, Option<u32>)> {
        serde_json::from_str::<Sample>(text).ok().map(|s| (s.a, s.b))
    }

    #[test]
    fn numbers_without_a_fraction_are_whole() {
        assert_eq!(read(r#"{"a":5.0,"b":7e0}"#), Some((5, Some(7))));
        assert_eq!(read(r#"{"a":-5,"b":null}"#), Some((-5, None)));
        for text in [
            r#"{"a":5.5}"#,
            r#"{"a":"5"}"#,
            r#"{"a":1e300}"#,
            r#"{"a":1,"b":-1}"#,
            r#"{"a":18446744073709551615}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
