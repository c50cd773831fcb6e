//! What a batch comes to: every observation stepped, duplicates dropped, nothing written yet.

use std::collections::{BTreeMap, HashMap, HashSet};

use lk_core::Time;
use lk_core::event::EventDraft;
use lk_core::observation::{Fact, IntegrationRid, Observation, ProjectRid};
use lk_core::state::IntegrationState;
use lk_core::step::{Subject, step};
use lk_core::words::EventKind;
use lk_store::journal::{Batch, DeliveryKey, EffectRow, EventRow, HistoryRow, ProblemRow, StateRow, StoredProblem};

use super::book::{Book, ProblemKey, View};
use super::{Entry, Refused, Submission};
use crate::directory::Directory;

/// A batch that has been stepped and not yet written.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) batch: Batch,
    pub(super) changed: Book,
    pub(super) problem_keys: Vec<ProblemKey>,
    pub(super) answers: Vec<Answer>,
}

/// What a submission will be told: for each entry the index of its event.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) events: Vec<Option<usize>>,
    pub(super) duplicates: usize,
    pub(super) quarantined: bool,
    pub(super) gone: bool,
}

/// Steps a batch's observations one after the other.
pub(super) struct Planner<'a> {
    view: View<'a>,
    directory: &'a Directory,
    now: Time,
    plan: Plan,
    keys: HashSet<DeliveryKey>,
    wakes: BTreeMap<IntegrationRid, (ProjectRid, Option<Time>)>,
    slots: HashMap<ProblemKey, usize>,
    last_checks: HashMap<IntegrationRid, String>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(view: View<'a>, directory: &'a Directory, now: Time) -> Self {
        Self {
            view,
            directory,
            now,
            plan: Plan::default(),
            keys: HashSet::new(),
            wakes: BTreeMap::new(),
            slots: HashMap::new(),
            last_checks: HashMap::new(),
        }
    }

    pub(super) fn plan(mut self, submissions: &[Submission], quarantine: bool) -> Plan {
        let mut seen = self.view.loaded.seen.clone().into_iter();
        for submission in submissions {
            let mut answer = Answer::default();
            for entry in &submission.entries {
                let before = entry.key.is_some() && seen.next().unwrap_or(false);
                let repeated = entry.key.is_some_and(|key| before || !self.keys.insert(key));
                if repeated {
                    answer.duplicates += 1;
                    answer.events.push(None);
                    continue;
                }
                self.plan.batch.keys.extend(entry.key);
                let event = if quarantine {
                    self.quarantine(entry)
                } else {
                    self.entry(entry)
                };
                match event {
                    Ok(event) => answer.events.push(event),
                    Err(Refused::Gone) => answer.gone = true,
                    Err(_) => answer.events.push(None),
                }
            }
            self.plan.batch.incidents.extend(submission.incidents.iter().cloned());
            answer.quarantined = quarantine;
            self.plan.answers.push(answer);
        }
        self.finish()
    }

    /// Steps one entry; the index of its event, if it is worth one.
    fn entry(&mut self, entry: &Entry) -> Result<Option<usize>, Refused> {
        let rid = entry.observation.integration;
        let integration = self.directory.integration(rid).ok_or(Refused::Gone)?;
        let state = self
            .view
            .state(rid)
            .cloned()
            .unwrap_or_else(|| IntegrationState::new(integration.created_at));
        let key = problem_key(&entry.observation);
        let known = key.as_ref().and_then(|key| self.view.problem(key)).cloned();
        let problem_rid = known.as_ref().map_or(0, |k| k.rid);
        let subject = Subject {
            state,
            problem: known.map(|k| k.problem),
        };
        let next = step(subject, entry.observation.clone(), &integration.policy, self.now);
        #[cfg(test)]
        assert!(!matches!(&entry.observation.fact, Fact::Webhook(d) if d.event_type == "test.panics"));
        let project = integration.project;
        let mut problem_index = None;
        if let (Some(key), Some(problem)) = (key, next.problem) {
            problem_index = Some(self.problem_slot(key));
            self.view.changed.problems.insert(
                key,
                StoredProblem {
                    rid: problem_rid,
                    problem,
                },
            );
        }
        if next.checked {
            self.note_check(entry, &next.state);
        }
        self.view.changed.states.insert(rid, next.state);
        self.wakes.insert(rid, (project, next.wake_at));
        let effects = next.effects.into_iter();
        self.plan
            .batch
            .effects
            .extend(effects.map(|effect| EffectRow { effect, idem_key: None }));
        Ok(next.event.map(|draft| self.event(entry, project, draft, problem_index)))
    }

    fn event(&mut self, entry: &Entry, project: ProjectRid, draft: EventDraft, problem: Option<usize>) -> usize {
        self.plan.batch.events.push(EventRow {
            project,
            integration: entry.observation.integration,
            received_at: entry.observation.received_at,
            draft,
            problem,
            payload: entry.payload.clone(),
        });
        self.plan.batch.events.len() - 1
    }

    /// Notes a check that counted: its history row, and what is shown of the last one.
    fn note_check(&mut self, entry: &Entry, after: &IntegrationState) {
        let Fact::Check(check) = &entry.observation.fact else {
            return;
        };
        let rid = entry.observation.integration;
        let detail = entry.check.clone().unwrap_or_default();
        let failure = check.failed.as_ref().map(|failed| &failed.failure);
        self.plan.batch.history.push(HistoryRow {
            integration: rid,
            checked_at: self.now,
            status: after.health,
            outcome: check.outcome(),
            took_ms: check.took_ms,
            rung: check.failed.as_ref().map(|failed| failed.rung),
            category: failure.map(|f| f.verdict.category),
            doc: failure.map(|f| f.verdict.doc),
            message: failure.map(|f| f.message.clone()),
            next_at: after.checks.next_at,
            quotas: detail.quotas,
        });
        self.last_checks.insert(rid, detail.text);
    }

    /// The place of a problem among the batch's rows, made at its first mention.
    fn problem_slot(&mut self, key: ProblemKey) -> usize {
        *self.slots.entry(key).or_insert_with(|| {
            self.plan.problem_keys.push(key);
            self.plan.problem_keys.len() - 1
        })
    }

    /// Stores that something arrived which could not be processed; no state changes.
    fn quarantine(&mut self, entry: &Entry) -> Result<Option<usize>, Refused> {
        let rid = entry.observation.integration;
        let project = self.directory.integration(rid).ok_or(Refused::Gone)?.project;
        let draft = EventDraft {
            kind: EventKind::Webhook,
            outcome: None,
            event_type: "unprocessable".to_owned(),
            message: "Arrived and was kept, but could not be processed.".to_owned(),
            code: None,
            operation: None,
            http_status: None,
            judged: None,
            occurred_at: entry.observation.received_at,
            health: None,
            quarantined: true,
        };
        Ok(Some(self.event(entry, project, draft, None)))
    }

    fn finish(mut self) -> Plan {
        for (integration, (project, wake_at)) in self.wakes {
            let Some(state) = self.view.changed.states.get(&integration).cloned() else {
                continue;
            };
            self.plan.batch.states.push(StateRow {
                integration,
                project,
                state,
                wake_at,
                last_check: self.last_checks.remove(&integration),
            });
        }
        for key in &self.plan.problem_keys {
            let Some(stored) = self.view.changed.problems.get(key) else {
                continue;
            };
            let Some(integration) = self.directory.integration(key.0) else {
                continue;
            };
            self.plan.batch.problems.push(ProblemRow {
                rid: (stored.rid != 0).then_some(stored.rid),
                project: integration.project,
                integration: key.0,
                problem: stored.problem.clone(),
            });
        }
        self.plan.changed = self.view.changed;
        self.plan
    }
}

/// The problem an observation belongs to.
pub(super) fn problem_key(observation: &Observation) -> Option<ProblemKey> {
    let failure = match &observation.fact {
        Fact::Webhook(delivery) => delivery.failure.as_ref(),
        Fact::Check(check) => check.failed.as_ref().map(|failed| &failed.failure),
        _ => None,
    };
    failure.map(|f| (observation.integration, f.fingerprint))
}
