//! Who may do what. Every write verb of the store takes a [`Permit`], and only [`authorize`] makes
//! one, so a write without an access check does not compile. A permit names the project it was
//! given for, and the store refuses it for another.

use crate::words::{Role, Scope};

/// Everything a caller can ask to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Mark an explanation helpful or not, correct a category.
    GiveFeedback,
    /// Acknowledge, resolve, ignore or assign a problem.
    TriageProblem,
    /// Have an integration checked now.
    CheckIntegration,
    /// Connect an integration again to the account it is connected to.
    ReconnectIntegration,
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
    /// Change a project's name and feature flags.
    ConfigureProject,
    /// Hand a project to another owner.
    TransferProject,
    /// Delete a project with everything in it.
    DeleteProject,
    /// Create a project.
    CreateProject,
    /// Create or change users of the installation.
    ManageUsers,
    /// Run stored events through the rules again.
    Replay,
    /// Change one's own account: password, authenticator, sessions, memberships given up.
    ManageAccount,
}

/// What a verb asks of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Least {
    /// This role in the project, or more.
    Role(Role),
    /// To run the installation.
    Operator,
    /// To be a signed-in person, acting on their own account.
    Oneself,
}

impl Verb {
    /// Every verb, for table tests.
    pub const ALL: &'static [Self] = &[
        Self::GiveFeedback,
        Self::TriageProblem,
        Self::CheckIntegration,
        Self::ReconnectIntegration,
        Self::ConnectIntegration,
        Self::ConfigureIntegration,
        Self::DisconnectIntegration,
        Self::ManageWebhookSecrets,
        Self::ManageDemo,
        Self::ManageMembers,
        Self::ManageKeys,
        Self::ConfigureProject,
        Self::TransferProject,
        Self::DeleteProject,
        Self::CreateProject,
        Self::ManageUsers,
        Self::Replay,
        Self::ManageAccount,
    ];

    /// The dotted name written to the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GiveFeedback => "feedback.give",
            Self::TriageProblem => "problem.triage",
            Self::CheckIntegration => "integration.check",
            Self::ReconnectIntegration => "integration.reconnect",
            Self::ConnectIntegration => "integration.connect",
            Self::ConfigureIntegration => "integration.configure",
            Self::DisconnectIntegration => "integration.disconnect",
            Self::ManageWebhookSecrets => "webhook_secret.manage",
            Self::ManageDemo => "demo.manage",
            Self::ManageMembers => "member.manage",
            Self::ManageKeys => "api_key.manage",
            Self::ConfigureProject => "project.configure",
            Self::TransferProject => "project.transfer",
            Self::DeleteProject => "project.delete",
            Self::CreateProject => "project.create",
            Self::ManageUsers => "user.manage",
            Self::Replay => "events.replay",
            Self::ManageAccount => "account.manage",
        }
    }

    /// Who may do it.
    pub const fn least(self) -> Least {
        match self {
            Self::GiveFeedback | Self::TriageProblem | Self::CheckIntegration | Self::ReconnectIntegration => {
                Least::Role(Role::Editor)
            }
            Self::ConnectIntegration
            | Self::ConfigureIntegration
            | Self::DisconnectIntegration
            | Self::ManageWebhookSecrets
            | Self::ManageDemo
            | Self::ManageMembers
            | Self::ManageKeys
            | Self::ConfigureProject => Least::Role(Role::Admin),
            Self::TransferProject | Self::DeleteProject => Least::Role(Role::Owner),
            Self::CreateProject | Self::ManageUsers | Self::Replay => Least::Operator,
            Self::ManageAccount => Least::Oneself,
        }
    }

    /// The scope an API key needs for it.
    pub const fn scope(self) -> Scope {
        match self {
            Self::GiveFeedback | Self::TriageProblem | Self::CheckIntegration | Self::ReconnectIntegration => {
                Scope::Triage
            }
            Self::ConnectIntegration
            | Self::ConfigureIntegration
            | Self::DisconnectIntegration
            | Self::ManageWebhookSecrets
            | Self::ManageDemo => Scope::Integrations,
            Self::ManageMembers
            | Self::ManageKeys
            | Self::ConfigureProject
            | Self::TransferProject
            | Self::DeleteProject
            | Self::CreateProject
            | Self::ManageUsers
            | Self::Replay
            | Self::ManageAccount => Scope::Admin,
        }
    }

    /// What it takes to touch somebody in a project who has the role `before` and gets the role
    /// `after`: owners are for owners.
    pub fn to_set_role(before: Role, after: Role) -> Self {
        if before.max(after) == Role::Owner {
            Self::TransferProject
        } else {
            Self::ManageMembers
        }
    }

    /// Whether a signed-in person must have proven lately that it is them: what concerns people,
    /// keys, projects and the installation. Changes of one's own account ask where they matter.
    pub const fn needs_proof(self) -> bool {
        matches!(self.scope(), Scope::Admin) && !matches!(self, Self::ManageAccount)
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

/// What of the installation a standing or permit is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// One project, by its public id.
    Project(String),
    /// Everything, and what belongs to no project.
    Installation,
}

