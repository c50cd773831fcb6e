//! The identity provider: whether it answers, and says of itself what `[oidc]` says.

use lk_engine::egress::Egress;
use lk_provider::HttpRequest;
use serde_json::Value;

use super::Finding;
use crate::config::Config;

/// Where an issuer says what it is, below its own address.
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// What the document must name for people to sign in.
const NEEDED: [&str; 3] = ["authorization_endpoint", "token_endpoint", "jwks_uri"];

/// Asks the issuer for its discovery document, where one is configured.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    // What is wrong with the section itself is the configuration's finding.
    let Some(oidc) = config.server().ok().and_then(|server| server.oidc) else {
        return Vec::new();
    };
    vec![match document(&oidc.issuer).await {
        Ok(document) => judge(&oidc.issuer, &document),
        Err(said) => Finding::problem(
            "oidc.unreachable",
            format!("The identity provider {} cannot be used: {said}.", oidc.issuer),
            "Check the issuer's address, and that this machine can reach it; people can sign in with passwords meanwhile.",
        ),
    }]
}

async fn document(issuer: &str) -> Result<Value, String> {
    // Like signing in: the operator names the issuer, so it may be on a private network.
    let egress = Egress::new(true).map_err(|error| error.to_string())?;
    let request = HttpRequest {
        method: "GET".to_owned(),
        url: format!("{}{DISCOVERY}", issuer.trim_end_matches('/')),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: Vec::new(),
    };
    let answer = egress.send(&request).await.map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!("{} answers with status {}", request.url, answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|_| format!("{} is not JSON", request.url))
}

fn judge(issuer: &str, document: &Value) -> Finding {
    let named = document["issuer"].as_str().unwrap_or_default();
    if named != issuer {
        let named: String = named.chars().take(200).collect();
        return Finding::problem(
            "oidc.other_issuer",
            format!(
                "[oidc] issuer is `{issuer}`, and the provider calls itself `{named}`: nobody can sign in with it."
            ),
            format!("Set issuer to `{named}`, letter by letter, if that is the provider you mean."),
        );
    }
    let secure = |key: &&&str| {
        let address = document[**key].as_str().unwrap_or_default();
        address.starts_with("https://") || (issuer.starts_with("http://") && address.starts_with("http://"))
    };
    if let Some(missing) = NEEDED.iter().find(|key| !secure(key)) {
        return Finding::problem(
            "oidc.incomplete",
            format!("The identity provider {issuer} names no https address as {missing}."),
            "Check that the issuer is one for OpenID Connect, not for plain OAuth.",
        );
    }
    let types = document["response_types_supported"].as_array();
    if types.is_some_and(|types| !types.iter().any(|word| word == "code")) {
        return Finding::problem(
            "oidc.no_code_flow",
            format!("The identity provider {issuer} does not offer the authorisation code flow."),
            "Switch on the response type `code` there.",
        );
    }
    Finding::ok(
        "oidc.ok",
        format!("The identity provider {issuer} answers and says what it should."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_document_is_judged() {
        let issuer = "https://id.example.com";
        let good = json!({
            "issuer": issuer, "authorization_endpoint": "https://id.example.com/a",
            "token_endpoint": "https://id.example.com/t", "jwks_uri": "https://id.example.com/k",
            "response_types_supported": ["code", "id_token"],
        });
        let with = |key: &str, value: Value| {
            let mut changed = good.clone();
            changed[key] = value;
            judge(issuer, &changed).code
        };
        assert_eq!(judge(issuer, &good).code, "oidc.ok");
        assert_eq!(with("issuer", json!("https://id.example.com/")), "oidc.other_issuer");
        assert_eq!(
            with("token_endpoint", json!("http://id.example.com/t")),
            "oidc.incomplete"
        );
        assert_eq!(with("jwks_uri", Value::Null), "oidc.incomplete");
        assert_eq!(with("response_types_supported", json!(["token"])), "oidc.no_code_flow");
    }
}
