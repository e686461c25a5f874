use super::scan;
use crate::manifest::{FieldPolicy, FileScan};

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
    let out = scan(path, text.as_bytes());
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
