//! App installations: an assertion with the app's id as issuer is exchanged for a token of one
//! installation.

use lk_core::Time;
use serde_json::json;

use super::address::address;
use super::assertion::{KeyError, signed};
use crate::manifest::AppInstallation;
use crate::{HttpRequest, Manifest, Settings};

/// Providers refuse assertions that are good for more than ten minutes.
const LIFE_S: i64 = 9 * 60;
/// Their clocks may be behind ours.
const BACK_S: i64 = 60;

/// The request for a token; nothing while a setting is empty.
pub fn request(
    auth: &AppInstallation,
    manifest: &Manifest,
    settings: &Settings,
    now: Time,
) -> Option<Result<HttpRequest, KeyError>> {
    let app = settings.get(&auth.app_id_field)?.trim();
    let key = settings.get(&auth.private_key_field)?;
    let url = address(&auth.token_url, manifest, settings)?;
    let now_s = now.ms() / 1_000;
    let claims = json!({"iss": app, "iat": now_s - BACK_S, "exp": now_s + LIFE_S});
    Some(signed(key, None, &claims).map(|assertion| {
        let mut headers: Vec<(String, String)> = auth.token_headers.clone().into_iter().collect();
        headers.push(("authorization".to_owned(), format!("Bearer {}", assertion.expose())));
        HttpRequest {
            method: "POST".to_owned(),
            url,
            headers,
            body: Vec::new(),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::super::answer::read_installation;
    use super::super::assertion::tests::{KEY, opened};
    use super::*;
    use crate::Secret;
    use crate::manifest::{Auth, TokenRefusal};
    use crate::message::HttpResponse;

    const MANIFEST: &str = "key='a'\nname='A'\nsummary='s'\n[[fields]]\nkey='app'\nlabel='l'\n[[fields]]\nkey='pem'\n\
        label='l'\nkind='secret'\n[[fields]]\nkey='inst'\nlabel='l'\n[[auth]]\nkind='app_installation'\nlabel='l'\n\
        app_id_field='app'\nprivate_key_field='pem'\ninstallation_id_field='inst'\n\
        token_url='https://api.example/installations/{setting:inst}/tokens'\ntoken_headers={x-version='7'}\n";

    #[test]
    fn the_app_proves_itself_and_asks_for_one_installation() {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let Auth::AppInstallation(auth) = &manifest.auth[0] else {
            panic!("as written")
        };
        let now = Time(1_800_000_000_500);
        let mut settings: Settings = [("app", " 42 "), ("pem", KEY)].into_iter().collect();
        assert!(request(auth, &manifest, &settings, now).is_none());
        settings.set("inst", "77");
        let sent = request(auth, &manifest, &settings, now).unwrap().unwrap();
        assert_eq!(
            (sent.method.as_str(), sent.url.as_str()),
            ("POST", "https://api.example/installations/77/tokens")
        );
        let header = |name: &str| sent.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert_eq!(header("x-version"), Some("7"));
        let token = header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
        let (_, claims) = opened(&Secret::new(token));
        assert_eq!(claims, json!({"iss": "42", "iat": 1_799_999_940, "exp": 1_800_000_540}));

        let body = json!({"token": "ghs_x", "expires_at": "2027-01-15T09:00:00Z"});
        let tokens = read_installation(&HttpResponse::json(201, &body), auth, now).unwrap();
        assert_eq!(tokens.access.expose(), "ghs_x");
        assert_eq!(tokens.expires_at, Some(Time(1_800_003_600_000)));
        let refused = read_installation(&HttpResponse::json(401, &json!({"message": "bad"})), auth, now).unwrap_err();
        assert_eq!(
            (refused.kind, refused.message.as_str()),
            (TokenRefusal::Misconfigured, "bad")
        );
    }
}
