//! A delivery as it reached the receiver, before anything is believed of it.

use std::net::IpAddr;

use bytes::Bytes;
use lk_core::Time;

use crate::Headers;

/// One HTTP request to a webhook address.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The method in capitals.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// Decoded query pairs in order.
    pub query: Vec<(String, String)>,
    /// The headers, raw.
    pub headers: Headers,
    /// The exact bytes of the body: signatures are computed over these.
    pub body: Bytes,
    /// The sender's address, where it is known.
    pub source: Option<IpAddr>,
    /// When the receiver had the whole body.
    pub received_at: Time,
}

impl Inbound {
    /// A POST without query, as most deliveries are, from nowhere known.
    pub fn post(path: &str, headers: Headers, body: impl Into<Bytes>, received_at: Time) -> Self {
        Self {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            headers,
            body: body.into(),
            source: None,
            received_at,
        }
    }

    /// The media type in lowercase without parameters, empty when the sender gave none.
    pub fn media_type(&self) -> String {
        let text = self.headers.text("content-type").unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}
