//! Settings as people give them, checked against the provider's form.

use lk_engine::Ranges;
use lk_engine::directory::WEBHOOK_SOURCES;
use lk_engine::egress::Egress;
use lk_provider::Manifest;
use lk_provider::manifest::{Field, FieldKind};
use lk_store::SecretText;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// The setting that says where an integration is reached.
const BASE_URL: &str = "base_url";
/// The setting that says where its tokens come from and where people consent.
const AUTH_BASE_URL: &str = "auth_base_url";
/// Settings that every integration has beside its provider's form: where it is reached, how often
/// it is looked at, what the rules make of its events, and from where its webhooks may come.
pub const COMMON_SETTINGS: [&str; 14] = [
    BASE_URL,
    AUTH_BASE_URL,
    "interval_s",
    "timeout_ms",
    "latency_limit_ms",
    "check",
    "auth",
    STATUS_URL,
    "business_failures_count",
    "record_healthy_rate",
    "record_healthy_errors",
    "record_degraded_rate",
    "record_degraded_errors",
    WEBHOOK_SOURCES,
];
/// The setting that reads a vendor's status page elsewhere.
const STATUS_URL: &str = "status_url";
/// Longest value of one setting.
const VALUE_CHARS_MAX: usize = 4_096;

/// Settings sorted into what is stored as it is and what is sealed.
pub struct CheckedSettings {
    /// What any member may read.
    pub settings: Map<String, Value>,
    /// Values of the form's secret fields; `None` for one that was emptied on purpose.
    pub credentials: Vec<(String, Option<SecretText>)>,
}

/// Checks `settings` against the form of `manifest`; the error names the setting. `stored` are the
/// secret fields that have a value already: they need not be given again.
pub fn check_settings(
    manifest: &Manifest,
    mut settings: Map<String, Value>,
    stored: &[&str],
) -> Result<CheckedSettings, ApiError> {
    for (key, value) in &settings {
        let name = format!("settings.{key}");
        let text = plain_text(&name, value)?;
        if let Some(field) = manifest.fields.iter().find(|field| field.key == *key) {
            check_field(&name, field, &text)?;
        } else if COMMON_SETTINGS.contains(&key.as_str()) {
            check_common(&name, key, &text)?;
        } else {
            return Err(ApiError::invalid(
                &name,
                format_args!("is not a setting of {}.", manifest.name),
            ));
        }
    }
    let mut credentials = Vec::new();
    for field in &manifest.fields {
        let is_secret = field.kind == FieldKind::Secret;
        let given = settings.get(&field.key).is_some_and(|value| !is_empty(value));
        let kept = is_secret && !settings.contains_key(&field.key) && stored.contains(&field.key.as_str());
        if field.required && !given && !kept && field.default.is_none() {
            let name = format!("settings.{}", field.key);
            return Err(ApiError::invalid(&name, format_args!("({}) is required.", field.label)));
        }
        if is_secret && let Some(value) = settings.remove(&field.key) {
            let text = plain_text(&field.key, &value)?;
            let value = given.then(|| SecretText::new(text.trim()));
            credentials.push((field.key.clone(), value));
        }
    }
    Ok(CheckedSettings { settings, credentials })
}

/// Looks at the addresses among `settings` (already checked) before they are stored: one that leads
/// to this machine or a private network is refused, by name, unless that is allowed.
pub async fn vet_settings(egress: &Egress, manifest: &Manifest, settings: &Map<String, Value>) -> Result<(), ApiError> {
    for (key, value) in settings.iter().filter(|(key, _)| is_url(manifest, key)) {
        let Some(address) = value.as_str().map(str::trim).filter(|text| !text.is_empty()) else {
            continue;
        };
        let vetted = egress.vet(address).await;
        vetted.map_err(|error| ApiError::invalid(&format!("settings.{key}"), format_args!("is refused: {error}.")))?;
    }
    Ok(())
}

