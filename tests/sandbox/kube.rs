//! A small Kubernetes API server with controllers, in this process, on a free loopback port.
//!
//! Discovery, reads and writes with resourceVersions, watches, server-side apply with managed fields, deletion with
//! propagation, and Deployments that roll out. It has no RBAC, no admission, no Jobs, and it serves every kind in one
//! version; events of the core group and of `events.k8s.io` are two collections here and one in a real cluster.
//! What it does is held against a real control plane by the contract tests.

pub mod apply;
mod check;
mod controller;
mod decode;
mod defaults;
mod delete;
mod discovery;
mod failure;
mod invent;
mod kinds;
pub mod patch;
mod reply;
mod routes;
mod scale;
mod selector;
mod server;
mod shape;
mod store;
mod target;
mod traffic;
mod uid;
mod watch;
mod write;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

pub use self::failure::ApiFailure;
use self::kinds::Kind;
pub use self::server::Options;
use self::server::Server;
use self::store::Key;
pub use self::traffic::{Fault, FaultRule, Request};
use self::write::Write;

/// A running server; dropping it ends it and its watches.
pub struct SandboxCluster {
    server: Arc<Server>,
    address: SocketAddr,
}

impl SandboxCluster {
    /// Starts a cluster with the namespaces `default` and `kube-system`.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// Starts a cluster with settings of its own.
    pub async fn start_with(options: Options) -> anyhow::Result<Self> {
        let server = Arc::new(Server::new(options));
        let cluster = {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = listener.local_addr()?;
            let app = routes::router(server.clone());
            let stop = server.stop.clone().cancelled_owned();
            tokio::spawn(axum::serve(listener, app).with_graceful_shutdown(stop).into_future());
            Self { server, address }
        };
        for name in ["default", "kube-system"] {
            cluster.create_namespace(name)?;
        }
        tokio::spawn(controller::run(cluster.server.clone()));
        Ok(cluster)
    }

    /// The base URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Writes a kubeconfig into `dir` and returns its path.
    pub fn kubeconfig(&self, dir: &Path) -> anyhow::Result<PathBuf> {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "sandbox",
            "clusters": [{"name": "sandbox", "cluster": {"server": self.url()}}],
            "users": [{"name": "sandbox", "user": {"token": "sandbox"}}],
            "contexts": [{
                "name": "sandbox",
                "context": {"cluster": "sandbox", "user": "sandbox", "namespace": "default"},
            }],
        });
        let path = dir.join("kubeconfig");
        std::fs::write(&path, serde_yaml::to_string(&config)?)?;
        Ok(path)
    }

    /// A client of this server.
    pub fn client(&self) -> anyhow::Result<kube::Client> {
        // The TLS stack wants a provider even where no TLS is spoken; whoever came first has set one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut config = kube::Config::new(self.url().parse()?);
        config.default_retry = false;
        Ok(kube::Client::try_from(config)?)
    }

    /// Creates a namespace if it is not there.
    pub fn create_namespace(&self, name: &str) -> anyhow::Result<()> {
        let kind = kinds::by_kind("", "Namespace").expect("the table has Namespace");
        let body = json!({"metadata": {"name": name}});
        let done =
            self.server.write(|store| write::create(store, kind, None, body, &Write::by("kubectl-create")));
        match done {
            Ok(_) => Ok(()),
            Err(failure) if failure.reason == "AlreadyExists" => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Reads an object; the namespace is empty for cluster-wide kinds.
    pub fn get(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let key = key(kinds::by_kind(group, kind)?, namespace, name);
        self.server.read(|store| store.get(&key).map(|object| (**object).clone()))
    }

    /// Lists a kind; an empty namespace means all.
    pub fn list(&self, group: &str, kind: &str, namespace: &str) -> Vec<Value> {
        let Some(kind) = kinds::by_kind(group, kind) else { return Vec::new() };
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        self.server.read(|store| store.list(kind, namespace).map(|(_, object)| (**object).clone()).collect())
    }

    /// Changes an object as a person with an editor does, under the field manager `kubectl-edit`.
    pub fn edit(
        &self,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Value, ApiFailure> {
        let kind = kinds::by_kind(group, kind).ok_or_else(ApiFailure::no_route)?;
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        let written = self.server.write(|store| {
            write::patch(store, kind, namespace, name, &Write::by("kubectl-edit"), |live| {
                let mut edited = live.clone();
                change(&mut edited);
                Ok(edited)
            })
        })?;
        Ok((*written.object).clone())
    }

    /// Waits until an object satisfies `wanted` and returns it; `None` when `limit` passes first.
    pub async fn wait_for(
        &self,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
        limit: Duration,
        wanted: impl Fn(Option<&Value>) -> bool,
    ) -> Option<Option<Value>> {
        let mut written = self.server.subscribe();
        let end = tokio::time::Instant::now() + limit;
        loop {
            written.borrow_and_update();
            let object = self.get(group, kind, namespace, name);
            if wanted(object.as_ref()) {
                return Some(object);
            }
            tokio::time::timeout_at(end, written.changed()).await.ok()?.ok()?;
        }
    }

    /// Declares that pods with this image never become ready, or are fine again.
    pub fn set_broken(&self, image: &str, broken: bool) {
        let mut images = self.server.broken_images.lock().expect("no holder panics");
        images.retain(|entry| entry != image);
        if broken {
            images.push(image.to_owned());
        }
    }

    /// Adds a fault.
    pub fn fail(&self, rule: FaultRule) {
        self.server.traffic.add(rule);
    }

    /// Forgets old changes: watches that lag get a 410.
    pub fn forget_history(&self) {
        self.server.write(store::Store::forget);
    }

    /// All requests answered so far.
    pub fn requests(&self) -> Vec<Request> {
        self.server.traffic.requests()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.server.traffic.clear();
    }
}

impl Drop for SandboxCluster {
    fn drop(&mut self) {
        self.server.stop.cancel();
    }
}

fn key(kind: &Kind, namespace: &str, name: &str) -> Key {
    Key::new(kind, Some(namespace).filter(|namespace| !namespace.is_empty()), name)
}

#[cfg(test)]
mod tests;
