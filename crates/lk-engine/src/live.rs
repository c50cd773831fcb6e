//! What is shown: one tail per process reads what was committed, keeps the board of integrations
//! and tells the live streams.

mod board;

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use lk_core::Time;
use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_core::state::IntegrationState;
use lk_core::time::SECOND;
use lk_store::{EventRow, Store, StoreError};
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::Instant;

use crate::Clock;
use crate::directory::{Directory, Integration, SharedDirectory};
use crate::journal::after::After;
use crate::tasks::stopped;

use board::{Board, read_cards};

/// How often the tail looks even when nobody told it of a commit (another node may have written).
const POLL_EVERY: Duration = Duration::from_millis(250);
/// Shortest time between two looks that nobody asked for.
const LOOK_GAP: Duration = Duration::from_millis(20);
/// Events read at once.
const TAIL_BATCH: u32 = 1_000;
/// Moments a slow stream may fall behind before it is told to start over.
const STREAM_LAG: usize = 256;
/// Longest wait of a reader for the board to catch up.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(1);
/// How often checks of other nodes that were worth no event are looked for.
const OTHERS_EVERY: Duration = Duration::from_secs(10);
/// A commit may come this much later than the time it carries, milliseconds.
const COMMIT_LAG_MS: i64 = 10 * SECOND;
/// Events shown on a card.
pub const CARD_EVENTS: usize = 3;

/// One integration as it is shown.
#[derive(Debug, Clone)]
pub struct Card {
    /// How it is set up.
    pub integration: Arc<Integration>,
    /// Its state as committed.
    pub state: IntegrationState,
    /// The ladder of its last check, JSON text; `None` before the first.
    pub last_check: Option<Arc<str>>,
    /// Its provider has an incident open: trouble with everybody.
    pub incident: bool,
    /// Problems that are open or acknowledged.
    pub open_problems: i64,
    /// The newest events, newest first; `None` until somebody asks for the card.
    pub last_events: Option<Vec<Arc<EventRow>>>,
}

impl Card {
    /// The card of an integration of which nothing is known yet.
    pub(crate) fn new(integration: &Arc<Integration>) -> Self {
        let mut state = IntegrationState::new(integration.created_at);
        state.enabled = integration.enabled;
        Self {
            integration: Arc::clone(integration),
            state,
            last_check: None,
            incident: false,
            open_problems: 0,
            last_events: None,
        }
    }
}

/// What one look of the tail found.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// New events, oldest first.
    pub events: Vec<Arc<EventRow>>,
    /// Cards that changed.
    pub cards: Vec<Arc<Card>>,
}

/// What a resuming stream gets.
#[derive(Debug)]
pub enum Resumed {
    /// Everything after its last event.
    From(Vec<Arc<EventRow>>),
    /// Too much was missed: read everything again.
    Reset,
}

/// How far the states that other nodes wrote are known.
struct Others {
    /// States written before are, by the database's time.
    since: Time,
    looked: Instant,
}

/// The board and the streams.
#[derive(Clone)]
pub struct Live {
    store: Store,
    board: Arc<RwLock<Board>>,
    moments: broadcast::Sender<Arc<Moment>>,
    /// The highest sequence number that is shown; `None` before the first reading.
    shown: watch::Sender<Option<i64>>,
    /// How many of this process's batches are shown. A check that is worth no event has no sequence
    /// number.
    noted: watch::Sender<u64>,
    /// The generation of the configuration that is shown.
    configured: watch::Sender<i64>,
    directory: SharedDirectory,
    committed: watch::Receiver<i64>,
    /// A reader waits for the board.
    wanted: Arc<Notify>,
    /// What this process committed, checks without an event among it.
    after: After,
    clock: Clock,
    /// Since when the database cannot be read.
    failing: Arc<RwLock<Option<Time>>>,
}

