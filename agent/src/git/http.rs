//! The HTTP side of git's smart protocol: one operation's requests to one server.
//!
//! Everything waits on the calling thread and ends when the operation's [`Context`] does, also while the
//! server stalls. Credentials go to the configured scheme, host and port only. Not here: what the bytes
//! mean (libgit2, through [`super::transport`]). Called on the owner thread, never on a tokio worker.

mod answer;
mod connection;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use reqwest::{Client, RequestBuilder, Response};
use secrecy::ExposeSecret;
use tokio::runtime::Runtime;
use url::Url;

use super::remote::{Login, Remote};
use crate::context::Context;
use crate::error::Failure;
use crate::fence::WriteFence;

pub(super) use answer::Body;
pub(super) use connection::Connection;

/// How long the server may send nothing.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// More hops than this are a loop.
const MAX_REDIRECTS: usize = 5;

/// The most bytes an advertisement of refs may have.
const MAX_ADVERTISEMENT_BYTES: u64 = 64 << 20;

/// A service of the smart protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// The server sends objects.
    UploadPack,
    /// The server receives objects.
    ReceivePack,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// One operation (a fetch, a push) and all its requests.
pub(super) struct Exchange {
    runtime: Arc<Runtime>,
    client: Client,
    remote: Arc<Remote>,
    login: Option<Login>,
    context: Context,
    /// Asked before the server is told to write.
    fence: Option<WriteFence>,
    /// Where requests go, after the first one's redirects.
    base: Mutex<Url>,
    /// The first failure: libgit2 hands back no more than its text.
    failure: Mutex<Option<Failure>>,
}

impl Exchange {
    /// The remote that is talked to.
    pub(super) fn remote(&self) -> &Remote {
        &self.remote
    }

    /// What authenticates, so that it can be kept out of messages.
    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Whether nobody waits for the operation any more.
    pub(super) fn is_over(&self) -> bool {
        self.context.cancel.is_cancelled() || self.context.remaining().is_zero()
    }

    /// Keeps the first failure for [`Self::take_failure`] and returns its text for libgit2.
    pub(super) fn keep(&self, failure: Failure) -> String {
        let text = failure.message.replace('\0', " ");
        lock(&self.failure).get_or_insert(failure);
        text
    }

    /// The failure that ended the operation, if a request did.
    pub(super) fn take_failure(&self) -> Option<Failure> {
        lock(&self.failure).take()
    }

    /// Asks for the refs, as the first request of an operation. Redirects within the origin are followed.
    pub(super) fn advertisement(self: &Arc<Self>, service: Service) -> Result<Body, Failure> {
        let mut url = self.remote.url.clone();
        url.set_path(&format!("{}/info/refs", url.path().trim_end_matches('/')));
        url.set_query(Some(&format!("service={}", service.name())));
        for _ in 0..MAX_REDIRECTS {
            let request =
                self.client.get(url.clone()).header(ACCEPT, "*/*").header(CACHE_CONTROL, "no-cache");
            let response = self.send(request, true)?;
            if !response.status().is_redirection() {
                let response = self.accept(response, service, "advertisement")?;
                *lock(&self.base) = self.base_of(&url)?;
                return Ok(Body::new(Arc::clone(self), response, MAX_ADVERTISEMENT_BYTES));
            }
            url = self.redirected(&url, &response)?;
        }
        Err(Failure::reject(format!("{} redirects more than {MAX_REDIRECTS} times", self.remote))
            .hint("set the source's `url` to the repository's own address"))
    }

    /// Sends one request of the protocol. A redirect is refused here.
    pub(super) fn call(self: &Arc<Self>, service: Service, request: Vec<u8>) -> Result<Body, Failure> {
        if service == Service::ReceivePack {
            self.fence.as_ref().map_or(Ok(()), WriteFence::check)?;
        }
        let mut url = lock(&self.base).clone();
        url.set_path(&format!("{}/{}", url.path().trim_end_matches('/'), service.name()));
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, format!("application/x-{}-request", service.name()))
            .header(ACCEPT, format!("application/x-{}-result", service.name()))
            .body(request);
        let response = self.send(request, false)?;
        let response = self.accept(response, service, "result")?;
        Ok(Body::new(Arc::clone(self), response, self.remote.max_pack_bytes))
    }

    fn send(&self, request: RequestBuilder, is_get: bool) -> Result<Response, Failure> {
        let request = match &self.login {
            Some(login) => request.basic_auth(&login.username, Some(login.password.expose_secret())),
            None => request,
        };
        // A kept connection may have been closed by the server; who asks without a body may ask again.
        let again = request.try_clone().filter(|_| is_get);
        self.wait(async {
            let sent = match (request.send().await, again) {
                (Err(error), Some(again)) if !error.is_connect() => again.send().await,
                (sent, _) => sent,
            };
            sent.map_err(|error| answer::unreachable(&self.remote, error))
        })
    }

    /// Waits for `work`, for the operation's end, or for the server's silence to grow too long.
    fn wait<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let what = format!("git request to {}", self.remote);
        self.runtime.block_on(self.context.run(&what, async {
            tokio::time::timeout(IDLE_LIMIT, work).await.unwrap_or_else(|_| {
                Err(Failure::retry(format!("{} sent nothing for {} s", self.remote, IDLE_LIMIT.as_secs())))
            })
        }))
    }

    /// Checks status and content type; a failure carries the server's words.
    fn accept(&self, response: Response, service: Service, part: &str) -> Result<Response, Failure> {
        let status = response.status();
        if !status.is_success() {
            let headers = response.headers().clone();
            let words = self.wait(async { Ok(answer::words(response).await) }).unwrap_or_default();
            return Err(answer::refusal(
                &self.remote,
                self.login.as_ref(),
                service,
                status,
                &headers,
                &words,
            ));
        }
        let expected = format!("application/x-{}-{part}", service.name());
        let found = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let found = found.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if found != expected {
            let found = found.escape_debug();
            return Err(Failure::reject(format!(
                "{} answered with `{found}`, not `{expected}`",
                self.remote
            ))
            .hint("the address is not that of a git repository, or a login page stands before it"));
        }
        Ok(response)
    }

    /// Where a redirect leads; out of the configured origin it is refused.
    fn redirected(&self, from: &Url, response: &Response) -> Result<Url, Failure> {
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(target) = location.and_then(|location| from.join(location).ok()) else {
            return Err(Failure::reject(format!("{} redirects to nowhere", self.remote))
                .hint("set the source's `url` to the repository's own address"));
        };
        if target.origin() != self.remote.url.origin() {
            let origin = target.origin().ascii_serialization();
            return Err(Failure::reject(format!("{} redirects to another origin, {origin}", self.remote))
                .hint(
                    "credentials stay with their host: if the move is genuine, set the source's `url` to it",
                ));
        }
        Ok(target)
    }

    /// The repository's address, from the address at which its refs were found.
    fn base_of(&self, found: &Url) -> Result<Url, Failure> {
        let Some(path) = found.path().strip_suffix("/info/refs") else {
            return Err(Failure::reject(format!("{} redirects to what is no repository", self.remote))
                .hint("set the source's `url` to the repository's own address"));
        };
        let mut base = self.remote.url.clone();
        base.set_path(path);
        base.set_query(None);
        Ok(base)
    }
}

/// Takes a lock; what it guards is replaced whole, so that a panic elsewhere cannot have left it half-done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
