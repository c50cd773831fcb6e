//! One check, rung by rung: ask, time, read, stop at the first that fails.

use std::time::Duration;

use lk_core::Time;
use lk_core::check::{CheckResult, FailedCheck, Warnings};
use lk_core::classify::Failure;
use lk_core::observation::JudgedFailure;
use lk_core::time::DAY;
use lk_core::words::{CredentialState, Rung};
use lk_provider::check::{Answer, Call, Failed, Probe, Quota, Reading};
use lk_provider::errors::Call as FailedCall;
use lk_provider::{Provider, Settings};
use tokio::time::Instant;

use super::Checks;
use super::mcp;
use super::report::{Report, Step};
use crate::credentials::{CredentialTrouble, Opened};
use crate::directory::Integration;
use crate::egress::{Exchange, WireFailure};
use crate::rules::Rules;

/// A certificate that ends within this time is warned about.
const CERTIFICATE_WARNING_MS: i64 = 21 * DAY;
/// A credential that ends within this time, and that only a person can renew, is warned about.
const CREDENTIAL_WARNING_MS: i64 = 7 * DAY;

/// What a walk up the ladder came to.
pub(super) struct Walked {
    pub(super) result: CheckResult,
    pub(super) report: Report,
}

/// One walk under way.
pub(super) struct Walk<'a> {
    checks: &'a Checks,
    integration: &'a Integration,
    provider: &'a dyn Provider,
    rules: &'a Rules,
    started: Instant,
    within: Duration,
    report: Report,
    warnings: Warnings,
    not_before: Option<Time>,
    credential: Option<CredentialState>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        checks: &'a Checks,
        integration: &'a Integration,
        provider: &'a dyn Provider,
        rules: &'a Rules,
        within: Duration,
    ) -> Self {
        Self {
            checks,
            integration,
            provider,
            rules,
            started: Instant::now(),
            within,
            report: Report::default(),
            warnings: Warnings::default(),
            not_before: None,
            credential: None,
        }
    }

    /// Walks; `slot` is the moment the check was due.
    pub(super) async fn walk(mut self, slot: Time) -> Walked {
        let failed = self.climb().await;
        self.report.took_ms = self.elapsed_ms();
        if failed.is_none() {
            self.weigh();
        }
        let failed = failed.map(|(failed, operation)| self.judge(failed, &operation));
        self.report.finish(failed.as_ref(), self.warnings, self.checks.now());
        Walked {
            result: CheckResult {
                slot,
                took_ms: self.report.took_ms,
                failed,
                warnings: self.warnings,
                not_before: self.not_before,
                credential: self.credential,
            },
            report: self.report,
        }
    }

    /// Asks every probe in turn; what failed, with the operation it belongs to.
    async fn climb(&mut self) -> Option<(Trouble, String)> {
        let credentials = self.checks.credentials();
        let opened = match self.in_time(credentials.open(self.integration)).await {
            Ok(opened) => opened,
            Err(trouble) => return Some(self.without_credential(trouble)),
        };
        self.allowed(&opened);
        let (trouble, operation) = self.ask_all(&opened.settings).await?;
        if !trouble.blames_the_credential() {
            return Some((trouble, operation));
        }
        let renewed = credentials.refresh_after_refusal(self.integration, &opened);
        match self.in_time(renewed).await {
            Ok(Some(renewed)) => {
                // What was refused was an old token: asked once more, and no more than that.
                self.report.forget_answers();
                self.credential = None;
                self.ask_all(&renewed.settings).await
            }
            Ok(None) => {
                if opened.only_a_person {
                    self.credential = Some(CredentialState::NeedsReauth);
                }
                Some((trouble, operation))
            }
            Err(other) if other.transient => Some((trouble, operation)),
            Err(other) => {
                self.report.forget_answers();
                Some(self.without_credential(other))
            }
        }
    }

    /// Credentials within what is left of the time. A renewal that takes longer goes on without us.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, CredentialTrouble>>,
    ) -> Result<T, CredentialTrouble> {
        let left = self.within.saturating_sub(self.started.elapsed());
        let ended = tokio::time::timeout(left, work).await;
        ended.unwrap_or_else(|_| Err(CredentialTrouble::too_slow()))
    }

    /// What the credential itself warns of.
    fn allowed(&mut self, opened: &Opened) {
        if !opened.missing.is_empty() {
            self.warnings = self.warnings.with(Warnings::SCOPES);
            self.report.not_granted(&opened.missing);
        }
        if let Some(ends) = opened.ends {
            self.report.credential_ends = Some(ends);
            if ends.since(self.checks.now()) < CREDENTIAL_WARNING_MS {
                self.warnings = self.warnings.with(Warnings::CREDENTIAL);
            }
        }
    }

    async fn ask_all(&mut self, settings: &Settings) -> Option<(Trouble, String)> {
        let probes = self.provider.probes(settings, self.checks.now());
        if probes.is_empty() {
            return Some((nothing_to_ask(), "check".to_owned()));
        }
        for probe in &probes {
            if let Some(trouble) = self.ask(probe, settings).await {
                return Some((trouble, probe.operation.clone()));
            }
        }
        None
    }

    /// One probe: sent within what is left of the time, read, noted.
    async fn ask(&mut self, probe: &Probe, settings: &Settings) -> Option<Trouble> {
        let left = self.within.saturating_sub(self.started.elapsed());
        let egress = self.checks.egress();
        let exchange = match &probe.call {
            Call::Mcp(call) => mcp::call(egress, call, left).await,
            other => egress.probe(other, left).await,
        };
        self.report.wire(&exchange);
        let Exchange { result, timings, .. } = exchange;
        let response = match result {
            Ok(response) => response,
            Err(failure) => {
                self.report
                    .steps
                    .push(Step::failed(failure.rung, failure.rung.as_str(), timings.total_ms));
                return Some(Trouble::Wire(failure));
            }
        };
        let now = self.checks.now();
        let answer = Answer {
            probe,
            response: &response,
            now,
        };
        let reading = self.provider.read_probe(answer, settings);
        self.take(probe, reading, timings.total_ms)
    }

    /// Takes over what an answer says.
    fn take(&mut self, probe: &Probe, reading: Reading, took_ms: u32) -> Option<Trouble> {
        self.not_before = self.not_before.max(reading.not_before);
        self.credential = reading.credential.or(self.credential);
        self.warnings = self.warnings.with(reading.warnings);
        if !reading.missing_scopes.is_empty() {
            self.warnings = self.warnings.with(Warnings::SCOPES);
        }
        if let Some(ends) = reading.credential_ends {
            self.report.credential_ends = Some(ends);
            if ends.since(self.checks.now()) < CREDENTIAL_WARNING_MS {
                self.warnings = self.warnings.with(Warnings::CREDENTIAL);
            }
        }
        let redactor = self.provider.redactor();
        let clean = |text: String| redactor.text(&text).into_inner();
        let mut reading = reading;
        let failed = reading.failed.take();
        let step = match &failed {
            None => Step::passed(probe.rung, &probe.name, took_ms),
            Some(failed) => Step::failed(failed.rung, &probe.name, took_ms),
        };
        self.report.steps.push(step);
        self.report.read(reading, clean);
        failed.map(Trouble::Answer)
    }

    /// What a passed check still warns about: the certificate, the time it took, the quota.
    fn weigh(&mut self) {
        let now = self.checks.now();
        let ends = self.report.certificate_ends;
        if ends.is_some_and(|ends| ends.since(now) < CERTIFICATE_WARNING_MS) {
            self.warnings = self.warnings.with(Warnings::CERTIFICATE);
        }
        let limit = self.integration.check.latency_limit_ms;
        if limit.is_some_and(|limit| i64::from(self.report.took_ms) >= limit) {
            self.warnings = self.warnings.with(Warnings::SLOW);
        }
        if self.report.quotas.is_empty() {
            let counted = self.checks.buckets().left(self.integration, self.provider, now);
            self.report
                .quotas
                .extend(counted.into_iter().map(|quota| (quota, None)));
        }
        let quotas: &mut [(Quota, Option<Time>)] = &mut self.report.quotas;
        if self.checks.forecasts().note(self.integration.rid, quotas, now) {
            self.warnings = self.warnings.with(Warnings::QUOTA);
        }
    }

    fn without_credential(&mut self, trouble: CredentialTrouble) -> (Trouble, String) {
        if !trouble.transient {
            self.credential = Some(trouble.state);
        }
        self.report
            .steps
            .push(Step::failed(Rung::Credential, "credential", self.elapsed_ms()));
        let code = Trouble::Code {
            rung: Rung::Credential,
            code: trouble.code,
            message: trouble.message,
        };
        (code, "credential".to_owned())
    }

    fn elapsed_ms(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX)
    }

    fn judge(&self, trouble: Trouble, operation: &str) -> FailedCheck {
        let key = &self.provider.manifest().key;
        let redact = |text: String| self.provider.redactor().text(&text).into_inner();
        let (rung, failure) = match trouble {
            Trouble::Wire(wire) => (wire.rung, wire_failure(key, operation, wire, redact)),
            Trouble::Code { rung, code, message } => (
                rung,
                Failure {
                    provider: key.clone(),
                    operation: operation.to_owned(),
                    codes: vec![code.to_owned()],
                    message: redact(message),
                    ..Failure::default()
                },
            ),
            Trouble::Answer(failed) => {
                let call = FailedCall {
                    provider: key,
                    provider_name: &self.provider.manifest().name,
                    operation,
                    http_status: failed.http_status,
                };
                (failed.rung, self.rules.of(key).extract(&call, &failed.body, redact))
            }
        };
        FailedCheck {
            rung,
            failure: told(self.rules.judge(&failure)),
        }
    }
}

