//! Integrations, their webhook secrets and rejected deliveries.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::IsoTime;
use super::event::EventSummary;
use super::problem::Problem;
use super::words::HealthWord;
use crate::error::ApiError;
use crate::extract::{Checked, whole, whole_u32};

/// Longest name of an integration.
pub(crate) const NAME_CHARS_MAX: usize = 120;
/// Most characters of a webhook secret given by a person.
pub(crate) const SECRET_CHARS_MAX: usize = 4_096;
/// Longest grace of a retiring secret.
pub(crate) const GRACE_S_MAX: u32 = 30 * 24 * 3_600;
/// Largest settings object as JSON text.
const SETTINGS_BYTES_MAX: usize = 32 * 1024;

/// An integration and how it does.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Integration {
    /// Public id.
    pub(crate) id: String,
    /// The provider's key.
    pub(crate) provider: String,
    /// The provider's name.
    pub(crate) provider_name: String,
    /// What is reached when that differs from the provider.
    #[schema(required)]
    pub(crate) service: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// Whether it is watched.
    pub(crate) enabled: bool,
    /// Whether the demo made it.
    pub(crate) demo: bool,
    /// The condition now.
    pub(crate) health: HealthWord,
    /// Since when.
    pub(crate) health_since: IsoTime,
    /// Why, worst first.
    pub(crate) reasons: Vec<Reason>,
    /// 0 to 100; null without data.
    #[schema(required, minimum = 0, maximum = 100)]
    pub(crate) score: Option<u8>,
    /// What the score is made of.
    pub(crate) score_parts: ScoreParts,
    /// The record of the last 24 hours in one word.
    pub(crate) status: HealthWord,
    /// The record of the last 24 hours.
    #[serde(rename = "record24h")]
    pub(crate) record_24h: Record,
    /// Outcomes of the last 24 hours by hour, oldest first.
    pub(crate) sparkline: Vec<Bar>,
    /// The last delivery or check.
    #[schema(required)]
    pub(crate) last_event_at: Option<IsoTime>,
    /// The last success.
    #[schema(required)]
    pub(crate) last_success_at: Option<IsoTime>,
    /// The last failure.
    #[schema(required)]
    pub(crate) last_failure_at: Option<IsoTime>,
    /// The last three events, newest first.
    pub(crate) last_events: Vec<EventSummary>,
    /// How many problems are open.
    pub(crate) open_problems: i64,
    /// Where its provider sends to; null when it does not send.
    #[schema(required)]
    pub(crate) webhook: Option<Webhook>,
    /// Whether it is checked on a schedule.
    pub(crate) checked: bool,
    /// How its credential stands, as in `HealthCredential`; null where it is not checked.
    #[schema(required)]
    pub(crate) credential_state: Option<String>,
    /// The last check.
    #[schema(required)]
    pub(crate) last_check_at: Option<IsoTime>,
    /// The next check.
    #[schema(required)]
    pub(crate) next_check_at: Option<IsoTime>,
    /// How long the last check took, milliseconds.
    #[schema(required)]
    pub(crate) response_time_ms: Option<u32>,
    /// When it was created.
    pub(crate) created_at: IsoTime,
    /// When its configuration last changed.
    pub(crate) updated_at: IsoTime,
    /// Send it back with a change.
    pub(crate) version: i64,
}

/// Why health is what it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Reason {
    /// Stable, for programs.
    pub(crate) code: String,
    /// A sentence for people.
    pub(crate) message: String,
}

/// What a score is made of.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScoreParts {
    /// How recent the last success is, 0 to 1.
    #[schema(required)]
    pub(crate) freshness: Option<f64>,
    /// The decayed success rate, 0 to 1.
    #[schema(required)]
    pub(crate) success: Option<f64>,
    /// The error rate's part, 0 to 1.
    #[schema(required)]
    pub(crate) error_rate: Option<f64>,
    /// What limited the score.
    pub(crate) caps: Vec<String>,
    /// The score in a sentence.
    pub(crate) sentence: String,
}

