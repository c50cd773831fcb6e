//! Runs the built server on its own data and watches what it uses.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail, ensure};

use super::load::clock;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    binary: PathBuf,
    data: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// An API key of the project `default`.
    pub(crate) key: String,
    /// Milliseconds from its start to its `ready` line.
    pub(crate) ready_ms: u128,
}

/// What a process has used since it started.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// CPU time, microseconds.
    pub(crate) cpu_us: f64,
    /// Bytes handed to the disk.
    pub(crate) written_bytes: f64,
}

impl Usage {
    /// What was used after `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            cpu_us: self.cpu_us - earlier.cpu_us,
            written_bytes: self.written_bytes - earlier.written_bytes,
        }
    }
}

impl Server {
    /// Starts the server and waits until it accepts.
    pub(crate) fn start(binary: &Path, data: &Path) -> anyhow::Result<Self> {
        // Beside the data, for whoever wants to know why it failed.
        let log = std::fs::File::create(data.with_extension("log")).context("making the server's log")?;
        let started = clock();
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .env("LINEKEEPER_LOG", "warn")
            // What is measured is the server, not the limit of a key.
            .env("LINEKEEPER_KEY_CALLS_PER_MINUTE", "0")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", binary.display()))?;
        let output = child.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let Some(base) = lines.find_map(|line| line.strip_prefix("ready http://").map(str::to_owned)) else {
            bail!("the server ended before it was ready");
        };
        let ready_ms = clock().duration_since(started).unwrap_or_default().as_millis();
        // Keeps reading, so that the server never waits for a reader of its output.
        std::thread::spawn(move || lines.for_each(drop));
        let address = base.parse().with_context(|| format!("not an address: {base}"))?;
        let mut server = Self {
            child,
            binary: binary.to_owned(),
            data: data.to_owned(),
            address,
            key: String::new(),
            ready_ms,
        };
        server.key = server.command(&["key", "create", "--project", "default", "--role", "admin"])?;
        Ok(server)
    }

    /// Runs a command on the server's data and gives what it prints.
    pub(crate) fn command(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.binary)
            .args(args)
            .arg("--data-dir")
            .arg(&self.data)
            .output()?;
        ensure!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Resident memory, megabytes.
    pub(crate) fn memory_mb(&self) -> anyhow::Result<u64> {
        let pid = self.child.id().to_string();
        let output = Command::new("ps")
            .args(["-o", "rss=", "-p", &pid])
            .output()
            .context("running ps")?;
        let kilobytes: u64 = String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .context("reading what ps says")?;
        Ok(kilobytes / 1024)
    }

    /// CPU and disk use so far; zeros where the system has no /proc.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let folder = PathBuf::from("/proc").join(self.child.id().to_string());
        let Ok(stat) = std::fs::read_to_string(folder.join("stat")) else {
            return Ok(Usage::default());
        };
        // After the command's name: utime and stime are the 12th and 13th field, in ticks of 10 ms.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace()
            .collect();
        let ticks: f64 = fields
            .iter()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<f64>().ok())
            .sum();
        let io = std::fs::read_to_string(folder.join("io")).unwrap_or_default();
        let written = io
            .lines()
            .find_map(|line| line.strip_prefix("write_bytes: "))
            .unwrap_or("0");
        Ok(Usage {
            cpu_us: ticks * 10_000.0,
            written_bytes: written.trim().parse()?,
        })
    }

    /// Stops the server as its operator would, and checks that it ends well.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .context("running kill")?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a failed measurement; a server that has ended already is no error.
        let _ = self.child.kill();
    }
}
