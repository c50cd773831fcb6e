//! Two projects with people of every role, what the attackers want, and whoever may have it.

use lk_core::access::{Permit, Standing, Verb, authorize};
use lk_core::time::{DAY, MINUTE};
use lk_core::words::{Role, SignInMethod};
use lk_store::{MasterKey, NewProject, NewSession, NewUser, Store, StoreConfig};
use serde_json::{Value, json};

use super::http::{Answer, Ask, Browser};
use crate::harness::{Server, now};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Address of the person who runs the installation.
pub(crate) const OPERATOR: &str = "operator@example.org";

/// A person and a browser of theirs.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) browser: Browser,
}

/// A project and its people.
pub(crate) struct Side {
    pub(crate) id: String,
    pub(crate) slug: &'static str,
    people: Vec<(Role, Person)>,
}

impl Side {
    pub(crate) fn person(&self, role: Role) -> &Person {
        let found = self.people.iter().find(|(r, _)| *r == role);
        &found.expect("somebody of every role").1
    }

    pub(crate) fn browser(&self, role: Role) -> &Browser {
        &self.person(role).browser
    }
}

/// A server with two projects; `here` is the attacker's, `there` is somebody else's.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) here: Side,
    pub(crate) there: Side,
    pub(crate) operator: Person,
}

fn permit() -> Permit {
    permit_for(Verb::ManageUsers)
}

fn permit_for(verb: Verb) -> Permit {
    authorize(&Standing::command_line(), verb).expect("the command line may")
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Vec::new()).await
    }

    /// The same with variables for the server.
    pub(crate) async fn with(variables: Vec<(&'static str, String)>) -> Self {
        let mut server = Server::stopped(None);
        server.variables = variables;
        server.serve(None);
        let key = MasterKey::from_file(&server.dir.join("master.key")).expect("the key");
        let path = server.dir.join("linekeeper.db");
        let store = Store::open(&StoreConfig::Sqlite { path }, key, now()).await;
        let store = store.expect("opens beside the server");
        let operator = add(&store, OPERATOR, true).await;
        let other = NewProject {
            slug: "other".into(),
            name: "Other".into(),
            owner: None,
        };
        let permit = permit_for(Verb::CreateProject);
        store.create_project(&permit, &other, now()).await.expect("a project");
        let (here, there) = (side(&store, "default").await, side(&store, "other").await);
        let mut world = Self {
            server,
            store,
            here,
            there,
            operator,
        };
        let key = json!({"projectId": "default", "name": "own", "role": "owner"});
        let made = world.post(world.here.browser(Role::Owner), "/api/keys", &key).await;
        made["value"].as_str().expect("a key").clone_into(&mut world.server.key);
        world
    }

    /// A person with [`PASSWORD`] who belongs to no project.
    pub(crate) async fn add(&self, email: &str) -> Person {
        add(&self.store, email, false).await
    }

    /// A person with [`PASSWORD`] and this role in a project.
    pub(crate) async fn member(&self, side: &Side, email: &str, role: Role) -> Person {
        let person = self.add(email).await;
        set_role(&self.store, &side.id, &person.id, role).await;
        person
    }

    /// Another browser of the same person, who proved who they are so many minutes ago.
    pub(crate) async fn browser(&self, person: &Person, minutes_ago: i64) -> Browser {
        session(&self.store, &person.id, minutes_ago).await
    }

    /// Signs in as the person does, through the API.
    pub(crate) async fn sign_in(&self, email: &str) -> Answer {
        let body = json!({"email": email, "password": PASSWORD});
        Ask::post("/api/session", &body).send(&self.server).await
    }

    /// The JSON of a POST that must succeed.
    pub(crate) async fn post(&self, browser: &Browser, path: &str, body: &Value) -> Value {
        let answer = Ask::post(path, body).by(browser).send(&self.server).await;
        assert!(
            (200..300).contains(&answer.status),
            "{path}: {} {}",
            answer.status,
            answer.text
        );
        answer.json()
    }

    /// The JSON of a GET that must succeed.
    pub(crate) async fn get(&self, browser: &Browser, path: &str) -> Value {
        let answer = Ask::get(path).by(browser).send(&self.server).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Status of a GET.
    pub(crate) async fn looks(&self, browser: &Browser, path: &str) -> u16 {
        Ask::get(path).by(browser).send(&self.server).await.status
    }

    /// How many rows the audit log has: every change of anything people set is one.
    pub(crate) async fn changes(&self) -> i64 {
        let rows = self.store.audit_log(&lk_store::AuditFilter::default(), None, 1).await;
        rows.expect("reads").first().map_or(0, |row| row.seq)
    }

    /// Connects an integration; the answer's JSON.
    pub(crate) async fn connect(&self, side: &Side, name: &str) -> Value {
        let body = json!({"projectId": side.id, "provider": "standard_webhooks", "name": name});
        self.post(side.browser(Role::Admin), "/api/integrations", &body).await
    }
}

async fn side(store: &Store, slug: &'static str) -> Side {
    let id = store.project(slug).await.expect("a project").id;
    let mut people = Vec::new();
    for role in Role::ALL {
        let person = add(store, &format!("{role}@{slug}.example"), false).await;
        set_role(store, &id, &person.id, *role).await;
        people.push((*role, person));
    }
    Side { id, slug, people }
}

async fn set_role(store: &Store, project_id: &str, user_id: &str, role: Role) {
    let set = store.set_member(&permit(), project_id, user_id, role, now()).await;
    set.expect("a member");
}

async fn add(store: &Store, email: &str, operator: bool) -> Person {
    // Made once, because it is meant to be slow.
    static HASH: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let hash = HASH.get_or_init(|| lk_server::hash_password(PASSWORD).expect("a hash"));
    let new = NewUser {
        email: email.to_owned(),
        name: email.split('@').next().unwrap_or_default().to_owned(),
        password_hash: Some(hash.clone()),
        operator,
    };
    let user = store.create_user(&permit(), &new, now()).await.expect("a person");
    Person {
        browser: session(store, &user.id, 0).await,
        id: user.id,
        email: email.to_owned(),
    }
}

async fn session(store: &Store, user_id: &str, minutes_ago: i64) -> Browser {
    let token = lk_server::new_token().expect("a token");
    let csrf = lk_server::new_token().expect("a token");
    let new = NewSession {
        id_hash: lk_server::token_hash(&token).to_vec(),
        user_id: user_id.to_owned(),
        method: SignInMethod::Password,
        proven_hash: None,
        csrf: csrf.clone(),
        expires_at: now() + DAY,
        source: None,
        user_agent: None,
    };
    let begun = store.create_session(&new, now() - minutes_ago * MINUTE);
    begun.await.expect("a session");
    Browser {
        cookie: format!("lk_session={token}"),
        csrf,
    }
}
