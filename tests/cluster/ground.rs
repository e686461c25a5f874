//! What each test stands on: the seam, a namespace of its own, and a deadline.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidegate_agent::backoff::Jitter;
use tidegate_agent::cluster::{Applied, ApplyOutcome, Catalog, Cluster, KubeCluster, LiveMeta, ServedKind};
use tidegate_agent::config::ClusterConfig;
use tidegate_agent::context::Context;
use tidegate_agent::error::Failure;
use tidegate_agent::fence::WriteFence;
use tidegate_policy::object::GroupKind;
use tidegate_tests::harness::control_plane::ControlPlane;
use tokio_util::sync::CancellationToken;

/// A test's own corner of the shared control plane.
pub struct Ground {
    pub plane: &'static ControlPlane,
    pub cluster: KubeCluster,
    pub namespace: String,
    pub context: Context,
    pub fence: WriteFence,
    pub catalog: Arc<Catalog>,
}

impl Ground {
    pub async fn new(hint: &str) -> Self {
        let plane = ControlPlane::shared();
        let namespace = plane.namespace(hint).unwrap();
        let cluster = connect(&plane.kubeconfig(), &namespace).await.unwrap();
        let context = context();
        let catalog = cluster.discover(&context).await.unwrap();
        Self { plane, cluster, namespace, context, fence: WriteFence::default(), catalog }
    }

    /// A kind that is served.
    pub fn kind(&self, group: &str, kind: &str) -> ServedKind {
        self.catalog.kinds[&GroupKind { group: group.into(), kind: kind.into() }].clone()
    }

    /// A ConfigMap in the test's namespace.
    pub fn config_map(&self, name: &str, data: &Value) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.namespace, "labels": {"ours": "yes"}},
            "data": data,
        })
    }

    /// A Deployment in the test's namespace.
    pub fn deployment(&self, name: &str, image: &str, replicas: u32) -> Value {
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "app", "image": image}]},
                },
            },
        })
    }

    pub async fn try_apply(&self, object: &Value, force: bool) -> Result<ApplyOutcome, Failure> {
        let api_version = object["apiVersion"].as_str().unwrap();
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let kind = self.kind(group, object["kind"].as_str().unwrap());
        self.cluster.apply(&self.context, &self.fence, &kind, object, force).await
    }

    /// Applies without force; nothing may be in the way.
    pub async fn apply(&self, object: &Value) -> Applied {
        match self.try_apply(object, false).await.unwrap() {
            ApplyOutcome::Applied(applied) => *applied,
            ApplyOutcome::Conflicts(conflicts) => panic!("{conflicts:?}"),
        }
    }

    pub async fn get(&self, kind: &ServedKind, name: &str) -> Option<LiveMeta> {
        self.cluster.get(&self.context, kind, Some(&self.namespace), name).await.unwrap()
    }

    /// `kubectl` in the test's namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let arguments: Vec<&str> =
            ["-n", &self.namespace].into_iter().chain(arguments.iter().copied()).collect();
        self.plane.kubectl(&arguments).unwrap()
    }
}

pub async fn connect(kubeconfig: &Path, namespace: &str) -> Result<KubeCluster, Failure> {
    // Each test may be the first one in the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = ClusterConfig { kubeconfig: Some(kubeconfig.to_owned()), namespace: namespace.to_owned() };
    KubeCluster::connect(&settings, Jitter::new(1)).await
}

pub fn context() -> Context {
    Context::new(&CancellationToken::new(), Duration::from_secs(60))
}

/// Asks until there is an answer, for at most 30 s.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
