//! What is told of a check: its rungs with timings, what was learned on the way. Kept as JSON text
//! beside the state, for people; nothing is decided by it.

use lk_core::Time;
use lk_core::check::{FailedCheck, Warnings};
use lk_core::words::Rung;
use lk_provider::check::{Quota, Reading};
use lk_store::journal::QuotaSample;
use serde_json::{Value, json};

use crate::egress::Exchange;

/// Scopes and notes kept, each.
const MAX_LISTED: usize = 50;
/// Characters of one note.
const MAX_NOTE: usize = 300;

/// One line of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    rung: Rung,
    name: String,
    ok: bool,
    ms: Option<u32>,
    note: Option<&'static str>,
}

impl Step {
    pub(super) fn passed(rung: Rung, name: &str, ms: u32) -> Self {
        Self::new(rung, name, true, Some(ms))
    }

    pub(super) fn failed(rung: Rung, name: &str, ms: u32) -> Self {
        Self::new(rung, name, false, Some(ms))
    }

    fn new(rung: Rung, name: &str, ok: bool, ms: Option<u32>) -> Self {
        Self {
            rung,
            name: name.to_owned(),
            ok,
            ms,
            note: None,
        }
    }
}

/// What a check found, for people.
#[derive(Debug, Clone, Default)]
pub(super) struct Report {
    pub(super) took_ms: u32,
    pub(super) steps: Vec<Step>,
    pub(super) certificate_ends: Option<Time>,
    pub(super) credential_ends: Option<Time>,
    /// With the moment each will be used up, where that is foreseen.
    pub(super) quotas: Vec<(Quota, Option<Time>)>,
    account: Option<String>,
    granted: Option<Vec<String>>,
    missing: Vec<String>,
    notes: Vec<String>,
    text: String,
}

impl Report {
    /// The wire's rungs, once for each connection that was made.
    pub(super) fn wire(&mut self, exchange: &Exchange) {
        self.certificate_ends = exchange.certificate_ends.or(self.certificate_ends);
        let t = &exchange.timings;
        let made = [(Rung::Dns, t.dns_ms), (Rung::Tcp, t.tcp_ms), (Rung::Tls, t.tls_ms)];
        for (rung, ms) in made {
            let known = self.steps.iter().any(|step| step.rung == rung);
            if let Some(ms) = ms.filter(|_| !known) {
                self.steps.push(Step::passed(rung, rung.as_str(), ms));
            }
        }
        if t.reused && self.steps.is_empty() {
            let mut kept = Step::new(Rung::Tcp, Rung::Tcp.as_str(), true, None);
            kept.note = Some("kept open from an earlier check");
            self.steps.push(kept);
        }
    }

    /// Scopes that the credential was not given.
    pub(super) fn not_granted(&mut self, missing: &[String]) {
        let new: Vec<String> = missing
            .iter()
            .filter(|scope| !self.missing.contains(scope))
            .cloned()
            .collect();
        if let Some(first) = new.first() {
            let more = if new.len() > 1 {
                format!(" and {} more", new.len() - 1)
            } else {
                String::new()
            };
            self.notes
                .push(format!("Not granted when it was connected: {first}{more}."));
        }
        self.missing.extend(new);
        self.granted.get_or_insert_with(Vec::new);
    }

    /// Takes back what answers to an old token told; the wire's rungs stay.
    pub(super) fn forget_answers(&mut self) {
        self.steps.retain(|step| step.rung <= Rung::Tls);
        self.account = None;
    }

    /// What an answer told.
    pub(super) fn read(&mut self, reading: Reading, clean: impl Fn(String) -> String) {
        self.account = reading.account.map(&clean).or_else(|| self.account.take());
        self.granted = reading.scopes.or_else(|| self.granted.take());
        self.missing.extend(reading.missing_scopes);
        self.quotas
            .extend(reading.quotas.into_iter().map(|quota| (quota, None)));
        let notes = reading.notes.into_iter().map(clean);
        self.notes
            .extend(notes.map(|note| note.chars().take(MAX_NOTE).collect()));
        self.notes.truncate(MAX_LISTED);
    }

    /// Writes the text once everything is known.
    pub(super) fn finish(&mut self, failed: Option<&FailedCheck>, warnings: Warnings, now: Time) {
        let steps: Vec<Value> = self.steps.iter().map(step_json).collect();
        let quotas: Vec<Value> = self.quotas.iter().map(quota_json).collect();
        let warned: Vec<&str> = warnings.each().map(|(name, _)| name).collect();
        let scopes = self.granted.as_ref().map(|granted| {
            let granted: Vec<&String> = granted.iter().take(MAX_LISTED).collect();
            json!({ "granted": granted, "missing": self.missing })
        });
        let failure = failed.map(|f| {
            json!({
                "code": f.failure.code,
                "message": f.failure.message,
                "doc": f.failure.verdict.doc.as_str(),
                "category": f.failure.verdict.category.as_str(),
                "httpStatus": f.failure.http_status,
                "operation": f.failure.operation,
                "severity": f.failure.verdict.severity.as_str(),
                "transient": f.failure.verdict.transient,
                "confidence": f.failure.verdict.confidence,
            })
        });
        let whole = json!({
            "at": now.ms(),
            "tookMs": self.took_ms,
            "ok": failed.is_none(),
            "rung": failed.map(|f| f.rung.as_str()),
            "steps": steps,
            "account": self.account,
            "scopes": scopes,
            "certificateEndsAt": self.certificate_ends.map(Time::ms),
            "credentialEndsAt": self.credential_ends.map(Time::ms),
            "quotas": quotas,
            "warnings": warned,
            "notes": self.notes,
            "failure": failure,
        });
        self.text = whole.to_string();
    }

    /// The JSON text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What is left of the provider's limits, as it is kept.
    pub(super) fn samples(&self) -> Vec<QuotaSample> {
        let sample = |quota: &Quota| QuotaSample {
            name: quota.name.clone(),
            limit: quota.limit,
            remaining: quota.remaining,
            resets_at: quota.resets_at,
            own_count: quota.own_count,
        };
        self.quotas.iter().map(|(quota, _)| sample(quota)).collect()
    }
}

fn step_json(step: &Step) -> Value {
    json!({
        "rung": step.rung.as_str(),
        "name": step.name,
        "ok": step.ok,
        "ms": step.ms,
        "note": step.note,
    })
}

fn quota_json((quota, exhausted_at): &(Quota, Option<Time>)) -> Value {
    json!({
        "name": quota.name,
        "limit": quota.limit,
        "remaining": quota.remaining,
        "resetsAt": quota.resets_at.map(Time::ms),
        "ownCount": quota.own_count,
        "exhaustedAt": exhausted_at.map(Time::ms),
    })
}
