//! The load generator: blocking connections, one thread each, HTTP/1.1 kept alive.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail, ensure};
use lk_core::Time;
use lk_fakes::{Happening, Player, Rng, Scenario, Signer};
use lk_provider::manifest::Scheme;
use lk_provider::{Secret, Settings, signature};
use serde_json::Value;

use super::server::Server;
use super::table::Measured;

/// The time now. A benchmark measures time; the products' rules never do.
#[expect(clippy::disallowed_methods, reason = "a benchmark is about the clock")]
pub(crate) fn clock() -> SystemTime {
    SystemTime::now()
}

/// Waits that long. A single park may end early: the scope of threads before leaves a wake-up behind.
pub(crate) fn wait(length: Duration) {
    let until = clock() + length;
    while let Ok(left) = until.duration_since(clock()) {
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}

fn now() -> Time {
    Time(
        clock()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis() as i64,
    )
}

/// An integration to post to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Its provider's key.
    provider: &'static str,
    /// Its id.
    pub(crate) integration: String,
    /// Path of its webhook address.
    path: String,
    signer: Signer,
}

/// Adds an integration for each provider of the story.
pub(crate) fn cast(server: &mut Server) -> anyhow::Result<Vec<Target>> {
    let registry = lk_providers::registry()?;
    let mut targets = Vec::new();
    for provider in Scenario::providers() {
        let manifest = registry
            .get(provider)
            .with_context(|| format!("no provider {provider}"))?
            .manifest();
        let webhook = manifest.webhook.as_ref().context("the provider sends no webhooks")?;
        let args = [
            "integration",
            "add",
            "--project",
            "default",
            "--provider",
            provider,
            "--name",
            provider,
            "--json",
        ];
        let added: Value = serde_json::from_str(&server.command(&args)?)?;
        let text = |key: &str| {
            added[key]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("no {key} in {added}"))
        };
        let (integration, url) = (text("id")?, text("webhookUrl")?);
        let secret = format!("bench-{provider}-{}", Rng::new(now().ms() as u64).hex(24));
        let body = format!("{{\"secret\":\"{secret}\"}}");
        let path = format!("/api/integrations/{integration}/webhook-secrets");
        let (status, _) = Connection::open(server)?.exchange(&request(server, "POST", &path, &[], body.as_bytes()))?;
        ensure!(status == 201, "adding a secret answered {status}");
        let signer = Signer {
            scheme: webhook.signature.clone(),
            settings: Settings::new(),
            secret: Secret::new(secret),
        };
        let path = url
            .find("/webhooks/")
            .map(|at| url[at..].to_owned())
            .context("no path in the webhook address")?;
        targets.push(Target {
            provider,
            integration,
            path,
            signer,
        });
    }
    // The busiest sender first: it is the one that acceptance is measured with.
    targets.sort_by_key(|target| !matches!(target.signer.scheme, Scheme::TimestampedList { .. }));
    Ok(targets)
}

/// A player for a target, in a state of its own.
fn player(target: &Target) -> anyhow::Result<Player> {
    let fake = lk_providers::fakes::all()
        .into_iter()
        .find(|fake| fake.provider() == target.provider);
    Ok(Player::new(
        fake.with_context(|| format!("no fake of {}", target.provider))?,
        target.signer.clone(),
    ))
}

/// Sends deliveries of every kind to every target, as fast as one connection each allows.
pub(crate) fn send_variety(server: &Server, targets: &[Target], total: usize) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        let send = |target: &Target| -> anyhow::Result<()> {
            let (mut player, mut rng) = (player(target)?, Rng::new(11));
            let mut connection = Connection::open(server)?;
            for _ in 0..total / targets.len() {
                // One in ten tells of trouble.
                let what = if rng.below(10) == 0 {
                    *rng.pick(&Happening::ALL)
                } else {
                    Happening::Routine
                };
                let delivery = player
                    .deliver(what, &mut rng, now())
                    .context("the delivery cannot be signed")?;
                let headers: Vec<(String, String)> = delivery
                    .headers
                    .iter()
                    .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
                    .collect();
                let (status, answer) =
                    connection.exchange(&request(server, "POST", &target.path, &headers, &delivery.body))?;
                ensure!(status == 200, "{} answered {status}: {answer}", target.provider);
            }
            Ok(())
        };
        let threads: Vec<_> = targets.iter().map(|target| scope.spawn(move || send(target))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| bail!("a sender failed")))
    })
}

/// What is sent over and over.
#[derive(Debug)]
pub(crate) enum Load {
    /// A GET.
    Path(String),
    /// Signed deliveries, each with an id of its own.
    Deliveries(Target),
}

impl Load {
    /// GETs of one path.
    pub(crate) fn of_path(path: &str) -> Self {
        Self::Path(path.to_owned())
    }

    /// Deliveries to one target.
    pub(crate) fn of_deliveries(target: &Target) -> Self {
        Self::Deliveries(target.clone())
    }

