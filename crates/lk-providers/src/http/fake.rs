//! A small service with a health document behind a bearer token.

use lk_core::Time;
use lk_fakes::api::{bearer, retry_after, target};
use lk_fakes::{FakeApi, Trouble};
use lk_provider::{HttpRequest, HttpResponse, Settings};
use serde_json::{Value, json};

const TOKEN: &str = "not-a-real-service-token";

/// The fake.
pub(crate) fn api() -> Box<dyn FakeApi> {
    Box::new(Service)
}

struct Service;

fn refuse(status: u16, title: &str) -> HttpResponse {
    HttpResponse::json(
        status,
        &json!({ "type": "about:blank", "title": title, "status": status }),
    )
}

impl FakeApi for Service {
    fn provider(&self) -> &'static str {
        "http"
    }

    fn settings(&self) -> Settings {
        let pairs = [
            ("url", "https://service.example/health"),
            ("token", TOKEN),
            ("assert_pointer", "/status"),
            ("assert_value", "ok"),
        ];
        pairs.into_iter().collect()
    }

    /// Its token has no scopes.
    fn troubles(&self) -> &'static [Trouble] {
        &Trouble::WITHOUT_SCOPES
    }

    fn answer(&mut self, request: &HttpRequest, trouble: Option<Trouble>, _now: Time) -> HttpResponse {
        if target(request).0 != "/health" {
            return refuse(404, "Not Found");
        }
        if request.method != "GET" {
            return refuse(405, "Method Not Allowed");
        }
        match trouble {
            Some(Trouble::ServerError) => return refuse(500, "Internal Server Error"),
            Some(Trouble::Throttled(wait)) => {
                let mut response = refuse(429, "Too Many Requests");
                response.headers.extend(retry_after(wait));
                return response;
            }
            _ => {}
        }
        if bearer(request) != Some(TOKEN) || trouble == Some(Trouble::ExpiredToken) {
            return refuse(401, "Unauthorized");
        }
        HttpResponse::json(200, &json!({ "status": "ok", "version": "1.4.2" }))
    }

    fn drifted(&self, body: Value) -> Value {
        json!({ "health": body["status"] })
    }
}
