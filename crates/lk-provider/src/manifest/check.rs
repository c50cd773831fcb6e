//! The `[check]`, `[limits]` and `[status]` parts of a manifest: what is asked, what the answers
//! mean, what the provider allows, where it tells how it is.

use std::collections::BTreeMap;

use lk_core::words::{CredentialState, Rung};
use serde::{Deserialize, Deserializer};

use crate::pointer::Pointer;
use crate::template::{FirstOf, Template};

/// Most probes of one ladder: all have to fit into one timeout.
const MAX_PROBES: usize = 6;

/// How a provider is checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Where its API is; the setting `base_url` stands in for it. Credentials go nowhere else.
    pub base_url: Option<String>,
    /// The questions, from the lowest rung up.
    #[serde(default, rename = "probe")]
    pub probes: Vec<ProbeRule>,
}

/// One question and what its answer has to be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeRule {
    /// Stable name.
    pub name: String,
    /// What it stands for once an answer in the expected form is there.
    #[serde(deserialize_with = "rung")]
    pub rung: Rung,
    /// The method in capitals.
    #[serde(default = "get")]
    pub method: String,
    /// The path, `{setting:..}` escaped. A probe is left out while a setting it names is empty.
    pub path: Template,
    /// Another host of the provider's that it goes to; the setting `auth_base_url`, else
    /// `base_url`, stands in for it.
    pub auth_base_url: Option<String>,
    /// The query; a parameter is left out while a setting it names is empty.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// The body, as it is.
    pub body: Option<String>,
    /// The body as a form.
    #[serde(default)]
    pub form: BTreeMap<String, Template>,
    /// What is accepted; when it is JSON the answer has to be JSON.
    #[serde(default = "json")]
    pub accept: String,
    /// The statuses of a good answer.
    #[serde(default = "ok")]
    pub expect_status: Vec<u16>,
    /// What a good answer holds.
    #[serde(default)]
    pub require: Vec<Require>,
    /// What makes an answer of a good status a failure; the first that holds counts.
    #[serde(default)]
    pub fail_when: Vec<When>,
    /// What works and yet needs attention.
    #[serde(default)]
    pub warn_when: Vec<When>,
    /// The account that the credential belongs to.
    #[serde(default)]
    pub account: FirstOf,
    /// The header that lists what was granted.
    pub scopes_header: Option<String>,
    /// The place in the body that lists what was granted.
    pub scopes: Option<Pointer>,
    /// What has to be granted; of a list one is enough.
    #[serde(default)]
    pub needs_scopes: Vec<Need>,
    /// The header that tells when the credential ends.
    pub expires_header: Option<String>,
    /// What it costs of the provider's limits.
    #[serde(default = "one")]
    pub cost: u32,
    /// Its failure is a warning.
    #[serde(default)]
    pub optional: bool,
}

/// What a good answer holds: a value, or one of a kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Require {
    /// A value that is not null.
    Present(Pointer),
    /// A value of a kind.
    Kind(Typed),
}

/// A value of a kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    /// Where.
    pub pointer: Pointer,
    /// What it has to be.
    pub is: JsonKind,
}

/// Kinds of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonKind {
    /// A number.
    Number,
    /// A text.
    String,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
}

impl JsonKind {
    /// The stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// A condition on an answer's body and what it means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Where it looks.
    pub pointer: Pointer,
    /// The scalar there, as text, is one of these.
    #[serde(default, rename = "in")]
    pub any_of: Vec<String>,
    /// The scalar there, as text, is this.
    pub equals: Option<String>,
    /// Whether there is something but null, false, an empty list or an empty text.
    pub exists: Option<bool>,
    /// The rung to blame, if not the probe's own.
    #[serde(default, deserialize_with = "some_rung")]
    pub rung: Option<Rung>,
    /// Where the credential stands when it holds.
    #[serde(default, deserialize_with = "some_standing")]
    pub credential: Option<CredentialState>,
    /// What people read; for warnings.
    #[serde(default)]
    pub note: FirstOf,
}

