//! The `[[auth]]` part of a manifest: the ways a connection can prove itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::answer::{TokenAnswer, TokenErrors};
use super::{Field, FieldKind};
use crate::Settings;
use crate::pointer::Pointer;
use crate::template::Template;

/// The setting that names the chosen kind.
pub const AUTH: &str = "auth";

/// One way to prove itself: a closed list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Auth {
    /// A key or token that people paste.
    ApiKey(ApiKey),
    /// A name and a password.
    Basic(Basic),
    /// OAuth 2 with a person's consent: authorisation code, PKCE, state.
    #[serde(rename = "oauth2")]
    OAuth2(Box<OAuth2>),
    /// OAuth 2 between programs.
    ClientCredentials(ClientCredentials),
    /// A signed assertion of a service account's key file.
    ServiceAccount(ServiceAccount),
    /// A token of an app's installation, got with an assertion signed by the app's key.
    AppInstallation(AppInstallation),
    /// Nothing is asked for.
    None(Open),
}

/// The kinds of [`Auth`], as settings name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthKind {
    /// See [`Auth::ApiKey`].
    ApiKey,
    /// See [`Auth::Basic`].
    Basic,
    /// See [`Auth::OAuth2`].
    OAuth2,
    /// See [`Auth::ClientCredentials`].
    ClientCredentials,
    /// See [`Auth::ServiceAccount`].
    ServiceAccount,
    /// See [`Auth::AppInstallation`].
    AppInstallation,
    /// See [`Auth::None`].
    None,
}

impl AuthKind {
    /// The stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::Basic => "basic",
            Self::OAuth2 => "oauth2",
            Self::ClientCredentials => "client_credentials",
            Self::ServiceAccount => "service_account",
            Self::AppInstallation => "app_installation",
            Self::None => "none",
        }
    }

    /// Whether the credential is what people typed, so that nothing renews it.
    pub const fn is_static(self) -> bool {
        matches!(self, Self::ApiKey | Self::Basic | Self::None)
    }
}

/// A key or token that people paste.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// What people choose it by.
    pub label: String,
    /// The form field with the key.
    pub token_field: String,
    /// The header it goes into.
    #[serde(default = "authorization")]
    pub header: String,
    /// What stands before it there.
    #[serde(default = "bearer")]
    pub prefix: String,
    /// The query parameter it goes into in place of a header.
    pub query: Option<String>,
}

/// A name and a password.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// What people choose it by.
    pub label: String,
    /// The form field with the name.
    pub username_field: String,
    /// The form field with the password; without it the password is empty, as where a key is the name.
    pub password_field: Option<String>,
}

/// OAuth 2 with a person's consent. Addresses may hold `{setting:..}`, to be filled from
/// [`crate::Manifest::with_base`]; the setting `auth_base_url` replaces their scheme and host, for
/// tests and private installations.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// What people choose it by.
    pub label: String,
    /// Where people consent.
    pub authorize_url: Template,
    /// Where codes and refresh tokens become access tokens.
    pub token_url: Template,
    /// Where tokens are refreshed, if not there.
    pub refresh_url: Option<Template>,
    /// Where tokens are withdrawn.
    pub revoke_url: Option<Template>,
    /// What is asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What stands between scopes.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Whether a code challenge is sent.
    #[serde(default = "yes")]
    pub pkce: bool,
    /// How our client proves itself.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// Further parameters of the consent address.
    #[serde(default)]
    pub authorize_params: BTreeMap<String, String>,
    /// The form field with our client's id.
    #[serde(default = "client_id")]
    pub client_id_field: String,
    /// The form field with our client's secret.
    #[serde(default = "client_secret")]
    pub client_secret_field: String,
    /// Where the token answer names the account.
    pub account: Option<Pointer>,
    /// Whether each refresh gives a new refresh token and ends the old one.
    #[serde(default)]
    pub rotates: bool,
    /// Where the token answer has what.
    #[serde(default)]
    pub answer: TokenAnswer,
    /// The provider's own error codes.
    #[serde(default)]
    pub token_errors: TokenErrors,
}

/// OAuth 2 between programs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCredentials {
    /// What people choose it by.
    pub label: String,
    /// Where the client's credentials become an access token.
    pub token_url: Template,
    /// What is asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What stands between scopes.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// How our client proves itself.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// Further parameters of the token request, such as an audience.
    #[serde(default)]
    pub token_params: BTreeMap<String, String>,
    /// The form field with our client's id.
    #[serde(default = "client_id")]
    pub client_id_field: String,
    /// The form field with our client's secret.
    #[serde(default = "client_secret")]
    pub client_secret_field: String,
}

/// A signed assertion (RS256) of a service account's key file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// What people choose it by.
    pub label: String,
    /// The form field with the key file's JSON (`client_email`, `private_key`, `private_key_id`).
    pub key_field: String,
    /// Where the assertion becomes an access token; the key file's own `token_uri` is not followed.
    pub token_url: Template,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The form field with the person it acts for, where the account may (delegation).
    pub subject_field: Option<String>,
}

