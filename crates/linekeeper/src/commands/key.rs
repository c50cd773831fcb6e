//! `key create` and `key lost`.

use lk_core::access::{Standing, Verb, authorize};
use lk_core::time::DAY;
use lk_engine::Clock;
use lk_store::NewApiKey;

use super::print_line;
use crate::cli::{KeyCreate, KeyLost};
use crate::config::Config;
use crate::wiring;

/// Creates an API key and prints it alone.
pub(crate) async fn create(args: KeyCreate) -> anyhow::Result<()> {
    let config = Config::read(&args.at)?;
    let store = wiring::open_store(&config).await?;
    let role = lk_core::words::Role::from(args.role);
    let beyond = |scope: &&crate::cli::Scope| role < lk_core::words::Scope::from(**scope).least_role();
    if let Some(scope) = args.scopes.iter().find(beyond) {
        let scope = lk_core::words::Scope::from(*scope);
        anyhow::bail!(
            "a key with the role {role} cannot use the scope {scope}; it needs {}",
            scope.least_role()
        );
    }
    let project = store.project(&args.project).await?;
    let now = Clock::system().now();
    let token = lk_server::new_token().map_err(|e| anyhow::anyhow!("{}", e.message()))?;
    let key = format!("{}{token}", lk_server::KEY_PREFIX);
    let new = NewApiKey {
        project_id: project.id,
        name: args.name,
        role,
        operator: args.operator,
        scopes: (!args.scopes.is_empty()).then(|| args.scopes.iter().map(|scope| (*scope).into()).collect()),
        hash: lk_server::token_hash(&key).to_vec(),
        last4: key[key.len() - 4..].to_owned(),
        expires_at: args.expires_days.map(|days| now + i64::from(days) * DAY),
    };
    let permit = authorize(&Standing::command_line(), Verb::ManageKeys)?;
    store.create_api_key(&permit, &new, now).await?;
    print_line(&key)
}

/// Begins anew after the master key was lost.
pub(crate) async fn lost(args: KeyLost) -> anyhow::Result<()> {
    let store = wiring::open_store(&Config::read(&args.at)?).await?;
    if store.prove_master_key().await.is_ok() {
        anyhow::bail!("the master key is not lost: it opens what was sealed");
    }
    store.restart_audit_log(Clock::system().now()).await?;
    print_line("a new audit log begins; start the server and enter webhook secrets and credentials again")
}
