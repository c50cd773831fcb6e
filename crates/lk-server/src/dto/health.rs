//! The health of one integration: its condition, the last check rung by rung, what was measured.

use std::collections::BTreeMap;

use lk_core::Time;
use lk_core::time::MINUTE;
use lk_core::uptime::Spent;
use lk_core::words::{CredentialState, Health};
use lk_engine::credentials::Summary;
use lk_engine::live::Card;
use lk_store::journal::QuotaSample;
use lk_store::{HistoryEntry, Rollup};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cards::Condition;
use super::event::Classification;
use super::integration::Reason;
use super::present::Present;
use super::words::HealthWord;
use super::{IsoTime, iso};

/// S2's word for a condition.
pub(crate) const fn s2_word(health: Health) -> &'static str {
    match health {
        Health::Healthy => "healthy",
        Health::Degraded => "degraded",
        Health::Down => "unhealthy",
        Health::Unknown => "unknown",
    }
}

/// S1's light for a condition.
const fn light(health: Health) -> &'static str {
    match health {
        Health::Healthy => "green",
        Health::Degraded => "yellow",
        Health::Down => "red",
        Health::Unknown => "grey",
    }
}

/// The last check as the engine wrote it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LastCheck {
    steps: Vec<LadderStep>,
    account: Option<String>,
    scopes: Option<Scopes>,
    certificate_ends_at: Option<i64>,
    credential_ends_at: Option<i64>,
    quotas: Vec<StoredQuota>,
    warnings: Vec<String>,
    notes: Vec<String>,
    failure: Option<CheckFailure>,
}

/// How a check failed, as the engine wrote it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CheckFailure {
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) doc: String,
    pub(crate) category: String,
    pub(crate) operation: String,
    pub(crate) severity: String,
    pub(crate) transient: bool,
    pub(crate) confidence: u8,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StoredQuota {
    name: String,
    limit: Option<u64>,
    remaining: u64,
    resets_at: Option<i64>,
    own_count: bool,
    exhausted_at: Option<i64>,
}

/// One rung of the last check.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct LadderStep {
    /// `dns`, `tcp`, `tls`, `http`, `credential`, `scopes`, `capability` or `quota`.
    rung: String,
    /// What was asked.
    name: String,
    /// Whether it passed.
    ok: bool,
    /// How long it took, milliseconds; null where nothing was measured.
    #[schema(required)]
    ms: Option<u32>,
    /// What there is to say of it.
    #[schema(required)]
    note: Option<String>,
}

/// Permissions of the credential.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct Scopes {
    /// Granted.
    granted: Vec<String>,
    /// Needed and not granted.
    missing: Vec<String>,
}

/// What is left of one limit of the provider.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthQuota {
    /// The limit's name.
    name: String,
    /// How many calls it allows.
    #[schema(required)]
    limit: Option<u64>,
    /// How many are left.
    remaining: u64,
    /// When it is filled again.
    #[schema(required)]
    resets_at: Option<IsoTime>,
    /// Counted by Linekeeper, because the provider tells nothing.
    own_count: bool,
    /// When it will be used up, at the pace of late.
    #[schema(required)]
    exhausted_at: Option<IsoTime>,
}

/// What is known of the credential.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthCredential {
    /// Its kind: `api_key`, `basic`, `oauth2`, `client_credentials`, `service_account` or
    /// `app_installation`.
    kind: String,
    /// `active`, `expiring`, `needs_reauth`, `misconfigured`, `revoked` or `pending`.
    state: String,
    /// The provider's account.
    #[schema(required)]
    account: Option<String>,
    /// When it ends.
    #[schema(required)]
    expires_at: Option<IsoTime>,
    /// Granted permissions.
    scopes: Vec<String>,
    /// Permissions that were asked for when it was connected, and not granted.
    missing: Vec<String>,
    /// Why it stands so, in a sentence.
    #[schema(required)]
    message: Option<String>,
    /// Whether it is connected, or connected again, by signing in at the provider.
    can_reconnect: bool,
}

