//! Secrets that cannot be printed or serialised.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A webhook secret or token. No `Debug` of its content, no `Display`, no `Serialize`; its memory
/// is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of the text of a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself: for sealing it and for computing signatures, nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, for people to tell secrets apart; empty when the secret is too
    /// short for that to be harmless (fewer than 12 characters).
    pub fn last4(&self) -> String {
        let chars: Vec<char> = self.0.chars().collect();
        if chars.len() < 12 {
            return String::new();
        }
        chars[chars.len() - 4..].iter().collect()
    }

    /// Whether both are the same text, in time that does not depend on where they differ.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// Whether nothing but white space is left: such a secret never verifies anything.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_and_short_secrets_have_no_last4() {
        let secret = Secret::new("abcdefghijklmnop");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(secret.last4(), "mnop");
        assert_eq!(Secret::new("short").last4(), "");
        assert!(Secret::new(" \n").is_blank());
    }
}
