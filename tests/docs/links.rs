//! Links lead to files, and `make` to targets.

use std::path::Path;

use crate::page::{pages, root, source};

#[test]
fn every_relative_link_leads_to_a_file() {
    for page in pages() {
        let folder = root().join(Path::new(&page.name).parent().expect("a file has a folder"));
        for target in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !target.contains("://") && !file.is_empty() {
                assert!(folder.join(file).exists(), "{}: {target} leads nowhere", page.name);
            }
        }
    }
}

#[test]
fn every_make_target_that_a_page_names_exists() {
    let makefile = source("Makefile");
    let exists = |target: &str| makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
    let mut named = 0;
    for page in pages() {
        for code in page.code() {
            let Some(target) = code.strip_prefix("make ").and_then(|rest| rest.split_whitespace().next())
            else {
                continue;
            };
            assert!(exists(target), "{}: `make {target}` is no target", page.name);
            named += 1;
        }
    }
    assert!(named >= 4, "only {named} targets are named on all pages");
}

#[test]
fn every_path_of_the_code_map_exists() {
    for page in
        pages().iter().filter(|page| page.name == "docs/architecture.md" || page.name == "docs/testing.md")
    {
        for code in page.code() {
            let rooms = ["agent/", "policy/", "tests/", "manifests/", "docs/"];
            if rooms.iter().any(|room| code.starts_with(room)) && !code.contains(['{', '*', '<', ' ']) {
                assert!(root().join(&code).exists(), "{}: {code} is not there", page.name);
            }
        }
    }
}
