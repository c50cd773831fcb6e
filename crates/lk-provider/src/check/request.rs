//! From a manifest's probes and an integration's settings to requests.

use serde_json::Value;

use super::{Call, Probe};
use crate::auth::{ACCESS_TOKEN, static_token};
use crate::manifest::{AuthKind, Placement, ProbeRule};
use crate::template::{Scope, escaped};
use crate::{Headers, HttpRequest, Manifest, Settings};

/// The setting that stands in for a manifest's `base_url`.
pub const BASE_URL: &str = "base_url";
/// The setting that stands in for the host of consent and token addresses.
pub const AUTH_BASE_URL: &str = "auth_base_url";

/// The probes of a manifest: none while no credential is there that its way to prove itself needs,
/// as where an integration only receives webhooks. One whose path names an empty setting is left out.
pub fn probes(manifest: &Manifest, settings: &Settings) -> Vec<Probe> {
    let mut settings = manifest.with_defaults(settings);
    let open = manifest
        .auth_of(&settings)
        .is_none_or(|auth| auth.kind() == AuthKind::None);
    match token(manifest, &settings) {
        Some(token) => settings.set(ACCESS_TOKEN, token),
        None if open => {}
        None => return Vec::new(),
    }
    let rules = manifest.check.iter().flat_map(|check| &check.probes);
    rules.filter_map(|rule| probe(manifest, rule, &settings)).collect()
}

fn probe(manifest: &Manifest, rule: &ProbeRule, settings: &Settings) -> Option<Probe> {
    let body = Value::Null;
    let scope = Scope {
        body: &body,
        headers: &Headers::default(),
        query: &[],
        settings,
    };
    let path = rule.path.render_address(&scope)?;
    let mut url = format!("{}{path}", base(manifest, rule, settings)?);
    for (name, template) in &rule.query {
        if let Some(value) = template.render(&scope) {
            add_query(&mut url, name, &value);
        }
    }
    let mut headers = vec![("accept".to_owned(), rule.accept.clone())];
    for (name, template) in &rule.headers {
        headers.extend(template.render(&scope).map(|value| (name.clone(), value)));
    }
    let form: Vec<String> = rule
        .form
        .iter()
        .filter_map(|(name, template)| Some(format!("{}={}", escaped(name), escaped(&template.render(&scope)?))))
        .collect();
    let body = match (&rule.body, form.is_empty()) {
        (Some(body), _) => body.clone(),
        (None, true) => String::new(),
        (None, false) => {
            headers.push((
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            ));
            form.join("&")
        }
    };
    let mut request = HttpRequest {
        method: rule.method.clone(),
        url,
        headers,
        body: body.into_bytes(),
    };
    // A credential that is in the form already goes nowhere else.
    let in_form = rule
        .form
        .values()
        .any(|template| template.settings().any(|key| key == ACCESS_TOKEN));
    if !in_form {
        authorize(&mut request, manifest, settings);
    }
    Some(Probe {
        rung: rule.rung,
        name: rule.name.clone(),
        operation: format!("{} {}", rule.method, rule.path.shape()),
        call: Call::Http(request),
    })
}

/// Where the probe goes. Everything after it is a path, so that a credential reaches this host alone.
fn base<'a>(manifest: &'a Manifest, rule: &'a ProbeRule, settings: &'a Settings) -> Option<&'a str> {
    let own = settings.get(BASE_URL);
    let base = match &rule.auth_base_url {
        Some(declared) => settings.get(AUTH_BASE_URL).or(own).unwrap_or(declared),
        None => own.or(manifest.check.as_ref()?.base_url.as_deref())?,
    };
    let base = base.split(['?', '#']).next().unwrap_or_default();
    Some(base.trim_end_matches('/'))
}

/// Puts the integration's credential on a request, as its way to prove itself says: what the
/// setting `access_token` holds, else what people typed. The caller answers for the host.
pub fn authorize(request: &mut HttpRequest, manifest: &Manifest, settings: &Settings) {
    let Some(auth) = manifest.auth_of(settings) else {
        return;
    };
    let Some(token) = token(manifest, settings) else {
        return;
    };
    match auth.placement() {
        Placement::Header { name, prefix } => {
            request.headers.push((name.to_owned(), format!("{prefix}{token}")));
        }
        Placement::Query(name) => add_query(&mut request.url, name, &token),
        Placement::Nowhere => {}
    }
}

