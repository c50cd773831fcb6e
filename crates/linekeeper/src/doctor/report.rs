//! Findings, and how they are told to people and to machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Findings of one code that people are shown; machines get all.
const SHOWN_OF_ONE_CODE: usize = 20;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work, or is not safe.
    Problem,
}

impl Level {
    const ALL: [Self; 3] = [Self::Ok, Self::Warning, Self::Problem];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Stable name, `group.what`.
    pub(crate) code: &'static str,
    /// How bad it is.
    pub(crate) level: Level,
    /// What was found.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) advice: Option<String>,
    /// The integration it is about, by id.
    pub(crate) integration: Option<String>,
}

impl Finding {
    fn new(level: Level, code: &'static str, message: String) -> Self {
        Self {
            code,
            level,
            message,
            advice: None,
            integration: None,
        }
    }

    /// Something that is as it should be.
    pub(crate) fn ok(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Level::Ok, code, message.into())
    }

    /// Something to look at.
    pub(crate) fn warning(code: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Level::Warning, code, message.into()).advised(advice)
    }

    /// Something that does not work or is not safe.
    pub(crate) fn problem(code: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Level::Problem, code, message.into()).advised(advice)
    }

    fn advised(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Finding>);

impl Report {
    /// Adds what a group of checks found.
    pub(crate) fn add(&mut self, found: Vec<Finding>) {
        self.0.extend(found);
    }

    /// How many findings are of this level.
    pub(crate) fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }

    /// For people: what is fine first, what is worst last, where a terminal shows it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for level in Level::ALL {
            let of_level: Vec<&Finding> = self.0.iter().filter(|finding| finding.level == level).collect();
            if of_level.is_empty() {
                continue;
            }
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", level.as_str());
            for (index, finding) in of_level.iter().enumerate() {
                let alike = |other: &&&Finding| other.code == finding.code;
                let before = of_level[..index].iter().filter(alike).count();
                if before < SHOWN_OF_ONE_CODE {
                    let _ = writeln!(text, "  {}: {}", finding.code, finding.message);
                    if let Some(advice) = &finding.advice {
                        let _ = writeln!(text, "    -> {advice}");
                    }
                } else if before == SHOWN_OF_ONE_CODE {
                    let more = of_level[index..].iter().filter(alike).count();
                    let _ = writeln!(text, "  {}: {more} more, see --json", finding.code);
                }
            }
            text.push('\n');
        }
        text + &self.summary()
    }

    /// One line that counts.
    pub(crate) fn summary(&self) -> String {
        let counted = |level, one: &str| match self.count(level) {
            1 => format!("1 {one}"),
            n => format!("{n} {one}s"),
        };
        let fine = self.count(Level::Ok);
        let problems = counted(Level::Problem, "problem");
        format!("{problems}, {}, {fine} fine", counted(Level::Warning, "warning"))
    }

    /// For machines.
    pub(crate) fn json(&self) -> Value {
        let findings = self.0.iter().map(|finding| {
            json!({
                "code": finding.code,
                "level": finding.level.as_str(),
                "message": finding.message,
                "advice": finding.advice,
                "integrationId": finding.integration,
            })
        });
        json!({
            "problems": self.count(Level::Problem),
            "warnings": self.count(Level::Warning),
            "findings": findings.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_comes_last_and_many_alike_are_counted() {
        let mut report = Report::default();
        report.add(vec![Finding::problem("a.bad", "It is bad.", "Mend it.")]);
        report.add(
            (0..23)
                .map(|n| Finding::warning("b.odd", format!("Odd {n}."), "Look."))
                .collect(),
        );
        report.add(vec![Finding::ok("c.ok", "Fine.")]);
        let text = report.text();
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
        assert!(at("c.ok: Fine.") < at("Odd 0.") && at("Odd 19.") < at("b.odd: 3 more, see --json"));
        assert!(!text.contains("Odd 20.") && at("3 more") < at("a.bad: It is bad.\n    -> Mend it."));
        assert!(text.ends_with("1 problem, 23 warnings, 1 fine"), "{text}");
        assert_eq!(report.json()["findings"].as_array().unwrap().len(), 25);
    }
}
