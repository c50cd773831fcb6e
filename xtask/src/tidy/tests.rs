//! Every rule finds a planted violation and leaves sound text alone; and the repository obeys all.

use super::scan::{scan, test_ranges};
use super::{SourceFile, Violation, check, check_files};
use crate::tidy::crates::{check_lock, check_member, check_reasons};
use crate::tidy::text::check_lengths;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn found(path: &str, text: &str) -> Vec<Violation> {
    let providers = ["stripe", "github", "generic", "standard_webhooks"]
        .map(str::to_owned)
        .into();
    check_files(&[file(path, text)], &providers)
}

fn rules(path: &str, text: &str) -> Vec<(&'static str, usize)> {
    found(path, text).into_iter().map(|v| (v.rule, v.line)).collect()
}

#[test]
fn the_repository_obeys() {
    let broken = check(&crate::repository_root()).unwrap();
    let lines: Vec<String> = broken
        .iter()
        .map(|v| format!("{}:{}: [{}] {}", v.path, v.line, v.rule, v.message))
        .collect();
    assert!(broken.is_empty(), "\n{}", lines.join("\n"));
}

#[test]
fn crate_edges_and_homes() {
    let ok = "[dependencies]\nlk-core.workspace = true\nregex.workspace = true\n";
    assert_eq!(check_member("p", "lk-provider", ok), []);
    let edge = "[dependencies]\nlk-store.workspace = true\n";
    assert_eq!(check_member("p", "lk-provider", edge)[0].rule, "crate-edges");
    let dev_edge = "[dev-dependencies]\nlk-providers.workspace = true\n";
    assert_eq!(check_member("p", "lk-engine", dev_edge)[0].rule, "crate-edges");
    let target = "[target.'cfg(unix)'.dependencies]\nlk-server.workspace = true\n";
    assert_eq!(check_member("p", "lk-engine", target)[0].rule, "crate-edges");
    assert_eq!(check_member("p", "lk-new", ok)[0].rule, "crate-edges");
    let home = "[dependencies]\nreqwest.workspace = true\n";
    assert_eq!(check_member("p", "lk-server", home)[0].rule, "crate-homes");
    assert_eq!(check_member("p", "lk-engine", home), []);
}

#[test]
fn the_core_stays_small() {
    let exact = "[dependencies]\naho-corasick = \"1\"\nblake3 = \"1\"\nregex = \"1\"\nregex-syntax = \"0.8\"\nthiserror = \"2\"\n[dev-dependencies]\nproptest = \"1\"\n";
    assert_eq!(check_member("p", "lk-core", exact), []);
    let more = format!("serde = \"1\"\n{exact}");
    let more = more.replacen("serde = \"1\"\n[dependencies]\n", "[dependencies]\nserde = \"1\"\n", 1);
    assert_eq!(check_member("p", "lk-core", &more)[0].rule, "core-dependencies");
}

#[test]
fn dependencies_say_why() {
    let ok = "[workspace.dependencies]\nlk-core = { path = \"crates/lk-core\" }\n# a, b: why\na = \"1\"\nb = \"2\"\n[lints]\nc = 1\n";
    assert_eq!(check_reasons("Cargo.toml", ok), []);
    let bare = "[workspace.dependencies]\n# a: why\na = \"1\"\nb = \"2\"\n";
    assert_eq!(check_reasons("Cargo.toml", bare)[0].line, 4);
    let empty = "[workspace.dependencies]\n# a:\na = \"1\"\n";
    assert_eq!(check_reasons("Cargo.toml", empty)[0].rule, "dependency-reason");
}

#[test]
fn lock_files() {
    assert_eq!(check_lock("Cargo.lock", "name = \"reqwest\"\nname = \"ring\"\n"), []);
    assert_eq!(check_lock("Cargo.lock", "name = \"aws-lc-sys\"\n")[0].rule, "lock-file");
    assert_eq!(
        check_lock("Cargo.lock", "name = \"reqwest\"\nname = \"reqwest\"\n")[0].rule,
        "lock-file"
    );
    let host = "{\n\"resolved\": \"https://registry.example/x.tgz\"}";
    assert_eq!(rules("web/package-lock.json", host), [("lock-file", 2)]);
}

#[test]
fn provider_names() {
    for text in [
        "let stripe_key = 1;",
        "struct StripeKey;",
        "// like Stripe does",
        "use GitHubClient;",
        "\"x-github-event\"",
    ] {
        assert_eq!(rules("crates/lk-core/src/a.rs", text), [("provider-name", 1)], "{text}");
    }
    assert_eq!(rules("web/src/a.tsx", "const a = 'stripe'"), [("provider-name", 1)]);
    for text in ["striped rows", "a generic rule", "hubgit", "struct StandardWebhooks;"] {
        assert_eq!(rules("crates/lk-core/src/a.rs", text), [], "{text}");
    }
}

#[test]
fn provider_names_where_they_belong() {
    let text = "const NAME: &str = \"stripe\";";
    for path in [
        "crates/lk-providers/src/stripe/mod.rs",
        "crates/lk-fakes/src/a.rs",
        "crates/linekeeper/src/main.rs",
        "crates/lk-core/src/classify/tests.rs",
        "crates/lk-store/tests/it/main.rs",
        "web/src/test/handlers.ts",
        "web/src/features/a.test.tsx",
    ] {
        assert_eq!(rules(path, text), [], "{path}");
    }
    let inline =
        "fn a() {}\n#[cfg(test)]\nmod tests {\n    const A: &str = \"stripe\";\n}\nconst B: &str = \"stripe\";\n";
    assert_eq!(rules("crates/lk-core/src/a.rs", inline), [("provider-name", 6)]);
}

