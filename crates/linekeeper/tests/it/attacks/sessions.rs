//! Session fixation, and sessions, keys and streams that outlive what they were given for.

use std::time::Duration;

use lk_core::words::Role;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::http::{Ask, Browser};
use super::world::{PASSWORD, Person, World};

/// Longest time a stream stays open for whoever may no longer look.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);
const STREAM: &str = "/api/integrations/events?projectId=default";
const NEW_PASSWORD: &str = "another horse battery";

fn proxied() -> Vec<(&'static str, String)> {
    vec![("LINEKEEPER_TRUSTED_PROXIES", "127.0.0.1".to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_cookie_is_not_adopted() {
    let world = World::with(proxied()).await;
    let (email, planted) = (
        &world.here.person(Role::Admin).email,
        "lk_session=planted-by-somebody-else",
    );
    let body = json!({"email": email, "password": PASSWORD});
    let sign_in = |cookie: &str| Ask::post("/api/session", &body).header("cookie", cookie);
    let read = async |cookie: &str, https: bool| {
        let ask = Ask::get("/api/profile").header("cookie", cookie);
        let ask = if https {
            ask.header("x-forwarded-proto", "https")
        } else {
            ask
        };
        ask.send(&world.server).await.status
    };
    let first = sign_in(planted).send(&world.server).await.cookie();
    assert_ne!(first, planted);
    assert_eq!((read(planted, false).await, read(&first, false).await), (401, 200));
    // A cookie that was good is not taken over either.
    let second = sign_in(&first).send(&world.server).await.cookie();
    assert_ne!(first, second);
    assert_eq!(read(&second, false).await, 200);

    // Over https the plain name is nobody's: a neighbour's host could have planted it.
    let secure = sign_in(&second)
        .header("x-forwarded-proto", "https")
        .send(&world.server)
        .await;
    let prefixed = secure.cookie();
    assert!(prefixed.starts_with("__Host-lk_session="), "{prefixed}");
    let set = secure.header("set-cookie").unwrap_or_default();
    for word in ["; Secure", "; HttpOnly", "; SameSite=Lax", "Path=/;"] {
        assert!(set.contains(word), "{set}");
    }
    assert_eq!(read(&prefixed, true).await, 200);
    assert_eq!(read(&second, true).await, 401, "a plain cookie over https");
    assert_eq!(read(&prefixed.replace("__Host-", ""), true).await, 401);
    let tossed = format!("{second}; {}", prefixed.replace("lk_session=", "lk_session=x"));
    assert_eq!(read(&tossed, true).await, 401);
    // And the other way round; a stranger's word about https is not believed.
    assert_eq!(read(&prefixed, false).await, 401);
    let stranger = Ask::get("/api/profile")
        .header("cookie", &prefixed)
        .header("x-forwarded-proto", "https");
    assert_eq!(stranger.from("127.0.0.2").send(&world.server).await.status, 401);
}

/// What takes somebody's access away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    SignOut,
    OneSession,
    PasswordChange,
    Reset,
    Disabled,
    EverywhereElse,
    ByOperator,
    Removed,
    Left,
    Demoted,
    KeyRevoked,
}

const ENDS: [End; 11] = [
    End::SignOut,
    End::OneSession,
    End::PasswordChange,
    End::Reset,
    End::Disabled,
    End::EverywhereElse,
    End::ByOperator,
    End::Removed,
    End::Left,
    End::Demoted,
    End::KeyRevoked,
];

/// Somebody whose access ends, with an open stream.
struct Losing {
    end: End,
    person: Person,
    /// The browser from which they act themselves.
    second: Browser,
    key: (String, String),
    stream: TcpStream,
}

impl Losing {
    async fn new(world: &World, end: End) -> Self {
        let email = format!("{end:?}@example.org").to_lowercase();
        let person = world.member(&world.here, &email, Role::Editor).await;
        let made = json!({"projectId": "default", "name": email, "role": "editor"});
        let made = world.post(world.here.browser(Role::Owner), "/api/keys", &made).await;
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let key = (text(&made["value"]), text(&made["key"]["id"]));
        let ask = match end {
            End::KeyRevoked => Ask::get(STREAM).with_key(&key.0),
            _ => Ask::get(STREAM).by(&person.browser),
        };
        Self {
            second: world.browser(&person, 0).await,
            stream: begun(ask.open(&world.server).await).await,
            end,
            person,
            key,
        }
    }

    /// Does what ends the access; it is somebody who may.
    async fn lose(&self, world: &World) {
        let (id, owner, operator) = (
            &self.person.id,
            world.here.browser(Role::Owner),
            &world.operator.browser,
        );
        let change = json!({"current": PASSWORD, "password": NEW_PASSWORD});
        let answer = match self.end {
            End::SignOut => Ask::new("DELETE", "/api/session").by(&self.person.browser),
            End::OneSession => {
                let sessions = world.get(&self.second, "/api/profile/sessions").await;
                let other = |s: &&Value| s["current"] == false;
                let found = sessions["items"].as_array().and_then(|items| items.iter().find(other));
                let id = found.and_then(|s| s["id"].as_str()).expect("the other one");
                Ask::new("DELETE", &format!("/api/profile/sessions/{id}")).by(&self.second)
            }
            End::PasswordChange => Ask::new("PUT", "/api/profile/password").json(&change).by(&self.second),
            End::Reset => {
                let made = world
                    .post(operator, &format!("/api/users/{id}/password-reset"), &json!({}))
                    .await;
                let link = made["link"].as_str().and_then(|link| link.split_once("token="));
                let token = link.expect("a link").1;
                Ask::post(
                    "/api/password-reset",
                    &json!({"token": token, "password": NEW_PASSWORD}),
                )
            }
            End::Disabled => {
                let disabled = json!({"disabled": true, "version": 1});
                Ask::new("PATCH", &format!("/api/users/{id}"))
                    .json(&disabled)
                    .by(operator)
            }
            End::EverywhereElse => Ask::new("DELETE", "/api/profile/sessions").by(&self.second),
            End::ByOperator => Ask::new("DELETE", &format!("/api/users/{id}/sessions")).by(operator),
            End::Removed => Ask::new("DELETE", &format!("/api/members/{id}?projectId=default")).by(owner),
            End::Left => Ask::new("POST", &format!("/api/projects/{}/leave", world.here.id)).by(&self.second),
            End::Demoted => {
                let lower = json!({"role": "viewer", "version": 1});
                Ask::new("PATCH", &format!("/api/members/{id}?projectId=default"))
                    .json(&lower)
                    .by(owner)
            }
            End::KeyRevoked => Ask::new("DELETE", &format!("/api/keys/{}", self.key.1)).by(owner),
        };
        let answer = answer.send(&world.server).await;
        assert!(
            matches!(answer.status, 200 | 204),
            "{:?}: {} {}",
            self.end,
            answer.status,
            answer.text
        );
    }

    /// What the old cookie or key is worth now.
    async fn is_worth_nothing(&self, world: &World) {
        let browser = &self.person.browser;
        let overview = "/api/overview?projectId=default";
        match self.end {
            End::Removed | End::Left => assert_eq!(world.looks(browser, overview).await, 404, "{:?}", self.end),
            End::Demoted => {
                // What an editor may see and a viewer not.
                let members = world.get(browser, "/api/members?projectId=default").await;
                assert!(members["items"][0]["email"].is_null(), "{members}");
            }
            End::KeyRevoked => {
                let answer = Ask::get(overview).with_key(&self.key.0).send(&world.server).await;
                assert_eq!(answer.status, 401);
            }
            _ => assert_eq!(world.looks(browser, "/api/profile").await, 401, "{:?}", self.end),
        }
    }
}

/// The stream after its first bytes: it is open.
async fn begun(mut stream: TcpStream) -> TcpStream {
    let mut first = vec![0_u8; 4_096];
    let mut seen = String::new();
    while !seen.contains("retry: ") {
        let read = tokio::time::timeout(CLOSED_WITHIN, stream.read(&mut first)).await;
        let read = read.expect("in time").expect("reads");
        assert!(read > 0, "the stream did not open: {seen}");
        seen.push_str(&String::from_utf8_lossy(&first[..read]));
    }
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_away_is_gone_at_once_and_its_stream_soon() {
    let world = World::start().await;
    let staying = Ask::get(STREAM).by(world.here.browser(Role::Viewer));
    let mut staying = begun(staying.open(&world.server).await).await;
    let mut all = Vec::new();
    for end in ENDS {
        all.push(Losing::new(&world, end).await);
    }
    for losing in &all {
        let open = world
            .looks(&losing.person.browser, "/api/overview?projectId=default")
            .await;
        assert_eq!(open, 200, "{:?}", losing.end);
    }
    for losing in &all {
        losing.lose(&world).await;
    }
    let deadline = tokio::time::Instant::now() + CLOSED_WITHIN;
    for losing in &all {
        losing.is_worth_nothing(&world).await;
    }
    for losing in &mut all {
        let mut rest = Vec::new();
        let closed = tokio::time::timeout_at(deadline, losing.stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "{:?}: the stream stays open", losing.end);
    }
    // Whom nothing was taken from goes on looking.
    let mut more = [0_u8; 1];
    let still = tokio::time::timeout(Duration::from_millis(200), staying.read(&mut more)).await;
    assert!(still.is_err() || matches!(still, Ok(Ok(1))), "{still:?}");
    // The browser from which the password was changed stays signed in, and the new one counts.
    let changed = all.iter().find(|l| l.end == End::PasswordChange).expect("one of them");
    assert_eq!(world.looks(&changed.second, "/api/profile").await, 200);
    for (password, status) in [(PASSWORD, 401), (NEW_PASSWORD, 200)] {
        let body = json!({"email": changed.person.email, "password": password});
        let answer = Ask::post("/api/session", &body).send(&world.server).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}
