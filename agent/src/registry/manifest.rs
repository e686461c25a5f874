//! Resolving a tag to the digest of its image manifest or index.

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use oci_distribution::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE,
};
use sha2::{Digest as _, Sha256};
use tidegate_policy::reference::{Digest, Repository, Tag};
use url::Url;

use super::oci::OciRegistry;
use super::transport::{read_body, show};
use crate::error::Failure;

const DIGEST_HEADER: &str = "docker-content-digest";
/// The largest image manifest that the distribution specification asks registries to take.
pub(super) const MAX_MANIFEST_BYTES: usize = 4 << 20;

impl OciRegistry {
    /// Asks for the digest with HEAD, and reads the manifest itself only if the answer names none.
    pub(super) async fn resolve(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<Digest>, Failure> {
        let url = self.endpoint(repository, ["manifests", tag.as_str()])?;
        let accept = accept_header()?;
        let response = self.ask(Method::HEAD, &url, Some(&accept), &repository.path).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => match digest_header(response.headers(), &url)? {
                Some(digest) => Ok(Some(digest)),
                None => self.resolve_by_content(repository, &url, &accept).await,
            },
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                self.resolve_by_content(repository, &url, &accept).await
            }
            _ => Err(self.transport.failure(response).await),
        }
    }

    async fn resolve_by_content(
        &self,
        repository: &Repository,
        url: &Url,
        accept: &HeaderValue,
    ) -> Result<Option<Digest>, Failure> {
        let response = self.ask(Method::GET, url, Some(accept), &repository.path).await?;
        match response.status() {
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::OK => {}
            _ => return Err(self.transport.failure(response).await),
        }
        let claimed = digest_header(response.headers(), url)?;
        let body = read_body(response, MAX_MANIFEST_BYTES).await?;
        if body.is_empty() {
            return Err(Failure::reject(format!("{} answered with an empty manifest", show(url))));
        }
        let digest = sha256(&body)?;
        match claimed {
            Some(claimed) if claimed != digest => Err(Failure::reject(format!(
                "{} says that its manifest is {claimed}, but it is {digest}",
                show(url)
            ))
            .hint("the registry or a proxy before it serves wrong content")
            .contradiction()),
            _ => Ok(Some(digest)),
        }
    }
}

pub(super) fn accept_header() -> Result<HeaderValue, Failure> {
    let types = [
        OCI_IMAGE_INDEX_MEDIA_TYPE,
        OCI_IMAGE_MEDIA_TYPE,
        IMAGE_MANIFEST_LIST_MEDIA_TYPE,
        IMAGE_MANIFEST_MEDIA_TYPE,
    ];
    HeaderValue::from_str(&types.join(", "))
        .map_err(|error| Failure::bug("media types fit no header").because(error))
}

/// Reads the digest that the registry names; one that cannot be read is never taken for none.
fn digest_header(headers: &HeaderMap, url: &Url) -> Result<Option<Digest>, Failure> {
    let Some(value) = headers.get(DIGEST_HEADER) else { return Ok(None) };
    let digest = value.to_str().ok().and_then(|text| Digest::parse(text).ok());
    digest.map(Some).ok_or_else(|| {
        Failure::reject(format!("{} names a digest that cannot be read", show(url)))
            .hint("the header Docker-Content-Digest must be sha256: and 64 hex digits")
    })
}

fn sha256(body: &[u8]) -> Result<Digest, Failure> {
    use std::fmt::Write as _;

    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(body) {
        write!(text, "{byte:02x}")
            .map_err(|error| Failure::bug("a digest was not written").because(error))?;
    }
    Digest::parse(&text).map_err(|error| Failure::bug("a digest of ours cannot be read").because(error))
}
