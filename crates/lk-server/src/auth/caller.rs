//! From a request to a known caller.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{Extensions, HeaderMap, header};
use lk_core::Time;
use lk_core::access::{Actor, Place, Standing};
use lk_core::time::MINUTE;
use lk_core::words::{Role, Scope};
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::door;
use crate::error::{ApiError, ErrorCode};

use super::token::{COOKIE, cookie_name, token_hash};

/// Header that repeats the session's CSRF token.
const CSRF_HEADER: &str = "x-csrf-token";
/// Between two notes of the use of a session or key.
const TOUCH_EVERY_MS: i64 = MINUTE;
/// How long it need not be proven again who is there.
pub(crate) const PROOF_MS: i64 = 15 * MINUTE;
/// How far the clocks of two nodes may be apart.
const SKEW_MS: i64 = MINUTE;
/// Prefix of every API key, so that a leaked one is recognised.
pub const KEY_PREFIX: &str = "lk_";

/// Who is calling.
#[derive(Clone)]
pub(crate) enum Identity {
    /// A signed-in person.
    User {
        /// The person.
        user: lk_store::User,
        /// What writes must repeat.
        csrf: String,
        /// Which session it is.
        session: [u8; 32],
        /// When it was last proven who is there.
        proved_at: Time,
    },
    /// An API key.
    Key {
        /// The key, without its value.
        key: lk_store::ApiKey,
        /// What is stored of its value.
        hash: [u8; 32],
    },
}

/// A known caller and where the call came from.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Who.
    pub(crate) identity: Identity,
    /// The client's address.
    pub(crate) source: String,
}

impl Caller {
    /// The name for audit rows and permits.
    pub(crate) fn actor(&self) -> Actor {
        match &self.identity {
            Identity::User { user, .. } => user.actor(),
            Identity::Key { key, .. } => Actor::ApiKey {
                id: key.id.clone(),
                name: key.name.clone(),
            },
        }
    }

    /// Whether the caller runs the installation.
    pub(crate) fn operator(&self) -> bool {
        match &self.identity {
            Identity::User { user, .. } => user.operator,
            Identity::Key { key, .. } => key.operator,
        }
    }

    /// The caller's id, whoever it is.
    pub(crate) fn id(&self) -> &str {
        match &self.identity {
            Identity::User { user, .. } => &user.id,
            Identity::Key { key, .. } => &key.id,
        }
    }

    /// What the caller is in `place`, with their role there.
    pub(crate) fn standing(&self, place: Place, role: Option<Role>, now: Time) -> Standing {
        let (scopes, proven) = match &self.identity {
            Identity::Key { key, .. } => (key.scopes.clone(), true),
            Identity::User { proved_at, .. } => (None, is_recent(*proved_at, now)),
        };
        Standing {
            actor: self.actor(),
            place,
            role,
            operator: self.operator(),
            scopes,
            proven,
            source: Some(self.source.clone()),
        }
    }

    /// The caller's role in a project; `None` for no membership.
    pub(crate) async fn role_in(&self, app: &App, project_id: &str) -> Result<Option<Role>, ApiError> {
        match &self.identity {
            Identity::Key { key, .. } => Ok((key.project_id == project_id).then_some(key.role)),
            Identity::User { user, .. } => {
                let memberships = app.store().memberships(&user.id).await?;
                Ok(memberships.iter().find(|m| m.project.id == project_id).map(|m| m.role))
            }
        }
    }

    /// The caller as they are now; `None` when the session or key has ended. For streams, which
    /// outlive a check.
    pub(crate) async fn again(&self, app: &App) -> Result<Option<Self>, ApiError> {
        let now = app.now();
        let identity = match &self.identity {
            Identity::User { session, .. } => {
                let session = app.store().session(session, now).await?.map(|found| (found, *session));
                session.map(|(found, session)| Identity::User {
                    user: found.user,
                    csrf: found.csrf,
                    session,
                    proved_at: found.proved_at,
                })
            }
            Identity::Key { hash, .. } => {
                let key = app.store().api_key_by_hash(hash, now).await?;
                key.map(|key| Identity::Key { key, hash: *hash })
            }
        };
        Ok(identity.map(|identity| Self {
            identity,
            source: self.source.clone(),
        }))
    }
}

/// Whether a proof still counts. One from the future was dated by a clock that was wrong, unless
/// it is another node's by a little.
fn is_recent(proved_at: Time, now: Time) -> bool {
    (-SKEW_MS..PROOF_MS).contains(&(now.ms() - proved_at.ms()))
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = identify(parts, app).await?.ok_or_else(ApiError::unauthenticated)?;
        tracing::Span::current().record("userId", caller.id());
        if parts.method.is_safe()
            && let Identity::Key { key, .. } = &caller.identity
            && key
                .scopes
                .as_ref()
                .is_some_and(|scopes| !scopes.contains(&Scope::Read) && !scopes.contains(&Scope::Admin))
        {
            return Err(ApiError::scope_missing(Scope::Read));
        }
        Ok(caller)
    }
}

