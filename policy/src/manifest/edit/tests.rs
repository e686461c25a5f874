use super::{apply, replacements, set_reference};
use crate::manifest::{Edit, scan};
use crate::reference::{Digest, Tag};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Moves the first field of `text` and returns the file, or the error.
fn moved(path: &str, text: &str, tag: &str, digest: Option<&str>) -> String {
    let out = scan(path, text.as_bytes());
    assert_eq!(out.findings, [], "in {text}");
    let fields = out.fields;
    let tag = Tag::parse(tag).unwrap();
    let digest = digest.map(|digest| Digest::parse(digest).unwrap());
    let result = replacements(&fields[0], &tag, digest.as_ref())
        .and_then(|edits| apply(path, text.as_bytes(), &edits));
    match result {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        Err(error) => format!("error: {error}"),
    }
}

fn pod(image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n  containers:\n  - name: web\n    image: {image}\n"
    )
}

/// Moves the image of a pod to `tag`; `before` and `after` are what follows `image: `.
#[track_caller]
fn check(before: &str, tag: &str, after: &str) {
    assert_eq!(moved("pod.yaml", &pod(before), tag, None), pod(after));
}

#[test]
fn only_the_tag_changes() {
    check("ghcr.io/acme/web:1.4.2", "1.4.3", "ghcr.io/acme/web:1.4.3");
    check("'nginx:1.4.2'   # keep 1.4.2", "1.4.3", "'nginx:1.4.3'   # keep 1.4.2");
    check("\"localhost:5000/web:1.4.2\"", "1.4.3", "\"localhost:5000/web:1.4.3\"");
    check("nginx", "1.4.3", "nginx:1.4.3");
    check(">-\n      nginx:1.4.2", "1.4.3", ">-\n      nginx:1.4.3");
    check("|\n      nginx:1.4.2  \n", "1.4.3", "|\n      nginx:1.4.3  \n");
    check("!!str nginx:1.4.2", "1.4.3", "!!str nginx:1.4.3");
    check("&web nginx:1.4.2", "1.4.3", "&web nginx:1.4.3");
    check(&format!("nginx:1.4.2@{DIGEST}"), "1.4.3", "nginx:1.4.3");
}

#[test]
fn a_pin_writes_tag_and_digest() {
    let after = moved("pod.yaml", &pod("nginx:1.4.2"), "1.4.3", Some(DIGEST));
    assert_eq!(after, pod(&format!("nginx:1.4.3@{DIGEST}")));
}

fn kustomization(entry: &str) -> String {
    format!("images:\n- name: ghcr.io/acme/web\n  {entry}\n")
}

#[track_caller]
fn check_entry(before: &str, tag: &str, after: &str) {
    assert_eq!(moved("kustomization.yaml", &kustomization(before), tag, None), kustomization(after));
}

#[test]
fn a_bare_tag_that_would_change_type_gets_quotes() {
    check_entry("newTag: 1.4.2", "1.10", "newTag: \"1.10\"");
    check_entry("newTag: 1.9", "1.10", "newTag: \"1.10\"");
    check_entry("newTag: '1.9'", "1.10", "newTag: '1.10'");
    for tag in ["1e3", "0644", "yes", "null", "2026-01-05", "1_0", "0x1f", "12345"] {
        check_entry("newTag: v1 # x", tag, &format!("newTag: \"{tag}\" # x"));
    }
    check_entry("newTag: \"1.9\"", "v2", "newTag: \"v2\"");
    check_entry("newTag: v1", "2.0.1", "newTag: 2.0.1");
}

#[test]
fn an_entry_without_a_place_for_the_tag_is_an_error() {
    let only_digest = kustomization(&format!("digest: {DIGEST}"));
    assert_eq!(
        moved("kustomization.yaml", &only_digest, "1.0", None),
        "error: kustomization.yaml#images/ghcr.io/acme/web has no line for the tag: add `newTag: …` first"
    );
    let both = kustomization(&format!("newTag: v1\n  digest: {DIGEST}"));
    assert_eq!(
        moved("kustomization.yaml", &both, "v2", None),
        "error: kustomization.yaml#images/ghcr.io/acme/web has a digest that would have to be removed: remove its line first"
    );
}

#[test]
fn an_edit_of_a_file_that_changed_is_refused() {
    let text = pod("nginx:1.4.2");
    let fields = scan("pod.yaml", text.as_bytes()).fields;
    let edits = replacements(&fields[0], &Tag::parse("1.4.3").unwrap(), None).unwrap();
    let error = apply("pod.yaml", pod("nginx:1.4.1").as_bytes(), &edits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pod.yaml does not hold `nginx:1.4.2` at bytes 92..103: it changed since the edit was planned"
    );
}

#[test]
fn the_whole_reference_can_be_replaced() {
    let text = pod("'nginx:1.4.2'");
    let fields = scan("pod.yaml", text.as_bytes()).fields;
    let edits = set_reference(&fields[0], "ghcr.io/acme/web:2").unwrap();
    assert_eq!(apply("pod.yaml", text.as_bytes(), &edits).unwrap(), pod("'ghcr.io/acme/web:2'").into_bytes());
}

#[test]
fn a_pin_needs_a_marked_line_for_the_digest() {
    let values = "tag: v1 # tidegate: nginx:tag policy=numeric\n";
    assert_eq!(
        moved("values.yaml", values, "v2", Some(DIGEST)),
        "error: values.yaml#/tag has no line for the digest: add a line marked `:digest` first"
    );
    let both = format!(
        "tag: v1 # tidegate: nginx:tag policy=numeric\ndigest: \"{DIGEST}\" # tidegate: nginx:digest\n"
    );
    let other = DIGEST.replace('0', "f");
    assert_eq!(
        moved("values.yaml", &both, "v2", Some(&other)),
        both.replace("v1", "v2").replace(DIGEST, &other)
    );
}

#[test]
fn an_edit_that_says_more_than_planned_is_refused() {
    let text = kustomization("newTag: v1");
    let at = text.find("v1").unwrap();
    for new in ["v2\n  newName: evil", "v2 # x", "[v2]", "'v2", "1.10", "v1: v2"] {
        let edit = Edit { range: at..at + 2, old: "v1".to_owned(), new: new.to_owned() };
        assert!(apply("kustomization.yaml", text.as_bytes(), &[edit]).is_err(), "{new}");
    }
}
