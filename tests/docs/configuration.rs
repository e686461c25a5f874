//! The configuration's page against the structs that read the file.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::{Mapping, Value};
use tidegate_agent::config::parse;

use crate::page::{page, pages, source};

/// The smallest configuration that is valid.
const LEAST: &str = "sources:\n- name: fleet\n  url: https://git.example.com/acme/fleet.git\n";

#[test]
fn every_example_of_a_configuration_is_valid() {
    let blocks = pages().into_iter().flat_map(|page| page.yaml());
    let examples: Vec<_> = blocks.filter(|block| block.text.lines().any(|line| line == "sources:")).collect();
    for example in &examples {
        if let Err(failure) = parse("tidegate.yaml", &example.text) {
            panic!("{}: {}", example.place, failure.chain());
        }
    }
    assert!(examples.len() >= 2, "examples of the configuration are missing");
}

#[test]
fn the_installed_configuration_is_valid() {
    let manifest: Value = serde_yaml::from_str(&source("manifests/configmap.yaml")).expect("YAML");
    let text = manifest["data"]["tidegate.yaml"].as_str().expect("the file");
    if let Err(failure) = parse("tidegate.yaml", text) {
        panic!("{}", failure.chain());
    }
}

#[test]
fn the_table_has_every_key_that_is_read_and_no_other() {
    let table: BTreeSet<String> = page("docs/configuration.md").names("setting").into_iter().collect();
    assert_eq!(table, keys_that_are_read());
}

#[test]
fn the_examples_of_the_page_set_every_key() {
    let mut set = BTreeSet::new();
    for block in page("docs/configuration.md").yaml() {
        paths(&serde_yaml::from_str(&block.text).expect("YAML"), "", &mut set);
    }
    assert_eq!(set, keys_that_are_read());
}

#[test]
fn the_defaults_of_the_table_are_those_of_the_build() {
    let mut spelt: Value = serde_yaml::from_str(LEAST).expect("YAML");
    let mut count = 0;
    for row in page("docs/configuration.md").table("setting") {
        let (key, default) = (row[0].trim_matches('`'), &row[2]);
        // Registries and logins have no entry in the smallest configuration.
        if key.starts_with("registries") || !default.starts_with('`') {
            continue;
        }
        let value = serde_yaml::from_str(default.trim_matches('`')).expect("YAML");
        set(&mut spelt, &key.split('.').collect::<Vec<_>>(), value);
        count += 1;
    }
    assert!(count >= 10, "only {count} defaults");
    let spelt = serde_yaml::to_string(&spelt).expect("YAML");
    let read =
        |text: &str| parse("tidegate.yaml", text).unwrap_or_else(|failure| panic!("{}", failure.chain()));
    assert_eq!(read(&spelt), read(LEAST), "{spelt}");
}

/// Sets `path` in a configuration with one source; `name[]` is the first item of a list.
fn set(at: &mut Value, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *at = value;
        return;
    };
    if !at.is_mapping() {
        *at = Value::Mapping(Mapping::new());
    }
    let name = first.trim_end_matches("[]");
    let map = at.as_mapping_mut().expect("a mapping");
    let next = map.entry(Value::from(name)).or_insert(Value::Null);
    set(if first.ends_with("[]") { &mut next[0] } else { next }, rest, value);
}

/// Collects the keys that a value sets, as in the table.
fn paths(value: &Value, above: &str, found: &mut BTreeSet<String>) {
    let dotted = |key: &str| if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
    for (key, value) in value.as_mapping().into_iter().flatten() {
        let key = dotted(key.as_str().expect("a string"));
        match value {
            Value::Sequence(items) if items.iter().any(Value::is_mapping) => {
                for item in items {
                    paths(item, &format!("{key}[]"), found);
                }
            }
            Value::Mapping(_) => paths(value, &key, found),
            _ => drop(found.insert(key)),
        }
    }
}

/// The keys of the file as its structs name them.
fn keys_that_are_read() -> BTreeSet<String> {
    let mut structs = structs(&source("agent/src/config/raw.rs"));
    structs.extend(self::structs(&source("agent/src/git.rs")));
    let mut found = BTreeSet::new();
    walk(&structs, "Config", "", &mut found);
    found
}

type Fields = Vec<(String, String)>;

/// Every struct of a file, with the names and types of its fields.
fn structs(text: &str) -> BTreeMap<String, Fields> {
    let mut found = BTreeMap::new();
    for part in text.split("struct ").skip(1) {
        let Some((name, rest)) = part.split_once(" {") else { continue };
        let body = rest.split("\n}").next().unwrap_or_default();
        let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub"));
        let fields = fields.map(|line| line.trim_start_matches("(super)").trim());
        let fields = fields.filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, kind)| (camel_case(name), kind.trim_end_matches(',').to_owned()));
        found.insert(name.to_owned(), fields.collect());
    }
    found
}

fn walk(structs: &BTreeMap<String, Fields>, name: &str, above: &str, found: &mut BTreeSet<String>) {
    for (field, kind) in &structs[name] {
        let key = if above.is_empty() { field.clone() } else { format!("{above}.{field}") };
        let inner = kind.trim_start_matches("Vec<").trim_start_matches("Option<").trim_end_matches('>');
        match structs.contains_key(inner) {
            true if kind.starts_with("Vec<") => walk(structs, inner, &format!("{key}[]"), found),
            true => walk(structs, inner, &key, found),
            false => drop(found.insert(key)),
        }
    }
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + &part[..1].to_uppercase() + &part[1..])
}
