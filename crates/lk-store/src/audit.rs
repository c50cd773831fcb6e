//! The audit log `admin_logs`: a gapless sequence in which every row carries a keyed hash over
//! itself and the hash before it.
//!
//! A row that is changed no longer fits its hash; a row that is taken out leaves a gap; a row that
//! is put in would need the key. The key is random, made once, and sealed like every secret, so
//! whoever can write the database but does not hold the master key cannot mend the chain. Taking
//! away the newest rows *and* setting the recorded head back is seen only by somebody who noted
//! the head elsewhere: [`AuditCheck::head`] is for that.

use lk_core::Time;
use lk_core::access::Actor;
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::db::{self, values};
use crate::read::{AUDIT_COLUMNS, AuditRow, read_audit};
use crate::seal::{MasterKey, Sealed, random_bytes};
use crate::{Result, Store, StoreError};

/// Table of the installation's own keys, and the first half of what they are bound to.
pub(crate) const KEYS_TABLE: &str = "sealed_keys";
/// Name of the chain's key there.
const KEY_NAME: &str = "audit_log";
/// Longest summary, characters; the rest is cut off.
const SUMMARY_CHARS_MAX: usize = 2_000;
/// Rows read at once by a check.
const CHECKED_AT_ONCE: i64 = 1_000;

/// The key of the chain.
pub(crate) struct AuditKey([u8; 32]);

/// What a write did, for `admin_logs`. The caller has redacted it.
pub(crate) struct Audit<'a> {
    pub(crate) project_id: Option<&'a str>,
    /// Dotted, e.g. "integration.created".
    pub(crate) action: &'a str,
    /// What it was done to: an id, or a kind and an id.
    pub(crate) target: String,
    /// One line for people.
    pub(crate) summary: String,
}

/// An attempt that was refused, for `admin_logs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Who tried.
    pub actor: Actor,
    /// From where.
    pub source: Option<String>,
    /// In which project; `None` for the installation.
    pub project_id: Option<String>,
    /// What was tried, dotted.
    pub action: String,
    /// On what; empty when it is not known.
    pub target: String,
    /// Why it was refused, in one redacted line.
    pub summary: String,
    /// "denied" (may not) or "failed" (could not prove it).
    pub result: &'static str,
}

/// What a check of the whole log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// Rows that were looked at.
    pub rows: u64,
    /// Number and hash (hexadecimal) of the newest row, to be noted elsewhere; `None` for an empty
    /// log.
    pub head: Option<(i64, String)>,
    /// The first thing that is wrong.
    pub problem: Option<AuditProblem>,
}

/// What is wrong with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditProblem {
    /// A row is not there.
    #[error("row {0} is missing")]
    Missing(i64),
    /// A row is not what was written.
    #[error("row {0} was changed after it was written")]
    Edited(i64),
    /// The log ends before the head that was recorded.
    #[error("the log ends at row {0}, which is not the end that was recorded")]
    Truncated(i64),
}

impl AuditProblem {
    /// The row it is about.
    pub const fn seq(self) -> i64 {
        match self {
            Self::Missing(seq) | Self::Edited(seq) | Self::Truncated(seq) => seq,
        }
    }

    /// Its kind in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Edited(_) => "edited",
            Self::Truncated(_) => "truncated",
        }
    }
}

/// Makes the chain's key in a new installation.
pub(crate) async fn ensure_key(txn: &DatabaseTransaction, master: &MasterKey) -> Result<()> {
    let key: [u8; 32] = random_bytes()?;
    let hex = blake3::Hash::from(key).to_hex();
    let sealed = master.seal(KEYS_TABLE, KEY_NAME, hex.as_bytes())?;
    let sql = "INSERT INTO sealed_keys (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    db::run(txn, sql, values![KEY_NAME, sealed.as_bytes().to_vec()]).await?;
    Ok(())
}

/// Reads the chain's key.
pub(crate) async fn load_key<C: ConnectionTrait>(on: &C, master: &MasterKey) -> Result<AuditKey> {
    let sql = "SELECT sealed FROM sealed_keys WHERE name = $1";
    let row = db::one(on, sql, values![KEY_NAME]).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("the audit log's key is missing"))?;
    let sealed = Sealed::from_stored(row.get("sealed")?);
    let hex = master.open(KEYS_TABLE, KEY_NAME, &sealed)?;
    let hash =
        blake3::Hash::from_hex(hex.expose()).map_err(|_| StoreError::corrupt("the audit log's key is no key"))?;
    Ok(AuditKey(hash.into()))
}

