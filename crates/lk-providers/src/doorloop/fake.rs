//! DoorLoop's API as far as checks and page walks go: one key, two limits, properties in pages.

use lk_core::Time;
use lk_fakes::api::{Meter, bearer, retry_after, target};
use lk_fakes::{FakeApi, Trouble};
use lk_provider::{HttpRequest, HttpResponse, Settings};
use serde_json::{Value, json};

const KEY: &str = "not-a-real-doorloop-key";
const PROPERTIES: usize = 150;
const MOST_A_PAGE: usize = 1_000;
const DEFAULT_PAGE: usize = 50;

/// The fake.
pub(crate) fn api() -> Box<dyn FakeApi> {
    Box::new(DoorLoop {
        minute: Meter::new(50, 60),
        hour: Meter::new(500, 3_600),
    })
}

struct DoorLoop {
    minute: Meter,
    hour: Meter,
}

fn refuse(status: u16, code: &str, message: &str) -> HttpResponse {
    HttpResponse::json(status, &json!({ "code": code, "message": message }))
}

fn properties(query: &[(&str, &str)]) -> HttpResponse {
    let number = |key: &str, default: usize| match query.iter().find(|(name, _)| *name == key) {
        Some((_, text)) => text.parse().ok().filter(|n| *n > 0),
        None => Some(default),
    };
    let (Some(size), Some(page)) = (number("page_size", DEFAULT_PAGE), number("page_number", 1)) else {
        return refuse(
            400,
            "BAD_REQUEST",
            "page_size and page_number have to be numbers from 1",
        );
    };
    if size > MOST_A_PAGE {
        return refuse(400, "BAD_REQUEST", "page_size has to be at most 1000");
    }
    let first = (page - 1).saturating_mul(size);
    let data: Vec<Value> = (first..first.saturating_add(size).min(PROPERTIES))
        .map(|n| json!({ "id": format!("{:024x}", n + 1), "name": format!("Property {}", n + 1), "active": true }))
        .collect();
    HttpResponse::json(200, &json!({ "total": PROPERTIES, "data": data }))
}

impl FakeApi for DoorLoop {
    fn provider(&self) -> &'static str {
        "doorloop"
    }

    fn settings(&self) -> Settings {
        [("api_key", KEY)].into_iter().collect()
    }

    /// A role either may or may not: there are no scopes.
    fn troubles(&self) -> &'static [Trouble] {
        &Trouble::WITHOUT_SCOPES
    }

    fn answer(&mut self, request: &HttpRequest, trouble: Option<Trouble>, now: Time) -> HttpResponse {
        if bearer(request) != Some(KEY) || trouble == Some(Trouble::ExpiredToken) {
            return refuse(401, "UNAUTHORIZED", "Unauthorized");
        }
        let throttled = match trouble {
            Some(Trouble::Throttled(wait)) => Some(wait),
            _ => self
                .minute
                .take(1, now)
                .and_then(|()| self.hour.take(1, now))
                .err()
                .map(Some),
        };
        if let Some(wait) = throttled {
            let mut response = refuse(429, "RATE_LIMIT_EXCEEDED", "Rate limit exceeded");
            response.headers.extend(retry_after(wait));
            return response;
        }
        if trouble == Some(Trouble::ServerError) {
            return refuse(500, "INTERNAL_SERVER_ERROR", "Something went wrong");
        }
        let (path, query) = target(request);
        match (request.method.as_str(), path) {
            ("GET", "/users/me") => HttpResponse::json(200, &json!({ "id": "63f0a1", "role": "ADMIN" })),
            ("GET", "/properties") => properties(&query),
            (_, "/users/me" | "/properties") => refuse(405, "METHOD_NOT_ALLOWED", "Method not allowed"),
            _ => refuse(404, "NOT_FOUND", "Not found"),
        }
    }

    fn drifted(&self, body: Value) -> Value {
        json!({ "count": body["total"].to_string(), "items": body["data"] })
    }
}
