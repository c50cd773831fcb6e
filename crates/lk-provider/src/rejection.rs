//! Why a delivery was refused, in words that help whoever has to mend it.

/// A closed list of reasons. Holds neither secrets nor anything of the untrusted body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.explanation())]
pub enum Rejection {
    /// A header the scheme needs is absent.
    MissingHeader {
        /// Its name.
        name: String,
    },
    /// A header that must be there once is there several times.
    DuplicateHeader {
        /// Its name.
        name: String,
    },
    /// A header is there but cannot be what the scheme says.
    MalformedHeader {
        /// Its name.
        name: String,
    },
    /// The signature or token fits none of the active secrets.
    WrongSecret {
        /// How many secrets were tried.
        tried: usize,
        /// What would have made it fit, where something simple would.
        near_miss: Option<NearMiss>,
    },
    /// The signature is right, but its time is further back than tolerated.
    TimestampTooOld {
        /// Seconds between the signed time and ours.
        skew_s: i64,
    },
    /// The signature is right, but its time is further ahead than tolerated.
    TimestampInFuture {
        /// Seconds between the signed time and ours.
        skew_s: i64,
    },
    /// The integration has no active secret, so nothing can be verified.
    NoSecret,
    /// The provider sends no webhooks, or none that can be verified.
    NotReceivable,
    /// It came from an address outside the ranges that people set for the webhook.
    SourceNotAllowed {
        /// The sender's address, or `unknown`.
        address: String,
    },
}

/// A variant under which the signature would have fitted. Never accepted: it only explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NearMiss {
    /// The body re-serialised as compact JSON.
    CompactJson,
    /// The body re-serialised as JSON indented by two spaces.
    IndentedJson,
    /// The body without its trailing line break, or with one added.
    TrailingNewline,
    /// The right signature in another encoding (hex, base64).
    OtherEncoding,
    /// The secret without the white space around it.
    SecretWhitespace,
    /// The secret read differently: decoded from base64, or taken as text.
    SecretDecoding,
    /// The body alone, without the timestamp, or with it.
    OtherSignedString,
}

impl NearMiss {
    /// Stable text for storage and API.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CompactJson => "compact_json",
            Self::IndentedJson => "indented_json",
            Self::TrailingNewline => "trailing_newline",
            Self::OtherEncoding => "other_encoding",
            Self::SecretWhitespace => "secret_whitespace",
            Self::SecretDecoding => "secret_decoding",
            Self::OtherSignedString => "other_signed_string",
        }
    }

    /// The near miss whose text is `code`.
    pub fn parse(code: &str) -> Option<Self> {
        [
            Self::CompactJson,
            Self::IndentedJson,
            Self::TrailingNewline,
            Self::OtherEncoding,
            Self::SecretWhitespace,
            Self::SecretDecoding,
            Self::OtherSignedString,
        ]
        .into_iter()
        .find(|miss| miss.code() == code)
    }

    /// What to do about it, one sentence.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::CompactJson => {
                "The signature matches the body re-serialised as compact JSON: a proxy or framework between the sender and here re-serialises the body. Forward the exact bytes."
            }
            Self::IndentedJson => {
                "The signature matches the body re-serialised as indented JSON: the sender signs a pretty-printed body, or something in between compacts it. Forward the exact bytes."
            }
            Self::TrailingNewline => {
                "The signature matches the body but for a line break at its end: something in between, or the command line tool that sent it, adds or trims one."
            }
            Self::OtherEncoding => {
                "The signature is right but in another encoding (hex where base64 is expected, or the reverse): check how the sender encodes it."
            }
            Self::SecretWhitespace => {
                "The signature matches the secret without the white space around it: enter the secret again without spaces or line breaks."
            }
            Self::SecretDecoding => {
                "The signature matches when the secret is read differently (decoded from base64, or taken as plain text): check which of the two the sender uses."
            }
            Self::OtherSignedString => {
                "The signature matches another signed string (the body with or without its timestamp): choose the scheme that the sender uses."
            }
        }
    }
}

