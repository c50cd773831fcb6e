//! The `[webhook]` part of a manifest.

use serde::Deserialize;

use crate::pointer::Pointer;
use crate::template::FirstOf;

/// How a provider's deliveries are verified, answered and read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// How a delivery proves where it comes from.
    pub signature: Scheme,
    /// The secret people enter or copy.
    pub secret: SecretForm,
    /// What it may ask before it delivers.
    #[serde(default)]
    pub handshake: Vec<HandshakeRule>,
    /// Where things are in a body.
    #[serde(default)]
    pub body: BodyRules,
    /// What decides the outcome, in order; the first match counts.
    #[serde(default, rename = "match")]
    pub matches: Vec<Match>,
}

/// Signature schemes: a closed list. Header names are without regard to case.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scheme {
    /// An HMAC of the body alone.
    Hmac {
        /// Header that carries it.
        header: String,
        /// Hash function.
        #[serde(default)]
        algorithm: Algorithm,
        /// Encoding of the signature.
        #[serde(default)]
        encoding: Encoding,
        /// Text before the signature, such as `sha256=`.
        #[serde(default)]
        prefix: String,
    },
    /// `t=<time>,v1=<signature>[,v1=..]` over `{t}.{body}`, HMAC-SHA256; other versions are ignored.
    TimestampedList {
        /// Header that carries the list.
        header: String,
        /// Encoding of the signatures.
        #[serde(default)]
        encoding: Encoding,
        /// Unit of `t`.
        #[serde(default)]
        unit: TimeUnit,
        /// Tolerated difference to our clock, both ways.
        #[serde(default = "tolerance")]
        tolerance_s: i64,
    },
    /// `<version>=<hex>` over `{version}:{time}:{body}`, HMAC-SHA256, the time in a header of its own.
    Versioned {
        /// Header that carries the signature.
        header: String,
        /// Header that carries the time, epoch seconds.
        timestamp_header: String,
        /// Version tag.
        version: String,
        /// Tolerated difference to our clock, both ways.
        #[serde(default = "tolerance")]
        tolerance_s: i64,
    },
    /// The Standard Webhooks triple `<family>-id`, `-timestamp`, `-signature` over `{id}.{time}.{body}`.
    StandardWebhooks {
        /// Accepted header families, first found counts.
        #[serde(default = "families")]
        families: Vec<String>,
        /// How the secret's text becomes a key.
        #[serde(default)]
        key: KeyForm,
        /// Tolerated difference to our clock, both ways.
        #[serde(default = "tolerance")]
        tolerance_s: i64,
    },
    /// A header that equals the secret; nothing signs the body.
    SharedHeader {
        /// Header that carries it.
        header: String,
        /// Prefixes that may stand before the secret, such as `Bearer `; none means no prefix.
        #[serde(default)]
        prefixes: Vec<String>,
    },
    /// As the integration's settings say: `signature_scheme` (`hmac`, `header`,
    /// `standard_webhooks`), `signature_header`, `signature_algorithm`, `signature_encoding`,
    /// `signature_prefix`.
    Configured {},
}

impl Scheme {
    /// The stable text of the scheme.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Hmac { .. } => "hmac",
            Self::TimestampedList { .. } => "timestamped_list",
            Self::Versioned { .. } => "versioned",
            Self::StandardWebhooks { .. } => "standard_webhooks",
            Self::SharedHeader { .. } => "shared_header",
            Self::Configured {} => "configured",
        }
    }

    /// The headers that the manifest names for it.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        let (one, other): (Option<&String>, Option<&String>) = match self {
            Self::Hmac { header, .. } | Self::TimestampedList { header, .. } | Self::SharedHeader { header, .. } => {
                (Some(header), None)
            }
            Self::Versioned {
                header,
                timestamp_header,
                ..
            } => (Some(header), Some(timestamp_header)),
            Self::StandardWebhooks { .. } | Self::Configured {} => (None, None),
        };
        one.into_iter().chain(other).map(String::as_str)
    }
}

const fn tolerance() -> i64 {
    300
}

fn families() -> Vec<String> {
    vec!["webhook".to_owned(), "svix".to_owned()]
}

/// Hash function of an HMAC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-1, where a provider still uses it.
    Sha1,
    /// SHA-512.
    Sha512,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal, either case.
    #[default]
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64 in the URL alphabet without padding.
    Base64url,
}

/// How the text of a secret becomes a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// `whsec_` (or `v1,whsec_`) is taken off and the rest decoded from base64; `whpk_` is an
    /// Ed25519 public key.
    #[default]
    Base64,
    /// The bytes of the text, whole.
    Text,
}

