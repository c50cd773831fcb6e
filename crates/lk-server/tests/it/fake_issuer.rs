//! An identity provider that can be told to misbehave, for what a real one never sends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode, header};
use lk_core::Time;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

/// The client that the issuer knows.
pub(crate) const CLIENT_ID: &str = "linekeeper";
pub(crate) const CLIENT_SECRET: &str = "not-a-real-secret";
/// The subject in every ID token, unless edited.
pub(crate) const SUBJECT: &str = "subject-1";
const ACCESS_TOKEN: &str = "access-1";

/// How the token endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Good,
    Failing,
    Html,
    Silent,
    Garbage,
    Anonymous,
}

/// Changes the header and the claims of an ID token.
pub(crate) type Edit = fn(&mut Value, &mut Value);

/// What was asked for at the authorisation endpoint.
#[derive(Clone)]
struct Asked {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

struct Script {
    issuer: String,
    now_s: i64,
    kid: String,
    key: EcdsaKeyPair,
    token: Token,
    edit: Edit,
    user_info: Option<Value>,
    metadata: Value,
    codes: HashMap<String, Asked>,
}

type Shared = Arc<Mutex<Script>>;

/// A running issuer on loopback; gone when dropped.
pub(crate) struct FakeIssuer {
    pub(crate) url: String,
    script: Shared,
    _running: JoinSet<()>,
}

impl FakeIssuer {
    pub(crate) async fn start(now: Time) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Script {
            issuer: url.clone(),
            now_s: now.ms() / 1_000,
            kid: "key-1".to_owned(),
            key: new_key(),
            token: Token::Good,
            edit: |_, _| {},
            user_info: None,
            metadata: json!({}),
            codes: HashMap::new(),
        };
        let script = Arc::new(Mutex::new(script));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .with_state(Arc::clone(&script));
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            script,
            _running: running,
        }
    }

    fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    /// Changes the header and the claims of the next ID tokens before they are signed.
    pub(crate) fn edit(&self, edit: Edit) {
        self.script(|script| script.edit = edit);
    }

    pub(crate) fn token(&self, token: Token) {
        self.script(|script| script.token = token);
    }

    /// Tells claims at the userinfo endpoint and none of the person in the ID token.
    pub(crate) fn user_info(&self, claims: Value) {
        self.script(|script| script.user_info = Some(claims));
    }

    /// Adds to the discovery document.
    pub(crate) fn metadata(&self, extra: Value) {
        self.script(|script| script.metadata = extra);
    }

    /// Signs with a new key from now on.
    pub(crate) fn rotate(&self) {
        self.script(|script| {
            "key-2".clone_into(&mut script.kid);
            script.key = new_key();
        });
    }

    /// What the authorisation endpoint does with the address that a browser was sent to: gives a
    /// code and the state.
    pub(crate) fn authorize(&self, address: &str) -> (String, String) {
        let url = Url::parse(address).unwrap();
        assert!(address.starts_with(&format!("{}/authorize?", self.url)), "{address}");
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT_ID);
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["state"].len() >= 43 && asked["nonce"].len() >= 43, "{address}");
        let code = format!("code-{}", lk_server::new_token().unwrap());
        let entry = Asked {
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
        };
        self.script(|script| drop(script.codes.insert(code.clone(), entry)));
        (code, asked["state"].clone())
    }
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
}

async fn metadata(State(shared): State<Shared>) -> Json<Value> {
    let script = shared.lock().unwrap();
    let at = |path: &str| format!("{}{path}", script.issuer);
    let mut document = json!({
        "issuer": script.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
    });
    for (key, value) in script.metadata.as_object().unwrap() {
        document[key] = value.clone();
    }
    Json(document)
}

async fn jwks(State(shared): State<Shared>) -> Json<Value> {
    let script = shared.lock().unwrap();
    // An uncompressed point: 4, x, y.
    let point = script.key.public_key().as_ref();
    let part = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
    Json(json!({"keys": [
        {"kty": "EC", "crv": "P-256", "use": "sig", "kid": script.kid, "x": part(1), "y": part(33)},
    ]}))
}

async fn token(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mode = shared.lock().unwrap().token;
    match mode {
        Token::Failing => return (StatusCode::INTERNAL_SERVER_ERROR, "").into_response(),
        Token::Html => return ([(header::CONTENT_TYPE, "text/html")], "<html>Sorry</html>").into_response(),
        Token::Garbage => return ([(header::CONTENT_TYPE, "application/json")], "[{").into_response(),
        Token::Silent => std::future::pending().await,
        Token::Good | Token::Anonymous => {}
    }
    let mut script = shared.lock().unwrap();
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let Some(asked) = script.codes.remove(&form["code"]) else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    };
    let basic = STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"));
    assert_eq!(headers[header::AUTHORIZATION], format!("Basic {basic}"));
    assert_eq!(form["redirect_uri"], asked.redirect_uri);
    let hash = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(hash), asked.challenge);
    let mut answer = json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 60});
    if mode == Token::Good {
        answer["id_token"] = id_token(&script, &asked).into();
    }
    Json(answer).into_response()
}

fn id_token(script: &Script, asked: &Asked) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, ACCESS_TOKEN.as_bytes());
    let mut head = json!({"alg": "ES256", "kid": script.kid, "typ": "JWT"});
    let mut claims = json!({
        "iss": script.issuer, "sub": SUBJECT, "aud": CLIENT_ID, "nonce": asked.nonce,
        "iat": script.now_s, "exp": script.now_s + 300, "auth_time": script.now_s - 10,
        "at_hash": URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]),
    });
    if script.user_info.is_none() {
        claims["email"] = "ann@example.com".into();
        claims["email_verified"] = true.into();
        claims["name"] = "Ann Example".into();
    }
    (script.edit)(&mut head, &mut claims);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let signature: Vec<u8> = match head["alg"].as_str() {
        Some("none") => vec![],
        // What anybody who knows the client's secret could make.
        Some("HS256") => {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, CLIENT_SECRET.as_bytes());
            ring::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
        }
        _ => {
            let signature = script.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            signature.as_ref().to_vec()
        }
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn user_info(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    assert_eq!(headers[header::AUTHORIZATION], format!("Bearer {ACCESS_TOKEN}"));
    match shared.lock().unwrap().user_info.clone() {
        Some(claims) => Json(claims).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
