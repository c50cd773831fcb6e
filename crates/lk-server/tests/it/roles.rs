//! Every route with every role. The rows come from the OpenAPI document: a route without an entry
//! in [`least`] fails.

use lk_core::words::Role;
use serde_json::{Value, json};

use crate::harness::{As, TestServer};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Least {
    /// Anybody.
    Public,
    /// Anybody with a session or key, whatever their projects.
    Known,
    /// Members of the project from this role up.
    Role(Role),
    /// Whoever runs the installation.
    Operator,
}

/// The least caller of each operation, and the body it is tried with.
fn least(operation: &str) -> Option<(Least, Option<Value>)> {
    use Least::{Known, Operator, Public};
    let viewer = Least::Role(Role::Viewer);
    let editor = Least::Role(Role::Editor);
    let admin = Least::Role(Role::Admin);
    Some(match operation {
        "getSession" | "signOut" | "getSetup" | "healthz" | "readyz" | "getOpenapi" | "getProviderIcon"
        | "startOidc" | "finishOidc" => (Public, None),
        "signIn" => (Public, Some(json!({"email": "a@example.com", "password": "x"}))),
        "setUp" => {
            let body = json!({"token": "t", "email": "a@example.com", "name": "A", "password": "a long password"});
            (Public, Some(body))
        }
        "receiveWebhook" | "receiveAliasWebhook" => (Public, Some(json!({}))),
        "getMetrics" => (Operator, None),
        "listProviders" => (Known, None),
        "getOverview" | "listIntegrations" | "getIntegration" | "listEvents" | "getEvent" | "listProblems"
        | "getProblem" | "getDemo" | "listMembers" | "listRejections" | "streamEvents" => (viewer, None),
        "giveFeedback" => (editor, Some(json!({"helpful": true}))),
        "updateProblem" => (editor, Some(json!({"state": "acknowledged", "version": 1}))),
        "createIntegration" => (
            admin,
            Some(json!({"projectId": "default", "provider": "sample", "name": "New"})),
        ),
        "updateIntegration" => (admin, Some(json!({"name": "Changed", "version": 1}))),
        "addWebhookSecret" | "retireWebhookSecret" => (admin, Some(json!({}))),
        "createKey" => (
            admin,
            Some(json!({"projectId": "default", "name": "k", "role": "viewer"})),
        ),
        "deleteIntegration" | "bindAlias" | "freeAlias" | "listWebhookSecrets" | "listKeys" | "revokeKey"
        | "listAudit" | "loadDemo" | "removeDemo" => (admin, None),
        _ => return None,
    })
}

/// Things that the paths' ids name.
struct Seeds(Vec<(&'static str, String)>);

impl Seeds {
    async fn plant(server: &TestServer) -> Self {
        let created = server.connect().await;
        let integration = created["integration"]["id"].as_str().unwrap().to_owned();
        let failure = json!({"id": "d1", "type": "a.failed", "message": "no", "code": "c"});
        assert_eq!(server.deliver(&created, &failure).await.status, 200);
        let spare = json!({"name": "spare", "role": "viewer"});
        let spare = server
            .call(As::Role(Role::Admin), "POST", "/api/keys", Some(spare))
            .await
            .json();
        let first = |value: Value| value["items"][0]["id"].as_str().unwrap().to_owned();
        let secrets = format!("/api/integrations/{integration}/webhook-secrets");
        Self(vec![
            ("{secretId}", first(server.get(&secrets).await.json())),
            (
                "/api/events/{id}",
                format!("/api/events/{}", first(server.get("/api/events").await.json())),
            ),
            (
                "/api/problems/{id}",
                format!("/api/problems/{}", first(server.get("/api/problems").await.json())),
            ),
            (
                "/api/keys/{id}",
                format!("/api/keys/{}", spare["key"]["id"].as_str().unwrap()),
            ),
            ("/api/integrations/{id}", format!("/api/integrations/{integration}")),
            ("/api/providers/{key}", "/api/providers/sample".to_owned()),
            ("{provider}/{key}", "sample/unknown".to_owned()),
            ("{provider}", "sample".to_owned()),
        ])
    }

    fn fill(&self, path: &str, operation: &Value) -> String {
        let mut path = path.to_owned();
        for (from, to) in &self.0 {
            path = path.replace(from, to);
        }
        assert!(!path.contains('{'), "{path}: no seed");
        let names = operation["parameters"].as_array();
        let takes_project = names.is_some_and(|names| names.iter().any(|p| p["name"] == "projectId"));
        if takes_project {
            format!("{path}?projectId=default")
        } else {
            path
        }
    }
}

async fn status(server: &TestServer, who: As, method: &str, path: &str, body: Option<&Value>) -> u16 {
    // A stream has no end to wait for: its head is enough.
    let response = server
        .open(server.request(who, &method.to_uppercase(), path, body))
        .await;
    response.status().as_u16()
}

async fn check(method: &str, path: &str, operation: &Value) {
    let name = operation["operationId"].as_str().unwrap();
    let (least, body) = least(name).unwrap_or_else(|| panic!("{method} {path}: who may use {name}?"));
    let server = TestServer::start().await;
    let path = Seeds::plant(&server).await.fill(path, operation);
    let at = format!("{name}: {method} {path}");
    let status = |who| status(&server, who, method, &path, body.as_ref());
    let secured = operation.get("security").is_some();
    let anonymous = status(As::Anonymous).await;
    if least == Least::Public {
        assert!(!secured, "{at}: public, but the document says otherwise");
        // Signing in with nobody's password is refused too, but not for want of a session.
        assert!(anonymous != 403, "{at}: anonymous got {anonymous}");
        return;
    }
    assert!(secured, "{at}: the document does not say that it needs a caller");
    assert_eq!(anonymous, 401, "{at}: anonymous");
    if least == Least::Known {
        assert_eq!(status(As::Stranger).await, 200, "{at}: another project's");
        return;
    }
    let allowed = |role: Role| match least {
        Least::Public | Least::Known => true,
        Least::Role(least) => role >= least,
        Least::Operator => false,
    };
    for role in Role::ALL.iter().filter(|role| !allowed(**role)) {
        assert_eq!(status(As::Role(*role)).await, 403, "{at}: {role}");
    }
    if least == Least::Operator {
        assert_eq!(status(As::Operator).await, 200, "{at}: operator");
        return;
    }
    assert_eq!(status(As::Stranger).await, 404, "{at}: another project's");
    for (n, role) in Role::ALL.iter().filter(|role| allowed(**role)).enumerate() {
        let got = status(As::Role(*role)).await;
        // The first change may leave nothing for the second; without a demo there is none to load.
        let fine = (200..300).contains(&got) || got == 409 || (n > 0 && got == 404);
        assert!(fine, "{at}: {role} got {got}");
    }
    assert!(!matches!(status(As::Operator).await, 401 | 403), "{at}: operator");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_knows_its_roles() {
    let document = serde_json::to_value(lk_server::openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if let Some(operation) = item.get(method) {
                check(method, path, operation).await;
            }
        }
    }
}
