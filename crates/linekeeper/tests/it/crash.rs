//! Planned crashes: the process dies between any two steps, and what it had acknowledged is there
//! exactly once afterwards, with a state that counts the same.

use std::collections::BTreeMap;

use lk_engine::crash::POINTS;
use serde_json::json;

use crate::harness::{Connected, Postgres, Server, eventually};

/// Deliveries of one round.
const ROUND: u32 = 12;

fn body(n: u32) -> serde_json::Value {
    // Every third fails, so that problems and streaks are at stake too.
    if n % 3 == 2 {
        json!({ "type": "invoice.failed", "data": { "n": n }, "error": { "code": "invalid_token", "message": "token expired" } })
    } else {
        json!({ "type": "invoice.paid", "status": "success", "data": { "n": n } })
    }
}

/// Sends until the server is gone; which were acknowledged.
async fn send_until_dead(server: &Server, to: &Connected, from: u32) -> Vec<u32> {
    let mut acknowledged = Vec::new();
    for n in from..from + ROUND {
        match server.deliver(to, &format!("msg_{n}"), &body(n)).await {
            Some(200) => acknowledged.push(n),
            Some(status) => panic!("delivery {n} was answered {status}"),
            None => break,
        }
    }
    acknowledged
}

/// How often each delivery is in the journal.
async fn stored(server: &Server) -> BTreeMap<u32, usize> {
    let mut found = BTreeMap::new();
    for event in server.events().await {
        let id = event["id"].as_str().expect("an id");
        let detail = server.get(&format!("/api/events/{id}")).await;
        if let Some(n) = detail["payload"]["data"]["n"].as_u64() {
            *found.entry(n as u32).or_insert(0) += 1;
        }
    }
    found
}

async fn crash_at(server: &mut Server, to: &Connected, point: &str, from: u32) -> u32 {
    server.terminate();
    server.serve(Some(point));
    let acknowledged = send_until_dead(server, to, from).await;
    server.wait_for_end();
    server.serve(None);
    let found = stored(server).await;
    for n in &acknowledged {
        assert_eq!(found.get(n), Some(&1), "{point}: acknowledged delivery {n}");
    }
    // The sender repeats what was not acknowledged; whether it had been stored or not.
    let next = from + acknowledged.len() as u32;
    assert_eq!(server.deliver(to, &format!("msg_{next}"), &body(next)).await, Some(200));
    let found = stored(server).await;
    let expected: BTreeMap<u32, usize> = (0..=next).map(|n| (n, 1)).collect();
    assert_eq!(found, expected, "{point}");
    let shown = server.get(&format!("/api/integrations/{}", to.id)).await;
    let failures = (0..=next).filter(|n| n % 3 == 2).count();
    assert_eq!(shown["record24h"]["total"], json!(next + 1), "{point}");
    assert_eq!(shown["record24h"]["errors"], json!(failures), "{point}");
    let problems = server.get("/api/problems").await;
    let counted = problems["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|p| p["count"].as_u64().unwrap_or(0));
    assert_eq!(counted.sum::<u64>(), failures as u64, "{point}: the problem's count");
    next + 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_any_two_steps_of_the_journal_loses_and_doubles_nothing() {
    crash_everywhere(Server::start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgres() {
    let database = Postgres::create();
    crash_everywhere(Server::start_on(Some(database.url.clone()))).await;
}

async fn crash_everywhere(mut server: Server) {
    let to = server.connect("standard_webhooks", &[]);
    let mut next = 0;
    for point in POINTS.iter().filter(|p| p.starts_with("journal.")) {
        for nth in [1, 4] {
            next = crash_at(&mut server, &to, &format!("{point}:{nth}"), next).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_keeps_what_it_acknowledged() {
    let mut server = Server::start();
    let to = server.connect("standard_webhooks", &[]);
    for round in 0..3 {
        let from = round * ROUND;
        assert_eq!(send_until_dead(&server, &to, from).await.len(), ROUND as usize);
        server.kill();
        server.serve(None);
    }
    let expected: BTreeMap<u32, usize> = (0..3 * ROUND).map(|n| (n, 1)).collect();
    assert_eq!(stored(&server).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_ends_well() {
    let mut server = Server::start();
    let to = server.connect("standard_webhooks", &[]);
    assert_eq!(server.deliver(&to, "msg_0", &body(0)).await, Some(200));
    assert_eq!(server.terminate(), Some(0));
    server.serve(None);
    eventually("the stored delivery", || async {
        (stored(&server).await.len() == 1).then_some(())
    })
    .await;
}
