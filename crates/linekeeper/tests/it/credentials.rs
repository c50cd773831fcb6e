//! Credentials of the real binary against a real provider (npm `oidc-provider`) whose refresh tokens
//! rotate, and which ends the whole grant when one is used twice.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lk_engine::crash::POINTS;
use serde_json::{Value, json};

use crate::attacks::http::{Answer, Ask, Browser};
use crate::harness::{Server, eventually};

const CLIENT_SECRET: &str = "client-secret-not-real-4711";
const PASSWORD: &str = "a password for connecting";
const MANIFEST: &str = r#"key = "rotating"
name = "Rotating"
summary = "Tokens that turn."
capabilities = ["check"]

[[fields]]
key = "client_id"
label = "Client"

[[fields]]
key = "client_secret"
label = "Client secret"
kind = "secret"

[[auth]]
kind = "oauth2"
label = "Sign in"
authorize_url = "{setting:base_url}/auth"
token_url = "{setting:base_url}/token"
client_auth = "basic"
scopes = ["openid", "offline_access", "read", "admin"]
authorize_params = { prompt = "consent" }
rotates = true

[check]
base_url = "https://api.example.test"
[[check.probe]]
name = "me"
rung = "credential"
path = "/api/me"
require = ["/account"]
account = "{/account}"
"#;

/// The provider, as a process that ends with this test.
struct Provider {
    url: String,
    child: Child,
}

impl Provider {
    fn start(redirect_uri: &str, access_ttl_s: u32) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests-node");
        let mut child = Command::new("node")
            .arg(folder.join("rotating-provider.mjs"))
            .arg(redirect_uri)
            .env("OIDC_CLIENT_ID", "lk")
            .env("OIDC_CLIENT_SECRET", CLIENT_SECRET)
            .env("ACCESS_TTL_S", access_ttl_s.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Node is needed (20.19 or newer)");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let url = out
            .lines()
            .map_while(Result::ok)
            .find(|line| line.starts_with("http://"));
        let url = url.expect("the provider starts: run scripts/npm-install.sh tests-node");
        Self { url, child }
    }

    async fn pull(&self, path: &str) {
        let answer = Ask::post(path, &json!({})).send_to(&self.url).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }

