//! Frames: what a moment looks like on the wire.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use lk_core::Time;
use lk_core::observation::ProjectRid;
use lk_core::words::Role;
use lk_engine::live::Moment;
use lk_provider::Registry;
use lk_store::EventRow;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use crate::dto::Viewer;
use crate::dto::cards::IntegrationStatus;
use crate::dto::event::EventSummary;
use crate::dto::present::Present;
use crate::error::ApiError;

/// Moments whose frames are kept for streams that have not read them yet.
const MOMENTS_KEPT: usize = 32;
/// Seconds to wait when all streams are taken.
const FULL_RETRY_S: u64 = 30;

/// An event on the stream.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StreamEvent {
    /// The event in short.
    #[serde(flatten)]
    pub(crate) summary: EventSummary,
    /// Why it failed, in plain English.
    #[schema(required)]
    pub(crate) cause: Option<String>,
    /// What to do, in one sentence.
    #[schema(required)]
    pub(crate) suggested_fix: Option<String>,
}

type Rendered = Arc<OnceLock<Bytes>>;

/// The frames of one moment, by project and role.
struct Kept {
    moment: Arc<Moment>,
    rendered: HashMap<(ProjectRid, Role), Rendered>,
}

/// Rendered frames and the places for streams.
pub(crate) struct Frames {
    kept: Mutex<VecDeque<Kept>>,
    places: Arc<Semaphore>,
    places_max: usize,
}

impl Frames {
    pub(crate) fn new(streams_max: usize) -> Self {
        Self {
            kept: Mutex::default(),
            places: Arc::new(Semaphore::new(streams_max)),
            places_max: streams_max,
        }
    }

    /// A place for one stream, or 503 when all are taken.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| ApiError::unavailable("all live streams are taken", FULL_RETRY_S))
    }

    /// How many streams are open.
    pub(crate) fn open(&self) -> usize {
        self.places_max - self.places.available_permits()
    }

    /// What a viewer of `project` sees of `moment`; empty when nothing concerns them.
    pub(crate) fn of(
        &self,
        moment: &Arc<Moment>,
        project: ProjectRid,
        viewer: Viewer,
        registry: &Registry,
        now: Time,
    ) -> Bytes {
        let cell = self.cell(moment, project, viewer.role());
        cell.get_or_init(|| render(moment, project, registry, now)).clone()
    }

    /// Where the frames go; rendering itself happens outside the lock, once.
    fn cell(&self, moment: &Arc<Moment>, project: ProjectRid, role: Role) -> Rendered {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().rposition(|kept| Arc::ptr_eq(&kept.moment, moment));
        let at = at.unwrap_or_else(|| {
            if kept.len() >= MOMENTS_KEPT {
                kept.pop_front();
            }
            kept.push_back(Kept {
                moment: Arc::clone(moment),
                rendered: HashMap::new(),
            });
            kept.len() - 1
        });
        Arc::clone(kept[at].rendered.entry((project, role)).or_default())
    }
}

fn render(moment: &Moment, project: ProjectRid, registry: &Registry, now: Time) -> Bytes {
    let mut out = String::new();
    let of_project = |event: &&Arc<EventRow>| event.project_rid == project;
    for event in moment.events.iter().filter(of_project) {
        push_event(&mut out, event, registry);
    }
    push_cards(&mut out, moment, project, now);
    Bytes::from(out)
}

/// Appends the frames of a moment's cards.
pub(super) fn push_cards(out: &mut String, moment: &Moment, project: ProjectRid, now: Time) {
    for card in moment.cards.iter().filter(|card| card.integration.project == project) {
        push(out, None, "status", &IntegrationStatus::of(card, now));
    }
}

/// Appends the frame of one event.
pub(super) fn push_event(out: &mut String, event: &EventRow, registry: &Registry) {
    let seq = event.seq;
    let told = Present::new(registry).event(event.clone());
    let (cause, suggested_fix) = told.classification.map(|c| (c.cause, c.suggested_fix)).unzip();
    push(
        out,
        Some(seq),
        "event",
        &StreamEvent {
            summary: told.summary,
            cause,
            suggested_fix,
        },
    );
}

fn push<T: Serialize>(out: &mut String, id: Option<i64>, name: &str, data: &T) {
    // JSON text has no line breaks, so one `data:` line holds it.
    let Ok(json) = serde_json::to_string(data) else { return };
    if let Some(id) = id {
        let _ = writeln!(out, "id: {id}");
    }
    let _ = write!(out, "event: {name}\ndata: {json}\n\n");
}
