//! What a check found, as the rules see it. The ladder's texts and timings travel beside it; only
//! what decides something is here.

use crate::Time;
use crate::observation::JudgedFailure;
use crate::words::{CredentialState, Outcome, Rung};

/// One finished check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckResult {
    /// The moment it was due. A second result for the same slot changes nothing.
    pub slot: Time,
    /// How long the whole ladder took, milliseconds.
    pub took_ms: u32,
    /// Where it failed, if it did.
    pub failed: Option<FailedCheck>,
    /// What works and yet needs somebody's attention.
    pub warnings: Warnings,
    /// The provider asked not to be called before this.
    pub not_before: Option<Time>,
    /// What the check says of the credential; `None` leaves what is known.
    pub credential: Option<CredentialState>,
}

impl CheckResult {
    /// How it ended.
    pub const fn outcome(&self) -> Outcome {
        match self.failed {
            None => Outcome::Success,
            Some(_) => Outcome::Failure,
        }
    }
}

/// A rung that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedCheck {
    /// Which.
    pub rung: Rung,
    /// How, judged by the rules.
    pub failure: JudgedFailure,
}

/// Warnings of a check that passed, as a set: each makes the integration degraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Warnings(pub u8);

impl Warnings {
    /// The certificate ends within 21 days.
    pub const CERTIFICATE: Self = Self(1);
    /// The credential ends soon and cannot be renewed without a person.
    pub const CREDENTIAL: Self = Self(1 << 1);
    /// Scopes that were asked for are missing.
    pub const SCOPES: Self = Self(1 << 2);
    /// Slower than the integration's limit.
    pub const SLOW: Self = Self(1 << 3);
    /// The quota will be used up before it is filled again.
    pub const QUOTA: Self = Self(1 << 4);
    /// The provider says itself that something is not as it should be (a paused project, a
    /// connection about to lapse).
    pub const NOTICE: Self = Self(1 << 5);

    /// Every warning with its stable name and its sentence.
    pub const ALL: [(Self, &'static str, &'static str); 6] = [
        (
            Self::CERTIFICATE,
            "certificate_expiring",
            "Its certificate expires within 21 days.",
        ),
        (
            Self::CREDENTIAL,
            "credential_expiring",
            "Its credential expires soon: renew it.",
        ),
        (Self::SCOPES, "missing_scope", "Permissions it needs were not granted."),
        (Self::SLOW, "slow", "It answers slower than its limit."),
        (
            Self::QUOTA,
            "quota_low",
            "Its quota will be used up before it is filled again.",
        ),
        (
            Self::NOTICE,
            "provider_notice",
            "The provider itself reports a limitation.",
        ),
    ];

    /// This set and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are in this set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The warnings of this set with names and sentences.
    pub fn each(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = Self::ALL.into_iter();
        all.filter(move |(one, _, _)| self.has(*one))
            .map(|(_, name, sentence)| (name, sentence))
    }
}
