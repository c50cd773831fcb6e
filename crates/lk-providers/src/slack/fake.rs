//! Slack's API as far as checks go: `auth.test`, which tells its failures with status 200.

use lk_core::Time;
use lk_fakes::api::{Meter, bearer, retry_after, target};
use lk_fakes::{FakeApi, Trouble};
use lk_provider::{HttpRequest, HttpResponse, Settings};
use serde_json::{Value, json};

const TOKEN: &str = "not-a-real-bot-token";
const SCOPES: &str = "chat:write,channels:read";

/// The fake.
pub(crate) fn api() -> Box<dyn FakeApi> {
    Box::new(Slack {
        calls: Meter::new(600, 60),
    })
}

struct Slack {
    calls: Meter,
}

fn refuse(status: u16, error: &str) -> HttpResponse {
    HttpResponse::json(status, &json!({ "ok": false, "error": error }))
}

impl FakeApi for Slack {
    fn provider(&self) -> &'static str {
        "slack"
    }

    fn settings(&self) -> Settings {
        [("token", TOKEN), ("needs_scopes", SCOPES)].into_iter().collect()
    }

    fn answer(&mut self, request: &HttpRequest, trouble: Option<Trouble>, now: Time) -> HttpResponse {
        let throttled = match trouble {
            Some(Trouble::ServerError) => return refuse(200, "internal_error"),
            Some(Trouble::Throttled(wait)) => Some(wait),
            _ => self.calls.take(1, now).err().map(Some),
        };
        if let Some(wait) = throttled {
            let mut response = refuse(429, "ratelimited");
            response.headers.extend(retry_after(wait));
            return response;
        }
        if target(request).0 != "/auth.test" || request.method != "POST" {
            return refuse(200, "unknown_method");
        }
        match bearer(request) {
            None => return refuse(200, "not_authed"),
            Some(_) if trouble == Some(Trouble::ExpiredToken) => return refuse(200, "token_expired"),
            Some(TOKEN) => {}
            Some(_) => return refuse(200, "invalid_auth"),
        }
        let body = json!({
            "ok": true, "url": "https://acme.slack.com/", "team": "Acme", "user": "linekeeper",
            "team_id": "T0123456789", "user_id": "U0123456789", "bot_id": "B0123456789",
        });
        let mut response = HttpResponse::json(200, &body);
        let scopes = if trouble == Some(Trouble::MissingScope) {
            "channels:read"
        } else {
            SCOPES
        };
        response.headers.push(("x-oauth-scopes".to_owned(), scopes.to_owned()));
        response
    }

    fn drifted(&self, body: Value) -> Value {
        json!({ "ok": true, "workspace": body["team"] })
    }
}
