//! The commands. Each opens what it needs, does one thing and ends.

mod audit;
mod check;
mod doctor;
mod explain;
mod export;
mod integration;
mod key;
mod provider;
mod replay;
mod rotate;
mod serve;
mod user;

use std::io::Write as _;

use crate::cli::{Audit, Cli, Command, Integration, Key, Provider, User};
use crate::wiring;

/// Runs the command that was typed.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    let runtime = wiring::runtime()?;
    match cli.command {
        Command::Serve(args) => runtime.block_on(serve::serve(args)),
        Command::Demo(args) => runtime.block_on(serve::demo(args)),
        Command::User(User::Add(args)) => runtime.block_on(user::add(args)),
        Command::User(User::List(args)) => runtime.block_on(user::list(args)),
        Command::User(User::Disable(args)) => runtime.block_on(user::set_disabled(args, true)),
        Command::User(User::Enable(args)) => runtime.block_on(user::set_disabled(args, false)),
        Command::User(User::Reset(args)) => runtime.block_on(user::reset(args)),
        Command::Audit(Audit::Check(args)) => runtime.block_on(audit::check(args)),
        Command::Key(Key::Create(args)) => runtime.block_on(key::create(args)),
        Command::Key(Key::Lost(args)) => runtime.block_on(key::lost(args)),
        Command::Key(Key::RotateMaster(args)) => runtime.block_on(rotate::rotate_master(args)),
        Command::Integration(Integration::Add(args)) => runtime.block_on(integration::add(args)),
        Command::Integration(Integration::List(args)) => runtime.block_on(integration::list(args)),
        Command::Provider(Provider::Lint(args)) => provider::lint(&args),
        Command::Provider(Provider::List(args)) => provider::list(&args),
        Command::Doctor(args) => runtime.block_on(doctor::doctor(args)),
        Command::Check(args) => runtime.block_on(check::check(args)),
        Command::Explain(args) => explain::explain(&args),
        Command::Replay(args) => runtime.block_on(replay::replay_command(args)),
        Command::Export(args) => runtime.block_on(export::export(args)),
        Command::Openapi => print_line(&lk_server::openapi().to_pretty_json()?),
    }
}

/// Prints a line; a closed pipe (`| head`) ends the command without noise.
pub(crate) fn print_line(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}