/// Outcomes of 24 hours.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// In one word.
    pub(crate) status: HealthWord,
    /// Successes in percent of all outcomes; null without any.
    #[schema(required)]
    pub(crate) success_rate: Option<f64>,
    /// Outcomes.
    pub(crate) total: i64,
    /// Failures.
    pub(crate) errors: i64,
}

/// Outcomes of one hour.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Bar {
    /// When the hour began.
    pub(crate) at: IsoTime,
    /// Successes.
    pub(crate) ok: i64,
    /// Failures.
    pub(crate) failed: i64,
}

/// Where a provider sends to.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Webhook {
    /// The address; its key is masked for roles that may not configure.
    pub(crate) url: String,
    /// The provider's short address, when it is bound to this integration.
    #[schema(required)]
    pub(crate) alias_url: Option<String>,
    /// How many secrets are accepted.
    pub(crate) secrets: i64,
    /// Deliveries rejected in the last 24 hours.
    #[serde(rename = "rejected24h")]
    pub(crate) rejected_24h: i64,
}

/// All integrations of a project.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntegrationList {
    /// By name.
    pub(crate) items: Vec<Integration>,
}

/// An integration with its settings and problems.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IntegrationDetail {
    /// The integration.
    #[serde(flatten)]
    pub(crate) integration: Integration,
    /// Its settings, without secrets.
    #[schema(value_type = Object)]
    pub(crate) settings: serde_json::Map<String, serde_json::Value>,
    /// Which of its form's secret fields have a value.
    pub(crate) credentials: Vec<Credential>,
    /// Its worst open problems, at most five.
    pub(crate) problems: Vec<Problem>,
}

/// A stored credential without its value.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credential {
    /// The form's field it fills.
    pub(crate) field: String,
    /// Its last four characters; empty for short ones.
    pub(crate) last4: String,
    /// When it was stored.
    pub(crate) created_at: IsoTime,
}

impl From<lk_store::Credential> for Credential {
    fn from(row: lk_store::Credential) -> Self {
        Self {
            field: row.field,
            last4: row.last4,
            created_at: IsoTime(row.created_at),
        }
    }
}

/// A new integration.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewIntegration {
    /// Its project: id or slug.
    pub(crate) project_id: Option<String>,
    /// The provider's key.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) provider: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: String,
    /// What is reached when that differs from the provider.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) service: Option<String>,
    /// Settings by the provider's fields.
    #[schema(value_type = Option<Object>)]
    pub(crate) settings: Option<serde_json::Map<String, serde_json::Value>>,
    /// The secret its provider signs with, when it is already known.
    #[schema(min_length = 1, max_length = 4096, write_only)]
    pub(crate) webhook_secret: Option<String>,
}

impl Checked for NewIntegration {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("projectId", self.project_id.as_deref(), 64)?;
        super::check_text("provider", Some(&self.provider), 64)?;
        super::check_text("name", Some(&self.name), NAME_CHARS_MAX)?;
        super::check_text("service", self.service.as_deref(), 64)?;
        super::check_text("webhookSecret", self.webhook_secret.as_deref(), SECRET_CHARS_MAX)?;
        check_settings(self.settings.as_ref())
    }
}

fn check_settings(settings: Option<&serde_json::Map<String, serde_json::Value>>) -> Result<(), ApiError> {
    let Some(settings) = settings else { return Ok(()) };
    let bytes = serde_json::to_string(settings).map_or(usize::MAX, |text| text.len());
    if bytes > SETTINGS_BYTES_MAX {
        return Err(ApiError::invalid(
            "settings",
            format!("must have at most {SETTINGS_BYTES_MAX} bytes."),
        ));
    }
    Ok(())
}

