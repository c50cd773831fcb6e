//! Every operation of the API's document with a body that its route takes. The list grows by
//! itself: an operation that reads a body and has none here fails the tests.

use serde_json::{Value, json};

use super::http::Ask;
use super::world::{PASSWORD, World};

const METHODS: [&str; 5] = ["get", "put", "patch", "post", "delete"];

/// One operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// Fields that its body declares.
    pub(crate) fields: Vec<String>,
    /// Whether it takes `projectId` in the query.
    pub(crate) takes_project: bool,
    /// Whether it needs a caller.
    pub(crate) secured: bool,
}

impl Operation {
    pub(crate) fn writes(&self) -> bool {
        self.method != "GET"
    }

    pub(crate) fn is_webhook(&self) -> bool {
        self.path.starts_with("/webhooks/")
    }

    /// The request with this path.
    pub(crate) fn ask(&self, path: &str) -> Ask {
        let ask = Ask::new(&self.method, path);
        match &self.body {
            Some(body) => ask.json(body),
            None => ask,
        }
    }
}

/// Every operation, webhooks and the live stream too.
pub(crate) async fn operations(world: &World) -> Vec<Operation> {
    let document = Ask::get("/api/openapi.json").send(&world.server).await.json();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in METHODS {
            let operation = &item[method];
            if operation.is_null() {
                continue;
            }
            let name = operation["operationId"].as_str().expect("a name").to_owned();
            let content = &operation["requestBody"]["content"]["application/json"]["schema"];
            let fields = fields(&document, content);
            let body = body(&name);
            assert_eq!(body.is_some(), !content.is_null(), "{name}: is there a body for it?");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            all.push(Operation {
                takes_project: parameters.iter().any(|p| p["name"] == "projectId"),
                secured: !operation["security"].is_null(),
                method: method.to_uppercase(),
                path: path.clone(),
                name,
                body,
                fields,
            });
        }
    }
    assert!(all.len() > 60, "the document names {}", all.len());
    all
}

/// The declared fields of a body.
fn fields(document: &Value, schema: &Value) -> Vec<String> {
    let named = schema["$ref"]
        .as_str()
        .map(|name| name.trim_start_matches('#').to_owned());
    let schema = named.map_or(Some(schema), |name| document.pointer(&name));
    let properties = schema.and_then(|schema| schema["properties"].as_object());
    properties
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

/// A body that the operation takes.
fn body(operation: &str) -> Option<Value> {
    people(operation).or_else(|| things(operation))
}

fn people(operation: &str) -> Option<Value> {
    let token = "nobody-was-given-this-token";
    Some(match operation {
        "signIn" => json!({"email": "nobody@example.org", "password": "x"}),
        "proveSession" => json!({"password": PASSWORD}),
        "setUp" | "join" => {
            json!({"token": token, "email": "new@example.org", "name": "New", "password": "a long password"})
        }
        "lookAtInvitation" | "lookAtReset" | "acceptInvitation" => json!({"token": token}),
        "resetPassword" => json!({"token": token, "password": "a long password"}),
        "updateProfile" | "updateUser" => json!({"name": "Renamed", "version": 1}),
        "changePassword" => json!({"current": PASSWORD, "password": "another long password"}),
        "confirmTotp" => json!({"code": "123456"}),
        "createUser" => json!({"email": "new@example.org", "name": "New"}),
        "updateMember" => json!({"role": "editor", "version": 1}),
        _ => return None,
    })
}

fn things(operation: &str) -> Option<Value> {
    Some(match operation {
        "giveFeedback" => json!({"helpful": true}),
        "updateProblem" => json!({"state": "acknowledged", "version": 1}),
        "createIntegration" => json!({"provider": "standard_webhooks", "name": "New"}),
        "updateIntegration" => json!({"name": "Changed", "version": 1}),
        "addWebhookSecret" | "retireWebhookSecret" => json!({}),
        "createKey" => json!({"name": "new", "role": "viewer"}),
        "createInvitation" => json!({"role": "viewer"}),
        "createProject" => json!({"slug": "new", "name": "New"}),
        "updateProject" => json!({"name": "Renamed", "version": 1}),
        "deleteProject" => json!({"confirm": "other"}),
        "transferProject" => json!({"userId": "{owner}"}),
        _ => return None,
    })
}
