//! Who runs the installation, and with what they prove who they are.

use lk_store::{Store, UserRow};

use super::Finding;

/// Looks at the operators.
pub(super) async fn check(store: &Store) -> Vec<Finding> {
    match store.users().await {
        Ok(users) => judge(&users),
        Err(error) => {
            let message = format!("The people could not be read: {error}.");
            vec![Finding::problem("people.unread", message, "Run this again.")]
        }
    }
}

fn judge(users: &[UserRow]) -> Vec<Finding> {
    if users.is_empty() {
        return vec![Finding::warning(
            "people.nobody",
            "Nobody owns this installation yet.",
            "Open the link that `linekeeper serve` prints when it starts, or run `linekeeper user add --operator`.",
        )];
    }
    let able = |row: &&UserRow| row.user.operator && row.user.disabled_at.is_none();
    let operators: Vec<&UserRow> = users.iter().filter(able).collect();
    if operators.is_empty() {
        return vec![Finding::problem(
            "people.no_operator",
            "Nobody who may sign in runs this installation.",
            "Run `linekeeper user add --operator`, or `linekeeper user enable` for one who was disabled.",
        )];
    }
    // Somebody without a password comes through the identity provider, whose second factor counts.
    let bare = operators.iter().filter(|row| row.has_password && !row.totp);
    let mut found: Vec<Finding> = bare
        .map(|row| {
            Finding::warning(
                "people.no_second_factor",
                format!(
                    "{} runs the whole installation and signs in with a password alone.",
                    row.user.email
                ),
                "They can set up an authenticator in their profile.",
            )
        })
        .collect();
    if found.is_empty() {
        found.push(Finding::ok("people.ok", "Every operator has a second factor."));
    }
    found
}
