//! Repository chores: `cargo xtask <chore>`. Run one with `--help` for what it does.

#[cfg(feature = "bench")]
mod bench;
mod codegen;
mod codes;
mod fakes;
mod golden;
mod registry;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Repository chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Measure the built server beside baselines (run it as `make bench`).
    #[cfg(feature = "bench")]
    Bench(bench::Options),
    /// Write the generated files (lists of providers and codes).
    Codegen {
        /// Change nothing; fail when a file is not up to date.
        #[arg(long)]
        check: bool,
    },
    /// Measure the classification on a labelled file of errors.
    Golden {
        /// The file: one JSON object a line.
        #[arg(default_value = "../shared/golden/dev.jsonl")]
        file: PathBuf,
        /// Also list the wrong answers of the training part.
        #[arg(long)]
        misses: bool,
    },
    /// Check the house rules that no compiler checks (crate edges, names, SQL, lengths ...).
    Tidy,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.chore {
        #[cfg(feature = "bench")]
        Chore::Bench(options) => bench::run(&repository_root(), &options),
        Chore::Codegen { check } => codegen::run(&repository_root(), check),
        Chore::Golden { file, misses } => golden::run(&file, misses),
        Chore::Tidy => tidy::run(&repository_root()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder that holds the workspace's Cargo.toml.
fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}
