//! Ends child processes and removes their directory when their owner goes, however it goes.
//!
//! A guard with `Drop` is not enough: a `static` is never dropped, and a killed test binary drops nothing.
//! The watchdog is a shell that waits for the end of its standard input, whose only writer is the owner.
//! Used by harnesses that start more than one process. Not here: waiting until a process is ready.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result};

const SCRIPT: &str = r#"
trap '' INT TERM HUP
pids=
while read -r pid; do pids="$pids $pid"; done
[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
tries=0
until rm -rf "$1" 2>/dev/null || [ "$tries" -ge 50 ]; do tries=$((tries + 1)); sleep 0.1; done
"#;

/// A directory and the processes that work in it; all end together.
pub struct Watchdog {
    directory: PathBuf,
    shell: Child,
    children: Mutex<Vec<Named>>,
}

struct Named {
    name: String,
    process: Child,
}

impl Watchdog {
    /// Makes a fresh temporary directory and watches over it.
    pub fn new(name: &str) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix(&format!("tidegate-{name}-")).tempdir()?.keep();
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start `sh`")?;
        Ok(Self { directory, shell, children: Mutex::default() })
    }

    /// The directory; it is removed at the end.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Starts `command` with its output in `NAME.log`.
    pub fn spawn(&self, name: &str, command: &mut Command) -> Result<()> {
        let log = File::options().append(true).create(true).open(self.log(name))?;
        command.current_dir(&self.directory).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let process = command.spawn().with_context(|| format!("cannot start {name}: {command:?}"))?;
        let mut pipe = self.shell.stdin.as_ref().context("the watchdog has no input")?;
        writeln!(pipe, "{}", process.id())?;
        self.children().push(Named { name: name.to_owned(), process });
        Ok(())
    }

    /// Ends one child and waits for it.
    pub fn end(&self, name: &str) -> Result<()> {
        let mut children = self.children();
        let at = children.iter().position(|child| child.name == name);
        let mut child = children.remove(at.with_context(|| format!("{name} does not run"))?);
        child.process.kill()?;
        child.process.wait()?;
        Ok(())
    }

    /// Names a child that has ended by itself, if there is one.
    pub fn ended(&self) -> Option<(String, ExitStatus)> {
        self.children().iter_mut().find_map(|child| {
            let status = child.process.try_wait().ok().flatten()?;
            Some((child.name.clone(), status))
        })
    }

    /// The last lines of every child's output.
    pub fn last_words(&self) -> String {
        let names: Vec<String> = self.children().iter().map(|child| child.name.clone()).collect();
        let tail = |name: &String| {
            let log = fs::read_to_string(self.log(name)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            format!("{name}:\n  {}\n", lines[lines.len().saturating_sub(8)..].join("\n  "))
        };
        names.iter().map(tail).collect()
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.log"))
    }

    fn children(&self) -> std::sync::MutexGuard<'_, Vec<Named>> {
        self.children.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // The shell acts while the children are not yet reaped, so that no process id can be another's.
        drop(self.shell.stdin.take());
        for child in self.children().iter_mut() {
            let _ = child.process.kill();
            let _ = child.process.wait();
        }
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_and_directory_are_gone_after_the_drop() {
        let watchdog = Watchdog::new("watchdog").unwrap();
        watchdog.spawn("sleeper", Command::new("sleep").arg("600")).unwrap();
        let pid = watchdog.children()[0].process.id();
        let directory = watchdog.directory().to_owned();
        assert!(directory.join("sleeper.log").exists());
        drop(watchdog);
        assert!(!directory.exists());
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    fn a_child_that_ends_by_itself_is_named() {
        let watchdog = Watchdog::new("watchdog").unwrap();
        watchdog.spawn("quitter", Command::new("sh").args(["-c", "echo because; exit 3"])).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let (name, status) = loop {
            if let Some(ended) = watchdog.ended() {
                break ended;
            }
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        };
        assert_eq!((name.as_str(), status.code()), ("quitter", Some(3)));
        assert!(watchdog.last_words().contains("because"));
    }
}
