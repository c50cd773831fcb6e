//! HTTP requests and responses as data: providers describe and read them, egress sends them.

/// A request to send. Its headers, body and query may hold credentials, so `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method in capitals.
    pub method: String,
    /// The absolute address.
    pub url: String,
    /// Header names and values.
    pub headers: Vec<(String, String)>,
    /// The body, empty for none.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url.split('?').next().unwrap_or_default())
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// A response that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header names (lowercase) and values.
    pub headers: Vec<(String, String)>,
    /// The body, capped by egress.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// A response with a body and no headers: what most endpoints answer a webhook with.
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: vec![
                ("content-type".to_owned(), "text/plain; charset=utf-8".to_owned()),
                ("x-content-type-options".to_owned(), "nosniff".to_owned()),
            ],
            body: body.as_bytes().to_vec(),
        }
    }

    /// A response whose body is JSON text.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    /// An empty 200.
    pub fn ok() -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_request_shows_no_credentials() {
        let request = HttpRequest {
            method: "PUT".to_owned(),
            url: "https://api.example.test/x?key=not-a-real-token".to_owned(),
            headers: vec![("authorization".to_owned(), "Bearer not-a-real-token".to_owned())],
            body: b"token=not-a-real-token".to_vec(),
        };
        let shown = format!("{request:?}");
        assert!(shown.contains("authorization") && !shown.contains("not-a-real-token"));
    }
}
