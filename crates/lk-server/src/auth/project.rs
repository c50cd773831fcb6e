//! From a caller and a project to what may be seen and done there.

use lk_core::access::{Forbidden, Permit, Place, Standing, Verb, authorize};
use lk_core::words::{Role, Scope};
use lk_store::{Project, Refusal};

use crate::app::App;
use crate::dto::Viewer;
use crate::error::ApiError;

use super::caller::{Caller, Identity};

/// The slug of the project that exists from the start.
const DEFAULT_PROJECT: &str = "default";

/// What entering the admins' area is called in the audit log, and what it takes.
const ADMIN_AREA: (&str, &str) = ("admin_area.enter", "it needs admin");
/// The same of the operator's area.
const OPERATOR_AREA: (&str, &str) = ("operator_area.enter", "it needs the operator");

/// A caller's standing in one project.
pub(crate) struct Access {
    /// The project.
    pub(crate) project: Project,
    standing: Standing,
    role: Role,
}

impl Access {
    /// The access of `caller` to the project named by id or slug; without a name the caller's
    /// only project, else `default`. A project that is not the caller's does not exist.
    pub(crate) async fn to_project(app: &App, caller: &Caller, name: Option<&str>) -> Result<Self, ApiError> {
        let project = match name {
            Some(name) => app.store().project(name).await?,
            None => default_project(app, caller).await?,
        };
        Self::of(app, caller, project).await
    }

    /// The access of `caller` to the project with this id.
    pub(crate) async fn by_id(app: &App, caller: &Caller, id: &str) -> Result<Self, ApiError> {
        Self::of(app, caller, app.store().project(id).await?).await
    }

    /// The caller's access to each of their projects; an operator's to every project.
    pub(crate) async fn all(app: &App, caller: &Caller) -> Result<Vec<Self>, ApiError> {
        let own: Vec<(Project, Role)> = match &caller.identity {
            Identity::Key { key, .. } => vec![(app.store().project(&key.project_id).await?, key.role)],
            Identity::User { user, .. } => {
                let memberships = app.store().memberships(&user.id).await?;
                memberships
                    .into_iter()
                    .map(|member| (member.project, member.role))
                    .collect()
            }
        };
        if !caller.operator() {
            return own
                .into_iter()
                .map(|(project, role)| Self::with(app, caller, project, Some(role)))
                .collect();
        }
        let role_in = |id: &str| own.iter().find(|(project, _)| project.id == id).map(|(_, role)| *role);
        let projects = app.store().projects().await?.into_iter();
        projects
            .map(|project| {
                let role = role_in(&project.id);
                Self::with(app, caller, project, role)
            })
            .collect()
    }

    async fn of(app: &App, caller: &Caller, project: Project) -> Result<Self, ApiError> {
        let role = caller.role_in(app, &project.id).await?;
        Self::with(app, caller, project, role)
    }

    fn with(app: &App, caller: &Caller, project: Project, role: Option<Role>) -> Result<Self, ApiError> {
        let standing = caller.standing(Place::Project(project.id.clone()), role, app.now());
        if !standing.may_view() {
            return Err(ApiError::not_found());
        }
        tracing::Span::current().record("projectId", project.id.as_str());
        // Who runs the installation sees what an owner sees.
        let role = if standing.operator {
            Role::Owner
        } else {
            role.unwrap_or(Role::Viewer)
        };
        Ok(Self {
            project,
            standing,
            role,
        })
    }

    /// Through whose eyes answers are built.
    pub(crate) const fn viewer(&self) -> Viewer {
        Viewer::new(self.role)
    }

    /// The role in the project itself; `None` for an operator who is no member.
    pub(crate) const fn membership(&self) -> Option<Role> {
        self.standing.role
    }

    /// Permission to do `verb`, or 403. A refusal is audited.
    pub(crate) async fn permit(&self, app: &App, verb: Verb) -> Result<Permit, ApiError> {
        permit(app, &self.standing, Some(&self.project.id), verb).await
    }

    /// 403 unless the role is at least `least`.
    pub(crate) fn at_least(&self, least: Role) -> Result<(), ApiError> {
        if self.role >= least {
            Ok(())
        } else {
            Err(ApiError::forbidden(format_args!("it needs {least}")))
        }
    }

