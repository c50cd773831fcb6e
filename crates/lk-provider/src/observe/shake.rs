//! Recognises handshakes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{decode_form, deeper_than};
use crate::manifest::{Confirm, EchoAs, HandshakeRule};
use crate::message::{HttpRequest, HttpResponse};
use crate::pointer::Pointer;
use crate::template::{FirstOf, Scope};
use crate::{Handshake, Inbound, Secret, Settings, Trust};

/// A handshake is small; a larger body is a delivery.
const MAX_BYTES: usize = 16_384;

/// The handshake in a delivery, if one of `rules` recognises it.
pub fn handshake(rules: &[HandshakeRule], inbound: &Inbound, settings: &Settings) -> Option<Handshake> {
    if rules.is_empty() || inbound.body.len() > MAX_BYTES {
        return None;
    }
    let text = std::str::from_utf8(&inbound.body).ok()?.trim();
    if text.starts_with('{') {
        // Nearly every delivery is no handshake: a search for the word costs less than parsing.
        if !rules.iter().any(|rule| mentioned(rule, text)) {
            return None;
        }
        if deeper_than(text.as_bytes(), 8) {
            return None;
        }
        let body: Value = serde_json::from_str(text).ok()?;
        let scope = Scope {
            body: &body,
            headers: &inbound.headers,
            query: &inbound.query,
            settings,
        };
        return rules.iter().find_map(|rule| in_json(rule, &scope));
    }
    let pairs = decode_form(text)?;
    rules.iter().find_map(|rule| match rule {
        HandshakeRule::FormFlag { field, equals } => pairs
            .iter()
            .any(|(key, value)| key == field && value == equals)
            .then(|| answer(Trust::Harmless, HttpResponse::ok())),
        _ => None,
    })
}

fn mentioned(rule: &HandshakeRule, text: &str) -> bool {
    match rule {
        HandshakeRule::Echo { equals, .. } => text.contains(equals.as_str()),
        HandshakeRule::TokenIsSecret { pointer, .. } => pointer.last_key().is_some_and(|key| text.contains(key)),
        HandshakeRule::FormFlag { .. } => false,
    }
}

fn answer(trust: Trust, response: HttpResponse) -> Handshake {
    Handshake {
        trust,
        response,
        store_secret: None,
        confirm: None,
        missing: Vec::new(),
    }
}

fn in_json(rule: &HandshakeRule, scope: &Scope<'_>) -> Option<Handshake> {
    match rule {
        HandshakeRule::Echo {
            pointer,
            equals,
            echo,
            form,
        } => {
            if pointer.first(scope.body)?.as_str()? != equals {
                return None;
            }
            let challenge = echo.first(scope.body)?.as_str()?;
            let response = match form {
                EchoAs::Text => HttpResponse::text(200, challenge),
                EchoAs::Json => {
                    let key = echo.last_key().unwrap_or("challenge");
                    HttpResponse::json(200, &serde_json::json!({ key: challenge }))
                }
            };
            Some(answer(Trust::Signed, response))
        }
        HandshakeRule::TokenIsSecret { pointer, confirm } => token_is_secret(pointer, confirm.as_ref(), scope),
        HandshakeRule::FormFlag { .. } => None,
    }
}

fn token_is_secret(pointer: &Pointer, confirm: Option<&Confirm>, scope: &Scope<'_>) -> Option<Handshake> {
    let token = pointer.first(scope.body)?.as_str()?.trim();
    // A real delivery that happens to have the field carries much more; the token is short text.
    let plausible = (8..=256).contains(&token.len()) && token.chars().all(|c| c.is_ascii_graphic());
    if !plausible || scope.body.as_object()?.len() > 4 {
        return None;
    }
    let mut handshake = answer(Trust::FirstContact, HttpResponse::ok());
    handshake.store_secret = Some(Secret::new(token));
    if let Some(confirm) = confirm {
        match request(confirm, scope) {
            Ok(request) => handshake.confirm = Some(request),
            Err(missing) => handshake.missing = missing,
        }
    }
    Some(handshake)
}

fn request(confirm: &Confirm, scope: &Scope<'_>) -> Result<HttpRequest, Vec<String>> {
    let mut missing = Vec::new();
    let mut or_missing = |template: &FirstOf, rendered: Option<String>| {
        rendered.unwrap_or_else(|| {
            missing.extend(
                template
                    .settings()
                    .filter(|key| scope.settings.get(key).is_none())
                    .map(str::to_owned),
            );
            String::new()
        })
    };
    let url = or_missing(&confirm.url, confirm.url.render_address(scope));
    let mut fill = |template: &FirstOf| or_missing(template, template.render(scope));
    let mut headers: Vec<(String, String)> = confirm
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), fill(value)))
        .collect();
    let body = object(&confirm.body, &mut fill);
    if !missing.is_empty() || url.is_empty() {
        missing.sort();
        missing.dedup();
        return Err(missing);
    }
    if !body.is_empty() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let body = if body.is_empty() {
        Vec::new()
    } else {
        Value::Object(body).to_string().into_bytes()
    };
    Ok(HttpRequest {
        method: confirm.method.clone(),
        url,
        headers,
        body,
    })
}

fn object(members: &BTreeMap<String, FirstOf>, fill: &mut impl FnMut(&FirstOf) -> String) -> Map<String, Value> {
    members
        .iter()
        .map(|(key, value)| (key.clone(), Value::String(fill(value))))
        .collect()
}
