//! An OCI registry in this process: push, list by pages, resolve, delete; logins and faults on demand.
//!
//! No judge of what registries do: the contract tests hold it against a real one.

mod api;
mod auth;
mod fault;
mod store;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use bytes::Bytes;
use oci_distribution::manifest::OCI_IMAGE_MEDIA_TYPE;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::auth::{Gate, Login, Tokens};
pub use self::fault::Fault;
use self::store::Store;
use super::image::Image;

/// A registry on a free loopback port. Dropping it ends it.
pub struct SandboxRegistry {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// A request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// HTTP method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Query, without the question mark.
    pub query: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
}

/// How the registry departs from the specification's best case.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// At most so many tags a page, whatever is asked for.
    pub max_page: Option<usize>,
    /// Page sizes over this are refused with 400.
    pub refuse_over: Option<usize>,
    /// Pages do not say that there are more.
    pub without_links: bool,
    /// Manifests come without their digest in a header.
    pub without_digests: bool,
}

struct Shared {
    host: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    store: Store,
    options: Options,
    gate: Gate,
    faults: Vec<PendingFault>,
    seen: Vec<Seen>,
}

struct PendingFault {
    path: String,
    left: usize,
    fault: Fault,
}

impl SandboxRegistry {
    /// Starts an empty registry that asks nobody for a login.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port");
        let host = listener.local_addr().expect("a bound socket has an address").to_string();
        let shared = Arc::new(Shared { host, inner: Mutex::default() });
        let app = Router::new().fallback(api::handle).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("serving ends only with its task");
        });
        Self { shared, task }
    }

    /// Host and port, as in image references.
    pub fn host(&self) -> &str {
        &self.shared.host
    }

    /// Pushes a small image under a tag and returns its digest; the same arguments give the same digest.
    pub fn push(&self, repository: &str, tag: &str) -> String {
        self.push_image(repository, tag, &Image::new(&format!("{repository}:{tag}")))
    }

    /// Pushes a given image under a tag and returns its digest.
    pub fn push_image(&self, repository: &str, tag: &str, image: &Image) -> String {
        let mut inner = self.shared.lock();
        inner.store.put_blob(repository, Bytes::from(image.config.clone()));
        let manifest = Bytes::from(image.manifest.clone());
        inner.store.put_manifest(repository, tag, OCI_IMAGE_MEDIA_TYPE, manifest)
    }

    /// Deletes a tag, or a manifest with all its tags; `false` if there is none.
    pub fn delete(&self, repository: &str, reference: &str) -> bool {
        self.shared.lock().store.delete(repository, reference)
    }

    /// Sets how the registry departs from the best case.
    pub fn set_options(&self, options: Options) {
        self.shared.lock().options = options;
    }

    /// Asks for a login with every request.
    pub fn require_basic(&self, username: &str, password: &str) {
        self.shared.lock().gate = Gate::Basic(Login::new(username, password));
    }

    /// Asks for a token, which its own endpoint `/token` gives to everybody, or for a login.
    pub fn require_bearer(&self, login: Option<(&str, &str)>) {
        let login = login.map(|(username, password)| Login::new(username, password));
        self.shared.lock().gate = Gate::Bearer { login, tokens: Tokens::default() };
    }

    /// Makes all tokens given out so far worthless.
    pub fn revoke_tokens(&self) {
        self.shared.lock().gate.revoke();
    }

    /// Makes trouble at the next request.
    pub fn fail_next(&self, fault: Fault) {
        self.fail("", 1, fault);
    }

    /// Makes trouble at the next `times` requests whose path with query contains `path`.
    pub fn fail(&self, path: &str, times: usize, fault: Fault) {
        self.shared.lock().faults.push(PendingFault { path: path.to_owned(), left: times, fault });
    }

    /// Ends all trouble.
    pub fn heal(&self) {
        self.shared.lock().faults.clear();
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.lock().seen.clone()
    }

    /// How many requests of a method had a path that contains `path`.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let inner = self.shared.lock();
        inner.seen.iter().filter(|seen| seen.method == method && seen.path.contains(path)).count()
    }
}

impl Drop for SandboxRegistry {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Takes the first fault that is due for a path with query.
    fn take_fault(&mut self, path: &str) -> Option<Fault> {
        let due = self.faults.iter_mut().find(|pending| pending.left > 0 && path.contains(&pending.path))?;
        due.left -= 1;
        Some(due.fault.clone())
    }
}
