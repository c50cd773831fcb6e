//! Which identity provider, and whom it may let in.

use lk_core::words::Role;
use lk_store::SecretText;
use url::{Host, Url};

/// The client's secret at the identity provider. Shows nothing of itself.
#[derive(Clone)]
pub struct OidcSecret(SecretText);

impl OidcSecret {
    /// Takes the secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretText::new(text))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl std::fmt::Debug for OidcSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OidcSecret")
    }
}

impl PartialEq for OidcSecret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for OidcSecret {}

/// The identity provider that people may sign in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcConfig {
    /// The provider's name for itself, exactly as its discovery document says it.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// The secret it gave us.
    pub client_secret: OidcSecret,
    /// What people call it: "Sign in with {name}".
    pub name: String,
    /// What is asked for; `openid` is asked for anyway.
    pub scopes: Vec<String>,
    /// Domains of e-mail addresses whose people may be added; empty for any.
    pub allowed_domains: Vec<String>,
    /// Whether people whom nobody invited are added when they sign in.
    pub create_people: bool,
    /// Id or slug of the project that people added so belong to.
    pub project: Option<String>,
    /// Their role in it.
    pub role: Role,
}

/// What is wrong with the configuration of the identity provider, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[oidc] {0}")]
pub struct OidcConfigError(String);

impl OidcConfig {
    /// Checks what can be checked without asking the provider.
    pub fn check(&self) -> Result<(), OidcConfigError> {
        let wrong = |text: String| Err(OidcConfigError(text));
        if !Url::parse(&self.issuer).is_ok_and(|url| is_trusted(&url)) {
            return wrong(format!(
                "issuer must be an https address (http only on this machine), it is `{}`",
                self.issuer
            ));
        }
        if self.issuer.contains(['?', '#']) {
            return wrong("issuer must be the provider's bare address, without `?` or `#`".to_owned());
        }
        for (key, value) in [
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.client_secret.expose()),
            ("name", self.name.as_str()),
        ] {
            if value.trim().is_empty() || value.chars().any(char::is_control) {
                return wrong(format!("{key} must be text in one line and not empty"));
            }
        }
        if let Some(domain) = self
            .allowed_domains
            .iter()
            .find(|d| d.contains('@') || !d.contains('.'))
        {
            return wrong(format!(
                "allowed_domains lists domains such as example.com, `{domain}` is none"
            ));
        }
        if self.project.is_some() && !self.create_people {
            return wrong("project is for people who are added by signing in; set create_people too".to_owned());
        }
        Ok(())
    }

    /// Whether people with this e-mail address may be added.
    pub(super) fn allows(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        let named = |allowed: &String| allowed.eq_ignore_ascii_case(domain);
        self.create_people && (self.allowed_domains.is_empty() || self.allowed_domains.iter().any(named))
    }
}

/// Whether what is sent to this address cannot be read on the way: https, or this machine itself.
pub(super) fn is_trusted(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> OidcConfig {
        OidcConfig {
            issuer: "https://id.example.com".to_owned(),
            client_id: "linekeeper".to_owned(),
            client_secret: OidcSecret::new("not-a-real-secret"),
            name: "Example".to_owned(),
            scopes: vec!["email".to_owned()],
            allowed_domains: vec!["example.com".to_owned()],
            create_people: true,
            project: Some("default".to_owned()),
            role: Role::Viewer,
        }
    }

    #[test]
    fn wrong_configuration_is_one_sentence() {
        config().check().unwrap();
        type Change = fn(&mut OidcConfig);
        let cases: [(Change, &str); 8] = [
            (|c| c.issuer = "http://id.example.com".into(), "https"),
            (|c| c.issuer = "id.example.com".into(), "https"),
            (|c| c.issuer = "http://127.0.0.1.example.com".into(), "https"),
            (|c| c.issuer = "https://id.example.com/?x=1".into(), "bare"),
            (|c| c.client_id = " ".into(), "client_id"),
            (|c| c.client_secret = OidcSecret::new("a\nb"), "client_secret"),
            (|c| c.allowed_domains = vec!["@example.com".into()], "allowed_domains"),
            (|c| c.create_people = false, "create_people"),
        ];
        for (change, word) in cases {
            let mut config = config();
            change(&mut config);
            let text = config.check().unwrap_err().to_string();
            assert!(text.starts_with("[oidc] ") && text.contains(word), "{text}");
        }
        for issuer in ["http://127.0.0.1:9000", "http://localhost/x", "http://[::1]:1"] {
            let mut config = config();
            config.issuer = issuer.to_owned();
            config.check().unwrap();
        }
    }

    #[test]
    fn the_secret_shows_nothing() {
        let text = format!("{:?}", config());
        assert!(!text.contains("not-a-real"), "{text}");
    }

    #[test]
    fn domains_are_whole() {
        let config = config();
        assert!(config.allows("a@Example.com"));
        for email in [
            "a@sub.example.com",
            "a@notexample.com",
            "example.com",
            "a@example.com@evil.org",
        ] {
            assert!(!config.allows(email), "{email}");
        }
    }
}
