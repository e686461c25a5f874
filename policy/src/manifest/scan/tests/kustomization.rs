use super::check;

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn entries_of_images_are_fields() {
    check(
        "k/kustomization.yaml",
        "resources: [web.yaml]\nimages:\n- name: ghcr.io/acme/web\n  newTag: 1.4.2 # tidegate: ghcr.io/acme/web:tag policy=semver:~1.4\n- name: app\n  newName: ghcr.io/acme/app\n  newTag: \"1.10\"\n- name: untouched\n",
        "4 k/kustomization.yaml#images/ghcr.io/acme/web ghcr.io/acme/web:1.4.2 [Tag=1.4.2] semver:~1.4\n\
         6 k/kustomization.yaml#images/app ghcr.io/acme/app:1.10 [Name=ghcr.io/acme/app Tag=1.10] -",
    );
}

#[test]
fn a_number_for_a_tag_is_read_as_written() {
    check(
        "kustomization.yml",
        "images:\n- newTag: 1.10\n  name: nginx\n",
        "2 kustomization.yml#images/nginx nginx:1.10 [Tag=1.10] -",
    );
}

#[test]
fn a_digest_is_part_of_the_value() {
    check(
        "kustomization.yaml",
        &format!("images:\n- name: nginx\n  digest: {DIGEST}\n"),
        &format!("3 kustomization.yaml#images/nginx nginx@{DIGEST} [Digest={DIGEST}] -"),
    );
}

#[test]
fn flow_style_entries_take_a_marker_by_the_name_of_the_key() {
    check(
        "kustomization.yaml",
        "images:\n- {name: nginx, newTag: v1} # tidegate: nginx:tag policy=numeric\n",
        "2 kustomization.yaml#images/nginx nginx:v1 [Tag=v1] numeric",
    );
}

#[test]
fn components_are_recognized_by_their_api_version() {
    check(
        "c.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n- name: nginx\n  newTag: v1\n",
        "5 c.yaml#images/nginx nginx:v1 [Tag=v1] -",
    );
}

#[test]
fn a_marker_that_contradicts_its_line_is_invalid() {
    check(
        "kustomization.yaml",
        "images:\n- name: nginx\n  newTag: v1 # tidegate: redis:tag policy=numeric\n- name: redis\n  newTag: v1 # tidegate: redis:name policy=numeric\n",
        "3 kustomization.yaml#images/nginx nginx:v1 [Tag=v1] invalid\n\
         5 kustomization.yaml#images/redis redis:v1 [Tag=v1] invalid\n\
         kustomization.yaml:3: the marker names `redis`, and its line `nginx` (hint: name what stands on the line)\n\
         kustomization.yaml:5: the marker of `redis` names another part than its line holds (hint: name what stands on the line)",
    );
}

#[test]
fn the_same_name_twice_is_a_finding() {
    check(
        "kustomization.yaml",
        "images:\n- name: nginx\n  newTag: v1\n- name: nginx\n  newTag: v2\n",
        "3 kustomization.yaml#images/nginx nginx:v1 [Tag=v1] -\n\
         5 kustomization.yaml#images/nginx nginx:v2 [Tag=v2] -\n\
         kustomization.yaml:5: two images in this file have the same id `kustomization.yaml#images/nginx` (hint: give them different names)",
    );
}
