use std::time::Duration;

use super::*;

const SMALL: &str = "sources:\n- name: fleet\n  url: https://git.example.com/acme/fleet.git\n";

#[track_caller]
fn refused(text: &str, expect: &[&str]) {
    let chain = parse("tidegate.yaml", text).expect_err("must be refused").chain();
    for part in expect {
        assert!(chain.contains(part), "{chain:?} does not say {part:?}");
    }
}

#[test]
fn the_documented_example_is_read_but_for_keys_of_later_versions() {
    let text = "
listen: 127.0.0.1:8080
state: /var/lib/tidegate
sources:
- name: fleet
  url: https://git.example.com/acme/fleet.git
  branch: main
  path: /clusters/prod/
  units: [\"apps/*\", \"infra\"]
  poll: 1m
  update: true
  sync: true
  namespace: default
  allowInsecure: false
  credentials: {username: tidegate, passwordFile: /etc/tidegate/git/password}
  author: {name: Tidegate, email: tidegate@example.com}
registries:
- host: registry.example.com:5000
  plainHttp: false
  caFile: /etc/tidegate/registry/ca.crt
  credentials: {dockerConfigFile: /etc/tidegate/registry/config.json}
  poll: 30s
cluster: {kubeconfig: null, namespace: tidegate}
";
    let config = parse("tidegate.yaml", text).unwrap();
    assert_eq!(config.sources[0].path, "clusters/prod");
    assert_eq!(config.sources[0].units, ["apps/*", "infra"]);
    assert_eq!(config.registries[0].poll, Duration::from_secs(30));
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let config = parse("tidegate.yaml", SMALL).unwrap();
    let source = &config.sources[0];
    assert_eq!((source.branch.as_str(), source.path.as_str()), ("main", ""));
    assert_eq!((source.update, source.sync, source.allow_insecure), (true, true, false));
    assert_eq!(source.poll, Duration::from_secs(60));
    assert_eq!(config.cluster.namespace, "tidegate");
}

#[test]
fn an_unknown_key_names_file_line_and_the_likely_key() {
    refused(
        "sources:\n- name: fleet\n  url: https://a.example/b\n  brnch: main\n",
        &["tidegate.yaml:4", "unknown key `brnch`", "did you mean `branch`?"],
    );
}

#[test]
fn a_key_of_a_later_version_is_refused_by_name() {
    refused(&format!("{SMALL}  serviceAccount: apps/deployer\n"), &["`serviceAccount` is not supported"]);
    refused(
        &format!("{SMALL}  credentials: {{sshKeyFile: /k, knownHostsFile: /h}}\n"),
        &["`sshKeyFile` is not supported"],
    );
}

#[test]
fn insecure_and_foreign_urls_are_refused_with_a_way_out() {
    let with = |url: &str| format!("sources:\n- name: fleet\n  url: {url}\n");
    refused(&with("http://git.example.com/a"), &["allowInsecure"]);
    refused(&with("ssh://git@git.example.com/a"), &["credentials"]);
    refused(&with("ssh://git.example.com/a"), &["ssh is not supported"]);
    refused(&with("ext::sh"), &["https://"]);
    refused(&with("--upload-pack=x"), &["sources[0].url"]);
}

#[test]
fn a_password_in_a_url_is_refused_and_not_printed() {
    let text = "sources:\n- name: fleet\n  url: https://me:s3cret@git.example.com/a\n";
    let chain = parse("tidegate.yaml", text).expect_err("must be refused").chain();
    assert!(!chain.contains("s3cret"), "{chain}");
}

#[test]
fn absurd_intervals_are_refused() {
    for poll in ["-1s", "abc", "1e309", "99999999999999h", "0s", "25h"] {
        refused(&format!("{SMALL}  poll: \"{poll}\"\n"), &["sources[0].poll", "24h"]);
    }
}

#[test]
fn paths_do_not_leave_the_repository() {
    refused(&format!("{SMALL}  path: ../other\n"), &["sources[0].path"]);
    refused(&format!("{SMALL}  units: [\"a/../../b\"]\n"), &["sources[0].units"]);
    refused(&format!("{SMALL}  units: [\"apps/**\"]\n"), &["sources[0].units", "one level"]);
}

#[test]
fn two_sources_of_one_name_are_refused() {
    refused(
        "sources:\n- {name: a, url: https://x.example/a}\n- {name: a, url: https://x.example/b}\n",
        &["two sources have the name `a`"],
    );
}

#[test]
fn guard_rails_and_image_paths_are_read() {
    let text = format!(
        "{SMALL}  guards: {{minAge: 2h, window: ['@daily for 2h UTC', 'freeze 0 0 24 12 * for 240h UTC'], allowDowngrade: true}}\n  \
         imagePaths: [{{group: argoproj.io, kind: CronWorkflow, paths: [/spec/templates/*/container/image]}}]\n"
    );
    let config = parse("tidegate.yaml", &text).unwrap();
    let source = &config.sources[0];
    assert_eq!(source.guards.min_age, Some(jiff::SignedDuration::from_hours(2)));
    assert_eq!((source.guards.windows.open.len(), source.guards.windows.freeze.len()), (1, 1));
    assert!(source.guards.allow_downgrade && !source.image_paths.is_empty());
}

#[test]
fn an_unreadable_guard_rail_names_key_value_and_hint() {
    refused(&format!("{SMALL}  guards: {{minAge: 2}}\n"), &["sources[0].guards.minAge", "`2`", "unit"]);
    refused(&format!("{SMALL}  guards: {{window: [always]}}\n"), &["sources[0].guards.window", "`always`"]);
    refused(
        &format!("{SMALL}  guards: {{minage: 2h}}\n"),
        &["unknown key `minage`", "did you mean `minAge`"],
    );
    refused(
        &format!("{SMALL}  imagePaths: [{{kind: CronWorkflow, paths: [spec/image]}}]\n"),
        &["sources[0].imagePaths[0]", "spec/image"],
    );
}
