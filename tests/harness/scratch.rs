//! A temporary directory that goes when its owner goes, however it goes.
//!
//! A guard with `Drop` is not enough for what a `static` holds (it is never dropped) or for a test that is
//! killed, and the data of a database is large. A shell waits for the end of its standard input, whose only
//! writer is the owner, and then removes the directory. Not here: ending processes ([`super::process`]).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// Processes that still write may be ending at the same moment: hence several tries.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
read -r _
tries=0
until rm -rf "$1" 2>/dev/null || [ "$tries" -ge 50 ]; do tries=$((tries + 1)); sleep 0.1; done
"#;

/// A temporary directory. Put it behind the processes that use it: fields are dropped in their order.
pub struct Scratch {
    directory: PathBuf,
    shell: Child,
}

impl Scratch {
    /// Makes a directory whose name holds `name`.
    pub fn new(name: &str) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix(&format!("tidegate-{name}-")).tempdir()?.keep();
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "scratch"]).arg(&directory);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { directory, shell: shell.spawn().context("cannot start `sh`")? })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Nothing can be done about a shell that is gone already.
        self.shell.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_directory_is_gone() {
        let scratch = Scratch::new("scratch").unwrap();
        let path = scratch.path().to_owned();
        std::fs::write(path.join("file"), "x").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn a_forgotten_owner_is_enough() {
        let mut scratch = Scratch::new("scratch").unwrap();
        let path = scratch.path().to_owned();
        // As at the end of a process: the pipe closes, no code runs.
        drop(scratch.shell.stdin.take());
        assert!(scratch.shell.wait().unwrap().success());
        assert!(!path.exists());
    }
}
