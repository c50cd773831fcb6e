//! What a well-formed manifest must also fulfil.

use super::{Capability, FieldKind, Manifest, ManifestError, Scheme};

impl Manifest {
    /// Contradictions that the parser cannot see.
    pub(super) fn validate(&self) -> Result<(), ManifestError> {
        match self.problem() {
            None => Ok(()),
            Some(problem) => Err(ManifestError::Invalid {
                key: self.key.clone(),
                problem,
            }),
        }
    }

    fn problem(&self) -> Option<String> {
        let key_ok = |text: &str| {
            text.len() <= 40
                && text.starts_with(|c: char| c.is_ascii_lowercase())
                && text
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        if !key_ok(&self.key) {
            return Some("key has to be lowercase letters, digits and underscores".to_owned());
        }
        if self.name.trim().is_empty() || self.summary.trim().is_empty() {
            return Some("name and summary must not be empty".to_owned());
        }
        let hex = self.color.strip_prefix('#').unwrap_or_default();
        if hex.len() != 6 || !hex.chars().all(|c| c.is_ascii_hexdigit()) {
            return Some(format!("color `{}` is not #rrggbb", self.color));
        }
        for address in self.docs.iter().chain(&self.status_page) {
            if !address.starts_with("https://") {
                return Some(format!("`{address}` is not an https address"));
            }
        }
        if self.can(Capability::Webhook) != self.webhook.is_some() {
            return Some("capability `webhook` and table `[webhook]` go together".to_owned());
        }
        self.field_problem(key_ok).or_else(|| self.webhook_problem())
    }

    fn field_problem(&self, key_ok: impl Fn(&str) -> bool) -> Option<String> {
        for (index, field) in self.fields.iter().enumerate() {
            let at = &field.key;
            if !key_ok(at) || field.label.trim().is_empty() {
                return Some(format!("field `{at}`: key or label is not usable"));
            }
            if self.fields[..index].iter().any(|other| other.key == *at) {
                return Some(format!("field `{at}` is there twice"));
            }
            if (field.kind == FieldKind::Select) == field.options.is_empty() {
                return Some(format!("field `{at}`: a select has options, others have none"));
            }
            if let Some(pattern) = &field.pattern
                && regex::Regex::new(pattern).is_err()
            {
                return Some(format!("field `{at}`: the pattern is not a regular expression"));
            }
            if let (FieldKind::Select, Some(default)) = (field.kind, &field.default)
                && !field.options.contains(default)
            {
                return Some(format!("field `{at}`: the default is not among the options"));
            }
        }
        None
    }

    fn webhook_problem(&self) -> Option<String> {
        let webhook = self.webhook.as_ref()?;
        match &webhook.signature {
            Scheme::TimestampedList { tolerance_s, .. }
            | Scheme::Versioned { tolerance_s, .. }
            | Scheme::StandardWebhooks { tolerance_s, .. }
                if !(1..=3_600).contains(tolerance_s) =>
            {
                return Some("tolerance_s has to be from 1 to 3600".to_owned());
            }
            Scheme::StandardWebhooks { families, .. } if families.is_empty() => {
                return Some("families must not be empty".to_owned());
            }
            _ => {}
        }
        for (index, rule) in webhook.matches.iter().enumerate() {
            let conditions = !rule.any_of.is_empty() || rule.exists.is_some();
            if rule.pointer.is_some() != conditions {
                return Some(format!(
                    "match {}: a pointer needs `in` or `exists`, and they need a pointer",
                    index + 1
                ));
            }
            if rule.pointer.is_none() && rule.event_type.is_empty() {
                return Some(format!("match {}: it has no condition", index + 1));
            }
        }
        None
    }
}
