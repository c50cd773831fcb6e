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
            // A repeat of the one that brought the active secret is answered again: the sender may not
            // have had our first answer.
            Trust::FirstContact => {
                let brought = handshake.store_secret.as_ref();
                secrets.is_empty() || brought.is_some_and(|token| secrets.iter().any(|s| s.is_same(token)))
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::sign;
    use crate::{Manifest, ManifestProvider};

    const MANIFEST: &str = r#"
key = "sample"
name = "Sample"
summary = "For tests."
capabilities = ["webhook"]

[webhook.signature]
scheme = "hmac"
header = "x-sig"

[webhook.secret]
label = "Secret"
hint = "Anywhere."

[[webhook.handshake]]
kind = "echo"
pointer = "/type"
equals = "challenge"
echo = "/challenge"

[[webhook.handshake]]
kind = "token_is_secret"
pointer = "/verification_token"
"#;

    fn provider() -> ManifestProvider {
        ManifestProvider::from_manifest(Manifest::parse(MANIFEST).unwrap())
    }

    fn send(body: &str, signer: Option<&str>, secrets: &[Secret]) -> Result<Accepted, Rejection> {
        let provider = provider();
        let scheme = &provider.manifest().webhook.as_ref().unwrap().signature;
        let headers = signer
            .and_then(|signer| {
                sign(
                    scheme,
                    &Settings::new(),
                    &Secret::new(signer),
                    "",
                    Time(0),
                    body.as_bytes(),
                )
            })
            .unwrap_or_default();
        let inbound = Inbound::post("/", headers, body.to_owned(), Time(0));
        receive(&provider, &inbound, &Settings::new(), secrets, Time(0))
    }

    #[test]
    fn a_first_contact_is_believed_only_without_a_secret() {
        let body = r#"{"verification_token": "9c1ce5a0-5a4e"}"#;
        let Ok(Accepted::Handshake(handshake)) = send(body, None, &[]) else {
            panic!("not a handshake")
        };
        assert_eq!(handshake.store_secret.unwrap().expose(), "9c1ce5a0-5a4e");
        let missing = Err(Rejection::MissingHeader {
            name: "x-sig".to_owned(),
        });
        assert_eq!(send(body, None, &[Secret::new("known")]).map(|_| ()), missing);
        // Signed by the known secret it is a delivery like any other, and stores nothing.
        assert!(matches!(
            send(body, Some("known"), &[Secret::new("known")]),
            Ok(Accepted::Items { .. })
        ));
    }

    #[test]
    fn an_echo_needs_its_signature() {
        let body = r#"{"type": "challenge", "challenge": "abc"}"#;
        assert_eq!(send(body, None, &[]).map(|_| ()), Err(Rejection::NoSecret));
        assert!(send(body, Some("wrong"), &[Secret::new("k")]).is_err());
        let Ok(Accepted::Handshake(handshake)) = send(body, Some("k"), &[Secret::new("k")]) else {
            panic!("not a handshake")
        };
        assert_eq!(handshake.response.body, b"abc");
        assert!(handshake.store_secret.is_none());
    }

    #[test]
    fn an_unsigned_delivery_without_secret_is_refused() {
        assert_eq!(send(r#"{"a": 1}"#, None, &[]).map(|_| ()), Err(Rejection::NoSecret));
        let big = format!(r#"{{"verification_token": "{}"}}"#, "x".repeat(300));
        assert_eq!(send(&big, None, &[]).map(|_| ()), Err(Rejection::NoSecret));
    }
}
