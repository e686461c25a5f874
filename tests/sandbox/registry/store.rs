//! What the registry holds: blobs, image manifests, tags. Plain data.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;

use crate::sandbox::image::digest;

/// An image manifest as pushed.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    pub(super) digest: String,
    pub(super) media_type: String,
    pub(super) content: Bytes,
}

/// A repository.
#[derive(Debug, Default)]
struct Repository {
    tags: BTreeMap<String, String>,
    manifests: HashMap<String, Manifest>,
    blobs: HashMap<String, Bytes>,
}

/// All repositories by path.
#[derive(Debug, Default)]
pub(super) struct Store {
    repositories: BTreeMap<String, Repository>,
}

impl Store {
    /// Stores a blob and returns its digest.
    pub(super) fn put_blob(&mut self, path: &str, content: Bytes) -> String {
        let digest = digest(&content);
        self.repository(path).blobs.insert(digest.clone(), content);
        digest
    }

    /// Stores a manifest, under a tag or only by its digest, and returns the digest.
    pub(super) fn put_manifest(
        &mut self,
        path: &str,
        reference: &str,
        media_type: &str,
        content: Bytes,
    ) -> String {
        let digest = digest(&content);
        let repository = self.repository(path);
        let media_type = media_type.to_owned();
        repository.manifests.insert(digest.clone(), Manifest { digest: digest.clone(), media_type, content });
        if !reference.contains(':') {
            repository.tags.insert(reference.to_owned(), digest.clone());
        }
        digest
    }

    /// Finds a manifest by tag or digest.
    pub(super) fn manifest(&self, path: &str, reference: &str) -> Option<&Manifest> {
        let repository = self.repositories.get(path)?;
        let digest = repository.tags.get(reference).map_or(reference, String::as_str);
        repository.manifests.get(digest)
    }

    /// Finds a blob by digest.
    pub(super) fn blob(&self, path: &str, digest: &str) -> Option<Bytes> {
        self.repositories.get(path)?.blobs.get(digest).cloned()
    }

    /// Deletes a tag, or a manifest with all its tags; `false` if there is none. The repository stays.
    pub(super) fn delete(&mut self, path: &str, reference: &str) -> bool {
        let repository = self.repository(path);
        if repository.tags.remove(reference).is_some() {
            return true;
        }
        repository.tags.retain(|_, digest| digest != reference);
        repository.manifests.remove(reference).is_some()
    }

    /// Lists at most `limit` tags after `last` in lexical order, and whether there are more.
    pub(super) fn tags(&self, path: &str, last: Option<&str>, limit: usize) -> Option<(Vec<String>, bool)> {
        let tags = &self.repositories.get(path)?.tags;
        let mut after = tags.keys().filter(|tag| last.is_none_or(|last| tag.as_str() > last));
        let page: Vec<String> = after.by_ref().take(limit).cloned().collect();
        Some((page, after.next().is_some()))
    }

    fn repository(&mut self, path: &str) -> &mut Repository {
        self.repositories.entry(path.to_owned()).or_default()
    }
}
