//! Every route with every role, by key and by session. The rows come from the OpenAPI document: a
//! route without an entry in [`least`] fails.

use lk_core::words::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, As, PASSWORD, TestServer};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Least {
    /// Anybody.
    Public,
    /// Anybody with a session or key, whatever their projects.
    Known,
    /// Any signed-in person, about their own account; no key.
    Person,
    /// Any signed-in member of the project; no key.
    Member,
    /// Members of the project from this role up.
    Role(Role),
    /// Whoever runs the installation.
    Operator,
}

/// One row of the table.
struct Row {
    least: Least,
    /// Whether a session must have proven lately who is there.
    proof: bool,
    body: Option<Value>,
}

const fn row(least: Least) -> Row {
    Row {
        least,
        proof: false,
        body: None,
    }
}

impl Row {
    fn proven(mut self) -> Self {
        self.proof = true;
        self
    }

    fn with(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// The least caller of each operation, and the body it is tried with. `{member}` in a body is a
/// member of the project.
fn least(operation: &str) -> Option<Row> {
    public(operation)
        .or_else(|| personal(operation))
        .or_else(|| looking(operation))
        .or_else(|| changing(operation))
        .or_else(|| people(operation))
}

fn public(operation: &str) -> Option<Row> {
    let public = row(Least::Public);
    let token = json!({"token": "t"});
    Some(match operation {
        "getSession" | "signOut" | "getSetup" | "healthz" | "readyz" | "getOpenapi" | "getProviderIcon"
        | "startOidc" | "finishOidc" | "finishConnect" => public,
        "signIn" => public.with(json!({"email": "a@example.com", "password": "x"})),
        "setUp" | "join" => {
            public.with(json!({"token": "t", "email": "a@example.com", "name": "A", "password": "a long password"}))
        }
        "lookAtInvitation" | "lookAtReset" => public.with(token),
        "resetPassword" => public.with(json!({"token": "t", "password": "a long password"})),
        "receiveWebhook" | "receiveAliasWebhook" => public.with(json!({})),
        _ => return None,
    })
}

fn personal(operation: &str) -> Option<Row> {
    let person = row(Least::Person);
    Some(match operation {
        "getProfile" | "listOwnSessions" | "endOtherSessions" | "endOwnSession" | "listOwnKeys" | "revokeOwnKey" => {
            person
        }
        "updateProfile" => person.with(json!({"name": "Ann", "version": 1})),
        "changePassword" => person.with(json!({"current": PASSWORD, "password": "another long password"})),
        "proveSession" => person.with(json!({"password": PASSWORD})),
        "beginTotp" | "removeTotp" | "replaceRecoveryCodes" | "unlinkIdentities" => person.proven(),
        "confirmTotp" => person.with(json!({"code": "123456"})),
        "acceptInvitation" => person.with(json!({"token": "t"})),
        "leaveProject" => row(Least::Member),
        _ => return None,
    })
}

fn looking(operation: &str) -> Option<Row> {
    Some(match operation {
        "getMetrics" => row(Least::Operator),
        "listProviders" | "listProjects" => row(Least::Known),
        "getOverview"
        | "listIntegrations"
        | "getIntegration"
        | "listEvents"
        | "getEvent"
        | "listProblems"
        | "getIntegrationHealth"
        | "listIntegrationHealthHistory"
        | "exportIntegrationHealth"
        | "getProblem"
        | "getDemo"
        | "listMembers"
        | "listRejections"
        | "streamEvents"
        | "getProject" => row(Least::Role(Role::Viewer)),
        "listWebhookSecrets" => row(Least::Role(Role::Admin)),
        "listKeys" | "listAudit" | "exportAudit" | "listInvitations" => row(Least::Role(Role::Admin)).proven(),
        "checkAudit" | "listUsers" | "getInstallationHealth" | "exportInstallationHealth" => {
            row(Least::Operator).proven()
        }
        _ => return None,
    })
}

fn changing(operation: &str) -> Option<Row> {
    let (editor, admin) = (row(Least::Role(Role::Editor)), row(Least::Role(Role::Admin)));
    Some(match operation {
        "giveFeedback" => editor.with(json!({"helpful": true})),
        // Nothing is checked there: being told so is being let in.
        "checkIntegrationNow" | "reconnectIntegration" => editor,
        "updateProblem" => editor.with(json!({"state": "acknowledged", "version": 1})),
        "createIntegration" => admin.with(json!({"projectId": "default", "provider": "sample", "name": "New"})),
        "updateIntegration" => admin.with(json!({"name": "Changed", "version": 1})),
        "addWebhookSecret" | "retireWebhookSecret" => admin.with(json!({})),
        "deleteIntegration" | "bindAlias" | "freeAlias" | "loadDemo" | "removeDemo" => admin,
        _ => return None,
    })
}

fn people(operation: &str) -> Option<Row> {
    let admin = row(Least::Role(Role::Admin)).proven();
    let owner = row(Least::Role(Role::Owner)).proven();
    let operator = row(Least::Operator).proven();
    Some(match operation {
        "createKey" => admin.with(json!({"projectId": "default", "name": "k", "role": "viewer"})),
        "revokeKey" | "removeMember" | "withdrawInvitation" => admin,
        "updateMember" => admin.with(json!({"role": "editor", "version": 1})),
        "createInvitation" => admin.with(json!({"projectId": "default", "role": "viewer"})),
        "updateProject" => admin.with(json!({"name": "Renamed", "version": 1})),
        // The project of the tests cannot be deleted at all: being told so is being let in.
        "deleteProject" => owner.with(json!({"confirm": "default"})),
        "transferProject" => owner.with(json!({"userId": "{member}"})),
        "createProject" => operator.with(json!({"slug": "new", "name": "New"})),
        "createUser" => operator.with(json!({"email": "new@example.com", "name": "New"})),
        "updateUser" => operator.with(json!({"name": "Renamed", "version": 1})),
        "createResetLink" | "endSessionsOf" | "removeTotpOf" | "unlinkIdentitiesOf" => operator,
        _ => return None,
    })
}

/// Things that the paths' ids name.
struct Seeds {
    member: String,
    paths: Vec<(&'static str, String)>,
}

impl Seeds {
    async fn plant(server: &TestServer) -> Self {
        let created = server.connect().await;
        let integration = created["integration"]["id"].as_str().unwrap().to_owned();
        let failure = json!({"id": "d1", "type": "a.failed", "message": "no", "code": "c"});
        assert_eq!(server.deliver(&created, &failure).await.status, 200);
        let post = async |path: &str, body: Value| {
            server
                .call(As::Role(Role::Admin), "POST", path, Some(body))
                .await
                .json()
        };
        let spare = post("/api/keys", json!({"name": "spare", "role": "viewer"})).await;
        let invitation = post("/api/invitations", json!({"role": "viewer"})).await;
        let first = |value: Value| value["items"][0]["id"].as_str().unwrap().to_owned();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let member = server.person("member@example.com", Role::Viewer).await;
        let secrets = format!("/api/integrations/{integration}/webhook-secrets");
        let own = server
            .call(As::Signed(Role::Viewer), "GET", "/api/profile/sessions", None)
            .await;
        let paths = vec![
            ("{secretId}", first(server.get(&secrets).await.json())),
            (
                "/api/profile/sessions/{id}",
                format!("/api/profile/sessions/{}", first(own.json())),
            ),
            // Nobody's own: being told that there is none is being let in.
            ("/api/profile/keys/{id}", format!("/api/profile/keys/{integration}")),
            (
                "/api/events/{id}",
                format!("/api/events/{}", first(server.get("/api/events").await.json())),
            ),
            (
                "/api/problems/{id}",
                format!("/api/problems/{}", first(server.get("/api/problems").await.json())),
            ),
            ("/api/keys/{id}", format!("/api/keys/{}", text(&spare["key"]["id"]))),
            (
                "/api/invitations/{id}",
                format!("/api/invitations/{}", text(&invitation["invitation"]["id"])),
            ),
            ("/api/members/{id}", format!("/api/members/{member}")),
            ("/api/users/{id}", format!("/api/users/{member}")),
            ("/api/projects/{id}", format!("/api/projects/{}", server.project.id)),
            ("/api/integrations/{id}", format!("/api/integrations/{integration}")),
            ("/api/providers/{key}", "/api/providers/sample".to_owned()),
            ("{provider}/{key}", "sample/unknown".to_owned()),
            ("{provider}", "sample".to_owned()),
        ];
        Self { member, paths }
    }

    fn fill(&self, path: &str, operation: &Value) -> String {
        let mut path = path.to_owned();
        for (from, to) in &self.paths {
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

    fn body(&self, body: Option<Value>) -> Option<Value> {
        let text = body?.to_string().replace("{member}", &self.member);
        Some(serde_json::from_str(&text).unwrap())
    }
}

/// One operation on one server.
struct Case {
    server: TestServer,
    at: String,
    method: String,
    path: String,
    row: Row,
}

impl Case {
    async fn new(method: &str, path: &str, operation: &Value) -> Self {
        let name = operation["operationId"].as_str().unwrap();
        let mut row = least(name).unwrap_or_else(|| panic!("{method} {path}: who may use {name}?"));
        let server = TestServer::start().await;
        let seeds = Seeds::plant(&server).await;
        row.body = seeds.body(row.body.take());
        let path = seeds.fill(path, operation);
        Self {
            at: format!("{name}: {method} {path}"),
            method: method.to_uppercase(),
            server,
            path,
            row,
        }
    }

    async fn ask(&self, who: As) -> Answer {
        let request = self
            .server
            .request(who, &self.method, &self.path, self.row.body.as_ref());
        self.server.head_of(request).await
    }

    async fn refused(&self, who: As, status: u16, code: &str) {
        let answer = self.ask(who).await;
        let got = (answer.status.as_u16(), answer.error());
        assert_eq!(got, (status, code.to_owned()), "{}: {who:?}", self.at);
    }

    /// Whoever is let in may still be told that there is nothing left, or that a code is wrong.
    async fn let_in(&self, who: As) {
        let answer = self.ask(who).await;
        let status = answer.status.as_u16();
        let shut_out = status == 403 || (status == 401 && answer.error() == "unauthenticated") || status >= 500;
        assert!(!shut_out, "{}: {who:?} got {status} {}", self.at, answer.text);
    }

    async fn by_session(&self, stale: As, fresh: As) {
        if self.row.proof {
            self.refused(stale, 403, "sudo_required").await;
        } else {
            self.let_in(stale).await;
        }
        self.let_in(fresh).await;
    }
}

async fn check(method: &str, path: &str, operation: &Value) {
    let case = Case::new(method, path, operation).await;
    let at = &case.at;
    let secured = operation.get("security").is_some();
    if case.row.least == Least::Public {
        assert!(!secured, "{at}: public, but the document says otherwise");
        // Signing in with nobody's password is refused too, but not for want of a session.
        return case.let_in(As::Anonymous).await;
    }
    assert!(secured, "{at}: the document does not say that it needs a caller");
    case.refused(As::Anonymous, 401, "unauthenticated").await;
    match case.row.least {
        Least::Public => {}
        Least::Known => {
            case.let_in(As::Stranger).await;
            case.let_in(As::Stale(Role::Viewer)).await;
        }
        Least::Person | Least::Member => {
            case.refused(As::Role(Role::Owner), 403, "forbidden").await;
            if case.row.least == Least::Member {
                case.refused(As::SignedStranger, 404, "not_found").await;
            }
            case.by_session(As::Stale(Role::Viewer), As::Signed(Role::Viewer)).await;
        }
        Least::Operator => {
            for role in Role::ALL {
                case.refused(As::Role(*role), 403, "forbidden").await;
                case.refused(As::Signed(*role), 403, "forbidden").await;
            }
            case.by_session(As::StaleOperator, As::Operator).await;
        }
        Least::Role(least) => {
            case.refused(As::Stranger, 404, "not_found").await;
            case.refused(As::SignedStranger, 404, "not_found").await;
            for role in Role::ALL.iter().filter(|role| **role < least) {
                case.refused(As::Role(*role), 403, "forbidden").await;
                case.refused(As::Signed(*role), 403, "forbidden").await;
            }
            case.by_session(As::Stale(least), As::Signed(least)).await;
            for role in Role::ALL.iter().filter(|role| **role >= least) {
                case.let_in(As::Role(*role)).await;
            }
            case.let_in(As::Operator).await;
        }
    }
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