/// The condition now and the last check.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthNow {
    /// `healthy`, `degraded`, `unhealthy` or `unknown`.
    status: String,
    /// The same in this API's other words.
    health: HealthWord,
    /// `green`, `yellow`, `red` or `grey`.
    light: String,
    /// Since when.
    since: IsoTime,
    /// Why, worst first.
    reasons: Vec<Reason>,
    /// 0 to 100; null without data.
    #[schema(required, minimum = 0, maximum = 100)]
    score: Option<u8>,
    /// How long the last check took, milliseconds.
    #[schema(required)]
    response_time_ms: Option<u32>,
    /// The last check.
    #[schema(required)]
    last_check_at: Option<IsoTime>,
    /// The next check.
    #[schema(required)]
    next_check_at: Option<IsoTime>,
    /// The last success.
    #[schema(required)]
    last_success_at: Option<IsoTime>,
    /// Checks that failed in a row.
    consecutive_failures: u16,
    /// How the last check failed.
    #[schema(required)]
    error_message: Option<String>,
    /// The document that explains it.
    #[schema(required)]
    error_code: Option<String>,
    /// Cause and fix of it.
    #[schema(required)]
    explanation: Option<Classification>,
    /// The last check, rung by rung.
    ladder: Vec<LadderStep>,
    /// The provider's account.
    #[schema(required)]
    account: Option<String>,
    /// Permissions of the credential, where the provider tells them.
    #[schema(required)]
    scopes: Option<Scopes>,
    /// When the certificate ends.
    #[schema(required)]
    certificate_ends_at: Option<IsoTime>,
    /// What is left of the provider's limits.
    quotas: Vec<HealthQuota>,
    /// What passed and yet needs attention.
    warnings: Vec<String>,
    /// A sentence for each warning that needs one.
    notes: Vec<String>,
    /// The credential; null where none is needed.
    #[schema(required)]
    credential: Option<HealthCredential>,
    /// Whether it is checked on a schedule.
    checked: bool,
    /// Seconds between two checks.
    interval_s: i64,
    /// Time for a whole check, milliseconds.
    timeout_ms: i64,
    /// Whether the database could not be read lately, so that this may be old.
    stale: bool,
    /// As of when it is true.
    as_of: IsoTime,
}

impl HealthNow {
    /// The same with what is known of the credential beyond the last check.
    pub(crate) fn with_credential(mut self, summary: Option<Summary>) -> Self {
        let (Some(shown), Some(known)) = (&mut self.credential, summary) else {
            return self;
        };
        // What a check found last is newer than a token that is in order.
        if let Some(state) = known.state.filter(|state| *state != CredentialState::Active) {
            state.as_str().clone_into(&mut shown.state);
        }
        shown.account = known.account.or_else(|| shown.account.take());
        shown.expires_at = iso(known.expires_at).or_else(|| shown.expires_at.take());
        if shown.scopes.is_empty() {
            shown.scopes = known.scopes;
        }
        shown.missing = known.missing;
        shown.message = known.message;
        shown.can_reconnect = known.can_reconnect;
        self
    }

    /// What `card` says at `now`; `as_of` is when the board was last read.
    pub(crate) fn of(present: Present<'_>, card: &Card, as_of: (Time, bool), now: Time) -> Self {
        let (state, integration) = (&card.state, &card.integration);
        let condition = Condition::of(state, &integration.policy, card.incident, now);
        let text = card.last_check.as_deref().unwrap_or("{}");
        let told: LastCheck = serde_json::from_str(text).unwrap_or_default();
        let checks = &state.checks;
        let moment = |ms: Option<i64>| iso(ms.map(Time));
        let failure = told.failure.as_ref();
        Self {
            status: s2_word(condition.health).to_owned(),
            health: condition.health.into(),
            light: light(condition.health).to_owned(),
            since: condition.since.into(),
            score: condition.score(),
            response_time_ms: checks.last_at.map(|_| checks.took_ms),
            last_check_at: iso(checks.last_at),
            next_check_at: iso(checks.next_at),
            last_success_at: iso(state.last_success),
            consecutive_failures: checks.streak,
            error_message: failure.map(|failure| failure.message.clone()),
            error_code: failure.map(|failure| failure.doc.clone()),
            explanation: failure.map(|failure| present.check_failure(&integration.provider, failure)),
            credential: present
                .credential_kind(&integration.provider, &integration.settings)
                .map(|kind| HealthCredential {
                    kind: kind.to_owned(),
                    state: state.credential.as_str().to_owned(),
                    account: told.account.clone(),
                    expires_at: moment(told.credential_ends_at),
                    scopes: told.scopes.clone().unwrap_or_default().granted,
                    missing: Vec::new(),
                    message: None,
                    can_reconnect: false,
                }),
            ladder: told.steps,
            account: told.account,
            scopes: told.scopes,
            certificate_ends_at: moment(told.certificate_ends_at),
            quotas: told.quotas.into_iter().map(HealthQuota::from).collect(),
            warnings: told.warnings,
            notes: told.notes,
            reasons: condition.reasons,
            checked: integration.policy.check_interval_ms.is_some() && integration.enabled,
            interval_s: integration.policy.check_interval_ms.unwrap_or_default() / 1_000,
            timeout_ms: integration.check.timeout_ms,
            stale: as_of.1,
            as_of: as_of.0.into(),
        }
    }
}

