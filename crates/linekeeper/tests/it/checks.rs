//! Checks by the real binary against fakes in every kind of trouble: what is shown has to become
//! each fake's truth, and healthy again once the trouble is over.

use std::time::Duration;

use lk_core::words::Health;
use lk_engine::Clock;
use lk_fakes::{RunningApi, Trouble};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::Server;

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
        let mut args: Vec<String> = ["integration", "add", "--provider", provider, "--json"]
            .map(str::to_owned)
            .into();
        args.extend(["--name".to_owned(), format!("{provider} {n}")]);
        let settings = api.settings();
        let pairs = settings.iter().map(|(key, value)| format!("{key}={value}"));
        for pair in pairs.chain(["interval_s=10".to_owned(), "timeout_ms=2000".to_owned()]) {
            args.extend(["--set".to_owned(), pair]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let made: Value = serde_json::from_str(&server.run(&args, "")).expect("JSON");
        Self {
            api,
            id: made["id"].as_str().expect("an id").to_owned(),
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
