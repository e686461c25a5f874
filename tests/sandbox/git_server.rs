//! A real git server on a free loopback port: `git http-backend` behind a small HTTP server.
//!
//! It keeps bare repositories in a temporary directory, and lets a test or the demo act on them as a person
//! would. It has a thread of its own, works with and without an async runtime, and is gone when dropped.

mod backend;
mod person;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::oneshot;

pub use person::LogEntry;

/// A running git server.
pub struct GitServer {
    directory: TempDir,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A request that the server has received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// What the serving thread and the owner both see.
struct Shared {
    projects: PathBuf,
    backend: PathBuf,
    login: Mutex<Option<(String, String)>>,
    requests: Mutex<Vec<Request>>,
}

impl GitServer {
    /// Starts a server without repositories; it serves when this returns.
    ///
    /// # Panics
    /// If there is no `git` with its `http-backend` on this machine.
    pub fn start() -> Self {
        // libgit2's process-wide settings are made before anyone uses it.
        tidegate_agent::git::prepare().expect("libgit2 can be prepared");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let shared = Arc::new(Shared {
            projects: directory.path().to_owned(),
            backend: find_backend(),
            login: Mutex::default(),
            requests: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free loopback port");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let address = listener.local_addr().expect("the port it is bound to");
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve(listener, served, stopped));
        Self { directory, address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The URL of a repository.
    pub fn url(&self, repository: &str) -> String {
        format!("http://{}/{repository}", self.address)
    }

    /// The port's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where a bare repository lies on disk.
    pub fn path(&self, repository: &str) -> PathBuf {
        self.directory.path().join(repository)
    }

    /// Asks every request for these credentials from now on; `None` lets everyone in.
    pub fn require_login(&self, login: Option<(&str, &str)>) {
        *self.shared.login.lock().unwrap() = login.map(|(user, password)| (user.into(), password.into()));
    }

    /// Installs a hook (`pre-receive`, `update`, …): a shell script without its first line.
    pub fn set_hook(&self, repository: &str, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.path(repository).join("hooks").join(name);
        std::fs::create_dir_all(file.parent().expect("a hook has a directory")).unwrap();
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Removes a hook.
    pub fn remove_hook(&self, repository: &str, name: &str) {
        std::fs::remove_file(self.path(repository).join("hooks").join(name)).unwrap();
    }

    /// Takes the requests received since the last call.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.shared.requests.lock().unwrap())
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn serve(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let app = axum::Router::new().fallback(backend::answer).with_state(shared);
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener of this runtime");
        tokio::select! {
            _ = stopped => {}
            served = axum::serve(listener, app) => served.expect("the git server serves"),
        }
    });
    // Requests under way are dropped, and their children with them.
    runtime.shutdown_timeout(Duration::from_secs(1));
}

fn find_backend() -> PathBuf {
    let output = Command::new("git").arg("--exec-path").output().expect("git is installed");
    let path = String::from_utf8(output.stdout).expect("a path in UTF-8");
    let backend = Path::new(path.trim()).join("git-http-backend");
    assert!(backend.exists(), "{} is missing", backend.display());
    backend
}
