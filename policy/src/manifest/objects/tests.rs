use super::objects;

/// Prints identities with their lines, then findings, then the number of skipped documents.
#[track_caller]
fn check(path: &str, text: &str, expect: &str) {
    let out = objects(path, text.as_bytes());
    let found =
        out.objects.iter().map(|object| format!("{} {} {}", object.line, object.api_version, object.id));
    let problems = out.findings.iter().map(ToString::to_string);
    let mut lines: Vec<String> = found.chain(problems).collect();
    if out.skipped > 0 {
        lines.push(format!("skipped {}", out.skipped));
    }
    assert_eq!(lines.join("\n"), expect);
}

#[test]
fn documents_become_objects() {
    check(
        "a.yaml",
        "# head\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n---\n# nothing\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n",
        "3 v1 Namespace/shop\n10 apps/v1 Deployment/shop/web",
    );
}

#[test]
fn a_broken_document_does_not_take_its_neighbours_with_it() {
    check(
        "a.yaml",
        "apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\nkind: [\n---\napiVersion: v1\nkind: B\nmetadata: {name: b}\n",
        "1 v1 A/a\n7 v1 B/b\na.yaml:5: not YAML: unclosed bracket '[' (hint: mend the line: its document is left alone until then)",
    );
}

#[test]
fn what_is_no_manifest_is_skipped_and_half_a_manifest_is_a_finding() {
    check("values.yaml", "image: {tag: 1}\n", "skipped 1");
    check("a.yaml", "- 1\n", "skipped 1");
    check(
        "a.yaml",
        "apiVersion: v1\nmetadata: {name: a}\n",
        "a.yaml:1: manifest without kind (hint: add `kind`, or move the file out of the unit)",
    );
    check(
        "a.yaml",
        "\nkind: Pod\nmetadata: {name: a}\n",
        "a.yaml:2: manifest without apiVersion (hint: add `apiVersion`, or move the file out of the unit)",
    );
    check(
        "a.yaml",
        "apiVersion: v1\nkind: Pod\n",
        "a.yaml:1: manifest without metadata.name (hint: add a name)",
    );
    check(
        "a.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n",
        "a.yaml:1: generateName would make a new object at every sync (hint: give it a metadata.name)",
    );
}

#[test]
fn lists_are_expanded() {
    check(
        "a.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: b, namespace: x}\n",
        "4 v1 Pod/a\n7 v1 Pod/x/b",
    );
}

#[test]
fn items_of_a_typed_list_may_leave_their_type_to_it() {
    check(
        "a.yaml",
        "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: a}\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: b}\n",
        "4 apps/v1 Deployment/a\n5 v1 Pod/b",
    );
    check(
        "a.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- metadata: {name: a}\n",
        "a.yaml:4: manifest without kind (hint: add `kind`, or move the file out of the unit)",
    );
}

#[test]
fn kustomizations_and_charts_are_no_objects() {
    check("a/kustomization.yaml", "resources: [x]\n", "");
    check("a/k.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "");
    check("a/k.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nimages: []\n", "");
    check("a/Chart.yaml", "apiVersion: v2\nname: x\n", "");
}

#[test]
fn an_encrypted_file_gives_no_object_at_all() {
    check(
        "a.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nsops: {mac: x}\n",
        "a.yaml:5: the file is encrypted with SOPS and is not applied (hint: keep it out of the unit's directory)",
    );
}

#[test]
fn chart_templates_are_skipped_and_mistakes_are_not() {
    check("a.yaml", "{{- if .Values.x }}\napiVersion: v1\nkind: Pod\n{{- end }}\n", "skipped 1");
    check("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-web\n", "skipped 1");
    check("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n", "skipped 1");
    check(
        "a.yaml",
        "apiVersion: v1\nkind: Rule\nmetadata:\n  name: a\nspec:\n  text: \"{{ $value }} is bad\n",
        "a.yaml:6: not YAML: unclosed quote (hint: mend the line: its document is left alone until then)",
    );
}