/// A token of an app's installation: an assertion (RS256) with the app's id as issuer is exchanged
/// for it by POST.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppInstallation {
    /// What people choose it by.
    pub label: String,
    /// The form field with the app's id.
    pub app_id_field: String,
    /// The form field with the app's private key (PEM).
    pub private_key_field: String,
    /// The form field with the installation's id, which `token_url` holds.
    pub installation_id_field: String,
    /// Where the assertion becomes a token.
    pub token_url: Template,
    /// Further headers of that request.
    #[serde(default)]
    pub token_headers: BTreeMap<String, String>,
    /// Where the answer has the token.
    #[serde(default = "token_pointer")]
    pub token: Pointer,
    /// Where the answer has the end of its life, ISO 8601.
    #[serde(default = "expires_pointer")]
    pub expires_at: Pointer,
}

/// Nothing is asked for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// What people choose it by.
    pub label: String,
}

/// How our client proves itself at a token endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// Its id and secret in the form.
    #[default]
    Body,
    /// As name and password.
    Basic,
}

/// Where a credential goes in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement<'a> {
    /// A header, with what stands before the credential.
    Header {
        /// Its name.
        name: &'a str,
        /// What stands before the credential.
        prefix: &'a str,
    },
    /// A parameter of the query.
    Query(&'a str),
    /// Nowhere.
    Nowhere,
}

impl Auth {
    /// Its kind.
    pub const fn kind(&self) -> AuthKind {
        match self {
            Self::ApiKey(_) => AuthKind::ApiKey,
            Self::Basic(_) => AuthKind::Basic,
            Self::OAuth2(_) => AuthKind::OAuth2,
            Self::ClientCredentials(_) => AuthKind::ClientCredentials,
            Self::ServiceAccount(_) => AuthKind::ServiceAccount,
            Self::AppInstallation(_) => AuthKind::AppInstallation,
            Self::None(_) => AuthKind::None,
        }
    }

    /// What people choose it by.
    pub fn label(&self) -> &str {
        match self {
            Self::ApiKey(a) => &a.label,
            Self::Basic(a) => &a.label,
            Self::OAuth2(a) => &a.label,
            Self::ClientCredentials(a) => &a.label,
            Self::ServiceAccount(a) => &a.label,
            Self::AppInstallation(a) => &a.label,
            Self::None(a) => &a.label,
        }
    }

    /// Where the credential goes.
    pub fn placement(&self) -> Placement<'_> {
        let header = |prefix| Placement::Header {
            name: "authorization",
            prefix,
        };
        match self {
            Self::ApiKey(key) => match &key.query {
                Some(name) => Placement::Query(name),
                None => Placement::Header {
                    name: &key.header,
                    prefix: &key.prefix,
                },
            },
            Self::Basic(_) => header("Basic "),
            Self::None(_) => Placement::Nowhere,
            _ => header("Bearer "),
        }
    }

    /// The form fields it cannot do without.
    pub fn required_fields(&self) -> Vec<&str> {
        match self {
            Self::ApiKey(a) => vec![&a.token_field],
            Self::Basic(a) => vec![&a.username_field],
            Self::OAuth2(a) => vec![&a.client_id_field, &a.client_secret_field],
            Self::ClientCredentials(a) => vec![&a.client_id_field, &a.client_secret_field],
            Self::ServiceAccount(a) => vec![&a.key_field],
            Self::AppInstallation(a) => vec![&a.app_id_field, &a.private_key_field, &a.installation_id_field],
            Self::None(_) => Vec::new(),
        }
    }

    /// All its form fields.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = self.required_fields();
        match self {
            Self::Basic(a) => fields.extend(a.password_field.as_deref()),
            Self::ServiceAccount(a) => fields.extend(a.subject_field.as_deref()),
            _ => {}
        }
        fields
    }

    /// Those of its fields that hold a secret.
    fn secret_fields(&self) -> Vec<&str> {
        match self {
            Self::ApiKey(a) => vec![&a.token_field],
            Self::Basic(a) => a.password_field.as_deref().into_iter().collect(),
            Self::OAuth2(a) => vec![&a.client_secret_field],
            Self::ClientCredentials(a) => vec![&a.client_secret_field],
            Self::ServiceAccount(a) => vec![&a.key_field],
            Self::AppInstallation(a) => vec![&a.private_key_field],
            Self::None(_) => Vec::new(),
        }
    }

    /// What contradicts the rest of the manifest.
    pub(super) fn flaw(&self, fields: &[Field]) -> Option<String> {
        if self.label().trim().is_empty() {
            return Some("label must not be empty".to_owned());
        }
        if let Placement::Header { name, .. } = self.placement()
            && http::HeaderName::from_bytes(name.as_bytes()).is_err()
        {
            return Some(format!("`{name}` is not the name of a header"));
        }
        let field = |key: &str| fields.iter().find(|field| field.key == key);
        if let Some(key) = self.fields().into_iter().find(|key| field(key).is_none()) {
            return Some(format!("there is no field `{key}` among `[[fields]]`"));
        }
        let secret = |key: &&str| field(key).is_some_and(|field| field.kind == FieldKind::Secret);
        if let Some(key) = self.secret_fields().into_iter().find(|key| !secret(key)) {
            return Some(format!(
                "field `{key}` holds a credential and has to be of kind `secret`"
            ));
        }
        self.addresses()
            .into_iter()
            .find(|address| !address.begins_with("https://") && !address.begins_with_setting())
            .map(|_| "an address has to begin with https:// or with {setting:..}".to_owned())
    }

    fn addresses(&self) -> Vec<&Template> {
        match self {
            Self::OAuth2(a) => [Some(&a.authorize_url), Some(&a.token_url)]
                .into_iter()
                .chain([a.refresh_url.as_ref(), a.revoke_url.as_ref()])
                .flatten()
                .collect(),
            Self::ClientCredentials(a) => vec![&a.token_url],
            Self::ServiceAccount(a) => vec![&a.token_url],
            Self::AppInstallation(a) => vec![&a.token_url],
            Self::ApiKey(_) | Self::Basic(_) | Self::None(_) => Vec::new(),
        }
    }
}

