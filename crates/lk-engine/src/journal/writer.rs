//! The writer's loop: take, load, step, commit, answer.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lk_core::Time;
use lk_core::observation::{Fact, IntegrationRid, Observation};
use lk_core::time::MINUTE;
use lk_store::StoreError;
use lk_store::journal::{Batch, CommitError, Committed, JournalDb, Loaded, Touch};
use tokio::sync::watch;
use tokio::time::Instant;

use super::after::After;
use super::book::{Book, View};
use super::plan::{Plan, Planner, problem_key};
use super::queue::{Linger, Pending, Queue, Taken};
use super::{LINGER, MAX_BATCH, Receipt, Refused, Submission};
use crate::Clock;
use crate::crash;
use crate::directory::SharedDirectory;
use crate::timers::Timers;

/// The longest sleep of an idle writer: how late it may notice a moved clock.
const IDLE: Duration = Duration::from_secs(1);
/// A batch of this many submissions shows load: the next one waits for company.
const BUSY: usize = 8;
/// Attempts to load a batch while people change the configuration.
const RELOADS: usize = 8;
/// The name of this node's row of batch marks.
const NODE: &str = "local";

pub(super) struct Writer {
    db: JournalDb,
    directory: SharedDirectory,
    clock: Clock,
    publish: watch::Sender<i64>,
    after: After,
    book: Book,
    timers: Timers,
    node: String,
    batch: i64,
    generation: i64,
}

impl Writer {
    pub(super) fn new(
        mut db: JournalDb,
        directory: SharedDirectory,
        clock: Clock,
        publish: watch::Sender<i64>,
        after: After,
    ) -> Result<Self, StoreError> {
        // Nodes that share a database must not share a row of marks.
        let node = if db.sole_writer() {
            NODE.to_owned()
        } else {
            lk_store::new_id(clock.now())?.to_string()
        };
        let batch = db.last_batch(&node)?;
        let mut timers = Timers::default();
        for (rid, at) in db.sleepers()? {
            timers.set(rid, Some(at));
        }
        let generation = db.generation()?;
        Ok(Self {
            db,
            directory,
            clock,
            publish,
            after,
            book: Book::default(),
            timers,
            node,
            batch,
            generation,
        })
    }

    pub(super) fn run(mut self, queue: &Queue) {
        let mut linger = None;
        loop {
            let mut taken = Vec::new();
            let idle = self.timers.next().map_or(IDLE, |at| {
                IDLE.min(Duration::from_millis(at.since(self.clock.now()) as u64))
            });
            let more = queue.take(&mut taken, idle, linger);
            if more == Taken::End {
                return;
            }
            crash::point("journal.taken");
            let now = self.clock.now();
            for (rid, _) in self.timers.due(now, MAX_BATCH) {
                taken.push(tick(rid, now));
            }
            linger = None;
            if !taken.is_empty() {
                let company = taken.len();
                metrics::histogram!("lk_journal_batch_submissions").record(company as f64);
                let started = Instant::now();
                self.process(taken);
                // Under load, waiting as long as a commit takes makes the next one carry twice as
                // many; the senders just answered are usually back before that.
                let longest = started.elapsed().min(LINGER);
                linger = (company >= BUSY).then_some(Linger { longest, company });
            }
        }
    }

    /// Commits a batch; when it fails for a reason of its own, submission by submission.
    fn process(&mut self, taken: Vec<Pending>) {
        let (submissions, replies): (Vec<_>, Vec<_>) = taken.into_iter().map(|p| (p.submission, p.reply)).unzip();
        let results = match self.attempt(&submissions, false) {
            Ok(receipts) => receipts,
            Err(error) if error.is_transient() => self.refuse(&submissions, &error),
            Err(error) => {
                tracing::warn!(%error, submissions = submissions.len(), "a batch failed; retrying one by one");
                submissions.iter().map(|one| self.alone(one)).collect()
            }
        };
        for (reply, result) in replies.into_iter().zip(results) {
            if let Some(reply) = reply {
                // The sender may have stopped waiting; what was committed stays committed.
                drop(reply.send(result));
            }
        }
        crash::point("journal.answered");
    }

    fn refuse(&mut self, submissions: &[Submission], error: &StoreError) -> Vec<Result<Receipt, Refused>> {
        metrics::counter!("lk_journal_unavailable_total").increment(1);
        tracing::error!(%error, "the journal cannot write; senders are asked to try again");
        self.retimer(submissions);
        submissions.iter().map(|_| Err(Refused::Unavailable)).collect()
    }

    /// Ticks that could not be committed are due again shortly.
    fn retimer(&mut self, submissions: &[Submission]) {
        let again = self.clock.now() + MINUTE;
        for entry in submissions.iter().flat_map(|s| &s.entries) {
            if entry.observation.fact == Fact::Tick {
                self.timers.set(entry.observation.integration, Some(again));
            }
        }
    }