impl Rejection {
    /// Stable text for storage, metrics and API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "missing_header",
            Self::DuplicateHeader { .. } => "duplicate_header",
            Self::MalformedHeader { .. } => "malformed_header",
            Self::WrongSecret { .. } => "wrong_secret",
            Self::TimestampTooOld { .. } => "timestamp_too_old",
            Self::TimestampInFuture { .. } => "timestamp_in_future",
            Self::NoSecret => "no_secret",
            Self::NotReceivable => "not_receivable",
            Self::SourceNotAllowed { .. } => "source_not_allowed",
        }
    }

    /// What was wrong, one sentence.
    pub fn explanation(&self) -> String {
        match self {
            Self::MissingHeader { name } => format!("The header `{name}` is missing."),
            Self::DuplicateHeader { name } => {
                format!("The header `{name}` was sent more than once; a signature must be unambiguous.")
            }
            Self::MalformedHeader { name } => {
                format!("The header `{name}` does not have the form this provider's signatures have.")
            }
            Self::WrongSecret { tried: 1, .. } => {
                "The signature does not match the body with the active secret.".to_owned()
            }
            Self::WrongSecret { tried, .. } => {
                format!("The signature does not match the body with any of the {tried} active secrets.")
            }
            Self::TimestampTooOld { skew_s } => {
                format!("The signature is right but {skew_s} seconds old.")
            }
            Self::TimestampInFuture { skew_s } => {
                format!("The signature is right but dated {skew_s} seconds in the future.")
            }
            Self::NoSecret => {
                "This integration has no active webhook secret, so no delivery can be verified.".to_owned()
            }
            Self::NotReceivable => "This provider's deliveries cannot be verified here.".to_owned(),
            Self::SourceNotAllowed { address } => {
                format!("The sender's address {address} is not in the ranges set for this webhook.")
            }
        }
    }

    /// What to do, one sentence.
    pub fn hint(&self) -> String {
        match self {
            Self::MissingHeader { .. } => {
                "Check that the sender signs its deliveries and that no proxy in between drops the header.".to_owned()
            }
            Self::DuplicateHeader { .. } => {
                "Look for a proxy that adds the header again; only the sender may set it.".to_owned()
            }
            Self::MalformedHeader { .. } => {
                "Check that the sender is the provider this integration is set up for and that the scheme is the right one.".to_owned()
            }
            Self::WrongSecret { near_miss: Some(miss), .. } => miss.hint().to_owned(),
            Self::WrongSecret { near_miss: None, .. } => {
                "Copy the secret from the provider's webhook settings again; after rolling a secret add the new one here before the old one expires. If the secret is right, something in between changes the body.".to_owned()
            }
            Self::TimestampTooOld { .. } => {
                "Either this machine's clock is ahead (check NTP), or the delivery was delayed or replayed.".to_owned()
            }
            Self::TimestampInFuture { .. } => {
                "This machine's clock is probably behind: check NTP.".to_owned()
            }
            Self::NoSecret => "Add the webhook secret in the integration's settings.".to_owned(),
            Self::NotReceivable => {
                "Choose a provider with webhooks, or the generic one for your own senders.".to_owned()
            }
            Self::SourceNotAllowed { .. } => {
                "If the address is the provider's, add it to the allowed sources in the integration's settings. If it is a proxy of yours, name the proxy in `trusted_proxies`.".to_owned()
            }
        }
    }

    /// Facts for storage beside the counter: header names, counts, skew and a refused sender's
    /// address, nothing of what it sent.
    pub fn detail(&self) -> serde_json::Value {
        match self {
            Self::MissingHeader { name } | Self::DuplicateHeader { name } | Self::MalformedHeader { name } => {
                serde_json::json!({ "header": name })
            }
            Self::WrongSecret { tried, near_miss } => {
                serde_json::json!({ "tried": tried, "nearMiss": near_miss.map(NearMiss::code) })
            }
            Self::TimestampTooOld { skew_s } | Self::TimestampInFuture { skew_s } => {
                serde_json::json!({ "skewSeconds": skew_s })
            }
            Self::NoSecret | Self::NotReceivable => serde_json::json!({}),
            Self::SourceNotAllowed { address } => serde_json::json!({ "address": address }),
        }
    }

    /// The rejection that `code` and `detail` were stored for, to explain it again.
    pub fn parse(code: &str, detail: &serde_json::Value) -> Option<Self> {
        let name = || detail["header"].as_str().unwrap_or("signature").to_owned();
        let skew_s = detail["skewSeconds"].as_i64().unwrap_or(0);
        Some(match code {
            "missing_header" => Self::MissingHeader { name: name() },
            "duplicate_header" => Self::DuplicateHeader { name: name() },
            "malformed_header" => Self::MalformedHeader { name: name() },
            "wrong_secret" => Self::WrongSecret {
                tried: detail["tried"].as_u64().unwrap_or(1) as usize,
                near_miss: detail["nearMiss"].as_str().and_then(NearMiss::parse),
            },
            "timestamp_too_old" => Self::TimestampTooOld { skew_s },
            "timestamp_in_future" => Self::TimestampInFuture { skew_s },
            "no_secret" => Self::NoSecret,
            "not_receivable" => Self::NotReceivable,
            "source_not_allowed" => Self::SourceNotAllowed {
                address: detail["address"].as_str().unwrap_or("unknown").to_owned(),
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_rejections_explain_themselves_again() {
        let all = [
            Rejection::MissingHeader { name: "x".into() },
            Rejection::DuplicateHeader { name: "x".into() },
            Rejection::MalformedHeader { name: "x".into() },
            Rejection::WrongSecret {
                tried: 2,
                near_miss: Some(NearMiss::CompactJson),
            },
            Rejection::WrongSecret {
                tried: 1,
                near_miss: None,
            },
            Rejection::TimestampTooOld { skew_s: 301 },
            Rejection::TimestampInFuture { skew_s: 400 },
            Rejection::NoSecret,
            Rejection::NotReceivable,
            Rejection::SourceNotAllowed {
                address: "192.0.2.1".into(),
            },
        ];
        for rejection in all {
            assert_eq!(
                Rejection::parse(rejection.code(), &rejection.detail()),
                Some(rejection.clone())
            );
            assert!(rejection.explanation().ends_with('.') && rejection.hint().ends_with('.'));
        }
        assert_eq!(Rejection::parse("other", &serde_json::json!({})), None);
    }
}
