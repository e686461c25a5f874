//! A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager,
//! kube-scheduler, and kwok in the place of a kubelet (pods become Ready, nothing runs).
//!
//! The binaries come from `control-plane/build`. Everything blocks, so that one control plane can be
//! shared by tests that have a runtime each. Not here: the small API server of the sandbox.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::process::{self, Process};
use super::scratch::Scratch;

mod settings;

use settings::Ports;

const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running control plane; everything ends with it.
pub struct ControlPlane {
    binaries: PathBuf,
    ports: Ports,
    namespaces: AtomicU32,
    processes: Mutex<Vec<(String, Process)>>,
    scratch: Scratch,
}

/// Who a kubeconfig speaks as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// May do everything (`system:masters`).
    Admin,
    /// May do what everybody may: discovery, and nothing else until a test grants it to user `nobody`.
    Nobody,
}

impl ControlPlane {
    /// Starts a control plane with one Ready node; the first call ever builds the binaries.
    ///
    /// # Errors
    /// The build fails, or the control plane is not ready within 60 s; the error holds the end of each log.
    pub fn start() -> Result<Self> {
        let binaries = settings::binaries()?;
        let mut tries = 1..=3;
        loop {
            match Self::try_start(binaries.clone()) {
                // Between being found free and being bound a port can be taken by somebody else.
                Err(error)
                    if tries.next().is_some() && format!("{error:#}").contains("address already in use") => {}
                outcome => return outcome,
            }
        }
    }

    fn try_start(binaries: PathBuf) -> Result<Self> {
        let plane = Self {
            ports: Ports::free()?,
            namespaces: AtomicU32::new(0),
            processes: Mutex::default(),
            scratch: Scratch::new("control-plane")?,
            binaries,
        };
        let deadline = Instant::now() + READY_WITHIN;
        plane.write_files()?;
        plane.spawn("etcd", plane.etcd())?;
        plane.start_api_server(deadline)?;
        let node = plane.directory().join("node.json");
        fs::write(&node, settings::node().to_string())?;
        plane.kubectl(&["create", "-f", settings::text(&node)])?;
        plane.spawn("kube-controller-manager", plane.controller_manager())?;
        plane.spawn("kube-scheduler", plane.scheduler())?;
        plane.spawn("kwok", plane.kwok())?;
        plane.wait("a ready node", deadline, || plane.node_is_ready())?;
        Ok(plane)
    }

