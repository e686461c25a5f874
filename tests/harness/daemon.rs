//! The real `tidegate run` as a child process, with a real configuration file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::process::{Process, command, free_address};
use super::wait::eventually;

/// What a daemon is to do; every field is public so that a test changes what it is about.
#[derive(Clone, Debug)]
pub struct Setup {
    /// URL of the config repository.
    pub git_url: String,
    /// Registry host with port, plain HTTP.
    pub registry: String,
    /// The cluster.
    pub kubeconfig: PathBuf,
    /// Unit patterns; empty: one unit at the root.
    pub units: Vec<String>,
    /// Poll interval of git and registry.
    pub poll: String,
    /// Tidegate's own namespace; it must exist.
    pub namespace: String,
    /// More lines for the source, indented by two.
    pub source_extra: String,
    /// More registries, as items of the list.
    pub registries_extra: String,
}

impl Setup {
    /// One source `fleet` on branch `main`, polled every half second.
    pub fn new(
        git_url: impl Into<String>,
        registry: impl Into<String>,
        kubeconfig: impl Into<PathBuf>,
    ) -> Self {
        Self {
            git_url: git_url.into(),
            registry: registry.into(),
            kubeconfig: kubeconfig.into(),
            units: Vec::new(),
            poll: "500ms".to_owned(),
            namespace: "tidegate".to_owned(),
            source_extra: String::new(),
            registries_extra: String::new(),
        }
    }

    /// Writes the configuration file into `folder`, where the state will be, too; returns its path.
    pub fn write(&self, folder: &Path, port: u16) -> Result<PathBuf> {
        let path = folder.join("tidegate.yaml");
        std::fs::write(&path, self.yaml(&folder.join("state"), port))?;
        Ok(path)
    }

    fn yaml(&self, state: &Path, port: u16) -> String {
        let Self { git_url, registry, poll, namespace, source_extra, registries_extra, .. } = self;
        let (state, kubeconfig, units) = (state.display(), self.kubeconfig.display(), &self.units);
        format!(
            "listen: 127.0.0.1:{port}\nstate: {state}\nsources:\n- name: fleet\n  url: {git_url}\n  branch: main\n  \
             allowInsecure: true\n  poll: {poll}\n  units: {units:?}\n{source_extra}registries:\n- host: {registry}\n  \
             plainHttp: true\n  poll: {poll}\n{registries_extra}cluster: {{kubeconfig: {kubeconfig}, namespace: {namespace}}}\n"
        )
    }
}

/// A running daemon; it is killed on drop.
pub struct Daemon {
    setup: Setup,
    folder: PathBuf,
    port: u16,
    child: Process,
    http: reqwest::Client,
}

impl Daemon {
    /// Starts the daemon in `folder` (state, configuration and log live there) and waits until it serves.
    pub async fn start(folder: &Path, setup: Setup) -> Result<Self> {
        super::install_crypto_provider();
        let port = free_address()?.port();
        let daemon = Self {
            child: spawn(folder, &setup, port)?,
            setup,
            folder: folder.to_owned(),
            port,
            http: reqwest::Client::new(),
        };
        daemon.wait_until_serving().await;
        Ok(daemon)
    }

    /// Kills the process with SIGKILL, as a node failure would.
    pub fn kill(&mut self) {
        self.child.kill();
    }

    /// Sends SIGHUP: the configuration is read again at once.
    pub fn reload(&mut self) -> Result<()> {
        self.child.signal("HUP")
    }

    /// Sends SIGTERM.
    pub fn ask_to_end(&mut self) -> Result<()> {
        self.child.signal("TERM")
    }

    /// Waits until the process has ended; returns its exit code.
    pub fn ended(&mut self, limit: Duration) -> Result<Option<i32>> {
        Ok(self.child.wait(limit)?.code())
    }

    /// Starts it again with the same configuration and state.
    pub async fn restart(&mut self) -> Result<()> {
        self.child.kill();
        self.port = free_address()?.port();
        self.child = spawn(&self.folder, &self.setup, self.port)?;
        self.wait_until_serving().await;
        Ok(())
    }

    /// Forgets the state directory; only while the process is down.
    pub fn lose_state(&self) -> Result<()> {
        std::fs::remove_dir_all(self.folder.join("state")).context("the state directory")
    }

    /// The path of the configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.join("tidegate.yaml")
    }

    /// The URL of `path` on the daemon's own port.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Every line that was logged so far, over all starts.
    pub fn log(&self) -> Vec<Value> {
        self.log_text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Everything that was logged or printed so far, as it stands in the file.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.folder.join("tidegate.log")).unwrap_or_default()
    }

    /// The logged lines of one `event`.
    pub fn events(&self, event: &str) -> Vec<Value> {
        self.log().into_iter().filter(|line| line["event"] == event).collect()
    }

    /// Status and body of a GET on the daemon's own port.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        let response = self.http.get(self.url(path)).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// The sum of a metric over the lines that contain all of `labels`.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let Ok((_, text)) = self.get("/metrics").await else { return 0.0 };
        text.lines()
            .filter(|line| line.starts_with(name) && labels.iter().all(|label| line.contains(label)))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    async fn wait_until_serving(&self) {
        eventually("the daemon serves", Duration::from_secs(20), || async {
            match self.get("/healthz").await {
                Ok((200, _)) => Ok(()),
                other => Err(format!("{other:?}; log: {:?}", self.log().last())),
            }
        })
        .await;
    }
}

/// Finds the binary: `$TIDEGATE_BINARY`, else the one beside the running test or demo, where cargo puts them all.
pub fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("TIDEGATE_BINARY") {
        return named.into();
    }
    let here = std::env::current_exe().expect("a running program has a path");
    let found =
        here.ancestors().skip(1).take(2).map(|folder| folder.join("tidegate")).find(|path| path.is_file());
    found.expect("`cargo build --bin tidegate` must come first (make test and make demo do it)")
}

fn spawn(folder: &Path, setup: &Setup, port: u16) -> Result<Process> {
    let config = setup.write(folder, port)?;
    let level = std::env::var("RUST_LOG").unwrap_or_else(|_| "info,kube=warn".to_owned());
    let mut command = command(binary());
    command.arg("run").arg("--config").arg(&config).env_remove("KUBECONFIG").env("RUST_LOG", level);
    Process::start("tidegate", command, &folder.join("tidegate.log"))
}
