//! The doctor finds what is wrong with a real installation, says it with stable codes, changes
//! nothing, and shows no secret.

use std::fs;
use std::process::Output;

use lk_core::access::{Standing, Verb, authorize};
use lk_fakes::server::{Api, serve};
use lk_provider::{HttpRequest, HttpResponse};
use lk_store::{MasterKey, Store, StoreConfig};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::harness::{Postgres, Server, files, now};

/// A provider with everything that a form can have.
const ACME: &str = r#"key = "acme_freight"
name = "Acme Freight"
summary = "Parcels."
docs = "https://api.acme.test/reference"
capabilities = ["webhook"]

[[fields]]
key = "api_token"
label = "API token"
kind = "secret"

[webhook.signature]
scheme = "hmac"
header = "x-acme-signature"

[webhook.secret]
label = "Secret"
hint = "In its settings."
"#;

/// What the doctor says of the server's data: its status and its findings.
fn examine(server: &Server, variables: &[(&str, &str)]) -> (Option<i32>, Value, String) {
    let output: Output = server.try_run_with(&["doctor", "--json"], "", variables);
    let out = String::from_utf8(output.stdout).expect("text");
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    (
        output.status.code(),
        report,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// The codes of a level, in the report's order.
fn codes(report: &Value, level: &str) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let of_level = findings.filter(|finding| finding["level"] == level);
    of_level
        .map(|finding| finding["code"].as_str().expect("a code").to_owned())
        .collect()
}

/// The message of the first finding with this code.
fn message(report: &Value, code: &str) -> String {
    let findings = report["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["code"] == code);
    let found = found.unwrap_or_else(|| panic!("no {code}: {report:#}"));
    found["message"].as_str().expect("text").to_owned()
}

#[test]
fn a_folder_without_data_stays_without() {
    let server = Server::stopped(None);
    let (status, report, error) = examine(&server, &[]);
    assert_eq!((status, error.as_str()), (Some(0), ""));
    assert_eq!(codes(&report, "warning"), ["database.none"]);
    assert_eq!(codes(&report, "problem"), [""; 0]);
    assert!(!server.dir.exists(), "the doctor makes nothing");
    let text = server.run(&["doctor"], "");
    assert!(
        text.contains("\nwarning\n  database.none: ") && text.contains("    -> Start `linekeeper serve`"),
        "{text}"
    );
}

#[test]
fn a_sound_installation_has_no_problem_while_it_runs_and_after() {
    for database in [None, Some(Postgres::create())] {
        let mut server = Server::start_on(database.as_ref().map(|database| database.url.clone()));
        server.connect("github", &[]);
        let person = [
            "user",
            "add",
            "--email",
            "mia@example.com",
            "--operator",
            "--password-stdin",
        ];
        server.run(&person, "correct horse battery staple");
        for runs in [true, false] {
            if !runs {
                server.terminate();
            }
            let before = files(&server.dir).len();
            let (status, report, error) = examine(&server, &[]);
            assert_eq!((status, error.as_str()), (Some(0), ""), "{report:#}");
            assert_eq!(codes(&report, "warning"), ["people.no_second_factor"], "{report:#}");
            let mut fine = vec![
                "configuration.ok",
                "listen.ok",
                "provider_files.ok",
                "key_file.ok",
                "database.ok",
                "clock.ok",
                "master_key.ok",
                "sealed_values.ok",
                "audit_log.ok",
                "integrations.ok",
            ];
            fine.retain(|code| database.is_some() || *code != "clock.ok");
            assert_eq!(codes(&report, "ok"), fine);
            assert!(
                files(&server.dir).len() <= before + 2,
                "a look may leave SQLite's own two files"
            );
        }
    }
}

#[test]
fn the_configuration_is_read_closely() {
    let server = Server::stopped(None);
    let config = server.dir.with_extension("toml");
    let with = |text: &str, variables: &[(&str, &str)]| {
        fs::write(&config, text).expect("writes");
        let file = config.display().to_string();
        let output = server.try_run_with(&["doctor", "--json", "--config", &file], "", variables);
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), report)
    };
    let (status, report) = with("listne = '127.0.0.1:1'", &[]);
    assert_eq!(status, Some(1));
    let finding = &report["findings"][0];
    assert_eq!(finding["code"], "configuration.unusable");
    assert!(
        finding["advice"]
            .as_str()
            .expect("text")
            .starts_with("Did you mean `listen`?"),
        "{finding}"
    );
    let (_, report) = with("[oidc]\nisuer = 'x'", &[]);
    assert!(report.to_string().contains("Did you mean `issuer`?"), "{report}");
    let (_, report) = with("trusted_proxies = 'nonsense'", &[]);
    assert!(
        codes(&report, "problem").contains(&"configuration.unusable".to_owned()),
        "{report}"
    );
    let (status, report) = with(
        "listen = '0.0.0.0:80'\npublic_url = 'http://health.example.com'",
        &[("LINEKEEPER_PUBLICURL", "x")],
    );
    assert_eq!(status, Some(0));
    let wanted = [
        "configuration.unused_variable",
        "listen.unprotected",
        "public_url.plain_http",
        "database.none",
    ];
    assert_eq!(codes(&report, "warning"), wanted);
    assert!(
        report.to_string().contains("Did you mean LINEKEEPER_PUBLIC_URL?"),
        "{report}"
    );
}

