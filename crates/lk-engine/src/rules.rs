//! Classification of what webhooks tell, with the rules compiled once.

use std::sync::Arc;

use lk_core::classify::{Failure, fingerprint, operation_template};
use lk_core::observation::JudgedFailure;
use lk_provider::errors::{Explainer, Explainers};

/// Longest message an event keeps, characters.
const MAX_MESSAGE: usize = 500;

/// The rules of all providers.
#[derive(Clone)]
pub struct Rules(Arc<Explainers>);

impl Rules {
    /// Shares compiled rules.
    pub fn new(explainers: Explainers) -> Self {
        Self(Arc::new(explainers))
    }

    /// The rules for a provider; the generic ones when it has none.
    pub fn of(&self, provider: &str) -> &Explainer {
        self.0.of(provider)
    }

    /// Classifies a redacted failure and finds its problem.
    pub fn judge(&self, failure: &Failure) -> JudgedFailure {
        let verdict = self.of(&failure.provider).rules().classify(failure);
        JudgedFailure {
            message: failure.message.chars().take(MAX_MESSAGE).collect(),
            code: failure.code().map(str::to_owned),
            operation: operation_template(&failure.operation),
            http_status: failure.http_status,
            verdict,
            fingerprint: fingerprint(failure, &verdict),
        }
    }
}