impl Live {
    /// An empty board over a store; [`Live::tail`] fills it. `committed` follows the highest
    /// sequence number this process committed.
    pub(crate) fn new(
        store: Store,
        directory: SharedDirectory,
        committed: watch::Receiver<i64>,
        after: After,
        clock: Clock,
    ) -> Self {
        Self {
            store,
            board: Arc::default(),
            moments: broadcast::Sender::new(STREAM_LAG),
            shown: watch::Sender::new(None),
            noted: watch::Sender::new(0),
            configured: watch::Sender::new(0),
            directory,
            committed,
            wanted: Arc::default(),
            after,
            clock,
            failing: Arc::default(),
        }
    }

    /// Follows everything from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Moment>> {
        self.moments.subscribe()
    }

    /// The cards of a project with their newest events, by integration row number. Shows at least
    /// what this process had committed when it was called.
    pub async fn cards(&self, project: ProjectRid) -> Result<Vec<Arc<Card>>, StoreError> {
        self.caught_up().await;
        let rids = self.read().projects.get(&project).cloned().unwrap_or_default();
        let mut cards = Vec::with_capacity(rids.len());
        for rid in rids {
            cards.extend(self.card(rid).await?);
        }
        Ok(cards)
    }

    /// One card with its newest events. Shows at least what this process had committed when it was
    /// called.
    pub async fn card(&self, rid: IntegrationRid) -> Result<Option<Arc<Card>>, StoreError> {
        self.caught_up().await;
        let card = self.read().cards.get(&rid).cloned();
        match card {
            Some(card) if card.last_events.is_none() => self.fill(rid).await,
            other => Ok(other),
        }
    }

    /// Reads a card's newest events when it is first asked for, so that a start with many
    /// integrations does not read them all.
    async fn fill(&self, rid: IntegrationRid) -> Result<Option<Arc<Card>>, StoreError> {
        let found = self.store.latest_events(rid, CARD_EVENTS as u32).await?;
        let mut board = self.write();
        let seq = board.seq;
        let Some(card) = board.cards.get_mut(&rid) else {
            return Ok(None);
        };
        // Events the tail has not shown yet will be added by it.
        let shown = found.into_iter().filter(|e| e.seq <= seq).map(Arc::new);
        let card = Arc::make_mut(card);
        card.last_events.get_or_insert_with(|| shown.collect());
        Ok(Some(Arc::new(card.clone())))
    }

    /// Lays the open incidents of providers over the cards of their integrations.
    pub(crate) fn lay_incidents(&self, open: HashSet<String>) {
        let mut changed = Vec::new();
        {
            let mut board = self.write();
            if board.incidents == open {
                return;
            }
            for card in board.cards.values_mut() {
                let incident = open.contains(&card.integration.provider);
                if card.incident != incident {
                    Arc::make_mut(card).incident = incident;
                    changed.push(Arc::clone(card));
                }
            }
            board.incidents = open;
        }
        self.tell_cards(changed);
    }

    fn tell_cards(&self, cards: Vec<Arc<Card>>) {
        if self.moments.receiver_count() > 0 && !cards.is_empty() {
            let moment = Moment {
                events: Vec::new(),
                cards,
            };
            // Nobody listening is no error.
            let _ = self.moments.send(Arc::new(moment));
        }
    }

    /// Every card, in no order. Shows at least what this process had committed and read of the
    /// configuration when it was called.
    pub async fn everybody(&self) -> Vec<Arc<Card>> {
        self.caught_up().await;
        self.all()
    }

    /// Every card as of the last look, in no order.
    pub fn all(&self) -> Vec<Arc<Card>> {
        self.read().cards.values().cloned().collect()
    }

    /// Every card whose integration was checked, in no order.
    pub(crate) fn looked(&self) -> Vec<Arc<Card>> {
        let board = self.read();
        let checked = board.cards.values().filter(|card| card.state.checks.last_at.is_some());
        checked.cloned().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Board> {
        self.board.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Board> {
        self.board.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// As of when the board is true, and whether it is stale: the database could not be read lately.
    pub fn as_of(&self, now: Time) -> (Time, bool) {
        let failing = *self.failing.read().unwrap_or_else(PoisonError::into_inner);
        failing.map_or((now, false), |since| (since, true))
    }

    /// The highest sequence number that is shown.
    pub fn seq(&self) -> i64 {
        self.read().seq
    }

    /// The events after `seq` that memory still holds, of one project.
    pub fn resume(&self, project: ProjectRid, seq: i64) -> Resumed {
        let board = self.read();
        let oldest = board.ring.front().map_or(board.seq + 1, |e| e.seq);
        if seq > board.seq || seq + 1 < oldest {
            return Resumed::Reset;
        }
        let newer = board.ring.iter().filter(|e| e.seq > seq && e.project_rid == project);
        Resumed::From(newer.cloned().collect())
    }

    /// Waits until the board shows what was committed before the call: whoever was answered by a
    /// write must find it when they look. Gives up when the tail cannot read; then it is stale.
    async fn caught_up(&self) {
        let (seq, batches) = (*self.committed.borrow(), self.after.batches());
        let generation = self.directory.load().generation;
        let (mut shown, mut noted) = (self.shown.subscribe(), self.noted.subscribe());
        let mut configured = self.configured.subscribe();
        let reaches = |shown: &Option<i64>| shown.is_some_and(|shown| shown >= seq);
        if reaches(&shown.borrow()) && *noted.borrow() >= batches && *configured.borrow() >= generation {
            return;
        }
        self.wanted.notify_one();
        let current = async {
            // Errors mean that the senders are gone: then nothing more will come.
            drop(shown.wait_for(reaches).await);
            drop(noted.wait_for(|noted| *noted >= batches).await);
            drop(configured.wait_for(|shown| *shown >= generation).await);
        };
        if tokio::time::timeout(CATCH_UP_WITHIN, current).await.is_err() {
            metrics::counter!("lk_stale_reads_total").increment(1);
        }
    }

    /// Reads what is committed until told to stop.
    pub async fn tail(self, mut stop: watch::Receiver<bool>) {
        let mut committed = self.committed.clone();
        let mut started = false;
        let mut others = Others {
            since: Time(0),
            looked: Instant::now(),
        };
        loop {
            self.note_states();
            let directory = self.directory.load_full();
            let step = if started {
                self.look_around(&directory, &mut others).await
            } else {
                self.start(&directory).await
            };
            let (more, works) = match step {
                Ok(more) => {
                    self.note_reading(true);
                    self.configured.send_replace(directory.generation);
                    started = true;
                    (more, true)
                }
                Err(error) => {
                    tracing::warn!(%error, "the live tail cannot read; what is shown is stale");
                    metrics::counter!("lk_tail_failures_total").increment(1);
                    self.note_reading(false);
                    (false, false)
                }
            };
            if more {
                continue;
            }
            tokio::select! {
                // The writer is gone when the engine drains: then only the clock and the stop count.
                Ok(()) = committed.changed() => {}
                // A reader waits for it, so there is something to see.
                () = self.wanted.notified(), if works => continue,
                () = tokio::time::sleep(POLL_EVERY) => {}
                () = stopped(&mut stop) => return,
            }
            // Commits come by the hundred a second; looks need not.
            tokio::select! {
                () = self.wanted.notified() => {}
                () = tokio::time::sleep(LOOK_GAP) => {}
            }
        }
    }

    fn note_reading(&self, works: bool) {
        let mut failing = self.failing.write().unwrap_or_else(PoisonError::into_inner);
        if works {
            *failing = None;
        } else {
            failing.get_or_insert(self.clock.now());
        }
    }

    /// The first reading: every state, and from where to follow.
    async fn start(&self, directory: &Directory) -> Result<bool, StoreError> {
        let seq = self.store.last_seq().await?;
        let cards = read_cards(&self.store, directory, None).await?;
        {
            let mut board = self.write();
            *board = Board {
                seq,
                generation: directory.generation,
                incidents: std::mem::take(&mut board.incidents),
                ..Board::default()
            };
            board.place(cards);
        }
        self.shown.send_replace(Some(seq));
        Ok(false)
    }

    /// Looks at what this process was told of, and now and then at what it was not.
    async fn look_around(&self, directory: &Directory, others: &mut Others) -> Result<bool, StoreError> {
        let more = self.look(directory).await?;
        if others.looked.elapsed() >= OTHERS_EVERY {
            others.looked = Instant::now();
            self.note_others(directory, others).await?;
        }
        Ok(more)
    }

    /// Takes over states that other nodes committed without an event.
    async fn note_others(&self, directory: &Directory, others: &mut Others) -> Result<(), StoreError> {
        let written = self.store.states_written_since(others.since).await?;
        let Some(newest) = written.iter().map(|row| row.at).max() else {
            return Ok(());
        };
        others.since = others.since.max(newest - COMMIT_LAG_MS);
        let unknown: Vec<IntegrationRid> = {
            let board = self.read();
            let known = |rid| board.cards.get(rid).and_then(|card| card.state.checks.last_at);
            let newer = written.iter().filter(|row| row.last_check_at > known(&row.integration));
            newer.map(|row| row.integration).collect()
        };
        if unknown.is_empty() {
            return Ok(());
        }
        let mut cards = read_cards(&self.store, directory, Some(&unknown)).await?;
        {
            let mut board = self.write();
            board.note(&[], &mut cards);
            board.place(cards.clone());
        }
        self.tell_cards(cards.into_iter().map(Arc::new).collect());
        Ok(())
    }

    /// Looks once; says whether there is more to read at once.
    async fn look(&self, directory: &Directory) -> Result<bool, StoreError> {
        let (seq, generation) = {
            let board = self.read();
            (board.seq, board.generation)
        };
        if self.moments.receiver_count() == 0 && generation == directory.generation {
            return self.skim(directory, seq).await;
        }
        let events = self.store.events_after(seq, TAIL_BATCH).await?;
        let events: Vec<Arc<EventRow>> = events.into_iter().map(Arc::new).collect();
        let configured = generation != directory.generation;
        if events.is_empty() && !configured {
            return Ok(false);
        }
        let mut rids: Vec<IntegrationRid> = events.iter().map(|e| e.integration_rid).collect();
        rids.sort_unstable();
        rids.dedup();
        let only = (!configured).then_some(rids.as_slice());
        let mut cards = read_cards(&self.store, directory, only).await?;
        let more = events.len() == TAIL_BATCH as usize;
        let moment = {
            let mut board = self.write();
            board.note(&events, &mut cards);
            if configured {
                board.cards.clear();
                board.projects.clear();
                board.generation = directory.generation;
            }
            board.place(cards.clone());
            Moment {
                events,
                cards: cards.into_iter().map(Arc::new).collect(),
            }
        };
        self.shown.send_replace(Some(self.seq()));
        // Nobody listening is no error.
        let _ = self.moments.send(Arc::new(moment));
        Ok(more)
    }

    /// Takes over states that this process committed, so that checks which are worth no event are
    /// shown too. Cards that the journal's events will bring anyway are not told of twice.
    fn note_states(&self) {
        let (noted, batches) = self.after.take_states();
        let mut cards = Vec::new();
        {
            let mut board = self.write();
            for (rid, noted) in noted {
                let Some(card) = board.cards.get_mut(&rid) else {
                    continue;
                };
                let card = Arc::make_mut(card);
                card.state = noted.state;
                card.last_check = noted.last_check.or_else(|| card.last_check.take());
                cards.push(Arc::new(card.clone()));
            }
        }
        self.tell_cards(cards);
        self.noted
            .send_if_modified(|shown| std::mem::replace(shown, batches) != batches);
    }

    /// A look that nobody watches: which integrations changed, not what the events say. Streams that
    /// come later read what they missed from the journal.
    async fn skim(&self, directory: &Directory, seq: i64) -> Result<bool, StoreError> {
        let touched = self.store.touched_after(seq).await?;
        let Some(newest) = touched.iter().map(|(_, seq)| *seq).max() else {
            return Ok(false);
        };
        let rids: Vec<IntegrationRid> = touched.into_iter().map(|(rid, _)| rid).collect();
        let cards = read_cards(&self.store, directory, Some(&rids)).await?;
        {
            let mut board = self.write();
            board.seq = newest;
            board.ring.clear();
            board.place(cards);
        }
        self.shown.send_replace(Some(newest));
        Ok(false)
    }
}
