//! What a provider's fake is: it turns "this happens now" into the delivery the provider would send.

use lk_core::Time;

use crate::Rng;

/// What the story lets happen; each fake knows what that looks like at its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Happening {
    /// Work as on any day; succeeds.
    Routine,
    /// The first success after trouble.
    Recovered,
    /// The access token is no longer accepted.
    ExpiredToken,
    /// Too many calls.
    RateLimited,
    /// A record refers to something the provider does not know (a cost code).
    InvalidReference,
    /// A record was changed by somebody else in the meantime.
    StaleVersion,
    /// A card is declined by a spending control.
    DeclinedByRule,
    /// A card is declined because the account is empty.
    InsufficientFunds,
    /// An authority or prime contractor rejects a report.
    ReportRejected,
    /// The provider answers 503.
    Outage,
}

impl Happening {
    /// Every happening.
    pub const ALL: [Self; 10] = [
        Self::Routine,
        Self::Recovered,
        Self::ExpiredToken,
        Self::RateLimited,
        Self::InvalidReference,
        Self::StaleVersion,
        Self::DeclinedByRule,
        Self::InsufficientFunds,
        Self::ReportRejected,
        Self::Outage,
    ];

    /// Whether it is a failure.
    pub const fn is_failure(self) -> bool {
        !matches!(self, Self::Routine | Self::Recovered)
    }
}

/// A delivery before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// Headers the provider sends besides the signature; names in lowercase.
    pub headers: Vec<(String, String)>,
    /// The exact body.
    pub body: String,
}

impl Composed {
    /// A JSON body with the headers that go with it.
    pub fn json(user_agent: &str, body: impl std::fmt::Display) -> Self {
        Self {
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("user-agent".to_owned(), user_agent.to_owned()),
            ],
            body: body.to_string(),
        }
    }
}

/// A fake of one provider. It keeps its own state (balances, record versions), so that what it
/// sends hangs together.
pub trait Fake: Send {
    /// The provider's key.
    fn provider(&self) -> &'static str;

    /// What goes wrong at this provider; routine and recovery go without saying.
    fn troubles(&self) -> &'static [Happening];

    /// The delivery that tells of `what` at the moment `at`. A trouble that this provider does not
    /// know is told as routine.
    fn compose(&mut self, what: Happening, rng: &mut Rng, at: Time) -> Composed;
}
