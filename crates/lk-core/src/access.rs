//! Who may do what. Every write verb of the store takes a [`Permit`], and only [`authorize`] makes
//! one, so a write without an access check does not compile.

use crate::words::Role;

/// Everything a caller can ask to change. The project's roles decide, except for the verbs of the
/// installation, which need the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Mark an explanation helpful or not, correct a category.
    GiveFeedback,
    /// Acknowledge, resolve, ignore or assign a problem.
    TriageProblem,
    /// Create an integration.
    ConnectIntegration,
    /// Change an integration's name, settings or switch.
    ConfigureIntegration,
    /// Delete an integration.
    DisconnectIntegration,
    /// Add, rotate or retire a webhook secret.
    ManageWebhookSecrets,
    /// Load or remove the demo.
    ManageDemo,
    /// Invite, change or remove members.
    ManageMembers,
    /// Create or revoke API keys.
    ManageKeys,
    /// Create a project.
    CreateProject,
    /// Create or change users of the installation.
    ManageUsers,
    /// Run stored events through the rules again.
    Replay,
}

impl Verb {
    /// Every verb, for table tests.
    pub const ALL: &'static [Self] = &[
        Self::GiveFeedback,
        Self::TriageProblem,
        Self::ConnectIntegration,
        Self::ConfigureIntegration,
        Self::DisconnectIntegration,
        Self::ManageWebhookSecrets,
        Self::ManageDemo,
        Self::ManageMembers,
        Self::ManageKeys,
        Self::CreateProject,
        Self::ManageUsers,
        Self::Replay,
    ];

    /// The dotted name written to the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GiveFeedback => "feedback.give",
            Self::TriageProblem => "problem.triage",
            Self::ConnectIntegration => "integration.connect",
            Self::ConfigureIntegration => "integration.configure",
            Self::DisconnectIntegration => "integration.disconnect",
            Self::ManageWebhookSecrets => "webhook_secret.manage",
            Self::ManageDemo => "demo.manage",
            Self::ManageMembers => "member.manage",
            Self::ManageKeys => "api_key.manage",
            Self::CreateProject => "project.create",
            Self::ManageUsers => "user.manage",
            Self::Replay => "events.replay",
        }
    }

    /// The least role in the project that may do it; `None` when only the operator may.
    pub const fn least_role(self) -> Option<Role> {
        match self {
            Self::GiveFeedback | Self::TriageProblem => Some(Role::Editor),
            Self::ConnectIntegration
            | Self::ConfigureIntegration
            | Self::DisconnectIntegration
            | Self::ManageWebhookSecrets
            | Self::ManageDemo
            | Self::ManageMembers
            | Self::ManageKeys => Some(Role::Admin),
            Self::CreateProject | Self::ManageUsers | Self::Replay => None,
        }
    }
}

/// Who acts, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person.
    User {
        /// The user's public id.
        id: String,
        /// The name shown in the audit log.
        name: String,
    },
    /// An API key.
    ApiKey {
        /// The key's public id.
        id: String,
        /// The key's name.
        name: String,
    },
    /// Somebody at the machine's command line, who can read the data anyway.
    CommandLine,
    /// Linekeeper itself (a handshake, retention).
    System,
}

/// What the caller is to the project at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who acts.
    pub actor: Actor,
    /// The role in the project; `None` for no membership.
    pub role: Option<Role>,
    /// Whether the caller runs the installation.
    pub operator: bool,
    /// Where the call came from (address), for the audit log.
    pub source: Option<String>,
}

impl Standing {
    /// Linekeeper acting by itself.
    pub fn system() -> Self {
        Self {
            actor: Actor::System,
            role: None,
            operator: true,
            source: None,
        }
    }

    /// Somebody with a shell on the machine.
    pub fn command_line() -> Self {
        Self {
            actor: Actor::CommandLine,
            role: None,
            operator: true,
            source: None,
        }
    }

    /// Whether the caller may look at the project.
    pub const fn may_view(&self) -> bool {
        self.operator || self.role.is_some()
    }
}

/// Proof that an access check passed for one verb. Cannot be built elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    verb: Verb,
    actor: Actor,
    source: Option<String>,
}

impl Permit {
    /// What was allowed.
    pub const fn verb(&self) -> Verb {
        self.verb
    }

    /// To whom.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// From where.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }
}

/// The caller may not do this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} needs {}", .0.as_str(), .0.least_role().map_or("the operator", Role::as_str))]
pub struct Forbidden(pub Verb);

/// Decides whether `standing` may do `verb`.
pub fn authorize(standing: &Standing, verb: Verb) -> Result<Permit, Forbidden> {
    let by_role = match (verb.least_role(), standing.role) {
        (Some(least), Some(role)) => role >= least,
        _ => false,
    };
    if by_role || standing.operator {
        Ok(Permit {
            verb,
            actor: standing.actor.clone(),
            source: standing.source.clone(),
        })
    } else {
        Err(Forbidden(verb))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_gets_what_is_its_and_no_more() {
        for verb in Verb::ALL {
            for role in Role::ALL {
                let standing = Standing {
                    actor: Actor::CommandLine,
                    role: Some(*role),
                    operator: false,
                    source: None,
                };
                let allowed = verb.least_role().is_some_and(|least| *role >= least);
                assert_eq!(authorize(&standing, *verb).is_ok(), allowed, "{verb:?} {role:?}");
            }
            let stranger = Standing {
                actor: Actor::CommandLine,
                role: None,
                operator: false,
                source: None,
            };
            assert!(authorize(&stranger, *verb).is_err());
            assert!(authorize(&Standing::system(), *verb).is_ok());
        }
    }
}
