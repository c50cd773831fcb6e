//! TLS ends in the binary: a throwaway authority, its certificate replaced while it is served.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::harness::{Server, eventually};

const PASSWORD: &str = "correct horse battery staple";

/// An authority that the test's client trusts.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("signs itself"))
    }

    /// Writes a new certificate and its key beside the server's data.
    fn issue(&self, server: &Server) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let cert = params.signed_by(&key, &self.0).expect("signs");
        fs::write(server.dir.with_extension("cert"), cert.pem()).expect("writes");
        fs::write(server.dir.with_extension("key"), key.serialize_pem()).expect("writes");
    }

    async fn connect(&self, server: &Server, protocols: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("a root");
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        let address = server.url.strip_prefix("https://").expect("https");
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// The whole answer to a request, in lowercase.
    async fn ask(&self, server: &Server, head: &str, body: &str) -> String {
        let mut stream = self.connect(server, &["http/1.1"]).await.expect("shakes hands");
        let length = body.len();
        let request = format!("{head}host: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.expect("is sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("answers");
        String::from_utf8_lossy(&answer).to_lowercase()
    }

    /// The certificate that the server shows now.
    async fn shown(&self, server: &Server) -> Vec<u8> {
        let stream = self.connect(server, &["h2"]).await.expect("shakes hands");
        let shown = stream.get_ref().1.peer_certificates().expect("a certificate");
        shown[0].as_ref().to_vec()
    }
}

fn serving(authority: &Authority) -> Server {
    let mut server = Server::stopped(None);
    authority.issue(&server);
    let path = |ending: &str| server.dir.with_extension(ending).display().to_string();
    server.variables = vec![
        ("LINEKEEPER_TLS_CERT", path("cert")),
        ("LINEKEEPER_TLS_KEY", path("key")),
    ];
    server.serve(None);
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_commands_are_told_https() {
    let authority = Authority::new();
    let server = serving(&authority);
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let answer = authority.ask(&server, "GET /healthz HTTP/1.1\r\n", "").await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
    for (offered, spoken) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"][..], "http/1.1")] {
        let stream = authority.connect(&server, offered).await.expect("shakes hands");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(spoken.as_bytes()));
    }
    let person = [
        "user",
        "add",
        "--email",
        "mia@example.com",
        "--operator",
        "--password-stdin",
    ];
    server.run(&person, PASSWORD);
    let body = format!(r#"{{"email":"mia@example.com","password":"{PASSWORD}"}}"#);
    let head = "POST /api/session HTTP/1.1\r\ncontent-type: application/json\r\n";
    let answer = authority.ask(&server, head, &body).await;
    let cookie = answer.lines().find(|line| line.starts_with("set-cookie: "));
    let cookie = cookie.unwrap_or_else(|| panic!("no cookie: {answer}"));
    assert!(
        cookie.contains("__host-lk_session=") && cookie.contains("; secure"),
        "{cookie}"
    );
    let added = server.run(&["integration", "add", "--provider", "github", "--json"], "");
    assert!(added.contains(&format!("{}/webhooks/github/", server.url)), "{added}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_plays_beside_tls() {
    let authority = Authority::new();
    let server = serving(&authority);
    let key = server.run(&["key", "create", "--role", "owner"], "");
    let bearer = format!("authorization: Bearer {}\r\n", key.trim());
    let loaded = authority
        .ask(&server, &format!("POST /api/demo HTTP/1.1\r\n{bearer}"), "")
        .await;
    assert!(loaded.contains(r#""running":true"#), "{loaded}");
    eventually("an event of the demo", || async {
        let page = authority
            .ask(&server, &format!("GET /api/events HTTP/1.1\r\n{bearer}"), "")
            .await;
        page.contains(r#""kind":"webhook""#).then_some(())
    })
    .await;
    assert!(!server.log().contains("demo delivery failed"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_shake_hands_holds_nobody_up() {
    let authority = Authority::new();
    let mut server = serving(&authority);
    let address = server.url["https://".len()..].to_owned();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(&address).await.expect("connects"));
    }
    let mut plain = TcpStream::connect(&address).await.expect("connects");
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("is sent");
    let mut refused = Vec::new();
    drop(plain.read_to_end(&mut refused).await);
    assert!(!refused.starts_with(b"HTTP/1.1 200"), "no plain text on this port");
    let stranger = Authority::new();
    assert!(stranger.connect(&server, &["h2"]).await.is_err());
    let answer = authority.ask(&server, "GET /healthz HTTP/1.1\r\n", "");
    let answer = tokio::time::timeout(Duration::from_secs(3), answer).await;
    assert!(answer.expect("at once").starts_with("http/1.1 200"));
    let begun = std::time::Duration::from_secs(5);
    let ended = tokio::task::spawn_blocking(move || server.terminate());
    let ended = tokio::time::timeout(begun, ended)
        .await
        .expect("unfinished handshakes do not delay the end");
    assert_eq!(ended.expect("ends"), Some(0));
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_certificate_is_served_and_a_bad_one_is_not() {
    let authority = Authority::new();
    let server = serving(&authority);
    let first = authority.shown(&server).await;
    fs::write(server.dir.with_extension("cert"), "rubbish").expect("writes");
    eventually("the warning", || async {
        server.log().contains("the old one stays").then_some(())
    })
    .await;
    assert_eq!(authority.shown(&server).await, first);
    authority.issue(&server);
    eventually("the new certificate", || async {
        (authority.shown(&server).await != first).then_some(())
    })
    .await;
}

#[tokio::test]
async fn half_a_pair_is_a_clear_mistake() {
    let server = Server::stopped(None);
    for (variables, sentence) in [
        (
            vec![("LINEKEEPER_TLS_CERT", "/nowhere/cert.pem")],
            "tls_cert and tls_key belong together",
        ),
        (
            vec![
                ("LINEKEEPER_TLS_CERT", "/nowhere/cert.pem"),
                ("LINEKEEPER_TLS_KEY", "/nowhere/key.pem"),
            ],
            "the file /nowhere/cert.pem cannot be read",
        ),
        (
            vec![("LINEKEEPER_TRUSTED_PROXIES", "10.0.0.0/8, nonsense")],
            "`nonsense` is neither",
        ),
    ] {
        let output = server.try_run_with(&["serve", "--listen", "127.0.0.1:0"], "", &variables);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("linekeeper: ") && said.contains(sentence), "{said}");
    }
}
