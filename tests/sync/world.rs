//! One source, synced into a namespace of its own on the shared control plane.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tidegate_agent::backoff::Jitter;
use tidegate_agent::clock::SystemClock;
use tidegate_agent::cluster::{Cluster, KubeCluster};
use tidegate_agent::config::{ClusterConfig, Source};
use tidegate_agent::fence::WriteFence;
use tidegate_agent::git::Signature;
use tidegate_agent::metrics::Metrics;
use tidegate_agent::progress::Progress;
use tidegate_agent::source::SeenRevision;
use tidegate_agent::sync::{Parts, Sync, UnitReport};
use tidegate_policy::manifest::ImagePaths;
use tidegate_policy::sync::UnitKey;
use tidegate_policy::sync::health::Health;
use tidegate_policy::update::Guards;
use tidegate_tests::harness::control_plane::ControlPlane;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::repo::MemoryRepo;

const SOON: Duration = Duration::from_secs(30);

pub struct World {
    pub plane: &'static ControlPlane,
    pub namespace: String,
    pub repo: Arc<MemoryRepo>,
    units: Vec<String>,
    sync: Sync,
    revisions: watch::Sender<Option<Arc<SeenRevision>>>,
    stop: CancellationToken,
}

impl World {
    pub async fn new(hint: &str, units: &[&str]) -> Self {
        let plane = ControlPlane::shared();
        let namespace = plane.namespace(hint).expect("a namespace");
        Self::start(plane, namespace, Arc::default(), units.iter().map(ToString::to_string).collect()).await
    }

    async fn start(
        plane: &'static ControlPlane,
        namespace: String,
        repo: Arc<MemoryRepo>,
        units: Vec<String>,
    ) -> Self {
        // Each test may be the first one in the process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ClusterConfig { kubeconfig: Some(plane.kubeconfig()), namespace: namespace.clone() };
        let cluster: Arc<dyn Cluster> =
            Arc::new(KubeCluster::connect(&config, Jitter::new(1)).await.expect("a cluster"));
        let stop = CancellationToken::new();
        let sync = Sync::new(Parts {
            cluster,
            namespace: namespace.clone(),
            fence: WriteFence::default(),
            clock: Arc::new(SystemClock),
            jitter: Jitter::new(7),
            metrics: Metrics::new(),
            progress: Progress::default(),
            stop: stop.clone(),
        });
        let world = Self { plane, namespace, repo, units, sync, revisions: watch::Sender::new(None), stop };
        let (sync, source, repo) = (world.sync.clone(), world.source(), Arc::clone(&world.repo));
        let seen = world.revisions.subscribe();
        tokio::spawn(async move { sync.source(0, source, repo, seen).await });
        world
    }

    /// Ends the process and starts another at the same place.
    pub async fn restart(self) -> Self {
        self.stop.cancel();
        let seen = self.revisions.borrow().clone();
        let world =
            Self::start(self.plane, self.namespace.clone(), Arc::clone(&self.repo), self.units.clone()).await;
        world.revisions.send_replace(seen);
        world
    }

    /// Ends the process.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    fn source(&self) -> Source {
        Source {
            guards: Guards::default(),
            image_paths: ImagePaths::default(),
            name: self.namespace.clone(),
            url: "https://git.example.com/fleet.git".to_owned(),
            branch: "main".to_owned(),
            path: String::new(),
            units: self.units.clone(),
            poll: Duration::from_secs(60),
            update: false,
            sync: true,
            namespace: self.namespace.clone(),
            allow_insecure: false,
            ca_file: None,
            credentials: None,
            author: Signature { name: "Tidegate".to_owned(), email: "tidegate@example.com".to_owned() },
        }
    }

    pub fn commit(&self, files: &[(&str, Option<&str>)]) -> String {
        let seen = self.repo.commit(files, "Change");
        let revision = seen.revision.clone();
        self.revisions.send_replace(Some(seen));
        revision
    }

    pub fn unit(&self, unit: &str) -> Option<UnitReport> {
        self.sync.health().borrow().units.get(&UnitKey::new(&self.namespace, unit)).cloned()
    }

    /// Waits until a condition holds; fails, showing the units, if it does not within 30 s.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + SOON;
        while !holds(self) {
            assert!(Instant::now() < deadline, "{what}; units: {:#?}", self.sync.health().borrow().units);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn until_healthy(&self, unit: &str, revision: &str) {
        let is_healthy = |report: UnitReport| report.health == Health::Current && report.revision == revision;
        let what = format!("{unit} is healthy at {revision}");
        self.until(&what, |world| world.unit(unit).is_some_and(is_healthy)).await;
    }

    /// `kubectl` in the namespace; `None` if it fails.
    pub fn try_kubectl(&self, arguments: &[&str]) -> Option<String> {
        let arguments: Vec<&str> =
            ["-n", &self.namespace].into_iter().chain(arguments.iter().copied()).collect();
        self.plane.kubectl(&arguments).ok()
    }

    #[track_caller]
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).expect("kubectl")
    }

    /// Reads one field of an object by its JSON path; empty if there is none.
    pub fn field(&self, object: &str, path: &str) -> String {
        let template = format!("jsonpath={{{path}}}");
        self.try_kubectl(&["get", object, "-o", &template]).unwrap_or_default()
    }

    pub fn exists(&self, object: &str) -> bool {
        self.try_kubectl(&["get", object, "-o", "name"]).is_some()
    }

    /// Counts the requests that the loop made since `before`, watches not counted.
    pub fn requests(&self) -> Vec<String> {
        let ours = |event: &Value| {
            let text = event.to_string();
            text.contains(&format!("\"{}\"", self.namespace)) && event["verb"] != "watch"
        };
        let events = self.plane.requests_of("tidegate/").expect("an audit log");
        let line = |event: &Value| {
            format!("{} {}/{}", event["verb"], event["objectRef"]["resource"], event["objectRef"]["name"])
        };
        events.iter().filter(|event| ours(event)).map(line).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub fn deployment(name: &str, image: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: app, image: {image:?}, ports: [{{containerPort: 80}}]}}]}}
---
"
    )
}

pub fn config_map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: {value:?}}}\n---\n")
}
