//! What the fake APIs answer is what the readings take it for: each trouble fails where it is, and
//! what is well is well.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use lk_core::Time;
use lk_core::words::{Health, Rung};
use lk_fakes::{RunningApi, Trouble};
use lk_provider::check::{Answer, Call, Reading};
use lk_provider::{HttpRequest, HttpResponse, Provider};

const NOW: Time = Time(1_763_694_000_000);

/// A whole answer, or nothing when the connection ended before it was there.
fn exchange(base: &str, request: &HttpRequest) -> Option<HttpResponse> {
    let host = base.strip_prefix("http://").unwrap();
    let path = request.url.strip_prefix(base).unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let mut head = format!(
        "{} {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: test\r\n",
        request.method
    );
    for (name, value) in &request.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "content-length: {}\r\n\r\n", request.body.len()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&request.body).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).unwrap();
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(raw[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = raw[end + 4..].to_vec();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")?
        .1
        .parse::<usize>()
        .ok()?;
    (body.len() == length).then_some(HttpResponse { status, headers, body })
}

/// The readings of a check up to the first that fails; nothing when no whole answer came.
fn check(provider: &dyn Provider, api: &RunningApi) -> Option<Vec<Reading>> {
    let settings = provider.manifest().with_defaults(&api.settings());
    let mut readings = Vec::new();
    for probe in provider.probes(&settings, NOW) {
        let Call::Http(request) = &probe.call else {
            panic!("{probe:?}");
        };
        let response = exchange(&api.base_url(), request)?;
        let answer = Answer {
            probe: &probe,
            response: &response,
            now: NOW,
        };
        readings.push(provider.read_probe(answer, &settings));
        if readings.last().is_some_and(|reading| reading.failed.is_some()) {
            break;
        }
    }
    Some(readings)
}

/// What one check says of the health, and the rung it blames.
fn verdict(readings: Option<&[Reading]>) -> (Health, Option<Rung>) {
    let Some(readings) = readings else {
        return (Health::Down, None);
    };
    let failed = readings.iter().find_map(|reading| reading.failed.as_ref());
    let warned = readings.iter().any(|reading| !reading.warnings.is_empty());
    match failed {
        Some(failed) => (Health::Down, Some(failed.rung)),
        None if warned => (Health::Degraded, None),
        None => (Health::Healthy, None),
    }
}

#[test]
fn readings_agree_with_the_truth() {
    let registry = crate::registry().unwrap();
    for fake in super::super::apis() {
        let key = fake.provider();
        let troubles = fake.troubles();
        let provider = registry.get(key).unwrap();
        let api = RunningApi::start(fake, || NOW).unwrap();
        let look = || check(provider.as_ref(), &api);
        let (health, rung) = verdict(look().as_deref());
        assert_eq!((health, rung), (api.truth(), None), "{key}: {:?}", look());
        // A byte a second would make this test slow, and is the engine's to cut.
        for trouble in troubles.iter().filter(|trouble| **trouble != Trouble::Drip) {
            api.set(*trouble);
            let readings = look();
            let (health, rung) = verdict(readings.as_deref());
            assert_eq!(health, api.truth(), "{key} {trouble:?}: {readings:?}");
            let expected = match trouble {
                Trouble::ExpiredToken => Some(Rung::Credential),
                Trouble::Throttled(_) => Some(Rung::Quota),
                Trouble::ServerError | Trouble::Html | Trouble::BrokenJson => Some(Rung::Http),
                _ => rung,
            };
            assert_eq!(rung, expected, "{key} {trouble:?}: {readings:?}");
            let last = readings.as_deref().and_then(<[_]>::last);
            let waited = last.and_then(|reading| reading.not_before).map(|at| at.ms() - NOW.ms());
            let wait = match trouble {
                Trouble::Throttled(seconds) => seconds.map(|seconds| i64::from(seconds) * 1_000),
                _ => None,
            };
            assert_eq!(waited, wait, "{key} {trouble:?}");
        }
        api.clear();
        assert_eq!(verdict(look().as_deref()).0, Health::Healthy, "{key}");
    }
}

#[test]
fn fakes_are_strict() {
    let registry = crate::registry().unwrap();
    for fake in super::super::apis() {
        let key = fake.provider();
        let provider = registry.get(key).unwrap();
        let api = RunningApi::start(fake, || NOW).unwrap();
        let mut settings = provider.manifest().with_defaults(&api.settings());
        settings.set("access_token", "another");
        let probe = provider.probes(&settings, NOW).remove(0);
        let Call::Http(request) = &probe.call else {
            panic!("{probe:?}");
        };
        let response = exchange(&api.base_url(), request).unwrap();
        let answer = Answer {
            probe: &probe,
            response: &response,
            now: NOW,
        };
        let reading = provider.read_probe(answer, &settings);
        assert_eq!(
            reading.failed.map(|failed| failed.rung),
            Some(Rung::Credential),
            "{key}"
        );
    }
}

#[test]
fn every_checked_provider_has_its_fake() {
    use lk_provider::manifest::Capability;
    let registry = crate::registry().unwrap();
    let fakes: Vec<_> = super::super::apis().iter().map(|fake| fake.provider()).collect();
    for provider in registry
        .iter()
        .filter(|provider| provider.manifest().can(Capability::Check))
    {
        let manifest = provider.manifest();
        let speaks_http = manifest.check.as_ref().is_some_and(|check| !check.probes.is_empty());
        assert!(
            !speaks_http || fakes.contains(&manifest.key.as_str()),
            "{} has no fake",
            manifest.key
        );
    }
}
