//! Checks by the real binary against fakes in every kind of trouble: what is shown has to become
//! each fake's truth, and healthy again once the trouble is over.

use std::time::Duration;

use lk_core::words::Health;
use lk_engine::Clock;
use lk_fakes::{RunningApi, Trouble};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::harness::{Postgres, Server, eventually};

/// Three failed checks ten seconds apart, and room for a slow machine.
const SEEN_WITHIN: Duration = Duration::from_secs(90);

/// A fake, the integration that watches it, and the trouble it will get into.
struct Watched {
    api: RunningApi,
    id: String,
    trouble: Trouble,
    provider: &'static str,
}

impl Watched {
    /// One fake for each provider and trouble that it knows, spread so that every trouble comes up
    /// and every provider has several.
    fn all(server: &Server) -> Vec<Self> {
        let providers = lk_providers::fakes::apis().len();
        let mut watched = Vec::new();
        for round in 0..3 {
            for (n, api) in lk_providers::fakes::apis().into_iter().enumerate() {
                let troubles = api.troubles();
                let trouble = troubles[(round * providers + n) % troubles.len()];
                watched.push(Self::start(server, api, trouble, watched.len()));
            }
        }
        watched
    }

    fn start(server: &Server, api: Box<dyn lk_fakes::FakeApi>, trouble: Trouble, n: usize) -> Self {
        let provider = api.provider();
        let api = RunningApi::start(api, || Clock::system().now()).expect("a port");
        let id = add(server, provider, &format!("{provider} {n}"), &api, &[]);
        Self {
            api,
            id,
            trouble,
            provider,
        }
    }

    async fn health(&self, server: &Server) -> Value {
        let path = format!("/api/integrations/{}/health", self.id);
        let response = server.call("GET", &path, None).await;
        assert_eq!(response.status, 200, "{path}");
        serde_json::from_slice(&response.body).expect("JSON")
    }
}

/// Waits until every integration's health is what its fake says, and returns the answers.
async fn until_true(server: &Server, watched: &[Watched]) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let (mut answers, mut wrong) = (Vec::new(), Vec::new());
        for one in watched {
            let health = one.health(server).await;
            let current = &health["current"];
            if current["health"] != one.api.truth().as_str() || current["lastCheckAt"].is_null() {
                wrong.push(format!("{} {:?}: {}", one.provider, one.api.trouble(), current));
            }
            answers.push(health);
        }
        if wrong.is_empty() {
            return answers;
        }
        assert!(began.elapsed() < SEEN_WITHIN, "not seen in time: {wrong:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn what_is_shown_becomes_the_truth_and_heals() {
    let mut server = Server::start();
    let watched = Watched::all(&server);
    let healthy = until_true(&server, &watched).await;
    let mean: f64 = healthy
        .iter()
        .filter_map(|h| h["current"]["responseTimeMs"].as_f64())
        .sum::<f64>()
        / healthy.len() as f64;
    assert!(mean < 1_000.0, "checks of healthy fakes take {mean} ms on average");
    for health in &healthy {
        let ladder = health["current"]["ladder"].as_array().expect("a ladder");
        assert!(
            !ladder.is_empty() && ladder.iter().all(|step| step["ok"] == true),
            "{health}"
        );
    }
    for one in &watched {
        one.api.set(one.trouble);
    }
    let troubled = until_true(&server, &watched).await;
    for (one, health) in watched.iter().zip(&troubled) {
        let current = &health["current"];
        if one.trouble.truth() == Health::Degraded {
            assert_eq!(current["warnings"], json!(["missing_scope"]), "{}", one.provider);
            continue;
        }
        let explained = &current["explanation"];
        for part in ["title", "cause", "code"] {
            let text = explained[part].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{} {:?}: {current}", one.provider, one.trouble);
        }
        assert!(explained["fixSteps"].as_array().is_some_and(|steps| !steps.is_empty()));
        assert_ne!(
            explained["code"], "unknown.unclassified",
            "{} {:?}: {current}",
            one.provider, one.trouble
        );
        assert!(
            current["ladder"]
                .as_array()
                .is_some_and(|steps| steps.iter().any(|s| s["ok"] == false))
        );
    }
    // A crash in the middle of it changes nothing.
    server.kill();
    server.serve(None);
    for one in &watched {
        one.api.clear();
    }
    let healed = until_true(&server, &watched).await;
    for health in &healed {
        assert!(
            health["statistics"]["count"].as_u64().is_some_and(|n| n >= 4),
            "{health}"
        );
        let day = &health["uptime"][0];
        assert!(
            day["coverage"].as_f64().is_some_and(|share| share > 0.0 && share < 0.1),
            "{day}"
        );
    }
}

