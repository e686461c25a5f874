//! Child processes that end with their owner: on drop, on panic, and when the test process itself is killed.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use anyhow::Context as _;

/// How much of a log is shown when a test fails.
const SHOWN_LOG_BYTES: usize = 4096;
const POLL: Duration = Duration::from_millis(10);

/// A running child, its output in a file. Dropping it kills it.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

/// Prepares a command whose process is killed by the kernel if this process dies without cleaning up.
pub fn command(program: impl AsRef<Path>) -> Command {
    // `setpriv` asks the kernel for the signal and becomes the program: the process id stays the same.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program.as_ref());
    command
}

/// Finds an address on loopback that nobody listens on at this moment.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

impl Process {
    /// Starts `command` (see [`command`]) with no input and its output appended to the file `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(log).context("opening a log")?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = spawn(command).with_context(|| format!("starting {name}"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// Its exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        // Both fail only for a child that is gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// Sends a signal by name, e.g. `TERM`, `STOP`, `CONT`, `HUP`.
    pub fn signal(&mut self, name: &str) -> anyhow::Result<()> {
        // Only a child that has not been waited for is sure to own its process id.
        anyhow::ensure!(self.ended().is_none(), "{} has ended", self.name);
        let id = self.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "kill", name, &id]).status()?;
        anyhow::ensure!(status.success(), "signal {name} to {} ({id}) failed", self.name);
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits; an error if it does not end within `limit`.
    pub fn terminate(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        self.signal("TERM")?;
        self.wait(limit)
    }

    /// Waits until it ends by itself; an error if it does not end within `limit`.
    pub fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            anyhow::ensure!(Instant::now() < deadline, "{} did not end within {limit:?}", self.name);
            thread::sleep(POLL);
        }
    }

    /// Polls `ready` until it says yes; an error with the log's end if the child dies or `limit` passes.
    pub async fn ready<F: Future<Output = bool>>(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> F,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended() {
                anyhow::bail!("{} ended with {status}:\n{}", self.name, self.log_end());
            }
            if ready().await {
                return Ok(());
            }
            if Instant::now() > deadline {
                anyhow::bail!("{} was not ready within {limit:?}:\n{}", self.name, self.log_end());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn log_end(&self) -> String {
        let log = self.log();
        let start = log.len().saturating_sub(SHOWN_LOG_BYTES);
        let start = (start..=log.len()).find(|&at| log.is_char_boundary(at)).unwrap_or(start);
        log[start..].to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("---- end of the log of {} ----\n{}", self.name, self.log_end());
        }
    }
}

type Job = (Command, Sender<io::Result<Child>>);

/// Spawns from one thread that lives as long as this process: the kernel sends the death signal when the
/// *thread* that spawned a child ends, and a test's thread may end before the child's last user.
fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (jobs, queue) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in queue {
                // A caller that no longer waits has panicked; its child must not outlive it.
                if let Err(unsent) = answer.send(command.spawn())
                    && let Ok(mut child) = unsent.0
                {
                    child.kill().ok();
                    child.wait().ok();
                }
            }
        });
        Mutex::new(jobs)
    });
    let (answer, reply) = channel();
    let gone = |_| io::Error::other("the spawning thread has ended");
    spawner
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, answer))
        .map_err(|e| gone(e.to_string()))?;
    reply.recv().map_err(|e| gone(e.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(log: &Path) -> Process {
        let mut command = command("sleep");
        command.arg("600");
        Process::start("sleep", command, log).expect("sleep starts")
    }

    fn is_alive(id: u32) -> bool {
        Path::new(&format!("/proc/{id}")).exists()
    }

    #[test]
    fn a_child_ends_when_its_owner_panics() {
        let room = tempfile::tempdir().expect("a directory");
        let log = room.path().join("log");
        let id = Mutex::new(0);
        let outcome = std::panic::catch_unwind(|| {
            let process = sleeper(&log);
            *id.lock().expect("unused") = process.id();
            panic!("the test fails here, by intent");
        });
        assert!(outcome.is_err());
        assert!(!is_alive(id.into_inner().expect("unused")));
    }

    #[test]
    fn a_child_outlives_the_thread_that_asked_for_it() {
        let room = tempfile::tempdir().expect("a directory");
        let log = room.path().join("log");
        let mut process = thread::spawn(move || sleeper(&log)).join().expect("no panic");
        // The signal would come at once: a second child started after it gives it the time to arrive.
        thread::spawn(|| Command::new("true").status()).join().expect("no panic").expect("runs");
        assert!(process.ended().is_none());
        let status = process.terminate(Duration::from_secs(10)).expect("it ends");
        assert!(!status.success());
    }

    #[test]
    fn what_a_child_prints_is_kept() {
        let room = tempfile::tempdir().expect("a directory");
        let mut command = command("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let mut process = Process::start("sh", command, &room.path().join("log")).expect("starts");
        let status = process.wait(Duration::from_secs(10)).expect("it ends");
        assert_eq!((status.code(), process.log().as_str()), (Some(3), "out\nerr\n"));
    }
}
