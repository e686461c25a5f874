use super::{check, check_with};
use crate::manifest::ImagePaths;

fn paths(of: &[(&str, &str, &str)]) -> ImagePaths {
    let mut paths = ImagePaths::default();
    for (group, kind, path) in of {
        paths.add(group, kind, path).unwrap();
    }
    paths
}

const WORKFLOW: &str = "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nmetadata:\n  name: nightly\n  annotations:\n    tidegate.io/policy: semver:^1\n    tidegate.io/policy.load: none\nspec:\n  workflowSpec:\n    templates:\n    - name: load\n      container:\n        image: acme/load:1.0.0\n    - name: report\n      container: {image: 'acme/report:1.0.0'}\n    - name: wait\n      suspend: {}\n";

#[test]
fn images_at_configured_paths_are_fields_that_the_annotations_govern() {
    let templates =
        paths(&[("argoproj.io", "CronWorkflow", "/spec/workflowSpec/templates/*/container/image")]);
    check_with(
        "a.yaml",
        WORKFLOW,
        &templates,
        "13 a.yaml#argoproj.io/CronWorkflow//nightly#load acme/load:1.0.0 [Whole=acme/load:1.0.0] -\n\
         15 a.yaml#argoproj.io/CronWorkflow//nightly#report acme/report:1.0.0 [Whole=acme/report:1.0.0] semver:^1",
    );
    check("a.yaml", WORKFLOW, "");
}

#[test]
fn a_path_belongs_to_its_group_and_kind() {
    let path = "/spec/workflowSpec/templates/*/container/image";
    for (group, kind, fields) in [
        ("argoproj.io", "CronWorkflow", 2),
        ("*", "CronWorkflow", 2),
        ("", "CronWorkflow", 0),
        ("argo", "CronWorkflow", 0),
        ("argoproj.io", "Workflow", 0),
    ] {
        let out = super::scan_with("a.yaml", WORKFLOW.as_bytes(), &paths(&[(group, kind, path)]));
        assert_eq!(out.fields.len(), fields, "{group}/{kind}");
    }
}

#[test]
fn an_image_without_a_name_around_it_is_called_by_its_place() {
    check_with(
        "a.yaml",
        "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: main, namespace: mon}\nspec:\n  image: prom/prometheus:v2.50.0\n  a~b/c: {image: x:1}\n",
        &paths(&[
            ("monitoring.coreos.com", "Prometheus", "/spec/image"),
            ("*", "Prometheus", "/spec/*/image"),
        ]),
        "5 a.yaml#monitoring.coreos.com/Prometheus/mon/main#/spec/image prom/prometheus:v2.50.0 [Whole=prom/prometheus:v2.50.0] -\n\
         6 a.yaml#monitoring.coreos.com/Prometheus/mon/main#/spec/a~0b~1c/image x:1 [Whole=x:1] -",
    );
}

#[test]
fn names_that_would_be_equal_give_way_to_the_places() {
    check_with(
        "a.yaml",
        "apiVersion: a.io/v1\nkind: Set\nmetadata: {name: s}\nspec:\n  name: s\n  image: a:1\n  other: {image: b:1}\n  template: {spec: {containers: [{name: web, image: c:1}]}}\n  web: {name: web, image: d:1}\n",
        &paths(&[
            ("a.io", "Set", "/spec/image"),
            ("a.io", "Set", "/spec/other/image"),
            ("a.io", "Set", "/spec/web/image"),
        ]),
        "6 a.yaml#a.io/Set//s#/spec/image a:1 [Whole=a:1] -\n\
         7 a.yaml#a.io/Set//s#/spec/other/image b:1 [Whole=b:1] -\n\
         8 a.yaml#a.io/Set//s#web c:1 [Whole=c:1] -\n\
         9 a.yaml#a.io/Set//s#/spec/web/image d:1 [Whole=d:1] -",
    );
}

