//! What is checked is what is connected to: against servers on loopback, with a resolver and a rule
//! of the test's own. Addresses differ in their port alone, which works on every machine.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use super::*;

/// A server that answers one request a connection and keeps the requests' heads.
#[derive(Clone)]
struct Site {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn answering(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let site = Self {
            address: listener.local_addr().expect("an address"),
            heads: Arc::default(),
        };
        let heads = Arc::clone(&site.heads);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let lines = BufReader::new(stream.try_clone().expect("a handle")).lines();
                let head: Vec<String> = lines.map_while(Result::ok).take_while(|l| !l.is_empty()).collect();
                let head = head.join("\n").to_lowercase();
                let text = answer(&head);
                heads.lock().expect("no panic").push(head);
                // A client that has gone is the test's affair.
                drop(stream.write_all(text.as_bytes()));
            }
        });
        site
    }

    fn fine() -> Self {
        Self::answering(|_| "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi".to_owned())
    }

    fn leading_to(location: &str) -> Self {
        let location = location.to_owned();
        Self::answering(move |_| moved(&location))
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }
}

fn moved(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// Names and, for each look-up of one, the addresses it answers; the last answer stays.
type Script = Arc<Mutex<Vec<(&'static str, VecDeque<Vec<SocketAddr>>)>>>;

/// A client whose names answer by the script, and which may not reach the addresses in `refused`.
fn egress(script: Vec<(&'static str, Vec<Vec<SocketAddr>>)>, refused: &[SocketAddr]) -> (Egress, Arc<Mutex<usize>>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let script: Script = Arc::new(Mutex::new(script.into_iter().map(|(n, a)| (n, a.into())).collect()));
    let lookups = Arc::new(Mutex::new(0));
    let (counted, refused) = (Arc::clone(&lookups), refused.to_vec());
    let guard = Guard::with(
        move |host| {
            *counted.lock().expect("no panic") += 1;
            let mut script = script.lock().expect("no panic");
            let known = script.iter_mut().find(|(name, _)| *name == host);
            let answer = known.map(|(_, answers)| {
                let next = if answers.len() > 1 {
                    answers.pop_front()
                } else {
                    answers.front().cloned()
                };
                next.unwrap_or_default()
            });
            let answer = answer.ok_or_else(|| std::io::Error::other("no such name"));
            Box::pin(async move { answer })
        },
        move |address| !refused.contains(&address),
    );
    (Egress::guarded_by(guard).expect("a client"), lookups)
}

fn request(method: &str, url: &str) -> HttpRequest {
    HttpRequest {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: vec![
            ("authorization".to_owned(), "Bearer t".to_owned()),
            ("accept".to_owned(), "text/plain".to_owned()),
        ],
        body: vec![],
    }
}

fn guarded(got: Result<HttpResponse, EgressError>) -> bool {
    matches!(got, Err(EgressError::Guarded { .. }))
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let (good, bad) = (Site::fine(), Site::fine());
    let answers = vec![vec![good.address], vec![good.address], vec![bad.address]];
    let (egress, lookups) = egress(vec![("rebound.test", answers)], &[bad.address]);
    assert_eq!(egress.vet("http://rebound.test/").await, Ok(()));
    let first = egress.send(&request("GET", "http://rebound.test/")).await;
    assert_eq!(first.map(|r| r.status), Ok(200));
    // One look-up each: nothing asks again between check and connection.
    assert_eq!(*lookups.lock().expect("no panic"), 2);
    let second = egress.send(&request("GET", "http://rebound.test/")).await;
    assert!(guarded(second));
    assert_eq!((good.heads().len(), bad.heads().len()), (1, 0));
}

#[tokio::test]
async fn of_a_mixed_answer_only_the_allowed_addresses_are_tried() {
    let (good, bad) = (Site::fine(), Site::fine());
    let mixed = vec![vec![bad.address, good.address, bad.address]];
    let (egress, _) = egress(vec![("mixed.test", mixed)], &[bad.address]);
    assert_eq!(egress.vet("http://mixed.test/").await, Ok(()));
    let got = egress.send(&request("GET", "http://mixed.test/")).await;
    assert_eq!(got.map(|r| r.body), Ok(b"hi".to_vec()));
    assert_eq!((good.heads().len(), bad.heads().len()), (1, 0));
}

#[tokio::test]
async fn a_redirect_is_checked_like_a_first_address() {
    let bad = Site::fine();
    for target in [format!("http://{}/", bad.address), "http://inside.test/".to_owned()] {
        let door = Site::leading_to(&target);
        let names = vec![
            ("door.test", vec![vec![door.address]]),
            ("inside.test", vec![vec![bad.address]]),
        ];
        let (egress, _) = egress(names, &[bad.address]);
        let got = egress.send(&request("GET", "http://door.test/")).await;
        assert!(guarded(got), "{target}");
        assert_eq!((door.heads().len(), bad.heads().len()), (1, 0));
    }
}

#[tokio::test]
async fn redirects_are_followed_five_times_and_without_credentials_elsewhere() {
    // Counts down in its path: /3 leads to /2, /0 is the end.
    let stairs = Site::answering(|head| {
        let path = head.split(' ').nth(1).expect("a path");
        let step: u32 = path[1..].parse().expect("a step");
        match step {
            0 => "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nend".to_owned(),
            step => moved(&format!("/{}", step - 1)),
        }
    });
    let away = Site::leading_to("http://stairs.test/1");
    let names = vec![
        ("stairs.test", vec![vec![stairs.address]]),
        ("away.test", vec![vec![away.address]]),
    ];
    let (egress, _) = egress(names, &[]);
    let five = egress.send(&request("GET", "http://stairs.test/5")).await;
    assert_eq!(five.map(|r| r.body), Ok(b"end".to_vec()));
    assert!(
        stairs
            .heads()
            .iter()
            .all(|head| head.contains("authorization: bearer t"))
    );
    let six = egress.send(&request("GET", "http://stairs.test/6")).await;
    assert!(matches!(six, Err(EgressError::Redirect(_))), "{six:?}");

    let before = stairs.heads().len();
    let got = egress.send(&request("GET", "http://away.test/")).await;
    assert_eq!(got.map(|r| r.status), Ok(200));
    assert!(away.heads()[0].contains("authorization"));
    for head in &stairs.heads()[before..] {
        assert!(
            !head.contains("authorization") && head.contains("accept: text/plain"),
            "{head}"
        );
    }
    let post = egress.send(&request("POST", "http://stairs.test/5")).await;
    assert_eq!(post.map(|r| r.status), Ok(302), "a write is not sent on");
}

#[tokio::test]
async fn typed_addresses_are_vetted() {
    let inside: SocketAddr = "192.0.2.1:80".parse().expect("an address");
    let outside: SocketAddr = "203.0.113.1:80".parse().expect("an address");
    let names = vec![
        ("inside.test", vec![vec![inside, inside]]),
        ("mixed.test", vec![vec![inside, outside]]),
    ];
    let (egress, _) = egress(names, &[inside]);
    for (address, sentence) in [
        ("http://inside.test/x", Some("inside.test leads to a private")),
        ("http://192.0.2.1/", Some("192.0.2.1 leads to a private")),
        ("gopher://mixed.test/", Some("not an http or https address")),
        ("http://mixed.test/", None),
        ("https://unknown.test/", None),
        ("http://203.0.113.1/", None),
    ] {
        let got = egress.vet(address).await;
        match (&got, sentence) {
            (Ok(()), None) => {}
            (Err(error), Some(part)) => assert!(error.to_string().contains(part), "{error}"),
            _ => panic!("{address}: {got:?}"),
        }
    }
}

#[tokio::test]
async fn a_slow_resolver_does_not_hold_up_vetting() {
    let guard = Guard::with(|_| Box::pin(std::future::pending()), |_| false);
    drop(rustls::crypto::ring::default_provider().install_default());
    let egress = Egress::guarded_by(guard).expect("a client");
    let vetted = tokio::time::timeout(VET_WITHIN * 2, egress.vet("http://slow.test/")).await;
    assert_eq!(vetted, Ok(Ok(())), "it is checked again at connect");
}

#[tokio::test]
async fn a_response_with_too_many_headers_is_refused() {
    let wide = Site::answering(|_| {
        let many = "x: y\r\n".repeat(200);
        format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\nconnection: close\r\n\r\n")
    });
    let (egress, _) = egress(vec![("wide.test", vec![vec![wide.address]])], &[]);
    let got = egress.send(&request("GET", "http://wide.test/")).await;
    assert!(matches!(got, Err(EgressError::Connection(_))), "{got:?}");
}

#[tokio::test]
async fn a_name_that_resolves_to_loopback_is_refused_at_connect() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let egress = Egress::new(false).expect("client");
    assert!(guarded(egress.send(&request("GET", "http://localhost:9/")).await));
    let vetted = egress.vet("http://localhost:9/").await;
    assert!(matches!(vetted, Err(EgressError::Guarded { .. })), "{vetted:?}");
}
