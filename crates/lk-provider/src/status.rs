//! Vendors' status pages, read. Shapes: workspace providers reference, section 1.7.

use serde::Deserialize;
use serde_json::Value;

use crate::message::HttpResponse;

/// Characters of a page's own words that are kept.
const MAX_SUMMARY: usize = 300;

/// The shape of a vendor's status page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusKind {
    /// Atlassian Statuspage, and what answers in its shape: `/api/v2/summary.json`.
    Statuspage,
    /// One object with `status` and `active_incidents`.
    Slack,
    /// A list of incidents in which open ones have no `end`.
    Google,
}

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

/// Reads a page. `components` name the parts that matter here; without any the whole page counts.
pub fn read(kind: StatusKind, components: &[String], response: &HttpResponse) -> VendorStatus {
    if response.status != 200 {
        return VendorStatus::unknown();
    }
    let Ok(page) = serde_json::from_slice::<Value>(&response.body) else {
        return VendorStatus::unknown();
    };
    let read = match kind {
        StatusKind::Statuspage => statuspage(&page, components),
        StatusKind::Slack => slack(&page, components),
        StatusKind::Google => google(&page, components),
    };
    read.unwrap_or_else(VendorStatus::unknown)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn statuspage(page: &Value, components: &[String]) -> Option<VendorStatus> {
    let incident = page["incidents"].as_array().and_then(|all| all.first());
    let words = incident.and_then(|incident| text(incident, "name"));
    if components.is_empty() {
        let state = match text(page.get("status")?, "indicator")? {
            "none" => VendorState::Operational,
            "maintenance" => VendorState::Maintenance,
            "minor" => VendorState::Degraded,
            "major" | "critical" => VendorState::Outage,
            _ => VendorState::Unknown,
        };
        let description = text(&page["status"], "description").unwrap_or_default();
        return Some(VendorStatus::of(state, words.unwrap_or(description)).quiet());
    }
    let ours = page["components"]
        .as_array()?
        .iter()
        .filter(|component| text(component, "name").is_some_and(|name| components.iter().any(|wanted| wanted == name)));
    let worst = ours
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

fn slack(page: &Value, components: &[String]) -> Option<VendorStatus> {
    match text(page, "status")? {
        "ok" => Some(VendorStatus::of(VendorState::Operational, "")),
        "active" => {
            let concerns = |incident: &&Value| {
                components.is_empty()
                    || incident["services"].as_array().is_some_and(|services| {
                        let named = |wanted: &String| services.iter().any(|s| s.as_str() == Some(wanted));
                        components.iter().any(named)
                    })
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

fn google(page: &Value, components: &[String]) -> Option<VendorStatus> {
    let open = page.as_array()?.iter().filter(|incident| {
        let ended = incident.get("end").is_some_and(|end| !end.is_null());
        let ours = |name: &str| components.is_empty() || components.iter().any(|wanted| wanted == name);
        !ended && text(incident, "service_name").is_some_and(ours)
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

    fn state(kind: StatusKind, components: &[&str], page: &Value) -> (VendorState, String) {
        let components: Vec<String> = components.iter().map(|c| (*c).to_owned()).collect();
        let read = read(kind, &components, &HttpResponse::json(200, page));
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
        let whole = state(StatusKind::Statuspage, &[], &page);
        assert_eq!(whole, (VendorState::Outage, "Pushes fail".to_owned()));
        let api = state(StatusKind::Statuspage, &["API Requests"], &page);
        assert_eq!(api, (VendorState::Operational, String::new()));
        let git = state(StatusKind::Statuspage, &["API Requests", "Git Operations"], &page);
        assert_eq!(git.0, VendorState::Outage);
        // A component that is no longer there says nothing.
        assert_eq!(state(StatusKind::Statuspage, &["Gone"], &page).0, VendorState::Unknown);
    }

    #[test]
    fn the_other_shapes_are_read_by_what_is_open() {
        let slack = json!({ "status": "active", "active_incidents": [
            { "type": "outage", "title": "Huddles fail", "services": ["Huddles"] },
            { "type": "incident", "title": "Slow API", "services": ["Apps/Integrations/APIs"] },
        ]});
        let read = state(StatusKind::Slack, &["Apps/Integrations/APIs"], &slack);
        assert_eq!(read, (VendorState::Degraded, "Slow API".to_owned()));
        assert_eq!(
            state(StatusKind::Slack, &[], &json!({ "status": "ok" })).0,
            VendorState::Operational
        );
        let google = json!([
            { "service_name": "Gmail", "status_impact": "SERVICE_OUTAGE", "external_desc": "Mail is late", "end": "2026-01-01" },
            { "service_name": "Google Chat", "status_impact": "SERVICE_OUTAGE", "external_desc": "Chat" },
            { "service_name": "Gmail", "status_impact": "SERVICE_DISRUPTION", "external_desc": "Search is slow" },
        ]);
        let read = state(StatusKind::Google, &["Gmail"], &google);
        assert_eq!(read, (VendorState::Degraded, "Search is slow".to_owned()));
    }

    #[test]
    fn a_page_that_fails_is_unknown_and_never_an_outage() {
        let html = HttpResponse::text(200, "<html>");
        for kind in [StatusKind::Statuspage, StatusKind::Slack, StatusKind::Google] {
            assert_eq!(read(kind, &[], &html), VendorStatus::unknown());
            assert_eq!(read(kind, &[], &HttpResponse::text(503, "{}")), VendorStatus::unknown());
            assert_eq!(state(kind, &[], &json!({ "status": 7 })).0, VendorState::Unknown);
        }
    }
}