/// A signed-in person; an API key has no account.
pub(crate) struct Person {
    /// Who.
    pub(crate) user: lk_store::User,
    /// Which session it is.
    pub(crate) session: [u8; 32],
    /// The same as a caller.
    pub(crate) caller: Caller,
}

impl FromRequestParts<App> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match &caller.identity {
            Identity::User { user, session, .. } => Ok(Self {
                user: user.clone(),
                session: *session,
                caller: caller.clone(),
            }),
            Identity::Key { .. } => Err(ApiError::new(
                ErrorCode::Forbidden,
                "This is for signed-in people; an API key has no account.",
            )),
        }
    }
}

/// The caller, or `None` for nobody; a wrong key or a write without its CSRF token is refused.
pub(crate) async fn identify(parts: &Parts, app: &App) -> Result<Option<Caller>, ApiError> {
    let source = source(&parts.extensions);
    if parts.headers.contains_key(header::AUTHORIZATION) {
        // A key that is sent must be right: falling back on a cookie would hide a mistake.
        let token = bearer(&parts.headers).ok_or_else(ApiError::unauthenticated)?;
        let hash = token_hash(token);
        let key = app.store().api_key_by_hash(&hash, app.now()).await?;
        let key = key.ok_or_else(ApiError::unauthenticated)?;
        app.key_limits().take(&key.id, app.now(), parts.extensions.get())?;
        touch_key(app, &key).await;
        return Ok(Some(Caller {
            identity: Identity::Key { key, hash },
            source,
        }));
    }
    let Some(token) = cookie_value(&parts.headers, COOKIE) else {
        return Ok(None);
    };
    let hash = token_hash(token);
    let Some(session) = app.store().session(&hash, app.now()).await? else {
        return Ok(None);
    };
    if !parts.method.is_safe() && !csrf_matches(&parts.headers, &session.csrf) {
        return Err(ApiError::new(
            ErrorCode::CsrfMismatch,
            "Send the session's CSRF token in the header `x-csrf-token`.",
        ));
    }
    touch_session(app, &hash, session.last_seen_at).await;
    let identity = Identity::User {
        user: session.user,
        csrf: session.csrf,
        session: hash,
        proved_at: session.proved_at,
    };
    Ok(Some(Caller { identity, source }))
}

/// Notes the use of a session, at most once a minute. A failure is no reason to refuse the call.
async fn touch_session(app: &App, hash: &[u8], last: Time) {
    let now = app.now();
    if now.since(last) >= TOUCH_EVERY_MS
        && let Err(error) = app.store().touch_session(hash, now).await
    {
        tracing::debug!(%error, "the use of a session was not noted");
    }
}

/// Notes the use of a key, at most once a minute. A failure is no reason to refuse the call.
async fn touch_key(app: &App, key: &lk_store::ApiKey) {
    let now = app.now();
    if key.last_used_at.is_none_or(|last| now.since(last) >= TOUCH_EVERY_MS)
        && let Err(error) = app.store().touch_api_key(&key.id, now).await
    {
        tracing::debug!(%error, "the use of a key was not noted");
    }
}

fn csrf_matches(headers: &HeaderMap, expected: &str) -> bool {
    headers
        .get(CSRF_HEADER)
        .is_some_and(|given| bool::from(given.as_bytes().ct_eq(expected.as_bytes())))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(KEY_PREFIX)).then_some(token)
}

/// The value of one of our cookies, under its name on this connection alone: a plain one is not
/// read over https.
pub(crate) fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let name = cookie_name(name, door::is_https(headers));
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(n, v)| (*n == *name && !v.is_empty()).then_some(v))
}

/// Where a request came from, for audit rows, sessions and the throttle, as the door has settled it.
pub(crate) fn source(extensions: &Extensions) -> String {
    door::client_ip(extensions).map_or_else(|| "unknown".to_owned(), |ip| ip.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let name = http::HeaderName::from_static(name);
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_proof_counts_for_a_while_and_not_from_the_future() {
        let now = Time(1_772_348_400_000);
        for (age_ms, counts) in [
            (0, true),
            (PROOF_MS - 1, true),
            (PROOF_MS, false),
            (-MINUTE, true),
            (-2 * MINUTE, false),
        ] {
            assert_eq!(is_recent(now - age_ms, now), counts, "{age_ms}");
        }
    }

    #[test]
    fn keys_and_cookies_are_found() {
        assert_eq!(bearer(&headers("authorization", "Bearer lk_abc")), Some("lk_abc"));
        assert_eq!(bearer(&headers("authorization", "bearer  lk_abc ")), Some("lk_abc"));
        assert_eq!(bearer(&headers("authorization", "Bearer other")), None);
        assert_eq!(bearer(&headers("authorization", "Basic lk_abc")), None);
        let cookies = headers("cookie", "a=1; lk_session=xyz; b=2");
        assert_eq!(cookie_value(&cookies, "lk_session"), Some("xyz"));
        assert_eq!(cookie_value(&cookies, "session"), None);
    }
}
