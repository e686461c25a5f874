use std::fmt::Write as _;

use super::{scan, scan_with};
use crate::manifest::{FieldPolicy, FileScan, ImagePaths};
use crate::reference::ImageReference;

/// Prints fields and findings, one a line.
fn show(out: &FileScan) -> String {
    let fields = out.fields.iter().map(|field| {
        let policy = match &field.policy {
            FieldPolicy::None => "-".to_owned(),
            FieldPolicy::Policy(policy) => policy.text.policy.clone(),
            FieldPolicy::Invalid(_) => "invalid".to_owned(),
        };
        let sites: Vec<String> =
            field.sites.iter().map(|site| format!("{:?}={}", site.part, site.text)).collect();
        format!("{} {} {} [{}] {policy}", field.line, field.id.0, field.image, sites.join(" "))
    });
    let findings = out.findings.iter().map(ToString::to_string);
    fields.chain(findings).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(path: &str, text: &str, expect: &str) {
    check_with(path, text, &ImagePaths::default(), expect);
}

#[track_caller]
fn check_with(path: &str, text: &str, paths: &ImagePaths, expect: &str) {
    let out = scan_with(path, text.as_bytes(), paths);
    for site in out.fields.iter().flat_map(|field| &field.sites) {
        assert_eq!(text.get(site.range.clone()), Some(site.text.as_str()), "the site is where it says");
    }
    assert_eq!(show(&out), expect);
}

#[test]
fn all_containers_of_a_deployment_are_fields() {
    check(
        "apps/web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\n  annotations:\n    tidegate.io/policy: semver:~1.4\n    tidegate.io/policy.sidecar: none\nspec:\n  template:\n    spec:\n      initContainers:\n      - name: init\n        image: busybox # note\n      containers:\n      - name: web\n        image: \"ghcr.io/acme/web:1.4.2\"\n      - image: 'envoy:v1.2'\n        name: sidecar\n",
        "14 apps/web.yaml#apps/Deployment/shop/web#init busybox [Whole=busybox] semver:~1.4\n\
         17 apps/web.yaml#apps/Deployment/shop/web#web ghcr.io/acme/web:1.4.2 [Whole=ghcr.io/acme/web:1.4.2] semver:~1.4\n\
         18 apps/web.yaml#apps/Deployment/shop/web#sidecar envoy:v1.2 [Whole=envoy:v1.2] -",
    );
}

/// A workload of one container named `web`; `rest` is what follows `image: `.
fn workload(api_version: &str, kind: &str, path: &[&str], rest: &str) -> String {
    let mut text = format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x}}\n");
    for (depth, key) in path.iter().enumerate() {
        writeln!(text, "{}{key}:", "  ".repeat(depth)).unwrap();
    }
    let indent = "  ".repeat(path.len());
    text + &format!("{indent}containers:\n{indent}- name: web\n{indent}  image: {rest}\n")
}

