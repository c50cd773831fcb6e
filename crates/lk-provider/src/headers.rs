//! Headers as they came: order, duplicates and raw bytes kept.

/// Why a header that must be there exactly once cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// It is absent.
    Missing,
    /// It is there more than once.
    Duplicate,
    /// It is not visible ASCII.
    Malformed,
}

/// A multi-map of header names (case-insensitive) to raw values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one header; an existing one of the same name stays.
    pub fn push(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// Removes every header of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// All headers in the order they came; names are lowercase.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_slice()))
    }

    /// The values of one header.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.0
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_slice())
    }

    /// The text of a header that must be there exactly once.
    pub fn one(&self, name: &str) -> Result<&str, HeaderFault> {
        let mut values = self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let (_, first) = values.next().ok_or(HeaderFault::Missing)?;
        if values.next().is_some() {
            return Err(HeaderFault::Duplicate);
        }
        std::str::from_utf8(first)
            .ok()
            .filter(|text| text.bytes().all(|b| (0x20..0x7f).contains(&b)))
            .map(str::trim)
            .ok_or(HeaderFault::Malformed)
    }

    /// The text of a header that is there exactly once and readable.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.one(name).ok()
    }

    /// Whether the header is there at all.
    pub fn contains(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Number of headers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&http::HeaderMap> for Headers {
    fn from(map: &http::HeaderMap) -> Self {
        Self(
            map.iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect(),
        )
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(n, v)| (n.as_ref().to_ascii_lowercase(), v.as_ref().as_bytes().to_vec()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_refuses_missing_duplicate_and_binary() {
        let mut h: Headers = [("X-One", " a "), ("X-Two", "1"), ("x-two", "2")].into_iter().collect();
        h.push("x-bin", vec![0xff, 0x01]);
        assert_eq!(h.one("x-ONE"), Ok("a"));
        assert_eq!(h.one("x-two"), Err(HeaderFault::Duplicate));
        assert_eq!(h.one("x-none"), Err(HeaderFault::Missing));
        assert_eq!(h.one("x-bin"), Err(HeaderFault::Malformed));
    }
}