/// The alternative that an integration uses: the one that its setting `auth` names, else the first
/// whose fields are filled, else the first.
pub(super) fn choose<'a>(alternatives: &'a [Auth], settings: &Settings) -> Option<&'a Auth> {
    let named = settings
        .get(AUTH)
        .and_then(|kind| alternatives.iter().find(|auth| auth.kind().as_str() == kind));
    let filled = |auth: &&Auth| {
        let mut fields = auth.required_fields().into_iter();
        auth.kind() != AuthKind::None && fields.all(|key| settings.get(key).is_some())
    };
    named
        .or_else(|| alternatives.iter().find(filled))
        .or_else(|| alternatives.first())
}

fn authorization() -> String {
    "authorization".to_owned()
}

fn bearer() -> String {
    "Bearer ".to_owned()
}

fn space() -> String {
    " ".to_owned()
}

fn client_id() -> String {
    "client_id".to_owned()
}

fn client_secret() -> String {
    "client_secret".to_owned()
}

const fn yes() -> bool {
    true
}

fn token_pointer() -> Pointer {
    Pointer::key("token")
}

fn expires_pointer() -> Pointer {
    Pointer::key("expires_at")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Manifest;

    const GOOD: &str = r#"
key = "acme"
name = "Acme"
summary = "s"
[[fields]]
key = "token"
label = "Token"
kind = "secret"
[[fields]]
key = "client_id"
label = "Client"
[[fields]]
key = "client_secret"
label = "Client secret"
kind = "secret"
[[auth]]
kind = "api_key"
label = "Token"
token_field = "token"
[[auth]]
kind = "oauth2"
label = "Sign in"
authorize_url = "https://acme.example/authorize"
token_url = "{setting:base_url}/token"
scopes = ["read"]
"#;

    fn refused(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from}");
        Manifest::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn contradictions_are_told_in_a_sentence() {
        assert!(refused("token_field = \"token\"", "token_field = \"key\"").contains("no field `key`"));
        assert!(refused("kind = \"secret\"", "kind = \"text\"").contains("has to be of kind `secret`"));
        assert!(refused("\"https://acme", "\"http://acme").contains("https://"));
        assert!(refused("scopes =", "scope =").contains("unknown field `scope`"));
        assert!(refused("\"oauth2\"", "\"oauth3\"").contains("unknown variant `oauth3`"));
        assert!(refused("label = \"Token\"\ntoken_field", "label = ' '\ntoken_field").contains("label"));
        let twice = format!("{GOOD}[[auth]]\nkind = 'api_key'\nlabel = 'x'\ntoken_field = 'token'\n");
        assert!(Manifest::parse(&twice).unwrap_err().to_string().contains("twice"));
        let header = format!("{GOOD}[[auth]]\nkind = 'none'\nlabel = 'x'\nheader = 'y'\n");
        assert!(
            Manifest::parse(&header)
                .unwrap_err()
                .to_string()
                .contains("unknown field")
        );
    }

    #[test]
    fn the_setting_decides_then_what_is_filled_then_order() {
        let manifest = Manifest::parse(GOOD).unwrap();
        let chosen = |pairs: &[(&str, &str)]| {
            let settings: Settings = pairs.iter().copied().collect();
            manifest.auth_of(&settings).map(Auth::kind)
        };
        let client = [("client_id", "i"), ("client_secret", "s")];
        assert_eq!(chosen(&[]), Some(AuthKind::ApiKey));
        assert_eq!(chosen(&client), Some(AuthKind::OAuth2));
        assert_eq!(chosen(&[("auth", "oauth2"), ("token", "t")]), Some(AuthKind::OAuth2));
        assert_eq!(
            chosen(&[("token", "t"), ("client_id", "i"), ("client_secret", "s")]),
            Some(AuthKind::ApiKey)
        );
    }
}
