//! Credentials as data: what goes on the wire, from what people typed, and the requests that fetch
//! it where it has to be fetched.

mod address;
pub mod answer;
mod assertion;
pub mod installation;
pub mod oauth;
pub mod service_account;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lk_core::Time;

use crate::check::BASE_URL;
use crate::manifest::{Auth, OAuth2, TokenAnswer, TokenErrors};
use crate::template::Template;
use crate::{HttpRequest, HttpResponse, Manifest, Secret, Settings};

use answer::{Reading, Refused, Tokens};

pub use assertion::KeyError;

/// The setting under which a request finds its credential.
pub const ACCESS_TOKEN: &str = "access_token";

/// The credential of a kind that nothing has to be fetched for: a key as it is, name and password
/// as Basic wants them. Nothing for kinds that need a token from elsewhere, for `none`, and while
/// its fields are empty.
pub fn static_token(manifest: &Manifest, settings: &Settings) -> Option<String> {
    match manifest.auth_of(settings)? {
        Auth::ApiKey(key) => settings.get(&key.token_field).map(|token| token.trim().to_owned()),
        Auth::Basic(basic) => {
            let name = settings.get(&basic.username_field)?;
            let password = basic.password_field.as_deref().and_then(|key| settings.get(key));
            Some(STANDARD.encode(format!("{name}:{}", password.unwrap_or_default())))
        }
        _ => None,
    }
}

/// The way of an integration that asks for a person's consent, if that is its way.
pub fn consent<'a>(manifest: &'a Manifest, settings: &Settings) -> Option<&'a OAuth2> {
    match manifest.auth_of(settings)? {
        Auth::OAuth2(auth) => Some(auth),
        _ => None,
    }
}

/// The request for an access token: with a refresh token where there has to be one, else with what
/// people typed. Nothing where nothing is fetched, or while a setting or the token is missing.
pub fn token_request(
    manifest: &Manifest,
    settings: &Settings,
    refresh: Option<&Secret>,
    now: Time,
) -> Option<Result<HttpRequest, KeyError>> {
    match manifest.auth_of(settings)? {
        Auth::OAuth2(auth) => oauth::refresh(auth, manifest, settings, refresh?).map(Ok),
        Auth::ClientCredentials(auth) => oauth::client_credentials(auth, manifest, settings).map(Ok),
        Auth::ServiceAccount(auth) => service_account::request(auth, manifest, settings, now),
        Auth::AppInstallation(auth) => installation::request(auth, manifest, settings, now),
        Auth::ApiKey(_) | Auth::Basic(_) | Auth::None(_) => None,
    }
}

/// Reads what a token endpoint answered to one of these requests, or to a code.
pub fn read_tokens(
    manifest: &Manifest,
    settings: &Settings,
    response: &HttpResponse,
    now: Time,
) -> Result<Tokens, Refused> {
    let standard = (TokenAnswer::default(), TokenErrors::new());
    let (answer, errors, account) = match manifest.auth_of(settings) {
        Some(Auth::AppInstallation(auth)) => return answer::read_installation(response, auth, now),
        Some(Auth::OAuth2(auth)) => (&auth.answer, &auth.token_errors, auth.account.as_ref()),
        _ => (&standard.0, &standard.1, None),
    };
    let how = Reading {
        answer,
        errors,
        account,
        now,
    };
    answer::read(response, how)
}

/// The scopes that are asked for.
pub fn asked_scopes<'a>(manifest: &'a Manifest, settings: &Settings) -> &'a [String] {
    match manifest.auth_of(settings) {
        Some(Auth::OAuth2(auth)) => &auth.scopes,
        Some(Auth::ClientCredentials(auth)) => &auth.scopes,
        Some(Auth::ServiceAccount(auth)) => &auth.scopes,
        _ => &[],
    }
}

