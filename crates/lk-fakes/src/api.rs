//! Fake APIs that checks talk to: stateful, as strict as the real ones, and able to get into every
//! trouble on demand. Each knows what health an honest monitor has to report of it.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lk_core::Time;
use lk_core::words::Health;
use lk_provider::{HttpRequest, HttpResponse, Settings};
use serde_json::Value;

use crate::server::{Api, Manner, Reply, Running, header, serve};

/// What can be wrong with a fake: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The credential is accepted no more.
    ExpiredToken,
    /// The credential is accepted and may do less than it should.
    MissingScope,
    /// Too many calls; with how many seconds to wait, where it says so.
    Throttled(Option<u32>),
    /// Every call fails inside.
    ServerError,
    /// A page for people where JSON is expected.
    Html,
    /// JSON of another shape.
    Drift,
    /// JSON that ends too early, although the connection ends well.
    BrokenJson,
    /// The connection is taken and nothing is said.
    Stall,
    /// The answer comes a byte a second.
    Drip,
    /// The connection ends in the middle of the answer.
    CloseMidBody,
    /// The connection ends before any answer.
    Down,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 12] = [
        Self::ExpiredToken,
        Self::MissingScope,
        Self::Throttled(None),
        Self::Throttled(Some(3)),
        Self::ServerError,
        Self::Html,
        Self::Drift,
        Self::BrokenJson,
        Self::Stall,
        Self::Drip,
        Self::CloseMidBody,
        Self::Down,
    ];

    /// The same without those of scopes.
    pub const WITHOUT_SCOPES: [Self; 11] = [
        Self::ExpiredToken,
        Self::Throttled(None),
        Self::Throttled(Some(3)),
        Self::ServerError,
        Self::Html,
        Self::Drift,
        Self::BrokenJson,
        Self::Stall,
        Self::Drip,
        Self::CloseMidBody,
        Self::Down,
    ];

    /// What an honest monitor reports once it has looked often enough.
    pub const fn truth(self) -> Health {
        match self {
            Self::MissingScope => Health::Degraded,
            _ => Health::Down,
        }
    }
}

/// A fake of one provider's API.
pub trait FakeApi: Send {
    /// The provider's key.
    fn provider(&self) -> &'static str;

    /// The settings of an integration that it accepts, but for `base_url`.
    fn settings(&self) -> Settings;

    /// The troubles it knows: a provider without scopes leaves out theirs.
    fn troubles(&self) -> &'static [Trouble] {
        &Trouble::ALL
    }

    /// The answer to a request, in the provider's own words also where it refuses. `trouble` is
    /// one of [`Trouble::ExpiredToken`], [`Trouble::MissingScope`], [`Trouble::Throttled`] and
    /// [`Trouble::ServerError`]; the others are the same everywhere and seen to by the harness.
    fn answer(&mut self, request: &HttpRequest, trouble: Option<Trouble>, now: Time) -> HttpResponse;

    /// A good answer's body after the provider changed its shape.
    fn drifted(&self, body: Value) -> Value;
}

/// A running fake API; dropping it stops it.
#[derive(Debug)]
pub struct RunningApi {
    running: Running,
    trouble: Arc<Mutex<Option<Trouble>>>,
    settings: Settings,
}

impl RunningApi {
    /// Serves `api` on a free port of loopback; `clock` is asked at every request.
    pub fn start(api: Box<dyn FakeApi>, clock: fn() -> Time) -> io::Result<Self> {
        let trouble: Arc<Mutex<Option<Trouble>>> = Arc::default();
        let settings = api.settings();
        let troubled = Troubled {
            api,
            clock,
            trouble: Arc::clone(&trouble),
        };
        Ok(Self {
            running: serve(troubled)?,
            trouble,
            settings,
        })
    }

    /// From now on this is wrong.
    pub fn set(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }

    /// From now on nothing is wrong.
    pub fn clear(&self) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What is wrong.
    pub fn trouble(&self) -> Option<Trouble> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an honest monitor reports once it has looked often enough.
    pub fn truth(&self) -> Health {
        self.trouble().map_or(Health::Healthy, Trouble::truth)
    }

    /// Where it listens.
    pub fn base_url(&self) -> String {
        self.running.base_url()
    }

    /// The settings of an integration that watches it.
    pub fn settings(&self) -> Settings {
        let mut settings = self.settings.clone();
        settings.set("base_url", self.base_url());
        settings
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.running.requests()
    }
}

