//! Where a redirect leads and what may be taken along. Nothing here connects.

use http::{HeaderMap, Method, StatusCode, header};
use lk_provider::message::HttpRequest;
use url::Url;

use super::EgressError;

/// Headers that go along to another host. All others may be credentials: providers put them in
/// headers of any name, so the list is of what is kept, not of what is dropped.
const KEPT_ELSEWHERE: [&str; 3] = ["accept", "accept-language", "user-agent"];

/// One request on the way to its response.
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Hop {
    /// The request as it was asked for.
    pub(super) fn first(request: &HttpRequest, url: Url) -> Result<Self, EgressError> {
        let method =
            Method::from_bytes(request.method.as_bytes()).map_err(|e| EgressError::BadRequest(e.to_string()))?;
        Ok(Self {
            method,
            url,
            headers: request.headers.clone(),
            body: request.body.clone(),
        })
    }

    /// The next request, if the response asks for one that may be followed. Its address is still to
    /// be checked.
    pub(super) fn after(&self, status: StatusCode, response: &HeaderMap) -> Result<Option<Self>, EgressError> {
        let redirects = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = response.get(header::LOCATION).filter(|_| redirects) else {
            return Ok(None);
        };
        // What changes something is not sent to an address that we were only told of.
        if !matches!(self.method, Method::GET | Method::HEAD) {
            return Ok(None);
        }
        let location = location.to_str().ok().and_then(|text| self.url.join(text).ok());
        let Some(mut url) = location else {
            return Err(EgressError::Redirect("its address cannot be read"));
        };
        url.set_fragment(None);
        // A name and password in an address would become a header.
        let plain = url.set_username("").and_then(|()| url.set_password(None));
        if plain.is_err() || !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::Redirect("it leads to something else than http"));
        }
        if self.url.scheme() == "https" && url.scheme() != "https" {
            return Err(EgressError::Redirect("it leads from https to http"));
        }
        let elsewhere = url.origin() != self.url.origin();
        let kept = |name: &str| !elsewhere || KEPT_ELSEWHERE.iter().any(|kept| name.eq_ignore_ascii_case(kept));
        Ok(Some(Self {
            method: self.method.clone(),
            headers: self.headers.iter().filter(|(name, _)| kept(name)).cloned().collect(),
            url,
            body: Vec::new(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(method: &str, url: &str) -> Hop {
        let headers = [
            ("Authorization", "Bearer t"),
            ("x-api-key", "t"),
            ("cookie", "a=b"),
            ("Accept", "*/*"),
        ];
        let request = HttpRequest {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(),
            body: b"body".to_vec(),
        };
        Hop::first(&request, Url::parse(url).expect("a URL")).expect("a request")
    }

    fn after(hop: &Hop, status: u16, location: &str) -> Result<Option<Hop>, EgressError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, location.parse().expect("a header"));
        hop.after(StatusCode::from_u16(status).expect("a status"), &headers)
    }

    #[test]
    fn credentials_stay_with_their_host() {
        for (from, to, headers) in [
            ("https://a.test/x", "/y", 4),
            ("https://a.test/x", "https://A.test:443/y", 4),
            ("https://a.test/x", "https://b.test/y", 1),
            ("https://a.test/x", "https://a.test:8443/y", 1),
            ("https://a.test/x", "https://u:p@a.test.b.test/y", 1),
            ("http://a.test/x", "https://a.test/y", 1),
            ("http://a.test/x", "http://sub.a.test/y", 1),
        ] {
            let next = after(&hop("GET", from), 302, to).expect("followed").expect("a hop");
            assert_eq!(next.headers.len(), headers, "{from} -> {to}: {:?}", next.headers);
            assert!(next.body.is_empty() && next.url.username().is_empty() && next.url.path() == "/y");
        }
    }

    #[test]
    fn what_is_not_followed() {
        let get = hop("GET", "https://a.test/");
        for (to, word) in [
            ("http://a.test/", "https to http"),
            ("ftp://a.test/", "something else"),
            ("file:///etc/passwd", "something else"),
            ("https://[", "cannot be read"),
        ] {
            let Err(EgressError::Redirect(why)) = after(&get, 301, to) else {
                panic!("{to} is followed")
            };
            assert!(why.contains(word), "{to}: {why}");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert!(after(&hop(method, "https://a.test/"), 307, "/y").is_ok_and(|next| next.is_none()));
        }
        for status in [200, 300, 304, 305, 404] {
            assert!(after(&get, status, "/y").is_ok_and(|next| next.is_none()), "{status}");
        }
        assert!(
            get.after(StatusCode::FOUND, &HeaderMap::new())
                .is_ok_and(|next| next.is_none())
        );
    }
}
