//! What the crates may depend on.

use std::process::Command;

use serde_json::Value;

/// The whole list for `policy`: none of these does IO, knows the time or draws random numbers by itself.
///
/// `cron` asks for a `chrono` that can read the clock; `policy/clippy.toml` refuses every call that would.
const POLICY_MAY_USE: &[&str] = &[
    "base64",
    "chrono",
    "cron",
    "granit-parser",
    "jiff",
    "regex",
    "semver",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
];

/// One TLS stack (rustls), one crypto provider (ring).
const NOBODY_MAY_USE: &[&str] =
    &["openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "serde_yml", "libssh2-sys"];

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline", "--locked"])
        .args(arguments)
        .current_dir(crate::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}

#[test]
fn policy_depends_only_on_its_closed_list() {
    let metadata = metadata(&["--no-deps"]);
    let packages = metadata["packages"].as_array().expect("packages");
    let policy = packages.iter().find(|package| package["name"] == "tidegate-policy").expect("policy");
    for dependency in policy["dependencies"].as_array().expect("dependencies") {
        let name = dependency["name"].as_str().expect("name");
        if dependency["kind"].is_null() {
            assert!(POLICY_MAY_USE.contains(&name), "policy depends on {name}, which is not on its list");
        }
    }
}

#[test]
fn no_second_tls_stack_and_no_second_crypto_provider_is_built() {
    for name in NOBODY_MAY_USE {
        let output = Command::new(env!("CARGO"))
            .args([
                "tree",
                "--workspace",
                "--target",
                "all",
                "-e",
                "normal,build",
                "--offline",
                "--locked",
                "-i",
                name,
            ])
            .current_dir(crate::root())
            .output()
            .expect("cargo runs");
        let tree = String::from_utf8_lossy(&output.stdout);
        assert!(tree.trim().is_empty(), "{name} is built:\n{tree}");
    }
}
