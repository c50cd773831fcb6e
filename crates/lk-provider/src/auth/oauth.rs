//! OAuth 2 as data: the consent address, and the requests that turn a code, a refresh token or the
//! client itself into an access token.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::address::{address, form, with_query};
use crate::manifest::{ClientAuth, ClientCredentials, OAuth2};
use crate::template::{Template, escaped};
use crate::{HttpRequest, Manifest, Secret, Settings};

/// What a consent is begun with; the same is shown again when its code is exchanged.
#[derive(Debug, Clone)]
pub struct Consent<'a> {
    /// Where people are sent back to.
    pub redirect_uri: &'a str,
    /// Proves that who comes back is who was sent (RFC 7636); 43 to 128 characters.
    pub verifier: &'a Secret,
}

/// The address where people consent; nothing while a setting that it needs is empty.
pub fn authorize_url(
    auth: &OAuth2,
    manifest: &Manifest,
    settings: &Settings,
    consent: &Consent<'_>,
    state: &str,
) -> Option<String> {
    let client_id = settings.get(&auth.client_id_field)?.trim();
    let address = address(&auth.authorize_url, manifest, settings)?;
    let scope = auth.scopes.join(&auth.scope_separator);
    let challenge = challenge(consent.verifier);
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", consent.redirect_uri),
        ("state", state),
    ];
    if !scope.is_empty() {
        pairs.push(("scope", &scope));
    }
    if auth.pkce {
        pairs.extend([
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
    }
    pairs.extend(auth.authorize_params.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    Some(with_query(&address, &form(pairs)))
}

/// S256 of the verifier.
fn challenge(verifier: &Secret) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(digest.as_ref())
}

/// The request that turns a code into tokens.
pub fn exchange(
    auth: &OAuth2,
    manifest: &Manifest,
    settings: &Settings,
    consent: &Consent<'_>,
    code: &Secret,
) -> Option<HttpRequest> {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", consent.redirect_uri),
    ];
    if auth.pkce {
        pairs.push(("code_verifier", consent.verifier.expose()));
    }
    token_request(&auth.token_url, &Client::of(auth, settings)?, manifest, settings, pairs)
}

/// The request that turns a refresh token into new tokens.
pub fn refresh(auth: &OAuth2, manifest: &Manifest, settings: &Settings, token: &Secret) -> Option<HttpRequest> {
    let pairs = vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    let url = auth.refresh_url.as_ref().unwrap_or(&auth.token_url);
    token_request(url, &Client::of(auth, settings)?, manifest, settings, pairs)
}

/// The request that withdraws a token, where the provider has one (RFC 7009).
pub fn revoke(auth: &OAuth2, manifest: &Manifest, settings: &Settings, token: &Secret) -> Option<HttpRequest> {
    let pairs = vec![("token", token.expose())];
    let url = auth.revoke_url.as_ref()?;
    token_request(url, &Client::of(auth, settings)?, manifest, settings, pairs)
}

/// The request that turns the client's own credentials into a token.
pub fn client_credentials(auth: &ClientCredentials, manifest: &Manifest, settings: &Settings) -> Option<HttpRequest> {
    let client = Client {
        id: settings.get(&auth.client_id_field)?.trim(),
        secret: settings.get(&auth.client_secret_field)?.trim(),
        shown: auth.client_auth,
    };
    let scope = auth.scopes.join(&auth.scope_separator);
    let mut pairs = vec![("grant_type", "client_credentials")];
    if !scope.is_empty() {
        pairs.push(("scope", &scope));
    }
    pairs.extend(auth.token_params.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    token_request(&auth.token_url, &client, manifest, settings, pairs)
}

/// Our client at the provider.
struct Client<'a> {
    id: &'a str,
    secret: &'a str,
    shown: ClientAuth,
}

impl<'a> Client<'a> {
    fn of(auth: &OAuth2, settings: &'a Settings) -> Option<Self> {
        Some(Self {
            id: settings.get(&auth.client_id_field)?.trim(),
            secret: settings.get(&auth.client_secret_field)?.trim(),
            shown: auth.client_auth,
        })
    }
}

