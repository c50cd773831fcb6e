//! What a provider is: manifest, signatures, redaction, requests as data, conformance.
//!
//! A provider is data (a [`manifest::Manifest`]) plus, where data cannot say it, a few overridden
//! methods of [`provider::Provider`]. Nothing here does IO: a delivery comes in as
//! [`inbound::Inbound`], what it tells comes out as [`item::Item`]s; requests to make are data too.

pub mod auth;
pub mod check;
pub mod conformance;
pub mod errors;
pub mod file;
pub mod handshake;
pub mod headers;
pub mod inbound;
pub mod item;
pub mod manifest;
pub mod message;
pub mod observe;
pub mod pointer;
pub mod provider;
pub mod receive;
pub mod redact;
pub mod registry;
pub mod rejection;
pub mod secret;
pub mod settings;
pub mod signature;
pub mod template;

pub use file::{FileFlaw, ProviderFile};
pub use handshake::{Handshake, Trust};
pub use headers::Headers;
pub use inbound::Inbound;
pub use item::{Item, Unreadable};
pub use manifest::Manifest;
pub use message::{HttpRequest, HttpResponse};
pub use provider::{Described, Folder, ManifestProvider, Provider};
pub use receive::{Accepted, receive};
pub use redact::{Redacted, Redactor};
pub use registry::Registry;
pub use rejection::Rejection;
pub use secret::Secret;
pub use settings::Settings;
pub use signature::Verified;
