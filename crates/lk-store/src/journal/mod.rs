//! The journal's side of the database: load what a batch touches, write what it changed, commit.
//!
//! One [`JournalDb`] exists per process and belongs to one thread. Its calls block. Between
//! [`JournalDb::load`] and [`JournalDb::commit`] a transaction is open and, on SQLite, the write
//! gate is held, so nothing else can change what was loaded.

mod board;
mod checkpoint;
mod errors;
mod incidents;
mod outbox;
mod postgres;
pub(crate) mod rows;
mod setup;
mod sqlite;

use std::collections::HashMap;

use lk_core::Time;
use lk_core::classify::{DocCode, Fingerprint};
use lk_core::effect::{Effect, RepeatRule};
use lk_core::event::EventDraft;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::problem::Problem;
use lk_core::state::IntegrationState;
use lk_core::time::DAY;
use lk_core::words::{Category, Health, Outcome, Rung};

pub use checkpoint::{Checkpointer, Round};
pub use incidents::IncidentChange;
pub use rows::EventFlags;
pub use setup::{CredentialSetup, IntegrationSetup, SecretSetup, Setup};

use crate::{Store, StoreError};

/// Days a delivery key is remembered: the longest a provider repeats a delivery.
pub const DELIVERY_KEY_DAYS: i64 = 7;

/// The table under whose name the handshake in an effect's payload is sealed; the integration's id
/// is the row.
pub const HANDSHAKE_SEALED_AS: &str = "outbox";

/// The identification of one delivered item within its integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeliveryKey {
    /// Whose delivery.
    pub integration: IntegrationRid,
    /// The provider's own time, when it is stable over retries.
    pub occurred_at: Option<Time>,
    /// Hash of the provider's delivery id.
    pub key: [u8; 16],
}

impl DeliveryKey {
    /// The bucket a new key is stored under: the provider's time in milliseconds, or the day it was
    /// first seen. Both rise, so the clustered index grows at its end.
    fn bucket(&self, now: Time) -> i64 {
        self.occurred_at.map_or(now.0 / DAY, |t| t.0)
    }

    /// The buckets in which an earlier sighting may be.
    fn buckets(&self, now: Time) -> Vec<i64> {
        match self.occurred_at {
            Some(t) => vec![t.0],
            None => (0..=DELIVERY_KEY_DAYS).map(|d| now.0 / DAY - d).collect(),
        }
    }
}

/// What a batch is about to read and change.
#[derive(Debug, Clone, Default)]
pub struct Touch {
    /// Integrations whose state is not in the cache.
    pub integrations: Vec<IntegrationRid>,
    /// Problems that are not in the cache.
    pub problems: Vec<(IntegrationRid, Fingerprint)>,
    /// Every delivery key of the batch.
    pub keys: Vec<DeliveryKey>,
}

/// A problem with its row number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProblem {
    /// Row number.
    pub rid: i64,
    /// The problem.
    pub problem: Problem,
}

/// What was found of what the batch touches.
#[derive(Debug, Default)]
pub struct Loaded {
    /// States that exist; an absent integration has none yet.
    pub states: HashMap<IntegrationRid, IntegrationState>,
    /// Problems that exist.
    pub problems: HashMap<(IntegrationRid, Fingerprint), StoredProblem>,
    /// For each delivery key, in order, whether it was seen before.
    pub seen: Vec<bool>,
    /// The database's own time, on databases shared between nodes.
    pub now: Option<Time>,
}

/// One state to write.
#[derive(Debug, Clone)]
pub struct StateRow {
    /// Whose.
    pub integration: IntegrationRid,
    /// In which project.
    pub project: ProjectRid,
    /// The state.
    pub state: IntegrationState,
    /// When it wants to be woken; may be early, never late.
    pub wake_at: Option<Time>,
    /// The ladder of its last check, JSON text; `None` leaves what is stored.
    pub last_check: Option<String>,
}

/// One check's result to keep.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    /// Whose.
    pub integration: IntegrationRid,
    /// When it ended.
    pub checked_at: Time,
    /// Health after it.
    pub status: Health,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, milliseconds.
    pub took_ms: u32,
    /// The rung that failed.
    pub rung: Option<Rung>,
    /// The failure's category.
    pub category: Option<Category>,
    /// The document that explains the failure.
    pub doc: Option<DocCode>,
    /// The redacted message of the failure.
    pub message: Option<String>,
    /// When the check after it was planned: how long this result speaks for the integration.
    pub next_at: Option<Time>,
    /// What was left of the provider's limits.
    pub quotas: Vec<QuotaSample>,
}

/// What was left of one limit of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaSample {
    /// The limit's name.
    pub name: String,
    /// How many calls it allows.
    pub limit: Option<u64>,
    /// How many were left.
    pub remaining: u64,
    /// When it is filled again.
    pub resets_at: Option<Time>,
    /// Counted by ourselves.
    pub own_count: bool,
}

/// One problem to write.
#[derive(Debug, Clone)]
pub struct ProblemRow {
    /// Row number; `None` for a new one.
    pub rid: Option<i64>,
    /// In which project.
    pub project: ProjectRid,
    /// Whose.
    pub integration: IntegrationRid,
    /// The problem.
    pub problem: Problem,
}

