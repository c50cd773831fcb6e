//! Gmail's API as far as checks go: one mailbox, token information, quota units.

use lk_core::Time;
use lk_fakes::api::{Meter, bearer, retry_after, target};
use lk_fakes::{FakeApi, Trouble};
use lk_provider::{HttpRequest, HttpResponse, Settings};
use serde_json::{Value, json};

const TOKEN: &str = "not-a-real-access-token";
const READ: &str = "https://www.googleapis.com/auth/gmail.readonly";
const SEND: &str = "https://www.googleapis.com/auth/gmail.send";

/// The fake.
pub(crate) fn api() -> Box<dyn FakeApi> {
    Box::new(Gmail {
        units: Meter::new(6_000, 60),
    })
}

struct Gmail {
    units: Meter,
}

fn refuse(code: u16, reason: &str, status: &str, message: &str) -> HttpResponse {
    let body = json!({ "error": {
        "code": code, "message": message, "status": status,
        "errors": [{ "message": message, "domain": "global", "reason": reason }],
    }});
    HttpResponse::json(code, &body)
}

/// What it tells of a token in a form; the token is not escaped, because it needs none.
fn tokeninfo(request: &HttpRequest, trouble: Option<Trouble>) -> HttpResponse {
    let body = String::from_utf8_lossy(&request.body);
    let good = body == format!("access_token={TOKEN}") && trouble != Some(Trouble::ExpiredToken);
    if request.method != "POST" || !good {
        return HttpResponse::json(
            400,
            &json!({ "error": "invalid_token", "error_description": "Invalid Value" }),
        );
    }
    let scope = if trouble == Some(Trouble::MissingScope) {
        SEND
    } else {
        READ
    };
    HttpResponse::json(
        200,
        &json!({ "azp": "1.apps.googleusercontent.com", "scope": scope, "expires_in": "3300" }),
    )
}

impl FakeApi for Gmail {
    fn provider(&self) -> &'static str {
        "gmail"
    }

    fn settings(&self) -> Settings {
        [("token", TOKEN)].into_iter().collect()
    }

    fn answer(&mut self, request: &HttpRequest, trouble: Option<Trouble>, now: Time) -> HttpResponse {
        let (path, query) = target(request);
        if trouble == Some(Trouble::ServerError) {
            return refuse(500, "backendError", "INTERNAL", "Internal error encountered.");
        }
        if path == "/tokeninfo" {
            return tokeninfo(request, trouble);
        }
        if bearer(request) != Some(TOKEN) || trouble == Some(Trouble::ExpiredToken) {
            return refuse(401, "authError", "UNAUTHENTICATED", "Invalid Credentials");
        }
        let cost = if path.ends_with("/messages") { 5 } else { 1 };
        let throttled = match trouble {
            Some(Trouble::Throttled(wait)) => Some(wait),
            _ => self.units.take(cost, now).err().map(Some),
        };
        if let Some(wait) = throttled {
            let message = "User-rate limit exceeded.";
            let mut response = refuse(429, "rateLimitExceeded", "RESOURCE_EXHAUSTED", message);
            response.headers.extend(retry_after(wait));
            return response;
        }
        match (request.method.as_str(), path) {
            ("GET", "/gmail/v1/users/me/profile") => HttpResponse::json(
                200,
                &json!({ "emailAddress": "ops@example.com", "messagesTotal": 0, "threadsTotal": 0, "historyId": "1" }),
            ),
            ("GET", "/gmail/v1/users/me/messages") if query.contains(&("maxResults", "1")) => {
                HttpResponse::json(200, &json!({ "resultSizeEstimate": 0 }))
            }
            _ => refuse(404, "notFound", "NOT_FOUND", "Requested entity was not found."),
        }
    }

    fn drifted(&self, body: Value) -> Value {
        json!({ "result": body })
    }
}