impl From<StoredQuota> for HealthQuota {
    fn from(stored: StoredQuota) -> Self {
        let moment = |ms: Option<i64>| iso(ms.map(Time));
        Self {
            name: stored.name,
            limit: stored.limit,
            remaining: stored.remaining,
            resets_at: moment(stored.resets_at),
            own_count: stored.own_count,
            exhausted_at: moment(stored.exhausted_at),
        }
    }
}

/// One result of a check.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthEntry {
    /// When it ended.
    checked_at: IsoTime,
    /// Health after it, in S2's words.
    status: String,
    /// How long it took, milliseconds.
    #[schema(required)]
    response_time_ms: Option<u32>,
    /// The rung that failed.
    #[schema(required)]
    rung: Option<String>,
    /// The document that explains the failure.
    #[schema(required)]
    error_code: Option<String>,
    /// The failure's message.
    #[schema(required)]
    error_message: Option<String>,
}

impl From<HistoryEntry> for HealthEntry {
    fn from(row: HistoryEntry) -> Self {
        Self {
            checked_at: row.checked_at.into(),
            status: s2_word(row.status).to_owned(),
            response_time_ms: Some(row.took_ms),
            rung: row.rung.map(|rung| rung.as_str().to_owned()),
            error_code: row.code,
            error_message: row.message,
        }
    }
}

impl HealthEntry {
    /// The columns of an export.
    pub(crate) const COLUMNS: [&'static str; 6] = [
        "checkedAt",
        "status",
        "responseTimeMs",
        "rung",
        "errorCode",
        "errorMessage",
    ];

    /// The cells of an export's row.
    pub(crate) fn cells(self) -> [String; 6] {
        let text = Option::unwrap_or_default;
        [
            self.checked_at.to_string(),
            self.status,
            self.response_time_ms.map_or_else(String::new, |ms| ms.to_string()),
            text(self.rung),
            text(self.error_code),
            text(self.error_message),
        ]
    }
}

/// Numbers over a stretch of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthStatistics {
    /// From when.
    from: IsoTime,
    /// To when.
    to: IsoTime,
    /// Checks.
    count: u64,
    /// Checks that passed, percent.
    #[schema(required)]
    success_rate: Option<f64>,
    /// Mean duration, milliseconds.
    #[schema(required)]
    average_ms: Option<f64>,
    /// Half were not slower, milliseconds.
    #[schema(required)]
    p50_ms: Option<u32>,
    /// 95 of 100 were not slower.
    #[schema(required)]
    p95_ms: Option<u32>,
    /// 99 of 100 were not slower.
    #[schema(required)]
    p99_ms: Option<u32>,
    /// The share of known time in which it worked, 0 to 1.
    #[schema(required)]
    uptime: Option<f64>,
    /// The share of time of which something is known, 0 to 1.
    coverage: f64,
}

impl HealthStatistics {
    /// The numbers of a summary that runs to `to`.
    pub(crate) fn of(sum: &Rollup, to: Time) -> Self {
        let count = sum.checks();
        Self {
            from: sum.from.into(),
            to: to.into(),
            count,
            success_rate: percent(sum.ok, count),
            average_ms: mean(sum.sum_ms, count),
            p50_ms: sum.sketch.quantile(0.50),
            p95_ms: sum.sketch.quantile(0.95),
            p99_ms: sum.sketch.quantile(0.99),
            uptime: sum.spent.uptime(),
            coverage: sum.spent.coverage(to.since(sum.from)),
        }
    }
}

/// `part` of `whole` in percent, to a tenth of a percent; nothing of nothing is nothing.
pub(crate) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 * 1_000.0 / whole as f64).round() / 10.0)
}

/// A mean to a tenth.
pub(crate) fn mean(sum: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| (sum as f64 * 10.0 / count as f64).round() / 10.0)
}

/// An hour or a month summed up.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthBucket {
    from: IsoTime,
    to: IsoTime,
    count: u64,
    ok: u64,
    failed: u64,
    #[schema(required)]
    average_ms: Option<f64>,
    #[schema(required)]
    p50_ms: Option<u32>,
    #[schema(required)]
    p95_ms: Option<u32>,
    #[schema(required)]
    p99_ms: Option<u32>,
    healthy_ms: i64,
    degraded_ms: i64,
    down_ms: i64,
}

