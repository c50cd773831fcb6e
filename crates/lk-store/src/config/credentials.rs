//! Credentials of integrations: what the form's secret fields hold, sealed one by one.

use lk_core::Time;
use sea_orm::ConnectionTrait;

use crate::db::{self, values};
use crate::seal::{MasterKey, SecretText};
use crate::{Result, Store};

/// Table, and the first half of what a sealed value is bound to.
pub(crate) const TABLE: &str = "integration_credentials";

/// A stored credential without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Key of the form field it fills.
    pub field: String,
    /// Its last four characters; empty for short ones.
    pub last4: String,
    /// When it was stored.
    pub created_at: Time,
}

/// The row a sealed value is bound to: moved to another integration or field it does not open.
pub(crate) fn sealed_as(integration_id: &str, field: &str) -> String {
    format!("{integration_id}.{field}")
}

/// Stores a credential, in place of the one the field had.
pub(super) async fn put<C: ConnectionTrait>(
    on: &C,
    master: &MasterKey,
    integration_id: &str,
    (field, value): (&str, &SecretText),
    now: Time,
) -> Result<()> {
    let sealed = master.seal(TABLE, &sealed_as(integration_id, field), value.expose().as_bytes())?;
    let values = values![
        integration_id,
        field,
        sealed.as_bytes().to_vec(),
        value.last4(),
        now.ms()
    ];
    db::run(
        on,
        "INSERT INTO integration_credentials (integration_id, field, sealed, last4, created_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (integration_id, field) DO UPDATE SET sealed = excluded.sealed,
             last4 = excluded.last4, created_at = excluded.created_at",
        values,
    )
    .await
    .map(|_| ())
}

/// Removes the credential of a field, if it has one.
pub(super) async fn remove<C: ConnectionTrait>(on: &C, integration_id: &str, field: &str) -> Result<()> {
    let sql = "DELETE FROM integration_credentials WHERE integration_id = $1 AND field = $2";
    db::run(on, sql, values![integration_id, field]).await.map(|_| ())
}

impl Store {
    /// Which credentials an integration has, by field; never their values.
    pub async fn integration_credentials(&self, integration_id: &str) -> Result<Vec<Credential>> {
        let rows = db::all(
            self.reader(),
            "SELECT field, last4, created_at FROM integration_credentials
             WHERE integration_id = $1 ORDER BY field",
            values![integration_id],
        )
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Credential {
                    field: row.text("field")?,
                    last4: row.text("last4")?,
                    created_at: row.time("created_at")?,
                })
            })
            .collect()
    }
}
