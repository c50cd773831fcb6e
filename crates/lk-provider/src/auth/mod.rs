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

use crate::manifest::Auth;
use crate::{Manifest, Settings};

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
}
