//! Whose identity it is.

use lk_core::Time;
use lk_core::access::{Standing, Verb, authorize};
use lk_store::{FirstMembership, NewIdentity, NewUser, Store, User};

use super::config::OidcConfig;
use super::flow::Failure;
use super::provider::Proven;

/// Longest name of a person that is taken over from the provider.
const NAME_CHARS_MAX: usize = 120;

/// The person with this identity. Somebody who was added with this verified e-mail address and has
/// no way in yet is linked now;
/// somebody unknown is added when the configuration says so.
pub(crate) async fn find_person(
    store: &Store,
    config: &OidcConfig,
    proven: &Proven,
    source: &str,
    now: Time,
) -> Result<User, Failure> {
    let identity = proven.identity();
    if let Some(user) = store.user_of_identity(&identity.issuer, &identity.subject).await? {
        let user = enabled(user)?;
        store.touch_identity(&identity, now).await?;
        return Ok(user);
    }
    // An address the provider does not vouch for may be anybody's.
    let email = proven.verified_email().ok_or(Failure::UnverifiedEmail)?;
    let Some(user) = store.user_by_email(email).await? else {
        return add(store, config, proven, email, source, now).await;
    };
    let user = enabled(user)?;
    // Whoever has a way in already says themselves that this identity is theirs: the address of an
    // account is what somebody typed when they made it, and may have been somebody else's; and at
    // the provider an address may have gone to somebody else.
    let row = store.user_row(&user.id).await?;
    if row.has_password || row.totp || !store.identities(&user.id).await?.is_empty() {
        tracing::warn!(userId = %user.id, "an identity with this person's address is not linked by itself");
        return Err(Failure::UnknownPerson);
    }
    store.link_identity(&user, &identity, Some(source), now).await?;
    Ok(user)
}

fn enabled(user: User) -> Result<User, Failure> {
    if user.disabled_at.is_some() {
        return Err(Failure::Disabled);
    }
    Ok(user)
}

async fn add(
    store: &Store,
    config: &OidcConfig,
    proven: &Proven,
    email: &str,
    source: &str,
    now: Time,
) -> Result<User, Failure> {
    if !config.allows(email) {
        return Err(Failure::UnknownPerson);
    }
    let membership = match &config.project {
        None => None,
        Some(project) => Some(FirstMembership {
            project_id: store.project(project).await?.id,
            role: config.role,
        }),
    };
    let new = NewUser {
        email: email.to_owned(),
        name: name_of(proven, email),
        password_hash: None,
        operator: false,
    };
    // The operator's configuration allows it, so it is Linekeeper that adds them.
    let standing = Standing {
        source: Some(source.to_owned()),
        ..Standing::system()
    };
    let permit = authorize(&standing, Verb::ManageUsers).map_err(|_| Failure::Failed)?;
    let identity: NewIdentity = proven.identity();
    let user = store
        .create_user_with_identity(&permit, &new, &identity, membership.as_ref(), now)
        .await?;
    Ok(user)
}

fn name_of(proven: &Proven, email: &str) -> String {
    let local = email.split_once('@').map_or(email, |(local, _)| local);
    let given = proven.name.as_deref().unwrap_or("");
    let clean = |text: &str| -> String {
        let printable = text.chars().filter(|c| !c.is_control());
        printable.take(NAME_CHARS_MAX).collect::<String>().trim().to_owned()
    };
    let name = clean(given);
    if name.is_empty() { clean(local) } else { name }
}
