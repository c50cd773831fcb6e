//! Runs stored failures through the rules again, after the rules or the documents changed. Problems
//! keep their identity: only what the rules say of them changes, and a person's pin outranks it.

use lk_core::Time;
use lk_core::access::Permit;
use lk_core::classify::Failure;
use lk_core::observation::IntegrationRid;
use lk_core::words::ProblemState;
use lk_provider::Registry;
use lk_provider::errors::Call;
use lk_store::{ProblemFilter, ProblemRow, Project, Reclassified, Store, StoreError};

use crate::rules::Rules;

/// Problems read at once.
const PAGE: u32 = 200;

/// What to run again.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Whose problems.
    pub project: Project,
    /// Only this integration's.
    pub integration: Option<IntegrationRid>,
    /// Change nothing.
    pub dry_run: bool,
}

/// A problem that the rules now see differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The problem's public id.
    pub problem_id: String,
    /// Category and document before.
    pub before: (String, String),
    /// Category and document now.
    pub after: (String, String),
    /// The redacted message.
    pub message: String,
}

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Problems looked at.
    pub looked_at: usize,
    /// Those that changed, or would.
    pub changes: Vec<Change>,
}

/// Classifies every stored problem again and writes what changed, with one audit row.
pub async fn replay(
    store: &Store,
    registry: &Registry,
    rules: &Rules,
    permit: &Permit,
    scope: &Scope,
    now: Time,
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut written = Vec::new();
    let mut filter = ProblemFilter {
        states: ProblemState::ALL.to_vec(),
        integrations: scope.integration.map(|rid| vec![rid]),
        ..ProblemFilter::all(scope.project.rid, PAGE)
    };
    loop {
        let page = store.problems(&filter).await?;
        for problem in &page.items {
            report.looked_at += 1;
            if let Some((change, row)) = again(registry, rules, problem) {
                report.changes.push(change);
                written.push(row);
            }
        }
        match page.next {
            Some(next) => filter.before = Some(next),
            None => break,
        }
    }
    if !scope.dry_run && !written.is_empty() {
        store.reclassify(permit, &scope.project.id, &written, now).await?;
    }
    Ok(report)
}

fn again(registry: &Registry, rules: &Rules, problem: &ProblemRow) -> Option<(Change, Reclassified)> {
    let name = registry
        .get(&problem.provider)
        .map_or(problem.provider.as_str(), |p| p.manifest().name.as_str());
    let call = Call {
        provider: &problem.provider,
        provider_name: name,
        operation: &problem.operation,
        http_status: problem.http_status,
    };
    let explainer = rules.of(&problem.provider);
    // The message is redacted already; reading it again finds the status and transport it names.
    let read = explainer.extract(&call, &problem.message, |text| text);
    let failure = Failure {
        codes: problem.code.iter().cloned().chain(read.codes).collect(),
        message: problem.message.clone(),
        ..read
    };
    let verdict = explainer.rules().classify(&failure);
    let before = (problem.category.to_string(), problem.doc.clone());
    let after = (verdict.category.to_string(), verdict.doc.as_str().to_owned());
    if before == after {
        return None;
    }
    let change = Change {
        problem_id: problem.id.clone(),
        before,
        after,
        message: problem.message.clone(),
    };
    Some((
        change,
        Reclassified {
            rid: problem.rid,
            verdict,
        },
    ))
}
