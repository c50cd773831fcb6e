//! Strict extractors: what a route does not declare is refused, in the one error shape, naming the
//! parameter or field.

mod base_url;
mod body;
mod path;
mod query;
mod whole;

pub(crate) use base_url::BaseUrl;
pub(crate) use body::{Body, Checked, read_body};
pub(crate) use path::{Id, Key, SecretPath};
pub(crate) use query::{FromParams, NoParams, Params, Query};
pub(crate) use whole::{whole, whole_u32};
