//! Gusto's API as far as the webhook handshake needs it: `PUT /v1/webhook_subscriptions/{uuid}/verify`.

use lk_fakes::server::{Api, header};
use lk_provider::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// One subscription that waits to be verified.
#[derive(Debug)]
pub struct Subscriptions {
    /// The system token that calls must carry.
    pub system_token: String,
    /// The subscription's id.
    pub uuid: String,
    /// The token that was posted to the receiver.
    pub verification_token: String,
    /// Whether it has been verified.
    pub verified: bool,
}

fn refuse(status: u16, key: &str, category: &str, message: &str) -> HttpResponse {
    let error = json!({ "error_key": key, "category": category, "message": message });
    HttpResponse::json(status, &json!({ "errors": [error] }))
}

impl Api for Subscriptions {
    fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        let bearer = format!("Bearer {}", self.system_token);
        if header(&request.headers, "authorization") != Some(bearer.as_str()) {
            return refuse(
                401,
                "request",
                "invalid_token",
                "The token is invalid, expired, or has not been included in the request.",
            );
        }
        if request.method != "PUT" || request.url != format!("/v1/webhook_subscriptions/{}/verify", self.uuid) {
            return refuse(404, "request", "not_found", "The requested resource was not found.");
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if body["verification_token"] != self.verification_token.as_str() {
            return refuse(
                422,
                "verification_token",
                "invalid_attribute_value",
                "Verification token is invalid",
            );
        }
        self.verified = true;
        HttpResponse::json(200, &json!({ "uuid": self.uuid, "status": "verified" }))
    }
}
