//! One registry host behind the [`Registry`] seam, by the OCI distribution API (`GET` and `HEAD` only).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Method, StatusCode};
use reqwest::{Request, Response};
use tidegate_policy::annotation::Platform;
use tidegate_policy::reference::{Digest, Repository, Tag};
use url::Url;

use super::Registry;
use super::address::is_local;
use super::authorize::Authorizer;
use super::config::RegistryConfig;
use super::token::Authorization;
use super::transport::Transport;
use crate::clock::Clock;
use crate::context::Context;
use crate::error::Failure;

/// No call lasts longer, whatever its context allows.
const CALL_LIMIT: Duration = Duration::from_mins(1);
/// Without a login, with a kept token, with a new token.
const MAX_SENDS: usize = 3;

/// A registry host that speaks the OCI distribution API.
///
/// # Guarantees
/// The host's login is shown to that host and to its bound token endpoint alone. Nothing is retried but
/// one refused token: when to ask again is the caller's decision.
pub struct OciRegistry {
    pub(super) config: RegistryConfig,
    pub(super) api: Url,
    pub(super) transport: Transport,
    /// Index of the page size that this host took last.
    pub(super) page_size: AtomicUsize,
    authorizer: Authorizer,
}

impl OciRegistry {
    /// Makes a client for one host; asks it nothing yet. Fails on a host, CA file or realm that cannot be used.
    pub fn new(config: RegistryConfig, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let api = read_api(&config)?;
        let auth_realm = read_auth_realm(&config)?;
        let transport = Transport::new(&config, clock)?;
        let authorizer = Authorizer::new(api.clone(), auth_realm);
        Ok(Self { config, api, transport, page_size: AtomicUsize::new(0), authorizer })
    }

    /// Sends a request about `path`, answering challenges. Any status but 401 is an answer.
    pub(super) async fn ask(
        &self,
        method: Method,
        url: &Url,
        accept: Option<&HeaderValue>,
        path: &str,
    ) -> Result<Response, Failure> {
        let mut shown = self.authorizer.anticipate(&self.transport, &self.config, path).await?;
        for send in 1.. {
            let request = make_request(method.clone(), url, accept, shown.as_ref());
            let response = self.transport.send(request).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            let rejected = shown.take();
            if send == MAX_SENDS || rejected.as_ref().is_some_and(|rejected| rejected.fresh) {
                return Err(self.transport.failure(response).await);
            }
            let rejected = rejected.map(|rejected| rejected.header);
            let answer = self
                .authorizer
                .respond(&self.transport, &self.config, path, response.headers(), rejected.as_ref())
                .await?;
            if rejected.is_some_and(|rejected| rejected == answer.header) {
                return Err(self.transport.failure(response).await);
            }
            shown = Some(answer);
        }
        Err(Failure::bug("a bounded loop ended by itself"))
    }

    /// The URL of an endpoint of a repository; `rest` is e.g. `["tags", "list"]`.
    pub(super) fn endpoint(&self, repository: &Repository, rest: [&str; 2]) -> Result<Url, Failure> {
        if repository.registry != self.config.host {
            return Err(Failure::bug(format!("{repository} was asked of {}", self.config.host)));
        }
        let plain = |segment: &str| {
            !segment.starts_with('.')
                && !segment.is_empty()
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        if !repository.path.split('/').all(plain) {
            return Err(Failure::reject(format!("{repository} is no repository name")));
        }
        let [kind, item] = rest;
        self.api
            .join(&format!("{}/{kind}/{item}", repository.path))
            .map_err(|error| Failure::bug(format!("no URL for {repository}")).because(error))
    }
}

#[async_trait]
impl Registry for OciRegistry {
    async fn tags(&self, context: &Context, repository: &Repository) -> Result<Vec<String>, Failure> {
        let what = format!("listing the tags of {repository}");
        context.within(CALL_LIMIT).run(&what, self.list_tags(repository)).await
    }

