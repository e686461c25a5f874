//! The lists of the pages are the closed lists of the code: annotation keys, reason codes, metrics, endpoints.

use std::collections::BTreeSet;

use tidegate_policy::annotation::{KEYS, LATER_KEYS};

use crate::page::{page, pages, source};

fn set<T: Into<String>>(names: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    names.into_iter().map(Into::into).collect()
}

/// The string literals on the right of `=>` in the first `fn code` after `start`.
fn codes(file: &str, start: &str) -> BTreeSet<String> {
    let text = source(file);
    let body =
        text.split(start).nth(1).and_then(|rest| rest.split("\n    }\n").next()).expect("the enum's codes");
    let codes = set(body.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()));
    assert!(codes.len() > 3, "no codes found in {file}");
    codes
}

#[test]
fn the_keys_of_the_page_are_those_of_the_build() {
    assert_eq!(set(page("docs/annotations.md").names("key")), set(KEYS.iter().copied()));
}

#[test]
fn the_reason_codes_of_the_page_are_those_of_the_build() {
    let page = page("docs/annotations.md");
    assert_eq!(set(page.names("filter")), codes("policy/src/select.rs", "impl Reason {"));
    assert_eq!(set(page.names("hold")), codes("policy/src/update.rs", "impl HoldReason {"));
}

#[test]
fn the_trailers_of_the_page_are_those_of_the_build() {
    let code = source("policy/src/history/trailer.rs") + &source("policy/src/sync/prune.rs");
    let known = code.split("\"Tidegate-").skip(1).filter_map(|rest| rest.split(['"', ':']).next());
    // Tests of the reader write whole messages, not names.
    let known = known.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let page = page("docs/annotations.md").names("trailer");
    let page = page.iter().filter_map(|name| name.strip_prefix("Tidegate-")?.split(':').next());
    assert_eq!(set(page), set(known));
}

#[test]
fn no_page_shows_an_annotation_that_this_build_does_not_honour() {
    for page in pages().iter().filter(|page| page.name != "docs/shortcomings.md") {
        for key in page.text.split("tidegate.io/").skip(1) {
            let end = key.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(key.len());
            let key = &key[..end];
            assert!(key.is_empty() || KEYS.contains(&key), "{}: tidegate.io/{key} is no key", page.name);
        }
        for later in LATER_KEYS.iter().filter(|_| page.name == "docs/annotations.md") {
            assert!(!page.code().contains(&(*later).to_owned()), "{}: `{later}` is promised", page.name);
        }
    }
}

#[test]
fn every_key_of_a_later_version_is_listed_as_a_shortcoming() {
    let code = set(page("docs/shortcomings.md").code());
    for key in LATER_KEYS {
        assert!(code.contains(*key), "docs/shortcomings.md does not name `{key}`");
    }
}

#[test]
fn metrics_and_endpoints_of_the_page_are_those_of_the_build() {
    let page = page("docs/configuration.md");
    let metrics = source("agent/src/metrics.rs");
    let registered = metrics.split("registry.register(\"").skip(1).filter_map(|rest| rest.split('"').next());
    assert_eq!(set(page.names("metric")), set(registered.map(|name| format!("tidegate_{name}"))));
    let admin = source("agent/src/admin.rs");
    let routes = admin.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
    assert_eq!(set(page.names("path")), set(routes));
}

#[test]
fn every_event_of_the_page_is_logged_somewhere() {
    let mut logged = String::new();
    let mut folders = vec![crate::page::root().join("agent/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of the repository").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                logged.push_str(&std::fs::read_to_string(path).expect("UTF-8 source"));
            }
        }
    }
    for event in page("docs/configuration.md").names("event") {
        assert!(logged.contains(&format!("event = \"{event}\"")), "no line has the event {event}");
    }
}
