//! Starts the real binary, speaks to it over HTTP, and ends it one way or another.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lk_core::Time;
use lk_engine::Clock;
use lk_engine::egress::{Egress, EgressError};
use lk_provider::{HttpRequest, HttpResponse, Secret, Settings, signature};
use serde_json::Value;

/// Longest wait for anything that must happen soon.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// A folder of data and, while it runs, the server on it.
pub(crate) struct Server {
    pub(crate) dir: PathBuf,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) database: Option<String>,
    /// Where it listens; a free port when absent.
    pub(crate) listen: Option<String>,
    /// What is logged; the binary's own choice when absent.
    pub(crate) log_filter: Option<&'static str>,
    /// More variables for the server.
    pub(crate) variables: Vec<(&'static str, String)>,
    child: Option<Child>,
    http: Egress,
    _folder: tempfile::TempDir,
}

/// Numbers the databases of this process.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A database of its own on the test's PostgreSQL, made and dropped with `psql`'s own rights.
pub(crate) struct Postgres {
    pub(crate) url: String,
    admin: String,
    name: String,
}

impl Postgres {
    pub(crate) fn create() -> Self {
        let admin = std::env::var("TEST_POSTGRES_URL")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
        let name = format!(
            "lk_it_{}_{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let (base, _) = admin.rsplit_once('/').expect("TEST_POSTGRES_URL ends in /database");
        let this = Self {
            url: format!("{base}/{name}"),
            admin,
            name,
        };
        this.psql(&format!("CREATE DATABASE {}", this.name));
        this
    }

    fn psql(&self, sql: &str) {
        let done = Command::new("psql").args([&self.admin, "-qc", sql]).status();
        assert!(
            done.is_ok_and(|status| status.success()),
            "PostgreSQL is needed at {} (or set TEST_POSTGRES_URL), and psql beside it",
            self.admin
        );
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // A failed test has said enough already.
        drop(Command::new("psql").args([&self.admin, "-qc", &sql]).status());
    }
}

/// A connected integration and how to sign for it.
#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) id: String,
    pub(crate) provider: String,
    pub(crate) path: String,
    pub(crate) secret: Option<String>,
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linekeeper"));
    command
        .env("LINEKEEPER_ALLOW_PRIVATE_TARGETS", "true")
        .env_remove("LINEKEEPER_CRASH_AT");
    command
}

impl Server {
    /// A fresh installation that serves.
    pub(crate) fn start() -> Self {
        Self::start_on(None)
    }

    /// The same on a PostgreSQL database.
    pub(crate) fn start_on(database: Option<String>) -> Self {
        let mut server = Self::stopped(database);
        server.serve(None);
        let key = server.run(&["key", "create", "--role", "owner", "--operator"], "");
        key.trim().clone_into(&mut server.key);
        server
    }

    /// A second server on the same PostgreSQL database, with the same master key.
    pub(crate) fn beside(first: &Self) -> Self {
        let mut server = Self::stopped(first.database.clone());
        std::fs::create_dir_all(&server.dir).expect("a folder");
        std::fs::copy(first.dir.join("master.key"), server.dir.join("master.key")).expect("the key");
        server.key.clone_from(&first.key);
        server.serve(None);
        server
    }

