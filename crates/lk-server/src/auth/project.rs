//! From a caller and a project to what may be seen and done there.

use lk_core::access::{Permit, Standing, Verb, authorize};
use lk_core::words::Role;
use lk_store::Project;

use crate::app::App;
use crate::dto::Viewer;
use crate::error::ApiError;

use super::caller::{Caller, Identity};

/// The slug of the project that exists from the start.
const DEFAULT_PROJECT: &str = "default";

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
        let projects = match &caller.identity {
            Identity::Key { key, .. } if !key.operator => {
                vec![app.store().project(&key.project_id).await?]
            }
            Identity::User { user, .. } if !user.operator => {
                let memberships = app.store().memberships(&user.id).await?;
                memberships.into_iter().map(|membership| membership.project).collect()
            }
            _ => app.store().projects().await?,
        };
        let mut all = Vec::with_capacity(projects.len());
        for project in projects {
            all.push(Self::of(app, caller, project).await?);
        }
        Ok(all)
    }

    async fn of(app: &App, caller: &Caller, project: Project) -> Result<Self, ApiError> {
        let role = caller.role_in(app, &project.id).await?;
        let standing = Standing {
            actor: caller.actor(),
            role,
            operator: caller.operator(),
            source: Some(caller.source.clone()),
        };
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

    /// Permission to do `verb`, or 403.
    pub(crate) fn permit(&self, verb: Verb) -> Result<Permit, ApiError> {
        Ok(authorize(&self.standing, verb)?)
    }

    /// 403 unless the role is at least `least`.
    pub(crate) fn at_least(&self, least: Role) -> Result<(), ApiError> {
        if self.role >= least {
            Ok(())
        } else {
            Err(ApiError::forbidden(format_args!("it needs {least}")))
        }
    }
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
