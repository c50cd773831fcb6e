//! Vendors' status pages, read. Shapes: workspace providers reference, section 1.7.

use serde_json::Value;

use crate::manifest::{StatusKind, StatusPage};
use crate::message::HttpResponse;

/// Characters of a page's own words that are kept.
const MAX_SUMMARY: usize = 300;

/// What a vendor says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VendorState {
    /// Nothing is known: the page failed or says something else. Never a reason to call it down.
    Unknown,
    /// All is well.
    Operational,
    /// Planned work.
    Maintenance,
    /// Trouble.
    Degraded,
    /// An outage.
    Outage,
}

impl VendorState {
    /// The stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Operational => "operational",
            Self::Maintenance => "maintenance",
            Self::Degraded => "degraded",
            Self::Outage => "outage",
        }
    }

    /// Whether its users are affected.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Degraded | Self::Outage)
    }
}

/// A status page as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorStatus {
    /// What it comes to.
    pub state: VendorState,
    /// The page's own words, empty when all is well.
    pub summary: String,
}

impl VendorStatus {
    fn of(state: VendorState, summary: &str) -> Self {
        Self {
            state,
            summary: summary.chars().take(MAX_SUMMARY).collect(),
        }
    }

    /// Nothing is known.
    pub fn unknown() -> Self {
        Self::of(VendorState::Unknown, "")
    }
}

/// Where a page is read by programs.
pub fn address(page: &StatusPage) -> String {
    let base = page.url.trim_end_matches('/');
    match page.kind {
        StatusKind::Statuspage => format!("{base}/api/v2/summary.json"),
        StatusKind::ActiveIncidents | StatusKind::OpenIncidents => base.to_owned(),
    }
}