    /// Lets an admin who has proven lately who they are into what only admins see. A refusal is
    /// audited.
    pub(crate) async fn enter_admin_area(&self, app: &App) -> Result<(), ApiError> {
        let allowed = self.role >= Role::Admin;
        enter(app, &self.standing, Some(&self.project.id), allowed, ADMIN_AREA).await
    }
}

/// Permission for what concerns no project: the installation, or one's own account.
pub(crate) async fn permit_installation(app: &App, caller: &Caller, verb: Verb) -> Result<Permit, ApiError> {
    let standing = caller.standing(Place::Installation, None, app.now());
    permit(app, &standing, None, verb).await
}

/// Lets the operator, who has proven lately who they are, into what only operators see. A refusal
/// is audited.
pub(crate) async fn enter_operator_area(app: &App, caller: &Caller) -> Result<(), ApiError> {
    let standing = caller.standing(Place::Installation, None, app.now());
    enter(app, &standing, None, standing.operator, OPERATOR_AREA).await
}

/// 403 unless the caller has proven lately who they are.
pub(crate) async fn require_proof(app: &App, caller: &Caller) -> Result<(), ApiError> {
    let standing = caller.standing(Place::Installation, None, app.now());
    match standing.is_proven() {
        Ok(()) => Ok(()),
        Err(forbidden) => Err(explain(app, &standing, forbidden).await?),
    }
}

async fn enter(
    app: &App,
    standing: &Standing,
    project_id: Option<&str>,
    allowed: bool,
    area: (&'static str, &'static str),
) -> Result<(), ApiError> {
    let (action, needs) = area;
    if !allowed {
        note(app, standing, project_id, action, needs).await;
        return Err(ApiError::forbidden(needs));
    }
    match standing.in_scope(Scope::Admin).and_then(|()| standing.is_proven()) {
        Ok(()) => Ok(()),
        Err(forbidden) => Err(refused(app, standing, project_id, action, forbidden).await?),
    }
}

async fn permit(app: &App, standing: &Standing, project_id: Option<&str>, verb: Verb) -> Result<Permit, ApiError> {
    match authorize(standing, verb) {
        Ok(permit) => Ok(permit),
        Err(forbidden) => Err(refused(app, standing, project_id, verb.as_str(), forbidden).await?),
    }
}

/// The error for a refusal, which is written down. Being asked for the password again is none.
async fn refused(
    app: &App,
    standing: &Standing,
    project_id: Option<&str>,
    action: &'static str,
    forbidden: Forbidden,
) -> Result<ApiError, ApiError> {
    if forbidden != Forbidden::Proof {
        note(app, standing, project_id, action, &forbidden.to_string()).await;
    }
    explain(app, standing, forbidden).await
}

async fn note(app: &App, standing: &Standing, project_id: Option<&str>, action: &'static str, why: &str) {
    if !app.refusals().is_news(&standing.actor, action, app.now()) {
        return;
    }
    let refusal = Refusal {
        actor: standing.actor.clone(),
        source: standing.source.clone(),
        project_id: project_id.map(str::to_owned),
        action: action.to_owned(),
        target: String::new(),
        summary: why.to_owned(),
        result: "denied",
    };
    if let Err(error) = app.store().note_refusal(&refusal, app.now()).await {
        tracing::warn!(%error, "a refusal was not written to the audit log");
    }
}

async fn explain(app: &App, standing: &Standing, forbidden: Forbidden) -> Result<ApiError, ApiError> {
    Ok(match forbidden {
        Forbidden::Role(_) => ApiError::forbidden(forbidden),
        Forbidden::Scope(scope) => ApiError::scope_missing(scope),
        Forbidden::Proof => {
            let methods = match &standing.actor {
                lk_core::access::Actor::User { id, .. } => super::proof_methods(app, id).await?,
                _ => super::ProofMethods::default(),
            };
            ApiError::sudo_required(methods)
        }
    })
}

async fn default_project(app: &App, caller: &Caller) -> Result<Project, ApiError> {
    match &caller.identity {
        Identity::Key { key, .. } => Ok(app.store().project(&key.project_id).await?),
        Identity::User { user, .. } => {
            let mut memberships = app.store().memberships(&user.id).await?;
            match memberships.len() {
                1 => Ok(memberships.swap_remove(0).project),
                _ => Ok(app.store().project(DEFAULT_PROJECT).await?),
            }
        }
    }
}
