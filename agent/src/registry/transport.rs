//! One HTTP client for one registry: time limits, redirects, bounded bodies, and what each failure means.
//!
//! Not here: who is asked for what ([`super::oci`]), logins ([`super::authorize`]).

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::LOCATION;
use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Certificate, Client, ClientBuilder, Request, Response};
use serde::Deserialize;
use url::Url;

use super::address::{LocalName, PublicResolver, is_local};
use super::config::RegistryConfig;
use super::realm::{authority, same_origin};
use super::retry_after;
use crate::clock::Clock;
use crate::error::Failure;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Longest silence while an answer is awaited or read.
const IDLE_LIMIT: Duration = Duration::from_secs(15);
const MAX_REDIRECTS: usize = 5;
const MAX_ERROR_BYTES: usize = 64 << 10;
const MAX_QUOTED_CHARS: usize = 200;

/// The HTTP client of one registry.
pub(super) struct Transport {
    client: Client,
    clock: Arc<dyn Clock>,
}

impl Transport {
    /// Builds the client; fails if the CA file cannot be used.
    pub(super) fn new(config: &RegistryConfig, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let builder = builder(config)?;
        let builder =
            if config.public_only { builder.dns_resolver(Arc::new(PublicResolver)) } else { builder };
        Ok(Self { client: build(builder, &config.host)?, clock })
    }

    /// Goes where a registry sends for content that is then checked against its digest, such as a storage service.
    ///
    /// # Guarantees
    /// No login is shown there, the connection is safe unless the registry's own is not, and an address of this
    /// machine or its cloud is never asked.
    pub(super) async fn follow_elsewhere(
        &self,
        config: &RegistryConfig,
        response: Response,
    ) -> Result<Response, Failure> {
        let url = response.url().clone();
        let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let target = target.and_then(|target| url.join(target).ok()).filter(|target| {
            let safe = target.scheme() == "https" || (config.plain_http && target.scheme() == "http");
            safe && target.username().is_empty() && target.password().is_none() && !is_local(target)
        });
        let Some(target) = target else { return Err(self.failure(response).await) };
        let client = build(builder(config)?.dns_resolver(Arc::new(PublicResolver)), &config.host)?;
        let request = Request::new(Method::GET, target.clone());
        client.execute(request).await.map_err(|error| unreachable(&target, error))
    }

    /// Sends one request. Any status is an answer.
    pub(super) async fn send(&self, request: Request) -> Result<Response, Failure> {
        let url = request.url().clone();
        self.client.execute(request).await.map_err(|error| unreachable(&url, error))
    }

    /// Says what an answer that is none of the expected ones means.
    pub(super) async fn failure(&self, response: Response) -> Failure {
        let (status, url, headers) = (response.status(), response.url().clone(), response.headers().clone());
        let shown = show(&url);
        if status.is_redirection() {
            return misdirected(&shown, &url, &headers);
        }
        let detail = match read_body(response, MAX_ERROR_BYTES).await {
            Ok(body) => quote_error(&body),
            Err(_) => String::new(),
        };
        let message = format!("{shown} answered {status}{detail}");
        match status {
            StatusCode::UNAUTHORIZED => Failure::reject(message).hint(
                "the login is refused, or the repository does not exist: check the host's `credentials`",
            ),
            StatusCode::FORBIDDEN => {
                Failure::reject(message).hint("the login of this host may not read this repository")
            }
            StatusCode::NOT_FOUND => Failure::reject(message)
                .hint("the repository does not exist, or the host serves no container registry"),
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_EARLY
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Failure::retry(message).after(retry_after::read(&headers, self.clock.now()))
            }
            status if status.is_server_error() => {
                Failure::retry(message).after(retry_after::read(&headers, self.clock.now()))
            }
            _ => Failure::reject(message).hint("is this host a container registry?"),
        }
    }
}

/// Limits, redirects and certificates of the clients for a host.
fn builder(config: &RegistryConfig) -> Result<ClientBuilder, Failure> {
    // Whoever comes first installs it; a second installation is refused and changes nothing.
    rustls::crypto::ring::default_provider().install_default().ok();
    let builder = Client::builder()
        .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .read_timeout(IDLE_LIMIT)
        .redirect(Policy::custom(follow_within_origin))
        .referer(false);
    Ok(match (&config.ca_file, config.plain_http) {
        // No TLS, so no need for the system's certificates.
        (_, true) => builder.tls_certs_only([]),
        (None, false) => builder,
        (Some(file), false) => {
            let unusable = |why: &str| {
                Failure::reject(format!("CA file {} of {}: {why}", file.display(), config.host))
                    .hint("caFile names a PEM file with one or more certificates")
            };
            let pem = std::fs::read(file).map_err(|e| unusable("it cannot be read").because(e))?;
            let certificates =
                Certificate::from_pem_bundle(&pem).map_err(|e| unusable("it is no PEM").because(e))?;
            if certificates.is_empty() {
                return Err(unusable("it holds no certificate"));
            }
            builder.tls_certs_merge(certificates)
        }
    })
}