/// Refuses a change that leads the secrets which are kept somewhere else than they were entered
/// for: who changes an address enters them again. `before` are the settings until now, `stored` the
/// secret fields that have a value.
pub(crate) fn keep_secrets_home(
    manifest: &Manifest,
    before: &Map<String, Value>,
    after: &CheckedSettings,
    stored: &[&str],
) -> Result<(), ApiError> {
    let kept = |field: &&&str| !after.credentials.iter().any(|(given, _)| given == **field);
    let Some(secret) = stored.iter().find(kept) else {
        return Ok(());
    };
    let leads = |settings: &Map<String, Value>, key: &str| -> String {
        let given = settings.get(key).and_then(Value::as_str).map(str::trim);
        let field = manifest.fields.iter().find(|field| field.key == key);
        let default = field.and_then(|field| field.default.as_deref());
        let address = given.filter(|text| !text.is_empty()).or(default).unwrap_or_default();
        url::Url::parse(address).map_or_else(|_| address.to_owned(), |url| url.origin().ascii_serialization())
    };
    let mut addresses = before
        .keys()
        .chain(after.settings.keys())
        .filter(|key| is_url(manifest, key));
    match addresses.find(|key| leads(before, key) != leads(&after.settings, key)) {
        None => Ok(()),
        Some(key) => Err(ApiError::invalid(
            &format!("settings.{secret}"),
            format_args!("must be entered again, because `settings.{key}` leads to another place now."),
        )),
    }
}

fn is_url(manifest: &Manifest, key: &str) -> bool {
    let field = manifest.fields.iter().find(|field| field.key == key);
    field.map_or(matches!(key, BASE_URL | AUTH_BASE_URL | STATUS_URL), |field| {
        field.kind == FieldKind::Url
    })
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn plain_text(name: &str, value: &Value) -> Result<String, ApiError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null => String::new(),
        Value::Array(_) | Value::Object(_) => {
            return Err(ApiError::invalid(name, "must be a text, a number or a switch."));
        }
    };
    if text.chars().count() > VALUE_CHARS_MAX {
        return Err(ApiError::invalid(
            name,
            format_args!("must have at most {VALUE_CHARS_MAX} characters."),
        ));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(ApiError::invalid(name, "must not have control characters."));
    }
    Ok(text)
}

fn check_field(name: &str, field: &Field, text: &str) -> Result<(), ApiError> {
    if text.is_empty() {
        return Ok(());
    }
    match field.kind {
        FieldKind::Url => check_url(name, text)?,
        FieldKind::Number => check_number(name, text)?,
        FieldKind::Boolean => check_switch(name, text)?,
        FieldKind::Select if !field.options.iter().any(|option| option == text) => {
            return Err(ApiError::invalid(
                name,
                format_args!("must be one of {}.", field.options.join(", ")),
            ));
        }
        FieldKind::Select | FieldKind::Text | FieldKind::Secret => {}
    }
    let Some(pattern) = &field.pattern else { return Ok(()) };
    let whole = format!("^(?:{pattern})$");
    let fits = regex::Regex::new(&whole).is_ok_and(|pattern| pattern.is_match(text));
    if fits {
        Ok(())
    } else {
        Err(ApiError::invalid(
            name,
            format_args!("does not look like a {}.", field.label),
        ))
    }
}

fn check_common(name: &str, key: &str, text: &str) -> Result<(), ApiError> {
    match key {
        _ if text.is_empty() => Ok(()),
        BASE_URL | AUTH_BASE_URL | STATUS_URL => check_url(name, text),
        WEBHOOK_SOURCES => check_ranges(name, text),
        "business_failures_count" | "check" => check_switch(name, text),
        "auth" if text.chars().all(|c| c.is_ascii_lowercase() || c == '_') => Ok(()),
        "auth" => Err(ApiError::invalid(
            name,
            "must be one of the provider's kinds of credential.",
        )),
        "interval_s" => check_range(name, text, 10.0, 86_400.0),
        "timeout_ms" => check_range(name, text, 200.0, 30_000.0),
        "record_healthy_rate" | "record_degraded_rate" => check_range(name, text, 0.0, 100.0),
        _ => check_range(name, text, 0.0, 1_000_000.0),
    }
}

