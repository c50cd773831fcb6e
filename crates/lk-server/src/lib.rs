//! HTTP: routes, auth, viewers, live stream, OpenAPI, embedded UI.
//!
//! The binary builds an [`App`] from the running engine and a [`Config`], and hands it with a
//! listener to [`serve`] or [`serve_tls`]. [`openapi`] gives the document without any of that.

mod app;
mod auth;
mod config;
mod demo;
mod door;
mod dto;
mod error;
mod export;
mod extract;
mod live;
mod openapi;
mod routes;
mod serve;
mod settings;
mod telemetry;
mod tls;
mod ui;

pub use app::App;
pub use auth::{
    KEY_PREFIX, OidcConfig, OidcConfigError, OidcSecret, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PasswordError,
    hash_password, new_token, new_webhook_secret, token_hash,
};
pub use config::{Config, KEY_CALLS_DEFAULT, STREAMS_DEFAULT, WEBHOOK_BYTES_DEFAULT};
pub use demo::Demo;
pub use error::{ApiError, ErrorCode};
pub use openapi::openapi;
pub use routes::router;
pub use serve::{Peer, serve, serve_tls};
pub use settings::{COMMON_SETTINGS, CheckedSettings, check_settings, vet_settings};
pub use tls::{Tls, TlsError};
