//! The master key is replaced while webhooks come in: none is refused, nothing stays sealed with
//! the key before, and a crash at any step is mended by running the command again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use futures_util::future::{join, join_all};
use lk_core::access::{Standing, Verb, authorize};
use lk_engine::crash::POINTS;
use lk_store::{MasterKey, NewWebhookSecret, SecretSource, SecretText, Store, StoreConfig, Sweep, Swept};
use serde_json::{Value, json};

use crate::everything::kept;
use crate::harness::{Connected, Postgres, Server, eventually, files, now};

const ROTATE: [&str; 2] = ["key", "rotate-master"];
/// A credential, and the token of a handshake: neither may be found in any file.
const PLANTED: [&str; 2] = ["the-system-token-of-this-test", "the-verification-token-of-this-test"];
/// A port that nobody answers at: what is to be sent there stays in the outbox.
const NOBODY: &str = "base_url=http://127.0.0.1:9";

fn paid(n: u32) -> Value {
    json!({ "type": "invoice.paid", "status": "success", "data": { "n": n } })
}

fn store_config(server: &Server) -> StoreConfig {
    match &server.database {
        Some(url) => StoreConfig::Postgres { url: url.clone() },
        None => StoreConfig::Sqlite {
            path: server.dir.join("linekeeper.db"),
        },
    }
}

/// What the keys in a file open, beside the server.
async fn opened_by(server: &Server, key_file: &Path) -> Swept {
    let key = MasterKey::from_file(key_file).expect("a key");
    let store = Store::open(&store_config(server), key.clone(), now()).await;
    let store = store.expect("opens");
    let mut sweep = Sweep::look(&key);
    while store.sweep_step(&mut sweep).await.expect("walks") {}
    store.close().await.expect("closes");
    sweep.swept().clone()
}

/// How often the audit log says that the key was replaced.
async fn noted(server: &Server) -> usize {
    let key = MasterKey::from_file(&key_file(server)).expect("a key");
    let store = Store::open(&store_config(server), key, now()).await;
    let store = store.expect("opens");
    let log = store
        .audit_log(&lk_store::AuditFilter::default(), None, 1_000)
        .await
        .expect("reads");
    store.close().await.expect("closes");
    let rotated = log.iter().filter(|row| row.action == "master_key.rotated");
    rotated.count()
}

fn key_file(server: &Server) -> PathBuf {
    server.dir.join("master.key")
}