impl HealthBucket {
    /// The bucket of a summary that runs to `to`.
    pub(crate) fn of(sum: &Rollup, to: Time) -> Self {
        Self {
            from: sum.from.into(),
            to: to.into(),
            count: sum.checks(),
            ok: sum.ok,
            failed: sum.failed,
            average_ms: mean(sum.sum_ms, sum.checks()),
            p50_ms: sum.sketch.quantile(0.50),
            p95_ms: sum.sketch.quantile(0.95),
            p99_ms: sum.sketch.quantile(0.99),
            healthy_ms: sum.spent.healthy_ms,
            degraded_ms: sum.spent.degraded_ms,
            down_ms: sum.spent.down_ms,
        }
    }
}

/// One result, or a summary of many.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum HealthItem {
    /// With `resolution=raw`.
    Entry(HealthEntry),
    /// With `resolution=hour` or `month`.
    Bucket(HealthBucket),
}

/// A page of history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HealthHistory {
    /// Newest first.
    pub(crate) items: Vec<HealthItem>,
    /// Pass it as `cursor` for older ones; null at the end.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// One bar of uptime. What the three do not fill is unknown.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UptimeBar {
    from: IsoTime,
    to: IsoTime,
    healthy_ms: i64,
    degraded_ms: i64,
    down_ms: i64,
}

/// Uptime of a window.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Uptime {
    /// `24h`, `7d`, `30d` or `90d`.
    window: String,
    /// The share of known time in which it worked, 0 to 1; null where nothing is known.
    #[schema(required)]
    #[serde(rename = "uptime")]
    share: Option<f64>,
    /// The share of time of which something is known, 0 to 1.
    coverage: f64,
    /// Oldest first.
    bars: Vec<UptimeBar>,
}

impl Uptime {
    /// A window of bars, oldest first: each from when to when, and what was spent how.
    pub(crate) fn of(window: &str, bars: &[(Time, Time, Spent)]) -> Self {
        let mut all = Spent::default();
        for (_, _, spent) in bars {
            all += *spent;
        }
        let from = bars.first().map_or(Time(0), |bar| bar.0);
        let to = bars.last().map_or(Time(0), |bar| bar.1);
        Self {
            window: window.to_owned(),
            share: all.uptime(),
            coverage: all.coverage(to.since(from)),
            bars: bars
                .iter()
                .map(|(from, to, spent)| UptimeBar {
                    from: (*from).into(),
                    to: (*to).into(),
                    healthy_ms: spent.healthy_ms,
                    degraded_ms: spent.degraded_ms,
                    down_ms: spent.down_ms,
                })
                .collect(),
        }
    }
}

/// What was left of a limit at a moment.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuotaPoint {
    at: IsoTime,
    name: String,
    #[schema(required)]
    limit: Option<u64>,
    remaining: u64,
    #[schema(required)]
    resets_at: Option<IsoTime>,
    own_count: bool,
}

impl QuotaPoint {
    /// The last sample of each limit in every five minutes: as many as a chart can show.
    pub(crate) fn thinned(samples: Vec<(Time, QuotaSample)>) -> Vec<Self> {
        let mut last: BTreeMap<(i64, String), (Time, QuotaSample)> = BTreeMap::new();
        for (at, sample) in samples {
            let key = (at.ms().div_euclid(5 * MINUTE), sample.name.clone());
            last.insert(key, (at, sample));
        }
        last.into_values().map(Self::from).collect()
    }
}

impl From<(Time, QuotaSample)> for QuotaPoint {
    fn from((at, sample): (Time, QuotaSample)) -> Self {
        Self {
            at: at.into(),
            name: sample.name,
            limit: sample.limit,
            remaining: sample.remaining,
            resets_at: iso(sample.resets_at),
            own_count: sample.own_count,
        }
    }
}

/// The health of an integration.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IntegrationHealth {
    /// The integration.
    pub(crate) integration_id: String,
    /// The provider's key.
    pub(crate) provider: String,
    /// What is reached, where that differs from the provider.
    #[schema(required)]
    pub(crate) service: Option<String>,
    /// The condition now.
    pub(crate) current: HealthNow,
    /// The last hundred results, newest first.
    pub(crate) history: Vec<HealthEntry>,
    /// The last 24 hours in numbers.
    pub(crate) statistics: HealthStatistics,
    /// Four windows, the shortest first.
    pub(crate) uptime: Vec<Uptime>,
    /// What was left of the provider's limits in the last 24 hours, oldest first.
    pub(crate) quota_history: Vec<QuotaPoint>,
}

/// A check that somebody asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CheckedNow {
    /// The condition after it.
    pub(crate) current: HealthNow,
    /// How long it took, milliseconds.
    pub(crate) took_ms: u32,
}
