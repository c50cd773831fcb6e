//! Measures the classification on a labelled file.
//!
//! The file is split by a hash of each id: rules are written looking at the training part alone,
//! the held-out part says how they do on errors nobody looked at.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use lk_core::classify::Verdict;
use lk_core::words::{Category, Severity};
use lk_provider::Redactor;
use lk_provider::errors::{Call, Explainers};
use serde::Deserialize;
use serde_json::Value;

/// Of ten parts, this many are held out.
const HELD_OUT: u64 = 3;

/// One labelled error.
#[derive(Debug, Deserialize)]
struct Labelled {
    id: String,
    provider: String,
    operation: String,
    http_status: Option<u16>,
    body: Value,
    category: String,
    category_alt: Option<String>,
    severity: String,
    transient: bool,
}

/// How many of how many were right.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    n: u32,
    lenient: u32,
    strict: u32,
    severity: u32,
    transient: u32,
}

impl Score {
    fn add(&mut self, label: &Labelled, verdict: &Verdict) {
        let got = verdict.category.as_str();
        let strict = got == label.category;
        let step = Severity::parse(&label.severity).map_or(9, |s| s.code().abs_diff(verdict.severity.code()));
        self.n += 1;
        self.strict += u32::from(strict);
        self.lenient += u32::from(strict || label.category_alt.as_deref() == Some(got));
        self.severity += u32::from(step <= 1);
        self.transient += u32::from(verdict.transient == label.transient);
    }

    fn row(&self, name: &str) {
        let percent = |hits: u32| 100.0 * f64::from(hits) / f64::from(self.n.max(1));
        println!(
            "{name:<22}{:>5}{:>9.1}{:>9.1}{:>10.1}{:>11.1}",
            self.n,
            percent(self.lenient),
            percent(self.strict),
            percent(self.severity),
            percent(self.transient)
        );
    }
}

/// Prints the tables. With `misses`, every wrong answer of the training part follows.
pub(crate) fn run(file: &Path, misses: bool) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("no golden set at {}; pass its path", file.display()))?;
    let explainers = load()?;
    let mut labelled = Vec::new();
    for (n, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let one: Labelled = serde_json::from_str(line).with_context(|| format!("{} line {}", file.display(), n + 1))?;
        labelled.push(one);
    }
    let plain: Vec<Verdict> = labelled.iter().map(|l| classify(&explainers, l, |text| text)).collect();
    let redactor = Redactor::default();
    let redacted: Vec<Verdict> = labelled
        .iter()
        .map(|l| classify(&explainers, l, |text| redactor.text(&text).into_inner()))
        .collect();

    header("part");
    let total = |part: &dyn Fn(&Labelled) -> bool, verdicts: &[Verdict]| {
        let mut score = Score::default();
        labelled
            .iter()
            .zip(verdicts)
            .filter(|(l, _)| part(l))
            .for_each(|(l, v)| score.add(l, v));
        score
    };
    total(&|l| !held_out(&l.id), &plain).row("training");
    total(&|l| held_out(&l.id), &plain).row("held out");
    total(&|_| true, &plain).row("all");
    total(&|_| true, &redacted).row("all, redacted");
    table("category", &labelled, &plain, |l| &l.category);
    table("provider", &labelled, &plain, |l| &l.provider);
    confusion(&labelled, &plain);
    if misses {
        for (l, v) in labelled.iter().zip(&plain).filter(|(l, _)| !held_out(&l.id)) {
            miss(l, v);
        }
    }
    Ok(())
}

/// The explainers of the program itself.
fn load() -> anyhow::Result<Explainers> {
    let registry = lk_providers::registry()?;
    lk_providers::explainers(&registry).map_err(|(key, error)| anyhow::anyhow!("{key}: {error}"))
}

fn classify(explainers: &Explainers, label: &Labelled, redact: impl FnOnce(String) -> String) -> Verdict {
    let body = match &label.body {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let call = Call {
        provider: &label.provider,
        provider_name: &label.provider,
        operation: &label.operation,
        http_status: label.http_status,
    };
    explainers.of(&label.provider).explain(&call, &body, redact).verdict
}

/// FNV-1a of the id, its high half modulo ten: stable over versions and machines.
fn held_out(id: &str) -> bool {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
    });
    (hash >> 32) % 10 < HELD_OUT
}

fn header(first: &str) {
    println!(
        "\n{first:<22}{:>5}{:>9}{:>9}{:>10}{:>11}",
        "n", "lenient", "strict", "severity", "transient"
    );
}

fn table(name: &str, labelled: &[Labelled], verdicts: &[Verdict], key: impl Fn(&Labelled) -> &String) {
    header(name);
    let mut scores: BTreeMap<&String, Score> = BTreeMap::new();
    for (l, v) in labelled.iter().zip(verdicts) {
        scores.entry(key(l)).or_default().add(l, v);
    }
    for (name, score) in scores {
        score.row(name);
    }
}

fn confusion(labelled: &[Labelled], verdicts: &[Verdict]) {
    println!("\nconfusion (rows: label, columns: answer; a second label counts as right)");
    let short = |c: &Category| c.as_str().chars().take(8).collect::<String>();
    print!("{:<22}", "");
    for category in Category::ALL {
        print!("{:>9}", short(category));
    }
    println!();
    for row in Category::ALL {
        print!("{:<22}", row.as_str());
        for column in Category::ALL {
            let n = labelled
                .iter()
                .zip(verdicts)
                .filter(|(l, v)| {
                    let second = l.category_alt.as_deref() == Some(v.category.as_str());
                    let answer = if second {
                        l.category.as_str()
                    } else {
                        v.category.as_str()
                    };
                    l.category == row.as_str() && answer == column.as_str()
                })
                .count();
            if n == 0 { print!("{:>9}", ".") } else { print!("{n:>9}") }
        }
        println!();
    }
}

fn miss(l: &Labelled, v: &Verdict) {
    let mut score = Score::default();
    score.add(l, v);
    if score.strict + score.severity + score.transient == 3 {
        return;
    }
    let mark = if score.lenient == 0 {
        "CATEGORY"
    } else if score.strict == 0 {
        "second"
    } else {
        ""
    };
    println!(
        "\n{} {} {} {:?} {mark}\n  want {}/{} {} {}\n  got  {} {} {} ({}%)\n  {}",
        l.id,
        l.provider,
        l.operation,
        l.http_status,
        l.category,
        l.category_alt.as_deref().unwrap_or("-"),
        l.severity,
        l.transient,
        v.doc.as_str(),
        v.severity,
        v.transient,
        v.confidence,
        l.body.to_string().chars().take(300).collect::<String>()
    );
}
