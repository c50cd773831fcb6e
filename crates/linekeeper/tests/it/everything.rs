//! Everything an installation keeps and tells, as text, to be searched for what must not be there.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Server, files};

/// Silence after which a stream is taken to have told all it had.
const STREAM_SILENCE: Duration = Duration::from_secs(2);

/// Every file below the data folder and the log, with its name.
pub(crate) fn kept(server: &Server) -> Vec<(String, String)> {
    let mut paths = files(&server.dir);
    assert!(paths.iter().any(|path| path.ends_with("linekeeper.db")));
    paths.push(server.log_file());
    paths
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())
        })
        .collect()
}

/// The answer of every GET route that the API's document names, for every row there is, and the
/// exports.
pub(crate) async fn told(server: &Server) -> Vec<(String, String)> {
    let (mut all, person) = (Vec::new(), signed_in(server).await);
    let document = server.get("/api/openapi.json").await;
    let paths = document["paths"].as_object().expect("paths");
    // Signing in with an identity provider tells nothing, it leads elsewhere.
    let tells = |methods: &Value| methods["get"]["responses"].get("200").is_some();
    for (path, _) in paths.iter().filter(|(_, methods)| tells(methods)) {
        if path == "/api/integrations/events" {
            let stream = stream(server, path);
            assert!(stream.contains("event: "), "{stream}");
            all.push((path.clone(), stream));
            continue;
        }
        if path.starts_with("/api/profile") {
            let response = server.call_with(person.clone(), "GET", path, None).await;
            let text = String::from_utf8_lossy(&response.body).into_owned();
            assert_eq!(response.status, 200, "{path}: {text}");
            all.push((path.clone(), text));
            continue;
        }
        for path in filled(server, path).await {
            pages(server, &path, &mut all).await;
        }
    }
    for format in ["jsonl", "csv"] {
        let export = server.run(&["export", "--format", format], "");
        all.push((format!("export as {format}"), export));
    }
    all
}

/// The headers of a signed-in browser: a key has no account of its own.
async fn signed_in(server: &Server) -> Vec<(String, String)> {
    let password = "a password for reading everything";
    server.run(
        &[
            "user",
            "add",
            "--email",
            "reader@example.com",
            "--operator",
            "--password-stdin",
        ],
        password,
    );
    let body = serde_json::json!({"email": "reader@example.com", "password": password});
    let response = server.call_with(vec![], "POST", "/api/session", Some(&body)).await;
    assert_eq!(response.status, 200);
    let cookie = response
        .headers
        .iter()
        .find(|(name, _)| name == "set-cookie")
        .expect("a cookie");
    let cookie = cookie.1.split(';').next().unwrap_or_default().to_owned();
    vec![("cookie".to_owned(), cookie)]
}

/// A path with every value of its parameter.
async fn filled(server: &Server, path: &str) -> Vec<String> {
    let Some(from) = path.find('{') else {
        return vec![path.to_owned()];
    };
    let to = path.find('}').expect("a closing bracket");
    let (list, field) = match &path[..from] {
        "/api/integrations/" => ("/api/integrations", "id"),
        "/api/events/" => ("/api/events", "id"),
        "/api/problems/" => ("/api/problems", "id"),
        "/api/providers/" => ("/api/providers", "key"),
        "/api/projects/" => ("/api/projects", "id"),
        _ => panic!("say here where the values of {path} are listed"),
    };
    let mut answers = Vec::new();
    pages(server, list, &mut answers).await;
    let values = answers.iter().flat_map(|(_, text)| {
        let page: Value = serde_json::from_str(text).expect("JSON");
        let items = page["items"].as_array().cloned().unwrap_or_default();
        items
            .into_iter()
            .filter_map(|item| item[field].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    });
    values
        .map(|value| format!("{}{value}{}", &path[..from], &path[to + 1..]))
        .collect()
}

/// A GET and, where it is a list, its further pages.
async fn pages(server: &Server, path: &str, all: &mut Vec<(String, String)>) {
    let mut next = path.to_owned();
    loop {
        let response = server.call("GET", &next, None).await;
        let text = String::from_utf8_lossy(&response.body).into_owned();
        assert_eq!(response.status, 200, "{next}: {text}");
        let page: Value = serde_json::from_str(&text).unwrap_or_default();
        all.push((next, text));
        match page["nextCursor"].as_str() {
            Some(cursor) => next = format!("{path}?cursor={cursor}"),
            None => return,
        }
    }
}

/// What the live stream tells somebody who missed everything.
fn stream(server: &Server, path: &str) -> String {
    let address = server.url.strip_prefix("http://").expect("an address");
    let mut connection = TcpStream::connect(address).expect("connects");
    connection.set_read_timeout(Some(STREAM_SILENCE)).expect("a timeout");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nLast-Event-ID: 0\r\n\r\n",
        server.key
    );
    connection.write_all(request.as_bytes()).expect("asks");
    let (mut told, mut part) = (Vec::new(), [0; 8192]);
    while let Ok(count @ 1..) = connection.read(&mut part) {
        told.extend_from_slice(&part[..count]);
    }
    String::from_utf8_lossy(&told).into_owned()
}