/// What is kept of a delivery beside its event row, redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Kept headers as a JSON object.
    pub headers: String,
    /// The redacted body; `None` when nothing is kept.
    pub body: Option<String>,
    /// Size of the body as received, bytes.
    pub body_bytes: u64,
    /// BLAKE3 of the body as received.
    pub body_hash: [u8; 32],
    /// Media type as received.
    pub content_type: Option<String>,
}

/// One event to write.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// In which project.
    pub project: ProjectRid,
    /// Whose.
    pub integration: IntegrationRid,
    /// When we learned of it.
    pub received_at: Time,
    /// The event.
    pub draft: EventDraft,
    /// Index into [`Batch::problems`].
    pub problem: Option<usize>,
    /// Its payload.
    pub payload: Option<Payload>,
}

/// One effect to write.
#[derive(Debug, Clone)]
pub struct EffectRow {
    /// The effect.
    pub effect: Effect,
    /// Key under which the same effect is stored once, if it has one.
    pub idem_key: Option<String>,
}

/// Everything one transaction writes.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Which node writes it.
    pub node: String,
    /// Number of the batch, rising within the node; found again after an unknown outcome.
    pub id: i64,
    /// Time of the step.
    pub now: Time,
    /// Delivery keys that were not seen before.
    pub keys: Vec<DeliveryKey>,
    /// Changed states.
    pub states: Vec<StateRow>,
    /// Results of checks.
    pub history: Vec<HistoryRow>,
    /// New and changed problems.
    pub problems: Vec<ProblemRow>,
    /// Events in order.
    pub events: Vec<EventRow>,
    /// Effects in order.
    pub effects: Vec<EffectRow>,
    /// Provider incidents that open, change or close.
    pub incidents: Vec<IncidentChange>,
}

/// What the commit gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// Sequence numbers of the batch's events, in order.
    pub seqs: Vec<i64>,
    /// Row numbers of the batch's problems, in order.
    pub problem_rids: Vec<i64>,
}

/// Why a batch was not committed, or may have been.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was written.
    #[error("the batch was not written: {0}")]
    RolledBack(StoreError),
    /// The COMMIT itself failed: look the batch id up.
    #[error("it is not known whether the batch was written: {0}")]
    Unknown(StoreError),
}

/// An effect that waits for its executor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEffect {
    /// Row number.
    pub id: i64,
    /// What to do.
    pub effect: Effect,
    /// Attempts made before.
    pub attempts: u32,
    /// An attempt was begun and never finished: its outcome is unknown.
    pub interrupted: bool,
}

/// How an attempt at an effect ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptResult {
    /// Done.
    Done,
    /// To be tried again at that time.
    Retry {
        /// When.
        at: Time,
        /// Why it failed, redacted.
        error: String,
    },
    /// Given up.
    Failed {
        /// Why, redacted.
        error: String,
    },
}

enum Inner {
    Sqlite(sqlite::SqliteJournal),
    Postgres(postgres::PgJournal),
}

/// The journal's own connection.
pub struct JournalDb(Inner);

macro_rules! each {
    ($self:ident, $j:ident => $call:expr) => {
        match &mut $self.0 {
            Inner::Sqlite($j) => $call,
            Inner::Postgres($j) => $call,
        }
    };
}

impl JournalDb {
    /// Opens the journal's connection to the store's database. Blocks; call from a thread of its
    /// own, with `runtime` the runtime that drives the store.
    pub fn open(store: &Store, runtime: tokio::runtime::Handle) -> Result<Self, StoreError> {
        Ok(Self(match store.sqlite_path() {
            Some(path) => Inner::Sqlite(sqlite::SqliteJournal::open(path, store.gate().clone())?),
            None => Inner::Postgres(postgres::PgJournal::open(store, runtime)?),
        }))
    }

    /// Whether states and problems may be kept between batches: only where this process alone
    /// writes them.
    pub fn sole_writer(&self) -> bool {
        matches!(self.0, Inner::Sqlite(_))
    }

    /// The number of the newest configuration change, from any process.
    pub fn generation(&mut self) -> Result<i64, StoreError> {
        each!(self, j => j.generation())
    }

    /// Begins the transaction and loads what the batch touches. A transaction that is still open
    /// is abandoned first.
    pub fn load(&mut self, touch: &Touch, now: Time) -> Result<Loaded, StoreError> {
        each!(self, j => j.load(touch, now))
    }

    /// Writes the batch and commits. Whatever the outcome, the transaction is over afterwards.
    pub fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        each!(self, j => j.commit(batch))
    }

    /// Ends the open transaction without writing.
    pub fn abandon(&mut self) {
        each!(self, j => j.abandon());
    }

    /// The number of the last batch that `node` committed; 0 before the first.
    pub fn last_batch(&mut self, node: &str) -> Result<i64, StoreError> {
        each!(self, j => j.last_batch(node))
    }

    /// Integrations that asked to be woken, with when.
    pub fn sleepers(&mut self) -> Result<Vec<(IntegrationRid, Time)>, StoreError> {
        each!(self, j => j.sleepers())
    }
}

/// Number of a repeat rule in storage.
pub(crate) const fn rule_code(rule: RepeatRule) -> i16 {
    match rule {
        RepeatRule::Safe => 0,
        RepeatRule::Keyed => 1,
        RepeatRule::Ask => 2,
    }
}