fn check_url(name: &str, text: &str) -> Result<(), ApiError> {
    let fits = |url: &url::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let Some(url) = url::Url::parse(text).ok().filter(fits) else {
        return Err(ApiError::invalid(name, "must be an http or https address."));
    };
    // Every member reads settings; a secret in one would be no secret.
    if url.username().is_empty() && url.password().is_none() {
        Ok(())
    } else {
        Err(ApiError::invalid(name, "must not carry a name or password."))
    }
}

fn check_ranges(name: &str, text: &str) -> Result<(), ApiError> {
    let read = Ranges::parse(text);
    read.map(drop)
        .map_err(|error| ApiError::invalid(name, format_args!("is not right: {error}.")))
}

fn check_switch(name: &str, text: &str) -> Result<(), ApiError> {
    if matches!(text, "true" | "false") {
        Ok(())
    } else {
        Err(ApiError::invalid(name, "must be true or false."))
    }
}

fn check_number(name: &str, text: &str) -> Result<(), ApiError> {
    check_range(name, text, f64::MIN, f64::MAX)
}

fn check_range(name: &str, text: &str, min: f64, max: f64) -> Result<(), ApiError> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && (min..=max).contains(&number) => Ok(()),
        _ if min > f64::MIN => Err(ApiError::invalid(
            name,
            format_args!("must be a number from {min} to {max}."),
        )),
        _ => Err(ApiError::invalid(name, "must be a number.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::parse(
            r##"
key = "sample"
name = "Sample"
summary = "For tests."
color = "#102030"

[[fields]]
key = "account"
label = "account number"
required = true
pattern = "[0-9]{4}"

[[fields]]
key = "region"
label = "region"
kind = "select"
options = ["eu", "us"]
default = "eu"

[[fields]]
key = "token"
label = "API token"
kind = "secret"
required = true
"##,
        )
        .unwrap()
    }

    fn check(settings: Value, stored: &[&str]) -> Result<CheckedSettings, ApiError> {
        let Value::Object(settings) = settings else {
            panic!("an object")
        };
        check_settings(&manifest(), settings, stored)
    }

    #[test]
    fn the_form_decides() {
        let good = serde_json::json!({"account": "1234", "region": "us", "interval_s": 60, "token": "t"});
        check(good, &[]).unwrap();
        for (settings, word) in [
            (serde_json::json!({"token": "t"}), "settings.account"),
            (serde_json::json!({"account": "1234"}), "settings.token"),
            (
                serde_json::json!({"account": "12345", "token": "t"}),
                "settings.account",
            ),
            (
                serde_json::json!({"account": "1234", "region": "mars"}),
                "settings.region",
            ),
            (serde_json::json!({"account": "1234", "other": 1}), "settings.other"),
            (serde_json::json!({"account": {"a": 1}}), "settings.account"),
            (
                serde_json::json!({"account": "1234", "base_url": "ftp://x"}),
                "settings.base_url",
            ),
            (
                serde_json::json!({"account": "1234", "webhook_sources": "192.0.2.0/24, 10.0.0.0/40"}),
                "`settings.webhook_sources` is not right: `10.0.0.0/40`",
            ),
            (
                serde_json::json!({"account": "1234", "interval_s": 1}),
                "settings.interval_s",
            ),
            (
                serde_json::json!({"account": "1234", "timeout_ms": "NaN"}),
                "settings.timeout_ms",
            ),
        ] {
            let error = check(settings.clone(), &[]).err().expect("refused");
            assert!(error.message().contains(word), "{settings}");
        }
    }

    #[test]
    fn secrets_are_sorted_out_kept_when_absent_and_removed_when_emptied() {
        let given = check(serde_json::json!({"account": "1234", "token": " t0k "}), &[]).unwrap();
        assert!(!given.settings.contains_key("token"));
        let (field, value) = &given.credentials[0];
        assert_eq!(
            (field.as_str(), value.as_ref().map(SecretText::expose)),
            ("token", Some("t0k"))
        );
        let kept = check(serde_json::json!({"account": "1234"}), &["token"]).unwrap();
        assert!(kept.credentials.is_empty());
        assert!(
            check(serde_json::json!({"account": "1234", "token": ""}), &["token"]).is_err(),
            "it is required"
        );
    }
}