    /// Sends on several connections for a while.
    pub(crate) fn run(&self, server: &Server, connections: usize, length: Duration) -> anyhow::Result<Measured> {
        let stop = AtomicBool::new(false);
        let started = clock();
        let one = |seed: usize| {
            let mut sender = Sender::new(self, server, seed as u64)?;
            while !stop.load(Ordering::Relaxed) {
                sender.once()?;
            }
            Ok(sender.measured)
        };
        let parts: Vec<anyhow::Result<Measured>> = std::thread::scope(|scope| {
            let one = &one;
            let threads: Vec<_> = (0..connections).map(|seed| scope.spawn(move || one(seed))).collect();
            wait(length);
            stop.store(true, Ordering::Relaxed);
            threads
                .into_iter()
                .map(|t| t.join().unwrap_or_else(|_| bail!("a connection failed")))
                .collect()
        });
        let mut all = Measured {
            took: clock().duration_since(started).unwrap_or_default(),
            ..Measured::default()
        };
        for part in parts {
            let part = part?;
            all.count += part.count;
            all.refused += part.refused;
            all.mean_bytes = part.mean_bytes;
            all.latencies_us.extend(part.latencies_us);
        }
        all.latencies_us.sort_unstable();
        Ok(all)
    }

    /// Sends a number of times on one connection.
    pub(crate) fn rounds(&self, server: &Server, rounds: usize) -> anyhow::Result<Measured> {
        let mut sender = Sender::new(self, server, 1)?;
        let started = clock();
        for _ in 0..rounds {
            sender.once()?;
        }
        sender.measured.took = clock().duration_since(started).unwrap_or_default();
        sender.measured.latencies_us.sort_unstable();
        Ok(sender.measured)
    }
}

/// One connection's work.
struct Sender<'a> {
    server: &'a Server,
    load: &'a Load,
    connection: Connection,
    rng: Rng,
    /// The delivery's body up to its id, and after it.
    template: (String, String),
    measured: Measured,
}

/// Length of the random part of an event's id.
const ID_CHARS: usize = 23;

impl<'a> Sender<'a> {
    fn new(load: &'a Load, server: &'a Server, seed: u64) -> anyhow::Result<Self> {
        let mut rng = Rng::new(now().ms() as u64 ^ (seed << 40));
        let mut template = (String::new(), String::new());
        if let Load::Deliveries(target) = load {
            let delivery = player(target)?
                .deliver(Happening::Routine, &mut rng, now())
                .context("cannot be signed")?;
            let body = String::from_utf8(delivery.body.to_vec())?;
            let at = body.find("evt_1").context("the body has no id")? + "evt_1".len();
            template = (body[..at].to_owned(), body[at + ID_CHARS..].to_owned());
        }
        let mean_bytes = template.0.len() + template.1.len() + if template.0.is_empty() { 0 } else { ID_CHARS };
        let measured = Measured {
            mean_bytes,
            ..Measured::default()
        };
        Ok(Self {
            server,
            load,
            connection: Connection::open(server)?,
            rng,
            template,
            measured,
        })
    }

    fn once(&mut self) -> anyhow::Result<()> {
        let request = match self.load {
            Load::Path(path) => request(self.server, "GET", path, &[], b""),
            Load::Deliveries(target) => {
                let body = format!(
                    "{}{}{}",
                    self.template.0,
                    self.rng.alphanumeric(ID_CHARS),
                    self.template.1
                );
                let Signer {
                    scheme,
                    settings,
                    secret,
                } = &target.signer;
                let signed = signature::sign(scheme, settings, secret, "", now(), body.as_bytes());
                let signed = signed.context("the delivery cannot be signed")?;
                let headers: Vec<(String, String)> = signed
                    .iter()
                    .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
                    .collect();
                request(self.server, "POST", &target.path, &headers, body.as_bytes())
            }
        };
        let sent = clock();
        let (status, _) = self.connection.exchange(&request)?;
        let took = clock().duration_since(sent).unwrap_or_default();
        self.measured
            .latencies_us
            .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        self.measured.count += 1;
        self.measured.refused += u64::from(status != 200);
        Ok(())
    }
}

/// The bytes of a request.
fn request(server: &Server, method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", server.address);
    if path.starts_with("/api/") {
        let _ = write!(text, "authorization: Bearer {}\r\n", server.key);
    }
    let typed = headers.iter().any(|(name, _)| name == "content-type");
    if !body.is_empty() && !typed {
        text.push_str("content-type: application/json\r\n");
    }
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    let _ = write!(text, "content-length: {}\r\n\r\n", body.len());
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A connection that is kept.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(server: &Server) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 << 10),
        })
    }

    /// Sends a request and reads the status and body of its answer.
    fn exchange(&mut self, request: &[u8]) -> anyhow::Result<(u16, String)> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        loop {
            if let Some(done) = parse(&self.buffer)? {
                return Ok(done);
            }
            let mut chunk = [0_u8; 16 << 10];
            let read = self.stream.read(&mut chunk)?;
            ensure!(read > 0, "the server closed the connection");
            self.buffer.extend_from_slice(&chunk[..read]);
        }
    }
}

/// The status and body of an answer, once it is complete.
fn parse(bytes: &[u8]) -> anyhow::Result<Option<(u16, String)>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end])?.to_ascii_lowercase();
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let body = &bytes[end + 4..];
    let Some(length) = length else {
        ensure!(
            head.contains("transfer-encoding: chunked"),
            "an answer without a length"
        );
        // The bodies' texts are not needed, only their end.
        return Ok(body.ends_with(b"0\r\n\r\n").then(|| (status, String::new())));
    };
    let length: usize = length.trim().parse()?;
    Ok(body
        .get(..length)
        .map(|body| (status, String::from_utf8_lossy(body).into_owned())))
}
