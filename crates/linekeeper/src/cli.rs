//! The command line. Its forms are relied on by scripts: keep them stable.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Integration health and control center: receives every provider's webhooks, explains what fails
/// and says what to do.
#[derive(Debug, Parser)]
#[command(name = "linekeeper", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the web page, the API and the webhook addresses.
    #[command(after_help = "Example:\n  linekeeper serve --data-dir ./data --listen 127.0.0.1:8787")]
    Serve(Serve),
    /// Serve with the demo loaded, in a folder of its own.
    #[command(after_help = "Example:\n  linekeeper demo --listen 127.0.0.1:8787")]
    Demo(Demo),
    /// Manage the people of this installation.
    #[command(subcommand)]
    User(User),
    /// Manage API keys and the master key.
    #[command(subcommand)]
    Key(Key),
    /// Look after the audit log.
    #[command(subcommand)]
    Audit(Audit),
    /// Manage integrations.
    #[command(subcommand)]
    Integration(Integration),
    /// Check provider files and list the providers.
    #[command(subcommand)]
    Provider(Provider),
    /// Check the installation and say what is wrong and what to do. Changes nothing.
    #[command(
        long_about = "Check the installation and say what is wrong and what to do: configuration, files, TLS, identity provider, database, master key, audit log, people, integrations, provider files. Changes nothing, works while servers run and without one, and shows of secrets no more than the end. Ends with status 1 when there is a problem.",
        after_help = "Examples:\n  linekeeper doctor --data-dir ./data\n  linekeeper doctor --json | jq '.findings[] | select(.level != \"ok\")'"
    )]
    Doctor(Doctor),
    /// Check one integration now and print every rung with its time. Needs no server; what it finds is not recorded.
    #[command(
        long_about = "Check one integration now, rung by rung: name, connection, TLS, answer, credential, permissions, what it is for. Prints each with its time and, for the one that fails, cause and fix. Needs no server and records nothing: a running server goes on by itself. Ends with status 1 when the check fails.",
        after_help = "Examples:\n  linekeeper check \"Payroll\" --data-dir ./data\n  linekeeper check 01890f6e-0000-7000-8000-000000000000 --watch --every 10\n  linekeeper check Payroll --json | jq .steps"
    )]
    Check(Check),
    /// Explain a raw error: category, cause, fix. Needs no server.
    #[command(
        after_help = "Examples:\n  echo '{\"error\":{\"code\":\"card_declined\"}}' | linekeeper explain --provider stripe --status 402\n  linekeeper explain --jsonl errors.jsonl"
    )]
    Explain(Explain),
    /// Run stored failures through the rules again, after the rules changed.
    #[command(after_help = "Example:\n  linekeeper replay --data-dir ./data --project default --dry-run")]
    Replay(Replay),
    /// Write a project's events as JSON lines or CSV.
    #[command(after_help = "Example:\n  linekeeper export --data-dir ./data --format csv > events.csv")]
    Export(Export),
    /// Print the API's OpenAPI document.
    #[command(after_help = "Example:\n  linekeeper openapi > openapi.json")]
    Openapi,
}

/// Where the data is. Flags win over the environment, the environment over the file.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct Where {
    /// Folder of the database and the key file [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// PostgreSQL instead of SQLite, e.g. postgres://user@host/linekeeper
    #[arg(long, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Configuration file [default: linekeeper.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Its id, or its name where only one has it
    #[arg(value_name = "INTEGRATION")]
    pub(crate) integration: String,
    /// Check again and again until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    /// Seconds between two checks of --watch
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) every: u64,
    /// Print JSON, one object a check
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Folder of the demo's data; it is made afresh each time when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a person, or set the password of one who is there.
    #[command(
        after_help = "Example:\n  echo \"$PASSWORD\" | linekeeper user add --email mia@example.com --operator --password-stdin"
    )]
    Add(UserAdd),
    /// List everybody.
    #[command(after_help = "Example:\n  linekeeper user list --data-dir ./data")]
    List(UserList),
    /// Forbid somebody to sign in, and sign them out.
    #[command(after_help = "Example:\n  linekeeper user disable --email mia@example.com")]
    Disable(UserNamed),
    /// Let somebody sign in again.
    #[command(after_help = "Example:\n  linekeeper user enable --email mia@example.com")]
    Enable(UserNamed),
    /// Print a one-time link with which somebody sets a new password; their authenticator is removed with --totp.
    #[command(after_help = "Example:\n  linekeeper user reset --email mia@example.com --totp")]
    Reset(UserReset),
}

