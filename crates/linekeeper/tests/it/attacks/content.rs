//! What is stored, echoed and served: scripts in names, formulas in exports, files that are not the
//! UI's, and input that is too much.

use lk_core::words::Role;
use serde_json::{Value, json};

use super::http::{Answer, Ask, Browser};
use super::world::World;

const SCRIPT: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>";

/// Whatever is in it, a browser takes it for data: its kind is said and not guessed.
fn is_data(answer: &Answer, at: &str) {
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("application/json"), "{at}: {} {kind}", answer.status);
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{at}");
}

/// A policy under which a script that slipped through would not run.
fn is_strict(answer: &Answer, at: &str) {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    for part in [
        "default-src 'self'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{at}: {policy}");
    }
    for part in ["unsafe-inline", "unsafe-eval", "*", "http:"] {
        assert!(!policy.contains(part), "{at}: {policy}");
    }
    assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{at}");
    assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"), "{at}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_in_names_stay_text() {
    let world = World::start().await;
    let owner = world.here.browser(Role::Owner);
    let operator = &world.operator.browser;
    let rename = |path: &str| Ask::new("PATCH", path).json(&json!({"name": SCRIPT, "version": 1}));
    let project = format!("/api/projects/{}", world.here.id);
    for ask in [
        rename("/api/profile").by(owner),
        rename(&project).by(owner),
        Ask::post(
            "/api/keys",
            &json!({"projectId": "default", "name": SCRIPT, "role": "viewer"}),
        )
        .by(owner),
        Ask::post("/api/users", &json!({"email": "<b>@example.org", "name": SCRIPT})).by(operator),
        Ask::post(
            "/api/integrations",
            &json!({"projectId": "default", "provider": "standard_webhooks", "name": SCRIPT, "service": SCRIPT}),
        )
        .by(owner),
    ] {
        let answer = ask.send(&world.server).await;
        assert!(matches!(answer.status, 200 | 201), "{} {}", answer.status, answer.text);
        is_data(&answer, "the change");
        is_strict(&answer, "the change");
    }
    for (who, path) in [
        (owner, "/api/integrations?projectId=default"),
        (owner, "/api/keys?projectId=default"),
        (owner, "/api/members?projectId=default"),
        (owner, "/api/audit?projectId=default"),
        (owner, "/api/session"),
        (owner, "/api/projects"),
        (operator, "/api/users"),
    ] {
        let answer = Ask::get(path).by(who).send(&world.server).await;
        is_data(&answer, path);
        assert!(
            answer.json().to_string().contains("<script>"),
            "{path}: it is told as it was typed"
        );
    }
    let page = Ask::get("/").by(owner).send(&world.server).await;
    is_strict(&page, "/");
    assert!(!page.text.contains("alert("), "nothing of the data is in the page");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_echo_nothing_that_runs() {
    let world = World::start().await;
    let owner = world.here.browser(Role::Owner);
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    let body = json!({SCRIPT: 1});
    for (at, ask) in [
        ("an unknown parameter", Ask::get(&format!("/api/session?{script}=1"))),
        (
            "a wrong value",
            Ask::get(&format!("/api/events?limit={script}")).by(owner),
        ),
        ("an unknown path", Ask::get(&format!("/api/{script}"))),
        (
            "an unknown id",
            Ask::get(&format!("/api/integrations/{script}")).by(owner),
        ),
        ("an unknown field", Ask::post("/api/session", &body)),
        ("a wrong method", Ask::new("DELETE", "/api/overview").by(owner)),
        (
            "an unknown provider",
            Ask::post(&format!("/webhooks/{script}/x"), &body),
        ),
        (
            "not JSON",
            Ask::new("POST", "/api/session").body("application/json", SCRIPT.as_bytes()),
        ),
        (
            "another kind",
            Ask::new("POST", "/api/session").body("text/html", SCRIPT.as_bytes()),
        ),
        ("no key", Ask::get("/api/overview").header("authorization", SCRIPT)),
    ] {
        let answer = ask.send(&world.server).await;
        assert!((400..500).contains(&answer.status), "{at}: {}", answer.status);
        is_data(&answer, at);
        assert!(!answer.error().is_empty(), "{at}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_no_formula() {
    let world = World::start().await;
    let owner = world.here.browser(Role::Owner);
    let formulas = [
        "=HYPERLINK(\"http://evil.example\")",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "=cmd|' /C calc'!A0",
    ];
    for (n, formula) in formulas.into_iter().enumerate() {
        let person = world
            .member(&world.here, &format!("f{n}@example.org"), Role::Admin)
            .await;
        let renamed = Ask::new("PATCH", "/api/profile").json(&json!({"name": formula, "version": 1}));
        assert_eq!(
            renamed.by(&person.browser).send(&world.server).await.status,
            200,
            "{formula:?}"
        );
        // Under the new name.
        let key = json!({"projectId": "default", "name": formula, "role": "viewer"});
        world.post(&person.browser, "/api/keys", &key).await;
    }
    let path = "/api/audit/export?projectId=default";
    let answer = Ask::get(path).by(owner).send(&world.server).await;
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(
        answer
            .header("content-disposition")
            .is_some_and(|how| how.starts_with("attachment;"))
    );
    assert!(
        answer.text.contains("'=HYPERLINK"),
        "it is there, as text: {}",
        answer.text
    );
    let mut cells = answer.text.split([',', '\n']).map(|cell| cell.trim_start_matches('"'));
    assert!(
        !cells.any(|cell| cell.starts_with(['=', '+', '-', '@', '\t', '\r'])),
        "{}",
        answer.text
    );
    let denied = Ask::get(path)
        .by(world.here.browser(Role::Editor))
        .send(&world.server)
        .await;
    assert_eq!(denied.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_the_uis_are_not_served() {
    let world = World::start().await;
    let page = Ask::get("/").send(&world.server).await;
    assert_eq!(page.status, 200);
    let up = [
        "..",
        "%2e%2e",
        "%2E.",
        ".%2e",
        "..%2f",
        "..%5c",
        "..\\",
        "....//",
        "%252e%252e",
        "..;",
    ];
    let mut paths = Vec::new();
    for up in up {
        for file in [
            "Cargo.toml",
            "web/package.json",
            "package.json",
            "etc/passwd",
            "master.key",
            "tsconfig.json",
        ] {
            let climb = format!("{up}/").repeat(3);
            paths.extend(["/", "/assets/", "//", "/./"].map(|from| format!("{from}{climb}{file}")));
        }
    }
    paths.extend(
        [
            "/.git/config",
            "/assets/%00.js",
            "//etc/hosts.txt",
            "/index.html/../../package.json",
        ]
        .map(str::to_owned),
    );
    for path in paths {
        let answer = Ask::get(&path).send(&world.server).await;
        let is_page = answer.status == 200 && answer.text == page.text;
        assert!(
            is_page || matches!(answer.status, 400 | 404),
            "{path}: {} {}",
            answer.status,
            answer.text
        );
    }
}

async fn status(world: &World, ask: Ask) -> u16 {
    ask.send(&world.server).await.status
}

fn deep(open: &str, close: &str, levels: usize) -> Vec<u8> {
    format!("{}{}", open.repeat(levels), close.repeat(levels)).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_refused_and_the_server_goes_on() {
    let world = World::start().await;
    let owner: &Browser = world.here.browser(Role::Owner);
    let post = |kind: &str, body: &[u8]| Ask::new("POST", "/api/keys").by(owner).body(kind, body);
    for levels in [200, 30_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let body = deep(open, close, levels);
            assert_eq!(
                status(&world, post("application/json", &body)).await,
                400,
                "{open} {levels}"
            );
        }
    }
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(300_000));
    assert_eq!(status(&world, post("application/json", long.as_bytes())).await, 413);
    // A bomb that nothing unpacks: it is no JSON, and that is all that is said of it.
    let zeros = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xed, 0xc1, 1, 1, 0, 0, 0, 0x80, 0x90, 0xfe, 0xaf,
    ];
    for encoding in ["gzip", "br", "deflate", "zstd"] {
        let ask = post("application/json", &zeros).header("content-encoding", encoding);
        assert_eq!(status(&world, ask).await, 400, "{encoding}");
    }
    let many = (0..10_000).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    for path in ["/api/session", "/api/events", "/healthz"] {
        let got = status(&world, Ask::get(&format!("{path}?{many}")).by(owner)).await;
        assert!(matches!(got, 400 | 414 | 431), "{path}: {got}");
    }
    assert_eq!(
        status(&world, Ask::get("/api/session?projectId=a&projectId=b")).await,
        400
    );
    let wide = Ask::get("/healthz").header("x-filler", &"x".repeat(70_000));
    assert_eq!(status(&world, wide).await, 431);
    let mut tall = Ask::get("/healthz");
    for n in 0..200 {
        tall = tall.header(&format!("x-{n}"), "1");
    }
    assert_eq!(status(&world, tall).await, 431);
    // An expression that would take forever, where text is looked for.
    let slow = format!("q={}", "%25a".repeat(50));
    let found = Ask::get(&format!("/api/audit?projectId=default&{slow}"))
        .by(owner)
        .send(&world.server)
        .await;
    assert_eq!(found.status, 200, "{}", found.text);
    assert_eq!(found.json()["items"], Value::Array(vec![]));
    assert_eq!(status(&world, Ask::get("/healthz")).await, 200);
    let fits = json!({"projectId": "default", "name": "x".repeat(120), "role": "viewer"});
    assert_eq!(status(&world, Ask::post("/api/keys", &fits).by(owner)).await, 201);
}

/// A delivery that nothing can be made of is kept as it is, or refused; it ends nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_may_be_anything() {
    let world = World::start().await;
    let made = world.connect(&world.here, "Ours").await;
    let url = made["webhookUrl"].as_str().expect("an address");
    let to = crate::harness::Connected {
        id: String::new(),
        provider: "standard_webhooks".to_owned(),
        path: url[url.find("/webhooks/").expect("a webhook address")..].to_owned(),
        secret: made["webhookSecret"].as_str().map(str::to_owned),
    };
    for (n, body) in [
        deep("[", "]", 100_000),
        deep("{\"a\":", "}", 5_000),
        vec![0xff; 1_000],
        Vec::new(),
    ]
    .iter()
    .enumerate()
    {
        let headers = crate::harness::sign(&to, &format!("msg_{n}"), body);
        let got = world.server.post(&to.path, headers, body).await.expect("answers");
        assert_eq!(got, 200, "{n}: it is signed, so it is kept");
        let forged = vec![("content-type".to_owned(), "application/json".to_owned())];
        assert_eq!(world.server.post(&to.path, forged, body).await.expect("answers"), 401);
    }
    let large = vec![b'x'; 6 << 20];
    let refused = Ask::new("POST", &to.path)
        .body("application/json", &large)
        .send(&world.server)
        .await;
    assert_eq!(refused.status, 413);
    assert_eq!(
        world.server.deliver(&to, "msg_last", &json!({"type": "a.done"})).await,
        Some(200)
    );
}
