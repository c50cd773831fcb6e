//! Service accounts: an assertion signed with the account's key file is exchanged for a token
//! (RFC 7523).

use lk_core::Time;
use serde::Deserialize;
use serde_json::json;

use super::address::{address, form};
use super::assertion::{KeyError, signed};
use super::oauth::post_form;
use crate::manifest::ServiceAccount;
use crate::{HttpRequest, Manifest, Settings};

/// How long an assertion is good for, in seconds; the exchange happens at once.
const LIFE_S: i64 = 3_600;
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The key file's members that are used. Its `token_uri` is not among them: a file must not decide
/// where an assertion goes.
#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
}

/// The request that turns an assertion into a token; nothing while a setting is empty.
pub fn request(
    auth: &ServiceAccount,
    manifest: &Manifest,
    settings: &Settings,
    now: Time,
) -> Option<Result<HttpRequest, KeyError>> {
    let file = settings.get(&auth.key_field)?;
    let url = address(&auth.token_url, manifest, settings)?;
    let subject = auth.subject_field.as_deref().and_then(|key| settings.get(key));
    Some(
        assertion(file, &url, &auth.scopes.join(" "), subject, now).map(|assertion| {
            let form = form([("grant_type", GRANT), ("assertion", assertion.expose())]);
            post_form(url, Vec::new(), &form)
        }),
    )
}

fn assertion(
    file: &str,
    audience: &str,
    scope: &str,
    subject: Option<&str>,
    now: Time,
) -> Result<crate::Secret, KeyError> {
    let file: KeyFile = serde_json::from_str(file).map_err(|_| KeyError::NotAKeyFile)?;
    let now_s = now.ms() / 1_000;
    let mut claims = json!({
        "iss": file.client_email,
        "scope": scope,
        "aud": audience,
        "iat": now_s,
        "exp": now_s + LIFE_S,
    });
    if let Some(subject) = subject {
        claims["sub"] = subject.trim().into();
    }
    signed(&file.private_key, file.private_key_id.as_deref(), &claims)
}

#[cfg(test)]
mod tests {
    use super::super::assertion::tests::{KEY, opened};
    use super::*;
    use crate::Secret;
    use crate::manifest::Auth;

    const MANIFEST: &str = "key='a'\nname='A'\nsummary='s'\n[[fields]]\nkey='file'\nlabel='l'\nkind='secret'\n\
        [[fields]]\nkey='whom'\nlabel='l'\n[[auth]]\nkind='service_account'\nlabel='l'\nkey_field='file'\n\
        subject_field='whom'\ntoken_url='https://login.example/token'\nscopes=['a','b']\n";

    #[test]
    fn the_assertion_says_who_for_whom_and_where() {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let Auth::ServiceAccount(auth) = &manifest.auth[0] else {
            panic!("as written")
        };
        let file = json!({"client_email": "robot@x.example", "private_key": KEY, "private_key_id": "k7",
            "token_uri": "https://evil.example/token"});
        let mut settings: Settings = [("file", file.to_string())].into_iter().collect();
        let now = Time(1_800_000_000_500);
        let sent = |settings: &Settings| request(auth, &manifest, settings, now).unwrap().unwrap();
        let request_of = sent(&settings);
        assert_eq!(request_of.url, "https://login.example/token");
        let claims = |request: &HttpRequest| {
            let body = String::from_utf8(request.body.clone()).unwrap();
            let token = body.split("assertion=").nth(1).unwrap();
            assert!(body.starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&"));
            opened(&Secret::new(token))
        };
        let (header, told) = claims(&request_of);
        assert_eq!(header["kid"], "k7");
        let expected = json!({"iss": "robot@x.example", "scope": "a b", "aud": "https://login.example/token",
            "iat": 1_800_000_000, "exp": 1_800_003_600});
        assert_eq!(told, expected);
        settings.set("whom", "ann@x.example");
        assert_eq!(claims(&sent(&settings)).1["sub"], "ann@x.example");
        assert!(request(auth, &manifest, &Settings::new(), now).is_none());
        settings.set("file", "{}");
        let refused = request(auth, &manifest, &settings, now).unwrap();
        assert_eq!(refused.unwrap_err(), KeyError::NotAKeyFile);
    }
}