/// A scope that is needed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Need {
    /// This one.
    One(String),
    /// One of these; the first is the one to ask for.
    AnyOf(Vec<String>),
}

impl Need {
    /// The scopes that fulfil it; the first is the one to ask for.
    pub fn alternatives(&self) -> &[String] {
        match self {
            Self::One(scope) => std::slice::from_ref(scope),
            Self::AnyOf(scopes) => scopes,
        }
    }
}

/// What a provider allows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Families of headers it tells with, beside those that many providers share.
    #[serde(default)]
    pub headers: Vec<HeaderFamily>,
    /// Limits it documents and does not tell; counted by ourselves.
    #[serde(default, rename = "bucket")]
    pub buckets: Vec<Bucket>,
}

/// One family of headers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderFamily {
    /// What the limit is called.
    pub name: String,
    /// Header with what is allowed.
    pub limit: Option<String>,
    /// Header with what is left; without it only the limit is told, and what is left is counted by
    /// ourselves.
    pub remaining: Option<String>,
    /// Header with the moment it is filled again.
    pub reset: Option<String>,
    /// Header with the length of the window.
    pub window: Option<String>,
    /// Unit of `reset`; without it a number is judged by its size.
    pub unit: Option<ResetUnit>,
}

/// Units of a reset header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetUnit {
    /// Seconds since the epoch.
    EpochS,
    /// Milliseconds since the epoch, also with a fraction.
    EpochMs,
    /// Seconds from now.
    DeltaS,
    /// A date with time, ISO 8601 or RFC 2822.
    Iso,
    /// A duration such as `6m0s` or `17ms`.
    Duration,
}

/// A documented limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Who shares it.
    #[serde(default)]
    pub per: Per,
    /// Calls, or units of cost, it allows.
    pub calls: u32,
    /// In how many seconds.
    pub window_s: u32,
}

/// Who shares a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// One credential alone.
    #[default]
    Credential,
    /// Everybody who calls the provider from here.
    Provider,
}

/// Where a provider tells how it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusPage {
    /// How the page is written.
    pub kind: StatusKind,
    /// Its address: of the page for `statuspage`, of the document for others.
    pub url: String,
    /// The component, service or product that counts; without it the page's own verdict.
    pub component: Option<String>,
}

/// Forms of status pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusKind {
    /// `{url}/api/v2/summary.json`, as many hosted pages have it.
    Statuspage,
    /// One object with `status` and `active_incidents`.
    ActiveIncidents,
    /// A list of incidents, open while they have no `end`.
    OpenIncidents,
}

impl Check {
    /// What is wrong, with the place below `check`.
    pub(super) fn flaw(&self) -> Option<(String, String)> {
        let at = |at: &str, problem: String| Some((at.to_owned(), problem));
        if let Some(url) = self.base_url.as_ref().filter(|url| !is_base(url)) {
            return at(
                "base_url",
                format!("`{url}` is not an https address without query and slash at its end"),
            );
        }
        if self.probes.len() > MAX_PROBES {
            return at("probe", format!("a ladder has at most {MAX_PROBES} probes"));
        }
        for (index, probe) in self.probes.iter().enumerate() {
            let earlier = &self.probes[..index];
            let problem = if earlier.iter().any(|other| other.name == probe.name) {
                Some(format!("probe `{}` is there twice", probe.name))
            } else if earlier.last().is_some_and(|other| other.rung > probe.rung) {
                Some(format!(
                    "probe `{}` stands below the rung of the one before",
                    probe.name
                ))
            } else if self.base_url.is_none() && probe.auth_base_url.is_none() {
                Some(format!("probe `{}` needs a base_url", probe.name))
            } else {
                probe.flaw().map(|problem| format!("probe `{}`: {problem}", probe.name))
            };
            if let Some(problem) = problem {
                return at(&format!("probe.{index}"), problem);
            }
        }
        None
    }
}

