//! Every provider passes the conformance suite, with the fixtures of its folder.

use std::path::Path;

use lk_provider::conformance::{self, Fixture};

fn fixtures(key: &str) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(key)
        .join("fixtures");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            Fixture::parse(&name, &std::fs::read_to_string(path).unwrap()).unwrap()
        })
        .collect()
}

#[test]
fn every_provider_conforms() {
    let registry = crate::registry().unwrap();
    assert!(registry.len() >= 22);
    let mut findings = Vec::new();
    for provider in registry.iter() {
        let key = &provider.manifest().key;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(key);
        assert!(folder.join("manifest.toml").is_file(), "folder and key differ: {key}");
        findings.extend(conformance::check(provider.as_ref(), &fixtures(key)));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
