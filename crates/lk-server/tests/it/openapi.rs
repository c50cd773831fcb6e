//! The OpenAPI document: committed, fresh and complete.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::Value;

fn document() -> Value {
    serde_json::to_value(lk_server::openapi()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = ["get", "post", "put", "patch", "delete"];
    let mut all = Vec::new();
    for (path, item) in paths {
        for method in methods {
            if let Some(operation) = item.get(method) {
                all.push((method.to_owned(), path.clone(), operation));
            }
        }
    }
    all
}

#[test]
fn the_committed_document_is_fresh() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../web/openapi.json");
    let mut text = serde_json::to_string_pretty(&lk_server::openapi()).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "web/openapi.json is stale; refresh it with: \
         UPDATE_OPENAPI=1 cargo nextest run -p lk-server the_committed_document_is_fresh"
    );
}

#[test]
fn every_operation_is_named_once_and_says_how_it_fails() {
    let document = document();
    let mut names = HashSet::new();
    for (method, path, operation) in operations(&document) {
        let at = format!("{method} {path}");
        let name = operation["operationId"].as_str().unwrap_or_default();
        assert!(name.starts_with(char::is_lowercase), "{at}: operationId {name:?}");
        assert!(names.insert(name.to_owned()), "{at}: operationId {name} twice");
        assert!(operation["summary"].is_string(), "{at}: no summary");
        let responses = operation["responses"].as_object().unwrap();
        for status in ["400", "500", "503"] {
            assert!(responses.contains_key(status), "{at}: no {status}");
        }
        if operation.get("requestBody").is_some() {
            assert!(responses.contains_key("413"), "{at}: no 413");
        }
        if operation.get("security").is_some() {
            for status in ["401", "403", "404"] {
                assert!(responses.contains_key(status), "{at}: no {status}");
            }
        }
        for (status, response) in responses {
            if status.starts_with(['4', '5']) {
                let schema = &response["content"]["application/json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Error", "{at}: {status}");
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut waiting = vec![&document];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref") {
                    let name = target.trim_start_matches("#/components/schemas/");
                    assert!(schemas.contains_key(name), "{target}");
                }
                waiting.extend(map.values());
            }
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
}
