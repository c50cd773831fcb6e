//! The story as it unfolds: asked what comes next, it answers with a signed delivery and its time.

use bytes::Bytes;
use lk_core::Time;
use lk_core::time::SECOND;
use lk_provider::manifest::Scheme;
use lk_provider::{Headers, Secret, Settings, signature};

use crate::script::{OPENING_S, PARTS, Part, STORY_S, Stretch};
use crate::{Composed, Fake, Happening, Rng};

/// A delivery to send at its time.
#[derive(Debug, Clone)]
pub struct PlannedDelivery {
    /// When to send it.
    pub at: Time,
    /// The provider's key.
    pub provider: &'static str,
    /// What it tells of.
    pub what: Happening,
    /// All headers, the signature among them.
    pub headers: Headers,
    /// The exact body.
    pub body: Bytes,
}

/// How one integration's deliveries are signed.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The scheme of the provider's manifest.
    pub scheme: Scheme,
    /// The integration's settings.
    pub settings: Settings,
    /// Its webhook secret.
    pub secret: Secret,
}

/// A provider's fake and the means to sign for it.
pub struct Player {
    fake: Box<dyn Fake>,
    signer: Signer,
}

impl Player {
    /// Pairs a fake with its signer.
    pub fn new(fake: Box<dyn Fake>, signer: Signer) -> Self {
        Self { fake, signer }
    }

    /// The signed delivery that tells of `what` at the moment `at`; nothing when the scheme or the
    /// secret cannot sign.
    pub fn deliver(&mut self, what: Happening, rng: &mut Rng, at: Time) -> Option<PlannedDelivery> {
        let Composed { headers, body } = self.fake.compose(what, rng, at);
        let Signer {
            scheme,
            settings,
            secret,
        } = &self.signer;
        let id = rng.uuid();
        let signed = signature::sign(scheme, settings, secret, &id, at, body.as_bytes())?;
        let mut headers: Headers = headers.into_iter().collect();
        for (name, value) in signed.iter() {
            headers.push(name, value);
        }
        Some(PlannedDelivery {
            at,
            provider: self.fake.provider(),
            what,
            headers,
            body: Bytes::from(body),
        })
    }
}

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Player({})", self.fake.provider())
    }
}

/// Where one provider stands in its part.
#[derive(Debug)]
struct Role {
    part: &'static Part,
    player: Player,
    rng: Rng,
    next: Option<(Time, Happening)>,
}

/// The story. An endless iterator over deliveries in the order of their times; the same seed, start
/// and cast give the same deliveries. It ends at once when a player cannot sign.
#[derive(Debug)]
pub struct Scenario {
    start: Time,
    roles: Vec<Role>,
}

impl Scenario {
    /// A story that starts at `start`. Players without a part are left out.
    pub fn new(seed: u64, start: Time, players: Vec<Player>) -> Self {
        let mut roles = Vec::new();
        for player in players {
            let Some(index) = PARTS.iter().position(|part| part.provider == player.fake.provider()) else {
                continue;
            };
            let part = &PARTS[index];
            let mut rng = Rng::new(seed.wrapping_mul(31).wrapping_add(index as u64));
            let next = upcoming(part, &mut rng, start, start);
            roles.push(Role {
                part,
                player,
                rng,
                next,
            });
        }
        Self { start, roles }
    }

    /// The providers that have a part, in the order in which they first appear on the page.
    pub fn providers() -> impl Iterator<Item = &'static str> {
        PARTS.iter().map(|part| part.provider)
    }

    /// Skips what should have been sent before `now`: after a pause (a sleeping laptop) the story
    /// goes on where the clock is instead of sending everything at once.
    pub fn skip_to(&mut self, now: Time) {
        for role in &mut self.roles {
            if role.next.is_some_and(|(at, _)| at < now) {
                role.next = upcoming(role.part, &mut role.rng, self.start, now);
            }
        }
    }
}

impl Iterator for Scenario {
    type Item = PlannedDelivery;

    fn next(&mut self) -> Option<PlannedDelivery> {
        let start = self.start;
        let due = |role: &&mut Role| role.next.map(|(at, _)| at);
        let role = self
            .roles
            .iter_mut()
            .filter(|role| role.next.is_some())
            .min_by_key(due)?;
        let (at, what) = role.next?;
        role.next = following(role.part, &mut role.rng, start, at);
        role.player.deliver(what, &mut role.rng, at)
    }
}

/// The stretches around a moment: those of the opening or of the story, and when second 0 was.
fn around(part: &'static Part, start: Time, at: Time) -> (&'static [Stretch], Time, i64) {
    let opening_end = start + OPENING_S * SECOND;
    if at < opening_end {
        return (part.opening, start, OPENING_S);
    }
    let round = at.since(opening_end) / (STORY_S * SECOND);
    (part.story, opening_end + round * STORY_S * SECOND, STORY_S)
}

/// The first delivery at or after `at`: in the stretch that `at` lies in, or at the beginning of
/// the next one.
fn upcoming(part: &'static Part, rng: &mut Rng, start: Time, at: Time) -> Option<(Time, Happening)> {
    let mut at = at;
    // The rest of this round and the whole of the next two: a part without any stretch ends here.
    for _ in 0..3 {
        let (stretches, zero, length_s) = around(part, start, at);
        let second = |s: i64| zero + s * SECOND;
        if let Some(stretch) = stretches.iter().find(|s| at < second(s.to_s)) {
            return Some((at.max(second(stretch.from_s)), *rng.pick(stretch.what)));
        }
        at = second(length_s);
    }
    None
}

/// The delivery after one at `at`: a gap later, or where the next stretch begins if that is sooner.
fn following(part: &'static Part, rng: &mut Rng, start: Time, at: Time) -> Option<(Time, Happening)> {
    let (stretches, zero, _) = around(part, start, at);
    let second = |s: i64| zero + s * SECOND;
    let Some(stretch) = stretches
        .iter()
        .find(|s| (second(s.from_s)..second(s.to_s)).contains(&at))
    else {
        return upcoming(part, rng, start, at + 1);
    };
    let next = at + rng.about(stretch.every_ms).max(1);
    upcoming(part, rng, start, next.min(second(stretch.to_s)))
}

#[cfg(test)]
mod tests;