/// What the caller is to the place at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who acts.
    pub actor: Actor,
    /// Where.
    pub place: Place,
    /// The role in the project; `None` for no membership.
    pub role: Option<Role>,
    /// Whether the caller runs the installation.
    pub operator: bool,
    /// The scopes that limit an API key; `None` for no limit.
    pub scopes: Option<Vec<Scope>>,
    /// Whether the caller has proven lately that it is them. Keys and commands always have.
    pub proven: bool,
    /// Where the call came from (address), for the audit log.
    pub source: Option<String>,
}

impl Standing {
    /// Linekeeper acting by itself.
    pub fn system() -> Self {
        Self::unlimited(Actor::System)
    }

    /// Somebody with a shell on the machine.
    pub fn command_line() -> Self {
        Self::unlimited(Actor::CommandLine)
    }

    fn unlimited(actor: Actor) -> Self {
        Self {
            actor,
            place: Place::Installation,
            role: None,
            operator: true,
            scopes: None,
            proven: true,
            source: None,
        }
    }

    /// Whether the caller may look at the project.
    pub const fn may_view(&self) -> bool {
        self.operator || self.role.is_some()
    }

    /// Refuses a key whose scopes leave out `scope`.
    pub fn in_scope(&self, scope: Scope) -> Result<(), Forbidden> {
        match &self.scopes {
            Some(scopes) if !scopes.contains(&scope) => Err(Forbidden::Scope(scope)),
            _ => Ok(()),
        }
    }

    /// Refuses a person who did not prove lately that it is them.
    pub const fn is_proven(&self) -> Result<(), Forbidden> {
        if self.proven { Ok(()) } else { Err(Forbidden::Proof) }
    }
}

/// Proof that an access check passed for one verb in one place. Cannot be built elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    verb: Verb,
    actor: Actor,
    place: Place,
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

    /// The account it is about, for what people do to their own.
    pub fn oneself(&self) -> Option<&str> {
        match &self.actor {
            Actor::User { id, .. } => Some(id),
            _ => None,
        }
    }

    /// From where.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Whether it may be used for a write in the project with this public id (`None`: for what
    /// belongs to no project).
    pub fn covers(&self, project_id: Option<&str>) -> bool {
        match &self.place {
            Place::Installation => true,
            Place::Project(id) => project_id == Some(id.as_str()),
        }
    }
}

/// Why the caller may not do this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The role is too low, or it is the operator's.
    #[error("{} needs {}", .0.as_str(), who(.0.least()))]
    Role(Verb),
    /// The API key was not given this scope.
    #[error("the API key lacks the scope `{0}`")]
    Scope(Scope),
    /// The person must prove again that it is them.
    #[error("it must be proven again who is there")]
    Proof,
}