/// Writes one row about something that was done.
pub(crate) async fn append(
    txn: &DatabaseTransaction,
    key: &AuditKey,
    actor: &Actor,
    source: Option<&str>,
    at: Time,
    audit: Audit<'_>,
) -> Result<()> {
    let row = row_of(actor, source, at, audit, "ok");
    insert(txn, key, row).await
}

/// A row that has no number yet.
fn row_of(actor: &Actor, source: Option<&str>, at: Time, audit: Audit<'_>, result: &str) -> AuditRow {
    let (kind, id, name) = words_of(actor);
    AuditRow {
        seq: 0,
        at,
        actor_kind: kind.to_owned(),
        actor_id: id.map(str::to_owned),
        actor_name: name.to_owned(),
        project_id: audit.project_id.map(str::to_owned),
        action: audit.action.to_owned(),
        target: audit.target,
        summary: cut(audit.summary),
        result: result.to_owned(),
        source: source.map(str::to_owned),
    }
}

const fn words_of(actor: &Actor) -> (&'static str, Option<&str>, &str) {
    match actor {
        Actor::User { id, name } => ("user", Some(id.as_str()), name.as_str()),
        Actor::ApiKey { id, name } => ("api_key", Some(id.as_str()), name.as_str()),
        Actor::CommandLine => ("command_line", None, "command line"),
        Actor::System => ("system", None, "Linekeeper"),
    }
}

fn cut(text: String) -> String {
    if text.chars().count() <= SUMMARY_CHARS_MAX {
        text
    } else {
        text.chars().take(SUMMARY_CHARS_MAX).chain(['…']).collect()
    }
}

async fn insert(txn: &DatabaseTransaction, key: &AuditKey, mut row: AuditRow) -> Result<()> {
    // Takes the number and makes every other writer of the log wait for this transaction.
    let sql = "UPDATE audit_head SET seq = seq + 1 WHERE id = 1 RETURNING seq, hash";
    let head = db::one(txn, sql, vec![]).await?;
    let head = head.ok_or_else(|| StoreError::corrupt("the head of the audit log is missing"))?;
    row.seq = head.int("seq")?;
    let before: Vec<u8> = head.get("hash")?;
    let hash = link(key, &before, &row).as_bytes().to_vec();
    db::run(
        txn,
        "INSERT INTO admin_logs
           (seq, at, actor_kind, actor_id, actor_name, project_id, action, target, summary, result, source, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        values![
            row.seq,
            row.at.ms(),
            row.actor_kind,
            row.actor_id,
            row.actor_name,
            row.project_id,
            row.action,
            row.target,
            row.summary,
            row.result,
            row.source,
            hash.clone(),
        ],
    )
    .await?;
    db::run(txn, "UPDATE audit_head SET hash = $1 WHERE id = 1", values![hash]).await?;
    Ok(())
}

/// The hash of a row that follows one with the hash `before`. Every field goes in with its length,
/// so that no two rows read alike.
fn link(key: &AuditKey, before: &[u8], row: &AuditRow) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&key.0);
    let mut field = |bytes: Option<&[u8]>| {
        // No text is that long: "absent" and "empty" differ.
        let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
        hasher.update(&length.to_le_bytes());
        hasher.update(bytes.unwrap_or_default());
    };
    field(Some(before));
    field(Some(&row.seq.to_le_bytes()));
    field(Some(&row.at.ms().to_le_bytes()));
    for text in [
        &row.actor_kind,
        &row.actor_name,
        &row.action,
        &row.target,
        &row.summary,
        &row.result,
    ] {
        field(Some(text.as_bytes()));
    }
    for text in [&row.actor_id, &row.project_id, &row.source] {
        field(text.as_ref().map(String::as_bytes));
    }
    hasher.finalize()
}

impl Store {
    /// Writes down that somebody known was refused. Changes nothing else and needs no permit.
    pub async fn note_refusal(&self, refusal: &Refusal, now: Time) -> Result<()> {
        let audit = Audit {
            project_id: refusal.project_id.as_deref(),
            action: &refusal.action,
            target: refusal.target.clone(),
            summary: refusal.summary.clone(),
        };
        let row = row_of(&refusal.actor, refusal.source.as_deref(), now, audit, refusal.result);
        let (txn, _turn) = self.begin().await?;
        insert(&txn, self.audit_key().await?, row).await?;
        txn.commit().await?;
        Ok(())
    }