fn retired(server: &Server) -> Vec<PathBuf> {
    let all = files(&server.dir).into_iter();
    all.filter(|path| path.extension().is_some_and(|e| e == "retired"))
        .collect()
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Runs a command to its end while other things go on.
async fn run(mut command: Command) -> Output {
    let ended = tokio::task::spawn_blocking(move || command.output());
    ended.await.expect("no panic").expect("runs")
}

/// Delivers without a pause until `done`; how many, each of them accepted.
async fn deliver_until(
    server: &Server,
    to: &Connected,
    prefix: &str,
    done: &tokio::sync::watch::Receiver<bool>,
) -> u32 {
    let mut n = 0;
    while !*done.borrow() {
        let status = server.deliver(to, &format!("{prefix}_{n}"), &paid(n)).await;
        assert_eq!(status, Some(200), "delivery {n} of {prefix}");
        n += 1;
    }
    n
}

/// Adds a secret through the API, and an integration through the command line, again and again.
async fn add_until(server: &Server, to: &Connected, done: &tokio::sync::watch::Receiver<bool>) -> u32 {
    let mut n = 0;
    while !*done.borrow() {
        let path = format!("/api/integrations/{}/webhook-secrets", to.id);
        let added = server.call("POST", &path, Some(&json!({}))).await;
        assert_eq!(added.status, 201);
        let added: Value = serde_json::from_slice(&added.body).expect("JSON");
        let signed = Connected {
            secret: added["value"].as_str().map(str::to_owned),
            ..to.clone()
        };
        let status = server.deliver(&signed, &format!("added_{}", now().0), &paid(n)).await;
        assert_eq!(status, Some(200), "the new secret works at once");
        let args = ["integration", "add", "--provider", "standard_webhooks", "--json"];
        let made = run(server.command(&args)).await;
        let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
        let url = made["webhookUrl"].as_str().expect("an address");
        let connected = Connected {
            id: made["id"].as_str().expect("an id").to_owned(),
            path: url[url.find("/webhooks/").expect("a webhook address")..].to_owned(),
            secret: made["webhookSecret"].as_str().map(str::to_owned),
            ..to.clone()
        };
        assert_eq!(server.deliver(&connected, "msg_1", &paid(n)).await, Some(200));
        n += 1;
    }
    n
}

/// Replaces the key while deliveries come in and secrets are added.
async fn rotate_under_load(server: &Server, to: &Connected, prefix: &str) -> String {
    let (end, done) = tokio::sync::watch::channel(false);
    let rotate = async {
        let output = run(server.command(&ROTATE)).await;
        end.send_replace(true);
        output
    };
    let load = join(deliver_until(server, to, prefix, &done), add_until(server, to, &done));
    let (output, (delivered, added)) = join(rotate, load).await;
    let (out, error) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(out.starts_with("the master key is now "), "{out}");
    assert!(delivered > 20 && added > 2, "{delivered} and {added}");
    out
}

/// A handshake whose confirmation cannot be sent: it stays sealed in the outbox.
async fn waiting_handshake(server: &Server) {
    let token = format!("system_token={}", PLANTED[0]);
    let to = server.connect("gusto", &[NOBODY, &token]);
    let body = json!({ "verification_token": PLANTED[1], "webhook_subscription_uuid": "0c5e1f7a-1111-4222-8333-944455566677" });
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let answer = server.post(&to.path, headers, body.to_string().as_bytes()).await;
    assert_eq!(answer.ok(), Some(200));
}

/// Neither the database's files nor the log hold a sealed value in the clear.
fn keeps_nothing_readable(server: &Server, to: &Connected) {
    let secret = to.secret.as_deref().expect("a secret");
    let key = to.path.rsplit('/').next().expect("a key");
    for (place, text) in kept(server) {
        for planted in PLANTED.iter().copied().chain([secret, key]) {
            assert!(!text.contains(planted), "{planted} can be read in {place}");
        }
    }
}

async fn replaced_twice_under_load(mut server: Server) {
    let to = server.connect("standard_webhooks", &[]);
    waiting_handshake(&server).await;
    let first = MasterKey::from_file(&key_file(&server)).expect("a key").id();
    let lines = [
        rotate_under_load(&server, &to, "first").await,
        rotate_under_load(&server, &to, "second").await,
    ];
    assert!(lines[0].contains(&format!("master-{first}.retired")), "{}", lines[0]);
    let after = opened_by(&server, &key_file(&server)).await;
    assert!(after.is_clean() && after.current > 10, "{after:?}");
    let kept_keys = retired(&server);
    assert_eq!(kept_keys.len(), 2, "{kept_keys:?}");
    for path in &kept_keys {
        let opened = opened_by(&server, path).await;
        assert_eq!((opened.current, opened.older_count()), (0, 0), "{}", path.display());
        assert_eq!(opened.unopened, after.current, "{}", path.display());
    }
    assert_eq!(noted(&server).await, 2);
    // Started again with the file as it is now, everything opens and is accepted.
    assert_eq!(server.terminate(), Some(0));
    server.serve(None);
    assert_eq!(server.deliver(&to, "after", &paid(0)).await, Some(200));
    if server.database.is_none() {
        keeps_nothing_readable(&server, &to);
    }
    let log = server.log();
    assert!(!log.contains("cannot be opened"), "{log}");
    assert!(
        log.contains("the master key file changed"),
        "the running server said that it noticed: {log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_replaced_twice_while_webhooks_come_in() {
    replaced_twice_under_load(Server::start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgres() {
    let database = Postgres::create();
    replaced_twice_under_load(Server::start_on(Some(database.url.clone()))).await;
}

/// Values of one webhook integration (address, secret), of one that shook hands (address, secret,
/// credential, effect), and the installation's own key.
const SEALED: u64 = 7;

async fn crash_once(point: &str) {
    let server = Server::start();
    let to = server.connect("standard_webhooks", &[]);
    waiting_handshake(&server).await;
    let mut crashing = server.command(&ROTATE);
    crashing.env("LINEKEEPER_CRASH_AT", point);
    let crashed = run(crashing).await;
    assert_eq!(crashed.status.code(), None, "{point}: {:?}", said(&crashed));
    assert_eq!(server.deliver(&to, "between", &paid(0)).await, Some(200), "{point}");
    // A server that starts now, from whatever is in the file, opens everything.
    let between = opened_by(&server, &key_file(&server)).await;
    assert_eq!(
        (between.unopened, between.current + between.older_count()),
        (0, SEALED),
        "{point}"
    );
    let again = run(server.command(&ROTATE)).await;
    assert_eq!(again.status.code(), Some(0), "{point}: {:?}", said(&again));
    let after = opened_by(&server, &key_file(&server)).await;
    assert!(after.is_clean() && after.current == SEALED, "{point}: {after:?}");
    let keys = fs::read_to_string(key_file(&server)).expect("reads");
    assert_eq!(keys.lines().count(), 1, "{point}");
    assert!(!retired(&server).is_empty(), "{point}");
    assert!(!server.dir.join("master.key.new").exists(), "{point}");
    assert_eq!(server.deliver(&to, "after", &paid(1)).await, Some(200), "{point}");
    assert!(!server.log().contains("cannot be opened"), "{point}: {}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_step_is_finished_by_running_it_again() {
    let points = POINTS.iter().filter(|p| p.starts_with("rotate."));
    let mut plans: Vec<String> = points.map(|point| format!("{point}:1")).collect();
    // The first walk only looks; later ones write, and the second announcement is at the end.
    plans.extend(["rotate.step:5", "rotate.step:6", "rotate.announced:2"].map(str::to_owned));
    join_all(plans.iter().map(|plan| crash_once(plan))).await;
}

/// Two nodes, each with a key file of its own, by the steps of docs/operations.md.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_with_a_file_each_change_the_key_together() {
    let database = Postgres::create();
    let one = Server::start_on(Some(database.url.clone()));
    let other = Server::beside(&one);
    let to = one.connect("standard_webhooks", &[]);
    let old = fs::read_to_string(key_file(&one)).expect("reads");
    let new = format!("{}\n", "5".repeat(64));
    for server in [&one, &other] {
        fs::write(key_file(server), format!("{old}{new}")).expect("accepts it");
    }
    let (end, done) = tokio::sync::watch::channel(false);
    let change = async {
        for server in [&one, &other] {
            fs::write(key_file(server), format!("# the new one first\n{new}\n{old}")).expect("seals with it");
        }
        let output = run(one.command(&ROTATE)).await;
        end.send_replace(true);
        output
    };
    let load = join(
        deliver_until(&one, &to, "one", &done),
        join(
            deliver_until(&other, &to, "other", &done),
            add_until(&other, &to, &done),
        ),
    );
    let (output, _) = join(change, load).await;
    assert_eq!(output.status.code(), Some(0), "{:?}", said(&output));
    fs::copy(key_file(&one), key_file(&other)).expect("the file as it is now");
    let after = opened_by(&one, &key_file(&other)).await;
    assert!(after.is_clean() && after.current > 3, "{after:?}");
    for server in [&one, &other] {
        assert!(!server.log().contains("cannot be opened"), "{}", server.log());
    }
}

/// A node that gets its copy of the new file too late finds its secrets again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_key_file_comes_late_mends_itself() {
    let database = Postgres::create();
    let one = Server::start_on(Some(database.url.clone()));
    let other = Server::beside(&one);
    let to = one.connect("standard_webhooks", &[]);
    let digits = fs::read_to_string(key_file(&one)).expect("reads");
    let asleep = MasterKey::from_env_value("ASLEEP", &digits).expect("the key before");
    let asleep = Store::open(&store_config(&one), asleep, now()).await.expect("opens");
    asleep.prove_master_key().await.expect("knows what it needs");
    let output = run(one.command(&ROTATE)).await;
    assert_eq!(output.status.code(), Some(0), "{:?}", said(&output));
    assert!(said(&output).1.contains("other nodes"), "it says so");
    eventually("the other node's complaint", || async {
        other.log().contains("cannot be opened").then_some(())
    })
    .await;
    fs::copy(key_file(&one), key_file(&other)).expect("copies");
    eventually("an accepted delivery", || async {
        let status = other.deliver(&to, "late", &paid(1)).await;
        (status == Some(200)).then_some(())
    })
    .await;
    // One that slept, and stored a secret with the key it knew: the kept key still opens it.
    let permit = authorize(&Standing::command_line(), Verb::ManageWebhookSecrets).expect("may");
    let new = NewWebhookSecret {
        value: SecretText::new("whsec_bm90IHRoZSByaWdodCBzZWNyZXQgYXQgYWxs"),
        source: SecretSource::Manual,
    };
    let added = asleep.add_webhook_secret(&permit, &to.id, &new, now()).await;
    added.expect("adds");
    asleep.close().await.expect("closes");
    assert_eq!(opened_by(&one, &key_file(&one)).await.unopened, 1);
    let output = run(one.command(&ROTATE)).await;
    assert_eq!(output.status.code(), Some(0), "{:?}", said(&output));
    assert!(opened_by(&one, &key_file(&one)).await.is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_environment_are_the_operator_s() {
    let server = Server::start();
    server.connect("standard_webhooks", &[]);
    let file = fs::read_to_string(key_file(&server)).expect("reads");
    let new = "6".repeat(64);
    let rotate = async |previous: Option<&str>, more: &[&str]| {
        let mut command = server.command(&ROTATE);
        command.env("LINEKEEPER_MASTER_KEY", &new).args(more);
        if let Some(previous) = previous {
            command.env("LINEKEEPER_MASTER_KEY_PREVIOUS", previous);
        }
        let output = run(command).await;
        (output.status.code(), said(&output))
    };
    let (code, (out, error)) = rotate(None, &[]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(error.contains("set LINEKEEPER_MASTER_KEY_PREVIOUS"), "{error}");
    let (code, (out, error)) = rotate(Some(file.trim()), &[]).await;
    assert_eq!(code, Some(0), "{error}");
    assert!(
        out.contains("LINEKEEPER_MASTER_KEY_PREVIOUS can be taken away"),
        "{out}"
    );
    let (code, (_, error)) = rotate(None, &[]).await;
    assert_eq!(code, Some(1));
    assert!(error.contains("no key to replace"), "{error}");
    assert_eq!(rotate(None, &["--discard-old"]).await.0, Some(1));
    assert_eq!(rotate(None, &["--no-such-flag"]).await.0, Some(2));
    assert_eq!(
        fs::read_to_string(key_file(&server)).expect("reads"),
        file,
        "no file was written"
    );
    assert!(retired(&server).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_stops_it_before_anything_is_changed() {
    let mut server = Server::start();
    server.connect("standard_webhooks", &[]);
    server.terminate();
    fs::write(key_file(&server), "7".repeat(64)).expect("another key");
    let output = run(server.command(&ROTATE)).await;
    let (out, error) = said(&output);
    assert_eq!((output.status.code(), out.as_str()), (Some(1), ""));
    assert!(
        error.contains("nothing was changed") && error.contains("webhook_secrets"),
        "{error}"
    );
    assert_eq!(fs::read_to_string(key_file(&server)).expect("reads"), "7".repeat(64));
    fs::remove_file(key_file(&server)).expect("removes");
    let output = run(server.command(&ROTATE)).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(!key_file(&server).exists(), "no new key for old data");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut server = Server::start();
    server.terminate();
    assert!(!server.log().contains("other accounts"), "{}", server.log());
    fs::set_permissions(key_file(&server), fs::Permissions::from_mode(0o640)).expect("allows");
    server.serve(None);
    assert!(
        server.log().contains("other accounts of this machine"),
        "{}",
        server.log()
    );
    server.terminate();
    // The old key is thrown away only when that was asked for.
    let output = run(server.command(&[ROTATE[0], ROTATE[1], "--discard-old"])).await;
    let (out, error) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(out.contains("discarded") && retired(&server).is_empty(), "{out}");
    let mode = fs::metadata(key_file(&server)).expect("exists").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