fn build(builder: ClientBuilder, host: &str) -> Result<Client, Failure> {
    builder.build().map_err(|error| {
        Failure::reject(format!("no HTTP client for {host} could be built"))
            .because(error.without_url())
            .hint("install the system's CA certificates, or name a caFile")
    })
}

/// Reads a whole body; more than `limit` bytes (after decompression) is a failure, and the rest is not read.
pub(super) async fn read_body(mut response: Response, limit: usize) -> Result<Bytes, Failure> {
    let url = response.url().clone();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&url, error))? {
        if body.len() + chunk.len() > limit {
            return Err(Failure::reject(format!("{} answered with more than {limit} bytes", show(&url))));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A URL for people: without login, query and fragment, any of which may hold a secret.
pub(super) fn show(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), authority(url), url.path())
}

/// A login goes with a redirect, so none may leave the origin.
fn follow_within_origin(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let inside = attempt.previous().last().is_some_and(|from| same_origin(from, attempt.url()));
    if inside && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

fn misdirected(shown: &str, url: &Url, headers: &HeaderMap) -> Failure {
    let target = headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|to| url.join(to).ok());
    let to = target.as_ref().map_or_else(|| "nowhere".to_owned(), show);
    Failure::reject(format!("{shown} redirects to {to}, which is not followed"))
        .hint("name the host that serves the registry; redirects are followed within one host only")
}

fn unreachable(url: &Url, error: reqwest::Error) -> Failure {
    let shown = show(url);
    let hint = match (find_cause::<rustls::Error>(&error), find_cause::<LocalName>(&error)) {
        (Some(rustls::Error::InvalidMessage(_)), _) => {
            Some("the host does not speak TLS: is `plainHttp: true` meant?")
        }
        (Some(_), _) => Some("name the host's certificate authority as `caFile`, or mend its certificate"),
        (None, Some(_)) => Some("if that is meant, name the host under `registries`"),
        (None, None) => None,
    };
    let error = error.without_url();
    match hint {
        Some(hint) => Failure::reject(format!("no safe connection to {shown}")).because(error).hint(hint),
        None if error.is_connect() => Failure::retry(format!("{shown} cannot be reached"))
            .because(error)
            .hint("check the host's name, and that it is up and reachable from here"),
        None => Failure::retry(format!("the answer of {shown} was not complete")).because(error),
    }
}

/// Finds a cause of some type; `io::Error` hides what it carries from `source`.
fn find_cause<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = carried.map_or_else(|| error.source(), |carried| Some(carried as _));
    }
    None
}

#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The first error of a registry's error body, shortened and without control characters.
fn quote_error(body: &[u8]) -> String {
    let parsed: Option<ErrorBody> = serde_json::from_slice(body).ok();
    parsed.and_then(|body| body.errors.into_iter().next()).map_or_else(String::new, |error| {
        let text = format!(": {} {}", error.code, error.message);
        text.trim_end().chars().filter(|c| !c.is_control()).take(MAX_QUOTED_CHARS).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_has_no_login_query_or_fragment() {
        let url = Url::parse("https://u:secret@r.example.com:5000/v2/?token=secret#secret").expect("a URL");
        assert_eq!(show(&url), "https://r.example.com:5000/v2/");
    }

    #[test]
    fn a_quoted_error_is_short_and_printable() {
        let long = "x".repeat(1000);
        let body = format!(r#"{{"errors":[{{"code":"DENIED","message":"no\u001b[2J {long}"}}]}}"#);
        let quoted = quote_error(body.as_bytes());
        assert!(quoted.starts_with(": DENIED no[2J x"), "{quoted}");
        assert_eq!(quoted.chars().count(), MAX_QUOTED_CHARS);
        assert_eq!(quote_error(b"<html>"), "");
        assert_eq!(quote_error(br#"{"errors":[]}"#), "");
    }
}
