//! Planted secrets and personal data: none may be found afterwards in anything that was kept or is
//! told.

mod bodies;
mod plants;

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use lk_provider::manifest::Encoding;
use lk_provider::signature;
use serde_json::Value;

use crate::everything::{kept, told};
use crate::harness::{Connected, Server, sign};
use bodies::{Wrap, declared_keys};
use plants::Canary;

/// Providers that bring them.
const PROVIDERS: [&str; 8] = [
    "stripe",
    "gusto",
    "quickbooks",
    "procore",
    "slack",
    "github",
    "standard_webhooks",
    "generic",
];
/// Canaries in one body.
const TOGETHER: usize = 10;

fn base64(text: &str) -> String {
    signature::encode(Encoding::Base64, text.as_bytes())
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

/// A text in the spellings it could have survived in.
fn spellings(text: &str) -> Vec<String> {
    let json = Value::from(text).to_string();
    let mut all = vec![
        text.to_owned(),
        json[1..json.len() - 1].to_owned(),
        percent(text),
        percent(text).replace("%20", "+"),
        signature::encode(Encoding::Hex, text.as_bytes()),
    ];
    // Inside base64 it looks different at each of three offsets; the ends depend on the neighbours.
    for shift in 0..3 {
        let encoded = base64(&format!("{}{text}", "x".repeat(shift)));
        let from = (shift * 8).div_ceil(6);
        let to = (shift + text.len()) * 8 / 6;
        all.push(encoded[from..to].to_owned());
        all.push(encoded[from..to].replace('+', "-").replace('/', "_"));
    }
    all
}

/// Sends deliveries and remembers how many were accepted.
struct Sender<'a> {
    server: &'a Server,
    to: &'a [Connected],
    sent: usize,
}

impl Sender<'_> {
    /// A delivery's headers: what its provider needs, its signature, and canaries where they fit.
    fn headers(&self, to: &Connected, body: &[u8], form: bool, guests: &[Canary]) -> Vec<(String, String)> {
        let id = format!("dlv_{}", self.sent);
        let mut headers = sign(to, &id, body);
        if form {
            headers.retain(|(name, _)| name != "content-type");
            headers.push((
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            ));
        }
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        match to.provider.as_str() {
            "github" => {
                add("x-github-event", "workflow_run".to_owned());
                add("x-github-delivery", id);
            }
            "generic" => add("idempotency-key", id),
            _ => {}
        }
        let at = |n: usize| &guests[(self.sent + n) % guests.len()].text;
        // A shared header is the signature of some; a second one would be refused.
        if to.provider != "procore" {
            add("authorization", at(0).clone());
        }
        add("cookie", format!("theme=dark; sid={}", at(1)));
        add("x-api-key", at(2).clone());
        add("user-agent", format!("billing/2.0 ({})", at(3)));
        add("x-request-id", at(4).clone());
        add(
            "referer",
            format!("https://app.example.com/people?q={}", percent(at(5))),
        );
        add("x-callback-topic", format!("notes about {}", at(6)));
        headers
    }

    async fn send(&mut self, to: &Connected, body: &[u8], form: bool, guests: &[Canary]) -> u16 {
        let headers = self.headers(to, body, form, guests);
        self.sent += 1;
        self.server
            .post(&to.path, headers, body)
            .await
            .unwrap_or_else(|e| panic!("{}: {e}", to.provider))
    }

    async fn accepted(&mut self, to: &Connected, body: &[u8], form: bool, guests: &[Canary]) {
        let status = self.send(to, body, form, guests).await;
        assert_eq!(status, 200, "{}: {}", to.provider, String::from_utf8_lossy(body));
    }
}

