//! A configuration that cannot be used: exit code 2, and one line that says where and what.

use std::path::Path;
use std::process::Command;

use tidegate_tests::harness::daemon::binary;
use tidegate_tests::story::steps;

use super::{lives, said};
use crate::synced_world;

const GOOD: &str = "sources:\n- name: fleet\n  url: https://git.example.com/acme/fleet.git\n";

/// Runs `tidegate run` on a configuration; returns its exit code and what it says.
fn run(folder: &Path, text: &str) -> (Option<i32>, String) {
    let path = folder.join("tidegate.yaml");
    std::fs::write(&path, text).expect("a file");
    let mut command = Command::new(binary());
    command.args(["run", "--config"]).arg(&path).env_remove("KUBECONFIG");
    let output = command.output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[track_caller]
fn check(text: &str, words: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = run(folder.path(), text);
    assert_eq!(code, Some(2), "{said}");
    for word in words.iter().chain(&["tidegate.yaml", "(hint: "]) {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn an_unknown_configuration_key_is_refused_with_its_line_and_the_nearest_key() {
    check(
        &format!("{GOOD}  brunch: main\n"),
        &["tidegate.yaml:4:", "unknown key `brunch`", "did you mean `branch`?"],
    );
}

#[test]
fn a_configuration_key_of_a_later_version_is_refused_by_name() {
    check(&format!("{GOOD}  serviceAccount: apps/deployer\n"), &["tidegate.yaml:4:", "`serviceAccount`"]);
}

#[test]
fn a_configuration_that_is_no_yaml_is_refused_with_its_line() {
    check("sources:\n- name: [fleet\n  url: x\n", &["tidegate.yaml:"]);
}

#[test]
fn a_value_that_cannot_be_is_refused_with_its_key() {
    check(&format!("{GOOD}  poll: sometimes\n"), &["`sources[0].poll` cannot be `sometimes`"]);
    check(
        "sources:\n- {name: fleet, url: 'http://git.example.com/fleet'}\n",
        &["`sources[0].url`", "allowInsecure"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_configuration_that_cannot_be_used_leaves_the_last_good_one_in_force() {
    let Some(mut world) = synced_world().await else { return };
    let path = world.daemon().config();
    let good = std::fs::read_to_string(&path).expect("the configuration");
    std::fs::write(&path, good.replace("branch: main", "brunch: main")).expect("a file");
    world.daemon_mut().reload().expect("a signal");
    said(&world, "config", &["tidegate.yaml:6", "unknown key `brunch`", "did you mean `branch`?"]).await;
    let lost = good.replace(&world.kubeconfig.display().to_string(), "/nonexistent/kubeconfig");
    std::fs::write(&path, lost).expect("a file");
    world.daemon_mut().reload().expect("a signal");
    said(&world, "config", &["/nonexistent/kubeconfig", "hint: "]).await;
    steps::release(&world, "1.4.3").await.expect("the last good configuration is in force");
    lives(&world).await;
}
