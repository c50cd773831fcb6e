//! What a well-formed manifest must also fulfil.

use super::{Capability, FieldKind, Manifest, ManifestError, Scheme};

/// Where something is wrong, as [`ManifestError::Invalid`] tells it, and what.
type Flaw = (String, String);

fn flaw(at: impl Into<String>, problem: impl Into<String>) -> Flaw {
    (at.into(), problem.into())
}

impl Manifest {
    /// Contradictions that the parser cannot see.
    pub(crate) fn validate(&self) -> Result<(), ManifestError> {
        match self.flaw() {
            None => Ok(()),
            Some((at, problem)) => Err(ManifestError::Invalid {
                key: self.key.clone(),
                at,
                problem,
            }),
        }
    }

    fn flaw(&self) -> Option<Flaw> {
        let key_ok = |text: &str| {
            text.len() <= 40
                && text.starts_with(|c: char| c.is_ascii_lowercase())
                && text
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        if !key_ok(&self.key) {
            return Some(flaw("key", "key has to be lowercase letters, digits and underscores"));
        }
        for (at, text) in [("name", &self.name), ("summary", &self.summary)] {
            if text.trim().is_empty() {
                return Some(flaw(at, "name and summary must not be empty"));
            }
        }
        let hex = self.color.strip_prefix('#').unwrap_or_default();
        if hex.len() != 6 || !hex.chars().all(|c| c.is_ascii_hexdigit()) {
            return Some(flaw("color", format!("color `{}` is not #rrggbb", self.color)));
        }
        for (at, address) in [("docs", &self.docs), ("status_page", &self.status_page)] {
            if let Some(address) = address.as_ref().filter(|text| !text.starts_with("https://")) {
                return Some(flaw(at, format!("`{address}` is not an https address")));
            }
        }
        if self.can(Capability::Webhook) != self.webhook.is_some() {
            return Some(flaw(
                "capabilities",
                "capability `webhook` and table `[webhook]` go together",
            ));
        }
        self.field_flaw(key_ok)
            .or_else(|| self.webhook_flaw())
            .or_else(|| self.auth_flaw())
            .or_else(|| self.check_flaw())
    }

    fn auth_flaw(&self) -> Option<Flaw> {
        for (index, auth) in self.auth.iter().enumerate() {
            let kind = auth.kind().as_str();
            let twice = self.auth[..index].iter().any(|other| other.kind() == auth.kind());
            let problem = twice
                .then(|| "is there twice".to_owned())
                .or_else(|| auth.flaw(&self.fields));
            if let Some(problem) = problem {
                return Some(flaw(format!("auth.{index}"), format!("auth `{kind}`: {problem}")));
            }
        }
        None
    }

    fn check_flaw(&self) -> Option<Flaw> {
        if self.can(Capability::Check) != self.check.is_some() {
            return Some(flaw(
                "capabilities",
                "capability `check` and table `[check]` go together",
            ));
        }
        if self.can(Capability::Status) != self.status.is_some() {
            return Some(flaw(
                "capabilities",
                "capability `status` and table `[status]` go together",
            ));
        }
        let below =
            |table: &str, found: Option<Flaw>| found.map(|(at, problem)| flaw(format!("{table}.{at}"), problem));
        below("check", self.check.as_ref().and_then(super::Check::flaw))
            .or_else(|| below("limits", self.limits.flaw()))
            .or_else(|| {
                self.status
                    .as_ref()
                    .and_then(super::StatusPage::flaw)
                    .map(|p| flaw("status", p))
            })
    }

    fn field_flaw(&self, key_ok: impl Fn(&str) -> bool) -> Option<Flaw> {
        for (index, field) in self.fields.iter().enumerate() {
            let key = &field.key;
            let wrong = |what: &str| Some(flaw(format!("fields.{index}"), format!("field `{key}`{what}")));
            if !key_ok(key) || field.label.trim().is_empty() {
                return wrong(": key or label is not usable");
            }
            if self.fields[..index].iter().any(|other| other.key == *key) {
                return wrong(" is there twice");
            }
            if (field.kind == FieldKind::Select) == field.options.is_empty() {
                return wrong(": a select has options, others have none");
            }
            if let Some(pattern) = &field.pattern
                && regex::Regex::new(pattern).is_err()
            {
                return wrong(": the pattern is not a regular expression");
            }
            if let (FieldKind::Select, Some(default)) = (field.kind, &field.default)
                && !field.options.contains(default)
            {
                return wrong(": the default is not among the options");
            }
        }
        None
    }

    fn webhook_flaw(&self) -> Option<Flaw> {
        let webhook = self.webhook.as_ref()?;
        if let Some(name) = webhook.signature.headers().find(|name| !is_header(name)) {
            return Some(flaw(
                "webhook.signature",
                format!("`{name}` is not the name of a header"),
            ));
        }
        match &webhook.signature {
            Scheme::TimestampedList { tolerance_s, .. }
            | Scheme::Versioned { tolerance_s, .. }
            | Scheme::StandardWebhooks { tolerance_s, .. }
                if !(1..=3_600).contains(tolerance_s) =>
            {
                return Some(flaw(
                    "webhook.signature.tolerance_s",
                    "tolerance_s has to be from 1 to 3600",
                ));
            }
            Scheme::StandardWebhooks { families, .. } if families.is_empty() => {
                return Some(flaw("webhook.signature.families", "families must not be empty"));
            }
            _ => {}
        }
        for (index, rule) in webhook.matches.iter().enumerate() {
            let wrong = |what: &str| {
                Some(flaw(
                    format!("webhook.match.{index}"),
                    format!("match {}: {what}", index + 1),
                ))
            };
            let conditions = !rule.any_of.is_empty() || rule.exists.is_some();
            if rule.pointer.is_some() != conditions {
                return wrong("a pointer needs `in` or `exists`, and they need a pointer");
            }
            if rule.pointer.is_none() && rule.event_type.is_empty() {
                return wrong("it has no condition");
            }
        }
        None
    }
}

fn is_header(name: &str) -> bool {
    http::HeaderName::from_bytes(name.as_bytes()).is_ok()
}
