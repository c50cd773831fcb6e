//! A sign-in under way, and where it leads to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use lk_core::Time;
use lk_core::time::MINUTE;
use lk_store::{MasterKey, Sealed, StoreError};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::auth::new_token;
use crate::auth::token::cookie;
use crate::error::ApiError;

/// The cookie that keeps a sign-in under way.
pub(crate) const FLOW_COOKIE: &str = "lk_oidc";
/// How long somebody may take at the identity provider.
const FLOW_LIFE_MS: i64 = 10 * MINUTE;
/// Longest path that is led back to, in bytes; the cookie has to hold it.
const NEXT_BYTES_MAX: usize = 1_500;
/// What the cookie is sealed for.
const SEALED_FOR: &str = "oidc_flow";
/// Where people sign in.
const SIGN_IN: &str = "/sign-in";
/// Stands for our own address while paths are resolved. Never shown.
const ANYWHERE: &str = "http://own.invalid";

/// What somebody goes to the identity provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// To sign in.
    SignIn,
    /// To prove again that it is them.
    Sudo,
    /// To link the identity to the account they are signed in with.
    Link,
}

impl Purpose {
    /// Every word.
    pub(crate) const WORDS: [&'static str; 3] = ["sign_in", "sudo", "link"];

    /// The purpose that `word` names.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "sign_in" => Some(Self::SignIn),
            "sudo" => Some(Self::Sudo),
            "link" => Some(Self::Link),
            _ => None,
        }
    }
}

/// Why somebody was not signed in, as far as they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// They, or the provider, said no.
    Refused,
    /// Nobody here has this identity.
    UnknownPerson,
    /// The provider does not vouch for the e-mail address.
    UnverifiedEmail,
    /// The account is disabled.
    Disabled,
    /// It took too long, or was begun elsewhere.
    Expired,
    /// The provider or we failed; the cause is in the log.
    Failed,
}

impl Failure {
    /// The code in the address that people are led to.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "oidc_refused",
            Self::UnknownPerson => "oidc_unknown_person",
            Self::UnverifiedEmail => "oidc_unverified_email",
            Self::Disabled => "oidc_disabled",
            Self::Expired => "oidc_expired",
            Self::Failed => "oidc_failed",
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "signing in with the identity provider failed");
        Self::Failed
    }
}

/// A sign-in under way. The browser keeps it, sealed, so that any node can finish it and no other
/// browser can.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Flow {
    /// Comes back in the ID token.
    pub(crate) nonce: String,
    /// Proves to the provider that who began is who finishes.
    pub(crate) verifier: String,
    /// Where the provider sends people back to; said twice and must be the same.
    pub(crate) redirect_uri: String,
    /// Where it leads to in the end.
    pub(crate) next: String,
    /// What for.
    pub(crate) purpose: Purpose,
    /// The session it was begun in, when one is needed.
    pub(crate) session: Option<[u8; 32]>,
    began_ms: i64,
}

impl Flow {
    /// Begins.
    pub(crate) fn begin(
        purpose: Purpose,
        next: String,
        base: &str,
        session: Option<[u8; 32]>,
        now: Time,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            nonce: new_token()?,
            verifier: new_token()?,
            redirect_uri: format!("{base}/api/oidc/callback"),
            next,
            purpose,
            session,
            began_ms: now.ms(),
        })
    }

    /// The cookie's value. It opens with this `state` only: that is the check of the state.
    pub(crate) fn seal(&self, key: &MasterKey, state: &str) -> Result<String, ApiError> {
        let plain = serde_json::to_vec(self).map_err(ApiError::internal)?;
        let sealed = key.seal(SEALED_FOR, state, &plain).map_err(ApiError::internal)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed.as_bytes()))
    }

    /// Opens a cookie's value; `None` when it is none of ours, of another sign-in, or too old.
    pub(crate) fn open(key: &MasterKey, cookie: &str, state: &str, now: Time) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let plain = key.open(SEALED_FOR, state, &Sealed::from_stored(bytes)).ok()?;
        let flow: Self = serde_json::from_str(plain.expose()).ok()?;
        // Nodes' clocks differ a little, so a beginning just ahead of us is fine.
        (now.since(Time(flow.began_ms)) < FLOW_LIFE_MS).then_some(flow)
    }

    /// Where somebody is led who was not signed in.
    pub(crate) fn failed(&self, failure: Failure) -> String {
        with_failure(self.purpose, &self.next, failure)
    }
}

