//! The section `[oidc]`: what is wrong with it is one sentence at the start, without the secret.

use crate::harness::binary;

/// What a start with this file and these variables says before it gives up.
fn refused(text: &str, variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("linekeeper.toml");
    std::fs::write(&file, text).expect("a file");
    let mut command = binary();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(&file)
        .arg("--data-dir")
        .arg(folder.path().join("data"));
    for (name, value) in variables {
        command.env(format!("LINEKEEPER_OIDC__{name}"), value);
    }
    let done = command.output().expect("runs");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{text} {variables:?}: {said}");
    assert!(!said.contains("4711"), "the secret is shown: {said}");
    said
}

#[test]
fn a_wrong_section_is_refused_in_a_sentence() {
    let least = "[oidc]\nissuer = 'https://id.example.com'\nclient_id = 'lk'\n";
    let secret = "client_secret = 's-4711'\n";
    for (text, word) in [
        ("", "client_secret is missing"),
        ("client_secret = 4711", "must be text"),
        ("client_secret = 's-4711'\nclient_secret_file = '/x'", "not both"),
        (
            "client_secret_file = '/nowhere/secret'",
            "/nowhere/secret cannot be read",
        ),
        ("client_secret = 's-4711'\nrole = 'admin'", "set project"),
        (
            "client_secret = 's-4711'\ncreate_people = true\nproject = 'default'\nrole = 'boss'",
            "one of",
        ),
        (
            "client_secret = 's-4711'\ncreate_people = true\nproject = 'nowhere'",
            "nowhere",
        ),
        ("client_secret = 's-4711'\nproject = 'default'", "create_people"),
        ("client_secret = 's-4711'\ncreate_people = 'yes'", "true or false"),
        ("client_secret = 's-4711'\nallowed_domains = '@x.example'", "@x.example"),
        ("client_secret = 's-4711'\nisuer = 'x'", "isuer"),
    ] {
        let said = refused(&format!("{least}{text}"), &[]);
        assert!(said.contains(word), "{text}: {said}");
    }
    let said = refused(&format!("[oidc]\nclient_id = 'lk'\n{secret}"), &[]);
    assert!(said.contains("issuer"), "{said}");
    // Variables are text, whatever they look like, and come last.
    let variables = [
        ("ISSUER", "http://id.example.com"),
        ("CLIENT_ID", "123"),
        ("CLIENT_SECRET", "4711"),
        ("CREATE_PEOPLE", "false"),
    ];
    let said = refused("", &variables);
    assert!(
        said.contains("https address") && said.contains("http://id.example.com"),
        "{said}"
    );
    let said = refused(&format!("{least}{secret}"), &[("ISUER", "x")]);
    assert!(said.contains("isuer"), "{said}");
}
