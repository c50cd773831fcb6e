//! The one road from a raw delivery to what it tells: handshake, signature, items, in this order.

use lk_core::Time;

use crate::handshake::{Handshake, Trust};
use crate::item::{Item, Unreadable};
use crate::{Inbound, Provider, Redacted, Rejection, Secret, Settings, Verified};

/// What an accepted delivery is.
#[derive(Debug)]
pub enum Accepted {
    /// A handshake: store its secret, answer its response, then send its confirmation.
    Handshake(Handshake),
    /// Verified items to commit; the headers are already redacted.
    Items {
        /// Which secret fitted.
        verified: Verified,
        /// What it tells; at least one.
        items: Vec<Item>,
        /// The headers worth keeping.
        headers: Redacted<Vec<(String, String)>>,
    },
    /// Verified, but its body cannot be read: quarantine it and answer 200.
    Unreadable {
        /// Which secret fitted.
        verified: Verified,
        /// What is kept of it.
        unreadable: Unreadable,
        /// The headers worth keeping.
        headers: Redacted<Vec<(String, String)>>,
    },
}

/// Decides what a delivery is. `secrets` are the integration's active and retiring secrets; with
/// none, only a first-contact handshake is accepted.
pub fn receive(
    provider: &dyn Provider,
    inbound: &Inbound,
    settings: &Settings,
    secrets: &[Secret],
    now: Time,
) -> Result<Accepted, Rejection> {
    let handshake = provider.handshake(inbound, settings);
    if let Some(handshake) = &handshake {
        let allowed = match handshake.trust {
            Trust::Harmless => true,
            Trust::FirstContact => secrets.is_empty(),
            Trust::Signed => false,
        };
        if allowed {
            return Ok(Accepted::Handshake(handshake.clone()));
        }
    }
    let verified = provider.verify(inbound, settings, secrets, now)?;
    if let Some(handshake) = handshake
        && handshake.trust == Trust::Signed
    {
        return Ok(Accepted::Handshake(handshake));
    }
    let headers = provider.redactor().headers(&inbound.headers);
    Ok(match provider.observe(inbound, settings) {
        Ok(items) => Accepted::Items {
            verified,
            items,
            headers,
        },
        Err(unreadable) => Accepted::Unreadable {
            verified,
            unreadable,
            headers,
        },
    })
}
