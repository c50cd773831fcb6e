//! What each role sees: canaries are planted in everything that not everybody may know, then every
//! answer of every GET route is searched for them, for every role.

use lk_core::access::Verb;
use lk_core::words::{CredentialState, Role};
use lk_store::{NewConnection, NewTokens, SecretText};
use serde_json::{Value, json};

use crate::harness::{As, NOW, PASSWORD, TestServer, password_hash, permit};

/// Something planted, and who may see it: the least role, or nobody at all.
struct Canary {
    what: &'static str,
    text: String,
    least: Option<Role>,
}

const PRIVATE: &str = "secretrepositoryname";

async fn post(server: &TestServer, who: As, path: &str, body: Value) -> Value {
    let answer = server.call(who, "POST", path, Some(body)).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    answer.json()
}

/// Stores tokens as if somebody had consented.
async fn connect(server: &TestServer, id: &str) -> (String, String) {
    let (access, refresh) = ("accesstokennotreal4711", "refreshtokennotreal4711");
    let new = NewConnection {
        kind: "oauth2".to_owned(),
        home: String::new(),
        account_id: None,
        account_name: None,
        tokens: NewTokens {
            access: SecretText::new(access),
            refresh: Some(SecretText::new(refresh)),
            scopes: Vec::new(),
            missing: Vec::new(),
            expires_at: None,
            refresh_expires_at: None,
            refresh_at: None,
            state: CredentialState::Active,
        },
    };
    let permit = permit(Verb::ConnectIntegration);
    server.engine.store().connect(&permit, id, &new, NOW).await.unwrap();
    (access.to_owned(), refresh.to_owned())
}

async fn plant(server: &TestServer) -> Vec<Canary> {
    let admin = As::Role(Role::Admin);
    let body = json!({"provider": "sample", "name": "Payroll", "settings": {"account": PRIVATE}});
    let created = post(server, admin, "/api/integrations", body).await;
    let failure = json!({"id": "d1", "type": "a.failed", "message": "no", "code": "c"});
    assert_eq!(server.deliver(&created, &failure).await.status, 200);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let id = text(&created["integration"]["id"]);
    server.passed(&id, &json!({"account": "accountofthecheck"})).await;
    let key = post(server, admin, "/api/keys", json!({"name": "spare", "role": "viewer"})).await;
    let invite = json!({"role": "viewer", "email": "invited@example.net"});
    let invitation = post(server, admin, "/api/invitations", invite).await;
    let newcomer = json!({"email": "reset@example.net", "name": "Reset"});
    let reset = post(server, As::Operator, "/api/users", newcomer).await;
    let totp = post(server, As::Signed(Role::Owner), "/api/profile/totp", json!(null)).await;
    server.person("member@example.net", Role::Editor).await;
    let tokens = connect(server, created["integration"]["id"].as_str().expect("an id")).await;
    let token_of = |link: &Value| text(link).split("token=").nth(1).expect("a token").to_owned();
    let owner = server.browser(As::Signed(Role::Owner)).expect("signed in");
    let session = owner.cookie.split('=').nth(1).expect("a token").to_owned();
    let secret = |what, text| Canary {
        what,
        text,
        least: None,
    };
    let from = |least, what, text: &str| Canary {
        what,
        text: text.to_owned(),
        least: Some(least),
    };
    vec![
        secret("access token", tokens.0),
        secret("refresh token", tokens.1),
        secret("webhook secret", text(&created["webhookSecret"])),
        secret("API key", text(&key["value"])),
        secret("invitation link", token_of(&invitation["link"])),
        secret("reset link", token_of(&reset["link"])),
        secret("authenticator's secret", text(&totp["secret"])),
        secret("password", PASSWORD.to_owned()),
        secret("password hash", password_hash()),
        secret("session", session),
        // Everybody may: it shows that the answers about health are searched.
        from(Role::Viewer, "account of a check", "accountofthecheck"),
        from(Role::Editor, "private detail", PRIVATE),
        from(Role::Editor, "member's address", "member@example.net"),
        from(
            Role::Admin,
            "webhook address",
            text(&created["webhookUrl"]).rsplit('/').next().expect("a key"),
        ),
        from(Role::Admin, "invited address", "invited@example.net"),
    ]
}

/// The paths of every GET route, filled with what the lists name.
async fn paths(server: &TestServer) -> Vec<String> {
    let document = serde_json::to_value(lk_server::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        // A stream has no end; what it sends are the answers of the other routes.
        if item.get("get").is_none() || path == "/api/integrations/events" {
            continue;
        }
        let Some((list, rest)) = path.split_once("/{") else {
            all.push(path.clone());
            continue;
        };
        let rest = rest.split_once('}').expect("a closing bracket").1;
        let field = if list == "/api/providers" { "key" } else { "id" };
        for item in server.get(list).await.json()["items"].as_array().expect("items") {
            all.push(format!("{list}/{}{rest}", item[field].as_str().expect("a name")));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_role_is_told_more_than_it_may_know() {
    let server = TestServer::start().await;
    let canaries = plant(&server).await;
    let paths = paths(&server).await;
    let mut seen = vec![0; canaries.len()];
    for role in Role::ALL {
        for who in [As::Role(*role), As::Signed(*role)] {
            for path in &paths {
                let answer = server.call(who, "GET", path, None).await;
                for (n, canary) in canaries.iter().enumerate() {
                    if !answer.text.contains(&canary.text) {
                        continue;
                    }
                    seen[n] += 1;
                    let may = canary.least.is_some_and(|least| *role >= least);
                    // An own account shows its own address.
                    assert!(may, "{} in {path} for {who:?}", canary.what);
                }
            }
        }
    }
    for (canary, seen) in canaries.iter().zip(seen) {
        // What nobody may see is nowhere; what somebody may see was looked for where it is.
        assert_eq!(seen > 0, canary.least.is_some(), "{}", canary.what);
    }
}

#[tokio::test]
async fn who_only_looks_reads_a_label_in_place_of_a_private_detail() {
    let server = TestServer::start().await;
    let canaries = plant(&server).await;
    let list = server.get("/api/integrations").await.json();
    let path = format!("/api/integrations/{}", list["items"][0]["id"].as_str().unwrap());
    let account =
        async |role| server.call(As::Role(role), "GET", &path, None).await.json()["settings"]["account"].clone();
    assert_eq!(account(Role::Viewer).await, "Private account");
    assert_eq!(account(Role::Editor).await, PRIVATE);
    assert!(canaries.iter().any(|canary| canary.text == PRIVATE));
}
