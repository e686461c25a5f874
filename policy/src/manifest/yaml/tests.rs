//! Hostile and odd input: refused with a line, quickly, and never a panic.

use std::fmt::Write as _;

use crate::manifest::{objects, scan};

/// Reads `text` as a whole unit would; returns the first finding, or how many objects there are.
fn outcome(bytes: &[u8]) -> String {
    let found = objects("a.yaml", bytes);
    scan("a.yaml", bytes);
    match found.findings.first() {
        Some(problem) => problem.to_string(),
        None => format!("{} objects, {} skipped", found.objects.len(), found.skipped),
    }
}

#[track_caller]
fn check(text: &str, expect: &str) {
    // The word makes `scan` read it too.
    let text = format!("{text}\n# image tidegate:");
    assert_eq!(outcome(text.as_bytes()), expect);
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let alias = format!("*a{}", level - 1);
        writeln!(text, "a{level}: &a{level} [{}]", [alias.as_str(); 9].join(",")).unwrap();
    }
    check(&text, "a.yaml:7: the file is too large once its aliases are expanded");
    let scalar = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(70));
    check(&scalar, "a.yaml:2: the file is too large once its aliases are expanded");
}

#[test]
fn a_cycle_is_refused() {
    check("a: &a [*a]", "a.yaml:1: the alias stands inside the value that it names");
    check("a: &a\n  b: {c: *a}", "a.yaml:2: the alias stands inside the value that it names");
    check("a: &a\n  <<: *a", "a.yaml:2: the alias stands inside the value that it names");
    check(
        "a: *b",
        "a.yaml:1: not YAML: while parsing node, found unknown anchor (hint: mend the line: its document is left alone until then)",
    );
}

#[test]
fn deep_nesting_is_refused() {
    check(
        &"[".repeat(100_000),
        "a.yaml:1: not YAML: recursion limit exceeded (hint: mend the line: its document is left alone until then)",
    );
    let mut blocks = String::new();
    for depth in 0..1000 {
        writeln!(blocks, "{}a:", " ".repeat(depth)).unwrap();
    }
    check(&blocks, "a.yaml:128: nested more than 128 levels deep");
    let aliases =
        format!("a: &a {}{}\nb: {}*a{}", "[".repeat(100), "]".repeat(100), "[".repeat(100), "]".repeat(100));
    check(&aliases, "a.yaml:2: nested more than 128 levels deep");
    check(&format!("a: {}{}", "[".repeat(126), "]".repeat(126)), "0 objects, 1 skipped");
}

#[test]
fn duplicate_keys_are_refused() {
    check("a: 1\n\"a\": 2", "a.yaml:2: the key `a` stands twice in one mapping (hint: remove one of them)");
    check(
        "yes: 1\n\"true\": 2",
        "a.yaml:2: the key `true` stands twice in one mapping (hint: remove one of them)",
    );
    let many = (0..20).fold(String::new(), |text, n| text + "k" + &n.to_string() + ": 1\n");
    check(
        &format!("{many}k7: 1"),
        "a.yaml:21: the key `k7` stands twice in one mapping (hint: remove one of them)",
    );
    check(
        "a: &a {x: 1}\nb: &b {y: 1}\nc:\n  <<: *a\n  <<: *b",
        "a.yaml:5: `<<` stands twice in one mapping (hint: give it a list of mappings)",
    );
}

#[test]
fn keys_that_are_no_strings_are_refused() {
    check("? [a]\n: 1", "a.yaml:1: a mapping key must be a string");
    check("~: 1", "a.yaml:1: the key `~` is no string (hint: put it in quotes)");
    check("!!binary aW1hZ2U=: 1", "a.yaml:1: a mapping key must be a plain or quoted string, without a tag");
}

#[test]
fn unknown_tags_are_refused() {
    check("a: !!python/object:os.system x", "a.yaml:1: the tag `!!python/object:os.system` is not known");
    check("a: !Ref x", "a.yaml:1: the tag `!Ref` is not known");
    check("a: !!seq {}", "a.yaml:1: the tag does not fit the value");
}

#[test]
fn what_only_some_readers_take_for_a_line_end_is_refused() {
    for c in ['\u{85}', '\u{2028}', '\u{2029}'] {
        check(
            &format!("a: 1\nb: x # {c}y"),
            "a.yaml:2: the document holds a character that ends the line to some readers and not to others (hint: write it as `\\u0085`, `\\u2028` or `\\u2029` in double quotes)",
        );
    }
    check("a: \"\\u2028\\L\\N\" # é", "0 objects, 1 skipped");
}

#[test]
fn what_means_something_else_to_other_readers_is_refused() {
    check(
        "%TAG !! tag:a,2000:\n---\na: !!str 1",
        "a.yaml:2: not YAML: did not find expected <document start> (hint: mend the line: its document is left alone until then)",
    );
    check(
        "a: [?b]",
        "a.yaml:1: `?` and `:` begin a key or a value here to some readers and a word to others (hint: put the word in quotes)",
    );
    check("a: ?b\nb: [a?, '?', a:b]\nc: :d", "0 objects, 1 skipped");
    check("a: [!, b]", "a.yaml:1: the tag `!` stands before nothing");
}

