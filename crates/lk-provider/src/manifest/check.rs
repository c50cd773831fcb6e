//! The `[check]`, `[limits]` and `[status]` parts of a manifest.

use std::collections::BTreeMap;

use lk_core::words::Rung;
use serde::{Deserialize, Deserializer};

use crate::pointer::Pointer;
use crate::status::StatusKind;
use crate::template::FirstOf;

/// What is asked of a provider, in the order of the rungs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Where its API is; an integration's setting `base_url` points elsewhere.
    pub base_url: String,
    /// Hosts and paths that people mistake for the API, each with what to tell them.
    #[serde(default)]
    pub trap: Vec<Trap>,
    /// The questions.
    pub probe: Vec<ProbeRule>,
}

/// A base URL that looks right and is not.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trap {
    /// Text in the base URL that gives it away.
    pub contains: String,
    /// What to do.
    pub tell: String,
}

/// One question.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeRule {
    /// Stable name within the provider.
    pub name: String,
    /// The rung it stands for.
    #[serde(deserialize_with = "rung")]
    pub rung: Rung,
    /// The method in capitals.
    #[serde(default = "get")]
    pub method: String,
    /// The path after the base URL; `{setting:key}` is filled in.
    pub path: FirstOf,
    /// The query.
    #[serde(default)]
    pub query: BTreeMap<String, FirstOf>,
    /// Headers besides the credential.
    #[serde(default)]
    pub headers: BTreeMap<String, FirstOf>,
    /// The body, JSON text.
    #[serde(default)]
    pub body: FirstOf,
    /// Statuses that are right; every 2xx where none is given.
    #[serde(default)]
    pub expect_status: Vec<u16>,
    /// What has to be in the answer.
    #[serde(default)]
    pub require: Vec<Pointer>,
    /// What in an answer with a right status is a failure all the same.
    #[serde(default)]
    pub fail_when: Vec<FailWhen>,
    /// The provider's account.
    #[serde(default)]
    pub account: FirstOf,
    /// The header that lists granted scopes, separated by commas or spaces.
    pub scopes_header: Option<String>,
    /// Where in the body granted scopes are: a list, or text separated by commas or spaces.
    pub scopes: Option<Pointer>,
    /// Scopes without which something that is wanted does not work.
    #[serde(default)]
    pub needs_scopes: Vec<String>,
    /// Seconds until the credential ends.
    pub expires_in: Option<Pointer>,
    /// What it costs in the units of the provider's buckets.
    #[serde(default = "one")]
    pub cost: u32,
}

/// What marks a failure inside an answer that looks right.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailWhen {
    /// Where.
    pub pointer: Pointer,
    /// It is one of these, compared as text; without them it is enough that something is there.
    #[serde(default, rename = "in")]
    pub any_of: Vec<String>,
}

fn get() -> String {
    "GET".to_owned()
}

const fn one() -> u32 {
    1
}

fn rung<'de, D: Deserializer<'de>>(from: D) -> Result<Rung, D::Error> {
    let text = String::deserialize(from)?;
    let known = Rung::parse(&text);
    known.ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no rung of the ladder")))
}

/// A provider's limits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Where answers tell what is left.
    #[serde(default)]
    pub headers: Vec<LimitHeaders>,
    /// What we keep to by ourselves.
    #[serde(default)]
    pub bucket: Vec<BucketRule>,
}

/// One family of headers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitHeaders {
    /// The limit's name; a header's value where it begins with `header:`.
    pub name: String,
    /// How many calls are allowed.
    pub limit: Option<String>,
    /// How many are left.
    pub remaining: String,
    /// When it is filled again.
    pub reset: Option<String>,
    /// In which unit.
    #[serde(default)]
    pub unit: ResetUnit,
}

/// Unit of the moment at which a limit is filled again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetUnit {
    /// Told by its size: above 1e12 epoch milliseconds, above 1e9 epoch seconds, else seconds from now.
    #[default]
    Guess,
    /// Epoch seconds.
    EpochS,
    /// Epoch milliseconds.
    EpochMs,
    /// Seconds from now.
    DeltaS,
    /// ISO 8601 text.
    Iso,
    /// A duration such as `6m0s` or `20ms`.
    Duration,
}

/// A rate that we keep to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketRule {
    /// Whose calls count together.
    pub per: Per,
    /// Calls (or units) in one window.
    pub calls: u32,
    /// Length of the window, seconds.
    pub window_s: u32,
}

/// Whose calls count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Those of one credential.
    Credential,
    /// Everybody's.
    Provider,
}

/// The vendor's status page, as programs read it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Its shape.
    pub kind: StatusKind,
    /// Its address.
    pub url: String,
    /// The parts that matter here; all where none is given.
    #[serde(default)]
    pub components: Vec<String>,
}
