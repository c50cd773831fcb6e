//! `user`: people, from the command line.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use lk_core::access::{Standing, Verb, authorize};
use lk_core::time::DAY;
use lk_core::words::Role;
use lk_engine::Clock;
use lk_store::{NewOneTimeLink, NewUser, RESET_LINK, Store, StoreError, User, UserPatch};

use super::print_line;
use crate::cli::{UserAdd, UserList, UserNamed, UserReset};
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
    store.set_member(&permit, &project.id, &user.id, role, now).await?;
    print_line(&format!("{} is {role} of {}", user.email, project.slug))
}

/// Lists everybody, one a line.
pub(crate) async fn list(args: UserList) -> anyhow::Result<()> {
    let store = wiring::open_store(&Config::read(&args.at)?).await?;
    for row in store.users().await? {
        let mut notes = vec![format!("{} projects", row.projects)];
        for (is, word) in [
            (row.user.operator, "operator"),
            (row.totp, "authenticator"),
            (!row.has_password, "no password"),
            (row.user.disabled_at.is_some(), "disabled"),
        ] {
            if is {
                notes.push(word.to_owned());
            }
        }
        print_line(&format!("{}\t{}\t{}", row.user.email, row.user.name, notes.join(", ")))?;
    }
    Ok(())
}

/// Forbids or allows somebody to sign in.
pub(crate) async fn set_disabled(args: UserNamed, disabled: bool) -> anyhow::Result<()> {
    let store = wiring::open_store(&Config::read(&args.at)?).await?;
    let user = named(&store, &args.email).await?;
    let patch = UserPatch {
        disabled: Some(disabled),
        ..UserPatch::default()
    };
    let permit = authorize(&Standing::command_line(), Verb::ManageUsers)?;
    store
        .update_user(&permit, &user.id, &patch, user.version, Clock::system().now())
        .await?;
    let may = if disabled {
        "may no longer sign in"
    } else {
        "may sign in"
    };
    print_line(&format!("{} {may}", user.email))
}

/// Prints a link with which somebody sets a new password.
pub(crate) async fn reset(args: UserReset) -> anyhow::Result<()> {
    let config = Config::read(&args.at)?;
    let store = wiring::open_store(&config).await?;
    let user = named(&store, &args.email).await?;
    let now = Clock::system().now();
    let permit = authorize(&Standing::command_line(), Verb::ManageUsers)?;
    if args.totp {
        match store.remove_authenticator_of(&permit, &user.id, now).await {
            // There is none to remove: what was asked for holds already.
            Ok(()) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let token = lk_server::new_token().map_err(|e| anyhow::anyhow!("{}", e.message()))?;
    let link = NewOneTimeLink {
        hash: lk_server::token_hash(&token).to_vec(),
        purpose: RESET_LINK.to_owned(),
        project_id: None,
        subject: Some(user.id),
        payload: "{}".to_owned(),
        expires_at: now + DAY,
    };
    store.create_one_time_link(&permit, &link, now).await?;
    print_line(&format!("{}/reset?token={token}", wiring::base_url(&config)))
}

async fn named(store: &Store, email: &str) -> anyhow::Result<User> {
    let wanted = email.trim().to_lowercase();
    let rows = store.users().await?;
    let found = rows.into_iter().map(|row| row.user).find(|user| user.email == wanted);
    found.with_context(|| format!("nobody has the address {email}; see `linekeeper user list`"))
}