/// What was created. The secret is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedIntegration {
    /// The integration.
    pub(crate) integration: Integration,
    /// Where its provider sends to.
    #[schema(required)]
    pub(crate) webhook_url: Option<String>,
    /// The secret we made for it; shown once.
    #[schema(required)]
    pub(crate) webhook_secret: Option<String>,
}

/// A change of an integration.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IntegrationPatch {
    /// A new name.
    #[schema(min_length = 1, max_length = 120)]
    pub(crate) name: Option<String>,
    /// Watch it or not.
    pub(crate) enabled: Option<bool>,
    /// The new settings, whole. A secret field that is absent keeps its value; an empty one loses it.
    #[schema(value_type = Option<Object>)]
    pub(crate) settings: Option<serde_json::Map<String, serde_json::Value>>,
    /// The version that the change was made on.
    #[serde(deserialize_with = "whole")]
    #[schema(minimum = 0)]
    pub(crate) version: i64,
}

impl Checked for IntegrationPatch {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("name", self.name.as_deref(), NAME_CHARS_MAX)?;
        check_settings(self.settings.as_ref())
    }
}

/// A webhook secret without its value.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookSecret {
    /// Public id.
    pub(crate) id: String,
    /// Its last four characters.
    pub(crate) last4: String,
    /// `active`, `retiring` or `retired`.
    pub(crate) state: String,
    /// `manual`, `generated`, `handshake` or `environment`.
    pub(crate) source: String,
    /// When it was added.
    pub(crate) created_at: IsoTime,
    /// When a retiring secret stops being accepted.
    #[schema(required)]
    pub(crate) expires_at: Option<IsoTime>,
    /// When it was retired.
    #[schema(required)]
    pub(crate) retired_at: Option<IsoTime>,
}

/// The webhook secrets of an integration.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookSecretList {
    /// Newest first.
    pub(crate) items: Vec<WebhookSecret>,
}

/// A secret to add; one is made when none is given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewWebhookSecret {
    /// The value that the provider signs with.
    #[schema(min_length = 1, max_length = 4096, write_only)]
    pub(crate) secret: Option<String>,
}

impl Checked for NewWebhookSecret {
    fn check(&self) -> Result<(), ApiError> {
        super::check_text("secret", self.secret.as_deref(), SECRET_CHARS_MAX)
    }
}

/// The secret that was added.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CreatedWebhookSecret {
    /// The secret without its value.
    pub(crate) secret: WebhookSecret,
    /// The value we made; shown once, null when a person gave it.
    #[schema(required)]
    pub(crate) value: Option<String>,
}

/// When a secret stops being accepted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RetireSecret {
    /// Seconds it is still accepted; none when absent.
    #[serde(default, deserialize_with = "whole_u32")]
    #[schema(maximum = 2_592_000)]
    pub(crate) grace_seconds: Option<u32>,
}

impl Checked for RetireSecret {
    fn check(&self) -> Result<(), ApiError> {
        match self.grace_seconds {
            Some(s) if s > GRACE_S_MAX => Err(ApiError::invalid(
                "graceSeconds",
                format!("must be at most {GRACE_S_MAX}."),
            )),
            _ => Ok(()),
        }
    }
}

/// Why deliveries are rejected.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectionList {
    /// Latest first.
    pub(crate) items: Vec<Rejection>,
}

/// Deliveries rejected for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rejection {
    /// Stable, for programs.
    pub(crate) reason: String,
    /// How many.
    pub(crate) count: i64,
    /// The first of them.
    pub(crate) first_at: IsoTime,
    /// The last of them.
    pub(crate) last_at: IsoTime,
    /// What happened, in a sentence.
    pub(crate) explanation: String,
    /// What to do about it.
    pub(crate) hint: String,
    /// What was measured, e.g. the clock's difference. Never a secret, never the body.
    #[schema(value_type = Object)]
    pub(crate) detail: serde_json::Value,
}

/// The way to a provider's consent page.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reconnect {
    /// Where to lead the browser; works once, within ten minutes, in this session.
    pub(crate) url: String,
}