/// The address for a failure: the page they were on when signed in, else the sign-in page.
pub(crate) fn with_failure(purpose: Purpose, next: &str, failure: Failure) -> String {
    let page = if purpose == Purpose::SignIn { SIGN_IN } else { next };
    let Ok(mut url) = Url::parse(ANYWHERE).and_then(|base| base.join(page)) else {
        return SIGN_IN.to_owned();
    };
    if purpose == Purpose::SignIn && next != "/" {
        url.query_pairs_mut().append_pair("next", next);
    }
    url.query_pairs_mut().append_pair("failed", failure.as_str());
    shown(&url)
}

/// `next` when it is a path of our own, written so that it fits into a header; else the start page.
pub(crate) fn own_path(next: Option<&str>) -> String {
    let own = |path: &str| path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let start = || "/".to_owned();
    // Browsers drop tabs and line ends from addresses: `/<tab>/elsewhere` would leave us.
    let Some(next) = next.filter(|next| own(next) && !next.chars().any(char::is_control)) else {
        return start();
    };
    let Ok(url) = Url::parse(ANYWHERE).and_then(|base| base.join(next)) else {
        return start();
    };
    let path = shown(&url);
    // Looked at again: resolving `/..//elsewhere` gives `//elsewhere`.
    let fits = url.as_str().starts_with(ANYWHERE) && own(&path) && path.len() <= NEXT_BYTES_MAX;
    let to_people = !path.starts_with("/api/");
    if fits && to_people { path } else { start() }
}

fn shown(url: &Url) -> String {
    url.as_str().strip_prefix(ANYWHERE).unwrap_or("/").to_owned()
}

/// The `Set-Cookie` that keeps a sign-in under way, or with `None` forgets it.
pub(crate) fn flow_cookie(value: Option<&str>, secure: bool) -> Result<HeaderValue, ApiError> {
    cookie(FLOW_COOKIE, value, FLOW_LIFE_MS, secure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_led_to() {
        for (next, path) in [
            ("/", "/"),
            ("/settings?tab=keys#x", "/settings?tab=keys#x"),
            ("/a b/é", "/a%20b/%C3%A9"),
            ("/x?next=//evil.example", "/x?next=//evil.example"),
        ] {
            assert_eq!(own_path(Some(next)), path, "{next}");
        }
        let long = format!("/{}", "a".repeat(NEXT_BYTES_MAX));
        for next in [
            "",
            "settings",
            "//evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/..//evil.example",
            "/.//evil.example",
            "/%2e//evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/api/oidc/start",
            &long,
        ] {
            assert_eq!(own_path(Some(next)), "/", "{next}");
        }
        assert_eq!(own_path(None), "/");
    }

    #[test]
    fn a_failure_leads_to_the_page_it_began_on() {
        let failed = |purpose, next| with_failure(purpose, next, Failure::Refused);
        assert_eq!(failed(Purpose::SignIn, "/"), "/sign-in?failed=oidc_refused");
        assert_eq!(
            failed(Purpose::SignIn, "/a?b=c&d"),
            "/sign-in?next=%2Fa%3Fb%3Dc%26d&failed=oidc_refused"
        );
        assert_eq!(failed(Purpose::Sudo, "/a?b=c#d"), "/a?b=c&failed=oidc_refused#d");
        assert_eq!(failed(Purpose::Link, "/a"), "/a?failed=oidc_refused");
    }

    #[test]
    fn a_flow_opens_with_its_own_state_and_in_time() {
        let key = MasterKey::generate().unwrap();
        let (base, now) = ("https://lk.example", Time(1_000_000));
        let next = "/é".repeat(300);
        let flow = Flow::begin(Purpose::Sudo, own_path(Some(&next[..900])), base, Some([7; 32]), now).unwrap();
        let cookie = flow.seal(&key, "state-1").unwrap();
        assert!(
            flow_cookie(Some(&cookie), true).unwrap().len() < 4_096,
            "browsers drop larger ones"
        );
        let open = |cookie: &str, state: &str, at| Flow::open(&key, cookie, state, at);
        let opened = open(&cookie, "state-1", now + FLOW_LIFE_MS - 1).unwrap();
        assert_eq!(opened.redirect_uri, "https://lk.example/api/oidc/callback");
        assert_eq!((opened.purpose, opened.session), (Purpose::Sudo, Some([7; 32])));
        assert!(open(&cookie, "state-2", now).is_none());
        assert!(open(&cookie, "state-1", now + FLOW_LIFE_MS).is_none());
        assert!(open(&cookie[1..], "state-1", now).is_none());
        assert!(open("%%%", "state-1", now).is_none());
        assert!(open("", "", now).is_none());
    }
}
