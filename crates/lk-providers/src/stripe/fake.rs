//! Stripe Issuing as the demo's contractor sees it: foremen buy material with virtual cards; a
//! spending control stops one, an empty balance stops them all until it is topped up.

use lk_core::Time;
use lk_fakes::people::person;
use lk_fakes::report::epoch_s;
use lk_fakes::{Composed, Fake, Happening, Rng};
use serde_json::{Value, json};

const MERCHANTS: [(&str, &str, &str, &str); 5] = [
    (
        "SUMMIT LUMBER & SUPPLY",
        "lumber_building_materials_stores",
        "5211",
        "OAKLAND",
    ),
    ("TRI-COUNTY RENTALS", "equipment_rental", "7394", "HAYWARD"),
    ("FASTENER DEPOT 0412", "hardware_stores", "5251", "FREMONT"),
    ("GOLDEN STATE FUEL 88", "automated_fuel_dispensers", "5542", "TRACY"),
    ("BAYSIDE READY MIX", "concrete_work_contractors", "1771", "RICHMOND"),
];

/// The fake.
pub(crate) fn fake() -> Box<dyn Fake> {
    Box::new(Stripe {
        balance_cents: 1_850_000,
    })
}

struct Stripe {
    balance_cents: i64,
}

fn event(rng: &mut Rng, at: Time, event_type: &str, object: Value) -> Value {
    json!({
        "id": format!("evt_1{}", rng.alphanumeric(23)),
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": epoch_s(at),
        "type": event_type,
        "livemode": true,
        "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null },
        "data": { "object": object },
    })
}

fn authorization(rng: &mut Rng, at: Time, amount: i64, reason: &str) -> Value {
    let approved = reason == "card_active";
    let holder = person(rng);
    let (name, category, category_code, city) = *rng.pick(&MERCHANTS);
    let last4 = format!("{:04}", rng.below(10_000));
    json!({
        "id": format!("iauth_1{}", rng.alphanumeric(23)),
        "object": "issuing.authorization",
        "amount": if approved { amount } else { 0 },
        "approved": approved,
        "authorization_method": "chip",
        "card": {
            "id": format!("ic_1{}", rng.alphanumeric(23)),
            "object": "issuing.card",
            "brand": "Visa",
            "last4": last4,
            "status": "active",
            "cardholder": {
                "id": format!("ich_1{}", rng.alphanumeric(23)),
                "name": holder.name(),
                "email": holder.email,
                "phone_number": holder.phone,
                "billing": { "address": { "line1": holder.address, "city": "Oakland", "state": "CA" } },
            },
            "spending_controls": { "spending_limits": [{ "amount": 150_000, "interval": "daily" }] },
        },
        "created": epoch_s(at),
        "currency": "usd",
        "merchant_data": {
            "name": name, "category": category, "category_code": category_code, "city": city, "country": "US",
        },
        "request_history": [{
            "approved": approved,
            "amount": amount,
            "created": epoch_s(at),
            "currency": "usd",
            "reason": reason,
            "reason_message": null,
        }],
        "status": if approved { "pending" } else { "closed" },
        "verification_data": { "cvc_check": "match", "expiry_check": "match" },
    })
}

fn topup(rng: &mut Rng, at: Time, amount: i64) -> Value {
    json!({
        "id": format!("tu_1{}", rng.alphanumeric(23)),
        "object": "topup",
        "amount": amount,
        "created": epoch_s(at),
        "currency": "usd",
        "destination_balance": "issuing",
        "status": "succeeded",
    })
}

impl Fake for Stripe {
    fn provider(&self) -> &'static str {
        "stripe"
    }

    fn troubles(&self) -> &'static [Happening] {
        &[Happening::DeclinedByRule, Happening::InsufficientFunds]
    }

    fn compose(&mut self, what: Happening, rng: &mut Rng, at: Time) -> Composed {
        let amount = rng.between(1_800, 94_000);
        let body = match what {
            Happening::DeclinedByRule => {
                let object = authorization(rng, at, 150_000 + amount, "spending_controls");
                event(rng, at, "issuing_authorization.created", object)
            }
            Happening::InsufficientFunds => {
                self.balance_cents = 0;
                let object = authorization(rng, at, amount, "insufficient_funds");
                event(rng, at, "issuing_authorization.created", object)
            }
            _ if what == Happening::Recovered || self.balance_cents < amount => {
                self.balance_cents = 1_850_000;
                let object = topup(rng, at, self.balance_cents);
                event(rng, at, "topup.succeeded", object)
            }
            _ => {
                self.balance_cents -= amount;
                let object = authorization(rng, at, amount, "card_active");
                event(rng, at, "issuing_authorization.created", object)
            }
        };
        Composed::json("Stripe/1.0 (+https://stripe.com/docs/webhooks)", body)
    }
}
