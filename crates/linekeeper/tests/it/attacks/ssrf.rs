//! Server-side request forgery: every address that people can type, made to lead inside. Redirects
//! and names that change their mind are tried in `lk-engine/src/egress/tests.rs`.

use lk_core::words::Role;
use lk_fakes::server::{Api, Running, serve};
use lk_provider::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::http::Ask;
use super::world::World;
use crate::harness::{Connected, Server, eventually};

const FORBIDDEN: [(&str, &str); 2] = [
    ("LINEKEEPER_ALLOW_PRIVATE_TARGETS", "false"),
    ("LINEKEEPER_LOG", "warn"),
];

/// Addresses that lead inside, or nowhere that a call may go.
const INSIDE: [&str; 46] = [
    "http://127.0.0.1/",
    "http://127.0.0.1:8787/metrics",
    "http://127.1/",
    "http://127.255.255.254/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://169.254.43518/",
    "http://255.255.255.255/",
    "http://224.0.0.1/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://localhost/",
    "http://LOCALHOST:8787/",
    "http://localhost./",
    "http://a.localhost/",
    "  http://localhost/  ",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "javascript:alert(1)",
    "http://user:password@93.184.216.34/",
    "http://93.184.216.34@127.0.0.1/",
];

/// The settings that hold an address, of every provider.
fn address_settings() -> Vec<(String, String)> {
    let registry = lk_providers::registry().expect("valid");
    let mut all = Vec::new();
    for provider in registry.iter() {
        let manifest = provider.manifest();
        if manifest.capabilities.is_empty() {
            continue;
        }
        let urls = manifest.fields.iter();
        let urls = urls.filter(|field| field.kind == lk_provider::manifest::FieldKind::Url);
        let mut keys: Vec<String> = urls.map(|field| field.key.clone()).collect();
        if manifest.fields.is_empty() {
            keys.push("base_url".to_owned());
        }
        all.extend(keys.into_iter().map(|key| (manifest.key.clone(), key)));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_typed_address_leads_inside() {
    let variables = FORBIDDEN.map(|(name, value)| (name, value.to_owned()));
    let world = World::with(variables.to_vec()).await;
    let admin = world.here.browser(Role::Admin);
    let own = world.connect(&world.here, "Ours").await;
    let path = format!(
        "/api/integrations/{}",
        own["integration"]["id"].as_str().expect("an id")
    );
    let before = world.changes().await;
    let settings = address_settings();
    assert!(settings.len() > 1, "{settings:?}");
    for (provider, key) in &settings {
        let mut made = json!({"projectId": "default", "provider": provider, "name": "N", "settings": {}});
        for address in INSIDE {
            made["settings"][key] = address.into();
            let answer = Ask::post("/api/integrations", &made)
                .by(admin)
                .send(&world.server)
                .await;
            assert_eq!(answer.status, 400, "{provider} {key} {address}: {}", answer.text);
            assert!(
                answer.text.contains(&format!("settings.{key}")),
                "{address}: {}",
                answer.text
            );
        }
    }
    let change = |address: &str| {
        let body = json!({"settings": {"base_url": address}, "version": 1});
        Ask::new("PATCH", &path).json(&body).by(admin)
    };
    for address in INSIDE {
        assert_eq!(change(address).send(&world.server).await.status, 400, "{address}");
    }
    // Numbers and lists are no addresses.
    for value in [
        json!(2_130_706_433_u32),
        json!(["http://127.0.0.1/"]),
        json!({"a": 1}),
        json!(true),
    ] {
        let body = json!({"settings": {"base_url": value}, "version": 1});
        let answer = Ask::new("PATCH", &path).json(&body).by(admin).send(&world.server).await;
        assert_eq!(answer.status, 400, "{value}");
    }
    assert_eq!(world.changes().await, before);
    for address in INSIDE {
        let setting = format!("base_url={address}");
        let args = [
            "integration",
            "add",
            "--provider",
            "standard_webhooks",
            "--set",
            &setting,
        ];
        let done = world.server.try_run_with(&args, "", &FORBIDDEN);
        assert!(!done.status.success(), "{address}");
    }
    assert_eq!(world.changes().await, before);
    assert_eq!(
        change("https://93.184.216.34/api").send(&world.server).await.status,
        200
    );
}

/// Answers everything, and remembers it.
struct Anything;

impl Api for Anything {
    fn answer(&mut self, _: &HttpRequest) -> HttpResponse {
        HttpResponse {
            status: 200,
            headers: Vec::new(),
            body: b"{}".to_vec(),
        }
    }
}

async fn shake(server: &Server, to: &Connected, subscription: &str) -> Option<u16> {
    let body =
        json!({"verification_token": "the-verification-token-of-this-test", "webhook_subscription_uuid": subscription});
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    server.post(&to.path, headers, body.to_string().as_bytes()).await.ok()
}

/// A handshake cannot be signed: whoever knows the address can send one. What it says must not
/// choose what is done with the credentials that its confirmation carries.
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_does_not_choose_where_its_confirmation_goes() {
    let server = Server::start();
    for (subscription, path) in [
        ("0c5e1f7a-1111", "0c5e1f7a-1111"),
        ("../companies/1/terminate?x=", "..%2Fcompanies%2F1%2Fterminate%3Fx%3D"),
        ("@evil.example/#", "%40evil.example%2F%23"),
        ("x\r\nx-evil: 1", "x%0D%0Ax-evil%3A%201"),
    ] {
        let fake: Running = serve(Anything).expect("a port");
        let settings = [
            format!("base_url={}", fake.base_url()),
            "system_token=the-system-token".to_owned(),
        ];
        let to = server.connect("gusto", &[&settings[0], &settings[1]]);
        assert_eq!(shake(&server, &to, subscription).await, Some(200), "{subscription}");
        let asked = eventually("the confirmation", || async {
            let requests = fake.requests();
            (!requests.is_empty()).then_some(requests)
        })
        .await;
        assert_eq!(
            asked[0].url,
            format!("/v1/webhook_subscriptions/{path}/verify"),
            "{subscription}"
        );
    }
}

/// A secret is not shown to whoever may change an address; it must not be sent to theirs either.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_secret_does_not_go_to_another_address() {
    let world = World::start().await;
    let admin = world.here.browser(Role::Admin);
    let settings = json!({"base_url": "http://127.0.0.1:9/api", "system_token": "the-system-token"});
    let made = json!({"projectId": "default", "provider": "gusto", "name": "N", "settings": settings});
    let made = world.post(admin, "/api/integrations", &made).await;
    let path = format!(
        "/api/integrations/{}",
        made["integration"]["id"].as_str().expect("an id")
    );
    let change = async |settings: Value, version: &Value| {
        let body = json!({"settings": settings, "version": version});
        Ask::new("PATCH", &path).json(&body).by(admin).send(&world.server).await
    };
    let version = &made["integration"]["version"];
    for settings in [
        json!({"base_url": "http://127.0.0.1:10/api"}),
        json!({"base_url": "https://127.0.0.1:9/api"}),
        json!({"base_url": "http://127.0.0.2:9/api"}),
        // Without one it would be the provider's own.
        json!({}),
    ] {
        let answer = change(settings.clone(), version).await;
        assert_eq!(answer.status, 400, "{settings}: {}", answer.text);
        assert!(answer.text.contains("settings.system_token"), "{}", answer.text);
    }
    let same = change(json!({"base_url": "http://127.0.0.1:9/other"}), version).await;
    assert_eq!(same.status, 200, "{}", same.text);
    let again = json!({"base_url": "http://127.0.0.1:10/api", "system_token": "entered-again"});
    let answer = change(again, &same.json()["version"]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}