#[derive(Debug, Args)]
pub(crate) struct UserList {
    #[command(flatten)]
    pub(crate) at: Where,
}

#[derive(Debug, Args)]
pub(crate) struct UserNamed {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Their e-mail address
    #[arg(long)]
    pub(crate) email: String,
}

#[derive(Debug, Args)]
pub(crate) struct UserReset {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Their e-mail address
    #[arg(long)]
    pub(crate) email: String,
    /// Also remove their authenticator and recovery codes
    #[arg(long)]
    pub(crate) totp: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UserAdd {
    #[command(flatten)]
    pub(crate) at: Where,
    /// E-mail address, which is the name to sign in with
    #[arg(long)]
    pub(crate) email: String,
    /// Name to show [default: the part before the @]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// May run the whole installation
    #[arg(long)]
    pub(crate) operator: bool,
    /// Project to join [default: default]
    #[arg(long, value_name = "SLUG")]
    pub(crate) project: Option<String>,
    /// Role in the project [default: owner for an operator, else viewer]
    #[arg(long)]
    pub(crate) role: Option<Role>,
    /// Read the password from standard input (at least 12 characters)
    #[arg(long, required = true)]
    pub(crate) password_stdin: bool,
}

/// A role, as typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Role {
    Viewer,
    Editor,
    Admin,
    Owner,
}

impl From<Role> for lk_core::words::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Editor => Self::Editor,
            Role::Admin => Self::Admin,
            Role::Owner => Self::Owner,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Create an API key and print it; it is shown this once.
    #[command(
        after_help = "Example:\n  KEY=$(linekeeper key create --project default --role editor)\n  curl -H \"Authorization: Bearer $KEY\" http://127.0.0.1:8787/api/overview"
    )]
    Create(KeyCreate),
    /// Replace the master key and seal every secret anew, while servers run.
    #[command(
        long_about = "Replace the master key and seal every secret anew, while servers run on the same data.\n\nWith the key file: makes a new key, waits until running servers have read it, seals every secret anew, checks that each opens, and takes the key before out of the file. That one is kept in master-<id>.retired, which backups made before need. With LINEKEEPER_MASTER_KEY set: seals every secret with it, opening with the keys in LINEKEEPER_MASTER_KEY_PREVIOUS. Interrupted, it is finished by running it again.",
        after_help = "Examples:\n  linekeeper key rotate-master --data-dir ./data\n  LINEKEEPER_MASTER_KEY=$NEW LINEKEEPER_MASTER_KEY_PREVIOUS=$OLD linekeeper key rotate-master --database postgres://user@host/linekeeper"
    )]
    RotateMaster(KeyRotateMaster),
    /// Begin anew after the master key was lost for good: secrets must be entered again, and the
    /// audit log can be checked from here on only. Nothing else is lost.
    #[command(after_help = "Example:\n  linekeeper key lost --data-dir ./data --yes")]
    Lost(KeyLost),
}

#[derive(Debug, Args)]
pub(crate) struct KeyLost {
    #[command(flatten)]
    pub(crate) at: Where,
    /// The key is lost, and so is every secret that it sealed
    #[arg(long, required = true)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeyRotateMaster {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Do not keep the key before; backups made before cannot be read without a copy of it
    #[arg(long)]
    pub(crate) discard_old: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeyCreate {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Project the key belongs to
    #[arg(long, value_name = "SLUG", default_value = "default")]
    pub(crate) project: String,
    /// What the key may do
    #[arg(long)]
    pub(crate) role: Role,
    /// The key may run the whole installation
    #[arg(long)]
    pub(crate) operator: bool,
    /// Name to recognise it by
    #[arg(long, default_value = "command line")]
    pub(crate) name: String,
    /// What the key may be used for within its role; repeat for several [default: all of it]
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<Scope>,
    /// Days until it expires [default: never]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) expires_days: Option<u32>,
}

/// A key's scope, as typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Scope {
    Read,
    Triage,
    Integrations,
    Admin,
}