/// Unit of a time in a body or header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Epoch seconds.
    #[default]
    S,
    /// Epoch milliseconds.
    Ms,
    /// ISO 8601 / RFC 3339 text.
    Iso,
}

/// The secret as people meet it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretForm {
    /// What the provider calls it.
    pub label: String,
    /// Where to find it, one sentence.
    pub hint: String,
    /// We make it and people paste it at the provider; otherwise the provider makes it.
    #[serde(default)]
    pub generated: bool,
    /// Prefix of generated secrets.
    #[serde(default)]
    pub prefix: String,
}

/// A handshake to recognise.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum HandshakeRule {
    /// A signed JSON body whose `pointer` equals `equals` is answered with the value at `echo`.
    Echo {
        /// What identifies it.
        pointer: Pointer,
        /// The value it has.
        equals: String,
        /// What is echoed.
        echo: Pointer,
        /// How.
        #[serde(default, rename = "as")]
        form: EchoAs,
    },
    /// A form body whose `field` equals `equals` is answered with an empty 200.
    FormFlag {
        /// The form's field.
        field: String,
        /// The value it has.
        equals: String,
    },
    /// The first, unsigned, delivery brings the secret at `pointer`; it is kept and confirmed.
    TokenIsSecret {
        /// Where the secret is.
        pointer: Pointer,
        /// The request that confirms it.
        confirm: Option<Confirm>,
    },
}

/// How a challenge is echoed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EchoAs {
    /// The bare text.
    #[default]
    Text,
    /// A JSON object with the same key.
    Json,
}

/// A request that confirms a handshake.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The method in capitals.
    pub method: String,
    /// The address.
    pub url: FirstOf,
    /// Headers.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, FirstOf>,
    /// The body, JSON text in which `{/pointer}` is replaced (strings are escaped).
    #[serde(default)]
    pub body: std::collections::BTreeMap<String, FirstOf>,
}

/// Where things are in a body. Each falls back on common places.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyRules {
    /// Where the items of a batch are; the first pointer that finds an array's elements counts.
    #[serde(default)]
    pub batch: Vec<Pointer>,
    /// The delivery's identification.
    #[serde(default)]
    pub delivery_key: FirstOf,
    /// When it happened.
    #[serde(default)]
    pub occurred_at: Vec<Moment>,
    /// The event type.
    #[serde(default)]
    pub event_type: FirstOf,
    /// The provider's account.
    #[serde(default)]
    pub account: FirstOf,
    /// One line for people when the event is no failure.
    #[serde(default)]
    pub summary: FirstOf,
}

/// Where a time is and in which unit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Where.
    pub pointer: Pointer,
    /// Unit.
    #[serde(default)]
    pub unit: TimeUnit,
}

/// One entry of the ordered list that decides the outcome. Every condition given has to hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Event types, with `*` for any text; one or several.
    #[serde(default, rename = "type")]
    pub event_type: Vec<Glob>,
    /// Value to look at.
    pub pointer: Option<Pointer>,
    /// It is one of these (compared as text).
    #[serde(default, rename = "in")]
    pub any_of: Vec<String>,
    /// It is there and not null or empty (`true`), or is not (`false`).
    pub exists: Option<bool>,
    /// What the event then is.
    pub outcome: MatchOutcome,
    /// The failure's message.
    #[serde(default)]
    pub message: FirstOf,
    /// The failure's codes: every alternative that renders, the most specific first.
    #[serde(default)]
    pub code: FirstOf,
    /// What was attempted; the event type when absent.
    #[serde(default)]
    pub operation: FirstOf,
    /// The HTTP status the body tells of.
    #[serde(default)]
    pub http_status: FirstOf,
}

/// What a match decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchOutcome {
    /// It worked.
    Success,
    /// It failed.
    Failure,
    /// It tells nothing of working or failing.
    Neutral,
}

/// Text with `*` for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Glob(Vec<String>);

impl From<String> for Glob {
    fn from(text: String) -> Self {
        Self(text.split('*').map(str::to_owned).collect())
    }
}

impl Glob {
    /// Whether the whole of `text` fits.
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for piece in middle {
            let Some(at) = rest.find(piece.as_str()) else {
                return false;
            };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn globs() {
        let fits = |glob: &str, text: &str| Glob::from(glob.to_owned()).matches(text);
        assert!(fits("a.b", "a.b") && !fits("a.b", "a.bc"));
        assert!(fits("issue.*", "issue.created") && !fits("issue.*", "tissue.created"));
        assert!(fits("*.failed", "payroll.failed") && fits("a*b*c", "axxbyyc") && fits("*", ""));
        assert!(!fits("ab*ba", "aba"));
    }
}
