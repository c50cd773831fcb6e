//! Where consent and token requests go.

use serde_json::Value;

use crate::check::{AUTH_BASE_URL, BASE_URL};
use crate::template::{Scope, Template, escaped};
use crate::{Headers, Manifest, Settings};

/// The address, filled from the settings; nothing while one of them is empty. The setting
/// `auth_base_url` stands in for its scheme and host.
pub(super) fn address(template: &Template, manifest: &Manifest, settings: &Settings) -> Option<String> {
    let mut filled = manifest.with_base(settings);
    if let Some(base) = filled.get(BASE_URL) {
        let base = base.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let base = base.to_owned();
        filled.set(BASE_URL, base);
    }
    let scope = Scope {
        body: &Value::Null,
        headers: &Headers::default(),
        query: &[],
        settings: &filled,
    };
    let url = template.render_address(&scope)?;
    let Some(own) = filled.get(AUTH_BASE_URL) else {
        return Some(url);
    };
    let own = own.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let (_, rest) = url.split_once("://")?;
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    Some(format!("{own}{path}"))
}

/// The scheme, host and port of an address.
pub(super) fn origin(address: &str) -> &str {
    let from = address.find("://").map_or(0, |at| at + 3);
    let to = address[from..]
        .find(['/', '?', '#'])
        .map_or(address.len(), |at| from + at);
    &address[..to]
}

/// Parameters as a form or query has them.
pub(super) fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = pairs.into_iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.join("&")
}

/// The address with further parameters.
pub(super) fn with_query(address: &str, query: &str) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_filled_and_lead_where_the_settings_say() {
        let text = "key='a'\nname='A'\nsummary='s'\ncapabilities=['check']\n[check]\nbase_url='https://api.example/v1'\n\
                    [[check.probe]]\nname='p'\nrung='credential'\npath='/p'";
        let manifest = Manifest::parse(text).unwrap();
        let fixed = Template::parse("https://login.example/oauth/token").unwrap();
        let own = Template::parse("{setting:base_url}/apps/{setting:id}/token").unwrap();
        let at = |template: &Template, pairs: &[(&str, &str)]| {
            address(template, &manifest, &pairs.iter().copied().collect())
        };
        assert_eq!(at(&fixed, &[]).as_deref(), Some("https://login.example/oauth/token"));
        let moved = [("auth_base_url", "http://127.0.0.1:9/x/")];
        assert_eq!(at(&fixed, &moved).as_deref(), Some("http://127.0.0.1:9/x/oauth/token"));
        assert_eq!(at(&own, &[]), None);
        let id = [("id", "a/b"), ("base_url", "http://h/?q")];
        assert_eq!(at(&own, &id).as_deref(), Some("http://h/apps/a%2Fb/token"));
        assert_eq!(
            at(&own, &[("id", "7")]).as_deref(),
            Some("https://api.example/v1/apps/7/token")
        );
        assert_eq!(origin("https://a.example:8443/x?y"), "https://a.example:8443");
        assert_eq!(origin("https://a.example"), "https://a.example");
    }
}