#[test]
fn sql_has_one_home() {
    for text in [
        "\"SELECT a\n FROM b\"",
        "r#\"INSERT INTO a VALUES (1)\"#",
        "\"UPDATE a SET b = 1\"",
        "\"DELETE FROM a\"",
        "\"select a from b \"",
        "\"CREATE INDEX a\"",
    ] {
        assert_eq!(rules("crates/lk-server/src/a.rs", text), [("sql-home", 1)], "{text}");
        assert_eq!(rules("crates/lk-store/src/a.rs", text), [], "{text}");
    }
    for text in [
        "\"Delete from the list\"",
        "// SELECT a FROM b",
        "\"Please select one from the list\"",
    ] {
        assert_eq!(rules("crates/lk-server/src/a.rs", text), [], "{text}");
    }
}

#[test]
fn unfinished_work() {
    let rust = "crates/lk-core/src/a.rs";
    assert_eq!(rules(rust, "fn a() { todo!() }"), [("unfinished", 1)]);
    assert_eq!(rules(rust, "fn a() { unimplemented!(\"x\") }"), [("unfinished", 1)]);
    assert_eq!(rules(rust, "#[test]\n#[ignore]\nfn a() {}"), [("unfinished", 2)]);
    assert_eq!(rules(rust, "#[ignore = \"slow\"]\nfn a() {}"), [("unfinished", 1)]);
    assert_eq!(rules(rust, "// FIXME later"), [("unfinished", 1)]);
    assert_eq!(rules(rust, "/// Enough for now."), [("unfinished", 1)]);
    assert_eq!(rules(rust, "let a = list.skip(1); let b = \"todo!\";"), []);
    let script = "web/src/a.test.ts";
    assert_eq!(rules(script, "test.skip('a', f)"), [("unfinished", 1)]);
    assert_eq!(rules(script, "describe.only('a', f)"), [("unfinished", 1)]);
    assert_eq!(rules(script, "it.concurrent.only('a', f)"), [("unfinished", 1)]);
    assert_eq!(rules(script, "it('a', f); audio.skip(3)"), []);
}

#[test]
fn inline_styles() {
    assert_eq!(
        rules("web/src/a.tsx", "const a = (\n  <p style={{ color }} />)"),
        [("inline-style", 2)]
    );
    assert_eq!(rules("web/index.html", "<p style=\"x\">"), [("inline-style", 1)]);
    assert_eq!(rules("web/src/a.tsx", "<p className={style} lineStyle=\"x\" />"), []);
}

#[test]
fn functions_stay_short() {
    let body = |lines: usize| format!("fn a() {{\n{}}}\n", "    b();\n".repeat(lines));
    let path = "crates/lk-core/src/a.rs";
    assert_eq!(rules(path, &body(70)), []);
    assert_eq!(rules(path, &body(71)), [("function-length", 1)]);
    let commented = format!(
        "fn a() {{\n{}{}}}\n",
        "    b();\n".repeat(70),
        "    // why\n\n".repeat(9)
    );
    assert_eq!(rules(path, &commented), []);
}

#[test]
fn files_stay_short() {
    let of = |path: &str, lines: usize| file(path, &"x\n".repeat(lines));
    assert_eq!(check_lengths(&[of("a.rs", 800), of("b.rs", 9), of("c.rs", 9)]), []);
    assert_eq!(
        check_lengths(&[of("a.rs", 801), of("b.rs", 9), of("c.rs", 9)])[0].path,
        "a.rs"
    );
    let many: Vec<_> = (0..10).map(|i| of(&format!("{i}.rs"), 400)).collect();
    assert!(check_lengths(&many)[0].message.contains("90th percentile is 400"));
    let generated = file(
        "web/src/api/schema.ts",
        &format!("// Generated by a tool.\n{}", "x\n".repeat(900)),
    );
    assert_eq!(check_lengths(&[generated]), []);
}

#[test]
fn strings_comments_and_code_are_told_apart() {
    let scanned = scan(
        "let a = \"b // c\"; // d \"e\"\nlet f = r#\"g\"h\"#; let i = 'j'; let k: &'l str = '\"'; m",
        true,
    );
    let literals: Vec<_> = scanned.literals.iter().map(|l| l.text.as_str()).collect();
    assert_eq!(literals, ["b // c", "g\"h"]);
    assert!(scanned.comments.contains("d \"e\"") && !scanned.comments.contains("let"));
    assert!(scanned.code.ends_with("; m") && scanned.code.contains("&'l str"));
    let nested = scan("/* a /* b */ \"c\" */ d", true);
    assert_eq!((nested.code.trim(), nested.literals.len()), ("d", 0));
    let script = scan("const a = `b ${c}`; const d = 'e'; // f's", false);
    assert_eq!(script.literals.len(), 2);
}

#[test]
fn test_items_are_found() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n#[cfg(test)]\nmod more {\n  fn c() {}\n}\nfn d() {}\n";
    assert_eq!(test_ranges(code), [(2, 3), (5, 8)]);
}
