//! The closed vocabularies on the wire: the core's words with their schema, so that the document
//! always lists exactly the words the core knows.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! wire {
    ($($(#[$meta:meta])* $name:ident($core:ty) as $schema:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $core);

        impl From<$core> for $name {
            fn from(word: $core) -> Self {
                Self(word)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
                <$core>::parse(&text).map(Self).ok_or_else(|| {
                    serde::de::Error::custom(format_args!("must be one of {}", Self::choices().join(", ")))
                })
            }
        }

        impl $name {
            /// Every text, in the core's order.
            pub(crate) fn choices() -> Vec<&'static str> {
                <$core>::ALL.iter().map(|word| word.as_str()).collect()
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(Self::choices()))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }
        }
    )+};
}

wire! {
    /// Health on the wire.
    HealthWord(lk_core::words::Health) as "Health";
    /// Severity on the wire.
    SeverityWord(lk_core::words::Severity) as "Severity";
    /// Category on the wire.
    CategoryWord(lk_core::words::Category) as "Category";
    /// Event kind on the wire.
    KindWord(lk_core::words::EventKind) as "EventKind";
    /// How something ended, on the wire.
    OutcomeWord(lk_core::words::Outcome) as "Outcome";
    /// A problem's state on the wire.
    StateWord(lk_core::words::ProblemState) as "ProblemState";
    /// A role on the wire.
    RoleWord(lk_core::words::Role) as "Role";
    /// A key's scope on the wire.
    ScopeWord(lk_core::words::Scope) as "Scope";
    /// How a session began, on the wire.
    MethodWord(lk_core::words::SignInMethod) as "SignInMethod";
}
