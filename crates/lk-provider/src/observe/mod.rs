//! Reads a verified body by its manifest: items, outcome, failure.

mod explicit;
pub(crate) mod form;
mod moment;
mod shake;

use lk_core::Time;
use lk_core::classify::Failure;
use lk_core::words::Outcome;
use serde_json::Value;

use crate::item::{Item, Unreadable, UnreadableCause};
use crate::manifest::{Match, MatchOutcome, Webhook};
use crate::pointer::Pointer;
use crate::provider::Described;
use crate::template::{FirstOf, Scope, scalar};
use crate::{Inbound, Settings};

pub use form::decode as decode_form;
pub use moment::parse_iso;
pub use shake::handshake;

/// Deepest nesting of a body that is read.
pub const MAX_DEPTH: usize = 64;
/// Most items of one delivery.
pub const MAX_ITEMS: usize = 1_000;
/// Bytes of an unreadable body that are kept.
pub const HEAD_BYTES: usize = 2_048;
const MAX_KEY: usize = 200;
const MAX_TYPE: usize = 120;
const MAX_MESSAGE: usize = 2_000;
const MAX_SUMMARY: usize = 300;

/// What was found in one item before redaction; `Provider::amend` may change it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The event type.
    pub event_type: String,
    /// The provider's account.
    pub account: Option<String>,
    /// When it happened.
    pub occurred_at: Option<Time>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// What was attempted, for failures.
    pub operation: Option<String>,
    /// The provider's codes, most specific first.
    pub codes: Vec<String>,
    /// The field or record path the provider blames.
    pub field: Option<String>,
    /// What the provider said.
    pub message: Option<String>,
    /// The HTTP status the body tells of.
    pub http_status: Option<u16>,
    /// One line for people; made from the rest when absent.
    pub summary: Option<String>,
}

/// Reads a verified delivery. `split` and `amend` are the provider's hooks.
pub fn observe(
    described: &Described,
    inbound: &Inbound,
    settings: &Settings,
    split: &dyn Fn(Value) -> Vec<Value>,
    amend: &dyn Fn(&Value, &mut Found),
) -> Result<Vec<Item>, Unreadable> {
    let quarantine = |cause| unreadable(described, inbound, cause);
    let body = parse_body(inbound).map_err(quarantine)?;
    let settings = described.manifest().with_defaults(settings);
    let bodies = split(body);
    if bodies.len() > MAX_ITEMS {
        return Err(quarantine(UnreadableCause::TooMany));
    }
    if bodies.is_empty() {
        return Err(quarantine(UnreadableCause::Empty));
    }
    let many = bodies.len() > 1;
    let read = |body: Value| read_item(described, inbound, &settings, body, many, amend);
    Ok(bodies.into_iter().map(read).collect())
}

/// Splits a body at the first pointer that finds something; the whole body is one item otherwise.
pub fn split(batch: &[Pointer], body: Value) -> Vec<Value> {
    for pointer in batch {
        let items = pointer.split(&body);
        if !items.is_empty() {
            return items.into_iter().cloned().collect();
        }
    }
    vec![body]
}

/// Cuts at a character boundary to at most `max` bytes.
pub fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

fn parse_body(inbound: &Inbound) -> Result<Value, UnreadableCause> {
    let text = std::str::from_utf8(&inbound.body).map_err(|_| UnreadableCause::Encoding)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(UnreadableCause::Empty);
    }
    if text.starts_with(['{', '[']) {
        if deeper_than(text.as_bytes(), MAX_DEPTH) {
            return Err(UnreadableCause::TooDeep);
        }
        return serde_json::from_str(text).map_err(|_| UnreadableCause::Syntax);
    }
    if inbound.media_type() == "application/x-www-form-urlencoded" {
        return form::to_json(text).ok_or(UnreadableCause::Syntax);
    }
    Err(UnreadableCause::Syntax)
}

