//! The smallest image that a registry takes, and its push through the distribution API.
//!
//! Works against the sandbox and against real registries alike.

use anyhow::{Context as _, ensure};
use oci_distribution::manifest::{IMAGE_CONFIG_MEDIA_TYPE, OCI_IMAGE_MEDIA_TYPE};
use reqwest::{Client, Url};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// An image without layers: a config and the manifest that names it.
#[derive(Clone, Debug)]
pub struct Image {
    /// The config blob.
    pub config: String,
    /// The image manifest.
    pub manifest: String,
}

impl Image {
    /// Makes an image of linux/amd64 whose digest depends on `label`.
    pub fn new(label: &str) -> Self {
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"org.opencontainers.image.title": label}},
            "rootfs": {"type": "layers", "diff_ids": []},
        })
        .to_string();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE_MEDIA_TYPE,
            "config": {
                "mediaType": IMAGE_CONFIG_MEDIA_TYPE,
                "digest": digest(config.as_bytes()),
                "size": config.len(),
            },
            "layers": [],
        })
        .to_string();
        Self { config, manifest }
    }

    /// The digest of the manifest.
    pub fn digest(&self) -> String {
        digest(self.manifest.as_bytes())
    }

    /// Pushes the image as `repository:tag` to the registry at `base` (e.g. `http://127.0.0.1:5000`).
    pub async fn push(&self, client: &Client, base: &str, repository: &str, tag: &str) -> anyhow::Result<()> {
        let uploads = format!("{base}/v2/{repository}/blobs/uploads/");
        let begun = client.post(&uploads).send().await?;
        ensure!(begun.status() == 202, "{uploads} answered {}", begun.status());
        let location = begun.headers().get("location").context("an upload has a location")?.to_str()?;
        let mut location = Url::parse(&uploads)?.join(location)?;
        location.query_pairs_mut().append_pair("digest", &digest(self.config.as_bytes()));
        let stored = client.put(location).body(self.config.clone()).send().await?;
        ensure!(stored.status() == 201, "the config blob was answered {}", stored.status());
        self.tag(client, base, repository, tag).await
    }

    /// Pushes the manifest alone: another tag for an image that was pushed before.
    pub async fn tag(&self, client: &Client, base: &str, repository: &str, tag: &str) -> anyhow::Result<()> {
        let target = format!("{base}/v2/{repository}/manifests/{tag}");
        let request = client.put(&target).header("content-type", OCI_IMAGE_MEDIA_TYPE);
        let stored = request.body(self.manifest.clone()).send().await?;
        ensure!(stored.status() == 201, "{target} answered {}", stored.status());
        Ok(())
    }
}

/// Deletes an image manifest by digest, and with it every tag that names it.
pub async fn delete(client: &Client, base: &str, repository: &str, digest: &str) -> anyhow::Result<()> {
    let target = format!("{base}/v2/{repository}/manifests/{digest}");
    let status = client.delete(&target).send().await?.status();
    ensure!(status == 202, "DELETE {target} answered {status}");
    Ok(())
}

/// The sha256 digest of some content, as registries write it.
pub fn digest(content: &[u8]) -> String {
    use std::fmt::Write as _;

    Sha256::digest(content).iter().fold("sha256:".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}