#[test]
fn what_a_pod_template_holds_anyway_is_one_field() {
    check_with(
        "a.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec:\n  template: {spec: {containers: [{name: web, image: a:1}], volumes: [{name: m, image: {reference: m:1}}]}}\n",
        &paths(&[
            ("argoproj.io", "Rollout", "/spec/template/spec/containers/*/image"),
            ("argoproj.io", "Rollout", "/spec/template/spec/*/*/image/reference"),
            ("argoproj.io", "Rollout", "/spec/template/*/containers/0/image"),
        ]),
        "5 a.yaml#argoproj.io/Rollout//r#web a:1 [Whole=a:1] -\n5 a.yaml#argoproj.io/Rollout//r#volumes/m m:1 [Whole=m:1] -",
    );
}

#[test]
fn values_of_lists_and_keys_without_the_word_are_found() {
    check_with(
        "a.yaml",
        "apiVersion: a.io/v1\nkind: Set\nmetadata: {name: s}\nspec:\n  runs: [a:1, 'b:1'] # none\n  base: &b {ref: c:1}\n  more: [{<<: *b, name: x}, *b]\n",
        &paths(&[("a.io", "Set", "/spec/runs/*"), ("a.io", "Set", "/spec/more/*/ref")]),
        "5 a.yaml#a.io/Set//s#/spec/runs/0 a:1 [Whole=a:1] -\n\
         5 a.yaml#a.io/Set//s#/spec/runs/1 b:1 [Whole=b:1] -\n\
         6 a.yaml#a.io/Set//s#x c:1 [Whole=c:1] -\n\
         6 a.yaml#a.io/Set//s#/spec/more/1/ref c:1 [Whole=c:1] -",
    );
}

#[test]
fn a_path_to_something_else_than_text_is_a_finding() {
    check_with(
        "a.yaml",
        "apiVersion: a.io/v1\nkind: Set\nmetadata: {name: s}\nspec:\n  image:\n    repository: a\n  ref: ~\n  no: ''\n",
        &paths(&[("a.io", "Set", "/spec/image"), ("a.io", "Set", "/spec/ref"), ("a.io", "Set", "/spec/no")]),
        "a.yaml:6: `/spec/image` is configured as an image and is no text (hint: name the path of a value that holds a whole image reference)",
    );
}

#[test]
fn a_marker_beside_a_configured_path_governs_it() {
    let text = |annotations: &str| {
        format!(
            "apiVersion: a.io/v1\nkind: Set\nmetadata: {{name: s, annotations: {{{annotations}}}}}\nspec:\n  one: a:1 # tidegate: a policy=numeric\n  two: b:1\n  list:\n  - c:1 # tidegate: c policy=numeric\n"
        )
    };
    let paths =
        paths(&[("a.io", "Set", "/spec/one"), ("a.io", "Set", "/spec/two"), ("a.io", "Set", "/spec/list/*")]);
    check_with(
        "a.yaml",
        &text(""),
        &paths,
        "5 a.yaml#a.io/Set//s#/spec/one a:1 [Whole=a:1] numeric\n\
         6 a.yaml#a.io/Set//s#/spec/two b:1 [Whole=b:1] -\n\
         8 a.yaml#a.io/Set//s#/spec/list/0 c:1 [Whole=c:1] numeric",
    );
    let out = super::scan_with("a.yaml", text("tidegate.io/policy: numeric").as_bytes(), &paths);
    assert_eq!(out.findings.len(), 2, "{:?}", out.findings);
}

#[test]
fn a_wide_and_aliased_document_is_bounded() {
    let list = "x,".repeat(2_000);
    let text = format!(
        "apiVersion: a.io/v1\nkind: Set\nmetadata: {{name: s}}\nl: &l [{list}]\nspec: {{{}}}\n",
        (0..300).fold(String::new(), |text, n| text + "k" + &n.to_string() + ": *l, ")
    );
    check_with(
        "a.yaml",
        &text,
        &paths(&[("a.io", "Set", "/spec/*/*")]),
        "a.yaml: the file has more than 5,000 images and is not read (hint: split it)",
    );
}