    /// Every refresh that it was asked for: whether it was granted, and what was said if not.
    async fn refreshes(&self) -> Vec<(bool, String)> {
        let log = Ask::get("/control/log").send_to(&self.url).await.json();
        let one = |entry: &Value| {
            let detail = entry["detail"].as_str().unwrap_or_default();
            (entry["ok"] == true, detail.to_owned())
        };
        log.as_array().expect("a list").iter().map(one).collect()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A server, the provider, and a person signed in at the server.
struct World {
    server: Server,
    provider: Provider,
    browser: Browser,
    id: String,
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

async fn sign_in(server: &Server, email: &str) -> Browser {
    let body = json!({"email": email, "password": PASSWORD});
    let answer = Ask::post("/api/session", &body).send(server).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let csrf = answer.json()["csrfToken"].as_str().expect("a token").to_owned();
    Browser {
        cookie: answer.cookie(),
        csrf,
    }
}

impl World {
    async fn start(access_ttl_s: u32) -> Self {
        let mut server = Server::stopped(None);
        let address = free_address();
        let provider = Provider::start(&format!("http://{address}/api/connect/callback"), access_ttl_s);
        server.listen = Some(address);
        std::fs::create_dir_all(server.dir.join("providers.d")).expect("a folder");
        std::fs::write(server.dir.join("providers.d/rotating.toml"), MANIFEST).expect("writes");
        server.serve(None);
        let key = server.run(&["key", "create", "--role", "owner", "--operator"], "");
        key.trim().clone_into(&mut server.key);
        let add = [
            "user",
            "add",
            "--email",
            "ada@example.com",
            "--operator",
            "--password-stdin",
        ];
        server.run(&add, PASSWORD);
        let browser = sign_in(&server, "ada@example.com").await;
        let settings = [
            format!("base_url={}", provider.url),
            "client_id=lk".to_owned(),
            format!("client_secret={CLIENT_SECRET}"),
            // Whatever is checked in these tests is checked because a test asks.
            "interval_s=86400".to_owned(),
        ];
        let mut args = vec![
            "integration",
            "add",
            "--provider",
            "rotating",
            "--name",
            "Turning",
            "--json",
        ];
        for setting in &settings {
            args.extend(["--set", setting]);
        }
        let made: Value = serde_json::from_str(&server.run(&args, "")).expect("JSON");
        Self {
            id: made["id"].as_str().expect("an id").to_owned(),
            server,
            provider,
            browser,
        }
    }

    /// Where the provider is to be visited.
    async fn begin(&self) -> String {
        let path = format!("/api/integrations/{}/reconnect", self.id);
        let answer = Ask::post(&path, &json!({})).by(&self.browser).send(&self.server).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let url = answer.json()["url"].as_str().expect("an address").to_owned();
        assert!(
            url.starts_with(&self.provider.url) && url.contains("code_challenge="),
            "{url}"
        );
        url
    }

    /// Comes back to the server with what the provider said; where that leads to.
    async fn come_back(&self, callback: &str, browser: &Browser) -> String {
        let path = callback
            .strip_prefix(&self.server.url)
            .expect("the server's own address");
        let answer = Ask::get(path).by(browser).send(&self.server).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        answer.header("location").expect("an address").to_owned()
    }

    /// Connects as somebody; where that leads to.
    async fn connect_as(&self, login: &str) -> String {
        let url = self.begin().await;
        let callback = visit(&url, login, &self.server.url).await;
        self.come_back(&callback, &self.browser).await
    }

    async fn connected(access_ttl_s: u32) -> Self {
        let world = Self::start(access_ttl_s).await;
        let page = world.connect_as("ada").await;
        assert_eq!(page, format!("/integrations/{}?connected=1", world.id));
        world
    }

    async fn current(&self) -> Value {
        self.server.get(&format!("/api/integrations/{}/health", self.id)).await["current"].clone()
    }

    async fn standing(&self) -> String {
        self.current().await["credential"]["state"]
            .as_str()
            .expect("a state")
            .to_owned()
    }

    /// Has it checked now, and gives what is shown afterwards.
    async fn check(&self) -> Value {
        let path = format!("/api/integrations/{}/health/check", self.id);
        // Once a minute for each caller: another key each time.
        let key = self.server.run(&["key", "create", "--role", "editor"], "");
        let answer = Ask::post(&path, &json!({}))
            .with_key(key.trim())
            .send(&self.server)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["current"].clone()
    }

    async fn credential_events(&self) -> Vec<String> {
        let events = self.server.events().await.into_iter();
        let types = events.filter_map(|event| event["eventType"].as_str().map(str::to_owned));
        types.filter(|kind| kind.starts_with("credential.")).collect()
    }
}

/// Walks through the provider's forms as a browser does, until it sends us to `home`.
async fn visit(url: &str, login: &str, home: &str) -> String {
    let (mut jar, mut at, mut form) = (BTreeMap::new(), url.to_owned(), None::<String>);
    for _ in 0..20 {
        if at.starts_with(home) {
            return at;
        }
        let answer = turn_page(&at, &mut jar, form.take()).await;
        if let Some(location) = answer.header("location") {
            at = absolute(&at, location);
            continue;
        }
        let action = answer
            .text
            .split("action=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let action = action.unwrap_or_else(|| panic!("no form at {at}: {} {}", answer.status, answer.text));
        at = absolute(&at, action);
        form = Some(if answer.text.contains("name=\"login\"") {
            format!("prompt=login&login={login}&password=x")
        } else {
            "prompt=consent".to_owned()
        });
    }
    panic!("the provider leads nowhere");
}

async fn turn_page(at: &str, jar: &mut BTreeMap<String, String>, form: Option<String>) -> Answer {
    let origin: String = at.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let path = at.strip_prefix(&origin).filter(|path| !path.is_empty()).unwrap_or("/");
    let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let ask = match &form {
        Some(form) => Ask::new("POST", path).body("application/x-www-form-urlencoded", form.as_bytes()),
        None => Ask::get(path),
    };
    let answer = ask.header("cookie", &cookies.join("; ")).send_to(&origin).await;
    for (name, value) in answer.cookies() {
        jar.insert(name.to_owned(), value.to_owned());
    }
    answer
}

fn absolute(at: &str, location: &str) -> String {
    if location.starts_with("http") {
        return location.to_owned();
    }
    let origin: String = at.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    format!("{origin}{location}")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_connected_by_signing_in_once_and_by_whoever_began() {
    let world = World::start(3600).await;
    assert_eq!(world.standing().await, "pending");
    let url = world.begin().await;
    let callback = visit(&url, "ada", &world.server.url).await;
    // In another session, and without one, it leads nowhere and uses nothing up.
    let other = sign_in(&world.server, "ada@example.com").await;
    let nobody = Browser {
        cookie: "lk_session=none".to_owned(),
        csrf: String::new(),
    };
    for browser in [&other, &nobody] {
        let page = world.come_back(&callback, browser).await;
        assert_eq!(page, "/integrations?failed=connect_expired");
    }
    assert_eq!(world.standing().await, "pending");
    let page = world.come_back(&callback, &world.browser).await;
    assert_eq!(page, format!("/integrations/{}?connected=1", world.id));
    let again = world.come_back(&callback, &world.browser).await;
    assert_eq!(again, "/integrations?failed=connect_expired", "once");
    // It was made due by that, without anybody asking.
    let current = eventually("the first check", || async {
        let current = world.current().await;
        (!current["lastCheckAt"].is_null()).then_some(current)
    })
    .await;
    let credential = &current["credential"];
    assert_eq!(
        (&credential["state"], &credential["account"]),
        (&json!("active"), &json!("ada"))
    );
    assert_eq!(
        (&credential["kind"], &credential["canReconnect"]),
        (&json!("oauth2"), &json!(true))
    );
    // `admin` was asked for and is not the provider's to give.
    assert_eq!(credential["missing"], json!(["admin"]));
    assert_eq!(current["health"], "degraded", "{current}");
    assert!(
        current["warnings"]
            .as_array()
            .expect("a list")
            .contains(&json!("missing_scope"))
    );
    assert_eq!(world.credential_events().await, ["credential.connected"]);
    // A key has no browser that could come back.
    let path = format!("/api/integrations/{}/reconnect", world.id);
    let by_key = world.server.call("POST", &path, Some(&json!({}))).await;
    assert_eq!(by_key.status, 403);
    // Nothing of it lies in the clear or in the log.
    let code = callback
        .split("code=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .expect("a code");
    for (name, text) in crate::everything::kept(&world.server) {
        assert!(!text.contains(code) && !text.contains(CLIENT_SECRET), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn saying_no_connects_nothing() {
    let world = World::start(3600).await;
    let url = world.begin().await;
    let state = url
        .split("&state=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .expect("a state");
    let callback = format!(
        "{}/api/connect/callback?error=access_denied&state={state}",
        world.server.url
    );
    let page = world.come_back(&callback, &world.browser).await;
    assert_eq!(page, format!("/integrations/{}?failed=connect_refused", world.id));
    // A code that the provider never gave.
    let url = world.begin().await;
    let state = url
        .split("&state=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .expect("a state");
    let callback = format!("{}/api/connect/callback?code=made-up&state={state}", world.server.url);
    let page = world.come_back(&callback, &world.browser).await;
    assert_eq!(page, format!("/integrations/{}?failed=connect_refused", world.id));
    assert_eq!(world.standing().await, "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_ahead_of_its_end_while_nobody_looks() {
    // It is due when 30 to 33 of its 40 seconds are left.
    let world = World::connected(40).await;
    let refreshes = eventually("the renewal", || async {
        let refreshes = world.provider.refreshes().await;
        (!refreshes.is_empty()).then_some(refreshes)
    })
    .await;
    assert_eq!(refreshes, [(true, String::new())]);
    let current = world.check().await;
    assert_eq!(current["credential"]["state"], "active", "{current}");
    // An outage of the token endpoint is no reason to reconnect.
    world.provider.pull("/control/down?on=1").await;
    tokio::time::sleep(std::time::Duration::from_secs(12)).await;
    assert_eq!(world.check().await["credential"]["state"], "active");
    assert_eq!(
        world.credential_events().await,
        ["credential.connected"],
        "a renewal is no news"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_access_asks_for_a_person_within_one_check_and_reconnecting_keeps_the_id() {
    let world = World::connected(3600).await;
    eventually("the first check", || async {
        (world.current().await["credential"]["account"] == "ada").then_some(())
    })
    .await;
    // A token that was issued a moment ago is not renewed because it is refused.
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    world.provider.pull("/control/revoke").await;
    let current = world.check().await;
    assert_eq!(current["credential"]["state"], "needs_reauth", "{current}");
    assert_eq!(current["health"], "down", "{current}");
    let page = world.connect_as("eve").await;
    assert_eq!(page, format!("/integrations/{}?failed=connect_other_account", world.id));
    assert_eq!(world.standing().await, "needs_reauth");
    let page = world.connect_as("ada").await;
    assert_eq!(page, format!("/integrations/{}?connected=1", world.id));
    eventually("it works again", || async {
        let current = world.current().await;
        (current["credential"]["state"] == "active" && current["consecutiveFailures"] == 0).then_some(())
    })
    .await;
    let events = world.credential_events().await;
    assert_eq!(
        events.last().map(String::as_str),
        Some("credential.reconnected"),
        "{events:?}"
    );
    let listed = world.server.get("/api/integrations").await;
    let ids: Vec<&Value> = listed["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["id"])
        .collect();
    assert_eq!(ids, [&json!(world.id)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_any_two_steps_of_a_renewal_loses_nothing_silently() {
    let points: Vec<&str> = POINTS
        .iter()
        .copied()
        .filter(|point| point.starts_with("refresh."))
        .collect();
    assert_eq!(points.len(), 5);
    for point in points {
        let mut world = World::connected(40).await;
        world.server.terminate();
        world.server.serve(Some(&format!("{point}:1")));
        world.server.wait_for_end();
        world.server.serve(None);
        world.browser = sign_in(&world.server, "ada@example.com").await;
        // What was lost between the provider's answer and the storing cannot be had again; everything
        // else goes on.
        let lost = point == "refresh.answered";
        let expected = if lost { "needs_reauth" } else { "active" };
        eventually(&format!("{point}: {expected}"), || async {
            let settled = world.provider.refreshes().await.len() > usize::from(lost);
            (settled && world.standing().await == expected).then_some(())
        })
        .await;
        let refreshes = world.provider.refreshes().await;
        let reused = refreshes.iter().filter(|(ok, _)| !ok).count();
        assert_eq!(reused, usize::from(lost), "{point}: {refreshes:?}");
        if lost {
            assert!(
                refreshes.last().expect("some").1.contains("already used"),
                "{refreshes:?}"
            );
            // One try more and no third: it waits for a person.
            tokio::time::sleep(std::time::Duration::from_secs(7)).await;
            assert_eq!(world.provider.refreshes().await.len(), refreshes.len());
            let page = world.connect_as("ada").await;
            assert_eq!(page, format!("/integrations/{}?connected=1", world.id));
        }
        assert_eq!(world.check().await["credential"]["state"], "active", "{point}");
    }
}