    /// Whether the master key in use is the one the data was written with.
    pub async fn prove_master_key(&self) -> Result<()> {
        self.audit_key().await.map(|_| ())
    }

    /// Gives up the chain so far and begins a new one, after the master key was lost for good: what
    /// was written before can no longer be checked.
    pub async fn restart_audit_log(&self, now: Time) -> Result<()> {
        let (txn, _turn) = self.begin().await?;
        db::run(&txn, "DELETE FROM sealed_keys WHERE name = $1", values![KEY_NAME]).await?;
        ensure_key(&txn, self.master_key()).await?;
        let sql = format!(
            "UPDATE audit_head SET begins_after = seq, hash = {}",
            self.dialect().no_bytes()
        );
        db::run(&txn, sql, vec![]).await?;
        let key = load_key(&txn, self.master_key()).await?;
        let audit = Audit {
            project_id: None,
            action: "audit_log.restarted",
            target: "audit log".to_owned(),
            summary: "the master key was lost; rows before this one cannot be checked".to_owned(),
        };
        append(&txn, &key, &Actor::CommandLine, None, now, audit).await?;
        txn.commit().await?;
        Ok(())
    }

    /// The hash of one row, hexadecimal; `None` when it is not there or older than the chain.
    pub async fn audit_hash(&self, seq: i64) -> Result<Option<String>> {
        let row = db::one(
            self.reader(),
            "SELECT hash FROM admin_logs WHERE seq = $1",
            values![seq],
        )
        .await?;
        let hash: Option<Vec<u8>> = row.map(|row| row.get("hash")).transpose()?.flatten();
        Ok(hash.as_deref().and_then(hex))
    }

    /// Reads the whole log and says whether a row is missing or was changed.
    pub async fn check_audit_log(&self) -> Result<AuditCheck> {
        let key = self.audit_key().await?;
        let sql = "SELECT seq, hash, begins_after FROM audit_head WHERE id = 1";
        let head = db::one(self.reader(), sql, vec![]).await?;
        let head = head.ok_or_else(|| StoreError::corrupt("the head of the audit log is missing"))?;
        let (end, end_hash): (i64, Vec<u8>) = (head.int("seq")?, head.get("hash")?);
        let (mut last, mut rows, mut before) = (head.int("begins_after")?, 0, Vec::new());
        loop {
            // Rows written after the head was read are not this check's.
            let sql = format!(
                "SELECT {AUDIT_COLUMNS}, hash FROM admin_logs WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3"
            );
            let page = db::all(self.reader(), sql, values![last, end, CHECKED_AT_ONCE]).await?;
            for stored in &page {
                let row = read_audit(stored)?;
                let hash = stored.get::<Option<Vec<u8>>>("hash")?.unwrap_or_default();
                let problem = if row.seq != last + 1 {
                    Some(AuditProblem::Missing(last + 1))
                } else if link(key, &before, &row).as_bytes().as_slice() != hash {
                    Some(AuditProblem::Edited(row.seq))
                } else {
                    None
                };
                if problem.is_some() {
                    return Ok(AuditCheck {
                        rows,
                        head: None,
                        problem,
                    });
                }
                (last, before) = (row.seq, hash);
                rows += 1;
            }
            if page.is_empty() {
                break;
            }
        }
        let whole = last == end && (rows == 0 || before == end_hash);
        Ok(AuditCheck {
            rows,
            head: hex(&before).map(|hash| (last, hash)),
            problem: (!whole).then_some(AuditProblem::Truncated(last)),
        })
    }
}

/// A hash in hexadecimal; `None` for what is no hash.
fn hex(bytes: &[u8]) -> Option<String> {
    blake3::Hash::from_slice(bytes)
        .ok()
        .map(|hash| hash.to_hex().to_string())
}

/// The last row of `target` in the log with one of `actions`: the change that came first, for
/// whoever comes too late with theirs.
pub(crate) async fn last_change<C: ConnectionTrait>(
    on: &C,
    target: &str,
    actions: &[&str],
) -> Result<Option<AuditRow>> {
    // Our own words, without anything to quote.
    let actions: Vec<String> = actions.iter().map(|action| format!("'{action}'")).collect();
    let sql = format!(
        "SELECT {AUDIT_COLUMNS} FROM admin_logs WHERE target = $1 AND result = 'ok' AND action IN ({})
         ORDER BY seq DESC LIMIT 1",
        actions.join(", ")
    );
    db::one(on, sql, values![target])
        .await?
        .as_ref()
        .map(read_audit)
        .transpose()
}
