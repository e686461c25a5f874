//! A server's answer: its body read with limits, its refusals turned into failures that say what helps.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use super::{Exchange, Service};
use crate::error::Failure;
use crate::git::remote::{Login, Remote};
use crate::git::text::printable;

/// A longer `Retry-After` is not believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

/// So much of an error page is read.
const MAX_WORDS_BYTES: usize = 4096;

/// The body of an answer, read as it comes.
pub(in crate::git) struct Body {
    exchange: Arc<Exchange>,
    response: Response,
    rest: Bytes,
    received: u64,
    limit: u64,
}

impl Body {
    pub(super) fn new(exchange: Arc<Exchange>, response: Response, limit: u64) -> Self {
        Self { exchange, response, rest: Bytes::new(), received: 0, limit }
    }

    /// Reads some bytes; 0 at the end.
    pub(in crate::git) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        while self.rest.is_empty() {
            let remote = self.exchange.remote();
            let response = &mut self.response;
            let next = self
                .exchange
                .wait(async { response.chunk().await.map_err(|error| unreachable(remote, error)) })?;
            let Some(chunk) = next else { return Ok(0) };
            self.received += chunk.len() as u64;
            if self.received > self.limit {
                return Err(Failure::reject(format!("{remote} sent more than {} bytes", self.limit))
                    .hint("the repository is larger than Tidegate accepts"));
            }
            self.rest = chunk;
        }
        let count = self.rest.len().min(buffer.len());
        if let Some(part) = buffer.get_mut(..count) {
            self.rest.copy_to_slice(part);
        }
        Ok(count)
    }
}

/// Reads the beginning of a plain-text error page; an HTML page says nothing in one line.
pub(super) async fn words(mut response: Response) -> String {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/plain") {
        return String::new();
    }
    let mut words = Vec::new();
    while words.len() < MAX_WORDS_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        words.extend_from_slice(chunk.get(..MAX_WORDS_BYTES).unwrap_or(&chunk));
    }
    String::from_utf8_lossy(&words).into_owned()
}

/// The failure for a status that is no success.
pub(super) fn refusal(
    remote: &Remote,
    login: Option<&Login>,
    service: Service,
    status: StatusCode,
    headers: &HeaderMap,
    words: &str,
) -> Failure {
    let words = printable(words, login);
    let said = if words.is_empty() { String::new() } else { format!(": {words}") };
    let failure = |text: &str| format!("{remote} {text} (HTTP {}){said}", status.as_u16());
    match status {
        StatusCode::UNAUTHORIZED if login.is_none() => Failure::reject(failure("asks for credentials")).hint(
            "name them under the source's `credentials`; some servers answer so for a wrong address too",
        ),
        StatusCode::UNAUTHORIZED => Failure::reject(failure("does not accept the credentials"))
            .hint("check user name and secret under the source's `credentials`; it may have expired"),
        StatusCode::FORBIDDEN if service == Service::ReceivePack => {
            Failure::reject(failure("refuses to be written"))
                .hint("the credentials need write access, and the server must allow pushes over HTTP")
        }
        StatusCode::FORBIDDEN => Failure::reject(failure("refuses access"))
            .hint("the credentials need read access to the repository"),
        StatusCode::NOT_FOUND | StatusCode::GONE => Failure::reject(failure("has no such repository"))
            .hint("check the source's `url`; private repositories are hidden from those without access"),
        _ if status.is_redirection() => Failure::reject(failure("redirects a request that must not be"))
            .hint("set the source's `url` to the repository's own address"),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Failure::retry(failure("asks to wait")).after(retry_after(headers))
        }
        _ if status.is_server_error() => Failure::retry(failure("is in trouble")).after(retry_after(headers)),
        _ => Failure::reject(failure("refuses the request")).hint("check the source's `url`"),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// The failure for a request that got no answer, or half of one.
pub(super) fn unreachable(remote: &Remote, error: reqwest::Error) -> Failure {
    // The address is named by us, without what a URL may hide.
    let error = error.without_url();
    let cause = root(&error);
    if !error.is_connect() {
        return Failure::retry(format!("the connection to {remote} broke: {cause}"));
    }
    let text = format!("cannot connect to {remote}: {cause}");
    if cause.contains("certificate") {
        return Failure::reject(text)
            .hint("the server's certificate is not trusted: name its authority in the source's `caFile`");
    }
    Failure::retry(text).hint("check the address, and that the server is up and reachable from here")
}

/// The text of the innermost cause, which is the one that says something.
fn root(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    printable(&error.to_string(), None)
}
