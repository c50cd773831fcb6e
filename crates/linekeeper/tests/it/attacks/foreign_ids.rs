//! Ids of another project: every path of the API's document that names a thing is tried with
//! things of somebody else's. And fields that a body does not declare, smuggled in.

use lk_core::words::Role;
use serde_json::{Value, json};

use super::http::{Answer, Ask, Browser};
use super::routes::{Operation, operations};
use super::world::World;

/// Paths whose parameter is a word of the catalogue or a secret address, not somebody's thing.
const NOT_IDS: [&str; 4] = [
    "/api/providers/{key}",
    "/api/providers/{key}/icon.svg",
    "/webhooks/{provider}",
    "/webhooks/{provider}/{key}",
];

/// What is in the other project.
struct Seeds(Vec<(&'static str, String)>);

impl Seeds {
    async fn plant(world: &World) -> Self {
        let (there, admin, owner) = (
            &world.there,
            world.there.browser(Role::Admin),
            world.there.browser(Role::Owner),
        );
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned();
        let made = world.connect(there, "Theirs").await;
        let integration = text(&made["integration"]["id"]);
        deliver_failure(world, &made).await;
        let of = |path: &str| format!("{path}?projectId={}", there.slug);
        let first = async |path: &str| {
            let list = world.get(owner, path).await;
            text(&list["items"][0]["id"])
        };
        let key = |name: &str| json!({"projectId": there.id, "name": name, "role": "viewer"});
        let spare = world.post(owner, "/api/keys", &key("spare")).await;
        let own = world.post(owner, "/api/keys", &key("own")).await;
        let invited = json!({"projectId": there.id, "role": "viewer"});
        let invited = world.post(admin, "/api/invitations", &invited).await;
        // The owner's second browser, which the first one may sign out.
        world.browser(there.person(Role::Owner), 0).await;
        let sessions = world.get(owner, "/api/profile/sessions").await;
        let other = sessions["items"]
            .as_array()
            .and_then(|all| all.iter().find(|s| s["current"] == false));
        let session = text(&other.expect("the second one")["id"]);
        super::guessing::authenticator(world, there.person(Role::Viewer)).await;
        let viewer = there.person(Role::Viewer).id.clone();
        let secrets = format!("/api/integrations/{integration}/webhook-secrets");
        Self(vec![
            ("{secretId}", first(&secrets).await),
            ("/api/profile/sessions/{id}", session),
            ("/api/profile/keys/{id}", text(&own["key"]["id"])),
            ("/api/keys/{id}", text(&spare["key"]["id"])),
            ("/api/invitations/{id}", text(&invited["invitation"]["id"])),
            ("/api/members/{id}", viewer.clone()),
            ("/api/users/{id}", viewer),
            ("/api/projects/{id}", there.id.clone()),
            ("/api/events/{id}", first(&of("/api/events")).await),
            ("/api/problems/{id}", first(&of("/api/problems")).await),
            ("/api/integrations/{id}", integration),
        ])
    }

    /// The path with what is in the other project in the place of its parameters.
    fn fill(&self, path: &str) -> String {
        let mut filled = path.to_owned();
        for (pattern, id) in &self.0 {
            let with = pattern.replace("{id}", id).replace("{secretId}", id);
            filled = filled.replace(pattern, &with);
        }
        assert!(
            !filled.contains('{'),
            "{path}: plant something of the other project for it"
        );
        filled
    }
}

async fn deliver_failure(world: &World, made: &Value) {
    let url = made["webhookUrl"].as_str().expect("an address");
    let to = crate::harness::Connected {
        id: String::new(),
        provider: "standard_webhooks".to_owned(),
        path: url[url.find("/webhooks/").expect("a webhook address")..].to_owned(),
        secret: made["webhookSecret"].as_str().map(str::to_owned),
    };
    let body = json!({"type": "payroll.failed", "error": {"code": "invalid_grant", "message": "no"}});
    assert_eq!(world.server.deliver(&to, "msg_1", &body).await, Some(200));
}

/// All that the other project's owner sees of it, without the times of use.
async fn seen(world: &World) -> Vec<(String, Value)> {
    let (owner, slug) = (world.there.browser(Role::Owner), world.there.slug);
    let mut all = Vec::new();
    for path in [
        "/api/integrations",
        "/api/problems",
        "/api/events",
        "/api/keys",
        "/api/members",
        "/api/invitations",
        "/api/audit",
    ] {
        all.push((
            path.to_owned(),
            world.get(owner, &format!("{path}?projectId={slug}")).await,
        ));
    }
    for path in ["/api/profile", "/api/profile/sessions", "/api/profile/keys"] {
        all.push((path.to_owned(), world.get(owner, path).await));
    }
    let project = format!("/api/projects/{}", world.there.id);
    all.push((project.clone(), world.get(owner, &project).await));
    let integration = all[0].1["items"][0]["id"].as_str().expect("an id").to_owned();
    for part in ["", "/webhook-secrets"] {
        let path = format!("/api/integrations/{integration}{part}");
        all.push((path.clone(), world.get(owner, &path).await));
    }
    let people = world.get(&world.operator.browser, "/api/users").await;
    all.push(("/api/users".to_owned(), people));
    for (_, value) in &mut all {
        forget_times_of_use(value);
    }
    all
}

fn forget_times_of_use(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(forget_times_of_use),
        Value::Object(fields) => {
            fields.retain(|name, _| !matches!(name.as_str(), "lastSeenAt" | "lastUsedAt"));
            fields.values_mut().for_each(forget_times_of_use);
        }
        _ => {}
    }
}

/// The ways to say where the thing is.
fn variants(operation: &Operation, path: &str, world: &World) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    if operation.takes_project {
        for project in [&world.here.id, world.here.slug, &world.there.id, world.there.slug] {
            all.push(format!("{path}?projectId={project}"));
        }
    }
    all
}