    /// The control plane of this test binary, started by the first test that asks.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<ControlPlane> = OnceLock::new();
        SHARED.get_or_init(|| Self::start().expect("a control plane"))
    }

    /// Base URL of the API server.
    pub fn server_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api_server)
    }

    /// `127.0.0.1:PORT` of the API server, for a proxy in front of it.
    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.ports.api_server).into()
    }

    /// Kubeconfig of the administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory().join("admin.kubeconfig")
    }

    /// Writes a kubeconfig for `user` at another address, such as that of a proxy that passes TLS on
    /// (`https://127.0.0.1:PORT`) or ends it (`http://…`).
    pub fn kubeconfig_at(&self, server_url: &str, user: User) -> Result<PathBuf> {
        let mark: String = server_url.chars().filter(char::is_ascii_alphanumeric).collect();
        let path = self.directory().join(format!("{user:?}-{mark}.kubeconfig"));
        fs::write(&path, settings::kubeconfig(self.directory(), server_url, user).to_string())?;
        Ok(path)
    }

    /// A client of the administrator; needs a tokio runtime.
    pub async fn client(&self) -> Result<kube::Client> {
        // Several TLS providers could be asked to be the default one: the first stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let kubeconfig = kube::config::Kubeconfig::read_from(self.kubeconfig())?;
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        Ok(kube::Client::try_from(config)?)
    }

    /// Creates a namespace that no other test of this control plane has.
    pub fn namespace(&self, hint: &str) -> Result<String> {
        let number = self.namespaces.fetch_add(1, Ordering::Relaxed);
        let name = format!("{hint}-{number}");
        self.kubectl(&["create", "namespace", &name])?;
        Ok(name)
    }

    /// Runs `kubectl` as the administrator and returns its output.
    ///
    /// # Errors
    /// It fails; the error holds what it said.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run_kubectl(arguments)?;
        ensure!(
            output.status.success(),
            "kubectl {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Applies YAML or JSON text as a person would (`kubectl apply --server-side` with `field_manager`).
    pub fn apply_as(&self, field_manager: &str, text: &str) -> Result<String> {
        let file = tempfile::NamedTempFile::new_in(self.directory())?;
        fs::write(&file, text)?;
        let manager = format!("--field-manager={field_manager}");
        let path = settings::text(file.path());
        self.kubectl(&["apply", "--server-side", "--force-conflicts", &manager, "-f", path])
    }

    /// Every finished request of a client whose user agent starts with `user_agent`, oldest first
    /// (`audit.k8s.io/v1` events: `verb`, `requestURI`, `objectRef`, `responseStatus`, …).
    pub fn requests_of(&self, user_agent: &str) -> Result<Vec<Value>> {
        let log = fs::read_to_string(self.directory().join("audit.log"))?;
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_theirs =
            |event: &Value| event["userAgent"].as_str().is_some_and(|is| is.starts_with(user_agent));
        Ok(events.filter(is_theirs).collect())
    }

    /// Kills the API server.
    pub fn stop_api_server(&self) -> Result<()> {
        let mut processes = self.processes();
        let at =
            processes.iter().position(|(name, _)| name == "kube-apiserver").context("it does not run")?;
        processes.remove(at);
        Ok(())
    }

    /// Starts the API server again after [`Self::stop_api_server`], at the same address.
    pub fn restart_api_server(&self) -> Result<()> {
        self.start_api_server(Instant::now() + READY_WITHIN)
    }

    /// Makes etcd forget all but the present, so that an older `resourceVersion` is answered by 410.
    ///
    /// The API server remembers the recent past by itself until it is restarted.
    pub fn compact(&self) -> Result<()> {
        let list = self.kubectl(&["get", "--raw", "/api/v1/namespaces?limit=1"])?;
        let list: Value = serde_json::from_str(&list)?;
        let revision = list["metadata"]["resourceVersion"].as_str().context("a list without a version")?;
        let body = json!({"revision": revision, "physical": true}).to_string();
        let address = format!("127.0.0.1:{}", self.ports.etcd_client);
        let answer = settings::post(&address, "/v3/kv/compaction", &body)?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "etcd does not compact: {answer}");
        Ok(())
    }

    fn start_api_server(&self, deadline: Instant) -> Result<()> {
        self.spawn("kube-apiserver", self.api_server())?;
        self.wait("the API server", deadline, || {
            self.run_kubectl(&["get", "--raw", "/readyz"]).is_ok_and(|output| output.status.success())
        })
    }

    fn node_is_ready(&self) -> bool {
        let Ok(text) = self.kubectl(&["get", "node", "kwok", "-o", "json"]) else { return false };
        let node: Value = serde_json::from_str(&text).unwrap_or_default();
        let mut conditions = node["status"]["conditions"].as_array().into_iter().flatten();
        // The controller manager takes the taint away: that proves it works, too.
        node["spec"]["taints"].is_null()
            && conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    }

    fn wait(&self, what: &str, deadline: Instant, mut is_there: impl FnMut() -> bool) -> Result<()> {
        while !is_there() {
            for (name, process) in self.processes().iter_mut() {
                if let Some(status) = process.ended() {
                    bail!(
                        "{name} ended with {status} before there was {what}\n{}",
                        last_lines(name, process)
                    );
                }
            }
            if Instant::now() > deadline {
                let processes = self.processes();
                let logs: String =
                    processes.iter().map(|(name, process)| last_lines(name, process)).collect();
                bail!("{what} is not there in time\n{logs}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Runs `kubectl` as the administrator and returns all that it said, also when it fails.
    pub fn run_kubectl(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(self.binaries.join("kubectl"));
        command
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .arg("--cache-dir")
            .arg(self.directory().join("kubectl"));
        // The environment may hold a proxy or another cluster; neither is meant.
        command.args(arguments).env_clear().current_dir(self.directory()).stdin(Stdio::null());
        command.output().context("cannot run kubectl")
    }

    fn spawn(&self, name: &str, arguments: Vec<String>) -> Result<()> {
        let mut command = process::command(self.binaries.join(name));
        command.args(arguments).current_dir(self.directory());
        // The environment may hold a proxy or another cluster; neither is meant.
        for variable in ["KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            command.env_remove(variable);
        }
        let log = self.directory().join(format!("{name}.log"));
        let process = Process::start(name, command, &log)?;
        self.processes().push((name.to_owned(), process));
        Ok(())
    }

    fn processes(&self) -> MutexGuard<'_, Vec<(String, Process)>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn directory(&self) -> &Path {
        self.scratch.path()
    }
}

fn last_lines(name: &str, process: &Process) -> String {
    let log = process.log();
    let lines: Vec<&str> = log.lines().collect();
    format!("{name}:\n  {}\n", lines[lines.len().saturating_sub(8)..].join("\n  "))
}
