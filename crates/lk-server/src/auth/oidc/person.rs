//! Whose identity it is.

use lk_core::Time;
use lk_core::access::{Standing, Verb, authorize};
use lk_store::{FirstMembership, NewIdentity, NewUser, Store, User};

use super::config::OidcConfig;
use super::flow::Failure;
use super::provider::Proven;

/// Longest name of a person that is taken over from the provider.
const NAME_CHARS_MAX: usize = 120;

/// The person with this identity. Somebody known by a verified e-mail address is linked now;
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
    // The address went to somebody else at the provider: not to be mistaken for who had it before.
    let others = store.identities(&user.id).await?;
    if others.iter().any(|other| other.issuer == identity.issuer) {
        tracing::warn!(userId = %user.id, "the identity provider has this person's address under another subject");
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
