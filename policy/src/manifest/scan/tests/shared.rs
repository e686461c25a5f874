//! Values that an anchor shares with a place that is no image: moving the image would change that, too.

use super::check;

/// A Pod with a policy for all containers, and what follows `metadata:` and `spec:`.
fn pod(metadata: &str, spec: &str) -> String {
    format!(
        "kind: Pod\nmetadata: {{name: a, annotations: {{tidegate.io/policy: numeric}}{metadata}}}\nspec:\n{spec}"
    )
}

/// The first field is on `line`, and line `other` makes it held.
#[track_caller]
fn check_held(text: &str, line: usize, other: usize) {
    let out = super::scan("a.yaml", text.as_bytes());
    let shown: Vec<String> = out.findings.iter().map(ToString::to_string).collect();
    let expect = format!(
        "a.yaml:{line}: line {other} reads this value by an anchor and is no image that moves with it (hint: write the image out in each place, or put a marker beside the anchor)"
    );
    assert_eq!(shown, [expect]);
    assert!(matches!(out.fields[0].policy, crate::manifest::FieldPolicy::Invalid(_)));
    assert_eq!(out.fields[0].shared, Some(other));
}

#[test]
fn a_label_that_reads_the_image_holds_it() {
    check_held(&pod(", labels: {image: &i web:1}", "  containers:\n  - {name: c, image: *i}\n"), 2, 2);
    let text = "kind: Pod\nspec:\n  containers:\n  - name: c\n    image: &i web:1\nmetadata:\n  name: a\n  annotations: {tidegate.io/policy: numeric}\n  labels:\n    image: *i\n";
    check_held(text, 5, 10);
}

#[test]
fn an_environment_variable_that_reads_the_image_holds_it() {
    check_held(
        &pod(
            "",
            "  containers:\n  - name: c\n    image: &i web:1\n    env:\n    - name: I\n      value: *i\n",
        ),
        6,
        9,
    );
    check_held(
        &pod(
            "",
            "  containers:\n  - name: c\n    env:\n    - name: I\n      value: &i web:1\n    image: *i\n",
        ),
        8,
        8,
    );
    check_held(&pod("", "  containers:\n  - name: c\n    image: &i web:1\n    args: [a, *i]\n"), 6, 7);
}

#[test]
fn a_mapping_that_is_read_elsewhere_holds_the_image_in_it() {
    check_held(&pod("", "  containers:\n  - &c {name: c, image: web:1}\n  other: [*c]\n"), 5, 6);
    check_held(&pod("", "  other: &o {image: web:1}\n  containers:\n  - {<<: *o, name: c}\n"), 4, 4);
}

#[test]
fn anchors_that_are_only_referred_to_hold_nothing() {
    let numeric = |line: usize| format!("{line} a.yaml#/Pod//a#c web:1 [Whole=web:1] numeric");
    for spare in ["x-image", "definitions", ".base"] {
        let text = format!("{spare}: &i web:1\n{}", pod("", "  containers:\n  - {name: c, image: *i}\n"));
        check("a.yaml", &text, &numeric(1));
        let text = format!(
            "{spare}:\n  - &i {{image: web:1}}\n{}",
            pod("", "  containers:\n  - {<<: *i, name: c}\n")
        );
        check("a.yaml", &text, &numeric(2));
    }
}

#[test]
fn images_that_all_move_share_a_value_by_a_merge() {
    check(
        "a.yaml",
        &pod("", "  containers:\n  - &c {name: c, image: web:1}\n  - {<<: *c, name: d}\n"),
        "5 a.yaml#/Pod//a#c web:1 [Whole=web:1] numeric\n5 a.yaml#/Pod//a#d web:1 [Whole=web:1] numeric",
    );
    check(
        "a.yaml",
        &pod("", "  containers:\n  - &c {name: c, image: web:1}\n  - {<<: *c, name: d, image: db:1}\n"),
        "5 a.yaml#/Pod//a#c web:1 [Whole=web:1] numeric\n6 a.yaml#/Pod//a#d db:1 [Whole=db:1] numeric",
    );
}

#[test]
fn a_marker_beside_the_anchor_speaks_for_all_aliases() {
    let values = "web:\n  image: &i\n    name: acme/web\n    tag: v1 # tidegate: acme/web:tag policy=numeric\nworker:\n  image: *i\n";
    check("values.yaml", values, "4 values.yaml#/web/image/tag acme/web:v1 [Tag=v1] numeric");
    check(
        "values.yaml",
        "web: &i web:1\nworker: *i # tidegate: web policy=numeric\n",
        "1 values.yaml#/worker web:1 [Whole=web:1] invalid\n\
         values.yaml:1: line 1 reads this value by an anchor and is no image that moves with it (hint: write the image out in each place, or put a marker beside the anchor)",
    );
}

#[test]
fn a_field_without_a_policy_has_no_finding() {
    check(
        "a.yaml",
        "kind: Pod\nmetadata: {name: a, labels: {i: &i web:1}}\nspec: {containers: [{name: c, image: *i}]}\n",
        "2 a.yaml#/Pod//a#c web:1 [Whole=web:1] -",
    );
}
