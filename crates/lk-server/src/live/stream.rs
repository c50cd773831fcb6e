//! One client's stream.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use lk_core::observation::ProjectRid;
use lk_core::time::DAY;
use lk_engine::live::{Moment, Resumed};
use lk_store::EventRow;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::frames::{push_cards, push_event};
use crate::app::App;
use crate::auth::{Access, Caller};
use crate::dto::Viewer;
use crate::error::ApiError;

/// Between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Between two looks at whether the caller may still look.
const RECHECK: Duration = Duration::from_secs(4);
/// What a client waits before it connects again, milliseconds.
const RETRY_MS: u32 = 2_000;
/// Events replayed from the database for a client that was away; after more it starts over.
const REPLAY_EVENTS: usize = 2_000;
/// Events read at once for that.
const REPLAY_BATCH: u32 = 1_000;
/// Events of all projects looked at for that.
const REPLAY_SCAN: usize = 20_000;
/// How long ago a replayed event may have been received.
const REPLAY_AGE_MS: i64 = DAY;

const HEARTBEAT_FRAME: Bytes = Bytes::from_static(b":hb\n\n");

/// What a stream begins with.
pub(crate) struct Opening {
    /// Who looks.
    pub(crate) caller: Caller,
    /// At what.
    pub(crate) access: Access,
    /// The last event the client has.
    pub(crate) last_seen: Option<i64>,
}

