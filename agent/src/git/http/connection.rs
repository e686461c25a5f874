//! What lasts longer than one operation: the runtime that waits, the pooled connections, the trusted roots.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use tokio::runtime::{Builder, Runtime};

use super::Exchange;
use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;
use crate::git::remote::Remote;

/// How long the server may take to accept a connection, TLS included.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// An idle connection is closed after this; longer than the usual poll interval of a busy source.
const POOL_IDLE_LIMIT: Duration = Duration::from_secs(90);

/// A client of one remote. It belongs to the owner thread.
pub(in crate::git) struct Connection {
    /// This thread's own runtime: its timers and sockets run while the thread waits, and only then.
    runtime: Option<Arc<Runtime>>,
    remote: Arc<Remote>,
    /// The client, and the certificates it was built with.
    client: Option<(Vec<u8>, Client)>,
}

impl Connection {
    /// Makes a client; nothing is sent and nothing is started.
    pub(in crate::git) fn new(remote: Arc<Remote>) -> Self {
        Self { runtime: None, remote, client: None }
    }

    /// Starts an operation. Credentials and certificates are read anew.
    pub(in crate::git) fn exchange(
        &mut self,
        context: &Context,
        fence: Option<&WriteFence>,
    ) -> Result<Arc<Exchange>, Failure> {
        Ok(Arc::new(Exchange {
            runtime: self.runtime()?,
            client: self.client()?,
            remote: Arc::clone(&self.remote),
            login: self.remote.login()?,
            context: context.clone(),
            fence: fence.cloned(),
            base: Mutex::new(self.remote.url.clone()),
            failure: Mutex::new(None),
        }))
    }

    fn runtime(&mut self) -> Result<Arc<Runtime>, Failure> {
        if let Some(runtime) = &self.runtime {
            return Ok(Arc::clone(runtime));
        }
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
            Failure::retry(format!("cannot prepare git requests to {}", self.remote)).because(error)
        })?;
        Ok(Arc::clone(self.runtime.insert(Arc::new(runtime))))
    }

    fn client(&mut self) -> Result<Client, Failure> {
        let roots = self.remote.ca_file.as_deref().map(read_roots).transpose()?.unwrap_or_default();
        if let Some((known, client)) = &self.client
            && *known == roots
        {
            return Ok(client.clone());
        }
        let client = build(&self.remote, &roots)?;
        self.client = Some((roots, client.clone()));
        Ok(client)
    }
}

fn read_roots(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| {
        Failure::reject(format!("cannot read the certificates in {}", file.display())).because(error)
    })
}

fn build(remote: &Remote, roots: &[u8]) -> Result<Client, Failure> {
    // The client takes the process's provider; whoever was first has installed one, and it is this one.
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut builder = Client::builder()
        .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_LIMIT)
        .pool_idle_timeout(POOL_IDLE_LIMIT)
        .pool_max_idle_per_host(1);
    if let Some(file) = &remote.ca_file {
        let file = file.display();
        let certificates = Certificate::from_pem_bundle(roots).map_err(|error| {
            Failure::reject(format!("cannot read the certificates in {file}")).because(error)
        })?;
        if certificates.is_empty() {
            return Err(Failure::reject(format!("{file} holds no certificate")).hint("it must be PEM"));
        }
        builder = builder.tls_certs_only(certificates);
    } else if remote.url.scheme() == "http" {
        // No TLS will be spoken: do not depend on the system having certificates.
        builder = builder.tls_certs_only([]);
    }
    builder
        .build()
        .map_err(|error| Failure::reject(format!("cannot prepare git requests to {remote}")).because(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::remote::{DEFAULT_MAX_PACK_BYTES, RemoteConfig};

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.crt");
        std::fs::write(&file, "nothing").unwrap();
        let remote = Remote::check(&RemoteConfig {
            url: "https://git.example.com/a".into(),
            branch: "main".into(),
            state_dir: directory.path().into(),
            allow_insecure: false,
            credentials: None,
            ca_file: Some(file),
            max_pack_bytes: DEFAULT_MAX_PACK_BYTES,
        })
        .unwrap();
        let mut connection = Connection::new(Arc::new(remote));
        assert!(connection.client().unwrap_err().message.contains("ca.crt"));
    }
}
