//! The board: a card for every integration, and the newest events.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use lk_core::observation::{IntegrationRid, ProjectRid};
use lk_store::{EventRow, Store, StoreError};

use super::{CARD_EVENTS, Card};
use crate::directory::{Directory, Integration};

/// Events kept in memory for streams that resume.
const RING_EVENTS: usize = 2_000;

#[derive(Default)]
pub(super) struct Board {
    pub(super) cards: HashMap<IntegrationRid, Arc<Card>>,
    pub(super) projects: BTreeMap<ProjectRid, Vec<IntegrationRid>>,
    pub(super) ring: VecDeque<Arc<EventRow>>,
    /// Providers with an open incident.
    pub(super) incidents: HashSet<String>,
    /// The highest sequence number that was read.
    pub(super) seq: i64,
    pub(super) generation: i64,
}

impl Board {
    /// Adds new events to the ring and to the cards that are about to be placed.
    pub(super) fn note(&mut self, events: &[Arc<EventRow>], cards: &mut [Card]) {
        let mut by_rid: HashMap<IntegrationRid, Vec<Arc<EventRow>>> = HashMap::new();
        for event in events {
            self.seq = self.seq.max(event.seq);
            self.ring.push_back(Arc::clone(event));
            by_rid.entry(event.integration_rid).or_default().push(Arc::clone(event));
        }
        while self.ring.len() > RING_EVENTS {
            self.ring.pop_front();
        }
        for card in cards {
            card.incident = self.incidents.contains(&card.integration.provider);
            let newest = by_rid.remove(&card.integration.rid).unwrap_or_default();
            let before = self
                .cards
                .get(&card.integration.rid)
                .and_then(|c| c.last_events.as_ref());
            card.last_events = before.map(|older| {
                newest
                    .into_iter()
                    .rev()
                    .chain(older.iter().cloned())
                    .take(CARD_EVENTS)
                    .collect()
            });
        }
    }

    pub(super) fn place(&mut self, cards: Vec<Card>) {
        for mut card in cards {
            card.incident = self.incidents.contains(&card.integration.provider);
            let (project, rid) = (card.integration.project, card.integration.rid);
            let rids = self.projects.entry(project).or_default();
            if let Err(at) = rids.binary_search(&rid) {
                rids.insert(at, rid);
            }
            self.cards.insert(rid, Arc::new(card));
        }
    }
}

/// Reads the cards of some integrations, or of all.
pub(super) async fn read_cards(
    store: &Store,
    directory: &Directory,
    only: Option<&[IntegrationRid]>,
) -> Result<Vec<Card>, StoreError> {
    let mut states: HashMap<_, _> = store.states(only).await?.into_iter().collect();
    let mut texts: HashMap<_, _> = store.last_checks(only).await?.into_iter().collect();
    let problems: HashMap<_, _> = store.open_problem_counts(only).await?.into_iter().collect();
    let wanted: Vec<&Arc<Integration>> = match only {
        Some(rids) => rids.iter().filter_map(|rid| directory.integration(*rid)).collect(),
        None => directory.integrations().collect(),
    };
    Ok(wanted
        .into_iter()
        .map(|integration| {
            let rid = integration.rid;
            let mut card = Card::new(integration);
            if let Some(state) = states.remove(&rid) {
                card.state = state;
                card.state.enabled = integration.enabled;
            }
            card.last_check = texts.remove(&rid).map(Into::into);
            card.open_problems = problems.get(&rid).copied().unwrap_or(0);
            card
        })
        .collect())
}
