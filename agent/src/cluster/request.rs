//! One request and its answer: paths, headers, and who is to blame when there is none.
//!
//! Called by [`super::kubernetes`] and [`super::discovery`]. Not here: what a refusal means
//! ([`super::refusal`]).

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, StatusCode};
use kube::core::Status;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::ServedKind;
use super::connect::Connection;
use super::refusal::Refusal;
use crate::context::Context;
use crate::error::Failure;

/// A request in the making.
pub(super) struct Call {
    /// What is tried on what, after "cannot": `apply Deployment/shop/web`.
    what: String,
    method: Method,
    path: String,
    accept: &'static str,
    body: Option<(&'static str, Vec<u8>)>,
    secretive: bool,
}

/// What the server said.
pub(super) enum Answer {
    /// Done; `created` is HTTP 201.
    Done { created: bool, value: Value },
    /// Refused.
    Refused(Refusal),
}

impl Call {
    pub(super) fn new(what: impl Into<String>, method: Method, path: String) -> Self {
        Self { what: what.into(), method, path, accept: "application/json", body: None, secretive: false }
    }

    pub(super) fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        if !pairs.is_empty() {
            self.path.push('?');
            self.path.push_str(&Serializer::new(String::new()).extend_pairs(pairs).finish());
        }
        self
    }

    pub(super) fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    pub(super) fn body(mut self, content_type: &'static str, value: &Value) -> Self {
        self.body = Some((content_type, value.to_string().into_bytes()));
        self
    }

    /// Marks a request whose content is secret: the server's words may quote it and are withheld.
    pub(super) fn secretive(mut self, is: bool) -> Self {
        self.secretive = is;
        self
    }

    /// Sends it and reads the whole answer.
    ///
    /// # Errors
    /// `Retry` if there is no answer; a refusal is an answer.
    pub(super) async fn send(self, context: &Context, connection: &Connection) -> Result<Answer, Failure> {
        let what = format!("the attempt to {} at {}", self.what, connection.server);
        context.run(&what, self.exchange(connection)).await
    }

    /// Sends it; a refusal is a failure.
    pub(super) async fn value(self, context: &Context, connection: &Connection) -> Result<Value, Failure> {
        match self.send(context, connection).await? {
            Answer::Done { value, .. } => Ok(value),
            Answer::Refused(refusal) => Err(refusal.failure()),
        }
    }

    async fn exchange(self, connection: &Connection) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(self.method).uri(self.path).header(ACCEPT, self.accept);
        let mut bytes = Vec::new();
        if let Some((content_type, body)) = self.body {
            request = request.header(CONTENT_TYPE, content_type);
            bytes = body;
        }
        let request = request.body(kube::client::Body::from(bytes)).map_err(|error| {
            Failure::bug(format!("cannot {}: the request cannot be written", self.what)).because(error)
        })?;
        let no_answer = |error| unreachable(&self.what, &connection.server, error);
        let response = connection.client.send(request).await.map_err(no_answer)?;
        let code = response.status();
        let retry_after = retry_after(response.headers());
        let body = response.into_body().collect_bytes().await.map_err(no_answer)?;
        if !code.is_success() {
            let status = serde_json::from_slice(&body)
                .unwrap_or_else(|_| Status::failure(&String::from_utf8_lossy(&body), ""))
                .with_code(code.as_u16())
                .boxed();
            let server = connection.server.clone();
            let refusal = Refusal { what: self.what, server, status, retry_after, secretive: self.secretive };
            return Ok(Answer::Refused(refusal));
        }
        let value = serde_json::from_slice(&body).map_err(|error| {
            Failure::retry(format!(
                "cannot {}: {} answers with something else than JSON",
                self.what, connection.server
            ))
            .because(error)
            .hint("is this the address of a Kubernetes API server?")
        })?;
        Ok(Answer::Done { created: code == StatusCode::CREATED, value })
    }
}

/// Explains that there was no answer, or no whole one.
pub(super) fn unreachable(what: &str, server: &str, error: kube::Error) -> Failure {
    let failure =
        Failure::retry(format!("cannot {what}: no answer from the API server {server}")).because(error);
    let hint = if failure.chain().contains("certificate") {
        "the server's certificate does not fit the certificate authority of the kubeconfig"
    } else {
        "is the server running, and is the address right? see `cluster.kubeconfig`"
    };
    failure.hint(hint)
}

/// The path of a collection: `/apis/apps/v1/namespaces/shop/deployments`, or without the namespace all of them.
pub(super) fn collection(
    kind: &ServedKind,
    version: &str,
    namespace: Option<&str>,
) -> Result<String, Failure> {
    let group = &kind.kind.group;
    let mut path = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", segment(group)?) };
    path.push('/');
    path.push_str(&segment(version)?);
    if let Some(namespace) = namespace.filter(|_| kind.namespaced) {
        path.push_str("/namespaces/");
        path.push_str(&segment(namespace)?);
    }
    path.push('/');
    path.push_str(&segment(&kind.plural)?);
    Ok(path)
}

/// The path of one object.
pub(super) fn object(
    kind: &ServedKind,
    version: &str,
    namespace: Option<&str>,
    name: &str,
) -> Result<String, Failure> {
    if kind.namespaced && namespace.is_none() {
        return Err(Failure::bug(format!("{}/{name} needs a namespace", kind.kind)));
    }
    Ok(format!("{}/{}", collection(kind, version, namespace)?, segment(name)?))
}

/// One segment of a path. Names come from manifests: none may lead to another object.
fn segment(text: &str) -> Result<String, Failure> {
    use std::fmt::Write as _;
    if matches!(text, "" | "." | "..") || text.contains(['/', '%']) {
        let shown: String = text.escape_debug().take(64).collect();
        return Err(Failure::reject(format!("`{shown}` cannot be the name of an object"))
            .hint("names are not empty, `.` or `..`, and hold no `/` and no `%`"));
    }
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    Ok(path)
}

/// Reads `Retry-After` in its form of seconds, the only one that API servers send.
fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use tidegate_policy::object::GroupKind;

    use super::*;

    fn kind(group: &str, plural: &str, namespaced: bool) -> ServedKind {
        ServedKind {
            kind: GroupKind { group: group.into(), kind: "Kind".into() },
            version: "v1".into(),
            versions: vec!["v1".into()],
            plural: plural.into(),
            namespaced,
        }
    }

    #[track_caller]
    fn check(kind: &ServedKind, namespace: Option<&str>, name: &str, expect: &str) {
        let path = object(kind, "v1", namespace, name).unwrap_or_else(|failure| failure.chain());
        assert!(path.contains(expect), "{path}");
    }

    #[test]
    fn paths_follow_group_and_scope() {
        check(&kind("", "configmaps", true), Some("shop"), "a", "/api/v1/namespaces/shop/configmaps/a");
        check(
            &kind("apps", "deployments", true),
            Some("shop"),
            "a",
            "/apis/apps/v1/namespaces/shop/deployments/a",
        );
        check(&kind("", "namespaces", false), Some("shop"), "a", "/api/v1/namespaces/a");
        check(&kind("rbac", "roles", true), Some("shop"), "system:node", "/roles/system:node");
        check(&kind("", "configmaps", true), None, "a", "needs a namespace");
    }

    #[test]
    fn a_name_never_leads_to_another_object() {
        for name in ["../secrets/x", "..", ".", "", "a/status", "a%2Fstatus"] {
            check(&kind("", "configmaps", true), Some("shop"), name, "cannot be the name");
        }
        check(&kind("", "configmaps", true), Some("shop"), "a?dryRun=All#x y", "/a%3FdryRun%3DAll%23x%20y");
    }
}
