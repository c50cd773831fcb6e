//! `explain`: the classification of raw errors, without a server or a database.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;
use lk_engine::rules::Rules;
use lk_provider::errors::{Call, Explained};
use lk_provider::{Redactor, Registry};
use serde::Deserialize;
use serde_json::{Value, json};

use super::print_line;
use crate::cli::Explain;
use crate::config::Config;
use crate::providers::Providers;
use crate::wiring;

/// One line of `--jsonl` input. Other keys are ignored, so that labelled files can be fed in.
#[derive(Debug, Deserialize)]
struct Line {
    id: Option<Value>,
    provider: String,
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    http_status: Option<u16>,
    #[serde(default)]
    body: Value,
}

/// Explains one error, or one a line.
pub(crate) fn explain(args: &Explain) -> anyhow::Result<()> {
    let registry = Providers::load(&Config::read(&args.at)?)?.registry;
    let rules = wiring::rules(&registry)?;
    let input = open(args.file.as_deref())?;
    if !args.jsonl {
        let mut bytes = Vec::new();
        BufReader::new(input).read_to_end(&mut bytes)?;
        let body = String::from_utf8_lossy(&bytes);
        let provider = args.provider.as_deref().unwrap_or_default();
        let explained = run(&registry, &rules, provider, &args.operation, args.status, body.trim());
        return print_line(&serde_json::to_string_pretty(&answer(&explained))?);
    }
    for (number, line) in BufReader::new(input).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line =
            serde_json::from_str(&line).with_context(|| format!("line {} is not what --jsonl reads", number + 1))?;
        let body = match &line.body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let operation = line.operation.unwrap_or_default();
        let explained = run(&registry, &rules, &line.provider, &operation, line.http_status, &body);
        let mut out = json!({ "id": line.id });
        if let (Value::Object(out), Value::Object(rest)) = (&mut out, answer(&explained)) {
            out.extend(rest);
        }
        print_line(&out.to_string())?;
    }
    Ok(())
}

fn open(file: Option<&Path>) -> anyhow::Result<Box<dyn Read>> {
    match file {
        Some(path) if path != Path::new("-") => {
            let file = std::fs::File::open(path);
            Ok(Box::new(
                file.with_context(|| format!("{} cannot be read", path.display()))?,
            ))
        }
        _ => Ok(Box::new(std::io::stdin())),
    }
}

fn run(
    registry: &Registry,
    rules: &Rules,
    provider: &str,
    operation: &str,
    http_status: Option<u16>,
    body: &str,
) -> Explained {
    let known = registry.get(provider);
    let call = Call {
        provider,
        provider_name: known.map_or(provider, |p| p.manifest().name.as_str()),
        operation,
        http_status,
    };
    let generic = Redactor::new(&[]);
    let redactor = known.map_or(&generic, |p| p.redactor());
    rules
        .of(provider)
        .explain(&call, body, |text| redactor.text(&text).into_inner())
}

fn answer(explained: &Explained) -> Value {
    let (v, e, f) = (&explained.verdict, &explained.explanation, &explained.failure);
    json!({
        "category": v.category.as_str(),
        "severity": v.severity.as_str(),
        "transient": v.transient,
        "confidence": f64::from(v.confidence) / 100.0,
        "code": v.doc.as_str(),
        "title": e.title,
        "cause": e.cause,
        "suggestedFix": e.suggested_fix,
        "fixSteps": e.fix_steps,
        "affectedData": e.affected_data,
        "businessImpact": e.business_impact,
        "documentationUrl": e.link,
        "providerCode": f.code(),
        "httpStatus": f.http_status,
        "message": f.message,
        "fingerprint": explained.fingerprint.to_string(),
        "source": "rule",
    })
}
