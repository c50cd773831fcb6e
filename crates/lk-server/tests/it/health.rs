//! Health over HTTP: what was measured, page by page and as files; checks that somebody asks for.

use http::header;
use jiff::Timestamp;
use lk_core::Time;
use lk_core::observation::IntegrationRid;
use lk_core::time::{DAY, HOUR, MINUTE, SECOND};
use lk_core::words::{Category, Health, Outcome, Role, Rung};
use lk_store::journal::{HistoryRow, QuotaSample};
use serde_json::{Value, json};

use crate::harness::{As, NOW, TestServer};

fn iso(at: Time) -> String {
    Timestamp::from_millisecond(at.ms()).unwrap().to_string()
}

fn moment(value: &Value) -> Time {
    let at: Timestamp = value.as_str().unwrap().parse().unwrap();
    Time(at.as_millisecond())
}

fn close(value: &Value, wanted: f64) -> bool {
    value
        .as_f64()
        .is_some_and(|got| (got - wanted).abs() < wanted.abs() * 0.021 + 1e-9)
}

/// A result every `gap`; every sixth fails.
fn results(rid: IntegrationRid, count: i64, gap: i64) -> Vec<HistoryRow> {
    let one = |n: i64| {
        let (at, ok) = (NOW + n * gap, n % 6 != 5);
        HistoryRow {
            integration: rid,
            checked_at: at,
            status: if ok { Health::Healthy } else { Health::Down },
            outcome: if ok { Outcome::Success } else { Outcome::Failure },
            took_ms: if ok { 100 } else { 900 },
            rung: (!ok).then_some(Rung::Credential),
            category: (!ok).then_some(Category::Auth),
            doc: None,
            message: (!ok).then(|| "refused, \"really\"".to_owned()),
            next_at: Some(at + gap),
            quotas: vec![QuotaSample {
                name: "core".to_owned(),
                limit: Some(5_000),
                remaining: 5_000 - n.unsigned_abs(),
                resets_at: None,
                own_count: false,
            }],
        }
    };
    (0..count).map(one).collect()
}

/// A server that knows `count` results, and the path of the integration's health; it is now right
/// after the last of them.
async fn remembering(count: i64, gap: i64) -> (TestServer, String) {
    let server = TestServer::start().await;
    let created = server.connect().await;
    let id = created["integration"]["id"].as_str().unwrap();
    let rid = server.engine.store().integration(id).await.unwrap().rid;
    server.clock.set(NOW + count * gap);
    server.remember(results(rid, count, gap)).await;
    (server, format!("/api/integrations/{id}/health"))
}

/// 30 hours and a half, of which 30 are summed up.
async fn a_day_and_more() -> (TestServer, String) {
    let (server, path) = remembering(366, 5 * MINUTE).await;
    let store = server.engine.store();
    while store.rollup_step(server.clock.now()).await.unwrap() > 0 {}
    (server, path)
}

#[tokio::test]
async fn the_last_day_is_told_in_numbers() {
    let (server, path) = a_day_and_more().await;
    let health = server.get(&path).await.json();
    let numbers = &health["statistics"];
    assert_eq!(numbers["count"], 288);
    assert_eq!(numbers["successRate"], 83.3);
    assert_eq!(numbers["averageMs"], 233.3);
    assert!(
        close(&numbers["p50Ms"], 100.0) && close(&numbers["p95Ms"], 900.0),
        "{numbers}"
    );
    assert!((numbers["uptime"].as_f64().unwrap() - 5.0 / 6.0).abs() < 1e-9);
    assert_eq!(numbers["coverage"], 1.0);
    let history = health["history"].as_array().unwrap();
    assert_eq!(history.len(), 100);
    assert_eq!(history[0]["status"], "unhealthy");
    assert_eq!(history[0]["rung"], "credential");
    assert_eq!(history[1]["status"], "healthy");
    assert!(history.is_sorted_by(|a, b| moment(&a["checkedAt"]) > moment(&b["checkedAt"])));
    let quotas = health["quotaHistory"].as_array().unwrap();
    assert!(quotas.is_sorted_by(|a, b| moment(&a["at"]) < moment(&b["at"])));
    assert_eq!(quotas.last().unwrap()["remaining"], 5_000 - 365);
    // Nobody asks this provider: there is nothing to say of now.
    let current = &health["current"];
    assert_eq!(
        (&current["status"], &current["light"]),
        (&json!("unknown"), &json!("grey"))
    );
    assert_eq!((&current["checked"], &current["stale"]), (&json!(false), &json!(false)));
    assert_eq!(current["lastCheckAt"], Value::Null);
}

