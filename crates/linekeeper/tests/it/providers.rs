//! A provider given by a file does what a built-in one does; a broken file is never silently missing.

use std::fs;
use std::path::PathBuf;

use lk_provider::{ProviderFile, Secret, Settings, signature};
use serde_json::{Value, json};

use crate::harness::{Connected, Server, binary, now};

const ACME: &str = r#"key = "acme_freight"
name = "Acme Freight"
summary = "Parcels that move, or do not."
capabilities = ["webhook"]
help = "The secret is in Acme's settings, under Hooks."

[webhook.signature]
scheme = "hmac"
header = "x-acme-signature"

[webhook.secret]
label = "Signing secret"
hint = "In Acme's settings, under Hooks."
generated = true

[webhook.body]
delivery_key = "{/parcel/id}"
event_type = "{/kind}"

[[webhook.match]]
type = ["*.lost"]
outcome = "failure"
message = "{/reason/text}"
code = "{/reason/code}"

[redact]
keys = ["consignee"]

[errors]
docs = "https://docs.example.com/acme"

[errors.extract]
code = ["/fault/id"]

[[errors.rule]]
code = ["HOOK_TOKEN_GONE"]
doc = "auth.token_expired"
"#;

/// A stopped installation with these files in `providers.d` of its data folder.
fn with_files(files: &[(&str, &str)]) -> Server {
    let server = Server::stopped(None);
    fs::create_dir_all(folder(&server)).expect("a folder");
    for (name, text) in files {
        fs::write(folder(&server).join(name), text).expect("writes");
    }
    server
}

fn folder(server: &Server) -> PathBuf {
    server.dir.join("providers.d")
}

