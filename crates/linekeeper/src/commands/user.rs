//! `user add`.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use lk_core::access::{Standing, Verb, authorize};
use lk_core::words::Role;
use lk_engine::Clock;
use lk_store::{NewUser, StoreError};

use super::print_line;
use crate::cli::UserAdd;
use crate::config::Config;
use crate::wiring;

/// Adds a person, or gives one who is there a new password.
pub(crate) async fn add(args: UserAdd) -> anyhow::Result<()> {
    let config = Config::read(&args.at)?;
    let mut password = String::new();
    std::io::stdin()
        .read_to_string(&mut password)
        .context("the password cannot be read")?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.chars().count() < lk_server::PASSWORD_CHARS_MIN {
        bail!(
            "the password must have at least {} characters",
            lk_server::PASSWORD_CHARS_MIN
        );
    }
    let hash = lk_server::hash_password(password).map_err(|error| anyhow::anyhow!("{error}"))?;
    let (local, domain) = args.email.split_once('@').unwrap_or_default();
    if local.is_empty() || domain.is_empty() || args.email.contains(char::is_whitespace) {
        bail!("`{}` is not an e-mail address", args.email);
    }
    let store = wiring::open_store(&config).await?;
    let now = Clock::system().now();
    let permit = authorize(&Standing::command_line(), Verb::ManageUsers)?;
    let new = NewUser {
        email: args.email.clone(),
        name: args.name.clone().unwrap_or_else(|| local.to_owned()),
        password_hash: Some(hash.clone()),
        operator: args.operator,
    };
    let user = match store.create_user(&permit, &new, now).await {
        Ok(user) => user,
        Err(StoreError::Taken { .. }) => {
            let known = store.credentials(&args.email).await?;
            let user = known
                .context("the e-mail address is taken and its owner cannot be read")?
                .user;
            store.set_password(&permit, &user.id, &hash, now).await?;
            user
        }
        Err(error) => return Err(error.into()),
    };
    let default = if args.operator { Role::Owner } else { Role::Viewer };
    let role = args.role.map_or(default, Role::from);
    let project = store.project(args.project.as_deref().unwrap_or("default")).await?;
    let permit = authorize(&Standing::command_line(), Verb::ManageMembers)?;
    store.set_member(&permit, &project.id, &user.id, role, now).await?;
    print_line(&format!("{} is {role} of {}", user.email, project.slug))
}
