//! Provider incidents as the journal writes them. The statements are the same on both databases but
//! for the sign before a parameter's number.

use lk_core::Time;

use crate::read::IncidentCause;
use crate::{Result, new_id};

/// What becomes of a provider's incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentChange {
    /// Opens one, unless the provider has one open already.
    Open {
        /// The provider's key; empty for our own way out.
        provider: String,
        /// What shows it.
        cause: IncidentCause,
        /// In a sentence.
        summary: String,
        /// Integrations that show it, or that are concerned.
        affected: u64,
    },
    /// Something new is told of an open one.
    Update {
        /// Which.
        id: String,
        /// What.
        text: String,
        /// Integrations concerned now.
        affected: u64,
    },
    /// It is over.
    Close {
        /// Which.
        id: String,
    },
}

/// A parameter of a statement.
#[derive(Debug, Clone)]
pub(super) enum Param {
    Text(String),
    Int(i64),
}

/// The statements of one change, with `?n` as parameters, in order.
pub(super) fn statements(change: &IncidentChange, now: Time) -> Result<Vec<(&'static str, Vec<Param>)>> {
    let text = |text: &str| Param::Text(text.to_owned());
    let tell = "INSERT INTO provider_incident_updates (incident_id, at, text)
                SELECT id, ?2, ?3 FROM provider_incidents WHERE id = ?1 AND (closed_at IS NULL OR closed_at = ?2)
                ON CONFLICT DO NOTHING";
    Ok(match change {
        IncidentChange::Open {
            provider,
            cause,
            summary,
            affected,
        } => {
            let id = new_id(now)?.to_string();
            let open = "INSERT INTO provider_incidents (id, provider, cause, summary, affected, opened_at)
                        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
            let row = vec![
                text(&id),
                text(provider),
                Param::Int(i64::from(cause.code())),
                text(summary),
                Param::Int(affected.cast_signed()),
                Param::Int(now.ms()),
            ];
            vec![
                (open, row),
                (tell, vec![text(&id), Param::Int(now.ms()), text(summary)]),
            ]
        }
        IncidentChange::Update {
            id,
            text: words,
            affected,
        } => {
            let update = "UPDATE provider_incidents SET summary = ?2, affected = ?3
                          WHERE id = ?1 AND closed_at IS NULL";
            let row = vec![text(id), text(words), Param::Int(affected.cast_signed())];
            vec![(update, row), (tell, vec![text(id), Param::Int(now.ms()), text(words)])]
        }
        IncidentChange::Close { id } => {
            let close = "UPDATE provider_incidents SET closed_at = ?2 WHERE id = ?1 AND closed_at IS NULL";
            let over = "It is over.";
            vec![
                (close, vec![text(id), Param::Int(now.ms())]),
                (tell, vec![text(id), Param::Int(now.ms()), text(over)]),
            ]
        }
    })
}