/// Whether brackets outside strings nest deeper than `limit`; one pass, no recursion.
pub fn deeper_than(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

fn unreadable(described: &Described, inbound: &Inbound, cause: UnreadableCause) -> Unreadable {
    let body_hash = blake3::hash(&inbound.body).to_hex().to_string();
    let scope = Scope {
        body: &Value::Null,
        headers: &inbound.headers,
        query: &inbound.query,
        settings: &Settings::new(),
    };
    let key = described
        .manifest()
        .webhook
        .as_ref()
        .and_then(|w| w.body.delivery_key.render(&scope));
    // One more than is searched, so that the redactor knows when there was more.
    let head = &inbound.body[..inbound.body.len().min(2 * HEAD_BYTES + 1)];
    Unreadable {
        cause,
        delivery_key: key.map_or_else(
            || format!("hash:{}", &body_hash[..32]),
            |key| cut(&key, MAX_KEY).to_owned(),
        ),
        body_bytes: inbound.body.len(),
        head: described.redactor().head(&String::from_utf8_lossy(head), HEAD_BYTES),
        body_hash,
    }
}

fn read_item(
    described: &Described,
    inbound: &Inbound,
    settings: &Settings,
    body: Value,
    many: bool,
    amend: &dyn Fn(&Value, &mut Found),
) -> Item {
    let scope = Scope {
        body: &body,
        headers: &inbound.headers,
        query: &inbound.query,
        settings,
    };
    let key = delivery_key(described, &scope, many);
    let mut found = find(described, &scope);
    amend(&body, &mut found);
    finish(described, found, key, body)
}

fn delivery_key(described: &Described, scope: &Scope<'_>, many: bool) -> String {
    let rules = described.manifest().webhook.as_ref().map(|w| &w.body.delivery_key);
    let hash = || {
        let hash = blake3::hash(scope.body.to_string().as_bytes()).to_hex();
        format!("hash:{}", &hash.as_str()[..32])
    };
    let own = rules.and_then(|rules| rules.render(scope));
    let key = match own {
        // The items of one batch share its headers: an id from there needs the item's own part.
        Some(key)
            if many
                && rules.is_some_and(|r| {
                    r.render(&Scope {
                        body: &Value::Null,
                        ..*scope
                    })
                    .is_some()
                }) =>
        {
            format!("{key}:{}", hash())
        }
        Some(key) => key,
        None => explicit::id(scope.body).unwrap_or_else(hash),
    };
    if key.len() <= MAX_KEY {
        key
    } else {
        format!("hash:{}", &blake3::hash(key.as_bytes()).to_hex().as_str()[..32])
    }
}

fn find(described: &Described, scope: &Scope<'_>) -> Found {
    let webhook = described.manifest().webhook.as_ref();
    let rules = webhook.map(|w| &w.body);
    let text = |rule: Option<&FirstOf>| rule.and_then(|rule| rule.render(scope));
    let event_type = text(rules.map(|r| &r.event_type))
        .or_else(|| explicit::event_type(scope.body))
        .unwrap_or_else(|| "delivery".to_owned());
    let mut found = Found {
        event_type: cut(&event_type, MAX_TYPE).to_owned(),
        account: text(rules.map(|r| &r.account)).map(|a| cut(&a, MAX_TYPE).to_owned()),
        occurred_at: rules
            .and_then(|r| moment::first(&r.occurred_at, scope.body))
            .or_else(|| explicit::occurred_at(scope.body)),
        outcome: None,
        operation: None,
        codes: Vec::new(),
        field: None,
        message: None,
        http_status: None,
        summary: text(rules.map(|r| &r.summary)),
    };
    let matched = webhook.and_then(|w| first_match(w, scope.body, &found.event_type));
    match matched {
        Some(rule) => apply(rule, scope, &mut found),
        None => explicit::apply(scope.body, &mut found),
    }
    found
}

fn first_match<'a>(webhook: &'a Webhook, body: &Value, event_type: &str) -> Option<&'a Match> {
    webhook.matches.iter().find(|rule| {
        let type_fits = rule.event_type.is_empty() || rule.event_type.iter().any(|glob| glob.matches(event_type));
        type_fits
            && rule
                .pointer
                .as_ref()
                .is_none_or(|pointer| value_fits(rule, &pointer.values(body)))
    })
}