#[tokio::test]
async fn uptime_is_told_for_four_windows_and_silence_is_no_uptime() {
    let (server, path) = a_day_and_more().await;
    let health = server.get(&path).await.json();
    let windows = health["uptime"].as_array().unwrap();
    let bars: Vec<usize> = windows.iter().map(|w| w["bars"].as_array().unwrap().len()).collect();
    assert_eq!(bars, [48, 42, 30, 90]);
    for bar in windows[0]["bars"].as_array().unwrap() {
        assert_eq!(
            (&bar["healthyMs"], &bar["degradedMs"], &bar["downMs"]),
            (&json!(25 * MINUTE), &json!(0), &json!(5 * MINUTE)),
            "{bar}"
        );
    }
    // 30 hours and a half are known, from hours that are summed up and the one that is not.
    for (window, hours) in windows[1..].iter().zip([7.0 * 24.0, 30.0 * 24.0, 90.0 * 24.0]) {
        let coverage = window["coverage"].as_f64().unwrap();
        assert!(
            (coverage - 30.5 / (hours - 0.5)).abs() < 1e-9,
            "{}: {coverage}",
            window["window"]
        );
        assert!((window["uptime"].as_f64().unwrap() - 5.0 / 6.0).abs() < 1e-9);
    }
    // A day later nothing was heard for a day: nothing is up.
    server.clock.set(server.clock.now() + DAY + HOUR);
    let health = server.get(&path).await.json();
    assert_eq!(health["uptime"][0]["uptime"], Value::Null);
    assert_eq!(health["uptime"][0]["coverage"], 0.0);
    assert_eq!(health["statistics"]["count"], 0);
    assert_eq!(health["statistics"]["successRate"], Value::Null);
    assert_eq!(
        health["history"].as_array().unwrap().len(),
        100,
        "the last ones stay in sight"
    );
}

