//! What the machine must have for a test, and what happens when it has not.

use std::path::PathBuf;

/// Finds a program on the `PATH`; where it is missing, the running test is skipped by name.
///
/// `None` means that the caller must return; `install` says how to get the program. With `CI=true` nothing
/// may be skipped, so a missing program panics there.
pub fn program(name: &str, install: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Administrators' programs are often left out of the path of other users.
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/lib/git-core".into()])
        .map(|directory| directory.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        missing(&format!("`{name}`"), install);
    }
    found
}

/// Reports that the running test is skipped for want of `what`; panics with `CI=true`.
pub fn missing(what: &str, install: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let notice = format!("SKIPPED {test}: it needs {what} ({install})");
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "{notice}, and nothing is skipped with CI=true"
    );
    eprintln!("{notice}");
}
