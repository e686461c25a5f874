//! The state directory is nobody else's to read: it holds what private repositories hold.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::synced_world;

/// Every file and directory at and below `path` that the group or others may use.
fn open_to_others(path: &Path, found: &mut Vec<String>) -> usize {
    let metadata = fs::symlink_metadata(path).expect("it can be looked at");
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        found.push(format!("{} {mode:o}", path.display()));
    }
    if !metadata.is_dir() {
        return 1;
    }
    let entries = fs::read_dir(path).expect("a directory");
    entries.map(|entry| open_to_others(&entry.expect("an entry").path(), found)).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_read_the_state() {
    let Some(world) = synced_world().await else { return };
    let mut found = Vec::new();
    let files = open_to_others(&world.folder.path().join("state"), &mut found);
    assert!(files > 3, "the mirror is there: {files} files");
    assert!(found.is_empty(), "{found:?}");
    // Not even between the making of a file and the taking of its permissions.
    let status = fs::read_to_string(format!("/proc/{}/status", world.daemon().id())).expect("a process");
    assert!(status.lines().any(|line| line == "Umask:\t0077"), "{status}");
}
