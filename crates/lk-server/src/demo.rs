//! What the server asks of whoever runs the demo.

use futures_util::future::BoxFuture;
use lk_core::access::Permit;
use lk_store::Project;

use crate::error::ApiError;

/// The demo's switch. The binary implements it, because it alone knows the fake providers.
pub trait Demo: Send + Sync {
    /// Whether its providers are sending for this project.
    fn running(&self, project: &Project) -> bool;

    /// Makes its integrations in the project and starts sending. Done already is fine.
    fn load<'a>(&'a self, permit: &'a Permit, project: &'a Project) -> BoxFuture<'a, Result<(), ApiError>>;

    /// Stops sending and removes what it made in the project. Done already is fine.
    fn remove<'a>(&'a self, permit: &'a Permit, project: &'a Project) -> BoxFuture<'a, Result<(), ApiError>>;
}
