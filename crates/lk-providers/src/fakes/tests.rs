//! What the fakes send is what the real receivers accept, read and redact.

mod apis;

use std::collections::BTreeSet;

use lk_core::Time;
use lk_core::words::Outcome;
use lk_fakes::{Happening, Player, Rng, Scenario, Signer};
use lk_provider::{Accepted, Headers, Inbound, Item, Registry, Secret, Settings, receive};

use super::all;

const AT: Time = Time(1_763_694_000_000);
/// Deliveries tried of each kind.
const TRIES: usize = 40;

fn signer(registry: &Registry, provider: &str) -> Signer {
    let manifest = registry.get(provider).unwrap().manifest();
    let webhook = manifest.webhook.as_ref().unwrap();
    let settings = manifest.with_defaults(&Settings::new());
    Signer {
        scheme: webhook.signature.clone(),
        settings,
        secret: Secret::new(format!("not-secret-{provider}")),
    }
}

/// Delivers `what` once and gives what the receiver makes of it.
fn deliver(registry: &Registry, player: &mut Player, signer: &Signer, what: Happening, rng: &mut Rng) -> Vec<Item> {
    let planned = player.deliver(what, rng, AT).unwrap();
    let provider = registry.get(planned.provider).unwrap();
    let inbound = Inbound::post("/webhooks/x/y", planned.headers, planned.body, AT);
    let accepted = receive(
        provider.as_ref(),
        &inbound,
        &signer.settings,
        std::slice::from_ref(&signer.secret),
        AT,
    );
    match accepted.unwrap() {
        Accepted::Items { items, .. } => items,
        other => panic!("{what:?} of {}: {other:?}", planned.provider),
    }
}

#[test]
fn every_part_of_the_story_has_its_fake() {
    let known: BTreeSet<_> = all().iter().map(|fake| fake.provider()).collect();
    for provider in Scenario::providers() {
        assert!(known.contains(provider), "{provider} has no fake.rs");
    }
}

#[test]
fn deliveries_are_accepted_and_tell_what_happened() {
    let registry = crate::registry().unwrap();
    for fake in all() {
        let provider = fake.provider();
        let troubles = fake.troubles();
        let signer = signer(&registry, provider);
        let mut player = Player::new(fake, signer.clone());
        let mut rng = Rng::new(5);
        for what in Happening::ALL
            .into_iter()
            .filter(|what| !what.is_failure() || troubles.contains(what))
        {
            let mut succeeded = 0;
            for _ in 0..TRIES {
                for item in deliver(&registry, &mut player, &signer, what, &mut rng) {
                    let failed = item.outcome == Some(Outcome::Failure);
                    assert_eq!(failed, what.is_failure(), "{provider} {what:?}: {item:?}");
                    assert_eq!(item.failure.is_some(), failed, "{provider} {what:?}");
                    assert!(
                        item.occurred_at.is_some() && !item.event_type.is_empty(),
                        "{provider}: {item:?}"
                    );
                    succeeded += usize::from(item.outcome == Some(Outcome::Success));
                }
            }
            // Without successes among the routine nothing would ever recover.
            assert!(
                what.is_failure() || succeeded >= TRIES / 4,
                "{provider} {what:?}: {succeeded}"
            );
        }
    }
}

#[test]
fn failures_name_their_operation_and_code() {
    let registry = crate::registry().unwrap();
    for fake in all() {
        let (provider, troubles) = (fake.provider(), fake.troubles());
        let signer = signer(&registry, provider);
        let mut player = Player::new(fake, signer.clone());
        let mut rng = Rng::new(6);
        for what in troubles {
            for item in deliver(&registry, &mut player, &signer, *what, &mut rng) {
                let failure = item.failure.unwrap();
                assert!(failure.message.len() > 10, "{provider} {what:?}: {failure:?}");
                assert!(
                    !failure.codes.is_empty() && failure.operation.contains('.'),
                    "{provider}: {failure:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_kept_names_nobody() {
    let registry = crate::registry().unwrap();
    for fake in all() {
        let (provider, troubles) = (fake.provider(), fake.troubles());
        let signer = signer(&registry, provider);
        let mut player = Player::new(fake, signer.clone());
        let mut rng = Rng::new(7);
        for what in [Happening::Routine, Happening::Recovered].iter().chain(troubles) {
            for _ in 0..TRIES {
                for item in deliver(&registry, &mut player, &signer, *what, &mut rng) {
                    let kept = format!("{} {} {:?}", item.payload.get(), item.summary, item.failure);
                    for private in [
                        "@example.com",
                        " 555-01",
                        "ssn\":\"1",
                        "Okafor",
                        "Villanueva",
                        "Kowalczyk",
                        "Quarry Rd",
                    ] {
                        assert!(!kept.contains(private), "{provider} {what:?} keeps {private}: {kept}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_changed_byte_is_refused() {
    let registry = crate::registry().unwrap();
    for fake in all() {
        let provider = registry.get(fake.provider()).unwrap();
        let key = fake.provider();
        let signer = signer(&registry, key);
        let planned = Player::new(fake, signer.clone())
            .deliver(Happening::Routine, &mut Rng::new(8), AT)
            .unwrap();
        let mut body = planned.body.to_vec();
        body[20] ^= 1;
        let refused = |headers: Headers, body: Vec<u8>| {
            let inbound = Inbound::post("/webhooks/x/y", headers, body, AT);
            receive(
                provider.as_ref(),
                &inbound,
                &signer.settings,
                std::slice::from_ref(&signer.secret),
                AT,
            )
            .is_err()
        };
        // A static header signs nothing: there only the header can be wrong.
        if key != "procore" {
            assert!(refused(planned.headers.clone(), body), "{key}");
        }
        assert!(refused(Headers::new(), planned.body.to_vec()), "{key}");
    }
}
