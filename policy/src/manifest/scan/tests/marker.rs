use super::check;

#[test]
fn a_config_map_value_is_a_field() {
    check(
        "cm.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: jobs, namespace: shop}\ndata:\n  RUNNER: ghcr.io/acme/runner:1.4.2 # tidegate: ghcr.io/acme/runner policy=semver:~1.4\n",
        "5 cm.yaml#/data/RUNNER ghcr.io/acme/runner:1.4.2 [Whole=ghcr.io/acme/runner:1.4.2] semver:~1.4",
    );
}

#[test]
fn parts_in_one_mapping_are_one_field() {
    check(
        "values.yaml",
        "web:\n  image:\n    repository: ghcr.io/acme/web # tidegate: ghcr.io/acme/web:name\n    tag: \"1.4.2\" # tidegate: ghcr.io/acme/web:tag policy=semver:~1.4\n  other:\n    tag: v1 # tidegate: ghcr.io/acme/web:tag policy=numeric\n",
        "3 values.yaml#/web/image/tag ghcr.io/acme/web:1.4.2 [Name=ghcr.io/acme/web Tag=1.4.2] semver:~1.4\n\
         6 values.yaml#/web/other/tag ghcr.io/acme/web:v1 [Tag=v1] numeric",
    );
}

#[test]
fn keys_on_two_lines_of_one_image_are_invalid() {
    check(
        "values.yaml",
        "repository: nginx # tidegate: nginx:name policy=numeric\ntag: v1 # tidegate: nginx:tag policy=numeric\n",
        "1 values.yaml#/tag nginx:v1 [Name=nginx Tag=v1] invalid\n\
         values.yaml:2: the keys of one image stand on two lines (hint: write them all on one of the lines)",
    );
}

#[test]
fn values_in_lists_block_scalars_and_aliases_are_found() {
    check(
        "a.yaml",
        "images:\n- nginx:1 # tidegate: nginx policy=numeric\n- nginx:2 # tidegate: nginx policy=numeric\nblock: >- # tidegate: redis policy=numeric\n  redis:7\nx-e: &e envoy:1\ny: *e # tidegate: envoy policy=numeric\n",
        "2 a.yaml#/images/0 nginx:1 [Whole=nginx:1] numeric\n\
         3 a.yaml#/images/1 nginx:2 [Whole=nginx:2] numeric\n\
         5 a.yaml#/block redis:7 [Whole=redis:7] numeric\n\
         6 a.yaml#/y envoy:1 [Whole=envoy:1] numeric",
    );
}

#[test]
fn later_documents_name_their_object_in_the_id() {
    check(
        "a.yaml",
        "x: 1 # tidegate: nginx:tag policy=numeric\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a/b~c: 'nginx:1' # tidegate: nginx policy=numeric\n---\nx: 1 # tidegate: nginx:tag policy=numeric\n",
        "1 a.yaml#/x nginx:1 [Tag=1] numeric\n\
         7 a.yaml#/ConfigMap//a#/data/a~1b~0c nginx:1 [Whole=nginx:1] numeric\n\
         9 a.yaml#2#/x nginx:1 [Tag=1] numeric",
    );
}

#[test]
fn a_container_may_carry_a_marker_but_not_a_second_policy() {
    let pod = |annotations: &str| {
        format!(
            "kind: Pod\nmetadata: {{name: a, annotations: {{{annotations}}}}}\nspec:\n  containers:\n  - name: c\n    image: nginx:1 # tidegate: nginx policy=numeric\n"
        )
    };
    check("a.yaml", &pod(""), "6 a.yaml#/Pod//a#c nginx:1 [Whole=nginx:1] numeric");
    check(
        "a.yaml",
        &pod("tidegate.io/policy: numeric"),
        "6 a.yaml#/Pod//a#c nginx:1 [Whole=nginx:1] invalid\n\
         a.yaml:6: the image has a marker and its object has annotations (hint: keep one of them)",
    );
}

#[test]
fn a_marker_without_a_value_is_a_finding() {
    check(
        "a.yaml",
        "# tidegate: nginx policy=numeric\nx: nginx:1\ny: # tidegate: nginx policy=numeric\nz: {a: nginx:1, b: nginx:2} # tidegate: nginx policy=numeric\n",
        "a.yaml:1: `tidegate` = `nginx policy=numeric`: the marker stands on a line without a value (hint: put it on the line of the value that holds the image)\n\
         a.yaml:3: `tidegate` = `nginx policy=numeric`: the marker stands on a line without a value (hint: put it on the line of the value that holds the image)\n\
         a.yaml:4: `tidegate` = `nginx policy=numeric`: the marker stands on a line with several values (hint: put it on the line of the value that holds the image)",
    );
}

#[test]
fn an_unreadable_marker_is_a_finding_and_holds_what_is_beside_it() {
    check(
        "kustomization.yaml",
        "images:\n- name: nginx\n  newTag: v1 # tidegate: nginx:tag numeric\n",
        "3 kustomization.yaml#images/nginx nginx:v1 [Tag=v1] invalid\n\
         kustomization.yaml:3: `tidegate` = `nginx:tag numeric`: `numeric` is no `key=value` (hint: write `# tidegate: IMAGE:tag policy=semver:~1.4; key=value`)",
    );
    check(
        "a.yaml",
        "x: nginx:1 # tidegate: nginx policy=\"numeric\n",
        "a.yaml:1: `tidegate` = `nginx policy=\\\"numeric`: a quoted value has no end (hint: write `# tidegate: IMAGE:tag policy=semver:~1.4; key=value`)",
    );
    check(
        "a.yaml",
        "x: redis:1 # tidegate: nginx policy=numeric\n",
        "1 a.yaml#/x redis:1 [Whole=redis:1] invalid\na.yaml:1: the marker names `nginx`, and its line `redis` (hint: name what stands on the line)",
    );
}

#[test]
fn text_that_looks_like_a_marker_is_none_inside_a_value() {
    check(
        "a.yaml",
        "x: |\n  y: nginx:1 # tidegate: nginx policy=numeric\nz: \"a # tidegate: b\"\n",
        "a.yaml:2: `tidegate` = `nginx policy=numeric`: the marker stands inside a value, where it is text (hint: put the image into a value of its own)\n\
         a.yaml:3: `tidegate` = `b\\\"`: the marker stands inside a value, where it is text (hint: put the image into a value of its own)",
    );
}
