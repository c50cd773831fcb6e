//! The journal: the one writer. Submissions queue here, are stepped and committed in batches, and
//! are answered only after COMMIT.

pub(crate) mod after;
mod book;
mod plan;
mod queue;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use lk_core::observation::Observation;
use lk_store::journal::{Checkpointer, DeliveryKey, JournalDb, Payload, QuotaSample};
use lk_store::{IncidentChange, Store, StoreError};
use tokio::sync::{Notify, oneshot, watch};

use crate::Clock;
use crate::directory::SharedDirectory;

use after::After;
use queue::{Pending, Queue};

/// Submissions that may wait.
pub const MAX_QUEUED: usize = 8_192;
/// Bytes of payload that may wait.
pub const MAX_QUEUED_BYTES: usize = 64 << 20;
/// Observations committed together at most.
pub const MAX_BATCH: usize = 1_024;
/// Longest wait for company under load.
pub const LINGER: Duration = Duration::from_millis(3);
/// A submission that is not answered by then is answered "try again".
pub const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// States and problems kept between batches, each.
pub const MAX_CACHED: usize = 20_000;
/// Pause between rounds of the checkpointer.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(500);

/// One observation with what is stored beside it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What happened.
    pub observation: Observation,
    /// Under which it is stored once, if the sender may repeat it.
    pub key: Option<DeliveryKey>,
    /// What is kept of the delivery.
    pub payload: Option<Payload>,
    /// What is kept of a check beside its result.
    pub check: Option<CheckDetail>,
}

/// What a check tells beyond what decides something.
#[derive(Debug, Clone, Default)]
pub struct CheckDetail {
    /// The ladder with its timings, JSON text.
    pub text: String,
    /// What is left of the provider's limits.
    pub quotas: Vec<QuotaSample>,
}

/// Observations that are committed and answered as one.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// In order.
    pub entries: Vec<Entry>,
    /// Provider incidents that open, change or close.
    pub incidents: Vec<IncidentChange>,
}

impl Submission {
    /// Observations that belong together.
    pub fn entries(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            incidents: Vec::new(),
        }
    }

    /// One observation without a payload.
    pub fn of(observation: Observation) -> Self {
        Self {
            entries: vec![Entry {
                observation,
                key: None,
                payload: None,
                check: None,
            }],
            incidents: Vec::new(),
        }
    }

    /// Changes of provider incidents.
    pub fn incidents(incidents: Vec<IncidentChange>) -> Self {
        Self {
            entries: Vec::new(),
            incidents,
        }
    }

    fn bytes(&self) -> usize {
        self.entries
            .iter()
            .map(|e| {
                e.payload
                    .as_ref()
                    .map_or(0, |p| p.headers.len() + p.body.as_ref().map_or(0, String::len))
            })
            .sum()
    }
}

/// What became of a committed submission.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// For each entry the sequence number of its event; `None` for a duplicate and for what is not
    /// worth telling.
    pub seqs: Vec<Option<i64>>,
    /// Entries that had been stored before.
    pub duplicates: usize,
    /// Stored as quarantined, because it could not be processed.
    pub quarantined: bool,
}

/// Why a submission was not accepted. In every case the sender may try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much is waiting.
    #[error("too much is waiting to be stored")]
    QueueFull,
    /// The database is not available.
    #[error("the database is not available")]
    Unavailable,
    /// No answer in time; it may still be stored.
    #[error("storing took too long")]
    TooSlow,
    /// Linekeeper is stopping.
    #[error("Linekeeper is stopping")]
    Stopping,
    /// The integration was deleted meanwhile.
    #[error("the integration does not exist")]
    Gone,
}

/// The handle to the one writer.
#[derive(Clone)]
pub struct Journal {
    queue: Arc<Queue>,
    committed: watch::Receiver<i64>,
    ended: Arc<Notify>,
}

impl Journal {
    /// Starts the writer's thread and, on SQLite, the checkpointer's.
    pub(crate) async fn start(
        store: &Store,
        directory: SharedDirectory,
        clock: Clock,
        after: After,
    ) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::default());
        let (publish, committed) = watch::channel(0);
        let ended = Arc::new(Notify::new());
        let opened = {
            let (store, runtime) = (store.clone(), tokio::runtime::Handle::current());
            tokio::task::spawn_blocking(move || {
                let db = JournalDb::open(&store, runtime)?;
                writer::Writer::new(db, directory, clock, publish, after)
            })
        };
        let writer = opened.await.map_err(|e| StoreError::Unavailable(e.to_string()))??;
        let checkpointer = Checkpointer::open(store)?;
        let stop_checkpointer = Arc::new(queue::Stop::default());
        let checkpoints = checkpointer.map(|c| {
            let stop = Arc::clone(&stop_checkpointer);
            thread("journal-checkpoint", move || checkpoint(&c, &stop))
        });
        let (taken, over) = (Arc::clone(&queue), Arc::clone(&ended));
        thread("journal", move || {
            writer.run(&taken);
            stop_checkpointer.set();
            if let Some(handle) = checkpoints {
                drop(handle.join());
            }
            over.notify_one();
        });
        Ok(Self {
            queue,
            committed,
            ended,
        })
    }

    /// Submits and waits for the commit.
    pub async fn submit(&self, submission: Submission) -> Result<Receipt, Refused> {
        let (reply, answer) = oneshot::channel();
        let bytes = submission.bytes();
        self.queue.push(Pending {
            submission,
            reply: Some(reply),
            bytes,
        })?;
        match tokio::time::timeout(ANSWER_WITHIN, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Refused::Unavailable),
            Err(_) => {
                metrics::counter!("lk_journal_answers_too_slow_total").increment(1);
                Err(Refused::TooSlow)
            }
        }
    }

    /// Follows the highest committed sequence number of this process.
    pub fn committed(&self) -> watch::Receiver<i64> {
        self.committed.clone()
    }

    /// Accepts nothing more, commits what waits, and returns when all is on disk.
    pub async fn drain(&self) {
        self.queue.close();
        self.ended.notified().await;
        self.ended.notify_one();
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
    match std::thread::Builder::new().name(name.to_owned()).spawn(run) {
        Ok(handle) => handle,
        Err(error) => panic!("the operating system gives no thread for {name}: {error}"),
    }
}

fn checkpoint(checkpointer: &Checkpointer, stop: &queue::Stop) {
    while !stop.wait(CHECKPOINT_EVERY) {
        match checkpointer.round() {
            Ok(round) => {
                metrics::gauge!("lk_journal_wal_pages").set(round.log_pages as f64);
                if round.held_writers {
                    metrics::counter!("lk_journal_checkpoint_holds_total").increment(1);
                }
            }
            Err(error) => tracing::warn!(%error, "checkpoint failed; the next round tries again"),
        }
    }
    if let Err(error) = checkpointer.finish() {
        tracing::warn!(%error, "the last checkpoint failed; the next start reads the log instead");
    }
}
