//! LCPtracker: its notices reach people by e-mail and as files. A forwarded mail has a subject and
//! a text instead of an event type.

use lk_core::words::Outcome;
use lk_provider::manifest::ManifestError;
use lk_provider::observe::Found;
use lk_provider::{Described, Folder, Headers};
use serde_json::Value;

/// Words in a subject or status that make a notice a rejection.
const REJECTED: [&str; 4] = ["reject", "not approved", "non-compliant", "noncompliant"];
/// Words that make it an acceptance.
const ACCEPTED: [&str; 3] = ["accepted", "approved", "certified"];

/// The provider.
#[derive(Debug)]
pub(crate) struct Provider(Described);

impl Provider {
    pub(crate) fn load(folder: Folder) -> Result<Self, ManifestError> {
        Described::load(folder).map(Self)
    }
}

impl lk_provider::Provider for Provider {
    fn described(&self) -> &Described {
        &self.0
    }

    fn amend(&self, item: &Value, _headers: &Headers, found: &mut Found) {
        let Some(subject) = item["subject"].as_str() else {
            return;
        };
        if found.outcome.is_some() {
            return;
        }
        let lower = subject.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if found.event_type == "delivery" {
            "notice.mail".clone_into(&mut found.event_type);
        }
        if says(&REJECTED) {
            let apprentice = lower.contains("apprentice");
            found.outcome = Some(Outcome::Failure);
            found.operation = Some("certified_payroll.submit".to_owned());
            found.codes.push(
                if apprentice {
                    "LCP_APPRENTICE_REJECTED"
                } else {
                    "LCP_REJECTED"
                }
                .to_owned(),
            );
            found.message = Some(match first_line(item) {
                Some(line) => format!("{subject}: {line}"),
                None => subject.to_owned(),
            });
        } else if says(&ACCEPTED) {
            found.outcome = Some(Outcome::Success);
            found.summary = Some(subject.to_owned());
        }
    }
}

/// The first line of the mail that says something.
fn first_line(item: &Value) -> Option<&str> {
    let text = ["text", "body", "plain"].iter().find_map(|key| item[*key].as_str())?;
    text.lines()
        .map(str::trim)
        .find(|line| line.len() > 10 && !line.to_lowercase().starts_with("dear"))
}