    async fn manifest_digest(
        &self,
        context: &Context,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<Digest>, Failure> {
        let what = format!("resolving {repository}:{tag}");
        context.within(CALL_LIMIT).run(&what, self.resolve(repository, tag)).await
    }

    async fn platforms(
        &self,
        context: &Context,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Vec<Platform>>, Failure> {
        let what = format!("reading {repository}@{digest}");
        context.within(CALL_LIMIT).run(&what, self.read_platforms(repository, digest)).await
    }
}

impl fmt::Debug for OciRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OciRegistry").field("host", &self.config.host).finish_non_exhaustive()
    }
}

fn make_request(
    method: Method,
    url: &Url,
    accept: Option<&HeaderValue>,
    authorization: Option<&Authorization>,
) -> Request {
    let mut request = Request::new(method, url.clone());
    if let Some(accept) = accept {
        request.headers_mut().insert(ACCEPT, accept.clone());
    }
    if let Some(authorization) = authorization {
        request.headers_mut().insert(AUTHORIZATION, authorization.header.clone());
    }
    request
}

fn read_api(config: &RegistryConfig) -> Result<Url, Failure> {
    let host = &config.host;
    let unusable = || {
        Failure::reject(format!("registry host {host:?} cannot be used"))
            .hint("a host is written as in image references: a name or address with an optional port")
    };
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:[]".contains(&b));
    if !plain {
        return Err(unusable());
    }
    let url = Url::parse(&config.api()).map_err(|error| unusable().because(error))?;
    if url.path() != "/v2/" {
        return Err(unusable());
    }
    if config.public_only && is_local(&url) {
        return Err(Failure::reject(format!(
            "registry host {host:?} is an address of this machine or its cloud"
        ))
        .hint("if that is meant, name the host under `registries`"));
    }
    Ok(url)
}

fn read_auth_realm(config: &RegistryConfig) -> Result<Option<Url>, Failure> {
    let Some(text) = &config.auth_realm else { return Ok(None) };
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" || (url.scheme() == "http" && config.plain_http) => Ok(Some(url)),
        _ => Err(Failure::reject(format!("authRealm of {} is no https URL", config.host))
            .hint("name the whole token endpoint, e.g. https://gitlab.com/jwt/auth")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn registry(host: &str) -> Result<OciRegistry, Failure> {
        let config = RegistryConfig { host: host.to_owned(), plain_http: true, ..RegistryConfig::default() };
        OciRegistry::new(config, Arc::new(SystemClock))
    }

    #[track_caller]
    fn check(host: &str, path: &str, expect: &str) {
        let repository = Repository { registry: host.to_owned(), path: path.to_owned() };
        let got = match registry(host).and_then(|r| r.endpoint(&repository, ["tags", "list"])) {
            Ok(url) => url.to_string(),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(got, expect, "{host}/{path}");
    }

    #[test]
    fn an_endpoint_stays_below_its_repository() {
        check("r.example.com:5000", "acme/web", "http://r.example.com:5000/v2/acme/web/tags/list");
        check("docker.io", "library/nginx", "http://registry-1.docker.io/v2/library/nginx/tags/list");
        for path in ["../admin", "acme/..", "acme//web", "", "acme/web?x", "/acme", "acme/%2e"] {
            check("r.example.com", path, &format!("r.example.com/{path} is no repository name"));
        }
    }

    #[test]
    fn a_host_that_is_more_than_a_host_is_refused() {
        for host in ["", "r.example.com/x", "u@r.example.com", "r.example.com?x", "r.example.com#", ":5000"] {
            check(host, "acme/web", &format!("registry host {host:?} cannot be used"));
        }
    }

    #[test]
    fn a_local_address_is_asked_only_if_the_config_names_it() {
        for host in ["localhost:5000", "127.0.0.1:5000", "169.254.169.254", "[::1]:5000", "0x7f.1"] {
            let failure = OciRegistry::new(RegistryConfig::anonymous(host), Arc::new(SystemClock));
            assert!(
                failure.is_err_and(|failure| failure.message.contains("address of this machine")),
                "{host}"
            );
            assert!(registry(host).is_ok(), "{host}");
        }
    }

    #[test]
    fn another_hosts_repository_is_not_asked_for() {
        let other = Repository { registry: "other.example.com".to_owned(), path: "acme/web".to_owned() };
        let failure = registry("r.example.com").and_then(|r| r.endpoint(&other, ["tags", "list"]));
        assert!(failure.is_err_and(|failure| failure.kind == crate::error::Kind::Bug));
    }
}
