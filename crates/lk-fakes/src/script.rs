//! The story as data: who has what kind of time, from when to when. Seconds throughout.

use crate::Happening;
use crate::Happening::{
    DeclinedByRule, ExpiredToken, InsufficientFunds, InvalidReference, Outage, RateLimited, Recovered, ReportRejected,
    Routine, StaleVersion,
};

/// Length of the opening, in which a day's mixture is shown at once.
pub(crate) const OPENING_S: i64 = 18;
/// Length of the story that repeats after the opening.
pub(crate) const STORY_S: i64 = 720;

/// One stretch of a provider's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// Begins at this second.
    pub(crate) from_s: i64,
    /// Ends before this second.
    pub(crate) to_s: i64,
    /// Mean milliseconds from one delivery to the next.
    pub(crate) every_ms: i64,
    /// What happens; each with the same chance, so repeat what is frequent.
    pub(crate) what: &'static [Happening],
}

/// A provider's part in the story.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Whose part it is.
    pub(crate) provider: &'static str,
    /// What it does in the opening.
    pub(crate) opening: &'static [Stretch],
    /// What it does in every round of the story. The last stretch leads over to the first.
    pub(crate) story: &'static [Stretch],
}

const fn stretch(from_s: i64, to_s: i64, every_ms: i64, what: &'static [Happening]) -> Stretch {
    Stretch {
        from_s,
        to_s,
        every_ms,
        what,
    }
}

/// The whole cast. At the end of the opening one integration is down, one degraded, the others
/// healthy, and five problems are open.
pub(crate) const PARTS: [Part; 5] = [
    Part {
        provider: "gusto",
        opening: &[
            stretch(0, 9, 300, &[Routine]),
            // Payroll is due, and the token has expired: nothing gets through any more.
            stretch(9, 18, 1_600, &[ExpiredToken]),
        ],
        story: &[
            stretch(0, 150, 14_000, &[ExpiredToken]),
            stretch(150, 153, 3_000, &[Recovered]),
            stretch(153, 640, 5_000, &[Routine]),
            stretch(640, 720, 15_000, &[ExpiredToken]),
        ],
    },
    Part {
        provider: "quickbooks",
        opening: &[
            stretch(0, 8, 250, &[Routine]),
            stretch(8, 10, 2_000, &[StaleVersion]),
            stretch(10, 14, 250, &[Routine]),
            // One failed call and then silence: degraded until somebody hears from it again.
            stretch(15, 16, 5_000, &[Outage]),
        ],
        story: &[
            stretch(45, 48, 3_000, &[Recovered]),
            stretch(48, 200, 3_000, &[Routine]),
            stretch(200, 250, 3_000, &[StaleVersion, StaleVersion, Routine]),
            stretch(250, 420, 3_000, &[Routine]),
            stretch(420, 450, 1_500, &[RateLimited, RateLimited, RateLimited, Routine]),
            stretch(450, 690, 3_000, &[Routine]),
            stretch(695, 705, 9_000, &[Outage]),
        ],
    },
    Part {
        provider: "procore",
        opening: &[
            stretch(0, 6, 250, &[Routine]),
            stretch(6, 7, 2_000, &[InvalidReference]),
            stretch(7, 18, 500, &[Routine]),
        ],
        story: &[
            stretch(0, 90, 3_000, &[Routine]),
            stretch(90, 125, 6_000, &[InvalidReference, InvalidReference, Routine]),
            stretch(125, 300, 3_000, &[Routine]),
            stretch(300, 375, 9_000, &[Outage]),
            stretch(375, 378, 3_000, &[Recovered]),
            stretch(378, 720, 3_000, &[Routine]),
        ],
    },
    Part {
        provider: "stripe",
        opening: &[
            stretch(0, 7, 200, &[Routine]),
            stretch(7, 8, 2_000, &[DeclinedByRule]),
            stretch(8, 18, 400, &[Routine]),
        ],
        story: &[
            stretch(0, 30, 3_500, &[Routine]),
            stretch(30, 40, 6_000, &[DeclinedByRule]),
            stretch(40, 210, 3_500, &[Routine]),
            stretch(210, 225, 7_000, &[DeclinedByRule]),
            stretch(225, 520, 3_500, &[Routine]),
            stretch(520, 580, 10_000, &[InsufficientFunds]),
            stretch(580, 583, 3_000, &[Recovered]),
            stretch(583, 720, 3_500, &[Routine]),
        ],
    },
    Part {
        provider: "lcptracker",
        opening: &[
            stretch(0, 10, 1_200, &[Routine]),
            stretch(10, 12, 2_000, &[ReportRejected]),
            stretch(12, 18, 1_500, &[Routine]),
        ],
        story: &[
            stretch(0, 70, 20_000, &[Routine]),
            stretch(70, 84, 6_000, &[ReportRejected]),
            stretch(84, 330, 20_000, &[Routine]),
            stretch(330, 345, 6_000, &[ReportRejected]),
            stretch(345, 720, 20_000, &[Routine]),
        ],
    },
];