/// Every page of a list, joined, each of at most ten.
async fn pages(server: &TestServer, path: &str) -> Vec<Value> {
    let (mut all, mut next) = (Vec::new(), format!("{path}&limit=10"));
    loop {
        let page = server.get(&next).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 10 && (items.len() == 10 || page["nextCursor"].is_null()));
        all.extend(items.iter().cloned());
        match page["nextCursor"].as_str() {
            Some(cursor) => next = format!("{path}&limit=10&cursor={cursor}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn history_is_read_page_by_page() {
    let (server, path) = a_day_and_more().await;
    let all = pages(&server, &format!("{path}/history?from={}", iso(NOW))).await;
    assert_eq!(all.len(), 366);
    assert!(all.is_sorted_by(|a, b| moment(&a["checkedAt"]) > moment(&b["checkedAt"])));
    // The last 24 hours unless asked otherwise; the end is not included.
    assert_eq!(
        pages(&server, &format!("{path}/history?resolution=raw")).await.len(),
        288
    );
    let (from, to) = (iso(NOW + 10 * MINUTE), iso(NOW + 20 * MINUTE));
    let some = pages(&server, &format!("{path}/history?from={from}&to={to}")).await;
    assert_eq!(some.len(), 2);

    let hours = pages(&server, &format!("{path}/history?resolution=hour&from={}", iso(NOW))).await;
    assert_eq!(hours.len(), 31);
    let count = |bucket: &Value| (bucket["count"].as_i64().unwrap(), bucket["failed"].as_i64().unwrap());
    assert_eq!(count(&hours[0]), (6, 1), "the hour that is not over");
    assert_eq!(hours[0]["healthyMs"], 25 * MINUTE);
    for (hour, at) in hours.iter().zip((0..31).rev()) {
        assert_eq!(moment(&hour["from"]), NOW + at * HOUR);
        assert_eq!(moment(&hour["to"]), NOW + (at + 1) * HOUR);
        assert!(at == 30 || count(hour) == (12, 2), "{hour}");
        assert_eq!(hour["averageMs"], 233.3);
    }
    let lately = iso(server.clock.now() - 20 * MINUTE);
    let lately = pages(&server, &format!("{path}/history?resolution=hour&from={lately}")).await;
    assert_eq!(lately.len(), 1, "the hour of that moment and nothing older: {lately:?}");

    let months = pages(&server, &format!("{path}/history?resolution=month")).await;
    assert_eq!(months.len(), 1);
    assert_eq!(count(&months[0]), (366, 61));
    assert_eq!(months[0]["from"], "2026-03-01T00:00:00.000Z");
    assert_eq!(months[0]["to"], "2026-04-01T00:00:00.000Z");
}

#[tokio::test]
async fn exports_hold_every_result_once() {
    let (server, path) = remembering(2_500, 10 * SECOND).await;
    let csv = server.get(&format!("{path}/export")).await;
    assert_eq!(csv.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    assert!(
        csv.headers[header::CONTENT_DISPOSITION]
            .to_str()
            .unwrap()
            .contains("health.csv")
    );
    let mut reader = csv::Reader::from_reader(csv.text.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(columns[..3], ["checkedAt", "status", "responseTimeMs"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2_500);
    assert!(rows.is_sorted_by(|a, b| a[0] < b[0]));
    assert_eq!(&rows[5][5], "refused, \"really\"");
    let lines = server.get(&format!("{path}/export?format=json")).await;
    let lines: Vec<Value> = lines.text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2_500);
    assert_eq!(lines[5]["errorMessage"], "refused, \"really\"");
    let some = format!("{path}/export?from={}&to={}", iso(NOW), iso(NOW + MINUTE));
    assert_eq!(server.get(&some).await.text.lines().count(), 1 + 6);

    // The operator's has them too, with whose they are, and of other providers nothing.
    let all = "/api/admin/integrations/health/export";
    let whole = server.call(As::Operator, "GET", all, None).await.text;
    assert_eq!(whole.lines().count(), 2_501);
    assert!(whole.lines().nth(1).unwrap().contains(",Payroll,sample,"), "{whole}");
    let of = |provider: &str| format!("{all}?format=json&provider={provider}");
    let mine = server.call(As::Operator, "GET", &of("sample"), None).await.text;
    assert_eq!(mine.lines().count(), 2_500);
    assert_eq!(server.call(As::Operator, "GET", &of("watched"), None).await.text, "");
}

#[tokio::test]
async fn the_installation_is_told_as_a_whole() {
    let (server, _) = a_day_and_more().await;
    let all = server
        .call(As::Operator, "GET", "/api/admin/integrations/health?window=7d", None)
        .await
        .json();
    assert_eq!(all["totals"]["integrations"], 1);
    assert_eq!(all["totals"]["unknown"], 1);
    assert_eq!(
        all["checks"]["count"], 366,
        "hours that are summed up, and the rest, once each"
    );
    assert_eq!(all["checks"]["successRate"], 83.3);
    let provider = &all["providers"][0];
    assert_eq!(
        (&provider["provider"], &provider["checks"]),
        (&json!("sample"), &json!(366))
    );
    let trend = all["trend"].as_array().unwrap();
    assert_eq!(trend.iter().map(|t| t["checks"].as_i64().unwrap()).sum::<i64>(), 366);
    assert!(trend.is_sorted_by(|a, b| moment(&a["from"]) < moment(&b["from"])));
    let worst = &all["mostFailing"][0];
    assert_eq!(
        (&worst["failed"], &worst["projectId"]),
        (&json!(61), &json!(server.project.id))
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let server = TestServer::start().await;
    let id = server.watch().await;
    let path = format!("/api/integrations/{id}/health");
    for (query, word) in [
        ("?x=1", "x"),
        ("/history?resolution=week", "resolution"),
        ("/history?limit=0", "limit"),
        ("/history?limit=1001", "limit"),
        ("/history?limit=many", "limit"),
        ("/history?cursor=x", "cursor"),
        ("/history?from=yesterday", "from"),
        ("/history?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "from"),
        ("/history?from=2026-03-01T00:00:00Z&to=2026-03-01T00:00:00Z", "from"),
        ("/export?format=xml", "format"),
        ("/export?limit=5", "limit"),
        ("/export?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "from"),
    ] {
        let answer = server.get(&format!("{path}{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
        assert_eq!(answer.json()["error"]["details"]["parameter"], word, "{query}");
    }
    for part in ["", "/history", "/export"] {
        let theirs = server.call(As::Stranger, "GET", &format!("{path}{part}"), None).await;
        assert_eq!((theirs.status.as_u16(), theirs.error().as_str()), (404, "not_found"));
        let nobody = server.call(As::Anonymous, "GET", &format!("{path}{part}"), None).await;
        assert_eq!(nobody.status, 401);
    }
    let check = format!("{path}/check");
    for (who, status) in [
        (As::Anonymous, 401),
        (As::Role(Role::Viewer), 403),
        (As::Signed(Role::Viewer), 403),
        (As::Stranger, 404),
    ] {
        assert_eq!(server.call(who, "POST", &check, None).await.status, status, "{who:?}");
    }
}

#[tokio::test]
async fn everybody_may_have_it_checked_once_a_minute() {
    let server = TestServer::start().await;
    let id = server.watch().await;
    let check = format!("/api/integrations/{id}/health/check");
    let ask = async |who| server.call(who, "POST", &check, None).await;
    let (editor, admin) = (As::Role(Role::Editor), As::Signed(Role::Admin));
    let first = ask(editor).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let current = first.json()["current"].clone();
    assert_eq!(moment(&current["lastCheckAt"]), NOW);
    assert_eq!(current["checked"], true);
    assert_eq!(current["intervalS"], 86_400);
    assert!(
        current["errorMessage"].is_string() && current["explanation"]["cause"].is_string(),
        "{current}"
    );
    assert!(!first.text.contains("tok-not-real"));
    server.clock.set(NOW + 15 * SECOND);
    let again = ask(editor).await;
    assert_eq!((again.status.as_u16(), again.error().as_str()), (429, "rate_limited"));
    assert_eq!(again.headers[header::RETRY_AFTER], "45");
    assert_eq!(again.json()["error"]["retryAfter"], 45);
    // Somebody else has a minute of their own, and gets what is true now.
    let other = ask(admin).await;
    assert_eq!(other.status, 200, "{}", other.text);
    assert_eq!(moment(&other.json()["current"]["lastCheckAt"]), NOW + 15 * SECOND);
    server.clock.set(NOW + MINUTE);
    assert_eq!(ask(editor).await.status, 200);
    let audit = server
        .call(As::Signed(Role::Admin), "GET", "/api/audit?limit=10", None)
        .await
        .json();
    let audit = audit["items"].as_array().unwrap();
    let asked: Vec<&Value> = audit
        .iter()
        .filter(|row| row["action"] == "integration.checked")
        .collect();
    assert_eq!(asked.len(), 3, "who was told to wait asked for nothing: {audit:?}");
    assert!(asked.iter().all(|row| row["target"] == json!(id)));
    // Where nothing is checked it is said, and the minute is not spent.
    let unchecked = server.connect().await;
    let unchecked = unchecked["integration"]["id"].as_str().unwrap();
    for _ in 0..2 {
        let path = format!("/api/integrations/{unchecked}/health/check");
        let answer = server.call(editor, "POST", &path, None).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (409, "conflict"));
    }
}

#[tokio::test]
async fn a_check_that_changes_nothing_is_shown_at_once() {
    let server = TestServer::start().await;
    let created = server.connect().await;
    let id = created["integration"]["id"].as_str().unwrap();
    for n in 0..20 {
        let at = NOW + n * SECOND;
        server.clock.set(at);
        server.passed(id, &json!({"account": format!("account {n}")})).await;
        let current = server.get(&format!("/api/integrations/{id}/health")).await.json()["current"].clone();
        assert_eq!(moment(&current["lastCheckAt"]), at);
        assert_eq!(current["account"], format!("account {n}"));
        assert_eq!(
            (&current["status"], &current["light"]),
            (&json!("healthy"), &json!("green"))
        );
        let list = server.get("/api/integrations").await.json();
        assert_eq!(moment(&list["items"][0]["lastCheckAt"]), at);
        assert_eq!(list["items"][0]["responseTimeMs"], 12);
    }
}