fn value_fits(rule: &Match, values: &[&Value]) -> bool {
    let present = |value: &&&Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    let exists = values.iter().any(|value| present(&value));
    let existence_fits = rule.exists.is_none_or(|wanted| wanted == exists);
    let one_of = |value: &&Value| scalar(value).is_some_and(|text| rule.any_of.contains(&text));
    existence_fits && (rule.any_of.is_empty() || values.iter().any(one_of))
}

fn apply(rule: &Match, scope: &Scope<'_>, found: &mut Found) {
    found.outcome = match rule.outcome {
        MatchOutcome::Success => Some(Outcome::Success),
        MatchOutcome::Failure => Some(Outcome::Failure),
        MatchOutcome::Neutral => None,
    };
    if rule.outcome != MatchOutcome::Failure {
        return;
    }
    // An error object in the payload says more than the event's type; the rule's own templates win.
    explicit::details(scope.body, found);
    if let Some(message) = rule.message.render(scope) {
        found.message = Some(message);
    }
    // The rule's codes are the more specific ones.
    let mut codes = rule.code.render_all(scope);
    codes.extend(
        found
            .codes
            .drain(..)
            .filter(|known| !codes.contains(known))
            .collect::<Vec<_>>(),
    );
    found.codes = codes;
    if let Some(operation) = rule.operation.render(scope) {
        found.operation = Some(operation);
    }
    if let Some(status) = rule.http_status.render(scope) {
        found.http_status = status.parse().ok().or(found.http_status);
    }
}

fn finish(described: &Described, found: Found, delivery_key: String, body: Value) -> Item {
    let redactor = described.redactor();
    let text = |text: &str, max| cut(redactor.text(cut(text, max * 2)).get(), max).to_owned();
    let failed = found.outcome == Some(Outcome::Failure);
    let message = found
        .message
        .as_deref()
        .map(|m| text(m.trim(), MAX_MESSAGE))
        .filter(|m| !m.is_empty());
    let codes: Vec<String> = found.codes.iter().take(8).map(|code| text(code, MAX_TYPE)).collect();
    // With a code of its own only that counts: `webhook_timeout` is no timeout of the network.
    let transport = match (&message, found.http_status) {
        (Some(message), None) if failed => crate::errors::network::transport(&codes, message, !codes.is_empty()),
        _ => None,
    };
    let failure = failed.then(|| Failure {
        provider: described.manifest().key.clone(),
        operation: text(found.operation.as_deref().unwrap_or(&found.event_type), MAX_KEY),
        http_status: found.http_status,
        codes,
        field: found.field.as_deref().map(|field| text(field, MAX_KEY)),
        message: message
            .clone()
            .unwrap_or_else(|| format!("{} failed without saying why", found.event_type)),
        transport,
        html: false,
    });
    let summary = match (&failure, &found.summary) {
        (Some(failure), _) => cut(&failure.message, MAX_SUMMARY).to_owned(),
        (None, Some(summary)) => text(summary, MAX_SUMMARY),
        (None, None) => message.map_or_else(|| found.event_type.clone(), |m| cut(&m, MAX_SUMMARY).to_owned()),
    };
    Item {
        delivery_key,
        occurred_at: found.occurred_at,
        event_type: text(&found.event_type, MAX_TYPE),
        account: found.account.as_deref().map(|account| text(account, MAX_TYPE)),
        outcome: found.outcome,
        failure,
        summary,
        payload: redactor.json(body),
    }
}

#[cfg(test)]
mod tests;
