//! Brute force: of passwords, codes and links, from one place, from many, and all at once.

use futures_util::future::join_all;
use lk_core::words::Role;
use serde_json::{Value, json};
use tokio::time::Instant;
use totp_rs::{Algorithm, Builder, Secret};

use super::http::{Answer, Ask};
use super::world::{OPERATOR, PASSWORD, Person, World};
use crate::harness::now;

/// Tries of one account from one place before the delay begins.
const FREE: usize = 4;
/// Tries of one place before the delay begins.
const FREE_OF_SOURCE: usize = 30;
/// Tries of one account from anywhere before the delay begins.
const FREE_OF_ACCOUNT: usize = 20;

/// A server that believes its proxy on 127.0.0.1 alone.
async fn world() -> World {
    World::with(vec![("LINEKEEPER_TRUSTED_PROXIES", "127.0.0.1".to_owned())]).await
}

fn sign_in(email: &str, password: &str) -> Ask {
    Ask::post("/api/session", &json!({"email": email, "password": password}))
}

async fn tried(world: &World, ask: Ask, client: &str) -> Answer {
    ask.through_proxy_for(client).send(&world.server).await
}

async fn guess(world: &World, email: &str, password: &str, client: &str) -> u16 {
    tried(world, sign_in(email, password), client).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_not_guessed() {
    let world = world().await;
    let email = |role| world.here.person(role).email.clone();
    // One account from one place: after four tries even the right password waits.
    let ann = email(Role::Owner);
    for _ in 0..FREE {
        assert_eq!(guess(&world, &ann, "wrong", "203.0.113.1").await, 401);
    }
    assert_eq!(guess(&world, &ann, PASSWORD, "203.0.113.1").await, 429);
    assert_eq!(guess(&world, &ann.to_uppercase(), PASSWORD, "203.0.113.1").await, 429);
    assert_eq!(
        guess(&world, &ann, PASSWORD, "203.0.113.2").await,
        200,
        "others are not kept out"
    );

    // One account from many places. Whoever signed in from theirs lately still can.
    let bob = email(Role::Admin);
    assert_eq!(guess(&world, &bob, PASSWORD, "203.0.113.3").await, 200);
    for n in 0..FREE_OF_ACCOUNT {
        assert_eq!(
            guess(&world, &bob, "wrong", &format!("198.51.100.{n}")).await,
            401,
            "{n}"
        );
    }
    assert_eq!(guess(&world, &bob, PASSWORD, "198.51.100.200").await, 429);
    assert_eq!(guess(&world, &bob, PASSWORD, "203.0.113.3").await, 200);

    // Many accounts from one place, and from the many addresses of one IPv6 network.
    for n in 0..FREE_OF_SOURCE {
        assert_eq!(
            guess(&world, &format!("{n}@example.org"), "wrong", "203.0.113.4").await,
            401,
            "{n}"
        );
        let address = format!("2001:db8:1:2:{n:x}::{n:x}");
        assert_eq!(
            guess(&world, &format!("six{n}@example.org"), "wrong", &address).await,
            401,
            "{n}"
        );
    }
    let carl = email(Role::Editor);
    assert_eq!(guess(&world, &carl, PASSWORD, "203.0.113.4").await, 429);
    assert_eq!(
        guess(&world, &carl, PASSWORD, "2001:db8:1:2:ffff::1").await,
        429,
        "the same network"
    );
    assert_eq!(
        guess(&world, &carl, PASSWORD, "2001:db8:1:3::1").await,
        200,
        "another network"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_made_up_gains_nothing() {
    let world = world().await;
    let (ann, stranger) = (&world.here.person(Role::Owner).email, "127.0.0.2");
    let statuses = async |password: &str, made_up: &str| {
        let ask = sign_in(ann, password).from(stranger);
        let ask = ask
            .header("x-forwarded-for", made_up)
            .header("forwarded", &format!("for={made_up}"));
        let ask = ask.header("x-real-ip", made_up).header("cf-connecting-ip", made_up);
        ask.send(&world.server).await.status
    };
    for n in 0..FREE {
        assert_eq!(statuses("wrong", &format!("203.0.113.{n}")).await, 401);
    }
    assert_eq!(statuses(PASSWORD, "203.0.113.99").await, 429);
    // Through the proxy the client's own words are left of the proxy's.
    for n in 0..FREE {
        assert_eq!(
            guess(&world, ann, "wrong", &format!("192.0.2.{n}, 203.0.113.7")).await,
            401
        );
    }
    assert_eq!(guess(&world, ann, PASSWORD, "192.0.2.99, 203.0.113.7").await, 429);
    assert_eq!(guess(&world, ann, PASSWORD, "203.0.113.8").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_the_same_time_are_no_more_guesses() {
    let world = world().await;
    let ann = &world.here.person(Role::Owner).email;
    let begun = Instant::now();
    let guesses = join_all((0..60).map(|_| guess(&world, ann, "wrong", "203.0.113.1"))).await;
    let looked_at = guesses.iter().filter(|status| **status == 401).count();
    assert!(guesses.iter().all(|status| matches!(status, 401 | 429)), "{guesses:?}");
    // On a slow machine the delay passes meanwhile: 1 s, 2 s, 4 s, …
    let passed_s = begun.elapsed().as_secs() + 1;
    let more = usize::try_from(passed_s.ilog2()).expect("small");
    assert!(
        looked_at >= 1 && looked_at <= FREE + more,
        "{looked_at} of 60 after {passed_s} s"
    );
    assert_eq!(guess(&world, ann, PASSWORD, "203.0.113.2").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_and_an_unknown_address_are_answered_alike() {
    let world = world().await;
    let disabled = world.add("disabled@example.org").await;
    let body = json!({"disabled": true, "version": 1});
    let path = format!("/api/users/{}", disabled.id);
    let done = Ask::new("PATCH", &path).json(&body).by(&world.operator.browser);
    assert_eq!(done.send(&world.server).await.status, 200);
    let mut told = Vec::new();
    for (n, (email, password)) in [
        (OPERATOR, "wrong password"),
        ("nobody@example.org", "wrong password"),
        (&disabled.email, "wrong password"),
        // The right password of an account that is switched off.
        (&disabled.email, PASSWORD),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = tried(&world, sign_in(email, password), &format!("203.0.113.{n}")).await;
        assert_eq!(answer.header("set-cookie"), None);
        let mut body = answer.json();
        body["error"].as_object_mut().expect("an error").remove("requestId");
        told.push((answer.status, body));
    }
    assert!(told.iter().all(|answer| *answer == told[0]), "{told:?}");
    assert_eq!(told[0].0, 401);
    assert_eq!(guess(&world, OPERATOR, PASSWORD, "203.0.113.9").await, 200);
}

/// The code that an authenticator with this secret shows.
pub(super) fn code(secret: &str, steps_from_now: i64) -> String {
    let secret = Secret::try_from_base32(secret).expect("a secret");
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(secret)
        .with_account_name("test".to_owned())
        .build()
        .expect("an authenticator");
    let at = now().ms() / 1_000 + 30 * steps_from_now;
    totp.generate(u64::try_from(at).expect("after 1970")).to_string()
}

/// Sets up an authenticator: its secret and the recovery codes.
pub(super) async fn authenticator(world: &World, person: &Person) -> (String, Vec<String>) {
    let made = world.post(&person.browser, "/api/profile/totp", &Value::Null).await;
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    // The step before: the present one is still to be used.
    let confirm = json!({"code": code(&secret, -1)});
    let confirmed = Ask::new("PUT", "/api/profile/totp").json(&confirm).by(&person.browser);
    let confirmed = confirmed.send(&world.server).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);
    let codes = confirmed.json()["recoveryCodes"].as_array().cloned().expect("codes");
    let codes = codes.iter().filter_map(|code| code.as_str().map(str::to_owned));
    (secret, codes.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_not_guessed_by_whoever_knows_the_password() {
    let world = world().await;
    let ann = world.add("ann@example.org").await;
    let (secret, recovery) = authenticator(&world, &ann).await;
    let with = async |code: Option<&str>, client: &str| {
        let mut body = json!({"email": ann.email, "password": PASSWORD});
        if let Some(code) = code {
            body["code"] = code.into();
        }
        tried(&world, Ask::post("/api/session", &body), client).await.outcome()
    };
    let wrong = if code(&secret, 0) == "000000" {
        "000001"
    } else {
        "000000"
    };
    for (client, wrong, right) in [
        ("203.0.113.1", wrong, code(&secret, 0)),
        ("203.0.113.2", "aaaa-bbbb-cccc-dddd", recovery[0].clone()),
    ] {
        for _ in 0..FREE {
            // Asking for the code does not set the count back.
            assert_eq!(with(None, client).await, (401, "code_required".to_owned()));
            assert_eq!(with(Some(wrong), client).await, (401, "bad_code".to_owned()));
        }
        assert_eq!(with(None, client).await.0, 429);
        assert_eq!(with(Some(&right), client).await.0, 429, "the right one waits, too");
    }
    assert_eq!(with(Some(&code(&secret, 0)), "203.0.113.3").await.0, 200);
    assert_eq!(with(Some(&recovery[0]), "203.0.113.4").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sits_at_a_session_does_not_guess_either() {
    let world = world().await;
    let ann = world.add("ann@example.org").await;
    let stolen = world.browser(&ann, 20).await;
    let by = async |ask: Ask, client: &str| tried(&world, ask.by(&stolen), client).await.status;
    for n in 0..FREE {
        let change = json!({"current": "wrong", "password": "another long password"});
        let ask = Ask::new("PUT", "/api/profile/password").json(&change);
        // The password is one, wherever it is asked for.
        let ask = if n % 2 == 0 {
            ask
        } else {
            Ask::post("/api/session/sudo", &json!({"password": "wrong"}))
        };
        assert_eq!(by(ask, "203.0.113.1").await, 401);
    }
    let right = Ask::post("/api/session/sudo", &json!({"password": PASSWORD}));
    assert_eq!(by(right.clone(), "203.0.113.1").await, 429);
    assert_eq!(by(right, "203.0.113.2").await, 200);

    // An authenticator that is being set up: its codes would bring recovery codes.
    let bob = world.add("bob@example.org").await;
    let made = world.post(&bob.browser, "/api/profile/totp", &Value::Null).await;
    let secret = made["secret"].as_str().expect("a secret");
    let stolen = world.browser(&bob, 20).await;
    let confirm = async |code: &str, client: &str| {
        let ask = Ask::new("PUT", "/api/profile/totp")
            .json(&json!({"code": code}))
            .by(&stolen);
        tried(&world, ask, client).await.status
    };
    for _ in 0..FREE {
        assert_eq!(confirm("12345", "203.0.113.1").await, 401);
    }
    assert_eq!(confirm(&code(secret, 0), "203.0.113.1").await, 429);
    assert_eq!(confirm(&code(secret, 0), "203.0.113.2").await, 200);
}

/// A route that takes a link's token.
struct Way {
    path: &'static str,
    right: String,
    more: Value,
}

impl Way {
    fn ask(&self, world: &World, token: &str) -> Ask {
        let mut body = self.more.clone();
        body["token"] = token.into();
        // Accepting needs somebody; the others do not look.
        Ask::post(self.path, &body).by(&world.here.person(Role::Editor).browser)
    }
}

/// Every way that a link leads, those that use it up last.
async fn ways(world: &World) -> Vec<Way> {
    let token = |link: &Value| {
        let link = link["link"].as_str().expect("a link");
        link.split_once("token=").expect("a token").1.to_owned()
    };
    let invite = json!({"projectId": "default", "role": "viewer"});
    let owner = world.here.browser(Role::Owner);
    let invited = token(&world.post(owner, "/api/invitations", &invite).await);
    let accepted = token(&world.post(owner, "/api/invitations", &invite).await);
    let reset = format!("/api/users/{}/password-reset", world.here.person(Role::Viewer).id);
    let reset = token(&world.post(&world.operator.browser, &reset, &json!({})).await);
    let password = "a long password";
    let new = json!({"email": "new@example.org", "name": "New", "password": password});
    let way = |path, right: &str, more| Way {
        path,
        right: right.to_owned(),
        more,
    };
    vec![
        way("/api/invitations/look", &invited, json!({})),
        way("/api/password-reset/look", &reset, json!({})),
        way("/api/invitations/accept", &accepted, json!({})),
        way("/api/password-reset", &reset, json!({"password": password})),
        way("/api/invitations/join", &invited, new),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_not_guessed_and_guessing_keeps_nobody_out() {
    let world = world().await;
    let mut ways = ways(&world).await;
    for (n, way) in ways.iter().enumerate() {
        let client = format!("203.0.113.{n}");
        for _ in 0..FREE {
            let wrong = tried(&world, way.ask(&world, "wrong"), &client).await;
            assert_eq!(wrong.status, 401, "{}", way.path);
        }
        let slowed = tried(&world, way.ask(&world, &way.right), &client).await;
        assert_eq!(slowed.status, 429, "{}", way.path);
    }
    // The first owner's link is spent; whoever guesses it is slowed down all the same.
    let setup = Way {
        path: "/api/setup",
        right: String::new(),
        more: ways[4].more.clone(),
    };
    for status in [401, 401, 401, 401, 429] {
        let answer = tried(&world, setup.ask(&world, "wrong"), "203.0.113.50").await;
        assert_eq!(answer.status, status);
    }
    // However many guess, from wherever: whoever has the link gets in.
    ways.push(setup);
    for n in 0..2 * FREE_OF_ACCOUNT {
        let client = format!("198.51.100.{n}");
        for way in &ways {
            drop(tried(&world, way.ask(&world, "wrong"), &client).await);
        }
        // What is typed as an address must not be counted as a link either.
        drop(tried(&world, sign_in("invitation", "wrong"), &client).await);
    }
    ways.pop();
    for way in &ways {
        let answer = tried(&world, way.ask(&world, &way.right), "203.0.113.90").await;
        let let_in = matches!(answer.status, 200 | 204);
        assert!(let_in, "{}: {} {}", way.path, answer.status, answer.text);
    }
}