impl ProbeRule {
    /// A GET of `/` that expects JSON with status 200 and nothing more.
    pub fn new(name: &str, rung: Rung) -> Self {
        Self {
            name: name.to_owned(),
            rung,
            method: get(),
            path: Template::literal("/"),
            auth_base_url: None,
            query: BTreeMap::new(),
            headers: BTreeMap::new(),
            body: None,
            form: BTreeMap::new(),
            accept: json(),
            expect_status: ok(),
            require: Vec::new(),
            fail_when: Vec::new(),
            warn_when: Vec::new(),
            account: FirstOf::default(),
            scopes_header: None,
            scopes: None,
            needs_scopes: Vec::new(),
            expires_header: None,
            cost: one(),
            optional: false,
        }
    }

    fn flaw(&self) -> Option<String> {
        if self.name.trim().is_empty() {
            return Some("name must not be empty".to_owned());
        }
        if self.rung < Rung::Http {
            return Some("a probe stands for http, credential, scopes, capability or quota".to_owned());
        }
        if !self.path.begins_with("/") {
            return Some("path has to begin with /".to_owned());
        }
        if self.auth_base_url.as_ref().is_some_and(|url| !is_base(url)) {
            return Some("auth_base_url has to be an https address without a slash at its end".to_owned());
        }
        if !matches!(self.method.as_str(), "GET" | "HEAD" | "POST" | "OPTIONS") {
            return Some("method has to be GET, HEAD, OPTIONS or POST: a probe only reads".to_owned());
        }
        if self.body.is_some() && !self.form.is_empty() {
            return Some("body and form exclude each other".to_owned());
        }
        if self.expect_status.iter().any(|status| !(100..600).contains(status)) || self.expect_status.is_empty() {
            return Some("expect_status has to hold statuses from 100 to 599".to_owned());
        }
        let named = [self.scopes_header.as_deref(), self.expires_header.as_deref()];
        let names = self
            .headers
            .keys()
            .map(String::as_str)
            .chain(named.into_iter().flatten());
        if let Some(name) = names.into_iter().find(|name| !is_header(name)) {
            return Some(format!("`{name}` is not the name of a header"));
        }
        if !self.needs_scopes.is_empty() && self.scopes_header.is_none() && self.scopes.is_none() {
            return Some("needs_scopes needs scopes_header or scopes".to_owned());
        }
        if self.needs_scopes.iter().any(|need| need.alternatives().is_empty()) {
            return Some("a list in needs_scopes must not be empty".to_owned());
        }
        let conditions = |when: &&When| {
            usize::from(!when.any_of.is_empty())
                + usize::from(when.equals.is_some())
                + usize::from(when.exists.is_some())
        };
        if self
            .fail_when
            .iter()
            .chain(&self.warn_when)
            .any(|when| conditions(&when) != 1)
        {
            return Some("a condition has exactly one of `in`, `equals` and `exists`".to_owned());
        }
        None
    }
}

impl Limits {
    /// What is wrong, with the place below `limits`.
    pub(super) fn flaw(&self) -> Option<(String, String)> {
        for (index, family) in self.headers.iter().enumerate() {
            let names = [&family.limit, &family.remaining, &family.reset, &family.window];
            let mut names = names.into_iter().flatten();
            if family.limit.is_none() && family.remaining.is_none() {
                return Some((format!("headers.{index}"), "it needs limit or remaining".to_owned()));
            }
            if let Some(name) = names.find(|name| !is_header(name)) {
                return Some((
                    format!("headers.{index}"),
                    format!("`{name}` is not the name of a header"),
                ));
            }
        }
        let empty = |bucket: &Bucket| bucket.calls == 0 || bucket.window_s == 0;
        let index = self.buckets.iter().position(empty)?;
        Some((
            format!("bucket.{index}"),
            "calls and window_s have to be at least 1".to_owned(),
        ))
    }
}

