//! The answers' types. They are the only types with `Serialize` on the way out, and those that a
//! role may see differently are built with a [`Viewer`] alone. No secret has a field here, except
//! in the two answers that show a value once.

pub(crate) mod audit;
pub(crate) mod cards;
pub(crate) mod event;
pub(crate) mod health;
pub(crate) mod health_admin;
pub(crate) mod integration;
pub(crate) mod key;
pub(crate) mod member;
pub(crate) mod overview;
pub(crate) mod present;
pub(crate) mod problem;
pub(crate) mod profile;
pub(crate) mod project;
pub(crate) mod provider;
pub(crate) mod session;
pub(crate) mod user;
pub(crate) mod words;

use lk_core::Time;
use lk_core::words::Role;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::error::ApiError;

/// Who is looking at a project. Roles order what may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Viewer(Role);

impl Viewer {
    /// A viewer with `role` in the project at hand.
    pub(crate) const fn new(role: Role) -> Self {
        Self(role)
    }

    /// The role.
    pub(crate) const fn role(self) -> Role {
        self.0
    }

    /// Whether other members' e-mail addresses may be shown.
    pub(crate) fn sees_addresses(self) -> bool {
        self.0 >= Role::Editor
    }

    /// Whether details that a provider's form marks as private may be shown.
    pub(crate) fn sees_private_details(self) -> bool {
        self.0 >= Role::Editor
    }

    /// Whether the whole webhook address may be shown: who knows it can send to it.
    pub(crate) fn sees_webhook_address(self) -> bool {
        self.0 >= Role::Admin
    }
}

/// A detail that not every viewer may know. It cannot be serialised: what comes out depends on who
/// looks.
pub(crate) struct Private<T> {
    value: T,
    label: T,
}

impl<T> Private<T> {
    /// A detail, and the generic label that stands for it.
    pub(crate) const fn new(value: T, label: T) -> Self {
        Self { value, label }
    }

    /// The detail for those who work with it, the label for those who only look.
    pub(crate) fn shown_to(self, viewer: Viewer) -> T {
        if viewer.sees_private_details() {
            self.value
        } else {
            self.label
        }
    }
}

/// A moment, written as ISO-8601 UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IsoTime(pub(crate) Time);

impl From<Time> for IsoTime {
    fn from(time: Time) -> Self {
        Self(time)
    }
}

impl std::fmt::Display for IsoTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = jiff::Timestamp::from_millisecond(self.0.ms()).unwrap_or_default();
        write!(f, "{moment:.3}")
    }
}

impl Serialize for IsoTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialSchema for IsoTime {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("ISO-8601, UTC, with milliseconds."))
            .into()
    }
}

impl ToSchema for IsoTime {
    fn name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
}

/// `Some` values as they go out.
pub(crate) fn iso(time: Option<Time>) -> Option<IsoTime> {
    time.map(IsoTime)
}

/// Refuses an optional text that is empty, too long or has control characters other than line
/// breaks and tabs.
pub(crate) fn check_text(field: &str, text: Option<&str>, chars_max: usize) -> Result<(), ApiError> {
    let Some(text) = text else { return Ok(()) };
    let chars = text.chars().count();
    if text.trim().is_empty() || chars > chars_max {
        return Err(ApiError::invalid(
            field,
            format!("must have 1 to {chars_max} characters."),
        ));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(ApiError::invalid(field, "must not have control characters."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_utc() {
        assert_eq!(IsoTime(Time(0)).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(IsoTime(Time(1_772_348_400_007)).to_string(), "2026-03-01T07:00:00.007Z");
        // A value outside the calendar must not become an error of ours.
        assert_eq!(IsoTime(Time(i64::MAX)).to_string(), "1970-01-01T00:00:00.000Z");
    }
}
