use std::collections::BTreeSet;

use super::*;
use crate::Happening::{ExpiredToken, Outage, Recovered};

/// A fake that says only what happened.
struct Plain(&'static str);

impl Fake for Plain {
    fn provider(&self) -> &'static str {
        self.0
    }

    fn troubles(&self) -> &'static [Happening] {
        &Happening::ALL
    }

    fn compose(&mut self, what: Happening, rng: &mut Rng, at: Time) -> Composed {
        Composed::json("plain/1", format!("{what:?} {} {}", at.ms(), rng.next_u64()))
    }
}

const START: Time = Time(1_700_000_000_000);

fn story(seed: u64) -> Scenario {
    let scheme = Scheme::Versioned {
        header: "x-signature".to_owned(),
        timestamp_header: "x-time".to_owned(),
        version: "v0".to_owned(),
        tolerance_s: 300,
    };
    let signer = Signer {
        scheme,
        settings: Settings::new(),
        secret: Secret::new("not a real secret"),
    };
    let player = |provider| Player::new(Box::new(Plain(provider)), signer.clone());
    Scenario::new(seed, START, Scenario::providers().map(player).collect())
}

fn until(seconds: i64) -> Vec<PlannedDelivery> {
    story(1).take_while(|d| d.at < START + seconds * SECOND).collect()
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let bodies = |seed| story(seed).take(300).map(|d| (d.at, d.body)).collect::<Vec<_>>();
    assert_eq!(bodies(1), bodies(1));
    assert_ne!(bodies(1), bodies(2));
}

#[test]
fn deliveries_come_in_order_signed_as_of_their_time() {
    let mut last = START;
    for delivery in story(1).take(3_000) {
        assert!(delivery.at >= last);
        last = delivery.at;
        let seconds = (delivery.at.ms() / 1_000).to_string();
        assert_eq!(delivery.headers.text("x-time"), Some(seconds.as_str()));
        assert!(delivery.headers.contains("x-signature"));
    }
}

#[test]
fn the_opening_shows_a_day_s_mixture() {
    let opening = until(OPENING_S);
    assert!((100..260).contains(&opening.len()), "{}", opening.len());
    let failures = |provider| -> Vec<Happening> {
        opening
            .iter()
            .filter(|d| d.provider == provider && d.what.is_failure())
            .map(|d| d.what)
            .collect()
    };
    let last = |provider| opening.iter().rfind(|d| d.provider == provider).map(|d| d.what);
    // Three in a row take an integration down, one leaves it degraded, a success heals.
    assert!(failures("gusto").len() >= 3 && last("gusto") == Some(ExpiredToken));
    assert_eq!(
        (failures("quickbooks").last(), last("quickbooks")),
        (Some(&Outage), Some(Outage))
    );
    for provider in ["procore", "stripe", "lcptracker"] {
        assert!(
            !failures(provider).is_empty() && last(provider) == Some(Happening::Routine),
            "{provider}"
        );
    }
}

#[test]
fn every_round_breaks_and_heals_each_kind_of_trouble() {
    let round = until(OPENING_S + STORY_S);
    let seen: BTreeSet<_> = round.iter().map(|d| format!("{:?}", d.what)).collect();
    assert_eq!(seen.len(), Happening::ALL.len(), "{seen:?}");
    assert!(round.iter().any(|d| d.provider == "gusto" && d.what == Recovered));
    // A believable rhythm: about one delivery a second, never a flood.
    assert!((400..1_200).contains(&round.len()), "{}", round.len());
}

#[test]
fn the_story_goes_round() {
    let second_round = START + (OPENING_S + STORY_S) * SECOND;
    let later: Vec<_> = story(1).skip_while(|d| d.at < second_round).take(500).collect();
    assert!(later.iter().any(|d| d.what == Outage) && later.iter().any(|d| d.what == ExpiredToken));
}

#[test]
fn a_pause_is_not_made_up_for() {
    let mut story = story(1);
    let later = START + 5 * STORY_S * SECOND + 123;
    story.skip_to(later);
    assert!(story.take(100).all(|d| d.at >= later));
}
