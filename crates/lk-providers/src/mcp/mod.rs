//! Any server of the Model Context Protocol: one session, made of the settings. What the engine
//! brings back of it is described at [`McpCall`].

use lk_core::Time;
use lk_core::words::Rung;
use lk_provider::check::{self, Answer, Call, Failed, McpCall, Probe, Reading};
use lk_provider::manifest::{ManifestError, ProbeRule};
use lk_provider::{Described, Folder, HttpRequest, HttpResponse, Settings};
use serde_json::{Map, Value};

/// The name of its question.
const NAME: &str = "session";

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

    fn probes(&self, settings: &Settings, _now: Time) -> Vec<Probe> {
        let settings = self.manifest().with_defaults(settings);
        // Arguments that are no JSON object are never half sent: nothing is asked.
        let (Some(url), Some(arguments)) = (settings.get("url"), arguments(&settings)) else {
            return Vec::new();
        };
        let mut request = HttpRequest {
            method: "POST".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        check::authorize(&mut request, self.manifest(), &settings);
        let tool = settings.get("tool").map(str::trim).filter(|tool| !tool.is_empty());
        vec![Probe {
            rung: Rung::Capability,
            name: NAME.to_owned(),
            operation: if tool.is_some() {
                "mcp tools/call"
            } else {
                "mcp tools/list"
            }
            .to_owned(),
            call: Call::Mcp(McpCall {
                url: request.url,
                headers: request.headers,
                tool: tool.map(str::to_owned),
                arguments,
            }),
        }]
    }

    fn read_probe(&self, answer: Answer<'_>, settings: &Settings) -> Reading {
        let rule = ProbeRule::new(NAME, Rung::Capability);
        let mut reading = check::read_by(&rule, self.manifest(), &answer, settings);
        if let Some(failed) = &mut reading.failed {
            refine(failed, answer.response);
        } else {
            let body = serde_json::from_slice(&answer.response.body).unwrap_or_default();
            reading.failed = trouble(&body);
        }
        reading
    }
}

fn arguments(settings: &Settings) -> Option<Value> {
    match settings.get("arguments").map(str::trim).filter(|text| !text.is_empty()) {
        None => Some(Value::Object(Map::new())),
        Some(text) => serde_json::from_str(text).ok().filter(Value::is_object),
    }
}

/// What this protocol says of a refusal beyond what every HTTP service does.
fn refine(failed: &mut Failed, response: &HttpResponse) {
    let challenge = response
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"));
    if let Some((_, challenge)) = challenge
        && response.status == 403
        && challenge.contains("insufficient_scope")
    {
        failed.rung = Rung::Scopes;
        failed.body = check::own("insufficient_scope", challenge);
    }
    if matches!(response.status, 404 | 405 | 406 | 410) {
        failed.rung = Rung::Http;
        let sentence = format!(
            "The address answers with HTTP {} to a message of the protocol.",
            response.status
        );
        failed.body = check::own("mcp_wrong_address", &sentence);
    }
}

/// What is wrong with what a session brought back.
fn trouble(found: &Value) -> Option<Failed> {
    let failed = |rung, body: String| {
        Some(Failed {
            rung,
            http_status: None,
            body,
        })
    };
    let error = &found["error"];
    if error.is_object() {
        let rung = if error["stage"] == "initialize" {
            Rung::Http
        } else {
            Rung::Capability
        };
        return failed(rung, found.to_string());
    }
    if !found["tools"].is_array() {
        return failed(
            Rung::Http,
            check::own("mcp_not_spoken", "The answer is no message of the protocol."),
        );
    }
    if let Some(why) = found["refused"].as_str() {
        let (code, sentence) = match why {
            "unknown" => (
                "mcp_tool_unknown",
                "The server has no tool of the name in the settings.",
            ),
            _ => (
                "mcp_tool_may_write",
                "The server says that the tool changes something; it was not called.",
            ),
        };
        return failed(Rung::Capability, check::own(code, sentence));
    }
    if found["isError"] == true {
        let told = found["content"].as_str().unwrap_or_default().trim();
        let told = if told.is_empty() {
            "The tool failed without a word."
        } else {
            told
        };
        return failed(Rung::Capability, told.to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_an_object_or_nothing_is_asked() {
        let of = |text: &str| arguments(&[("arguments", text)].into_iter().collect());
        assert_eq!(of(""), Some(Value::Object(Map::new())));
        assert_eq!(of(r#" {"a": 1} "#), Some(serde_json::json!({"a": 1})));
        for text in ["[1]", "1", "{a: 1}", "{} {}"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