#[tokio::test]
async fn two_nodes_share_the_work_and_a_dead_ones_is_taken_over() {
    let postgres = Postgres::create();
    let mut first = Server::start_on(Some(postgres.url.clone()));
    let second = Server::beside(&first);
    let watched: Vec<Watched> = (0..6)
        .map(|n| Watched::start(&first, lk_providers::fakes::apis().remove(n % 5), Trouble::Down, n))
        .collect();
    until_true(&second, &watched).await;
    until_true(&first, &watched).await;
    // Nothing is checked twice as often because there are two nodes.
    let before: Vec<usize> = watched.iter().map(|one| one.api.requests().len()).collect();
    let mut shown = Vec::new();
    for one in &watched {
        shown.push(last_check(one, &second).await);
    }
    tokio::time::sleep(Duration::from_secs(25)).await;
    for (one, before) in watched.iter().zip(&before) {
        let health = one.health(&second).await;
        let probes = health["current"]["ladder"].as_array().map_or(1, Vec::len);
        let made = one.api.requests().len() - before;
        assert!(
            made > 0 && made <= 4 * probes,
            "{}: {made} requests in 25 s",
            one.provider
        );
    }
    // A node also shows what the other one found, although a check that passes is worth no event.
    for (one, shown) in watched.iter().zip(&shown) {
        eventually("the other node's check", || async {
            (last_check(one, &second).await > *shown).then_some(())
        })
        .await;
    }
    first.kill();
    for one in &watched {
        one.api.set(one.trouble);
    }
    until_true(&second, &watched).await;
}

async fn last_check(one: &Watched, server: &Server) -> String {
    let health = one.health(server).await;
    let at = health["current"]["lastCheckAt"].as_str();
    at.expect("it was checked").to_owned()
}

/// A vendor's status page that reports an outage.
struct OutagePage;

impl lk_fakes::server::Api for OutagePage {
    fn answer(&mut self, _: &lk_provider::HttpRequest) -> lk_provider::HttpResponse {
        let page = json!({
            "status": {"indicator": "critical", "description": "Major outage"},
            "components": [{"name": "API Requests", "status": "major_outage"}],
            "incidents": [{"name": "The API is down", "status": "investigating"}],
        });
        lk_provider::HttpResponse::json(200, &page)
    }
}