const fn who(least: Least) -> &'static str {
    match least {
        Least::Role(role) => role.as_str(),
        Least::Operator => "the operator",
        Least::Oneself => "a signed-in person",
    }
}

/// Decides whether `standing` may do `verb`.
pub fn authorize(standing: &Standing, verb: Verb) -> Result<Permit, Forbidden> {
    let allowed = match verb.least() {
        Least::Role(least) => standing.operator || standing.role.is_some_and(|role| role >= least),
        Least::Operator => standing.operator,
        Least::Oneself => matches!(standing.actor, Actor::User { .. }),
    };
    if !allowed {
        return Err(Forbidden::Role(verb));
    }
    standing.in_scope(verb.scope())?;
    if verb.needs_proof() {
        standing.is_proven()?;
    }
    let place = match verb.least() {
        Least::Role(_) => standing.place.clone(),
        Least::Operator | Least::Oneself => Place::Installation,
    };
    Ok(Permit {
        verb,
        actor: standing.actor.clone(),
        place,
        source: standing.source.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(role: Option<Role>) -> Standing {
        Standing {
            actor: Actor::User {
                id: "u".to_owned(),
                name: "Ann".to_owned(),
            },
            place: Place::Project("p".to_owned()),
            role,
            operator: false,
            scopes: None,
            proven: true,
            source: None,
        }
    }

    #[test]
    fn each_role_gets_what_is_its_and_no_more() {
        for verb in Verb::ALL {
            for role in Role::ALL {
                let allowed = match verb.least() {
                    Least::Role(least) => *role >= least,
                    Least::Operator => false,
                    Least::Oneself => true,
                };
                let got = authorize(&person(Some(*role)), *verb);
                assert_eq!(got.is_ok(), allowed, "{verb:?} {role:?}");
            }
            let stranger = authorize(&person(None), *verb);
            assert_eq!(stranger.is_ok(), verb.least() == Least::Oneself, "{verb:?}");
            let system = authorize(&Standing::system(), *verb);
            assert_eq!(system.is_ok(), verb.least() != Least::Oneself, "{verb:?}");
        }
    }

    #[test]
    fn a_key_gets_what_its_scopes_name() {
        for verb in Verb::ALL.iter().filter(|verb| verb.least() != Least::Oneself) {
            for scope in Scope::ALL {
                let standing = Standing {
                    scopes: Some(vec![*scope]),
                    operator: true,
                    ..person(Some(Role::Owner))
                };
                let got = authorize(&standing, *verb);
                assert_eq!(got.is_ok(), *scope == verb.scope(), "{verb:?} {scope:?}");
            }
        }
    }

    #[test]
    fn proof_is_asked_for_where_people_keys_and_projects_are_changed() {
        let stale = Standing {
            proven: false,
            ..person(Some(Role::Owner))
        };
        assert_eq!(authorize(&stale, Verb::ManageKeys), Err(Forbidden::Proof));
        assert_eq!(authorize(&stale, Verb::DeleteProject), Err(Forbidden::Proof));
        assert!(authorize(&stale, Verb::ConfigureIntegration).is_ok());
        let viewer = Standing {
            role: Some(Role::Viewer),
            ..stale
        };
        // Who may not anyway is not asked for a password first.
        assert_eq!(
            authorize(&viewer, Verb::ManageKeys),
            Err(Forbidden::Role(Verb::ManageKeys))
        );
    }

    #[test]
    fn a_permit_is_good_in_its_own_project_only() {
        let permit = authorize(&person(Some(Role::Admin)), Verb::ManageKeys).unwrap();
        assert!(permit.covers(Some("p")));
        assert!(!permit.covers(Some("q")) && !permit.covers(None));
        let everywhere = authorize(&Standing::command_line(), Verb::ManageKeys).unwrap();
        assert!(everywhere.covers(Some("q")) && everywhere.covers(None));
    }
}
