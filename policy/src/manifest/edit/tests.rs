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

/// Tags that some reader takes for something else than text.
const ODD: [&str; 26] = [
    "1.10",
    "1",
    "1.",
    "1e3",
    "1E3",
    "12e4567",
    "0644",
    "08",
    "0x10",
    "0o17",
    "0b1",
    "1_000",
    "1_0.5",
    "yes",
    "No",
    "on",
    "y",
    "null",
    "Null",
    "true",
    "2026-01-05",
    "2026-01",
    "0",
    "00",
    "1.2_3",
    "9223372036854775808",
];

#[test]
fn odd_tags_keep_or_get_quotes_in_every_style() {
    for tag in ODD.iter().filter(|tag| **tag != "2026-01") {
        check_entry("newTag: v1", tag, &format!("newTag: \"{tag}\""));
        check_entry("newTag: 1.9", tag, &format!("newTag: \"{tag}\""));
        check_entry("newTag: 'v1'", tag, &format!("newTag: '{tag}'"));
        check_entry("newTag: \"v1\"", tag, &format!("newTag: \"{tag}\""));
        check_entry("newTag: |-\n    v1", tag, &format!("newTag: |-\n    {tag}"));
        check_entry("newTag: !!str v1", tag, &format!("newTag: !!str \"{tag}\""));
        check_entry("newTag: &t v1", tag, &format!("newTag: &t \"{tag}\""));
        for [before, after] in
            [["v1", "\"TAG\""], ["1.9", "\"TAG\""], ["'v1'", "'TAG'"], ["\"v1\"", "\"TAG\""]]
        {
            let flow = |value: &str| format!("images: [{{name: web, newTag: {value}}}]\n");
            let after = flow(&after.replace("TAG", tag));
            assert_eq!(moved("kustomization.yaml", &flow(before), tag, None), after);
        }
        let json = |tag: &str| format!("{{\"images\":[{{\"name\":\"web\",\"newTag\":\"{tag}\"}}]}}");
        let api = |text: String| {
            text.replace("{\"images", "{\"apiVersion\":\"kustomize.config.k8s.io/v1beta1\",\"images")
        };
        assert_eq!(moved("k.json", &api(json("v1")), tag, None), api(json(tag)));
    }
}

#[test]
fn a_tag_behind_a_name_needs_no_quotes() {
    for tag in ODD {
        check("nginx:v1", tag, &format!("nginx:{tag}"));
    }
    // An image without a registry and with digits alone would be a base-60 number.
    check("\"12:30\"", "45", "\"12:45\"");
    check("'12'", "45", "'12:45'");
    check("web", "45", "web:45");
}

#[test]
fn a_name_of_digits_gets_quotes_when_its_tag_makes_it_a_time() {
    check("12:v1", "45", "\"12:45\"");
}

#[test]
fn alignment_line_ends_and_what_follows_stay() {
    let text = "\u{feff}kind: Pod\r\nmetadata: {name: a}\r\nspec:\r\n  containers:\r\n  - name:    c\r\n    image:   nginx:v1     # v1, é\t\r\n    args: [\"a\" , b ]   \r\n# end";
    assert_eq!(moved("a.yaml", text, "1.10", None), text.replace("nginx:v1", "nginx:1.10"));
    assert_eq!(
        moved("a.yaml", &text.replace("\r\n", "\n"), "v2", None),
        text.replace("\r\n", "\n").replace("nginx:v1", "nginx:v2")
    );
}

#[test]
fn a_block_scalar_keeps_its_header_and_its_line_feeds() {
    for block in ["|", "|-", "|+", ">", ">-", ">+", "|2-", ">- # why"] {
        for end in ["", "\n", "\n\n"] {
            let text = |tag: &str| {
                format!("kind: Pod\nspec:\n  containers:\n  - image: {block}\n      nginx:{tag}{end}")
            };
            assert_eq!(moved("a.yaml", &text("v1"), "1e3", None), text("1e3"), "{block:?} {end:?}");
        }
    }
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