#[test]
fn files_keys_and_provider_files_are_looked_at() {
    let mut server = Server::start();
    server.connect("github", &[]);
    server.terminate();
    let key = server.dir.join("master.key");
    let right = fs::read_to_string(&key).expect("reads");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let allow = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        allow(&key, 0o644).expect("allows");
        allow(&server.dir, 0o755).expect("allows");
        let (status, report, error) = examine(&server, &[]);
        assert_eq!(status, Some(1));
        assert_eq!(codes(&report, "problem"), ["key_file.open_to_others"]);
        assert!(codes(&report, "warning").contains(&"data_folder.open_to_others".to_owned()));
        assert!(error.starts_with("linekeeper: 1 problem, "), "{error}");
        allow(&key, 0o600).expect("forbids");
        allow(&server.dir, 0o700).expect("forbids");
    }
    fs::write(&key, "7".repeat(64)).expect("another key");
    assert_eq!(codes(&examine(&server, &[]).1, "problem"), ["master_key.wrong"]);
    fs::write(&key, "no key").expect("writes");
    assert_eq!(codes(&examine(&server, &[]).1, "problem"), ["key_file.unusable"]);
    let aside = server.dir.join("aside");
    fs::rename(&key, &aside).expect("moves");
    assert_eq!(codes(&examine(&server, &[]).1, "problem"), ["key_file.missing"]);
    assert!(!key.exists(), "no new key for old data");
    fs::rename(&aside, &key).expect("moves back");
    fs::write(&key, right).expect("restores");
    fs::create_dir(server.dir.join("providers.d")).expect("a folder");
    fs::write(
        server.dir.join("providers.d/acme.toml"),
        ACME.replacen("docs", "dcos", 1),
    )
    .expect("writes");
    let (_, report, _) = examine(&server, &[]);
    assert_eq!(codes(&report, "problem").len(), 1, "{report:#}");
    assert!(
        message(&report, "provider_files.broken").contains("acme.toml:4: unknown key `dcos`: did you mean `docs`?")
    );
    assert!(
        codes(&report, "ok").contains(&"audit_log.ok".to_owned()),
        "the rest is looked at"
    );
    fs::write(server.dir.join("linekeeper.db"), "not a database at all, but a text").expect("writes");
    assert!(codes(&examine(&server, &[]).1, "problem").contains(&"database.unreachable".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn integrations_are_read_against_their_forms_without_showing_a_secret() {
    let mut server = Server::stopped(None);
    let file = server.dir.join("providers.d/acme.toml");
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, ACME).expect("writes");
    server.serve(None);
    let token = "api_token=Bearer tok-77aa88bb99cc";
    let docs = "base_url=https://api.acme.test/users?key=q-4711-secret";
    let odd = server.connect("acme_freight", &[token, docs, "webhook_secret=your_webhook_secret"]);
    let local = server.connect(
        "acme_freight",
        &["base_url=http://127.0.0.1:9/v1", "webhook_secret=s-abcdef123456"],
    );
    let plain = server.connect(
        "acme_freight",
        &["base_url=http://93.184.216.34/", "webhook_secret=s-abcdef123457"],
    );
    let silent = server.connect("github", &[]);
    let waits = server.connect("gusto", &["system_token=sys-0123456789"]);
    retire_secrets(&server, &silent.id).await;
    server.terminate();

    let (status, report, error) = examine(&server, &[("LINEKEEPER_ALLOW_PRIVATE_TARGETS", "false")]);
    assert_eq!(status, Some(1), "{error}");
    let of = |id: &str| {
        let findings = report["findings"].as_array().expect("findings").iter();
        let mut codes: Vec<&str> = findings
            .filter(|finding| finding["integrationId"] == id)
            .map(|finding| finding["code"].as_str().expect("a code"))
            .collect();
        codes.sort_unstable();
        codes
    };
    assert_eq!(
        of(&odd.id),
        ["address.documentation", "secret.shape", "secret.shape"],
        "{report:#}"
    );
    assert_eq!(of(&local.id), ["address.private"]);
    assert_eq!(of(&plain.id), ["address.plain_http"]);
    assert_eq!(of(&silent.id), ["integration.no_secret"]);
    assert_eq!(of(&waits.id), ["integration.waits_for_secret"]);
    let shape = message(&report, "secret.shape");
    assert!(
        shape.contains("api_token") && shape.contains("(\u{2026}99cc)"),
        "{shape}"
    );
    let text = String::from_utf8(server.try_run(&["doctor"], "").stdout).expect("text");
    for said in [report.to_string(), text, error] {
        for secret in [
            "tok-77aa88bb",
            "your_webhook_secret",
            "q-4711",
            "s-abcdef",
            "sys-0123",
            "Bearer",
        ] {
            assert!(!said.contains(secret), "{secret} is shown: {said}");
        }
    }
}

#[test]
fn a_form_that_changed_and_a_provider_that_is_gone_are_noticed() {
    let mut server = Server::stopped(None);
    let file = server.dir.join("providers.d/acme.toml");
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(&file, ACME).expect("writes");
    server.serve(None);
    server.connect("acme_freight", &["webhook_secret=s-abcdef123456"]);
    server.terminate();
    let asks = "kind = \"secret\"\n\n[[fields]]\nkey = \"depot\"\nlabel = \"Depot\"\nrequired = true\n";
    fs::write(&file, ACME.replacen("kind = \"secret\"\n", asks, 1)).expect("writes");
    let (_, report, _) = examine(&server, &[]);
    assert!(
        message(&report, "integration.settings").contains("settings.depot"),
        "{report:#}"
    );
    fs::remove_file(&file).expect("removes");
    let (_, report, _) = examine(&server, &[]);
    assert_eq!(codes(&report, "problem"), ["integration.unknown_provider"]);
}

async fn retire_secrets(server: &Server, integration: &str) {
    let key = MasterKey::from_file(&server.dir.join("master.key")).expect("the key");
    let path = server.dir.join("linekeeper.db");
    let store = Store::open(&StoreConfig::Sqlite { path }, key, now())
        .await
        .expect("opens");
    let permit = authorize(&Standing::command_line(), Verb::ManageWebhookSecrets).expect("may");
    for secret in store.webhook_secrets(integration).await.expect("reads") {
        let retired = store
            .retire_webhook_secret(&permit, integration, &secret.id, 0, now())
            .await;
        retired.expect("retires");
    }
    store.close().await.expect("closes");
}

#[test]
fn certificates_are_read() {
    let server = Server::stopped(None);
    fs::create_dir_all(&server.dir).expect("a folder");
    let (cert, key) = (server.dir.join("cert.pem"), server.dir.join("key.pem"));
    let pair = KeyPair::generate().expect("a key");
    let issue = |until_year: i32| {
        let mut params = CertificateParams::new(vec!["health.example.com".to_owned()]).expect("a name");
        params.not_after = rcgen::date_time_ymd(until_year, 1, 1);
        fs::write(&cert, params.self_signed(&pair).expect("signs").pem()).expect("writes");
    };
    fs::write(&key, pair.serialize_pem()).expect("writes");
    let (cert_path, key_path) = (cert.display().to_string(), key.display().to_string());
    let told = |public_url: &str| {
        let variables = [
            ("LINEKEEPER_TLS_CERT", cert_path.as_str()),
            ("LINEKEEPER_TLS_KEY", key_path.as_str()),
            ("LINEKEEPER_PUBLIC_URL", public_url),
        ];
        let (_, report, _) = examine(&server, &variables);
        let all = ["ok", "warning", "problem"].map(|level| codes(&report, level)).concat();
        all.into_iter()
            .filter(|code| code.starts_with("tls.") && !code.contains("key_open"))
            .collect::<Vec<_>>()
    };
    issue(2999);
    assert_eq!(told("https://health.example.com"), ["tls.ok"]);
    assert_eq!(told("https://other.example.com"), ["tls.wrong_name"]);
    issue(2020);
    assert_eq!(told("https://health.example.com"), ["tls.expired"]);
    fs::write(&key, KeyPair::generate().expect("a key").serialize_pem()).expect("writes");
    assert_eq!(told("https://health.example.com"), ["tls.unusable"]);
}

/// An issuer that says of itself what it is told to.
struct Issuer(Value);

impl Api for Issuer {
    fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        if request.url == "/.well-known/openid-configuration" {
            HttpResponse::json(200, &self.0)
        } else {
            HttpResponse::json(404, &Value::Null)
        }
    }
}

#[test]
fn the_identity_provider_is_asked() {
    let server = Server::stopped(None);
    let told = |issuer: &str| {
        let variables = [
            ("LINEKEEPER_OIDC__ISSUER", issuer),
            ("LINEKEEPER_OIDC__CLIENT_ID", "lk"),
            ("LINEKEEPER_OIDC__CLIENT_SECRET", "s-4711-secret"),
        ];
        let (_, report, _) = examine(&server, &variables);
        assert!(!report.to_string().contains("4711"), "{report}");
        let all = ["ok", "problem"].map(|level| codes(&report, level)).concat();
        all.into_iter()
            .filter(|code| code.starts_with("oidc."))
            .collect::<Vec<_>>()
    };
    assert_eq!(told("http://127.0.0.1:9"), ["oidc.unreachable"]);
    let running = serve(Issuer(json!({ "issuer": "https://somebody.example.com" }))).expect("a port");
    assert_eq!(told(&running.base_url()), ["oidc.other_issuer"]);
    assert_eq!(told(&format!("{}/elsewhere", running.base_url())), ["oidc.unreachable"]);
}