fn token_request<'a>(
    url: &Template,
    client: &Client<'a>,
    manifest: &Manifest,
    settings: &Settings,
    mut pairs: Vec<(&'a str, &'a str)>,
) -> Option<HttpRequest> {
    let mut headers = Vec::new();
    match client.shown {
        ClientAuth::Body => pairs.extend([("client_id", client.id), ("client_secret", client.secret)]),
        ClientAuth::Basic => {
            // Both are written as in a form first (RFC 6749, section 2.3.1).
            let pair = format!("{}:{}", escaped(client.id), escaped(client.secret));
            headers.push(("authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair))));
        }
    }
    Some(post_form(address(url, manifest, settings)?, headers, &form(pairs)))
}

/// A form to a token endpoint. Some answer with a form as well unless they are asked for JSON.
pub(super) fn post_form(url: String, mut headers: Vec<(String, String)>, form: &str) -> HttpRequest {
    headers.push(("accept".to_owned(), "application/json".to_owned()));
    let kind = "application/x-www-form-urlencoded";
    headers.push(("content-type".to_owned(), kind.to_owned()));
    HttpRequest {
        method: "POST".to_owned(),
        url,
        headers,
        body: form.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Auth;

    const MANIFEST: &str = r#"
key = "acme"
name = "Acme"
summary = "s"
[[fields]]
key = "client_id"
label = "Client"
[[fields]]
key = "client_secret"
label = "Secret"
kind = "secret"
[[auth]]
kind = "oauth2"
label = "Sign in"
authorize_url = "https://acme.example/authorize?tenant=1"
token_url = "https://acme.example/token"
refresh_url = "https://acme.example/refresh"
scopes = ["read", "write"]
authorize_params = { prompt = "consent" }
MORE
[[auth]]
kind = "client_credentials"
label = "Program"
token_url = "https://acme.example/token"
scopes = ["read"]
client_auth = "basic"
token_params = { audience = "https://api" }
"#;

    fn with(more: &str, use_it: impl Fn(&Manifest, &OAuth2, &ClientCredentials, &Settings)) {
        let manifest = Manifest::parse(&MANIFEST.replace("MORE", more)).unwrap();
        let settings: Settings = [("client_id", "id 1"), ("client_secret", "s:ecret")]
            .into_iter()
            .collect();
        let (Auth::OAuth2(oauth), Auth::ClientCredentials(client)) = (&manifest.auth[0], &manifest.auth[1]) else {
            panic!("as written")
        };
        use_it(&manifest, oauth, client, &settings);
    }

    fn body(request: &HttpRequest) -> String {
        String::from_utf8(request.body.clone()).unwrap()
    }

    #[test]
    fn the_consent_address_carries_state_and_challenge() {
        // The pair of RFC 7636, appendix B.
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let consent = Consent {
            redirect_uri: "https://lk.example/api/connect/callback",
            verifier: &verifier,
        };
        with("", |manifest, oauth, _, settings| {
            let url = authorize_url(oauth, manifest, settings, &consent, "st&ate").unwrap();
            assert_eq!(
                url,
                "https://acme.example/authorize?tenant=1&response_type=code&client_id=id%201&redirect_uri=https%3A%2F%2F\
                 lk.example%2Fapi%2Fconnect%2Fcallback&state=st%26ate&scope=read%20write&code_challenge=\
                 E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&prompt=consent"
            );
            assert!(!url.contains(verifier.expose()) && !url.contains("ecret"));
            assert!(authorize_url(oauth, manifest, &Settings::new(), &consent, "s").is_none());
        });
        with("pkce = false\nscope_separator = ','", |manifest, oauth, _, settings| {
            let url = authorize_url(oauth, manifest, settings, &consent, "s").unwrap();
            assert!(
                url.contains("scope=read%2Cwrite") && !url.contains("code_challenge"),
                "{url}"
            );
        });
    }

    #[test]
    fn token_requests_prove_the_client_as_the_manifest_says() {
        let (verifier, code, token) = (Secret::new("ver"), Secret::new("co/de"), Secret::new("rt"));
        let consent = Consent {
            redirect_uri: "https://lk.example/cb",
            verifier: &verifier,
        };
        with("", |manifest, oauth, client, settings| {
            let request = exchange(oauth, manifest, settings, &consent, &code).unwrap();
            assert_eq!(
                (request.method.as_str(), request.url.as_str()),
                ("POST", "https://acme.example/token")
            );
            assert_eq!(
                body(&request),
                "grant_type=authorization_code&code=co%2Fde&redirect_uri=https%3A%2F%2Flk.example%2Fcb&\
                 code_verifier=ver&client_id=id%201&client_secret=s%3Aecret"
            );
            let request = refresh(oauth, manifest, settings, &token).unwrap();
            assert_eq!(request.url, "https://acme.example/refresh");
            assert!(body(&request).starts_with("grant_type=refresh_token&refresh_token=rt&client_id="));
            assert!(revoke(oauth, manifest, settings, &token).is_none());
            let request = client_credentials(client, manifest, settings).unwrap();
            assert_eq!(
                body(&request),
                "grant_type=client_credentials&scope=read&audience=https%3A%2F%2Fapi"
            );
            let basic = request
                .headers
                .iter()
                .find(|(name, _)| name == "authorization")
                .unwrap();
            assert_eq!(basic.1, format!("Basic {}", STANDARD.encode("id%201:s%3Aecret")));
            assert!(!format!("{request:?}").contains("Basic"));
        });
        with("pkce = false\nclient_auth = 'basic'", |manifest, oauth, _, settings| {
            let request = exchange(oauth, manifest, settings, &consent, &code).unwrap();
            assert!(!body(&request).contains("verifier") && !body(&request).contains("client_secret"));
        });
    }
}