/// Waits until the operator's view has this.
async fn until_admin(server: &Server, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let response = server.call("GET", "/api/admin/integrations/health", None).await;
        let all: Value = serde_json::from_slice(&response.body).expect("JSON");
        if is(&all) {
            return all;
        }
        assert!(began.elapsed() < SEEN_WITHIN, "{what}: {all}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test]
async fn a_page_that_reports_an_outage_and_many_that_fail_alike_are_incidents() {
    let server = Server::start();
    let page = lk_fakes::server::serve(OutagePage).expect("a port");
    let with_page = lk_providers::fakes::apis()
        .into_iter()
        .find(|api| api.provider() == "github")
        .expect("it has a fake");
    let calm = RunningApi::start(with_page, || Clock::system().now()).expect("a port");
    let page = format!("status_url={}", page.base_url());
    let calm_id = add(&server, "github", "calm", &calm, &[&page]);
    // Four of one provider with credentials of their own, of which all fail at once.
    let common: Vec<RunningApi> = (0..4)
        .map(|_| {
            lk_providers::fakes::apis()
                .into_iter()
                .find(|api| api.provider() == "http")
                .expect("it has a fake")
        })
        .map(|api| RunningApi::start(api, || Clock::system().now()).expect("a port"))
        .collect();
    let ids: Vec<String> = common
        .iter()
        .enumerate()
        .map(|(n, api)| {
            add(
                &server,
                "http",
                &format!("one of many {n}"),
                api,
                &[&format!("password=own-{n}-not-real")],
            )
        })
        .collect();
    let all = until_admin(&server, "the page's incident", |all| {
        all["incidents"].as_array().is_some_and(|open| !open.is_empty())
    })
    .await;
    let incident = &all["incidents"][0];
    assert_eq!(
        (&incident["provider"], &incident["cause"]),
        (&json!("github"), &json!("status_page"))
    );
    assert!(
        incident["summary"]
            .as_str()
            .is_some_and(|text| text.contains("The API is down")),
        "{incident}"
    );
    let health = server.get(&format!("/api/integrations/{calm_id}/health")).await;
    assert_eq!(health["current"]["health"], "degraded", "{health}");
    assert_eq!(health["current"]["reasons"][0]["code"], "provider_incident");
    for api in &common {
        api.set(Trouble::ServerError);
    }
    let all = until_admin(&server, "the inferred incident", |all| {
        all["incidents"]
            .as_array()
            .is_some_and(|open| open.iter().any(|i| i["cause"] == "inferred"))
    })
    .await;
    let inferred = all["incidents"]
        .as_array()
        .and_then(|all| all.iter().find(|i| i["cause"] == "inferred"));
    assert_eq!(inferred.expect("found above")["provider"], "http");
    let health = server.get(&format!("/api/integrations/{}/health", ids[0])).await;
    let reasons = health["current"]["reasons"].as_array().expect("reasons");
    assert!(
        reasons.iter().any(|reason| reason["code"] == "provider_incident"),
        "{health}"
    );
}

/// Adds an integration that watches a fake, and gives its id.
fn add(server: &Server, provider: &str, name: &str, api: &RunningApi, more: &[&str]) -> String {
    let mut args: Vec<String> = ["integration", "add", "--provider", provider, "--name", name, "--json"]
        .map(str::to_owned)
        .into();
    let settings = api.settings();
    let given = |key: &str| more.iter().any(|pair| pair.starts_with(&format!("{key}=")));
    let own = settings
        .iter()
        .filter(|(key, _)| !given(key))
        .map(|(key, value)| format!("{key}={value}"));
    let more = more.iter().map(|pair| (*pair).to_owned());
    for pair in own
        .chain(["interval_s=10".to_owned(), "timeout_ms=2000".to_owned()])
        .chain(more)
    {
        args.extend(["--set".to_owned(), pair]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let made: Value = serde_json::from_str(&server.run(&args, "")).expect("JSON");
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_check_can_be_asked_for_once_a_minute_and_read_as_a_file() {
    let server = Server::start();
    let api = lk_providers::fakes::apis().remove(0);
    let one = Watched::start(&server, api, Trouble::Down, 0);
    until_true(&server, std::slice::from_ref(&one)).await;
    let path = format!("/api/integrations/{}/health/check", one.id);
    let first = server.call("POST", &path, None).await;
    assert_eq!(first.status, 200, "{}", String::from_utf8_lossy(&first.body));
    let again = server.call("POST", &path, None).await;
    assert_eq!(again.status, 429);
    let wait = again
        .headers
        .iter()
        .find(|(name, _)| name == "retry-after")
        .expect("says when");
    assert!(wait.1.parse::<u64>().is_ok_and(|s| (1..=60).contains(&s)));
    let file = server
        .call("GET", &format!("/api/integrations/{}/health/export", one.id), None)
        .await;
    let text = String::from_utf8(file.body).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "checkedAt,status,responseTimeMs,rung,errorCode,errorMessage");
    assert!(lines.len() >= 3 && lines[1].contains(",healthy,"), "{text}");
    let all = server.call("GET", "/api/admin/integrations/health", None).await;
    let all: Value = serde_json::from_slice(&all.body).expect("JSON");
    assert_eq!(all["totals"]["healthy"], 1);
    assert!(all["checks"]["count"].as_u64().is_some_and(|n| n >= 2));
    assert_eq!(all["checks"]["successRate"], 100.0);
    // The command sees the same, without the server.
    let told = server.run(&["check", &one.id, "--json"], "");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["ok"], true);
}

/// The next message that tells of health, as JSON.
async fn told(
    socket: &mut (impl futures_util::Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
) -> Value {
    use futures_util::StreamExt as _;
    loop {
        let next = tokio::time::timeout(Duration::from_secs(20), socket.next()).await;
        let message = next
            .expect("a message in time")
            .expect("still open")
            .expect("a message");
        if let Message::Text(text) = message {
            return serde_json::from_str(text.as_str()).expect("JSON");
        }
    }
}

#[tokio::test]
async fn changes_of_health_come_as_messages() {
    use futures_util::SinkExt as _;
    let server = Server::start();
    let api = lk_providers::fakes::apis().remove(0);
    let one = Watched::start(&server, api, Trouble::ServerError, 0);
    until_true(&server, std::slice::from_ref(&one)).await;
    let url = format!("{}/health-updates", server.url.replace("http://", "ws://"));
    let open = |key: Option<String>, origin: Option<&'static str>| {
        let mut request = url.as_str().into_client_request().expect("a request");
        if let Some(key) = key {
            let value = format!("Bearer {key}").parse().expect("a value");
            request.headers_mut().insert("authorization", value);
        }
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().expect("a value"));
        }
        tokio_tungstenite::connect_async(request)
    };
    assert!(open(None, None).await.is_err(), "nobody is let in without a key");
    let elsewhere = open(Some(server.key.clone()), Some("https://evil.example")).await;
    assert!(elsewhere.is_err(), "another site's page is refused");
    let (mut socket, _) = open(Some(server.key.clone()), None).await.expect("opens");
    let stranger = "01890f6e-0000-7000-8000-000000000000";
    let ask = json!({"type": "subscribe", "integrationIds": [one.id, stranger]});
    socket.send(Message::text(ask.to_string())).await.expect("sends");
    let first = told(&mut socket).await;
    assert_eq!(
        (&first["type"], &first["integrationId"]),
        (&json!("health"), &json!(one.id))
    );
    assert_eq!(first["health"]["status"], "healthy");
    let second = told(&mut socket).await;
    assert_eq!(
        (&second["type"], &second["code"]),
        (&json!("error"), &json!("not_found"))
    );
    one.api.set(one.trouble);
    let degraded = loop {
        let message = told(&mut socket).await;
        if message["health"]["status"] != "healthy" {
            break message;
        }
    };
    assert_eq!(degraded["health"]["status"], "degraded");
    assert!(degraded["health"]["errorMessage"].is_string());
    socket.send(Message::text("nonsense")).await.expect("sends");
    let wrong = loop {
        let message = told(&mut socket).await;
        if message["type"] == "error" {
            break message;
        }
    };
    assert_eq!(wrong["code"], "invalid_request");
    let metrics = server.call("GET", "/metrics", None).await;
    let text = String::from_utf8(metrics.body).expect("text");
    let line = format!(
        "integration_health{{service=\"{0}\",provider=\"{0}\",status=\"degraded\"}} 1",
        one.provider
    );
    assert!(text.contains(&line), "{text}");
}
