//! Credentials as data: which one an integration has, and how it goes on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::manifest::{Auth, AuthKind, Manifest};
use crate::{HttpRequest, Settings};

/// The setting under which a check finds what goes on the wire.
pub const ACCESS_TOKEN: &str = "access_token";

/// The way an integration proves who we are: the one its setting `auth` names, else the first whose
/// fields are filled in, else the provider's first.
pub fn chosen<'a>(manifest: &'a Manifest, settings: &Settings) -> Option<&'a Auth> {
    let named = settings.get("auth");
    let by_name = manifest.auth.iter().find(|auth| named == Some(auth.kind.as_str()));
    let filled = || manifest.auth.iter().find(|auth| is_filled(auth, settings));
    by_name.or_else(filled).or_else(|| manifest.auth.first())
}

fn is_filled(auth: &Auth, settings: &Settings) -> bool {
    let has = |field: &Option<String>| field.as_deref().is_none_or(|field| settings.get(field).is_some());
    has(&auth.token_field) && has(&auth.username_field)
}

/// What goes on the wire of a credential that people typed.
pub fn static_token(manifest: &Manifest, settings: &Settings) -> Option<String> {
    let auth = chosen(manifest, settings)?;
    let token = auth.token_field.as_deref().and_then(|field| settings.get(field));
    match auth.kind {
        AuthKind::ApiKey => token.map(|text| text.trim().to_owned()),
        AuthKind::Basic => {
            let user = settings.get(auth.username_field.as_deref()?)?;
            Some(STANDARD.encode(format!("{user}:{}", token.unwrap_or_default())))
        }
        AuthKind::None => None,
    }
}

/// Whether a credential is needed and missing.
pub fn is_missing(manifest: &Manifest, settings: &Settings) -> bool {
    let needs = |auth: &Auth| auth.kind != AuthKind::None;
    chosen(manifest, settings).is_some_and(needs) && settings.get(ACCESS_TOKEN).is_none()
}

/// Puts the credential on a request.
pub fn put_on(request: &mut HttpRequest, manifest: &Manifest, settings: &Settings) {
    let Some((auth, token)) = chosen(manifest, settings).zip(settings.get(ACCESS_TOKEN)) else {
        return;
    };
    let prefix = auth.prefix.as_deref().unwrap_or(match auth.kind {
        AuthKind::ApiKey => "Bearer ",
        AuthKind::Basic => "Basic ",
        AuthKind::None => return,
    });
    let named = |(name, _): &(String, String)| name.eq_ignore_ascii_case(&auth.header);
    if !request.headers.iter().any(named) {
        request.headers.push((auth.header.clone(), format!("{prefix}{token}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::parse(
            "key = 'a'\nname = 'A'\nsummary = 's'\n\
             [[fields]]\nkey = 'key'\nlabel = 'Key'\nkind = 'secret'\n\
             [[fields]]\nkey = 'user'\nlabel = 'User'\n\
             [[fields]]\nkey = 'password'\nlabel = 'Password'\nkind = 'secret'\n\
             [[auth]]\nkind = 'api_key'\nlabel = 'Key'\ntoken_field = 'key'\nheader = 'x-api-key'\nprefix = ''\n\
             [[auth]]\nkind = 'basic'\nlabel = 'Password'\nusername_field = 'user'\ntoken_field = 'password'\n",
        )
        .expect("a good manifest")
    }

    fn sent(settings: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut settings: Settings = settings.iter().copied().collect();
        let manifest = manifest();
        if let Some(token) = static_token(&manifest, &settings) {
            settings.set(ACCESS_TOKEN, token);
        }
        let mut request = HttpRequest {
            method: "GET".to_owned(),
            url: "https://api.example.test/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        put_on(&mut request, &manifest, &settings);
        request.headers
    }

    #[test]
    fn the_filled_alternative_goes_on_the_wire() {
        let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(sent(&[("key", " k1 ")]), pair("x-api-key", "k1"));
        // RFC 7617, section 2.
        let basic = sent(&[("user", "Aladdin"), ("password", "open sesame")]);
        assert_eq!(basic, pair("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        let both = [("key", "k1"), ("user", "u"), ("password", "p")];
        assert_eq!(sent(&both), pair("x-api-key", "k1"));
        let chosen = [("auth", "basic"), ("key", "k1"), ("user", "u"), ("password", "p")];
        assert_eq!(sent(&chosen)[0].0, "authorization");
        assert!(sent(&[]).is_empty() && is_missing(&manifest(), &Settings::new()));
    }
}