/// Every canary in every wrapping, told by changing providers as success and failure.
async fn in_bodies(sender: &mut Sender<'_>, canaries: &[Canary], guests: &[Canary]) {
    for (w, wrap) in Wrap::ALL.into_iter().enumerate() {
        for (c, chunk) in canaries.chunks(TOGETHER).enumerate() {
            let to = sender.to[(w + c) % sender.to.len()].clone();
            let extra = bodies::extra(wrap, chunk, &declared_keys(&to.provider));
            let failed = (c % 2 == 0).then_some("The record could not be written");
            let body = bodies::event(&to.provider, sender.sent, extra, failed);
            sender.accepted(&to, body.to_string().as_bytes(), false, guests).await;
        }
    }
}

/// In what becomes the event's own words: message, operation, code; and in the forms of one
/// provider.
async fn in_words(sender: &mut Sender<'_>, canaries: &[Canary], guests: &[Canary]) {
    for (n, canary) in canaries.iter().enumerate() {
        let to = sender.to[n % sender.to.len()].clone();
        let extra = bodies::extra(Wrap::Nested, std::slice::from_ref(canary), &declared_keys(&to.provider));
        let message = match canary.key {
            None => format!("Row {n} was refused: {} is not known here", canary.text),
            Some(_) => format!("Row {n} was refused"),
        };
        let body = bodies::event(&to.provider, sender.sent, extra, Some(&message));
        sender.accepted(&to, body.to_string().as_bytes(), false, guests).await;
        if canary.key.is_none() {
            let generic = sender.to[PROVIDERS.len() - 1].clone();
            let body = bodies::called_by_it(&canary.text);
            sender
                .accepted(&generic, body.to_string().as_bytes(), false, guests)
                .await;
        }
    }
    let slack = sender.to[4].clone();
    for chunk in canaries.chunks(TOGETHER) {
        for form in bodies::forms(chunk, &declared_keys("slack"), sender.sent) {
            sender.accepted(&slack, form.as_bytes(), true, guests).await;
        }
    }
}

/// In bodies that cannot be read: signed, so kept in quarantine.
async fn in_quarantine(sender: &mut Sender<'_>, canaries: &[Canary], guests: &[Canary]) {
    for (c, chunk) in canaries.chunks(TOGETHER).enumerate() {
        let to = sender.to[c % sender.to.len()].clone();
        for (w, wrap) in Wrap::ALL.into_iter().enumerate() {
            let extra = bodies::extra(wrap, chunk, &declared_keys(&to.provider));
            let body = bodies::event(&to.provider, sender.sent, extra, None).to_string();
            // Cut off at the end, or somewhere within what is kept.
            let ends = [body.len() - 2 - c, 1_700 + 7 * c + w];
            for end in ends.into_iter().filter(|end| *end <= body.len() - 2 - c) {
                sender.accepted(&to, &body.as_bytes()[..end], false, guests).await;
            }
            let mut broken = body.into_bytes();
            broken.insert(1, 0xff);
            sender.accepted(&to, &broken, false, guests).await;
        }
    }
}

/// In deliveries that nobody may believe.
async fn in_rejected(sender: &mut Sender<'_>, canaries: &[Canary], guests: &[Canary]) {
    for (c, chunk) in canaries.chunks(TOGETHER).enumerate() {
        let to = sender.to[c % sender.to.len()].clone();
        let extra = bodies::extra(Wrap::Nested, chunk, &declared_keys(&to.provider));
        let body = bodies::event(&to.provider, sender.sent, extra, Some("no")).to_string();
        let wrong = Connected {
            secret: Some(format!("whsec_{}", base64("a secret that nobody shares"))),
            ..to.clone()
        };
        assert_eq!(sender.send(&wrong, body.as_bytes(), false, guests).await, 401);
        let key = percent(&chunk[0].text);
        for path in [
            format!("/webhooks/{}/{key}", to.provider),
            format!("/webhooks/{key}/{key}"),
            format!("{}?note={key}", to.path),
        ] {
            let headers = sender.headers(&wrong, body.as_bytes(), false, guests);
            let status = sender.server.post(&path, headers, body.as_bytes()).await;
            assert!(matches!(status, Ok(400..=499)), "{path}: {status:?}");
        }
    }
}