#[test]
fn every_built_in_workload_has_its_pod_template_found() {
    let template = &["spec", "template", "spec"][..];
    for (api_version, kind, path) in [
        ("v1", "Pod", &["spec"][..]),
        ("v1", "PodTemplate", &["template", "spec"]),
        ("v1", "ReplicationController", template),
        ("apps/v1", "Deployment", template),
        ("apps/v1", "StatefulSet", template),
        ("apps/v1", "DaemonSet", template),
        ("apps/v1", "ReplicaSet", template),
        ("batch/v1", "Job", template),
        ("batch/v1", "CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
        ("argoproj.io/v1alpha1", "Rollout", template),
    ] {
        let text = workload(api_version, kind, path, "nginx:1.2.3");
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let line = text.lines().count();
        check(
            "a.yaml",
            &text,
            &format!("{line} a.yaml#{group}/{kind}//x#web nginx:1.2.3 [Whole=nginx:1.2.3] -"),
        );
    }
}

#[test]
fn annotations_of_the_pod_template_are_not_the_workloads() {
    check(
        "a.yaml",
        "kind: Deployment\nmetadata: {name: x}\nspec:\n  template:\n    metadata: {annotations: {tidegate.io/policy: numeric}}\n    spec:\n      containers: [{name: web, image: nginx}]\n",
        "7 a.yaml#/Deployment//x#web nginx [Whole=nginx] -",
    );
}

#[test]
fn items_of_a_list_are_objects_of_their_own() {
    check(
        "a.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n  metadata: {name: a, annotations: {tidegate.io/policy: numeric}}\n  spec: {containers: [{name: c, image: \"x:1\"}]}\n- kind: Pod\n  metadata: {name: b}\n  spec: {containers: [{name: c, image: 'y:1'}]}\n",
        "6 a.yaml#/Pod//a#c x:1 [Whole=x:1] numeric\n9 a.yaml#/Pod//b#c y:1 [Whole=y:1] -",
    );
}

#[test]
fn an_unreadable_policy_is_invalid_and_says_where() {
    check(
        "a.yaml",
        "kind: Pod\nmetadata:\n  name: x\n  annotations:\n    tidegate.io/policy: 1.4\nspec:\n  containers: [{name: web, image: nginx}]\n",
        "7 a.yaml#/Pod//x#web nginx [Whole=nginx] invalid\n\
         a.yaml:5: `tidegate.io/policy` = `1.4`: the value of an annotation must be a string (hint: put it in quotes)",
    );
    let out = scan(
        "a.yaml",
        b"kind: Pod\nmetadata: {name: x, annotations: {tidegate.io/polcy: numeric}}\nspec: {containers: [{name: a, image: n}, {name: b, image: n}]}\n",
    );
    assert!(out.fields.iter().all(|field| matches!(field.policy, FieldPolicy::Invalid(_))));
    assert_eq!(out.findings.len(), 1, "one annotation is one finding: {:?}", out.findings);
    assert_eq!((out.findings[0].line, out.findings[0].key.as_deref()), (2, Some("tidegate.io/polcy")));
}

#[test]
fn a_policy_on_something_that_is_no_reference_is_invalid() {
    let why = ImageReference::parse("${IMAGE}").unwrap_err();
    check(
        "a.yaml",
        "kind: Pod\nmetadata: {name: x, annotations: {tidegate.io/policy: numeric}}\nspec: {containers: [{name: a, image: \"${IMAGE}\"}]}\n",
        &format!(
            "3 a.yaml#/Pod//x#a ${{IMAGE}} [Whole=${{IMAGE}}] invalid\n\
             a.yaml:3: {why} (hint: write a whole image reference, or remove the policy)"
        ),
    );
}

#[test]
fn carriage_returns_a_byte_order_mark_and_a_missing_line_feed_shift_nothing() {
    let text = "\u{feff}kind: Pod\r\nmetadata:\r\n  name: größe\r\nspec:\r\n  containers:\r\n  - name: a\r\n    image: nginx:1.2 # ü\r\n  - name: b\r\n    image: redis:7";
    check(
        "a.yaml",
        text,
        "7 a.yaml#/Pod//größe#a nginx:1.2 [Whole=nginx:1.2] -\n9 a.yaml#/Pod//größe#b redis:7 [Whole=redis:7] -",
    );
}

#[test]
fn json_is_yaml_too() {
    check(
        "a.json",
        "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"metadata\": {\"name\": \"x\"},\n\t\"spec\": {\"containers\": [\n\t\t{\"name\":\"a\",\"image\":\"nginx:1.2\",\"args\":[\"\\/\",\"\\ud83d\\ude00\"]}\n\t]}\n}\n",
        "6 a.json#/Pod//x#a nginx:1.2 [Whole=nginx:1.2] -",
    );
}

#[test]
fn documents_are_told_apart_and_a_broken_one_costs_only_itself() {
    check(
        "a.yaml",
        "---\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: x:1}]}\n--- # two\nkind: Pod\n  image: [\n---\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: c, image: y:1}]}\n",
        "4 a.yaml#/Pod//a#c x:1 [Whole=x:1] -\n11 a.yaml#/Pod//b#c y:1 [Whole=y:1] -\n\
         a.yaml:7: not YAML: mapping values are not allowed in this context (hint: mend the line: its document is left alone until then)",
    );
    let out = scan("a.yaml", b"# head\n---\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: x:1}]}\n---\n---\nkind: Pod\nmetadata: {name: b}\nspec: {containers: [{name: c, image: y:1}]}\n");
    assert_eq!(out.fields.iter().map(|field| field.document).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn escapes_cannot_hide_an_image() {
    check(
        "a.yaml",
        "kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, \"im\\x61ge\": \"x\\u003a1\"}]}\n",
        "3 a.yaml#/Pod//a#c x:1 [Whole=x\\u003a1] -",
    );
}

#[test]
fn an_image_behind_an_alias_is_edited_at_its_anchor() {
    check(
        "a.yaml",
        "kind: Pod\nmetadata: {name: a, annotations: {tidegate.io/policy: numeric}}\nx: &img nginx:1\nspec:\n  containers:\n  - {name: c, image: *img}\n",
        "3 a.yaml#/Pod//a#c nginx:1 [Whole=nginx:1] numeric",
    );
    check(
        "a.yaml",
        "kind: Pod\nmetadata: {name: a}\nx: &base\n  image: nginx:1\nspec:\n  containers:\n  - <<: *base\n    name: c\n",
        "4 a.yaml#/Pod//a#c nginx:1 [Whole=nginx:1] -",
    );
}

#[test]
fn images_that_share_bytes_move_together_or_not_at_all() {
    let shared = |policy: &str| {
        format!(
            "kind: Pod\nmetadata: {{name: a, annotations: {{{policy}}}}}\nx: &img nginx:1\nspec:\n  containers:\n  - {{name: c, image: *img}}\n  - {{name: d, image: *img}}\n"
        )
    };
    check(
        "a.yaml",
        &shared("tidegate.io/policy: numeric"),
        "3 a.yaml#/Pod//a#c nginx:1 [Whole=nginx:1] numeric\n3 a.yaml#/Pod//a#d nginx:1 [Whole=nginx:1] numeric",
    );
    check(
        "a.yaml",
        &shared("tidegate.io/policy.c: numeric"),
        "3 a.yaml#/Pod//a#c nginx:1 [Whole=nginx:1] invalid\n3 a.yaml#/Pod//a#d nginx:1 [Whole=nginx:1] -\n\
         a.yaml:3: several images share this value by an anchor, and their policies differ (hint: give them the same policy, or write the image out in each place)",
    );
}

#[test]
fn equal_ids_in_one_file_are_a_finding() {
    let pod = "kind: Pod\nmetadata: {name: a, annotations: {tidegate.io/policy: numeric}}\nspec: {containers: [{name: c, image: x:1}]}\n";
    check(
        "a.yaml",
        &format!("{pod}---\n{pod}"),
        "3 a.yaml#/Pod//a#c x:1 [Whole=x:1] invalid\n7 a.yaml#/Pod//a#c x:1 [Whole=x:1] invalid\n\
         a.yaml:7: two images in this file have the same id `a.yaml#/Pod//a#c` (hint: give them different names)",
    );
}

#[test]
fn files_that_cannot_hold_a_field_are_not_parsed() {
    check("a.yaml", "kind: [", "");
    check(
        "a.yaml",
        "kind: Pod # image\nx: [",
        "a.yaml:2: not YAML: unclosed bracket '[' (hint: mend the line: its document is left alone until then)",
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let finding = |bytes: &[u8]| scan("a.yaml", bytes).findings.first().map(ToString::to_string);
    assert_eq!(
        finding(b"a: 1\nimage: \xff\n").as_deref(),
        Some("a.yaml:2: the file is not UTF-8 text (hint: save it as UTF-8)")
    );
    assert_eq!(
        finding(b"a: 1\nimage: \0\n").as_deref(),
        Some("a.yaml:2: the file holds a control character (hint: write it as an escape in double quotes)")
    );
    let utf16: Vec<u8> = "\u{feff}image: x\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        finding(&utf16).as_deref(),
        Some("a.yaml:1: the file is not UTF-8 text (hint: save it as UTF-8)")
    );
}

#[test]
fn chart_templates_are_left_alone() {
    check("t.yaml", "kind: Pod\nspec:\n  containers:\n  - image: {{ .Values.image }}\n", "");
    check("t.yaml", "{{- with .Values }}\nimage: x\n{{- end }}\n", "");
    assert_eq!(scan("t.yaml", b"image: {{ x }}\n---\nimage: x\n---\n{{ image }}\n").skipped, 2);
    check(
        "t.yaml",
        "kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: c\n    image: \"{{ .Values.image }}\"\n",
        "6 t.yaml#/Pod//a#c {{ .Values.image }} [Whole={{ .Values.image }}] -",
    );
}

#[test]
fn what_could_be_multiplied_is_bounded() {
    let pod = |annotations: &str, containers: &str| {
        format!(
            "kind: Pod\nmetadata:\n  name: a\n  annotations: {{{annotations}}}\nspec:\n  containers:\n{containers}"
        )
    };
    let container = "  - {name: c, image: nginx}\n";
    check(
        "a.yaml",
        &pod("", &container.repeat(5_001)),
        "a.yaml: the file has more than 5,000 images and is not read (hint: split it)",
    );
    let keys = (0..201).fold(String::new(), |keys, n| keys + "tidegate.io/hold.c" + &n.to_string() + ": x, ");
    check(
        "a.yaml",
        &pod(&keys, container),
        "7 a.yaml#/Pod//a#c nginx [Whole=nginx] invalid\n\
         a.yaml:4: `tidegate.io/hold.c200` = `x`: the object has more than 200 annotations of this prefix (hint: split the object)",
    );
    let long = pod("", container).replace("name: a", &format!("name: {}", "a".repeat(254)));
    check("a.yaml", &long, "a.yaml:1: the object has a longer name than Kubernetes allows");
    let markers = format!("a: |\n{}", "  # tidegate: nginx\n".repeat(1_500));
    let found = scan("a.yaml", markers.as_bytes()).findings;
    assert_eq!((found.len(), found[1_000].message.as_str()), (1_001, "more problems than are listed"));
}

mod custom;
mod everywhere;
mod kustomization;
mod marker;
mod shared;
