//! Open redirects, and addresses built on what a stranger says the host is. The page that signs
//! people in leads to paths of its own router alone (`web/src/routes`); how `next` is read is
//! `lk-server`'s `oidc/flow.rs`.

use lk_core::words::Role;
use serde_json::{Value, json};

use super::http::Ask;
use super::world::World;

const ELSEWHERE: [&str; 14] = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    "%20//evil.example",
    "/..//evil.example",
    "/.//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/api/oidc/start",
];

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_to_own_pages_alone() {
    // Nobody listens there: people are led back at once, which is a redirect all the same.
    let variables = [
        ("ISSUER", "http://127.0.0.1:9"),
        ("CLIENT_ID", "lk"),
        ("CLIENT_SECRET", "s"),
    ];
    let names = [
        "LINEKEEPER_OIDC__ISSUER",
        "LINEKEEPER_OIDC__CLIENT_ID",
        "LINEKEEPER_OIDC__CLIENT_SECRET",
    ];
    let variables = names
        .iter()
        .zip(variables)
        .map(|(name, (_, value))| (*name, value.to_owned()));
    let world = World::with(variables.collect()).await;
    let owner = world.here.browser(Role::Owner);
    let led_to = async |query: &str| {
        let answer = Ask::get(&format!("/api/oidc/start?{query}"))
            .by(owner)
            .send(&world.server)
            .await;
        (answer.status, answer.header("location").unwrap_or_default().to_owned())
    };
    for next in ELSEWHERE {
        let next = next.replace('\\', "%5C");
        let failed = (302, "/sign-in?failed=oidc_failed".to_owned());
        assert_eq!(led_to(&format!("next={next}")).await, failed, "{next}");
        let proving = (302, "/?failed=oidc_failed".to_owned());
        assert_eq!(led_to(&format!("purpose=sudo&next={next}")).await, proving, "{next}");
    }
    let own = (302, "/sign-in?next=%2Fproblems%3Fa%3Db&failed=oidc_failed".to_owned());
    assert_eq!(led_to("next=/problems?a=b").await, own);
    // The way back without having gone, or with somebody else's flow.
    for cookie in ["", "lk_oidc=x", "lk_oidc=AAAA"] {
        let back = Ask::get("/api/oidc/callback?code=c&state=s")
            .header("cookie", cookie)
            .send(&world.server)
            .await;
        assert_eq!(back.header("location"), Some("/sign-in?failed=oidc_expired"));
        assert!(
            back.header("set-cookie")
                .is_some_and(|set| set.starts_with("lk_oidc=;")),
            "{back:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_to_another_host() {
    let world = World::start().await;
    for path in [
        "//evil.example",
        "//evil.example/..",
        "/\\evil.example",
        "/%2F%2Fevil.example",
        "/evil.example//",
        "/api//evil.example/",
        "/assets//evil.example/",
        "/sign-in?next=//evil.example",
    ] {
        let answer = Ask::get(path).send(&world.server).await;
        assert!(!(300..400).contains(&answer.status), "{path}: {}", answer.status);
        assert_eq!(answer.header("location"), None, "{path}");
    }
}

/// Every address that people are given to copy, asked for with these headers.
async fn given(world: &World, headers: &[(&str, &str)], n: usize) -> Vec<String> {
    let (owner, operator) = (world.here.browser(Role::Owner), &world.operator.browser);
    let member = &world.here.person(Role::Viewer).id;
    let integration = json!({"projectId": "default", "provider": "standard_webhooks", "name": "N"});
    let person = json!({"email": format!("new{n}@example.org"), "name": "New"});
    let mut all = Vec::new();
    for (browser, path, body, fields) in [
        (
            owner,
            "/api/invitations".to_owned(),
            json!({"projectId": "default", "role": "viewer"}),
            ["/link"].as_slice(),
        ),
        (
            operator,
            format!("/api/users/{member}/password-reset"),
            json!({}),
            &["/link"],
        ),
        (operator, "/api/users".to_owned(), person, &["/link"]),
        (
            owner,
            "/api/integrations".to_owned(),
            integration,
            &["/webhookUrl", "/integration/webhook/url"],
        ),
    ] {
        let mut ask = Ask::post(&path, &body).by(browser);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        let answer = ask.send(&world.server).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text);
        let answer: Value = answer.json();
        let address = |field: &&str| answer.pointer(field).and_then(Value::as_str).map(str::to_owned);
        all.extend(fields.iter().map(|field| address(field).expect("an address")));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_built_on_the_public_address() {
    let public = vec![("LINEKEEPER_PUBLIC_URL", "http://health.example.com".to_owned())];
    let world = World::with(public).await;
    for (n, headers) in [
        &[("host", "evil.example")][..],
        &[("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")],
        &[],
    ]
    .into_iter()
    .enumerate()
    {
        for address in given(&world, headers, n).await {
            assert!(
                address.starts_with("http://health.example.com/"),
                "{headers:?}: {address}"
            );
        }
    }
}

/// Without a public address there is only what the caller says, who sees the link alone. It is
/// never more than a host.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_public_address_the_callers_own_host_is_all_there_is() {
    let world = World::start().await;
    let here = format!("{}/", world.server.url);
    for address in given(
        &world,
        &[("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")],
        0,
    )
    .await
    {
        assert!(address.starts_with(&here), "{address}");
    }
    for (n, host) in [
        "evil.example/path?x=",
        "user@evil.example",
        "evil.example#",
        "<script>",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        for address in given(&world, &[("host", host)], n + 1).await {
            assert!(address.starts_with("http://localhost/"), "{host}: {address}");
        }
    }
}
