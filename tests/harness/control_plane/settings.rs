//! What each process of the control plane is told: ports, files, flags.
//!
//! Called by [`super::ControlPlane`] alone. Not here: starting, waiting, ending.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{ControlPlane, User};

/// Ports that were free a moment ago.
pub(super) struct Ports {
    pub(super) api_server: u16,
    pub(super) etcd_client: u16,
    pub(super) etcd_peer: u16,
}

impl Ports {
    pub(super) fn free() -> Result<Self> {
        // All are held at once, so that they differ.
        let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
        let [api_server, etcd_client, etcd_peer] = held.map(|listener| listener?.local_addr());
        Ok(Self {
            api_server: api_server?.port(),
            etcd_client: etcd_client?.port(),
            etcd_peer: etcd_peer?.port(),
        })
    }
}

/// Builds the binaries if need be and returns their directory.
pub(super) fn binaries() -> Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("control-plane/build");
    let output =
        Command::new(&script).output().with_context(|| format!("cannot run {}", script.display()))?;
    ensure!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let directory = PathBuf::from(text.trim());
    ensure!(directory.join("kube-apiserver").is_file(), "no kube-apiserver in {}", directory.display());
    Ok(directory)
}

impl ControlPlane {
    pub(super) fn write_files(&self) -> Result<()> {
        let directory = self.directory();
        let tokens = [
            format!("{},admin,admin,\"system:masters\"", token(User::Admin)),
            format!("{},nobody,nobody", token(User::Nobody)),
        ];
        fs::write(directory.join("tokens.csv"), tokens.join("\n"))?;
        fs::write(directory.join("audit-policy.json"), audit_policy().to_string())?;
        let admin = kubeconfig(directory, &self.server_url(), User::Admin);
        fs::write(self.kubeconfig(), admin.to_string())?;
        Ok(())
    }

    pub(super) fn etcd(&self) -> Vec<String> {
        let (client, peer) = (self.ports.etcd_client, self.ports.etcd_peer);
        vec![
            "--data-dir=etcd".into(),
            format!("--listen-client-urls=http://127.0.0.1:{client}"),
            format!("--advertise-client-urls=http://127.0.0.1:{client}"),
            format!("--listen-peer-urls=http://127.0.0.1:{peer}"),
            format!("--initial-advertise-peer-urls=http://127.0.0.1:{peer}"),
            format!("--initial-cluster=default=http://127.0.0.1:{peer}"),
            // Nothing here outlives the test.
            "--unsafe-no-fsync".into(),
        ]
    }

    pub(super) fn api_server(&self) -> Vec<String> {
        let key = self.key();
        vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.ports.etcd_client),
            format!("--secure-port={}", self.ports.api_server),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            "--service-cluster-ip-range=10.0.0.0/16".into(),
            "--cert-dir=certificates".into(),
            "--token-auth-file=tokens.csv".into(),
            "--authorization-mode=RBAC".into(),
            "--disable-admission-plugins=ServiceAccount".into(),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            format!("--service-account-key-file={key}"),
            format!("--service-account-signing-key-file={key}"),
            "--audit-policy-file=audit-policy.json".into(),
            "--audit-log-path=audit.log".into(),
        ]
    }

    pub(super) fn controller_manager(&self) -> Vec<String> {
        let mut flags = self.controller_flags();
        flags.push(format!("--service-account-private-key-file={}", self.key()));
        flags
    }

    pub(super) fn scheduler(&self) -> Vec<String> {
        self.controller_flags()
    }

    pub(super) fn kwok(&self) -> Vec<String> {
        let stages = fs::read_dir(self.binaries.join("stages")).into_iter().flatten().flatten();
        let mut flags: Vec<String> =
            stages.map(|stage| format!("--config={}", text(&stage.path()))).collect();
        flags.push(format!("--kubeconfig={}", text(&self.kubeconfig())));
        flags.push("--manage-all-nodes=true".into());
        flags.push("--node-lease-duration-seconds=40".into());
        flags
    }

    fn controller_flags(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", text(&self.kubeconfig())),
            "--leader-elect=false".into(),
            // No port of their own: nobody asks them anything.
            "--secure-port=0".into(),
        ]
    }

    fn key(&self) -> String {
        text(&self.binaries.join("service-account.key")).to_owned()
    }
}

/// Makes a kubeconfig; JSON is YAML.
pub(super) fn kubeconfig(directory: &Path, server_url: &str, user: User) -> Value {
    let mut cluster = json!({"server": server_url});
    if server_url.starts_with("https:") {
        // The API server writes its own certificate with its authority behind it.
        cluster["certificate-authority"] = json!(directory.join("certificates/apiserver.crt"));
    }
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": token(user)}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    })
}

/// The one node, large enough for any test.
pub(super) fn node() -> Value {
    let room = json!({"cpu": "1000", "memory": "1000Gi", "pods": "10000"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "kwok", "labels": {"kubernetes.io/hostname": "kwok", "kubernetes.io/os": "linux"}},
        "status": {"allocatable": room, "capacity": room},
    })
}

/// A path as text; every path here is made by us.
pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("paths of the harness are UTF-8")
}

/// Sends one plain HTTP request and returns the whole answer.
pub(super) fn post(address: &str, path: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn audit_policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    })
}

fn token(user: User) -> &'static str {
    match user {
        User::Admin => "admin-token",
        User::Nobody => "nobody-token",
    }
}