impl From<Scope> for lk_core::words::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Triage => Self::Triage,
            Scope::Integrations => Self::Integrations,
            Scope::Admin => Self::Admin,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Check that no row of the audit log is missing or was changed.
    #[command(
        after_help = "Examples:\n  linekeeper audit check\n  linekeeper audit check --expect 1042:9f3c...   # the end noted earlier must still be there"
    )]
    Check(AuditCheck),
}

#[derive(Debug, Args)]
pub(crate) struct AuditCheck {
    #[command(flatten)]
    pub(crate) at: Where,
    /// A row and its hash, as an earlier check printed them
    #[arg(long, value_name = "ROW:HASH")]
    pub(crate) expect: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Integration {
    /// Add an integration and print its webhook address and secret.
    #[command(
        after_help = "Examples:\n  linekeeper integration add --provider stripe --name 'Stripe Issuing' --json\n  linekeeper integration add --provider procore --name Procore --set webhook_secret=... --json"
    )]
    Add(IntegrationAdd),
    /// List the integrations of a project.
    #[command(after_help = "Example:\n  linekeeper integration list --project default")]
    List(IntegrationList),
}

#[derive(Debug, Args)]
pub(crate) struct IntegrationAdd {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Project it belongs to
    #[arg(long, value_name = "SLUG", default_value = "default")]
    pub(crate) project: String,
    /// The provider's key, e.g. stripe
    #[arg(long, value_name = "KEY")]
    pub(crate) provider: String,
    /// Name to show [default: the provider's]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A setting; `webhook_secret` sets the secret instead of generating one
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) settings: Vec<(String, String)>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IntegrationList {
    #[command(flatten)]
    pub(crate) at: Where,
    /// The project
    #[arg(long, value_name = "SLUG", default_value = "default")]
    pub(crate) project: String,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Provider {
    /// Check a provider file, or a folder of them, before it is used.
    #[command(
        long_about = "Check a provider file, or a folder of them, before it is used.\n\nPrints `ok KEY` for each file that is a provider, and one line for each problem of the others: file, line where it is known, what is wrong and what to do. Ends with status 1 when there is a problem. Needs no server and no database.",
        after_help = "Examples:\n  linekeeper provider lint providers.d/acme.toml\n  linekeeper provider lint providers.d"
    )]
    Lint(ProviderLint),
    /// List the providers: key, name, capabilities, and the file of one that is not built in.
    #[command(after_help = "Example:\n  linekeeper provider list --json")]
    List(ProviderList),
}

#[derive(Debug, Args)]
pub(crate) struct ProviderLint {
    /// A file, or a folder whose files ending in .toml are checked
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ProviderList {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) at: Where,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) at: Where,
    /// The provider's key, e.g. stripe; an unknown one gets the generic rules
    #[arg(long, value_name = "KEY", required_unless_present = "jsonl")]
    pub(crate) provider: Option<String>,
    /// What was attempted, e.g. payroll.submit
    #[arg(long, default_value = "")]
    pub(crate) operation: String,
    /// HTTP status of the answer
    #[arg(long, value_parser = clap::value_parser!(u16).range(100..=599))]
    pub(crate) status: Option<u16>,
    /// Read JSON lines with provider, operation, http_status and body; print one answer a line
    #[arg(long)]
    pub(crate) jsonl: bool,
    /// File to read; standard input when absent or -
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(crate) at: Where,
    /// The project
    #[arg(long, value_name = "SLUG", default_value = "default")]
    pub(crate) project: String,
    /// Only this integration (its id)
    #[arg(long, value_name = "ID")]
    pub(crate) integration: Option<String>,
    /// Say what would change and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Format of an export.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Jsonl,
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) at: Where,
    /// The project
    #[arg(long, value_name = "SLUG", default_value = "default")]
    pub(crate) project: String,
    /// Format of the output
    #[arg(long, default_value = "jsonl")]
    pub(crate) format: Format,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("is not KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_every_leaf_has_an_example() {
        let command = super::Cli::command();
        command.clone().debug_assert();
        fn check(command: &clap::Command) {
            if command.has_subcommands() {
                command.get_subcommands().for_each(check);
            } else {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Example"), "{} has no example", command.get_name());
            }
        }
        check(&command);
    }
}
