//! A server under test, a namespace of the case's own, and plain HTTP calls through a `kube::Client`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use http::{Method, Request};
use kube::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate_tests::harness::control_plane::ControlPlane;
use tidegate_tests::sandbox::kube::SandboxCluster;

/// The server of a case.
pub struct World {
    /// Administrator's client.
    pub client: Client,
    /// A namespace that nobody else uses.
    pub namespace: String,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    _sandbox: Option<(SandboxCluster, TempDir)>,
}

/// An answer, whatever its code.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub code: u16,
    /// JSON body.
    pub body: Value,
}

impl Answer {
    /// The body of a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.code), "{} {}", self.code, self.body);
        self.body
    }

    /// Checks code and reason of a refusal and returns its message.
    #[track_caller]
    pub fn refused(self, code: u16, reason: &str) -> String {
        let got = (self.code, self.body["reason"].as_str().unwrap_or_default());
        assert_eq!(got, (code, reason), "{}", self.body);
        self.body["message"].as_str().unwrap_or_default().to_owned()
    }
}

impl World {
    /// A sandbox of its own.
    pub async fn sandbox(case: &str) -> Self {
        let sandbox = SandboxCluster::start().await.expect("the sandbox starts");
        let namespace = name_of(case);
        sandbox.create_namespace(&namespace).expect("the namespace is created");
        let client = sandbox.client().expect("a client");
        let directory = tempfile::tempdir().expect("a directory");
        let kubeconfig = sandbox.kubeconfig(directory.path()).expect("a kubeconfig");
        Self { client, namespace, kubeconfig, _sandbox: Some((sandbox, directory)) }
    }

    /// The control plane of this test binary.
    pub async fn real(case: &str) -> Self {
        let hint = name_of(case);
        let namespace = tokio::task::spawn_blocking(move || ControlPlane::shared().namespace(&hint));
        let namespace = namespace.await.expect("no panic").expect("the namespace is created");
        let client = client_of(ControlPlane::shared()).await.expect("a client");
        let kubeconfig = ControlPlane::shared().kubeconfig();
        Self { client, namespace, kubeconfig, _sandbox: None }
    }

    /// The path of a kind in this case's namespace: `configmaps`, `apps/deployments/web`.
    pub fn path(&self, what: &str) -> String {
        let (root, rest) = match what.split_once('/') {
            Some((group @ ("apps" | "batch"), rest)) => (format!("/apis/{group}/v1"), rest),
            _ => ("/api/v1".to_owned(), what),
        };
        format!("{root}/namespaces/{}/{rest}", self.namespace)
    }

    /// Sends a request with a JSON body.
    pub async fn send(&self, method: &str, path: &str, content: &str, body: &Value) -> Answer {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.try_send(method, path, content, "application/json", bytes).await.expect("the server answers")
    }

    /// Sends a request with any body and `Accept` header.
    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        content: &str,
        accept: &str,
        body: Vec<u8>,
    ) -> Result<Answer> {
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes())?)
            .uri(path)
            .header(http::header::CONTENT_TYPE, content)
            .header(http::header::ACCEPT, accept)
            .header(http::header::USER_AGENT, "contract/1.0")
            .body(kube::client::Body::from(body))?;
        let response = self.client.send(request).await?;
        let code = response.status().as_u16();
        let bytes = response.into_body().collect_bytes().await?;
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| text());
        Ok(Answer { code, body })
    }

    /// Reads a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "application/json", &Value::Null).await
    }

    /// Creates.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, "application/json", body).await
    }

    /// Server-side apply.
    pub async fn apply(&self, path: &str, manager: &str, body: &Value) -> Answer {
        self.apply_with(path, &format!("fieldManager={manager}"), body).await
    }

    /// Server-side apply with a query of the case's own.
    pub async fn apply_with(&self, path: &str, query: &str, body: &Value) -> Answer {
        self.send("PATCH", &format!("{path}?{query}"), "application/apply-patch+yaml", body).await
    }

    /// JSON merge patch.
    pub async fn merge(&self, path: &str, manager: &str, body: &Value) -> Answer {
        let path = format!("{path}?fieldManager={manager}");
        self.send("PATCH", &path, "application/merge-patch+json", body).await
    }

    /// Reads a path until `wanted` holds, for at most 30 s.
    pub async fn wait(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Value {
        let end = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.get(path).await;
            if wanted(&answer) {
                return answer.body;
            }
            assert!(tokio::time::Instant::now() < end, "not in time: {}", answer.body);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A client that shows every answer instead of trying again.
async fn client_of(plane: &ControlPlane) -> Result<Client> {
    // Several TLS providers could be asked to be the default one: the first stays.
    drop(rustls::crypto::ring::default_provider().install_default());
    let kubeconfig = kube::config::Kubeconfig::read_from(plane.kubeconfig())?;
    let mut config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default()).await?;
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}

fn name_of(case: &str) -> String {
    let mut name: String = case.replace('_', "-").chars().take(40).collect();
    while name.ends_with('-') {
        name.pop();
    }
    name
}

/// The fields that an owner holds, as stored.
pub fn fields_of(object: &Value, manager: &str, operation: &str, subresource: &str) -> Value {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let entry = entries.into_iter().flatten().find(|entry| {
        entry["manager"] == manager
            && entry["operation"] == operation
            && entry["subresource"].as_str().unwrap_or_default() == subresource
    });
    entry.map_or(Value::Null, |entry| entry["fieldsV1"].clone())
}

/// `metadata.resourceVersion`.
pub fn version_of(object: &Value) -> String {
    object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A small Deployment to apply.
pub fn deployment(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
        },
    })
}

/// A ConfigMap to apply.
pub fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}
