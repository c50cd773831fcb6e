//! What people say of an explanation: helpful or not, and the category as it should be.

use lk_core::Time;
use lk_core::access::{Actor, Permit, Verb};
use lk_core::observation::ProjectRid;
use lk_core::words::Category;
use sea_orm::ConnectionTrait;

use crate::audit::Audit;
use crate::db::{self, Row, values};
use crate::ids::new_id;
use crate::{Result, Store, StoreError};

const COLUMNS: &str = "helpful, category, comment, at";

/// What one person said of one event's explanation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feedback {
    /// Helpful or not; `None` when not said.
    pub helpful: Option<bool>,
    /// The category as it should be, when corrected.
    pub category: Option<Category>,
    /// Free text.
    pub comment: Option<String>,
    /// When it was last said.
    pub at: Option<Time>,
}

/// Something said. What is `None` leaves what was said before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewFeedback {
    /// The event.
    pub seq: i64,
    /// Helpful or not.
    pub helpful: Option<bool>,
    /// The category as it should be; pins the problem to it.
    pub category: Option<Category>,
    /// Free text, redacted by the caller.
    pub comment: Option<String>,
}

fn read(row: &Row) -> Result<Feedback> {
    Ok(Feedback {
        helpful: row.get("helpful")?,
        category: row.opt_word("category", Category::from_code)?,
        comment: row.opt_text("comment")?,
        at: row.opt_time("at")?,
    })
}

/// Who speaks, as the feedback table names them.
fn speaker(actor: &Actor) -> &str {
    match actor {
        Actor::User { id, .. } | Actor::ApiKey { id, .. } => id,
        Actor::CommandLine => "command_line",
        Actor::System => "system",
    }
}

async fn said<C: ConnectionTrait>(on: &C, seq: i64, who: &str) -> Result<Option<Feedback>> {
    let sql = format!("SELECT {COLUMNS} FROM event_feedback WHERE seq = $1 AND user_id = $2");
    db::one(on, sql, values![seq, who])
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

impl Store {
    /// What this caller said of an event; all empty when nothing.
    pub async fn feedback(&self, seq: i64, actor: &Actor) -> Result<Feedback> {
        Ok(said(self.reader(), seq, speaker(actor)).await?.unwrap_or_default())
    }

    /// Records feedback of one person on one event of a project, counts it on the event's problem
    /// and pins the problem to a corrected category. Says it again: the last word counts.
    pub async fn give_feedback(
        &self,
        permit: &Permit,
        project: ProjectRid,
        new: &NewFeedback,
        now: Time,
    ) -> Result<Feedback> {
        let write = self.write(permit, &[Verb::GiveFeedback], now).await?;
        let event = db::one(
            write.on(),
            "SELECT e.problem_rid, p.id AS project_id FROM integration_events e
             JOIN projects p ON p.rid = e.project_rid WHERE e.seq = $1 AND e.project_rid = $2",
            values![new.seq, project.0],
        )
        .await?
        .ok_or(StoreError::missing("event"))?;
        let (problem, project_id) = (event.opt_int("problem_rid")?, event.text("project_id")?);
        let who = speaker(permit.actor());
        let before = said(write.on(), new.seq, who).await?.unwrap_or_default();
        let now_said = Feedback {
            helpful: new.helpful.or(before.helpful),
            category: new.category.or(before.category),
            comment: new.comment.clone().or(before.comment),
            at: Some(now),
        };
        db::run(
            write.on(),
            "INSERT INTO event_feedback
               (id, seq, problem_rid, project_rid, user_id, helpful, category, comment, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (seq, user_id) DO UPDATE SET helpful = excluded.helpful,
               category = excluded.category, comment = excluded.comment, at = excluded.at",
            values![
                new_id(now)?.to_string(),
                new.seq,
                problem,
                project.0,
                who,
                now_said.helpful,
                now_said.category.map(|c| i16::from(c.code())),
                now_said.comment.as_deref(),
                now.ms(),
            ],
        )
        .await?;
        if let Some(problem) = problem {
            count_on_problem(write.on(), problem, before.helpful, &now_said, new.category).await?;
        }
        write
            .commit(Audit {
                project_id: Some(&project_id),
                action: "feedback.given",
                target: format!("event {}", new.seq),
                summary: describe(new),
            })
            .await?;
        Ok(now_said)
    }

    /// How many found explanations of a project helpful, and how many did not.
    pub async fn helpfulness(&self, project: ProjectRid) -> Result<(i64, i64)> {
        let rows = db::all(
            self.reader(),
            "SELECT helpful, CAST(COUNT(*) AS BIGINT) AS n FROM event_feedback
             WHERE project_rid = $1 AND helpful IS NOT NULL GROUP BY helpful",
            values![project.0],
        )
        .await?;
        let mut counts = (0, 0);
        for row in rows {
            if row.flag("helpful")? {
                counts.0 = row.int("n")?;
            } else {
                counts.1 = row.int("n")?;
            }
        }
        Ok(counts)
    }
}

/// Moves the problem's counters from what was said to what is said now.
async fn count_on_problem<C: ConnectionTrait>(
    on: &C,
    problem: i64,
    before: Option<bool>,
    now_said: &Feedback,
    corrected: Option<Category>,
) -> Result<()> {
    let change = |mark: bool| i64::from(now_said.helpful == Some(mark)) - i64::from(before == Some(mark));
    db::run(
        on,
        "UPDATE problems SET helpful = helpful + $2, not_helpful = not_helpful + $3,
             pinned_category = COALESCE($4, pinned_category),
             version = version + CASE WHEN $4 IS NULL THEN 0 ELSE 1 END
         WHERE rid = $1",
        values![
            problem,
            change(true),
            change(false),
            corrected.map(|c| i16::from(c.code()))
        ],
    )
    .await
    .map(|_| ())
}

fn describe(new: &NewFeedback) -> String {
    let mut parts = Vec::new();
    match new.helpful {
        Some(true) => parts.push("helpful".to_owned()),
        Some(false) => parts.push("not helpful".to_owned()),
        None => {}
    }
    if let Some(category) = new.category {
        parts.push(format!("category {category}"));
    }
    if new.comment.is_some() {
        parts.push("comment".to_owned());
    }
    parts.join(", ")
}