/// Reads a page. `component` names the part that matters here; without it the whole page counts.
pub fn read(kind: StatusKind, component: Option<&str>, response: &HttpResponse) -> VendorStatus {
    if response.status != 200 {
        return VendorStatus::unknown();
    }
    let Ok(page) = serde_json::from_slice::<Value>(&response.body) else {
        return VendorStatus::unknown();
    };
    let read = match kind {
        StatusKind::Statuspage => statuspage(&page, component),
        StatusKind::ActiveIncidents => active_incidents(&page, component),
        StatusKind::OpenIncidents => open_incidents(&page, component),
    };
    read.unwrap_or_else(VendorStatus::unknown)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn statuspage(page: &Value, component: Option<&str>) -> Option<VendorStatus> {
    let incident = page["incidents"].as_array().and_then(|all| all.first());
    let words = incident.and_then(|incident| text(incident, "name"));
    let Some(ours) = component else {
        let state = match text(page.get("status")?, "indicator")? {
            "none" => VendorState::Operational,
            "maintenance" => VendorState::Maintenance,
            "minor" => VendorState::Degraded,
            "major" | "critical" => VendorState::Outage,
            _ => VendorState::Unknown,
        };
        let description = text(&page["status"], "description").unwrap_or_default();
        return Some(VendorStatus::of(state, words.unwrap_or(description)).quiet());
    };
    let named = page["components"]
        .as_array()?
        .iter()
        .filter(|component| text(component, "name") == Some(ours));
    let worst = named
        .filter_map(|component| Some((component_state(text(component, "status")?), text(component, "name")?)))
        .max_by_key(|(state, _)| *state)?;
    Some(VendorStatus::of(worst.0, words.unwrap_or(worst.1)).quiet())
}

fn component_state(status: &str) -> VendorState {
    match status {
        "operational" => VendorState::Operational,
        "under_maintenance" => VendorState::Maintenance,
        "degraded_performance" | "partial_outage" => VendorState::Degraded,
        "major_outage" => VendorState::Outage,
        _ => VendorState::Unknown,
    }
}

fn active_incidents(page: &Value, component: Option<&str>) -> Option<VendorStatus> {
    match text(page, "status")? {
        "ok" => Some(VendorStatus::of(VendorState::Operational, "")),
        "active" => {
            let concerns = |incident: &&Value| {
                let services = incident["services"].as_array();
                let named = |ours: &str| services.is_some_and(|all| all.iter().any(|s| s.as_str() == Some(ours)));
                component.is_none_or(named)
            };
            let worst = page["active_incidents"]
                .as_array()?
                .iter()
                .filter(concerns)
                .map(|incident| {
                    let state = match text(incident, "type") {
                        Some("outage") => VendorState::Outage,
                        Some("incident") => VendorState::Degraded,
                        _ => VendorState::Operational,
                    };
                    (state, text(incident, "title").unwrap_or_default())
                })
                .max_by_key(|(state, _)| *state);
            let (state, title) = worst.unwrap_or((VendorState::Operational, ""));
            Some(VendorStatus::of(state, title).quiet())
        }
        _ => None,
    }
}

fn open_incidents(page: &Value, component: Option<&str>) -> Option<VendorStatus> {
    let open = page.as_array()?.iter().filter(|incident| {
        let ended = incident.get("end").is_some_and(|end| !end.is_null());
        let service = text(incident, "service_name");
        !ended && component.is_none_or(|ours| service == Some(ours))
    });
    let worst = open
        .map(|incident| {
            let state = match text(incident, "status_impact") {
                Some("SERVICE_OUTAGE") => VendorState::Outage,
                Some("SERVICE_DISRUPTION") => VendorState::Degraded,
                _ => VendorState::Operational,
            };
            (state, text(incident, "external_desc").unwrap_or_default())
        })
        .max_by_key(|(state, _)| *state);
    let (state, words) = worst.unwrap_or((VendorState::Operational, ""));
    Some(VendorStatus::of(state, words).quiet())
}

impl VendorStatus {
    /// Without words where there is nothing to say.
    fn quiet(mut self) -> Self {
        if self.state == VendorState::Operational {
            self.summary.clear();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn state(kind: StatusKind, component: Option<&str>, page: &Value) -> (VendorState, String) {
        let read = read(kind, component, &HttpResponse::json(200, page));
        (read.state, read.summary)
    }

    #[test]
    fn a_statuspage_is_read_whole_or_by_component() {
        let page = json!({
            "status": { "indicator": "major", "description": "Major outage" },
            "components": [
                { "name": "API Requests", "status": "operational" },
                { "name": "Git Operations", "status": "major_outage" },
            ],
            "incidents": [{ "name": "Pushes fail", "status": "investigating" }],
        });
        let whole = state(StatusKind::Statuspage, None, &page);
        assert_eq!(whole, (VendorState::Outage, "Pushes fail".to_owned()));
        let api = state(StatusKind::Statuspage, Some("API Requests"), &page);
        assert_eq!(api, (VendorState::Operational, String::new()));
        let git = state(StatusKind::Statuspage, Some("Git Operations"), &page);
        assert_eq!(git.0, VendorState::Outage);
        // A component that is no longer there says nothing.
        assert_eq!(
            state(StatusKind::Statuspage, Some("Gone"), &page).0,
            VendorState::Unknown
        );
    }

    #[test]
    fn the_other_shapes_are_read_by_what_is_open() {
        let slack = json!({ "status": "active", "active_incidents": [
            { "type": "outage", "title": "Huddles fail", "services": ["Huddles"] },
            { "type": "incident", "title": "Slow API", "services": ["Apps/Integrations/APIs"] },
        ]});
        let read = state(StatusKind::ActiveIncidents, Some("Apps/Integrations/APIs"), &slack);
        assert_eq!(read, (VendorState::Degraded, "Slow API".to_owned()));
        assert_eq!(
            state(StatusKind::ActiveIncidents, None, &json!({ "status": "ok" })).0,
            VendorState::Operational
        );
        let google = json!([
            { "service_name": "Gmail", "status_impact": "SERVICE_OUTAGE", "external_desc": "Mail is late", "end": "2026-01-01" },
            { "service_name": "Google Chat", "status_impact": "SERVICE_OUTAGE", "external_desc": "Chat" },
            { "service_name": "Gmail", "status_impact": "SERVICE_DISRUPTION", "external_desc": "Search is slow" },
        ]);
        let read = state(StatusKind::OpenIncidents, Some("Gmail"), &google);
        assert_eq!(read, (VendorState::Degraded, "Search is slow".to_owned()));
    }

    #[test]
    fn a_page_that_fails_is_unknown_and_never_an_outage() {
        let html = HttpResponse::text(200, "<html>");
        for kind in [
            StatusKind::Statuspage,
            StatusKind::ActiveIncidents,
            StatusKind::OpenIncidents,
        ] {
            assert_eq!(read(kind, None, &html), VendorStatus::unknown());
            assert_eq!(
                read(kind, None, &HttpResponse::text(503, "{}")),
                VendorStatus::unknown()
            );
            assert_eq!(state(kind, None, &json!({ "status": 7 })).0, VendorState::Unknown);
        }
    }
}