    /// A folder and nothing that runs.
    pub(crate) fn stopped(database: Option<String>) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            dir: folder.path().join("data"),
            url: String::new(),
            key: String::new(),
            listen: None,
            log_filter: None,
            variables: Vec::new(),
            child: None,
            database,
            http: Egress::new(true).expect("a client"),
            _folder: folder,
        }
    }

    /// Starts the server on its data, with a planned crash if one is given.
    pub(crate) fn serve(&mut self, crash_at: Option<&str>) {
        let mut command = binary();
        let listen = self.listen.as_deref().unwrap_or("127.0.0.1:0");
        command.arg("serve").args(self.at()).args(["--listen", listen]);
        if let Some(point) = crash_at {
            command.env("LINEKEEPER_CRASH_AT", point);
        }
        if let Some(filter) = self.log_filter {
            command.env("LINEKEEPER_LOG", filter);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // Appended to: a test may want to know what was said before a crash.
        let log = std::fs::File::options().create(true).append(true).open(self.log_file());
        let log = log.expect("a log");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("starts");
        let out = child.stdout.take().expect("its output");
        let ready = BufReader::new(out)
            .lines()
            .map_while(Result::ok)
            .find(|l| l.starts_with("ready "));
        let ready = ready.unwrap_or_else(|| panic!("it does not start: {}", self.log()));
        ready["ready ".len()..].clone_into(&mut self.url);
        self.child = Some(child);
    }

    fn at(&self) -> Vec<String> {
        let dir = self.dir.display().to_string();
        let mut args = vec!["--data-dir".to_owned(), dir];
        if let Some(url) = &self.database {
            args.extend(["--database".to_owned(), url.clone()]);
        }
        args
    }

    /// Where its log is written, beside the data folder.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.dir.with_extension("log")
    }

    /// What it logged, over all its lives.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Runs a command on the same data and returns its standard output.
    pub(crate) fn run(&self, args: &[&str], input: &str) -> String {
        let output = self.try_run(args, input);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The same, whatever comes of it.
    pub(crate) fn try_run(&self, args: &[&str], input: &str) -> Output {
        self.try_run_with(args, input, &[])
    }

    /// The same with variables of its own.
    pub(crate) fn try_run_with(&self, args: &[&str], input: &str, variables: &[(&str, &str)]) -> Output {
        let mut child = self
            .command(args)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        let mut stdin = child.stdin.take().expect("its input");
        stdin.write_all(input.as_bytes()).expect("it reads");
        drop(stdin);
        child.wait_with_output().expect("ends")
    }

    /// A command on the same data, not yet started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = binary();
        command.args(args).args(self.at());
        command
    }

    /// Connects an integration through the command line.
    pub(crate) fn connect(&self, provider: &str, settings: &[&str]) -> Connected {
        let mut args = vec!["integration", "add", "--provider", provider, "--json"];
        for setting in settings {
            args.extend(["--set", setting]);
        }
        let made: Value = serde_json::from_str(&self.run(&args, "")).expect("JSON");
        let url = made["webhookUrl"].as_str().expect("an address");
        let given = settings.iter().find_map(|s| s.strip_prefix("webhook_secret="));
        Connected {
            id: made["id"].as_str().expect("an id").to_owned(),
            provider: provider.to_owned(),
            path: url[url.find("/webhooks/").expect("a webhook address")..].to_owned(),
            secret: made["webhookSecret"].as_str().or(given).map(str::to_owned),
        }
    }

    /// Sends a request with the owner's key.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> HttpResponse {
        let key = ("authorization".to_owned(), format!("Bearer {}", self.key));
        self.call_with(vec![key], method, path, body).await
    }

    /// The same with headers of the caller's own.
    pub(crate) async fn call_with(
        &self,
        mut headers: Vec<(String, String)>,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> HttpResponse {
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let body = body.map(ToString::to_string).unwrap_or_default().into_bytes();
        let url = format!("{}{path}", self.url);
        let request = HttpRequest {
            method: method.to_owned(),
            url,
            headers,
            body,
        };
        self.http
            .send(&request)
            .await
            .unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// The JSON answer of a GET that must succeed.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.call("GET", path, None).await;
        let text = String::from_utf8_lossy(&response.body).into_owned();
        assert_eq!(response.status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}: {text}"))
    }

    /// Every event of the default project, oldest first.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/api/events?limit=200{cursor}")).await;
            all.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        all.reverse();
        all
    }

    /// Posts raw bytes to a path.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: Vec<(String, String)>,
        body: &[u8],
    ) -> Result<u16, EgressError> {
        let url = format!("{}{path}", self.url);
        let request = HttpRequest {
            method: "POST".to_owned(),
            url,
            headers,
            body: body.to_vec(),
        };
        Ok(self.http.send(&request).await?.status)
    }

    /// Posts a delivery signed as its provider would; the status, or nothing when the server is gone.
    pub(crate) async fn deliver(&self, to: &Connected, id: &str, body: &Value) -> Option<u16> {
        let text = body.to_string();
        let headers = sign(to, id, text.as_bytes());
        self.post(&to.path, headers, text.as_bytes()).await.ok()
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn wait_for_end(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.wait().expect("ends");
        }
    }

    /// Kills the process without warning, as the operating system would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kills");
            child.wait().expect("ends");
        }
    }

    /// Asks the process to end, and returns its exit status.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        assert!(asked.expect("kill exists").success());
        child.wait().expect("ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// The headers of a delivery signed with the integration's secret.
pub(crate) fn sign(to: &Connected, id: &str, body: &[u8]) -> Vec<(String, String)> {
    let registry = lk_providers::registry().expect("valid");
    let manifest = registry.get(&to.provider).expect("known").manifest();
    let scheme = &manifest.webhook.as_ref().expect("it sends").signature;
    let secret = Secret::new(to.secret.as_deref().expect("a secret"));
    let signed = signature::sign(scheme, &Settings::new(), &secret, id, now(), body).expect("signs");
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(
        signed
            .iter()
            .map(|(n, v)| (n.to_owned(), String::from_utf8_lossy(v).into_owned())),
    );
    headers
}

/// Now, by the machine's clock.
pub(crate) fn now() -> Time {
    Clock::system().now()
}

/// Waits until `ready` gives something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ready: impl Fn() -> F) -> T {
    let found = async {
        loop {
            if let Some(found) = ready().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    tokio::time::timeout(SOON, found)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen"))
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