fn token(manifest: &Manifest, settings: &Settings) -> Option<String> {
    let given = settings.get(ACCESS_TOKEN).map(str::to_owned);
    given.or_else(|| static_token(manifest, settings))
}

fn add_query(url: &mut String, name: &str, value: &str) {
    url.push(if url.contains('?') { '&' } else { '?' });
    url.push_str(&escaped(name));
    url.push('=');
    url.push_str(&escaped(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
key = "acme"
name = "Acme"
summary = "s"
capabilities = ["check"]
[[fields]]
key = "token"
label = "Token"
kind = "secret"
[[auth]]
kind = "api_key"
label = "Token"
token_field = "token"
PLACE
[check]
base_url = "https://api.acme.example/v1"
[[check.probe]]
name = "me"
rung = "credential"
path = "/users/me"
query = { page_size = "1", team = "{setting:team}" }
headers = { x-version = "7" }
[[check.probe]]
name = "info"
rung = "scopes"
method = "POST"
path = "/tokeninfo"
auth_base_url = "https://login.acme.example"
form = { access_token = "{setting:access_token}" }
[[check.probe]]
name = "item"
rung = "capability"
path = "/items/{setting:item}"
"#;

    fn requests(place: &str, settings: &[(&str, &str)]) -> Vec<HttpRequest> {
        let manifest = Manifest::parse(&MANIFEST.replace("PLACE", place)).unwrap();
        let settings: Settings = settings.iter().copied().collect();
        let http = |probe: Probe| match probe.call {
            Call::Http(request) => request,
            other => panic!("{other:?}"),
        };
        probes(&manifest, &settings).into_iter().map(http).collect()
    }

    fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
        let found = request.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    #[test]
    fn addresses_are_put_together_and_nothing_leaves_its_place() {
        let plain = requests("", &[("token", "t")]);
        assert_eq!(plain.len(), 2);
        assert_eq!(plain[0].url, "https://api.acme.example/v1/users/me?page_size=1");
        assert_eq!(header(&plain[0], "x-version"), Some("7"));
        assert_eq!(plain[1].url, "https://login.acme.example/tokeninfo");
        let set = [
            ("token", "t"),
            ("base_url", "http://127.0.0.1:9/x/?evil=1"),
            ("team", "a&b"),
            ("item", "../../admin"),
        ];
        let own = requests("", &set);
        assert_eq!(own[0].url, "http://127.0.0.1:9/x/users/me?page_size=1&team=a%26b");
        assert_eq!(own[1].url, "http://127.0.0.1:9/x/tokeninfo");
        assert_eq!(own[2].url, "http://127.0.0.1:9/x/items/..%2F..%2Fadmin");
        let split = requests(
            "",
            &[("token", "t"), ("base_url", "http://a"), ("auth_base_url", "http://b")],
        );
        assert_eq!(split[1].url, "http://b/tokeninfo");
    }

    #[test]
    fn the_credential_goes_where_the_manifest_says_once() {
        let token = [("token", "key 1")];
        assert_eq!(header(&requests("", &token)[0], "authorization"), Some("Bearer key 1"));
        let fresh = [("token", "old"), ("access_token", "new")];
        assert_eq!(header(&requests("", &fresh)[0], "authorization"), Some("Bearer new"));
        let form = &requests("", &fresh)[1];
        assert_eq!(
            (form.body.as_slice(), header(form, "authorization")),
            (&b"access_token=new"[..], None)
        );
        let own = requests("header = \"x-key\"\nprefix = \"\"", &token);
        assert_eq!(header(&own[0], "x-key"), Some("key 1"));
        let query = requests("query = \"key\"", &token);
        assert_eq!(
            query[0].url,
            "https://api.acme.example/v1/users/me?page_size=1&key=key%201"
        );
        assert!(!format!("{:?}", query[0]).contains("key%201"));
        assert!(requests("", &[]).is_empty(), "nothing is asked without a credential");
    }
}