struct State {
    app: App,
    caller: Caller,
    project: ProjectRid,
    project_id: String,
    viewer: Viewer,
    first: Option<Bytes>,
    /// Everything up to here was sent.
    sent: i64,
    moments: broadcast::Receiver<Arc<Moment>>,
    heartbeat: Interval,
    recheck: Interval,
    closing: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

/// Opens a stream: what was missed, then what happens.
pub(crate) async fn open(
    app: App,
    opening: Opening,
) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + use<>, ApiError> {
    let place = app.frames().place()?;
    metrics::gauge!("live_streams_open").set(app.frames().open() as f64);
    let Opening {
        caller,
        access,
        last_seen,
    } = opening;
    let (viewer, project) = (access.viewer(), access.project);
    // Subscribed before reading, so that nothing falls between; what comes twice is left out.
    let moments = app.engine().live().subscribe();
    let (first, sent) = beginning(&app, project.rid, last_seen).await?;
    let closing = app.closing();
    let state = State {
        app,
        caller,
        project: project.rid,
        project_id: project.id,
        viewer,
        first: Some(first),
        sent,
        moments,
        heartbeat: ticking(HEARTBEAT),
        recheck: ticking(RECHECK),
        closing,
        _place: place,
    };
    Ok(futures_util::stream::unfold(state, |mut state| async move {
        let frames = state.next().await?;
        Some((Ok(frames), state))
    }))
}

fn ticking(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once and says nothing.
    interval.reset();
    interval
}

/// The first frames and the last event they contain.
async fn beginning(app: &App, project: ProjectRid, last_seen: Option<i64>) -> Result<(Bytes, i64), ApiError> {
    let mut out = format!("retry: {RETRY_MS}\n");
    let live = app.engine().live();
    let seq = live.seq();
    let missed = match last_seen {
        None => Some(Vec::new()),
        Some(last) if last > seq => None,
        Some(last) => match live.resume(project, last) {
            Resumed::From(events) => Some(events),
            Resumed::Reset => replay(app, project, last, seq).await?,
        },
    };
    // An id of its own, so that a client without any event yet resumes from here.
    let start = missed.as_ref().map_or(seq, |_| last_seen.unwrap_or(seq));
    let _ = write!(out, "id: {start}\n\n");
    let Some(missed) = missed else {
        push_reset(&mut out, seq);
        return Ok((Bytes::from(out), seq));
    };
    let mut sent = start.max(seq);
    for event in &missed {
        push_event(&mut out, event, app.registry());
        sent = sent.max(event.seq);
    }
    Ok((Bytes::from(out), sent))
}

/// What the journal has after `last`; `None` when it is too much or too old.
async fn replay(app: &App, project: ProjectRid, last: i64, upto: i64) -> Result<Option<Vec<Arc<EventRow>>>, ApiError> {
    let oldest = app.now() - REPLAY_AGE_MS;
    let (mut found, mut after, mut scanned) = (Vec::new(), last, 0);
    while after < upto {
        let batch = app.store().events_after(after, REPLAY_BATCH).await?;
        scanned += batch.len();
        let Some(end) = batch.last().map(|event| event.seq) else {
            break;
        };
        if scanned > REPLAY_SCAN || batch.iter().any(|event| event.received_at < oldest) {
            return Ok(None);
        }
        after = end;
        found.extend(batch.into_iter().filter(|e| e.project_rid == project).map(Arc::new));
        if found.len() > REPLAY_EVENTS {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

fn push_reset(out: &mut String, seq: i64) {
    let _ = write!(out, "id: {seq}\nevent: reset\ndata: {{}}\n\n");
}

/// Why a waiting stream goes on.
enum Woken {
    /// We or the engine end.
    End,
    /// It is time to ask whether the caller may still look.
    Recheck,
    /// It is time for a sign of life.
    Heartbeat,
    /// Something was committed.
    Moment(Arc<Moment>),
    /// More was committed than is kept for a slow client.
    Behind,
}

impl State {
    /// The next frames; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            match self.wait().await {
                Woken::Recheck if self.may_still_look().await => {}
                Woken::Recheck | Woken::End => return None,
                Woken::Heartbeat => return Some(HEARTBEAT_FRAME),
                Woken::Behind => return Some(self.start_over()),
                Woken::Moment(moment) => {
                    let frames = self.frames_of(&moment);
                    if !frames.is_empty() {
                        return Some(frames);
                    }
                }
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        tokio::select! {
            _ = self.closing.wait_for(|closing| *closing) => Woken::End,
            _ = self.recheck.tick() => Woken::Recheck,
            _ = self.heartbeat.tick() => Woken::Heartbeat,
            moment = self.moments.recv() => match moment {
                Ok(moment) => Woken::Moment(moment),
                Err(RecvError::Lagged(_)) => Woken::Behind,
                Err(RecvError::Closed) => Woken::End,
            },
        }
    }

    fn frames_of(&mut self, moment: &Arc<Moment>) -> Bytes {
        let newest = moment.events.last().map_or(0, |event| event.seq);
        let overlaps = moment.events.iter().any(|event| event.seq <= self.sent);
        if overlaps && !moment.events.is_empty() {
            // Only around the opening: a part of this moment was in what the client was given.
            let mut out = String::new();
            let fresh = moment.events.iter().filter(|event| event.seq > self.sent);
            for event in fresh.filter(|event| event.project_rid == self.project) {
                push_event(&mut out, event, self.app.registry());
            }
            push_cards(&mut out, moment, self.project, self.app.now());
            self.sent = self.sent.max(newest);
            return Bytes::from(out);
        }
        self.sent = self.sent.max(newest);
        let (app, now) = (&self.app, self.app.now());
        app.frames().of(moment, self.project, self.viewer, app.registry(), now)
    }

    /// The client fell behind what is kept for it: it reads everything again.
    fn start_over(&mut self) -> Bytes {
        metrics::counter!("live_streams_reset_total").increment(1);
        self.moments = self.app.engine().live().subscribe();
        self.sent = self.app.engine().live().seq();
        let mut out = String::new();
        push_reset(&mut out, self.sent);
        Bytes::from(out)
    }

    async fn may_still_look(&self) -> bool {
        let valid = match self.caller.again(&self.app).await {
            Ok(Some(caller)) => Access::by_id(&self.app, &caller, &self.project_id).await,
            Ok(None) => return false,
            Err(error) => Err(error),
        };
        match valid {
            Ok(access) => access.viewer() == self.viewer,
            // The database is away: what was allowed stays so until it says otherwise.
            Err(error) => error.code().status().is_server_error(),
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // This place is given back after this line.
        let open = self.app.frames().open().saturating_sub(1);
        metrics::gauge!("live_streams_open").set(open as f64);
    }
}