/// The request, with the ids of people in its body filled in.
fn ask(operation: &Operation, path: &str, world: &World) -> Ask {
    let mut operation = operation.clone();
    if let Some(body) = &operation.body {
        let text = body.to_string().replace("{owner}", &world.there.person(Role::Owner).id);
        operation.body = serde_json::from_str(&text).ok();
    }
    operation.ask(path)
}

fn is_shut_out(answer: &Answer, at: &str) {
    // 403 is for what the caller may not do in their own project either.
    assert!(
        matches!(answer.status, 403 | 404),
        "{at}: {} {}",
        answer.status,
        answer.text
    );
    let codes = ["not_found", "forbidden"];
    assert!(codes.contains(&answer.error().as_str()), "{at}: {}", answer.text);
}

/// Whether the operation is the operator's, whom nothing is foreign to.
fn is_operators(operation: &Operation) -> bool {
    operation.path.starts_with("/api/users/")
}

#[tokio::test(flavor = "multi_thread")]
async fn things_of_another_project_do_not_exist() {
    let world = World::start().await;
    let seeds = Seeds::plant(&world).await;
    let all = operations(&world).await;
    let named = all
        .iter()
        .filter(|o| o.path.contains('{') && !NOT_IDS.contains(&o.path.as_str()));
    let mut named: Vec<(&Operation, String)> = named.map(|o| (o, seeds.fill(&o.path))).collect();
    let before = seen(&world).await;
    let attacker = world.here.browser(Role::Owner);
    for (operation, path) in &named {
        for path in variants(operation, path, &world) {
            let at = format!("{} {path}", operation.name);
            is_shut_out(
                &ask(operation, &path, &world).by(attacker).send(&world.server).await,
                &at,
            );
            let by_key = ask(operation, &path, &world).with_key(&world.server.key);
            is_shut_out(&by_key.send(&world.server).await, &format!("{at} by key"));
        }
    }
    for ((path, was), (_, is)) in before.iter().zip(seen(&world).await) {
        assert_eq!(*was, is, "{path} was changed");
    }
    // Whose they are can do all of it: looking first, the project itself is deleted last.
    let order = |o: &Operation| {
        ["GET", "PUT", "PATCH", "POST", "DELETE"]
            .iter()
            .position(|m| *m == o.method)
    };
    named.sort_by_key(|(o, path)| {
        (
            order(o),
            o.name == "deleteProject",
            o.name == "leaveProject",
            std::cmp::Reverse(path.len()),
        )
    });
    for (operation, path) in named {
        let rightful = if is_operators(operation) {
            &world.operator.browser
        } else {
            world.there.browser(Role::Owner)
        };
        let path = if operation.takes_project {
            format!("{path}?projectId=other")
        } else {
            path
        };
        let answer = ask(operation, &path, &world).by(rightful).send(&world.server).await;
        // Being told that somebody must stay, or that it changed meanwhile, is being let in.
        let let_in = matches!(answer.status, 200 | 201 | 204 | 400 | 409);
        assert!(let_in, "{} {path}: {} {}", operation.name, answer.status, answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_project_is_not_chosen_in_query_or_body() {
    let world = World::start().await;
    Seeds::plant(&world).await;
    let before = seen(&world).await;
    let (attacker, owner) = (world.here.browser(Role::Owner), world.there.browser(Role::Owner));
    let all = operations(&world).await;
    let mut tried = 0;
    for operation in all.iter().filter(|o| !o.path.contains('{')) {
        let in_body = operation.fields.iter().any(|field| field == "projectId");
        if !in_body && !operation.takes_project {
            continue;
        }
        tried += 1;
        for project in [world.there.id.as_str(), world.there.slug] {
            let mut operation = operation.clone();
            let path = if in_body {
                operation.body.as_mut().expect("a body")["projectId"] = project.into();
                operation.path.clone()
            } else {
                format!("{}?projectId={project}", operation.path)
            };
            let at = format!("{} {path}", operation.name);
            let refused = operation.ask(&path).by(attacker).send(&world.server).await;
            assert_eq!(refused.outcome(), (404, "not_found".to_owned()), "{at}");
            let refused = operation
                .ask(&path)
                .with_key(&world.server.key)
                .send(&world.server)
                .await;
            assert_eq!(refused.status, 404, "{at} by key");
            if !operation.writes() && operation.name != "streamEvents" {
                assert_eq!(
                    operation.ask(&path).by(owner).send(&world.server).await.status,
                    200,
                    "{at}"
                );
            }
        }
    }
    assert!(tried > 12, "{tried}");
    for ((path, was), (_, is)) in before.iter().zip(seen(&world).await) {
        assert_eq!(*was, is, "{path} was changed");
    }
    let body = json!({"projectId": "other", "name": "theirs", "role": "viewer"});
    world.post(owner, "/api/keys", &body).await;
}

/// A thing of another project beside the right ones: an integration to filter by, an owner of a
/// problem, a member to hand a project to, a secret of another integration.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_ids_do_not_mix_with_own_ones() {
    let world = World::start().await;
    let seeds = Seeds::plant(&world).await;
    let own = world.connect(&world.here, "Ours").await;
    deliver_failure(&world, &own).await;
    let (owner, own_id) = (
        world.here.browser(Role::Owner),
        own["integration"]["id"].as_str().expect("an id"),
    );
    let foreign = seeds.fill("/api/integrations/{id}").replace("/api/integrations/", "");
    let items = async |path: String| world.get(owner, &path).await["items"].as_array().map(Vec::len);
    for list in ["/api/events", "/api/problems"] {
        assert_eq!(
            items(format!("{list}?projectId=default&integration={foreign}")).await,
            Some(0),
            "{list}"
        );
        assert!(
            items(format!("{list}?projectId=default&integration={own_id}")).await >= Some(1),
            "{list}"
        );
    }
    let secret = seeds.fill("/x/{secretId}");
    let secret = secret.trim_start_matches("/x/");
    let retire = async |browser: &Browser, id: &str| {
        let path = format!("/api/integrations/{id}/webhook-secrets/{secret}/retire");
        Ask::post(&path, &json!({}))
            .by(browser)
            .send(&world.server)
            .await
            .status
    };
    assert_eq!(retire(owner, own_id).await, 404, "a secret of another integration");
    assert_eq!(retire(world.there.browser(Role::Owner), &foreign).await, 200);
    let problem = world.get(owner, "/api/problems?projectId=default").await["items"][0].clone();
    let path = format!("/api/problems/{}", problem["id"].as_str().expect("an id"));
    let give = async |to: &str| {
        let body = json!({"ownerId": to, "version": problem["version"]});
        Ask::new("PATCH", &path)
            .json(&body)
            .by(owner)
            .send(&world.server)
            .await
            .status
    };
    assert_eq!(
        give(&world.there.person(Role::Editor).id).await,
        400,
        "no member of this project"
    );
    assert_eq!(give(&world.here.person(Role::Editor).id).await, 200);
    let transfer = async |to: &str| {
        let path = format!("/api/projects/{}/transfer", world.here.id);
        Ask::post(&path, &json!({"userId": to}))
            .by(owner)
            .send(&world.server)
            .await
            .status
    };
    assert_eq!(
        transfer(&world.there.person(Role::Admin).id).await,
        404,
        "no member of this project"
    );
    assert_eq!(transfer(&world.here.person(Role::Admin).id).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_a_body_does_not_declare_are_refused() {
    let world = World::start().await;
    let seeds = Seeds::plant(&world).await;
    let before = seen(&world).await;
    let smuggled = [
        ("operator", json!(true)),
        ("role", json!("owner")),
        ("userId", json!(world.here.person(Role::Viewer).id)),
        ("projectId", json!(world.there.id)),
        ("id", json!(world.there.id)),
        ("disabled", json!(false)),
        ("passwordHash", json!("x")),
        ("scopes", json!(["admin"])),
        ("createdBy", json!("somebody else")),
        ("__proto__", json!({"operator": true})),
    ];
    let mut tried = 0;
    for operation in operations(&world).await.iter().filter(|o| o.body.is_some()) {
        let path = seeds.fill(&operation.path);
        for (field, value) in &smuggled {
            if operation.fields.iter().any(|known| known == field) {
                continue;
            }
            let mut operation = operation.clone();
            operation.body.as_mut().expect("a body")[*field] = value.clone();
            // By who may do everything, so that nothing else is in the way; from a place of its
            // own each time, so that the limits of sign-ins are not.
            let answer = ask(&operation, &path, &world).by(&world.operator.browser);
            let from = format!("127.0.{}.{}", 1 + tried / 200, 1 + tried % 200);
            let answer = answer.from(&from).send(&world.server).await;
            let at = format!("{} with {field}", operation.name);
            assert_eq!(answer.status, 400, "{at}: {}", answer.text);
            assert!(answer.text.contains(field), "{at}: {}", answer.text);
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
    for ((path, was), (_, is)) in before.iter().zip(seen(&world).await) {
        assert_eq!(*was, is, "{path} was changed");
    }
}