    /// One submission by itself; what cannot be processed even so is stored as quarantined.
    fn alone(&mut self, submission: &Submission) -> Result<Receipt, Refused> {
        let one = std::slice::from_ref(submission);
        for quarantine in [false, true] {
            match self.attempt(one, quarantine) {
                Ok(mut receipts) => return receipts.pop().unwrap_or(Err(Refused::Unavailable)),
                Err(error) if error.is_transient() => break,
                Err(error) => {
                    tracing::error!(%error, quarantine, "a submission cannot be processed");
                    metrics::counter!("lk_journal_quarantined_total").increment(1);
                }
            }
        }
        self.retimer(one);
        Err(Refused::Unavailable)
    }

    fn attempt(
        &mut self,
        submissions: &[Submission],
        quarantine: bool,
    ) -> Result<Vec<Result<Receipt, Refused>>, StoreError> {
        let directory = self.directory.load_full();
        let now = self.clock.now();
        let loaded = self.load(submissions, now)?;
        crash::point("journal.loaded");
        let now = loaded.now.unwrap_or(now);
        let view = View {
            book: &self.book,
            loaded,
            changed: Book::default(),
        };
        let planned = catch_unwind(AssertUnwindSafe(|| {
            Planner::new(view, &directory, now).plan(submissions, quarantine)
        }));
        let Ok(planned) = planned else {
            self.db.abandon();
            return Err(StoreError::Invalid("a rule panicked".to_owned()));
        };
        let mut plan = planned;
        crash::point("journal.stepped");
        plan.batch.node.clone_from(&self.node);
        plan.batch.id = self.batch + 1;
        plan.batch.now = now;
        let committed = self.commit(&plan.batch)?;
        crash::point("journal.committed");
        self.batch += 1;
        Ok(self.after(plan, &committed))
    }

    /// Loads what the batch touches. What people changed while the journal waited for its turn makes
    /// the book stale, so the generation is compared after the load, when nobody else can write.
    fn load(&mut self, submissions: &[Submission], now: Time) -> Result<Loaded, StoreError> {
        if !self.db.sole_writer() {
            self.book.clear();
            return self.db.load(&self.touch(submissions), now);
        }
        for _ in 0..RELOADS {
            let loaded = self.db.load(&self.touch(submissions), now)?;
            let generation = self.db.generation()?;
            if generation == self.generation {
                return Ok(loaded);
            }
            self.generation = generation;
            self.book.clear();
        }
        Err(StoreError::Unavailable(
            "the configuration changes faster than it can be read".to_owned(),
        ))
    }

    /// Commits; an unknown outcome is looked up by the batch's number.
    fn commit(&mut self, batch: &Batch) -> Result<Committed, StoreError> {
        match self.db.commit(batch) {
            Ok(committed) => Ok(committed),
            Err(CommitError::RolledBack(error)) => Err(error),
            Err(CommitError::Unknown(error)) => {
                self.book.clear();
                let last = self.db.last_batch(&self.node);
                tracing::warn!(%error, ?last, batch = batch.id, "the outcome of a commit was unknown");
                match last {
                    Ok(last) if last == batch.id => Ok(Committed::default()),
                    _ => Err(StoreError::Unavailable(error.to_string())),
                }
            }
        }
    }

    fn touch(&self, submissions: &[Submission]) -> Touch {
        let mut touch = Touch::default();
        let mut rids = HashSet::new();
        let mut problems = HashSet::new();
        for entry in submissions.iter().flat_map(|s| &s.entries) {
            let rid = entry.observation.integration;
            if !self.book.states.contains_key(&rid) && rids.insert(rid) {
                touch.integrations.push(rid);
            }
            if let Some(key) = problem_key(&entry.observation)
                && !self.book.problems.contains_key(&key)
                && problems.insert(key)
            {
                touch.problems.push(key);
            }
            touch.keys.extend(entry.key);
        }
        touch
    }

    /// After COMMIT: remember, wake, publish, and say what became of each submission.
    fn after(&mut self, plan: Plan, committed: &Committed) -> Vec<Result<Receipt, Refused>> {
        for row in &plan.batch.states {
            self.timers.set(row.integration, row.wake_at);
        }
        let mut changed = plan.changed;
        for (key, rid) in plan.problem_keys.iter().zip(&committed.problem_rids) {
            if let Some(stored) = changed.problems.get_mut(key) {
                stored.rid = *rid;
            }
        }
        // Row numbers are missing when an unknown outcome turned out well: read them again then.
        if committed.problem_rids.len() == plan.problem_keys.len() && self.db.sole_writer() {
            self.book.keep(changed);
        }
        self.after.committed(&plan.batch);
        if let Some(last) = committed.seqs.last() {
            self.publish.send_replace(*last);
        }
        metrics::counter!("lk_journal_events_total").increment(committed.seqs.len() as u64);
        plan.answers
            .into_iter()
            .map(|answer| {
                if answer.gone {
                    return Err(Refused::Gone);
                }
                let seqs = answer
                    .events
                    .iter()
                    .map(|e| e.and_then(|i| committed.seqs.get(i).copied()));
                Ok(Receipt {
                    seqs: seqs.collect(),
                    duplicates: answer.duplicates,
                    quarantined: answer.quarantined,
                })
            })
            .collect()
    }
}

fn tick(integration: IntegrationRid, now: Time) -> Pending {
    let observation = Observation {
        integration,
        fact: Fact::Tick,
        received_at: now,
    };
    Pending {
        submission: Submission::of(observation),
        reply: None,
        bytes: 0,
    }
}
