//! Provider incidents, read.

use lk_core::Time;

use crate::db::{self, Row, values};
use crate::{Result, Store, StoreError};

/// What shows an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum IncidentCause {
    /// The vendor's status page says so.
    StatusPage = 0,
    /// Many integrations fail alike.
    Inferred = 1,
    /// Nothing gets out from here.
    OwnEgress = 2,
}

impl IncidentCause {
    /// The stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StatusPage => "status_page",
            Self::Inferred => "inferred",
            Self::OwnEgress => "own_egress",
        }
    }

    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::StatusPage),
            1 => Some(Self::Inferred),
            2 => Some(Self::OwnEgress),
            _ => None,
        }
    }
}

/// One stretch in which a provider was in trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderIncident {
    /// Public id.
    pub id: String,
    /// The provider's key; empty for our own way out.
    pub provider: String,
    /// What shows it.
    pub cause: IncidentCause,
    /// In a sentence.
    pub summary: String,
    /// Integrations concerned.
    pub affected: u64,
    /// When it began.
    pub opened_at: Time,
    /// When it ended.
    pub closed_at: Option<Time>,
    /// What was told of it, oldest first.
    pub updates: Vec<(Time, String)>,
}

const COLUMNS: &str = "id, provider, cause, summary, affected, opened_at, closed_at";

fn read(row: &Row) -> Result<ProviderIncident> {
    Ok(ProviderIncident {
        id: row.text("id")?,
        provider: row.text("provider")?,
        cause: row.word("cause", IncidentCause::from_code)?,
        summary: row.text("summary")?,
        affected: row.int("affected")?.max(0).cast_unsigned(),
        opened_at: row.time("opened_at")?,
        closed_at: row.opt_time("closed_at")?,
        updates: Vec::new(),
    })
}

impl Store {
    /// The incidents that are open, without what was told of them.
    pub async fn open_incidents(&self) -> Result<Vec<ProviderIncident>> {
        let sql = format!("SELECT {COLUMNS} FROM provider_incidents WHERE closed_at IS NULL ORDER BY opened_at");
        db::all(self.reader(), sql, vec![]).await?.iter().map(read).collect()
    }

    /// The newest incidents, open ones first, with what was told of each.
    pub async fn latest_incidents(&self, limit: u32) -> Result<Vec<ProviderIncident>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM provider_incidents
             ORDER BY CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END, opened_at DESC LIMIT $1"
        );
        let rows = db::all(self.reader(), sql, values![i64::from(limit)]).await?;
        let mut found: Vec<ProviderIncident> = rows.iter().map(read).collect::<Result<_>>()?;
        for incident in &mut found {
            let sql = "SELECT at, text FROM provider_incident_updates WHERE incident_id = $1 ORDER BY at";
            let rows = db::all(self.reader(), sql, values![incident.id.as_str()]).await?;
            let update = |row: &Row| Ok::<_, StoreError>((row.time("at")?, row.text("text")?));
            incident.updates = rows.iter().map(update).collect::<Result<_>>()?;
        }
        Ok(found)
    }
}
