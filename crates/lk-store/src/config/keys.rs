//! API keys. The key itself is shown once by whoever made it; here lies only its hash.

use lk_core::Time;
use lk_core::access::{Actor, Permit, Verb};
use lk_core::words::{Role, Scope};

use super::users::oneself;
use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::ids::new_id;
use crate::store::Write;
use crate::{Result, Store, StoreError};

const COLUMNS: &str = "k.id, k.project_id, k.name, k.role, k.operator, k.scopes, k.last4, k.created_by, \
                       k.created_at, k.expires_at, k.last_used_at, k.revoked_at";

/// An API key, without its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Public id.
    pub id: String,
    /// The project it works in.
    pub project_id: String,
    /// Its name for people.
    pub name: String,
    /// Its role in the project.
    pub role: Role,
    /// Whether it may also run the installation.
    pub operator: bool,
    /// What it may be used for within its role; `None` for everything the role allows.
    pub scopes: Option<Vec<Scope>>,
    /// The key's last four characters, for recognising it.
    pub last4: String,
    /// The name of who made it.
    pub created_by: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When it stops working.
    pub expires_at: Option<Time>,
    /// When it was last used (to the minute or so).
    pub last_used_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

/// A key to be stored.
#[derive(Clone)]
pub struct NewApiKey {
    /// The project it works in.
    pub project_id: String,
    /// Its name for people.
    pub name: String,
    /// Its role in the project.
    pub role: Role,
    /// Whether it may also run the installation.
    pub operator: bool,
    /// What it may be used for within its role; `None` for everything the role allows.
    pub scopes: Option<Vec<Scope>>,
    /// Hash of the key.
    pub hash: Vec<u8>,
    /// The key's last four characters.
    pub last4: String,
    /// When it stops working.
    pub expires_at: Option<Time>,
}

fn read(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.text("id")?,
        project_id: row.text("project_id")?,
        name: row.text("name")?,
        role: row.word("role", Role::from_code)?,
        operator: row.flag("operator")?,
        scopes: row.opt_text("scopes")?.map(|text| read_scopes(&text)).transpose()?,
        last4: row.text("last4")?,
        created_by: row.opt_text("created_by")?,
        created_at: row.time("created_at")?,
        expires_at: row.opt_time("expires_at")?,
        last_used_at: row.opt_time("last_used_at")?,
        revoked_at: row.opt_time("revoked_at")?,
    })
}

/// Revokes the key in `row` and says in the audit log which it was.
async fn revoke(write: Write<'_>, row: Option<Row>, now: Time) -> Result<()> {
    let key = read(&row.ok_or(StoreError::missing("API key"))?)?;
    let sql = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1";
    db::run(write.on(), sql, values![key.id.as_str(), now.ms()]).await?;
    write
        .commit(Audit {
            project_id: Some(&key.project_id),
            action: "api_key.revoked",
            target: key.id.clone(),
            summary: format!("{} ending in {}", key.name, key.last4),
        })
        .await
}

fn read_scopes(text: &str) -> Result<Vec<Scope>> {
    let words = text.split_whitespace();
    words
        .map(|word| Scope::parse(word).ok_or_else(|| StoreError::corrupt(format!("{word} is no scope"))))
        .collect()
}

fn write_scopes(scopes: &[Scope]) -> String {
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    words.join(" ")
}

impl Store {
    /// The keys of a project that were not revoked, newest first.
    pub async fn api_keys(&self, project_id: &str) -> Result<Vec<ApiKey>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys k WHERE k.project_id = $1 AND k.revoked_at IS NULL
             ORDER BY k.created_at DESC, k.id"
        );
        db::all(self.reader(), sql, values![project_id])
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// The key with this hash, unless it is revoked or expired.
    pub async fn api_key_by_hash(&self, hash: &[u8], now: Time) -> Result<Option<ApiKey>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys k WHERE k.hash = $1 AND k.revoked_at IS NULL
               AND (k.expires_at IS NULL OR k.expires_at > $2)"
        );
        let row = db::one(self.reader(), sql, values![hash.to_vec(), now.ms()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Stores a new key.
    pub async fn create_api_key(&self, permit: &Permit, new: &NewApiKey, now: Time) -> Result<ApiKey> {
        let write = self.write(permit, &[Verb::ManageKeys], now).await?;
        let made_by = match permit.actor() {
            Actor::User { name, .. } | Actor::ApiKey { name, .. } => Some(name.as_str()),
            Actor::CommandLine => Some("command line"),
            Actor::System => None,
        };
        let id = new_id(now)?.to_string();
        let sql = "INSERT INTO api_keys (id, project_id, name, role, operator, hash, last4, created_by,
                                         created_at, expires_at, scopes, created_by_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let values = values![
            id.as_str(),
            new.project_id.as_str(),
            new.name.as_str(),
            i16::from(new.role.code()),
            new.operator,
            new.hash.clone(),
            new.last4.as_str(),
            made_by,
            now.ms(),
            new.expires_at.map(Time::ms),
            new.scopes.as_deref().map(write_scopes),
            permit.oneself(),
        ];
        db::run(write.on(), sql, values).await?;
        let sql = format!("SELECT {COLUMNS} FROM api_keys k WHERE k.id = $1");
        let row = db::one(write.on(), sql, values![id.as_str()]).await?;
        let key = read(&row.ok_or(StoreError::missing("API key"))?)?;
        let operator = if key.operator { ", operator" } else { "" };
        let scopes = key.scopes.as_deref().map_or_else(|| "all".to_owned(), write_scopes);
        write
            .commit(Audit {
                project_id: Some(&key.project_id),
                action: "api_key.created",
                target: key.id.clone(),
                summary: format!(
                    "{} ({}{operator}; scopes {scopes}) ending in {}",
                    key.name, key.role, key.last4
                ),
            })
            .await?;
        Ok(key)
    }

    /// Revokes a key of the project. It stays in the table for the audit log's sake.
    pub async fn revoke_api_key(&self, permit: &Permit, project_id: &str, key_id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageKeys], now).await?;
        let sql =
            format!("SELECT {COLUMNS} FROM api_keys k WHERE k.id = $1 AND k.project_id = $2 AND k.revoked_at IS NULL");
        let row = db::one(write.on(), sql, values![key_id, project_id]).await?;
        revoke(write, row, now).await
    }

    /// The keys that a person made and that were not revoked, of any project, newest first.
    pub async fn api_keys_made_by(&self, user_id: &str) -> Result<Vec<ApiKey>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys k WHERE k.created_by_id = $1 AND k.revoked_at IS NULL
             ORDER BY k.created_at DESC, k.id"
        );
        let rows = db::all(self.reader(), sql, values![user_id]).await?;
        rows.iter().map(read).collect()
    }

    /// Revokes a key that one made oneself, whatever one's role is now.
    pub async fn revoke_own_api_key(&self, permit: &Permit, key_id: &str, now: Time) -> Result<()> {
        let write = self.write(permit, &[Verb::ManageAccount], now).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys k WHERE k.id = $1 AND k.created_by_id = $2 AND k.revoked_at IS NULL"
        );
        let row = db::one(write.on(), sql, values![key_id, oneself(permit)?]).await?;
        revoke(write, row, now).await
    }

    /// Notes that a key was used. Callers do it at most once a minute.
    pub async fn touch_api_key(&self, key_id: &str, now: Time) -> Result<()> {
        let (txn, _turn) = self.begin().await?;
        let sql = "UPDATE api_keys SET last_used_at = $2 WHERE id = $1";
        db::run(&txn, sql, values![key_id, now.ms()]).await?;
        txn.commit().await?;
        Ok(())
    }
}
