//! The built web UI inside the binary.
//!
//! `make` builds `web/dist` first; without it the program still compiles and `/` says how to build
//! the UI. In debug builds the files are read from disk, so a rebuilt UI needs no recompilation.

use std::borrow::Cow;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::{ApiError, ErrorCode};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist"]
#[allow_missing = true]
struct Dist;

/// Paths that belong to programs: nothing unknown below them is answered with the UI.
const PROGRAM_PREFIXES: [&str; 4] = ["/api", "/webhooks", "/healthz", "/readyz"];

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><title>Linekeeper</title></head>
<body>
<main>
<h1>Linekeeper is running</h1>
<p>This build has no web UI. Build it with <code>make</code> (needs Node), then restart.</p>
<p>The API is at <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p>
</main>
</body>
</html>
";

/// Answers everything that is not a route: a file of the UI, the UI's page for its own paths, or
/// 404 in the API's shape.
pub(crate) async fn fallback(request: Request) -> Response {
    let path = request.uri().path();
    let for_programs = PROGRAM_PREFIXES.iter().any(|prefix| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if for_programs {
        return ApiError::not_found().into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = method_not_allowed().into_response();
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    page_or_file(path.trim_start_matches('/'), request.headers())
}

/// 405 in the API's shape.
pub(crate) fn method_not_allowed() -> ApiError {
    ApiError::new(ErrorCode::MethodNotAllowed, "This path does not take that method.")
}

fn page_or_file(path: &str, headers: &HeaderMap) -> Response {
    if !path.is_empty() && path != "index.html" {
        if let Some(response) = file(path, headers) {
            return response;
        }
        let last = path.rsplit('/').next().unwrap_or("");
        if path.starts_with("assets/") || last.contains('.') {
            return ApiError::not_found().into_response();
        }
    }
    file("index.html", headers).unwrap_or_else(|| {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        (StatusCode::OK, [(header::CONTENT_TYPE, html)], NOT_BUILT).into_response()
    })
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let media_type = media_type(path)?;
    let (file, encoding) = best_encoding(path, headers)?;
    let etag = etag(&file, encoding);
    let mut response = if none_match(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let bytes = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Response::new(Body::from(bytes))
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // Vite names everything below assets/ by its content.
    let caching = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, etag);
    }
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// The smallest stored form of a file that the client reads.
fn best_encoding(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    for (encoding, suffix) in [("br", ".br"), ("gzip", ".gz")] {
        if accepts(headers, encoding)
            && let Some(file) = Dist::get(&format!("{path}{suffix}"))
        {
            return Some((file, Some(encoding)));
        }
    }
    Dist::get(path).map(|file| (file, None))
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| {
            let mut parts = offer.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            named && !parts.any(|p| matches!(p, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

fn etag(file: &EmbeddedFile, encoding: Option<&str>) -> String {
    let hash = file.metadata.sha256_hash();
    let short: [u8; 8] = std::array::from_fn(|i| hash[i]);
    format!("\"{:016x}{}\"", u64::from_be_bytes(short), encoding.unwrap_or(""))
}

fn none_match(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|v| v.trim().trim_start_matches("W/") == etag))
}

/// The media type by file extension; only kinds that the UI's build makes are served.
fn media_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str) -> Response {
        fallback(http::Request::get(path).body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn unknown_paths_of_programs_are_json_and_of_people_the_page() {
        assert_eq!(get("/api/nothing").await.status(), 404);
        assert_eq!(get("/webhooks").await.status(), 404);
        assert_eq!(get("/assets/gone-0000.js").await.status(), 404);
        let page = get("/problems/abc").await;
        assert_eq!(page.status(), 200);
        assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        let post = http::Request::post("/problems").body(Body::empty()).unwrap();
        assert_eq!(fallback(post).await.status(), 405);
    }

    #[test]
    fn encodings_are_negotiated() {
        let headers =
            |value: &'static str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
        assert!(accepts(&headers("gzip, deflate, br;q=0.9"), "br"));
        assert!(!accepts(&headers("gzip, br;q=0"), "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }
}
