//! What an image runs on: from its index, or from the configuration of the one image.
//!
//! Not here: which platforms are asked for (`tidegate_policy::annotation`).

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Sha256, Sha384, Sha512};
use tidegate_policy::annotation::Platform;
use tidegate_policy::reference::{Digest, Repository};

use super::manifest::{MAX_MANIFEST_BYTES, accept_header};
use super::oci::OciRegistry;
use super::transport::read_body;
use crate::error::Failure;

/// Longest image configuration; those of real images are some KiB.
const MAX_CONFIG_BYTES: usize = 8 << 20;
/// Most platforms that are read from one index.
const MAX_ENTRIES: usize = 1_000;

/// An image manifest or an image index (OCI image specification), as far as it is read.
#[derive(Deserialize)]
struct Document {
    manifests: Option<Vec<Entry>>,
    config: Option<Descriptor>,
    layers: Option<Value>,
}

#[derive(Deserialize)]
struct Entry {
    platform: Option<Offered>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

/// A platform as an index or an image configuration names it.
#[derive(Deserialize)]
struct Offered {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

impl OciRegistry {
    /// Reads the platforms of an index, or of the one image.
    pub(super) async fn read_platforms(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Vec<Platform>>, Failure> {
        let what = format!("{repository}@{digest}");
        let accept = Some(accept_header()?);
        let limit = MAX_MANIFEST_BYTES;
        let Some(body) = self.content(repository, "manifests", digest, accept.as_ref(), limit).await? else {
            return Ok(None);
        };
        let document: Document = serde_json::from_slice(&body)
            .map_err(|error| Failure::reject(format!("{what} is no image manifest")).because(error))?;
        match document {
            // Readers that take it for the one or the other would run different images.
            Document { manifests: Some(_), config, layers } if config.is_some() || layers.is_some() => {
                Err(Failure::reject(format!("{what} is an image and an index at once"))
                    .hint("the registry serves a manifest that was made to deceive")
                    .contradiction())
            }
            Document { manifests: Some(entries), .. } => {
                let offered = entries.into_iter().take(MAX_ENTRIES).filter_map(|entry| entry.platform);
                Ok(Some(offered.filter_map(Offered::read).collect()))
            }
            Document { config: Some(config), .. } => {
                self.platform_of_image(repository, &what, &config.digest).await.map(Some)
            }
            Document { .. } => Err(Failure::reject(format!("{what} is neither an image nor an index"))),
        }
    }

    async fn platform_of_image(
        &self,
        repository: &Repository,
        what: &str,
        config: &str,
    ) -> Result<Vec<Platform>, Failure> {
        let digest = Digest::parse(config).map_err(|error| {
            Failure::reject(format!("{what} names a configuration that cannot be read")).because(error)
        })?;
        let body = self.content(repository, "blobs", &digest, None, MAX_CONFIG_BYTES).await?;
        let body = body.ok_or_else(|| {
            Failure::reject(format!("{what} names the configuration {digest}, which is not there"))
        })?;
        // What is no image, such as a chart, has another kind of configuration and runs nowhere.
        let offered: Option<Offered> = serde_json::from_slice(&body).ok();
        Ok(offered.and_then(Offered::read).into_iter().collect())
    }

    /// Reads content by its digest and checks it; `None` if it is not there.
    async fn content(
        &self,
        repository: &Repository,
        kind: &str,
        digest: &Digest,
        accept: Option<&HeaderValue>,
        limit: usize,
    ) -> Result<Option<Bytes>, Failure> {
        let url = self.endpoint(repository, [kind, digest.as_str()])?;
        let mut response = self.ask(Method::GET, &url, accept, &repository.path).await?;
        if response.status().is_redirection() {
            response = self.transport.follow_elsewhere(&self.config, response).await?;
        }
        match response.status() {
            StatusCode::NOT_FOUND => return Ok(None),
            StatusCode::OK => {}
            _ => return Err(self.transport.failure(response).await),
        }
        let body = read_body(response, limit).await?;
        verify(&body, digest, repository)?;
        Ok(Some(body))
    }
}

impl Offered {
    /// Reads a platform; `None` for what runs nowhere (attestations are entries of `unknown/unknown`).
    fn read(self) -> Option<Platform> {
        let known = |text: &str| !text.is_empty() && text != "unknown";
        let runs = known(&self.os) && known(&self.architecture);
        runs.then(|| Platform::new(&self.os, &self.architecture, self.variant.as_deref()))
    }
}

fn verify(body: &[u8], digest: &Digest, repository: &Repository) -> Result<(), Failure> {
    let (algorithm, hex) = digest.as_str().split_once(':').unwrap_or_default();
    let found = match algorithm {
        "sha256" => hex_of::<Sha256>(body),
        "sha384" => hex_of::<Sha384>(body),
        "sha512" => hex_of::<Sha512>(body),
        _ => {
            return Err(Failure::reject(format!("content of {repository} cannot be checked by {algorithm}"))
                .hint("sha256, sha384 and sha512 are checked"));
        }
    };
    if found == hex {
        return Ok(());
    }
    Err(Failure::reject(format!("{repository} serves {algorithm}:{found} as {digest}"))
        .hint("the registry or a proxy before it serves wrong content")
        .contradiction())
}

fn hex_of<H: sha2::Digest>(body: &[u8]) -> String {
    use std::fmt::Write as _;

    H::digest(body).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}