/// What is found of the needles, as "kind in place".
fn leaks(canaries: &[Canary], secrets: &[String], places: &[(String, String)]) -> BTreeSet<String> {
    let (mut patterns, mut owners) = (Vec::new(), Vec::new());
    let planted = canaries.iter().flat_map(|c| c.needles.iter().map(move |n| (c.kind, n)));
    let own = secrets.iter().map(|secret| ("webhook secret", secret));
    for (kind, needle) in planted.chain(own) {
        for spelling in spellings(needle) {
            patterns.push(spelling);
            owners.push((kind, needle));
        }
    }
    let search = AhoCorasick::new(&patterns).expect("patterns");
    let mut found = BTreeSet::new();
    for (place, text) in places {
        for hit in search.find_overlapping_iter(text) {
            let (kind, needle) = owners[hit.pattern().as_usize()];
            let mut from = hit.start().saturating_sub(60);
            while !text.is_char_boundary(from) {
                from -= 1;
            }
            let before = text[from..hit.end()].escape_debug();
            found.insert(format!("{kind} {needle:?} in {place}: …{before}"));
        }
    }
    found
}

#[test]
fn what_is_not_redacted_is_found() {
    let canaries = plants::all();
    assert_eq!(canaries.len(), plants::COUNT);
    let needles: BTreeSet<&String> = canaries.iter().map(|c| &c.needles[0]).collect();
    assert_eq!(needles.len(), plants::COUNT, "each is unique");
    for wrap in Wrap::ALL {
        let body = bodies::extra(wrap, &canaries, &declared_keys("github")).to_string();
        let found = leaks(&canaries, &[], &[("a body".to_owned(), body)]);
        for canary in &canaries {
            let seen = canary.needles.iter().any(|needle| {
                let begin = format!("{} {needle:?} ", canary.kind);
                found.iter().any(|leak| leak.starts_with(&begin))
            });
            assert!(seen, "{wrap:?}: {} {}", canary.kind, canary.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_planted_is_found_again() {
    let mut server = Server::start();
    server.terminate();
    server.log_filter = Some("debug");
    server.serve(None);
    let given = "webhook_secret=the-webhook-secret-of-this-test-0";
    let to: Vec<Connected> = PROVIDERS
        .iter()
        .map(|provider| {
            let generated = ["standard_webhooks", "procore", "generic"].contains(provider);
            let settings: &[&str] = if generated { &[] } else { &[given] };
            server.connect(provider, settings)
        })
        .collect();
    let canaries = plants::all();
    let guests: Vec<Canary> = plants::all()
        .into_iter()
        .filter(|c| c.key.is_none() && c.fits_a_header())
        .collect();
    let mut sender = Sender {
        server: &server,
        to: &to,
        sent: 0,
    };
    in_bodies(&mut sender, &canaries, &guests).await;
    in_words(&mut sender, &canaries, &guests).await;
    in_quarantine(&mut sender, &canaries, &guests).await;
    let accepted = sender.sent;
    in_rejected(&mut sender, &canaries, &guests).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;

    let mut places = told(&server).await;
    places.extend(kept(&server));
    let details = places.iter().filter(|(place, _)| place.starts_with("/api/events/"));
    let told = details.clone().filter(|(_, text)| text.contains("[redacted:")).count();
    assert_eq!(
        (details.count(), told),
        (accepted, accepted),
        "all is kept, and redacted"
    );
    assert!(
        places
            .iter()
            .any(|(place, text)| place.ends_with("/rejections") && text.contains("wrong_secret"))
    );
    let secrets: Vec<String> = to.iter().filter_map(|to| to.secret.clone()).collect();
    let found = leaks(&canaries, &secrets, &places);
    let shown: Vec<&String> = found.iter().take(40).collect();
    assert!(found.is_empty(), "{} leaks: {shown:#?}", found.len());
}
