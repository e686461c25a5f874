//! Each place where Kubernetes and its neighbours keep an image.

use super::check;

/// A Pod `x` with this spec in flow style, and the field that each line of `expect` shows after its id's `#`.
#[track_caller]
fn check_spec(annotations: &str, spec: &str, expect: &[&str]) {
    let text = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: x, annotations: {{{annotations}}}}}\nspec: {{{spec}}}\n"
    );
    let expect: Vec<String> = expect.iter().map(|line| format!("4 a.yaml#/Pod//x#{line}")).collect();
    check("a.yaml", &text, &expect.join("\n"));
}

#[test]
fn init_and_ephemeral_containers_are_fields() {
    check_spec(
        "tidegate.io/policy: numeric",
        "initContainers: [{name: i, image: a:1, restartPolicy: Always}], containers: [{name: c, image: b:1}], ephemeralContainers: [{name: e, image: c:1}]",
        &["i a:1 [Whole=a:1] numeric", "c b:1 [Whole=b:1] numeric", "e c:1 [Whole=c:1] numeric"],
    );
}

#[test]
fn image_volumes_are_fields_that_the_keys_of_the_object_govern() {
    check_spec(
        "tidegate.io/policy: numeric, tidegate.io/policy.c: none",
        "containers: [{name: c, image: b:1}], volumes: [{name: m, image: {reference: \"m:1\", pullPolicy: Always}}, {name: e, emptyDir: {}}, {name: n, image: {}}]",
        &["c b:1 [Whole=b:1] -", "volumes/m m:1 [Whole=m:1] numeric"],
    );
    check_spec(
        "tidegate.io/policy.c: numeric",
        "containers: [{name: c, image: b:1}], volumes: [{name: c, image: {reference: m:1}}]",
        &["c b:1 [Whole=b:1] numeric", "volumes/c m:1 [Whole=m:1] -"],
    );
}

#[test]
fn a_container_without_a_name_is_called_by_its_place() {
    check(
        "a.yaml",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: x, annotations: {tidegate.io/policy: numeric}}\nspec:\n  template:\n    spec:\n      containers:\n      - image: a:1\n      - {name: side, image: b:1}\n",
        "8 a.yaml#serving.knative.dev/Service//x#containers[0] a:1 [Whole=a:1] numeric\n\
         9 a.yaml#serving.knative.dev/Service//x#side b:1 [Whole=b:1] numeric",
    );
}

#[test]
fn null_and_empty_images_are_none() {
    check_spec(
        "",
        "containers: [{name: a, image: ~}, {name: b, image: ''}, {name: c, image: }, {name: d}, {name: e, image: \"~\"}]",
        &["e ~ [Whole=~] -"],
    );
}

#[test]
fn items_of_a_typed_list_may_leave_their_type_to_it() {
    check(
        "a.json",
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"DeploymentList\",\"items\":[\n{\"metadata\":{\"name\":\"a\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"x:1\"}]}}}},\n{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"y:1\"}]}}]}\n",
        "2 a.json#apps/Deployment//a#c x:1 [Whole=x:1] -\n3 a.json#/Pod//b#c y:1 [Whole=y:1] -",
    );
    check(
        "a.yaml",
        "apiVersion: v1\nkind: PodList\nitems: [{metadata: {name: a}, spec: {containers: [{name: c, image: x:1}]}}]\n",
        "3 a.yaml#/Pod//a#c x:1 [Whole=x:1] -",
    );
    check("a.yaml", "kind: List\nitems: [{spec: {containers: [{name: c, image: x:1}]}}]\n", "");
}

#[test]
fn helm_releases_and_other_custom_kinds_take_markers() {
    check(
        "a.yaml",
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x}\nspec:\n  values:\n    web:\n      image:\n        repository: acme/web # tidegate: acme/web:name\n        tag: '1.2' # tidegate: acme/web:tag policy=semver:1.x\n",
        "8 a.yaml#/spec/values/web/image/tag acme/web:1.2 [Name=acme/web Tag=1.2] semver:1.x",
    );
}

#[test]
fn a_whole_kustomization_entry_is_one_field() {
    let digest = format!("sha256:{}", "0".repeat(64));
    check(
        "kustomization.yaml",
        &format!(
            "images:\n- name: web\n  newName: acme/web\n  newTag: v1\n  digest: {digest}\n- {{name: db, newTag: ~, newName: acme/db}}\n"
        ),
        &format!(
            "3 kustomization.yaml#images/web acme/web:v1@{digest} [Name=acme/web Tag=v1 Digest={digest}] -\n\
             6 kustomization.yaml#images/db acme/db [Name=acme/db] -"
        ),
    );
}

#[test]
fn block_scalars_hold_an_image_in_one_line() {
    for block in [
        "|\n      x:1\n",
        "|-\n      x:1\n",
        "|+\n      x:1\n\n",
        ">\n      x:1\n",
        ">-\n      x:1",
        ">- # why\n      x:1\n",
        "|2\n      x:1\n",
    ] {
        let text = format!("kind: Pod\nmetadata: {{name: x}}\nspec:\n  containers:\n  - image: {block}");
        check("a.yaml", &text, "6 a.yaml#/Pod//x#containers[0] x:1 [Whole=x:1] -");
    }
    check(
        "a.yaml",
        "kind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - image: |\n      x:1\n      y\n",
        "a.yaml:6: the image of container `containers[0]` cannot be edited: the block scalar must have exactly one line (hint: write it on one line)",
    );
}
