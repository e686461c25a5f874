//! The registry seam: listing tags, resolving manifests and reading what images run on; read-only.
//!
//! Not here: what to list and when (the scanner), what to make of it (`tidegate_policy::select`).
//! The real implementation is [`OciRegistry`], built once per host from a [`RegistryConfig`].

mod address;
mod authorize;
mod challenge;
mod config;
mod credentials;
mod link;
mod manifest;
mod oci;
mod platforms;
mod realm;
mod retry_after;
mod tags;
mod token;
mod transport;

pub use config::{Credentials, RegistryConfig};
pub use oci::OciRegistry;

use async_trait::async_trait;
use tidegate_policy::annotation::Platform;
use tidegate_policy::reference::{Digest, Repository, Tag};

use crate::context::Context;
use crate::error::Failure;

/// One registry host, with its credentials.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Lists all tags of a repository; an answer is complete or it is a failure.
    ///
    /// Tags outside the grammar are dropped. Order is the registry's.
    async fn tags(&self, context: &Context, repository: &Repository) -> Result<Vec<String>, Failure>;

    /// Resolves a tag to the digest of its manifest or index; `None` if the registry has none (404).
    async fn manifest_digest(
        &self,
        context: &Context,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<Digest>, Failure>;

    /// Reads what the image of a digest runs on; `None` if the registry has no such manifest (404).
    ///
    /// What does not have the digest that it was asked by is a failure marked as a contradiction.
    async fn platforms(
        &self,
        context: &Context,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<Vec<Platform>>, Failure>;
}