/// A failure whose answer said nothing is told by its document's title.
fn told(mut failure: JudgedFailure) -> JudgedFailure {
    if failure.message.trim().is_empty() {
        failure.message = match failure.http_status {
            Some(status) => format!("The answer was HTTP {status} without an explanation."),
            None => "It failed without an explanation.".to_owned(),
        };
    }
    failure
}

fn wire_failure(provider: &str, operation: &str, wire: WireFailure, redact: impl Fn(String) -> String) -> Failure {
    Failure {
        provider: provider.to_owned(),
        operation: operation.to_owned(),
        codes: vec![wire.code.to_owned()],
        message: redact(wire.message),
        transport: wire.transport,
        ..Failure::default()
    }
}

/// Settings are missing without which there is nothing to ask.
fn nothing_to_ask() -> Trouble {
    Trouble::Code {
        rung: Rung::Capability,
        code: "check_not_configured",
        message: "There is nothing to check yet: settings that the check needs are not filled in.".to_owned(),
    }
}

impl Trouble {
    /// Whether another token might be accepted.
    fn blames_the_credential(&self) -> bool {
        match self {
            Self::Answer(failed) => failed.rung == Rung::Credential,
            Self::Wire(_) | Self::Code { .. } => false,
        }
    }
}

/// Why a rung failed.
enum Trouble {
    /// Before an answer.
    Wire(WireFailure),
    /// By an answer.
    Answer(Failed),
    /// Before anything was asked.
    Code {
        rung: Rung,
        code: &'static str,
        message: String,
    },
}