/// A fake with the trouble it is in.
struct Troubled {
    api: Box<dyn FakeApi>,
    clock: fn() -> Time,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl Troubled {
    fn in_trouble(&mut self, request: &HttpRequest, trouble: Trouble) -> Reply {
        let now = (self.clock)();
        let good = |api: &mut Box<dyn FakeApi>| api.answer(request, None, now);
        let manner = match trouble {
            Trouble::Stall => Manner::Stall,
            Trouble::Drip => Manner::Drip(Duration::from_secs(1)),
            Trouble::CloseMidBody => Manner::CloseMidBody,
            Trouble::Down => Manner::CloseAtOnce,
            _ => Manner::Whole,
        };
        let response = match trouble {
            Trouble::Html => page(),
            Trouble::Drift => self.drifted(request),
            Trouble::BrokenJson => {
                let mut response = good(&mut self.api);
                response.body.truncate(response.body.len() / 2);
                response
            }
            Trouble::Stall | Trouble::Drip | Trouble::CloseMidBody | Trouble::Down => good(&mut self.api),
            own => self.api.answer(request, Some(own), now),
        };
        Reply { response, manner }
    }

    fn drifted(&mut self, request: &HttpRequest) -> HttpResponse {
        let response = self.api.answer(request, None, (self.clock)());
        match serde_json::from_slice::<Value>(&response.body) {
            Ok(body) if response.status == 200 => HttpResponse {
                body: self.api.drifted(body).to_string().into_bytes(),
                ..response
            },
            _ => response,
        }
    }
}

impl Api for Troubled {
    fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        self.api.answer(request, None, (self.clock)())
    }

    fn reply(&mut self, request: &HttpRequest) -> Reply {
        let trouble = *self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            None => Reply::from(self.answer(request)),
            Some(trouble) => self.in_trouble(request, trouble),
        }
    }
}

/// What a proxy, a login or a documentation host answers in an API's place.
fn page() -> HttpResponse {
    let html = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>";
    HttpResponse {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())],
        body: html.as_bytes().to_vec(),
    }
}

/// The path and the query's pairs of a request, undecoded.
pub fn target(request: &HttpRequest) -> (&str, Vec<(&str, &str)>) {
    let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    (
        path,
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect(),
    )
}

/// The bearer token of a request; the word before it in any case.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = header(&request.headers, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// A wait in seconds as the header that tells it, where it is told.
pub fn retry_after(wait: Option<u32>) -> Option<(String, String)> {
    wait.map(|seconds| ("retry-after".to_owned(), seconds.to_string()))
}

/// Counts calls in a window, as providers meter them.
#[derive(Debug, Clone)]
pub struct Meter {
    calls: u32,
    window_ms: i64,
    began: Time,
    used: u32,
}

impl Meter {
    /// So many calls in so many seconds.
    pub const fn new(calls: u32, window_s: u32) -> Self {
        Self {
            calls,
            window_ms: window_s as i64 * 1_000,
            began: Time(0),
            used: 0,
        }
    }

    /// Takes `cost` of it. Too little left gives the seconds to wait and takes nothing.
    pub fn take(&mut self, cost: u32, now: Time) -> Result<(), u32> {
        if now.since(self.began) >= self.window_ms {
            (self.began, self.used) = (now, 0);
        }
        if self.used + cost > self.calls {
            return Err(((self.window_ms - now.since(self.began)) / 1_000 + 1) as u32);
        }
        self.used += cost;
        Ok(())
    }

    /// How many it allows, how many are left, and when it is filled again.
    pub fn state(&self) -> (u32, u32, Time) {
        (self.calls, self.calls - self.used, self.began + self.window_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_meter_fills_again() {
        let mut meter = Meter::new(2, 60);
        let at = |s: i64| Time(1_000_000_000 + s * 1_000);
        assert_eq!(meter.take(1, at(0)), Ok(()));
        assert_eq!(meter.take(1, at(10)), Ok(()));
        assert_eq!(meter.take(1, at(20)), Err(41));
        assert_eq!(meter.state(), (2, 0, at(60)));
        assert_eq!(meter.take(2, at(60)), Ok(()));
    }

    struct Counter(u32);

    impl FakeApi for Counter {
        fn provider(&self) -> &'static str {
            "counter"
        }
        fn settings(&self) -> Settings {
            [("token", "t")].into_iter().collect()
        }
        fn answer(&mut self, _: &HttpRequest, trouble: Option<Trouble>, _: Time) -> HttpResponse {
            self.0 += 1;
            let status = if trouble.is_some() { 500 } else { 200 };
            HttpResponse::json(status, &json!({ "n": self.0 }))
        }
        fn drifted(&self, _: Value) -> Value {
            json!({ "count": self.0 })
        }
    }

    #[test]
    fn trouble_comes_and_goes_and_is_told() {
        let running = RunningApi::start(Box::new(Counter(0)), || Time(0)).unwrap();
        let get = || crate::server::tests::exchange(&running.running, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(get().ends_with(r#"{"n":1}"#));
        assert_eq!(running.truth(), Health::Healthy);
        running.set(Trouble::Drift);
        assert!(get().ends_with(r#"{"count":2}"#));
        running.set(Trouble::ServerError);
        assert!(get().starts_with("HTTP/1.1 500"));
        assert_eq!(running.truth(), Health::Down);
        running.set(Trouble::MissingScope);
        assert_eq!(running.truth(), Health::Degraded);
        for trouble in [Trouble::Html, Trouble::BrokenJson, Trouble::CloseMidBody, Trouble::Down] {
            running.set(trouble);
            assert!(!get().contains('}'), "{trouble:?}");
        }
        running.clear();
        assert!(get().contains("200"));
        assert_eq!(running.settings().get("base_url"), Some(running.base_url().as_str()));
    }
}