#[test]
fn a_merge_that_readers_disagree_about_is_refused() {
    check(
        "b: &b {x: 1}\na:\n  x: 2\n  <<: *b",
        "a.yaml:4: `x` stands before `<<`, which brings it too: readers disagree which one holds (hint: make `<<` the first key of the mapping)",
    );
    check(
        "a: {<<: {yes: 1}, 'true': 2}",
        "a.yaml:1: the key `true` comes as a string and as something else (hint: put it in quotes wherever it stands)",
    );
    check("a: {<<: {yes: 1}, on: 2}", "0 objects, 1 skipped");
    check("a:\n  <<: 1", "a.yaml:2: `<<` needs a mapping or a list of mappings");
}

#[test]
fn control_characters_are_refused() {
    check("a: \"\\0\"", "a.yaml:1: a value holds a NUL character");
    check(
        "a: 1\nb: \u{7}",
        "a.yaml:2: the file holds a control character (hint: write it as an escape in double quotes)",
    );
    assert_eq!(outcome(b"a: 1\n\xffimage"), "a.yaml:2: the file is not UTF-8 text (hint: save it as UTF-8)");
}

#[test]
fn tabs_do_not_indent() {
    check(
        "a:\n\tb: 1",
        "a.yaml:2: not YAML: tabs disallowed within this context (block indentation) (hint: mend the line: its document is left alone until then)",
    );
    check("a: |\n  x\n  \ty", "0 objects, 1 skipped");
}

#[test]
fn sizes_are_capped_before_parsing() {
    let large = format!("a: {}\n", "x".repeat(4 << 20));
    check(&large, "a.yaml: the file is larger than 4 MiB and is not read (hint: split it)");
    check(
        &"---\n".repeat(200_000),
        "a.yaml: the file has more than 5,000 documents and is not read (hint: split it)",
    );
}

#[test]
fn merge_conflicts_are_called_by_their_name() {
    check(
        "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> main",
        "a.yaml:2: the file holds the markers of a merge conflict (hint: resolve the conflict)",
    );
}

#[test]
fn only_a_comment_may_follow_the_dashes() {
    check(
        "a: 1\n--- b: 1",
        "a.yaml:2: only a comment may follow `---` on its line (hint: begin the document on the next line)",
    );
    check(
        "----\na: 1",
        "a.yaml:1: only a comment may follow `---` on its line (hint: begin the document on the next line)",
    );
    check(
        "a: 1\n...\nb: 1",
        "a.yaml:2: something follows the end of the document (hint: begin the next document with a line `---`)",
    );
    check("%YAML 1.2\n---\na: 1\n...\n", "0 objects, 1 skipped");
}

#[test]
fn numbers_without_a_json_form_are_refused() {
    check(
        "apiVersion: v1\nkind: A\nmetadata: {name: a}\nx: .nan",
        "a.yaml:4: infinite and not-a-number have no form in JSON",
    );
    check(
        "apiVersion: v1\nkind: A\nmetadata: {name: a}\nx: !!int yes",
        "a.yaml:4: the tag does not fit the value",
    );
}

/// The value of `data` in a manifest with these lines below it.
#[track_caller]
fn check_data(lines: &str, expect: &str) {
    let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{lines}\n");
    let found = objects("a.yaml", text.as_bytes());
    let data = found.objects.first().and_then(|object| object.value.get("data")).map(ToString::to_string);
    assert_eq!(data.as_deref(), Some(expect), "{:?}", found.findings);
}

#[test]
fn values_are_those_that_kubectl_sends() {
    check_data(
        "  a: 0644\n  b: yes\n  c: 1e3\n  d: -0.0\n  e: 0.1",
        r#"{"a":420,"b":true,"c":1000,"d":0,"e":0.1}"#,
    );
    check_data(
        "  a: !!str 5\n  b: !!binary aGVsbG8=\n  c: !!float 1\n  d: ! yes",
        r#"{"a":"5","b":"hello","c":1,"d":"yes"}"#,
    );
    check_data("  on: 1\n  0644: 2\n  1.5: 3", r#"{"1.5":3,"420":2,"true":1}"#);
    check_data("  <<: [{a: 1}, {a: 2, b: 3}]\n  c: 4", r#"{"a":1,"b":3,"c":4}"#);
    check_data("  <<: {a: 1}\n  a: 2\n  \"<<\": 3", r#"{"<<":3,"a":2}"#);
    check_data(
        "  a: |\n    x\n     y\n  b: >-\n    x\n    y\n  c: \"x\n    y\"",
        r#"{"a":"x\n y\n","b":"x y","c":"x y"}"#,
    );
    check_data("  a: &a [1, ~]\n  b: *a", r#"{"a":[1,null],"b":[1,null]}"#);
    check_data(
        "  a: 2026-01-05\n  b: 12:30\n  c: 18446744073709551615",
        r#"{"a":"2026-01-05","b":"12:30","c":1.8446744073709552e+19}"#,
    );
}
