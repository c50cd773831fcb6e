//! The one-time link through which the first owner comes.

use lk_core::Time;
use lk_core::access::{Standing, Verb, authorize};
use lk_core::time::DAY;
use lk_store::{NewOneTimeLink, Store};

use super::token::{new_token, token_hash};
use crate::error::ApiError;

/// Purpose of the link.
pub(crate) const SETUP: &str = "setup";
/// How long it can be used.
const SETUP_LIFE_MS: i64 = DAY;

/// A new token for `/setup?token=...` when the installation has nobody yet, else `None`. Its owner
/// will own the project with id `project_id`. An earlier token stops working.
pub async fn setup_token(store: &Store, project_id: &str, now: Time) -> Result<Option<String>, ApiError> {
    if !store.needs_setup().await? {
        return Ok(None);
    }
    let token = new_token()?;
    let link = NewOneTimeLink {
        hash: token_hash(&token).to_vec(),
        purpose: SETUP.to_owned(),
        project_id: Some(project_id.to_owned()),
        payload: "{}".to_owned(),
        expires_at: now + SETUP_LIFE_MS,
    };
    let permit = authorize(&Standing::command_line(), Verb::ManageUsers)?;
    store.create_one_time_link(&permit, &link, now).await?;
    Ok(Some(token))
}