/// What a fetched token is for: the kind, the client and the hosts it was got from and goes to. A
/// token got for other ones must not be used. Nothing for kinds without one, and while a setting
/// that fetching needs is empty.
pub fn bound_to(manifest: &Manifest, settings: &Settings) -> Option<Vec<String>> {
    let auth = manifest.auth_of(settings)?;
    let filled = manifest.with_base(settings);
    let given = |keys: Vec<&str>| -> Option<Vec<String>> {
        keys.into_iter()
            .map(|key| filled.get(key).map(|text| text.trim().to_owned()))
            .collect()
    };
    let url: &Template = match auth {
        Auth::OAuth2(auth) => &auth.token_url,
        Auth::ClientCredentials(auth) => &auth.token_url,
        Auth::ServiceAccount(auth) => &auth.token_url,
        Auth::AppInstallation(auth) => &auth.token_url,
        Auth::ApiKey(_) | Auth::Basic(_) | Auth::None(_) => return None,
    };
    let mut parts = vec![auth.kind().as_str().to_owned()];
    parts.push(address::origin(&address::address(url, manifest, settings)?).to_owned());
    parts.push(address::origin(filled.get(BASE_URL).unwrap_or_default()).to_owned());
    given(auth.required_fields())?;
    match auth {
        // A new secret of the same client keeps what people consented to.
        Auth::OAuth2(auth) => parts.extend(given(vec![&auth.client_id_field])?),
        _ => parts.extend(
            auth.fields()
                .into_iter()
                .map(|key| filled.get(key).unwrap_or_default().to_owned()),
        ),
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(auth: &str) -> Manifest {
        let fields = ["user", "token"].map(|key| format!("[[fields]]\nkey = '{key}'\nlabel = 'l'\nkind = 'secret'\n"));
        let head = "key = 'a'\nname = 'A'\nsummary = 's'\n";
        Manifest::parse(&format!("{head}{}[[auth]]\nlabel = 'l'\n{auth}", fields.concat())).unwrap()
    }

    #[test]
    fn what_people_typed_becomes_what_goes_on_the_wire() {
        let settings: Settings = [("user", "Aladdin"), ("token", " open sesame ")].into_iter().collect();
        let token = |auth: &str, settings: &Settings| static_token(&manifest(auth), settings);
        let key = "kind = 'api_key'\ntoken_field = 'token'";
        assert_eq!(token(key, &settings).as_deref(), Some("open sesame"));
        assert_eq!(token(key, &Settings::new()), None);
        let basic = "kind = 'basic'\nusername_field = 'user'";
        assert_eq!(token(basic, &settings).as_deref(), Some("QWxhZGRpbjo="));
        let both = format!("{basic}\npassword_field = 'token'");
        let exact: Settings = [("user", "Aladdin"), ("token", "open sesame")].into_iter().collect();
        assert_eq!(token(&both, &exact).as_deref(), Some("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert_eq!(token("kind = 'none'", &settings), None);
    }

    #[test]
    fn a_token_is_for_one_client_and_its_hosts() {
        let text = "key='a'\nname='A'\nsummary='s'\ncapabilities=['check']\n[[fields]]\nkey='client_id'\nlabel='l'\n\
                    [[fields]]\nkey='client_secret'\nlabel='l'\nkind='secret'\n[[auth]]\nkind='oauth2'\nlabel='l'\n\
                    authorize_url='https://login.example/a'\ntoken_url='https://login.example/t'\n\
                    [check]\nbase_url='https://api.example'\n[[check.probe]]\nname='p'\nrung='credential'\npath='/p'";
        let manifest = Manifest::parse(text).unwrap();
        let bound = |pairs: &[(&str, &str)]| bound_to(&manifest, &pairs.iter().copied().collect());
        let one = bound(&[("client_id", "c"), ("client_secret", "s")]);
        assert!(one.is_some());
        assert_eq!(
            one,
            bound(&[("client_id", "c"), ("client_secret", "another"), ("interval_s", "60")])
        );
        for other in [
            ("client_id", "d"),
            ("base_url", "https://evil.example"),
            ("auth_base_url", "https://evil.example"),
        ] {
            let mut pairs = vec![("client_secret", "s"), other];
            if other.0 != "client_id" {
                pairs.push(("client_id", "c"));
            }
            let bound = bound(&pairs);
            assert!(bound.is_some() && bound != one, "{other:?}");
        }
        assert_eq!(bound(&[("client_id", "c")]), None);
    }
}