impl StatusPage {
    /// What is wrong with it.
    pub(super) fn flaw(&self) -> Option<String> {
        (!self.url.starts_with("https://") || self.url.ends_with('/'))
            .then(|| format!("`{}` is not an https address without a slash at its end", self.url))
    }
}

fn is_base(url: &str) -> bool {
    url.starts_with("https://") && !url.ends_with('/') && !url.contains(['?', '#', '@', ' '])
}

fn is_header(name: &str) -> bool {
    http::HeaderName::from_bytes(name.as_bytes()).is_ok()
}

fn rung<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rung, D::Error> {
    let text = String::deserialize(deserializer)?;
    Rung::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no rung")))
}

fn some_rung<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Rung>, D::Error> {
    rung(deserializer).map(Some)
}

fn some_standing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CredentialState>, D::Error> {
    let text = String::deserialize(deserializer)?;
    CredentialState::parse(&text)
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no standing of a credential")))
}

fn get() -> String {
    "GET".to_owned()
}

fn json() -> String {
    "application/json".to_owned()
}

fn ok() -> Vec<u16> {
    vec![200]
}

const fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use crate::Manifest;

    const GOOD: &str = r#"
key = "acme"
name = "Acme"
summary = "s"
capabilities = ["check", "status"]
[check]
base_url = "https://api.acme.example"
[[check.probe]]
name = "me"
rung = "credential"
path = "/me"
require = ["/id", { pointer = "/total", is = "number" }]
fail_when = [{ pointer = "/ok", equals = "false", rung = "scopes", credential = "revoked" }]
scopes_header = "x-scopes"
needs_scopes = ["read", ["write", "admin"]]
[[check.probe]]
name = "list"
rung = "capability"
path = "/list/{setting:list}"
[[limits.headers]]
name = "core"
remaining = "x-left"
unit = "epoch_ms"
[[limits.bucket]]
calls = 50
window_s = 60
[status]
kind = "statuspage"
url = "https://status.acme.example"
"#;

    #[test]
    fn contradictions_are_told_in_a_sentence() {
        Manifest::parse(GOOD).unwrap();
        for (from, to, words) in [
            ("\"check\", ", "", "capability `check`"),
            (", \"status\"", "", "capability `status`"),
            ("https://api.", "http://api.", "https address"),
            ("acme.example\"\n[[check", "acme.example/\"\n[[check", "https address"),
            ("\"/me\"", "\"me\"", "begin with /"),
            ("rung = \"capability\"", "rung = \"http\"", "below the rung"),
            ("rung = \"credential\"", "rung = \"dns\"", "stands for"),
            ("rung = \"credential\"", "rung = \"login\"", "`login` is no rung"),
            ("\"list\"", "\"me\"", "twice"),
            ("path = \"/me\"", "path = \"/me\"\nmethod = \"DELETE\"", "only reads"),
            ("path = \"/me\"", "path = \"/me\"\nexpect_status = []", "statuses"),
            ("scopes_header = \"x-scopes\"", "", "needs scopes_header"),
            (", \"admin\"", "], [", "must not be empty"),
            ("equals = \"false\"", "equals = \"false\", exists = true", "exactly one"),
            ("\"revoked\"", "\"gone\"", "no standing"),
            ("is = \"number\"", "is = \"integer\"", "did not match"),
            ("\"x-left\"", "\"x left\"", "name of a header"),
            ("\"epoch_ms\"", "\"minutes\"", "unknown variant"),
            ("calls = 50", "calls = 0", "at least 1"),
            ("calls = 50", "cals = 50", "unknown field `cals`"),
            ("https://status.", "http://status.", "https address"),
            ("kind = \"statuspage\"", "kind = \"page\"", "unknown variant"),
            ("base_url = \"https://api.acme.example\"", "", "needs a base_url"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let problem = Manifest::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(problem.contains(words), "{from} -> {to}: {problem}");
        }
    }
}
