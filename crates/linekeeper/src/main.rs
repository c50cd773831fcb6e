//! The Linekeeper binary: configuration, command line and wiring.

mod cli;
mod commands;
mod config;
mod demo;
mod doctor;
mod logging;
mod providers;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // The first provider installed counts; a second call has nothing to do.
    drop(rustls::crypto::ring::default_provider().install_default());
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linekeeper: {error:#}");
            ExitCode::FAILURE
        }
    }
}
