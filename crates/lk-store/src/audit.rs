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

use crate::db::{self, Row, values};
use crate::read::{AUDIT_COLUMNS, AuditRow, read_audit};
use crate::seal::{MasterKey, Sealed, random_bytes};
use crate::{Result, Store, StoreError};

/// Table of the installation's own keys, and the first half of what they are bound to.
pub(crate) const KEYS_TABLE: &str = "sealed_keys";
/// Name of the chain's key there.
const KEY_NAME: &str = "audit_log";
/// Longest summary, characters; the rest is cut off.
const SUMMARY_CHARS_MAX: usize = 2_000;
/// What a chain that is younger than the log begins with: nobody but Linekeeper can have written
/// that row, because it is chained too.
const BEGINNINGS: [&str; 2] = [BEGAN, "audit_log.restarted"];
const BEGAN: &str = "audit_log.began";
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
    /// Rows up to here are older than the chain and cannot be checked.
    pub begins_after: i64,
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
    /// The chain does not begin where it says: what was before it was cut off.
    #[error("the chain begins at row {0} without saying why")]
    Unanchored(i64),
    /// A row that was put in beside the chain.
    #[error("row {0} was not written by Linekeeper")]
    Foreign(i64),
    /// The log ends before the head that was recorded.
    #[error("the log ends at row {0}, which is not the end that was recorded")]
    Truncated(i64),
}

impl AuditProblem {
    /// The row it is about.
    pub const fn seq(self) -> i64 {
        match self {
            Self::Missing(seq)
            | Self::Edited(seq)
            | Self::Unanchored(seq)
            | Self::Foreign(seq)
            | Self::Truncated(seq) => seq,
        }
    }

    /// Its kind in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Edited(_) => "edited",
            Self::Unanchored(_) => "unanchored",
            Self::Foreign(_) => "foreign",
            Self::Truncated(_) => "truncated",
        }
    }
}

/// Makes the chain's key where there is none. A log that is older than the chain gets a row that
/// says where it begins.
pub(crate) async fn ensure_key(txn: &DatabaseTransaction, master: &MasterKey, now: Time) -> Result<()> {
    if !make_key(txn, master).await? {
        return Ok(());
    }
    let older = db::one(
        txn,
        "SELECT begins_after FROM audit_head WHERE begins_after > 0",
        vec![],
    )
    .await?;
    let Some(older) = older else { return Ok(()) };
    let key = load_key(txn, master).await?;
    let audit = Audit {
        project_id: None,
        action: BEGAN,
        target: "audit log".to_owned(),
        summary: format!(
            "rows up to {} are older and cannot be checked",
            older.int("begins_after")?
        ),
    };
    append(txn, &key, &Actor::System, None, now, audit).await
}

/// Makes the chain's key, unless there is one; whether it did.
async fn make_key(txn: &DatabaseTransaction, master: &MasterKey) -> Result<bool> {
    let key: [u8; 32] = random_bytes()?;
    let hex = blake3::Hash::from(key).to_hex();
    let sealed = master.seal(KEYS_TABLE, KEY_NAME, hex.as_bytes())?;
    let sql = "INSERT INTO sealed_keys (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    Ok(db::run(txn, sql, values![KEY_NAME, sealed.as_bytes().to_vec()]).await? == 1)
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
        make_key(&txn, self.master_key()).await?;
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

    /// Reads the whole log and says whether a row is missing, was changed or was put in.
    pub async fn check_audit_log(&self) -> Result<AuditCheck> {
        let key = self.audit_key().await?;
        let sql = "SELECT h.seq, h.hash, h.begins_after, (SELECT MIN(seq) FROM admin_logs) AS oldest,
                          (SELECT MAX(seq) FROM admin_logs) AS newest
                   FROM audit_head h WHERE h.id = 1";
        let head = db::one(self.reader(), sql, vec![]).await?;
        let head = head.ok_or_else(|| StoreError::corrupt("the head of the audit log is missing"))?;
        let (end, end_hash): (i64, Vec<u8>) = (head.int("seq")?, head.get("hash")?);
        let begins_after = head.int("begins_after")?;
        let mut walk = Walk {
            key,
            last: begins_after,
            before: Vec::new(),
            rows: 0,
        };
        let mut problem = outside(&head, end)?;
        while problem.is_none() {
            // Rows written after the head was read are not this check's.
            let sql = format!(
                "SELECT {AUDIT_COLUMNS}, hash FROM admin_logs WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3"
            );
            let page = db::all(self.reader(), sql, values![walk.last, end, CHECKED_AT_ONCE]).await?;
            if page.is_empty() {
                let whole = walk.last == end && (walk.rows == 0 || walk.before == end_hash);
                // A chain that begins later than the log has a row that says so.
                let anchored = walk.rows > 0 || begins_after == 0;
                problem = match (whole, anchored) {
                    (false, _) => Some(AuditProblem::Truncated(walk.last)),
                    (true, false) => Some(AuditProblem::Unanchored(begins_after + 1)),
                    (true, true) => None,
                };
                break;
            }
            problem = walk.page(&page, begins_after)?;
        }
        let head = if problem.is_none() { hex(&walk.before) } else { None };
        Ok(AuditCheck {
            rows: walk.rows,
            begins_after,
            head: head.map(|hash| (walk.last, hash)),
            problem,
        })
    }
}

/// What lies outside of what the chain covers, and has no business there.
fn outside(head: &Row, end: i64) -> Result<Option<AuditProblem>> {
    let (oldest, newest) = (head.opt_int("oldest")?, head.opt_int("newest")?);
    Ok(match (oldest, newest) {
        (Some(oldest), _) if oldest < 1 => Some(AuditProblem::Foreign(oldest)),
        (_, Some(newest)) if newest > end => Some(AuditProblem::Foreign(newest)),
        _ => None,
    })
}

/// A walk along the chain.
struct Walk<'a> {
    key: &'a AuditKey,
    last: i64,
    before: Vec<u8>,
    rows: u64,
}

impl Walk<'_> {
    /// Goes on over one page; the first thing that is wrong ends it.
    fn page(&mut self, page: &[Row], begins_after: i64) -> Result<Option<AuditProblem>> {
        for stored in page {
            let row = read_audit(stored)?;
            let hash = stored.get::<Option<Vec<u8>>>("hash")?.unwrap_or_default();
            if row.seq != self.last + 1 {
                return Ok(Some(AuditProblem::Missing(self.last + 1)));
            }
            if link(self.key, &self.before, &row).as_bytes().as_slice() != hash {
                return Ok(Some(AuditProblem::Edited(row.seq)));
            }
            if self.rows == 0 && begins_after > 0 && !BEGINNINGS.contains(&row.action.as_str()) {
                return Ok(Some(AuditProblem::Unanchored(row.seq)));
            }
            (self.last, self.before) = (row.seq, hash);
            self.rows += 1;
        }
        Ok(None)
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