/// Status and both outputs of `provider lint` on the folder.
fn lint(server: &Server) -> (Option<i32>, String, String) {
    let output = binary()
        .args(["provider", "lint"])
        .arg(folder(server))
        .output()
        .expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

async fn deliver(server: &Server, to: &Connected, body: &Value) -> u16 {
    let file = ProviderFile::parse(ACME).expect("valid");
    let scheme = &file.manifest.webhook.expect("it sends").signature;
    let secret = Secret::new(to.secret.as_deref().expect("a secret"));
    let text = body.to_string();
    let signed = signature::sign(scheme, &Settings::new(), &secret, "", now(), text.as_bytes()).expect("signs");
    let headers = signed
        .iter()
        .map(|(n, v)| (n.to_owned(), String::from_utf8_lossy(v).into_owned()));
    server
        .post(&to.path, headers.collect(), text.as_bytes())
        .await
        .expect("answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_does_what_a_folder_does() {
    let mut server = with_files(&[
        ("acme.toml", ACME),
        ("notes.txt", "not a provider"),
        (".acme.toml.swp", "x"),
    ]);
    assert_eq!(lint(&server), (Some(0), "ok acme_freight\n".to_owned(), String::new()));
    server.serve(None);
    let key = server.run(&["key", "create", "--role", "owner", "--operator"], "");
    key.trim().clone_into(&mut server.key);

    let listed = server.run(&["provider", "list"], "");
    let line = listed
        .lines()
        .find(|line| line.starts_with("acme_freight "))
        .expect("listed");
    assert!(line.contains("webhook") && line.ends_with("acme.toml"), "{line}");
    assert!(listed.lines().any(|line| line.ends_with("built-in")), "{listed}");

    let catalogue = server.get("/api/providers").await;
    let items = catalogue["items"].as_array().expect("items");
    let acme = items.iter().find(|item| item["key"] == "acme_freight").expect("there");
    assert_eq!(acme["webhook"]["secretLabel"], "Signing secret");
    assert_eq!(acme["help"], "The secret is in Acme's settings, under Hooks.");
    let icon = server.call("GET", "/api/providers/acme_freight/icon.svg", None).await;
    assert!(String::from_utf8_lossy(&icon.body).contains(">A</text>"));

    let to = server.connect("acme_freight", &[]);
    let lost = json!({
        "parcel": {"id": "p-1", "consignee": "Erika Mustermann"}, "kind": "parcel.lost",
        "reason": {"text": "the hook is not accepted", "code": "HOOK_TOKEN_GONE"},
    });
    assert_eq!(deliver(&server, &to, &lost).await, 200);
    let forged = Connected {
        secret: Some("another secret".to_owned()),
        ..to.clone()
    };
    assert_eq!(deliver(&server, &forged, &lost).await, 401);
    let events = server.events().await;
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert_eq!(event["integration"], "acme_freight");
    assert_eq!(
        (&event["category"], &event["status"]),
        (&json!("auth"), &json!("failure")),
        "{event}"
    );
    let detail = server
        .get(&format!("/api/events/{}", event["id"].as_str().expect("an id")))
        .await;
    assert!(!detail.to_string().contains("Mustermann"), "{detail}");

    let body = r#"{"fault": {"id": "HOOK_TOKEN_GONE"}}"#;
    let explained = server.run(&["explain", "--provider", "acme_freight", "--status", "400"], body);
    let explained: Value = serde_json::from_str(&explained).expect("JSON");
    assert_eq!(explained["code"], "auth.token_expired");
    assert_eq!(explained["documentationUrl"], "https://docs.example.com/acme");
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_broken_file_stops_the_start_in_one_sentence() {
    let misspelt = ACME.replacen("[redact]\nkeys", "[redact]\nkeyes", 1);
    let number = misspelt
        .lines()
        .position(|line| line.starts_with("keyes"))
        .expect("there")
        + 1;
    let server = with_files(&[("acme.toml", &misspelt)]);
    let wanted = format!("acme.toml:{number}: unknown key `keyes`: did you mean `keys`?");
    let (status, out, _) = lint(&server);
    assert_eq!(status, Some(1));
    assert!(out.trim_end().ends_with(&wanted), "{out}");
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["explain", "--provider", "x"],
        &["provider", "list"],
    ] {
        let output = server.try_run(command, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.starts_with("linekeeper: a provider file cannot be used: "),
            "{said}"
        );
        assert!(
            said.trim_end().ends_with(&wanted) && said.lines().count() == 1,
            "{said}"
        );
    }
    assert!(!server.dir.join("linekeeper.db").exists(), "nothing was touched");
}

#[test]
fn each_file_must_be_a_provider_of_its_own() {
    let taken = ACME.replacen("acme_freight", "stripe", 1);
    let other = ACME.replacen("Acme Freight", "Other", 1);
    let unfit = ACME.replacen("acme_freight", "unfit", 1).replacen(
        "scheme = \"hmac\"\nheader",
        "scheme = \"versioned\"\nversion = \"v0\"\ntimestamp_header = \"x-acme-signature\"\nheader",
        1,
    );
    let large = format!("# {}\n{ACME}", "x".repeat(300 * 1024));
    let server = with_files(&[
        ("a.toml", ACME),
        ("b.toml", &other),
        ("c.toml", &taken),
        ("d.toml", &large),
        ("e.toml", &unfit),
    ]);
    #[cfg(unix)]
    {
        let outside = server.dir.join("outside.toml");
        fs::write(&outside, ACME).expect("writes");
        std::os::unix::fs::symlink(&outside, folder(&server).join("f.toml")).expect("links");
        fs::create_dir(folder(&server).join("g.toml")).expect("a folder");
    }
    let (status, out, error) = lint(&server);
    assert_eq!(status, Some(1), "{error}");
    let mut wanted = vec![
        ("a.toml", ""),
        ("b.toml: ", "has the key `acme_freight` too"),
        ("c.toml: ", "built-in provider's"),
        ("d.toml: ", "larger than 256 KiB"),
        ("e.toml: ", "look at [webhook.signature]"),
    ];
    if cfg!(unix) {
        wanted.extend([("f.toml: ", "out of its folder"), ("g.toml: ", "not a file")]);
    }
    assert!(out.starts_with("ok acme_freight\n"), "{out}");
    for (file, words) in &wanted[1..] {
        let told = out.lines().any(|line| line.contains(file) && line.contains(words));
        assert!(told, "{file} {words}: {out}");
    }
    assert_eq!(
        binary().args(["provider", "lint"]).status().expect("runs").code(),
        Some(2)
    );
    let nowhere = binary()
        .args(["provider", "lint", "/nowhere/at-all.toml"])
        .output()
        .expect("runs");
    assert_eq!(nowhere.status.code(), Some(1));
}

#[test]
fn the_folder_is_beside_the_configuration_or_where_it_says() {
    let server = with_files(&[]);
    let at = server.dir.with_extension("conf");
    let listed = |config: &str, variables: &[(&str, &str)]| {
        fs::create_dir_all(&at).expect("a folder");
        fs::write(at.join("lk.toml"), config).expect("writes");
        let file = at.join("lk.toml").display().to_string();
        let output = server.try_run_with(&["provider", "list", "--json", "--config", &file], "", variables);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let has = |told: &(bool, String, String)| told.0 && told.1.contains("acme_freight");
    fs::write(folder(&server).join("acme.toml"), ACME).expect("writes");
    assert!(!has(&listed("", &[])), "with a file, the data folder is not asked");
    let elsewhere = folder(&server).display().to_string();
    assert!(has(&listed(&format!("providers_dir = {elsewhere:?}"), &[])));
    assert!(has(&listed("", &[("LINEKEEPER_PROVIDERS_DIR", &elsewhere)])));
    fs::create_dir_all(at.join("providers.d")).expect("a folder");
    fs::write(at.join("providers.d/acme.toml"), ACME).expect("writes");
    assert!(has(&listed("", &[])));
    let (fine, _, error) = listed("", &[("LINEKEEPER_PROVIDERS_DIR", "/nowhere/at/all")]);
    assert!(!fine && error.contains("/nowhere/at/all: cannot be read"), "{error}");
}
